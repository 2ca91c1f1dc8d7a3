"""The files of a project that hold a name, found in their bytes, so that few of them are parsed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from nanlint.discovery import USUAL_EXCLUSIONS
from nanlint.modules import MOST_BYTES, MOST_KEPT, Shelf, load
from nanlint.purpose import is_among_tests, is_named_test, is_untrained
from nanlint.roots import MARKERS, roots
from nanlint.usage.scan import scan
from nanlint.usage.uses import Summary

_MOST_FILES, _MOST_FOLDERS = 8_000, 8_000
"""A larger project is not looked through: a folder without an end in sight is none."""
_MOST_HELD = 48_000_000
"""Bytes of a project that are kept; if it has more, they are read anew for each name."""


class Files:
    """The Python files of a project, those of its tests left out; read when the first name is looked for."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._held: list[tuple[str, bytes]] | None = None
        self._found: dict[str, tuple[str, ...]] = {}

    def holding(self, name: str) -> tuple[str, ...]:
        """The paths of the files in which a name stands as a word, sorted."""
        if name not in self._found:
            whole = re.compile(rb"(?<!\w)%s(?!\w)" % re.escape(name.encode()))
            part = name.encode()
            self._found[name] = tuple(
                path for path, data in self._texts() if part in data and whole.search(data)
            )
        return self._found[name]

    def _texts(self) -> Iterator[tuple[str, bytes]]:
        if self._held is not None:
            yield from self._held
            return
        held: list[tuple[str, bytes]] = []
        size = 0
        for path in self._paths:
            data = _bytes_of(path)
            size += len(data)
            if size <= _MOST_HELD:
                held.append((path, data))
            yield path, data
        if size <= _MOST_HELD:
            self._held = held


def files_around(path: str) -> Files | None:
    """The files of the project of the file at `path`, none for text that is no file; None where they are too many."""
    if path == "-" or not os.path.isfile(path):
        return Files(())
    return _files_below(*_top(os.path.abspath(path)))


def summary(path: str) -> Summary | None:
    """The uses in the file at `path`, looked for once; None if it cannot be read as Python or is too large."""
    return _SUMMARIES.get(path)


def _top(path: str) -> tuple[str, bool]:
    """The folder that holds a project, and whether the folders below it are part of that."""
    last = roots(path)[-1:] or ()
    for root in last:
        marked = any(os.path.exists(os.path.join(root.folder, marker)) for marker in MARKERS)
        if marked or root.only not in ("", os.curdir):
            return root.folder if marked else os.path.join(root.folder, root.only), True
    return os.path.dirname(path), False


@lru_cache(maxsize=2)
def _files_below(folder: str, deep: bool) -> Files | None:
    paths: list[str] = []
    for visited, (here, folders, names) in enumerate(os.walk(folder)):
        folders[:] = sorted(set(folders) - USUAL_EXCLUSIONS) if deep else []
        paths += _untested(here, [name for name in sorted(names) if name.endswith(".py")])
        if len(paths) > _MOST_FILES or visited > _MOST_FOLDERS:
            return None
    return Files(paths)


def _untested(folder: str, names: Sequence[str]) -> Iterator[str]:
    """The files in a folder that are no tests."""
    if names and not is_among_tests(os.path.join(folder, names[0])):
        yield from (os.path.join(folder, name) for name in names if not is_named_test(name))


def _bytes_of(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError:
        return b""


def _scanned(path: str) -> Summary | None:
    module = load(path)
    if module is None:
        return None
    return scan(module.tree, path, module.package, is_aside=is_untrained(path))


_SUMMARIES = Shelf(_scanned, MOST_KEPT)
