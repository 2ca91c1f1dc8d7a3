"""The project around an analysed file: which of its files an import names, and what stands at their top level.

Files are read and parsed, never imported. Nothing outside the project is looked at: neither the standard library nor
installed packages.
"""

from __future__ import annotations

import ast
import os
import stat
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from nanlint.assume import reading
from nanlint.names import imported, origin
from nanlint.source import AnalysisError, read

MOST_BYTES = 500_000
"""A larger file is not followed: it is data or generated."""
MOST_KEPT = 4_000_000
"""Bytes of text whose syntax trees are kept: they take some 25 times as much memory."""
_MOST_STEPS = 60
MARKERS = ("pyproject.toml", "setup.py", ".git")
_INSTALLED = frozenset({"site-packages", "dist-packages"})

Bound: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr | str | None
"""What a name is bound to: a definition, the expression assigned, a dotted name imported, or nothing for certain."""


@dataclass(frozen=True, eq=False)
class Module:
    """A file of a project: the names that its top level binds, and the modules that it imports with a star."""

    path: str
    package: str
    bound: Mapping[str, Bound]
    stars: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """A name that `module` defines at its top level; a module of None is the analysed file itself."""

    module: Module | None
    name: str


@dataclass(frozen=True)
class _Root:
    """A folder in which dotted names begin; `only` is the one package of it that belongs to the project, "" for all."""

    folder: str
    only: str = ""


@dataclass(frozen=True)
class Project:
    """The files that an analysed file can import.

    `path` is that file's own, without symbolic links; `package` is the package it is in, dotted, "" for none.
    """

    path: str = ""
    package: str = ""
    roots: tuple[_Root, ...] = ()

    @classmethod
    def around(cls, path: str) -> Project:
        """The project of the file at `path`; one without any files for text that is no file, as from stdin."""
        if path == "-" or not os.path.isfile(path):
            return cls()
        place = os.path.abspath(path)
        return cls(_real(place), package_of(place), tuple(_roots(place)))

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
            return dotted if rest else Found(None, name)
        module = load(path)
        if module is None:
            return dotted
        if name not in module.bound:
            return dotted if rest else self._starred(module, name, seen) or dotted
        bound = module.bound[name]
        if isinstance(bound, str):
            return ".".join((bound, *rest))
        return dotted if rest else Found(module, name)

    def _starred(self, module: Module, name: str, seen: set[str]) -> Found | None:
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
        if os.path.isfile(os.path.join(below, "__init__.py")):
            path, folder = os.path.join(below, "__init__.py"), below
        elif os.path.isfile(f"{below}.py"):
            return f"{below}.py", parts[index + 1 :]
        elif os.path.isdir(below):  # a package without __init__.py
            path, folder = "", below
        else:
            return path, parts[index:]
    return path, ()


@lru_cache(maxsize=4096)
def _is_there(below: str) -> bool:
    return os.path.isdir(below) or os.path.isfile(f"{below}.py")


def _is_module(below: str) -> bool:
    return os.path.isfile(os.path.join(below, "__init__.py")) or os.path.isfile(f"{below}.py")


def _binds(path: str, name: str) -> bool:
    module = load(path)
    return module is not None and name in module.bound


def _inside(path: str, root: _Root) -> bool:
    """Whether a file is where it seems to be: a symbolic link may lead out of the project."""
    return _is_below(_real(path), _real(os.path.join(root.folder, root.only)))


_real = lru_cache(maxsize=4096)(os.path.realpath)


# --- where a project begins ----------------------------------------------------------------------------------------


def package_of(path: str) -> str:
    """The dotted package of a file; where there is no `__init__.py`, by its place in the project."""
    folder = os.path.dirname(path)
    base = _base(folder)
    if base == folder:
        base = next((r.folder for r in _marked(folder) if _is_below(folder, r.folder)), folder)
    inner = os.path.relpath(folder, base)
    return "" if inner == os.curdir else inner.replace(os.sep, ".")


def _roots(path: str) -> Iterator[_Root]:
    """Where absolute imports of a file may lead: its own package, its project, and the folder of a script."""
    folder = os.path.dirname(path)
    base = _base(folder)
    if base != folder:
        yield _Root(base, os.path.relpath(folder, base).split(os.sep)[0])
    elif os.path.basename(base) not in _INSTALLED:
        yield _Root(base)
    yield from _marked(base)


