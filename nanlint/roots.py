"""Where a project begins: the folders in which the dotted names of its imports are looked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MARKERS = ("pyproject.toml", "setup.py", ".git")
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_MOST_REMEMBERED = 4096


@dataclass(frozen=True)
class Root:
    """A folder in which dotted names begin; `only` is the one package of it that belongs to the project, "" for all."""

    folder: str
    only: str = ""


def package_of(path: str) -> str:
    """The dotted package of a file; where there is no `__init__.py`, by its place in the project."""
    return _package_in(os.path.dirname(path))


@lru_cache(maxsize=_MOST_REMEMBERED)
def _package_in(folder: str) -> str:
    base = _base(folder)
    if base == folder:
        base = next((r.folder for r in _marked(folder) if is_below(folder, r.folder)), folder)
    inner = os.path.relpath(folder, base)
    return "" if inner == os.curdir else inner.replace(os.sep, ".")


def roots(path: str) -> tuple[Root, ...]:
    """Where absolute imports of a file may lead: its own package, its project, and the folder of a script."""
    return _roots_of(os.path.dirname(path))


@lru_cache(maxsize=_MOST_REMEMBERED)
def _roots_of(folder: str) -> tuple[Root, ...]:
    return tuple(_roots(folder))


def _roots(folder: str) -> Iterator[Root]:
    base = _base(folder)
    if base != folder:
        yield Root(base, os.path.relpath(folder, base).split(os.sep)[0])
    elif os.path.basename(base) not in _INSTALLED:
        yield Root(base)
    yield from _marked(base)


def _base(folder: str) -> str:
    """The folder above the outermost package that `folder` is part of; `folder` itself if it is no package."""
    while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def _marked(folder: str) -> Iterator[Root]:
    """The `src` folder and the folder of the project that `folder` is in."""
    while not any(os.path.exists(os.path.join(folder, marker)) for marker in MARKERS):
        above = os.path.dirname(folder)
        if above == folder or os.path.basename(folder) in _INSTALLED:
            return
        folder = above
    source = os.path.join(folder, "src")
    if os.path.isdir(source):
        yield Root(source)
    yield Root(folder)


def is_below(folder: str, root: str) -> bool:
    """Whether a folder or a file lies in the folder `root`."""
    return folder.startswith(os.path.join(root, ""))
