"""The project around an analysed file: which of its files an import names, and what stands at their top level.

Files are read and parsed, never imported. Nothing outside the project is looked at: neither the standard library nor
installed packages.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from nanlint.modules import Outline, outline
from nanlint.roots import Root, is_below, package_of, roots

_MOST_STEPS = 60


@dataclass(frozen=True)
class Found:
    """A name that the file at `path` defines at its top level."""

    path: str
    name: str


@dataclass(frozen=True)
class Project:
    """The files that an analysed file can import.

    `path` is that file's own, without symbolic links; `package` is the package it is in, dotted, "" for none.
    """

    path: str = ""
    package: str = ""
    roots: tuple[Root, ...] = ()

    @classmethod
    def around(cls, path: str) -> Project:
        """The project of the file at `path`; one without any files for text that is no file, as from stdin."""
        if path == "-" or not os.path.isfile(path):
            return cls()
        place = os.path.abspath(path)
        return cls(_real(place), package_of(place), roots(place))

    def resolve(self, dotted: str) -> Found | str:
        """What a dotted name stands for, followed through re-exports.

        A name at the top level of a file of the project, or else a dotted name: of a module, or of something that no
        file of the project defines, or that cannot be told.
        """
        return self._resolved(dotted, set())

    def holds(self, dotted: str) -> bool:
        """Whether the first part of a dotted name is a file or a folder of the project."""
        top = dotted.split(".", 1)[0]
        roots = (root.folder for root in self.roots if root.only in ("", top))
        return any(_is_there(os.path.join(folder, top)) for folder in roots)

    def is_module(self, dotted: str) -> bool:
        """Whether a dotted name is a file or a folder of the project."""
        parts = dotted.split(".")
        roots = (root.folder for root in self.roots if root.only in ("", parts[0]))
        return any(_is_there(os.path.join(folder, *parts)) for folder in roots)

    def _resolved(self, dotted: str, seen: set[str]) -> Found | str:
        while dotted not in seen and len(seen) < _MOST_STEPS:
            seen.add(dotted)
            step = self._step(dotted, seen)
            if not isinstance(step, str):
                return step
            dotted = step
        return dotted

    def _step(self, dotted: str, seen: set[str]) -> Found | str:
        """One link of the chain; `dotted` itself where it ends."""
        place = self._place(dotted.split("."))
        if place is None:
            return dotted
        path, name, *rest = place
        if _real(path) == self.path:
            return dotted if rest else Found(self.path, name)
        module = outline(path)
        if module is None:
            return dotted
        if name not in module.bound:
            return dotted if rest else self._starred(module, name, seen) or dotted
        bound = module.bound[name]
        if isinstance(bound, str):
            return ".".join((bound, *rest))
        return dotted if rest else Found(path, name)

    def _starred(self, module: Outline, name: str, seen: set[str]) -> Found | None:
        """The name among those that the module imports with a star."""
        stars = () if name.startswith("_") else reversed(module.stars)
        found = (self._resolved(f"{star}.{name}", seen) for star in stars)
        return next((one for one in found if isinstance(one, Found)), None)

    def _place(self, parts: Sequence[str]) -> tuple[str, ...] | None:
        """The file that a dotted name leads to, the name in it, and what follows; None if it is of no file."""
        roots = [root for root in self.roots if root.only in ("", parts[0])]
        for root in sorted(roots, key=lambda root: not _is_module(os.path.join(root.folder, parts[0]))):
            path, names = _descend(root.folder, parts)
            if path:
                return (path, *names) if names and _inside(path, root) else None
        return None


def _descend(folder: str, parts: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The last module on the way along `parts`, "" for none, and the parts that are names in it.

    The last part may be a name and a module both: it is taken for a name if its package is a file.
    """
    path = ""
    for index, part in enumerate(parts):
        below = os.path.join(folder, part)
        if path and index == len(parts) - 1:
            return path, () if _is_module(below) and not _binds(path, part) else parts[index:]
        if _is_file(os.path.join(below, "__init__.py")):
            path, folder = os.path.join(below, "__init__.py"), below
        elif _is_file(f"{below}.py"):
            return f"{below}.py", parts[index + 1 :]
        elif _is_folder(below):  # a package without __init__.py
            path, folder = "", below
        else:
            return path, parts[index:]
    return path, ()


@lru_cache(maxsize=4096)
def _is_there(below: str) -> bool:
    return os.path.isdir(below) or os.path.isfile(f"{below}.py")


def _is_module(below: str) -> bool:
    return _is_file(os.path.join(below, "__init__.py")) or _is_file(f"{below}.py")


def _binds(path: str, name: str) -> bool:
    module = outline(path)
    return module is not None and name in module.bound


def _inside(path: str, root: Root) -> bool:
    """Whether a file is where it seems to be: a symbolic link may lead out of the project."""
    return is_below(_real(path), _real(os.path.join(root.folder, root.only)))


_real = lru_cache(maxsize=4096)(os.path.realpath)
_is_file = lru_cache(maxsize=1 << 15)(os.path.isfile)
_is_folder = lru_cache(maxsize=4096)(os.path.isdir)