def _base(folder: str) -> str:
    """The folder above the outermost package that `folder` is part of; `folder` itself if it is no package."""
    while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def _marked(folder: str) -> Iterator[_Root]:
    """The `src` folder and the folder of the project that `folder` is in."""
    while not any(os.path.exists(os.path.join(folder, marker)) for marker in MARKERS):
        above = os.path.dirname(folder)
        if above == folder or os.path.basename(folder) in _INSTALLED:
            return
        folder = above
    source = os.path.join(folder, "src")
    if os.path.isdir(source):
        yield _Root(source)
    yield _Root(folder)


def _is_below(folder: str, root: str) -> bool:
    return folder.startswith(os.path.join(root, ""))


# --- files, parsed once --------------------------------------------------------------------------------------------


@dataclass
class _Shelf:
    """Parsed files by path, each with what it was like on disk; the one not used for longest is given up first."""

    kept: OrderedDict[str, tuple[tuple[int, int], Module | None]] = field(default_factory=OrderedDict)
    size: int = 0

    def get(self, path: str) -> Module | None:
        """The file at `path` as it is now; None if it is no file, too large, or not readable as Python."""
        try:
            status = os.stat(path)
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
            return None
        state = (status.st_mtime_ns, status.st_size)
        if path not in self.kept or self.kept[path][0] != state:
            self._put(path, state)
        self.kept.move_to_end(path)
        return self.kept[path][1]

    def _put(self, path: str, state: tuple[int, int]) -> None:
        self._give_up(path)
        while self.kept and self.size + state[1] > MOST_KEPT:
            self._give_up(next(iter(self.kept)))
        self.kept[path] = (state, _parsed(path))
        self.size += state[1]

    def _give_up(self, path: str) -> None:
        if path in self.kept:
            self.size -= self.kept.pop(path)[0][1]


_SHELF = _Shelf()


def load(path: str) -> Module | None:
    """The file at `path`, parsed once in a process; None if it cannot be had or is larger than MOST_BYTES."""
    return _SHELF.get(path)


def _parsed(path: str) -> Module | None:
    try:
        tree = reading(read(path).text).tree
    except AnalysisError:
        return None
    package = package_of(path)
    names = _Names(package)
    names.add(tree.body)
    return Module(path, package, names.bound, tuple(names.stars))


@dataclass
class _Names:
    """The names that statements bind, the last binding of each."""

    package: str
    bound: dict[str, Bound] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)

    def add(self, body: Sequence[ast.stmt]) -> None:
        """Take in the statements of a module, in order."""
        for statement in body:
            self._add(statement)

    def _add(self, node: ast.stmt) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.bound[node.name] = node
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._assign(target, node.value)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self._assign(node.target, node.value)
        elif isinstance(node, ast.If):
            self._branches(node.body, node.orelse)
        elif isinstance(node, ast.Try):
            self._try(node)
        elif isinstance(node, ast.With):
            self.add(node.body)
        else:
            self._uncertain(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.bound.update(imported(node, self.package))
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            self.stars.append(origin(node, self.package))

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.bound[target.id] = value
        elif (
            isinstance(target, ast.Tuple)
            and isinstance(value, ast.Tuple)
            and len(target.elts) == len(value.elts)
        ):
            for part, own in zip(target.elts, value.elts, strict=True):
                self._assign(part, own)
        else:
            self._uncertain(target)

    def _branches(self, *bodies: Sequence[ast.stmt]) -> None:
        """What several branches bind, or what one may bind anew, is uncertain."""
        before = dict(self.bound)
        for body in bodies:
            branch = _Names(self.package, stars=self.stars)
            branch.add(body)
            for name, bound in branch.bound.items():
                self.bound[name] = bound if name not in before else None
            before |= branch.bound

    def _try(self, node: ast.Try) -> None:
        """What the body binds counts; a handler's names are used where the body has none."""
        known = dict(self.bound)
        for handler in node.handlers:
            self.add(handler.body)
        self.bound.update(known)
        self.add([*node.body, *node.orelse, *node.finalbody])

    def _uncertain(self, node: ast.AST) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, (ast.Store, ast.Del)):
                self.bound[part.id] = None
