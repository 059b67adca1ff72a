"""The index of a workspace's files: what it holds, what it leaves out, and what it keeps up to date."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mino_lsp.analysis import Index, index
from mino_lsp.uris import path_of, uri_of


def scanned(root: Path) -> Index:
    found = Index()
    found.prune([root])
    for _ in found.scan():
        pass
    return found


def names(found: Index) -> list[str]:
    return sorted(one.name for indexed in found.files() for one in indexed.definitions)


def test_what_is_found_and_what_is_passed_over(tmp_path: Path) -> None:
    for place in ("a.hy", "in/b.hy", ".hidden/c.hy", "__pycache__/d.hy", "venv/e.hy", "node_modules/f.hy", "g.txt"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(f"(setv {Path(place).stem} 1)")
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    assert names(scanned(tmp_path)) == ["a", "b"]


def test_loops_and_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.hy").write_text("(setv a 1)")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self.hy").symlink_to(tmp_path / "self.hy")
    (tmp_path / "binary.hy").write_bytes(b"\xff\xfe(setv b 1)")
    (tmp_path / "folder.hy").mkdir()
    os.mkfifo(tmp_path / "pipe.hy")
    (tmp_path / "long.hy").write_text("; " + "x" * index.MAX_BYTES + "\n(setv c 1)")
    began = time.monotonic()
    assert names(scanned(tmp_path)) == ["a"]
    assert names(scanned(tmp_path / "nowhere")) == []
    assert time.monotonic() - began < 5


def test_no_more_files_than_are_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        (tmp_path / f"f{number}.hy").write_text(f"(setv f{number} 1)")
    monkeypatch.setattr(index, "MAX_FILES", 3)
    assert names(scanned(tmp_path)) == ["f0", "f1", "f2"]


def test_a_root_that_is_gone(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}.hy").write_text(f"(setv {folder} 1)")
    found = scanned(tmp_path)
    assert names(found) == ["one", "two"]
    found.prune([tmp_path / "two"])
    assert names(found) == ["two"]


def test_beside_a_document_outside_every_root(tmp_path: Path) -> None:
    """It may lie in somebody's home: what is further below is not looked through."""
    for place in ("root/a.hy", "home/b.hy", "home/below/c.hy", "home/d.txt"):
        (tmp_path / place).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / place).write_text(f"(setv {Path(place).stem} 1)")
    found = Index()
    for folders, expected in (([], ["a"]), ([tmp_path / "home", tmp_path / "gone"], ["a", "b"]), ([], ["a"])):
        found.prune([tmp_path / "root"], folders)
        for _ in found.scan():
            pass
        assert names(found) == expected


def test_open_documents_come_before_what_is_on_disk(tmp_path: Path) -> None:
    from ..documents import snapshot

    (tmp_path / "a.hy").write_text("(setv a 1)")
    found = scanned(tmp_path)
    uri = uri_of(str(tmp_path / "a.hy"))
    shown = snapshot("(setv b 1)")
    found.opened(uri, shown.text, shown.tree)
    assert names(found) == ["b"]
    found.closed(uri)
    assert names(found) == ["a"]


def test_macros_of_another_file_are_known_as_such(tmp_path: Path) -> None:
    """A document that requires them is read again when they change, and not when anything else does."""
    from ..documents import snapshot

    (tmp_path / "macros.hy").write_text("(defmacro m [x] x)")
    found = scanned(tmp_path)
    user = snapshot("(require macros *) (m x) (n y)")
    uri = uri_of(str(tmp_path / "user.hy"))
    found.opened(uri, user.text, user.tree)

    def heads() -> tuple[str | None, str | None]:
        document = found.document(uri)
        assert document is not None
        return document.names.macros.head("m"), document.names.macros.head("n")

    assert heads() == ("?", None)
    before = found.modules(uri)
    (tmp_path / "macros.hy").write_text("(defmacro m [x] x)   ; a comment")
    found.update(str(tmp_path / "macros.hy"))
    assert found.modules(uri) is before
    (tmp_path / "macros.hy").write_text("(defmacro m [x] x) (defmacro n [x] x)")
    found.update(str(tmp_path / "macros.hy"))
    assert heads() == ("?", "?")


@pytest.mark.parametrize("path", ["/a/b.hy", "/with space/é.hy", "/a#b/c%20.hy"])
def test_uris(path: str) -> None:
    assert path_of(uri_of(path)) == path
    assert uri_of(path) == Path(path).as_uri()
