"""Writes that seem to succeed: what a preview writes goes to its scratch folder, and is what it reads afterwards.

This is a courtesy to correct programs and no guarantee: it replaces Python's own functions, and what passes them by (C
code, say) the operating system refuses.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import torch

from mino_lsp.worker.patches import Patches

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def enter(patches: Patches) -> None:
    """From here on writes go to the scratch folder of this process."""
    Overlay(os.path.realpath(tempfile.gettempdir())).install(patches)


class Overlay:
    """The files of this system with those of a scratch folder laid over them."""

    def __init__(self, scratch: str) -> None:
        self._scratch = scratch
        self._layer = os.path.join(scratch, "written")
        self._gone: set[str] = set()
        self._stat, self._mkdir, self._remove, self._rmdir = os.stat, os.mkdir, os.remove, os.rmdir
        self._listdir, self._scandir, self._open = os.listdir, os.scandir, builtins.open
        self._symlink = os.symlink

    def install(self, patches: Patches) -> None:
        patches.set(builtins, "open", self._opening(builtins.open))
        patches.set(io, "open", builtins.open)
        patches.set(os, "open", self._opening_low(os.open))
        for name in ("stat", "lstat", "access"):
            patches.set(os, name, self._looking(getattr(os, name)))
        for name in ("chmod", "utime", "truncate"):
            patches.set(os, name, self._changing(getattr(os, name)))
        patches.set(os, "mkdir", self._make_folder)
        patches.set(os, "listdir", self._list)
        patches.set(os, "scandir", self._scan)
        for name in ("remove", "unlink"):
            patches.set(os, name, self._removing(getattr(os, name), self._remove))
        patches.set(os, "rmdir", self._removing(os.rmdir, self._rmdir))
        for name in ("rename", "replace"):
            patches.set(os, name, self._moving(getattr(os, name)))
        patches.set(os, "symlink", self._linking(self._symlink))
        # The system links no file from outside: a copy is one as far as a preview can see.
        patches.set(os, "link", self._linking(lambda source, target, **_: shutil.copyfile(source, target)))
        patches.set(shutil, "rmtree", self._removing_trees(shutil.rmtree))
        writer: Any = torch.serialization._open_zipfile_writer_file

        def write_checkpoint(opener: Any, name: Any, _init: Any = writer.__init__) -> None:
            _init(opener, self.to_write(name))

        patches.set(writer, "__init__", write_checkpoint)

    # ---- where a path leads

    def _outside(self, path: Any) -> str | None:
        """The real path of what lies outside the scratch folder; None for the rest, and for what is no path."""
        if not isinstance(path, (str, bytes, os.PathLike)):
            return None
        full = os.path.abspath(os.fsdecode(path))
        inside = full == os.devnull or full.startswith(("/dev/", "/proc/", self._scratch + os.sep))
        return None if inside or full == self._scratch else full

    def _over(self, full: str) -> str:
        drive, path = os.path.splitdrive(full)
        return self._layer + (os.sep + drive.rstrip(":") if drive else "") + path

    def _is(self, place: str) -> bool:
        try:
            self._stat(place)
        except (OSError, ValueError):
            return False
        return True

    def _exists(self, full: str) -> bool:
        return self._is(self._over(full)) or (full not in self._gone and self._is(full))

    def to_read(self, path: Any) -> Any:
        """Where `path` is to be read. Raises `FileNotFoundError` if the preview removed it."""
        full = self._outside(path)
        if full is None:
            return path
        if self._is(self._over(full)):
            return self._over(full)
        if full in self._gone:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fsdecode(path))
        return path

    def to_write(self, path: Any, keep: bool = False) -> Any:
        """Where `path` is to be written; with what it holds if that is kept."""
        full = self._outside(path)
        if full is None:
            return path
        over = self._over(full)
        folder = os.path.dirname(full)
        if not self._exists(folder):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fsdecode(path))
        self._make_folders(os.path.dirname(over))
        if keep and not self._is(over) and full not in self._gone and self._is(full):
            shutil.copyfile(full, over)
        return over

    def _make_folders(self, place: str) -> None:
        if not self._is(place):
            self._make_folders(os.path.dirname(place))
            self._mkdir(place)

    # ---- what replaces Python's functions

    def _opening(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def open(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if not isinstance(mode, str) or not set(mode) & set("wax+"):
                return function(self.to_read(file), mode, *args, **kwargs)
            full = self._outside(file)
            if "x" in mode and full is not None and self._exists(full):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fsdecode(file))
            return function(self.to_write(file, "w" not in mode), mode, *args, **kwargs)

        return open

    def _opening_low(self, function: Callable[..., int]) -> Callable[..., int]:
        def open(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
            if kwargs.get("dir_fd") is not None:
                return function(path, flags, *args, **kwargs)
            place = self.to_write(path, not flags & os.O_TRUNC) if flags & _WRITING else self.to_read(path)
            return function(place, flags, *args, **kwargs)

        return open

    def _looking(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def look(path: Any, *args: Any, **kwargs: Any) -> Any:
            return function(path if kwargs.get("dir_fd") is not None else self.to_read(path), *args, **kwargs)

        return look

    def _changing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def change(path: Any, *args: Any, **kwargs: Any) -> Any:
            return function(self.to_write(self.to_read(path), keep=True), *args, **kwargs)

        return change

    def _make_folder(self, path: Any, mode: int = 0o777, **kwargs: Any) -> None:
        full = self._outside(path)
        if full is None or kwargs:
            self._mkdir(path, mode, **kwargs)
        elif self._exists(full):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fsdecode(path))
        else:
            self._mkdir(self.to_write(path), mode)

    def _list(self, path: Any = ".") -> list[Any]:
        full = self._outside(path)
        if full is None or not self._is(self._over(full)):
            return [name for name in self._listdir(path) if full is None or self._there(full, name)]
        found = dict.fromkeys(self._listdir(self._over(full)))
        if full not in self._gone and self._is(full):
            found.update(dict.fromkeys(name for name in self._listdir(full) if self._there(full, name)))
        return list(found)

    def _there(self, folder: str, name: Any) -> bool:
        return os.path.join(folder, os.fsdecode(name)) not in self._gone

    def _scan(self, path: Any = ".") -> Any:
        full = self._outside(path)
        if full is None:
            return self._scandir(path)
        entries = []
        for place in (self._over(full), full):
            if self._is(place) and (place != full or full not in self._gone):
                with self._scandir(place) as found:
                    entries += [entry for entry in found if place != full or self._there(full, entry.name)]
        if not entries and not self._exists(full):
            return self._scandir(path)
        return _Entries({entry.name: entry for entry in reversed(entries)})

    def _removing(self, function: Callable[..., None], remove: Callable[..., None]) -> Callable[..., None]:
        def gone(path: Any, **kwargs: Any) -> None:
            full = self._outside(path)
            if full is None or kwargs.get("dir_fd") is not None:
                function(path, **kwargs)
                return
            place = self.to_read(path)
            self._stat(place)
            if place == self._over(full):
                remove(place)
            self._gone.add(full)

        return gone

    def _moving(self, function: Callable[..., None]) -> Callable[..., None]:
        def move(source: Any, target: Any, **kwargs: Any) -> None:
            start, end = self._outside(source), self._outside(target)
            if (start is None and end is None) or kwargs:
                function(source, target, **kwargs)
                return
            place, goal = self.to_read(source), self.to_write(target)
            self._stat(place)
            if start is not None and place == source:
                copied = goal if end is not None else target
                (shutil.copytree if os.path.isdir(place) else shutil.copyfile)(place, copied)
            else:
                function(place, goal)
            if start is not None:
                self._gone.add(start)

        return move

    def _linking(self, function: Callable[..., Any]) -> Callable[..., None]:
        def link(source: Any, target: Any, *args: Any, **kwargs: Any) -> None:
            full = self._outside(target)
            if full is None or kwargs.keys() & {"dir_fd", "src_dir_fd", "dst_dir_fd"}:
                function(source, target, *args, **kwargs)
                return
            if self._exists(full):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fsdecode(target))
            # What is meant relative to a link stands elsewhere than the link itself does now.
            folder = os.path.dirname(full) if function is self._symlink else os.getcwd()
            meant = os.path.abspath(os.path.join(folder, os.fsdecode(source)))
            function(self.to_read(meant), self.to_write(target), *args, **kwargs)

        return link

    def _removing_trees(self, function: Any) -> Any:
        """`shutil.rmtree`, which works with descriptors of folders, by what is replaced here."""

        def remove_tree(path: Any, ignore_errors: bool = False, *args: Any, **kwargs: Any) -> None:
            if self._outside(path) is None or kwargs.get("dir_fd") is not None:
                function(path, ignore_errors, *args, **kwargs)
                return
            try:
                self._remove_all(os.fsdecode(path))
            except OSError:
                if not ignore_errors:
                    raise

        remove_tree.avoids_symlink_attacks = function.avoids_symlink_attacks  # type: ignore[attr-defined]
        return remove_tree

    def _remove_all(self, folder: str) -> None:
        for name in os.listdir(folder):
            inner = os.path.join(folder, name)
            if os.path.isdir(inner) and not os.path.islink(inner):
                self._remove_all(inner)
            else:
                os.remove(inner)
        os.rmdir(folder)


class _Entries:
    """What `os.scandir` gives: an iterator that is closed."""

    def __init__(self, entries: dict[str, Any]) -> None:
        self._left = iter(list(entries.values()))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._left)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def close(self) -> None:
        return None
