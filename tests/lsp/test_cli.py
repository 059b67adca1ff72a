"""`mino check` and `mino format` as a terminal runs them: what they print, write, and exit with."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .editor import EXAMPLES

MINO = Path(sys.executable).parent / "mino"
BROKEN = '(print "é𝕏"\n\t(if 1 2))\n(print :a)\n'


def mino(*arguments: str, cwd: Path, stdin: str = "") -> tuple[int, str, str]:
    done = subprocess.run([MINO, *arguments], cwd=cwd, input=stdin.encode(), capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "broken.hy").write_text(BROKEN, "utf-8")
    (tmp_path / "good.hy").write_text("(print 1)\n")
    (tmp_path / "binary.hy").write_bytes(b"(print \xff)")
    return tmp_path


def test_check_as_text(folder: Path) -> None:
    code, out, err = mino("check", "broken.hy", "good.hy", cwd=folder)
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "broken.hy:2:3: error: `if` needs more than 2 forms: write (if test then else); with one branch, "
        "write (when test form …). [arity]",
        "    2 |  (if 1 2))",
        "      |   ^^",
        "broken.hy:3:8: error: The keyword :a has no value: write one after it, or ':a for the keyword itself. "
        "[keyword-value]",
        "    3 | (print :a)",
        "      |        ^^",
    ]


def test_check_what_is_well(folder: Path) -> None:
    assert mino("check", "good.hy", cwd=folder) == (0, "", "")
    examples = sorted(str(path) for path in EXAMPLES.glob("*.hy"))
    code, out, err = mino("check", *examples, cwd=folder)
    assert (code, err) == (0, "") and ": error:" not in out and ": warning:" not in out


def test_check_what_cannot_be_checked(folder: Path) -> None:
    code, out, err = mino("check", "binary.hy", "absent.hy", "broken.hy", cwd=folder)
    assert code == 2 and out.count("[arity]") == 1
    assert "binary.hy is not UTF-8: byte 7" in err and "absent.hy cannot be read" in err


def test_check_as_json(folder: Path) -> None:
    code, out, _ = mino("check", "--json", "broken.hy", "absent.hy", cwd=folder)
    told = json.loads(out)
    assert code == 2 and [one["file"] for one in told["unchecked"]] == ["absent.hy"]
    first = told["problems"][0]
    assert (first["file"], first["severity"], first["code"]) == ("broken.hy", "error", "arity")
    assert [first[key] for key in ("line", "column", "endLine", "endColumn")] == [2, 3, 2, 5]


def test_check_as_sarif(folder: Path) -> None:
    code, out, _ = mino("check", "--sarif", "broken.hy", str(folder / "good.hy"), cwd=folder)
    told: Any = json.loads(out)
    (run,) = told["runs"]
    assert code == 1 and told["version"] == "2.1.0" and run["columnKind"] == "unicodeCodePoints"
    assert run["tool"]["driver"]["name"] == "mino" and run["invocations"][0]["executionSuccessful"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["arity", "keyword-value"]
    result = run["results"][0]
    assert rules[result["ruleIndex"]] == result["ruleId"] == "arity" and result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "broken.hy"
    assert place["region"] == {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 5}


def test_check_heeds_the_project(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.mino.diagnostics]\ndisable = ["arity", "keyword-value"]\n')
    assert mino("check", "broken.hy", cwd=folder) == (0, "", "")


def test_an_excerpt_of_a_long_line(folder: Path) -> None:
    (folder / "long.hy").write_text("(print " + "x " * 50_000 + "(not))")
    code, out, _ = mino("check", "long.hy", cwd=folder)
    lines = out.splitlines()
    assert code == 1 and max(map(len, lines)) < 200
    line, caret = next((a, b) for a, b in itertools.pairwise(lines) if "^^^" in b)
    assert line[caret.index("^") :].startswith("not")


def test_format_in_place(folder: Path) -> None:
    (folder / "rough.hy").write_bytes(b"(f a\r\nb\r\n)\r\n")
    assert mino("format", "rough.hy", "good.hy", cwd=folder) == (0, "rough.hy: laid out again\n", "")
    assert (folder / "rough.hy").read_bytes() == b"(f a\r\n   b)\r\n"
    assert mino("format", "rough.hy", cwd=folder) == (0, "", "")


def test_format_as_the_project_says(folder: Path) -> None:
    (folder / "own.hy").write_text("(within a\nb)\n")
    (folder / "pyproject.toml").write_text('[tool.mino.format]\nbodies = ["within"]\n')
    assert mino("format", "own.hy", cwd=folder) == (0, "own.hy: laid out again\n", "")
    assert (folder / "own.hy").read_text() == "(within a\n  b)\n"


def test_format_and_change_nothing(folder: Path) -> None:
    rough = folder / "rough.hy"
    rough.write_text("(f a\nb)\n")
    assert mino("format", "--check", "rough.hy", "good.hy", cwd=folder) == (
        1,
        "rough.hy: would be laid out again\n",
        "",
    )
    code, out, _ = mino("format", "--diff", "rough.hy", cwd=folder)
    assert code == 1 and "-b)\n+   b)\n" in out
    assert rough.read_text() == "(f a\nb)\n"
    assert mino("format", "--check", "good.hy", cwd=folder) == (0, "", "")


def test_what_is_too_long_is_said_to_be(folder: Path) -> None:
    text = "(f  x)\n" * 150_000
    (folder / "long.hy").write_text(text)
    told = "This text has more than 1,000,000 characters: Mino does not read it. Split it into several files.\n"
    code, out, err = mino("check", "long.hy", cwd=folder)
    assert (code, err) == (2, f"mino: long.hy is not checked. {told}") and out.count("[too-long]") == 1
    assert mino("format", "long.hy", cwd=folder) == (2, "", f"mino: long.hy stays as it is. {told}")
    assert (folder / "long.hy").read_text() == text


def test_format_standard_input(folder: Path) -> None:
    assert mino("format", "-", cwd=folder, stdin="(f 𝕏\nb)") == (0, "(f 𝕏\n   b)\n", "")
    code, out, err = mino("format", "-", cwd=folder, stdin="(f\n b")
    assert (code, out) == (2, "") and "<standard input>:1:1: error: This ( is never closed" in err


def test_format_what_cannot_be_read(folder: Path) -> None:
    (folder / "open.hy").write_text("(f\n    b")
    code, out, err = mino("format", "open.hy", "absent.hy", "binary.hy", cwd=folder)
    assert (code, out) == (2, "") and err.count("mino: ") == 3
    assert (folder / "open.hy").read_text() == "(f\n    b"


SHAPES = """\
(import torch)
(require mino.thread *)
(defn f [x] (-> x (@ (torch.ones 2 3)) (+ 1)))
(setv é (f (torch.ones 4 2)))
(setv l (torch.nn.Linear 2 1))
(setv [values [places]] (.max é :dim 0 :keepdim True))
"""


def test_shapes_as_text(folder: Path) -> None:
    """Whatever an editor is to show beside the text."""
    (folder / "shapes.hy").write_text(SHAPES, "utf-8")
    (folder / "pyproject.toml").write_text("[tool.mino]\ninlayHints.enabled = false\n")
    code, out, err = mino("shapes", "shapes.hy", cwd=folder)
    lines = SHAPES.splitlines()
    for number, beside in ((2, "→ [4 3]"), (3, "é [4 3]"), (5, "values [1 3], places [3] int64")):
        lines[number] = f"{lines[number]:<72}  ; {beside}"
    assert (code, out.splitlines(), err) == (0, lines, "")


def test_shapes_of_what_another_file_calls(folder: Path) -> None:
    layers = "(require mino.mu * mino.thread *)\n(defmu Scale [x weights]\n  (-> x (@ weights)))\n"
    (folder / "layers.hy").write_text(layers, "utf-8")
    (folder / "train.hy").write_text(
        "(import torch layers [Scale])\n(setv y ((Scale :weights (torch.ones 4 3)) (torch.ones 5 4)))\n(/ 1 0)\n",
        "utf-8",
    )
    (folder / "half.hy").write_text("(import layers [Scale]) (Scale", "utf-8")
    code, out, err = mino("shapes", "layers.hy", cwd=folder)
    lines = layers.splitlines()
    for number, beside in ((1, "x [5 4], weights [4 3]"), (2, "→ [5 3]")):
        lines[number] = f"{lines[number]:<72}  ; {beside}"
    assert (code, out.splitlines(), err) == (0, lines, "")


def test_every_fact_as_json(folder: Path) -> None:
    (folder / "shapes.hy").write_text(SHAPES + "(/ 1 0)\n", "utf-8")
    code, out, err = mino("shapes", "--json", "shapes.hy", cwd=folder)
    told = json.loads(out)
    assert (code, err, told["file"], told["stopped"]) == (1, "", "shapes.hy", "")
    facts = {(fact["line"], fact["text"]): fact for fact in told["facts"]}
    tensor = {"kind": "tensor", "shape": [4, 3], "dtype": "float32", "device": "cpu", "requiresGrad": False}
    assert facts[4, "é"] == {
        "line": 4,
        "column": 7,
        "endLine": 4,
        "endColumn": 8,
        "text": "é",
        "values": [tensor],
        "distinct": 1,
        "evidence": "preview",
        "statistics": {"mean": 3.0, "deviation": 0.0, "least": 3.0, "most": 3.0, "nan": 0, "infinite": 0},
    }
    (linear,) = facts[5, "(torch.nn.Linear 2 1)"]["values"]
    assert (linear["kind"], linear["type"], linear["parameters"]) == ("module", "Linear", 3)
    assert {"name": "weight", "value": "Parameter [1 2] float32"} in linear["components"]
    assert facts[5, "torch.nn.Linear"]["values"] == [{"kind": "other", "type": "type"}]
    (problem,) = told["problems"]
    assert (problem["code"], problem["line"], problem["file"]) == ("exception", 7, "shapes.hy")


def test_shapes_up_to_where_the_preview_stopped(folder: Path) -> None:
    (folder / "ends.hy").write_text("(setv a 1)\n(import os)\n(os._exit 3)\n(setv b 1)\n")
    code, out, _ = mino("shapes", "--json", "ends.hy", cwd=folder)
    told = json.loads(out)
    assert code == 0 and "exit code 3" in told["stopped"] and "exit code 3" in told["problems"][0]["message"]
    assert {fact["line"] for fact in told["facts"]} >= {1} and 4 not in {fact["line"] for fact in told["facts"]}


def test_shapes_of_what_cannot_be_read(folder: Path) -> None:
    assert mino("shapes", "absent.hy", cwd=folder)[::2] == (
        2,
        "mino: absent.hy cannot be read: No such file or directory.\n",
    )
    (folder / "open.hy").write_text("(f")
    code, out, err = mino("shapes", "open.hy", cwd=folder)
    assert (code, out) == (1, "(f\n") and "open.hy:1:1: error: This ( is never closed" in err


LIVE = {
    "wrong.hy": "(import torch)\n(@ (torch.ones 2 3) (torch.ones 2 3))\n",
    "well.hy": "(import torch)\n(setv x (@ (torch.ones 2 3) (torch.ones 3 2)))\n",
    "importing.hy": "(import layers)\n(print (layers.half 1))\n",
    "layers.hy": "(defn half [x] (/ x 0))\n",
    "absent_module.hy": "(import nowhere [x])\n(print x)\n",
}


@pytest.fixture
def live(folder: Path) -> Path:
    for name, text in LIVE.items():
        (folder / name).write_text(text)
    return folder


def test_check_live_as_json(live: Path) -> None:
    code, out, err = mino("check", "--live", "--json", "wrong.hy", "well.hy", "broken.hy", cwd=live)
    told = json.loads(out)["problems"]
    assert (code, err) == (1, "") and {problem["file"] for problem in told} == {"wrong.hy", "broken.hy"}
    assert (told[0]["code"], told[0]["line"], told[0]["column"]) == ("shape", 2, 1)
    assert "2x3" in told[0]["message"] or "[2 3]" in told[0]["message"]


def test_check_live_what_is_well(live: Path) -> None:
    assert mino("check", "--live", "well.hy", "good.hy", cwd=live) == (0, "", "")
    assert mino("check", "wrong.hy", cwd=live) == (0, "", "")


def test_check_live_as_sarif_with_what_cannot_be_checked(live: Path) -> None:
    code, out, _ = mino("check", "--live", "--sarif", "wrong.hy", "absent.hy", cwd=live)
    (run,) = json.loads(out)["runs"]
    assert code == 2 and [result["ruleId"] for result in run["results"]] == ["shape"]
    assert "absent.hy cannot be read" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_check_live_tells_of_imported_files(live: Path) -> None:
    code, out, _ = mino("check", "--live", "importing.hy", cwd=live)
    assert code == 1 and "importing.hy:2:" in out and "layers.hy:1:16: error: ZeroDivisionError" in out
    code, out, _ = mino("check", "--live", "layers.hy", "importing.hy", cwd=live)
    assert code == 1 and out.count("layers.hy:1:16: error: ZeroDivisionError") == 1


def test_check_live_a_broken_import(live: Path) -> None:
    code, out, err = mino("check", "--live", "absent_module.hy", cwd=live)
    assert (code, err) == (1, "") and "absent_module.hy:1:" in out and "No module named 'nowhere'" in out


def test_check_live_where_no_preview_can_be(live: Path) -> None:
    bare = live / "bare"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    code, out, err = mino("--python", str(bare), "check", "--live", "well.hy", cwd=live)
    assert (code, out) == (2, "") and "The worker ended before it could say what is wrong." in err


MACROS = """\
(require mino.thread * hyrule [unless])
(defmacro bad [] (/ 1 0))
(defn f [x]
  (print (-> x g) (-> x (h 1)))
  (unless x (-> 1 inc)))
