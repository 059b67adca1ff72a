"""What a document may do to a preview: it ends within its limits, one diagnostic says so at its form, nothing of it is
left, and the next one works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from .editor import Editor
from .processes import below, dwindled, marker

WORD = marker()
LIMITS = {"cpu": 1, "time": 4, "output": 20_000, "memory": 300_000_000}

# Every document imports what any of them uses.
QUIET = {"disable": ["unused-import"]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def limited(editors: Any, root: Path) -> Editor:
    """A server whose processes all have a word in their environment, and small limits."""
    editor: Editor = await editors(settings={"preview": LIMITS, "diagnostics": QUIET}, env={"MINO_TEST_WORD": WORD})
    await editor.execute("mino.devices", {})
    return editor


async def check(editor: Editor, path: Path, code: str, before: str, form: str) -> None:
    """One diagnostic with this code, at this form or within; no process but the server, its worker and what this keeps
    to go on from is left; the next version is previewed; and with the document what was kept goes."""
    standing = {editor.pid, *below(editor.pid)}
    document = editor.open(path, BASE + before + "0\n")
    await document.previewed()
    document.replace("0\n", form + "\n")
    await document.previewed()
    found = await document.diagnostics()
    assert [diagnostic.code for diagnostic in found] == ([code] if code else []), found
    if code:
        start = document.find(before + form)
        at = document.offset(found[0].range.start), document.offset(found[0].range.end)
        assert start <= at[0] <= at[1] <= start + len(before + form), document.slice(found[0].range)
    assert await dwindled(WORD, standing, KEPT)
    document.rewrite("(setv fine [1])")
    await document.previewed()
    assert "`list`" in await document.hover("fine") and await document.diagnostics() == []
    document.close()
    assert await dwindled(WORD, standing, 0)


KEPT = 6
"""What a document keeps to go on from: a process that has run nothing of it, four checkpoints, a fork that is ready."""

BASE = "(import os sys time signal threading ctypes)\n"


@pytest.mark.parametrize(
    ("code", "form", "before"),
    [
        # what never ends
        ("preview-limit", '(while True (print "x"))', ""),
        ("preview-limit", "(while True 1)", ""),
        ("preview-limit", "(time.sleep 1000)", ""),
        ("preview-limit", "(do (signal.signal signal.SIGXCPU signal.SIG_IGN) (while True 1))", ""),
        ("preview-limit", "(while True (try (while True 1) (except [BaseException])))", ""),
        ("preview-limit", "(bytearray (* 4 (** 1024 3)))", ""),
        ("preview-limit", "(looping)", "(defmacro looping [] (while True 1))\n"),
        # what ends the process
        ("exit", "(os._exit 3)", ""),
        ("crash", "(ctypes.string_at 0)", ""),
        ("crash", "(os.abort)", ""),
        ("crash", "(os.kill (os.getpid) 9)", ""),
        # what is refused
        ("preview-input", "(input)", ""),
        ("preview-refused", '(os.execv "/bin/sh" ["sh" "-c" "sleep 1000"])', ""),
        # what raises
        ("exception", "(raising)", '(defmacro raising [] (raise (ValueError "no")))\n'),
        ("exception", "(deep)", "(defn deep [] (deep))\n"),
        ("exception", "(raise (KeyboardInterrupt))", ""),
        ("exception", "(raise (GeneratorExit))", ""),
        # what is nothing to complain of
        ("", "(sys.exit 3)", ""),
        ("", "(setv sys.stdout None  sys.stderr None  sys.stdin None)", ""),
        ("", "(.start (threading.Thread :target time.sleep :args [1000]))", ""),
        ("", "(when (= (os.fork) 0) (time.sleep 1000))", ""),
        ("", "(when (= (os.fork) 0) (os.setsid) (when (= (os.fork) 0) (time.sleep 1000)) (os._exit 0))", ""),
    ],
)
async def test_what_a_document_does(limited: Editor, root: Path, code: str, form: str, before: str) -> None:
    """It is said at the form, or within what the form calls."""
    await check(limited, root / "bad.hy", code, before, form)


@pytest.mark.parametrize(
    "form",
    [
        "(os.closerange 3 1000)",
        '(for [i (range 3 100)] (try (os.write i (* b"x" 9000)) (except [OSError])))',
    ],
)
async def test_a_document_that_meddles_with_the_descriptors(limited: Editor, root: Path, form: str) -> None:
    """The pipe to the warden is in its hands: what it does there costs its preview and nothing else."""
    document = limited.open(root / "bad.hy", f"{BASE}(setv x 1)\n{form}\n")
    await document.previewed()
    assert len(await document.diagnostics()) == 1
    document.rewrite("(setv fine [1])")
    await document.previewed()
    assert "`list`" in await document.hover("fine")


async def test_an_expansion_that_never_ends(limited: Editor, root: Path) -> None:
    document = limited.open(root / "endless.hy", "(defmacro m [] (while True 1))\n(defmacro n [] ''fine)\n(n)\n(m)")
    (told,) = (await document.expand("(m)"))["problems"]
    assert "The expansion stopped here" in told["message"] and told["code"] == "preview-limit"
    assert (await document.expand("(n)"))["text"] == "'fine"


async def test_an_edit_stops_what_never_ends(limited: Editor, root: Path) -> None:
    """The newer version does not wait for the limits of the older one."""
    document = limited.open(root / "bad.hy", BASE + "(time.sleep 1000)")
    await limited.until(lambda: any(status["state"] == "previewing" for status in limited.statuses) or True)
    document.rewrite("(setv fine [1])")
    await document.previewed()
    assert "`list`" in await document.hover("fine") and await document.diagnostics() == []


async def test_the_text_is_larger_than_any_program(limited: Editor, root: Path) -> None:
    """Nested more deeply than Hy can read, and long: an answer, whatever it is."""
    document = limited.open(root / "large.hy", "(" * 1_000 + ")" * 1_000)
    assert await document.hover("(") is not None
    document.rewrite("[" * 20_000)
    assert await document.diagnostics()
    document.rewrite("(setv fine [1])\n; " + "𝒳" * 300_000)
    await document.previewed()
    assert "`list`" in await document.hover("fine")
    document.close()


# ---- interpreters that cannot serve


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has nothing."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    return folder / "bin" / "python"


def _with(bare: Path, packages: dict[str, str]) -> None:
    (site,) = bare.parent.parent.glob("lib/python*/site-packages")
    for name, text in packages.items():
        (site / name).mkdir(exist_ok=True)
        (site / name / "__init__.py").write_text(text)


@pytest.mark.parametrize(
    ("packages", "told"),
    [
        ({}, "has no hy. Previews and runs need it. This mends it: {python} -m pip install minotauro"),
        ({"hy": "__version__ = '0.19.0'", "hyrule": "", "torch": ""}, "has Hy 0.19.0; Mino needs 1.3 or newer."),
        ({"hy": "__version__ = '1.3.0'", "hyrule": "", "torch": ""}, "has no mino."),
        ({"mino": ""}, "is another project of that name, not Mino."),
        ({"torch": "import no_such_part"}, "torch cannot be imported: No module named 'no_such_part'"),
    ],
)
async def test_an_interpreter_that_cannot_serve(
    editors: Any, root: Path, bare: Path, packages: dict[str, str], told: str
) -> None:
    """One message, with the command that mends it; what needs no worker goes on."""
    _with(bare, packages)
    editor: Editor = await editors(settings={"python": str(bare)})
    document = editor.open(root / "main.hy", "(require mino.thread *)\n(setv x (-> 1 (f)))")
    await editor.until(lambda: editor.messages)
    document.replace("(f)", "(f 2)")
    assert told.format(python=bare) in await editor.refusal("mino.run", {"uri": _saved(root)})
    assert "pip" in await editor.refusal("mino.devices", {})
    assert told.format(python=bare) in await document.hover("x (")
    (message,) = editor.messages
    assert told.format(python=bare) in message.message and "pip" in message.message
    document.rewrite("(f")
    assert [code for code, _ in await document.blamed()] == ["unclosed"]
    await editor.leave()


def _saved(root: Path) -> str:
    path = root / "saved.hy"
    path.write_text("1")
    return path.as_uri()


@pytest.mark.parametrize(
    ("python", "told"),
    [
        (
            "/no/such/python",
            "The interpreter /no/such/python cannot be started: No such file or directory. Set mino.python",
        ),
        ("/", "The interpreter / cannot be started"),
        ("/bin/true", "The worker ended before it could say what is wrong."),
    ],
)
async def test_no_interpreter(editors: Any, root: Path, python: str, told: str) -> None:
    editor: Editor = await editors(settings={"python": python})
    document = editor.open(root / "main.hy", "(setv x 1)")
    await editor.until(lambda: editor.messages)
    assert told in editor.messages[0].message and len(editor.messages) == 1
    assert told in await document.hover("x 1")
    await editor.leave()
