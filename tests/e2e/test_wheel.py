"""The wheel, built and installed where the checkout cannot be imported, does what the checkout does."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.raw import Raw

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SECONDS = 180


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel, and beside it what the development environment has but the
    checkout: a path in a `.pth` file does not make the `.pth` files there, by which the checkout is found, count."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=SECONDS)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "development.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel]
    subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
    return folder / "bin"


def environment(state: Path) -> dict[str, str]:
    named = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return {**named, "XDG_STATE_HOME": str(state)}


def check(program: Path, *arguments: str, cwd: Path, code: int = 0, out: tuple[str, ...] = ()) -> str:
    """What a program of the installed environment prints; it has to end with this code and say these things."""
    ended = subprocess.run(
        [program, *arguments], cwd=cwd, env=environment(cwd), capture_output=True, text=True, timeout=SECONDS
    )
    assert ended.returncode == code, ended.stderr
    assert all(part in ended.stdout for part in out), ended.stdout
    return ended.stdout


def test_everything_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {
        file.relative_to(ROOT).as_posix()
        for package in ("mino", "mino_lsp")
        for file in (ROOT / package).rglob("*.*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {name for name in sources if name.endswith(".hy")} >= {"mino/mu.hy", "mino/spec.hy", "mino/thread.hy"}
    assert sources - names == set()
    packed = {name for name in names if ".dist-info/" not in name}
    assert packed - sources == set(), "what is no source is in the wheel"
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_checkout_is_not_imported(installed: Path, tmp_path: Path) -> None:
    program = "import mino, mino_lsp, torch, hy; print(mino.__file__); print(mino_lsp.__file__); print(torch.__file__)"
    for name in check(installed / "python", "-c", program, cwd=tmp_path).split()[:2]:
        assert not Path(name).is_relative_to(ROOT) and Path(name).is_relative_to(installed.parent)


def test_the_terminal(installed: Path, tmp_path: Path) -> None:
    for example in EXAMPLES.glob("*.hy"):
        (tmp_path / example.name).write_bytes(example.read_bytes())
    mino = installed / "mino"
    check(mino, "setup", cwd=tmp_path, out=("modules is written",))
    check(mino, "check", "--live", "feed_forward.hy", "spec_network.hy", cwd=tmp_path)
    (tmp_path / "broken.hy").write_text("(defn f [x]\n  (g x)\n")
    check(mino, "check", "broken.hy", cwd=tmp_path, code=1, out=("broken.hy:1:1: error:", "[unclosed]"))
    before = (EXAMPLES / "feed_forward.hy").read_text("utf-8").partition("(-> x (@ weights)")[0]
    place = f"feed_forward.hy:{before.count(chr(10)) + 1}:4"
    check(mino, "expand", place, cwd=tmp_path, out=("(+ (@ x weights) bias)",))
    told = check(
        mino, "--device", "cpu", "run", "feed_forward.hy", cwd=tmp_path, out=("Running feed_forward.hy on cpu",)
    )
    assert len([line for line in told.splitlines() if line.startswith("Epoch:")]) == 100


def test_the_server(installed: Path, tmp_path: Path) -> None:
    text = (EXAMPLES / "feed_forward.hy").read_text("utf-8")
    uri = (tmp_path / "feed_forward.hy").as_uri()
    server = Raw(tmp_path, command=[str(installed / "mino-lsp"), "--stdio", "--trust"])
    server.initialize()
    server.open(uri, text)
    while (told := server.next())["method"] != "mino/report":
        assert told is not None
    line = text[: text.index("(-> x (@ weights)")].count("\n")
    hover: Any = {"textDocument": {"uri": uri}, "position": {"line": line, "character": 8}}
    shown = server.ask(1, "textDocument/hover", hover)["result"]["contents"]["value"]
    assert "[100 32]" in shown and "[100 1]" in shown, shown
    assert server.end() == 0
    assert "Traceback" not in server.stderr