"""
MACROS_EXPANDED = """\
(require mino.thread * hyrule [unless])
(defmacro bad [] (/ 1 0))
(defn f [x]
  (print (g x) (h x 1))
  (if (not x) (do (inc 1)) None))
"""


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (["a.hy"], 0, MACROS_EXPANDED, ""),
        (["a.hy:4"], 0, "(g x)\n", ""),
        (["a.hy:4:20"], 0, "(h x 1)\n", ""),
        (["a.hy:5", "--depth", "step"], 0, "(when (not x) (-> 1 inc))\n", ""),
        (["a.hy:5", "--depth", "one"], 0, "(if (not x) (do (-> 1 inc)) None)\n", ""),
        (["a.hy:99"], 2, "", "mino: a.hy:99: The file has 6 lines; there is no line 99.\n"),
        (["a.hy:3:2"], 2, "", "mino: a.hy:3:2: There is no macro call here.\n"),
        (["absent.hy:3"], 2, "", "mino: absent.hy cannot be read: No such file or directory.\n"),
        (["broken.hy"], 2, "", "mino: broken.hy: The file cannot be read; `mino check` tells where.\n"),
        (
            ["failing.hy:2"],
            1,
            "(bad)\n",
            "failing.hy:2:8: error: The macro `bad` raised ZeroDivisionError: division by zero. [exception]\n",
        ),
    ],
)
def test_expand(tmp_path: Path, arguments: list[str], code: int, out: str, err: str) -> None:
    (tmp_path / "a.hy").write_text(MACROS)
    (tmp_path / "broken.hy").write_text("(print 1")
    (tmp_path / "failing.hy").write_text("(defmacro bad [] (/ 1 0))\n(print (bad))")
    assert mino("expand", *arguments, cwd=tmp_path) == (code, out, err)
