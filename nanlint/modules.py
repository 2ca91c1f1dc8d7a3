"""Files of a project, read and parsed once: what stands at their top level. Nothing is ever imported."""

from __future__ import annotations

import ast
import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from nanlint.assume import reading
from nanlint.names import imported, origin
from nanlint.roots import package_of
from nanlint.source import AnalysisError, read
from nanlint.trees import tree_of
from nanlint.words import WORD

MOST_BYTES = 500_000
"""A larger file is not followed: it is data or generated."""
MOST_KEPT = 4_000_000
"""Bytes of text whose syntax trees are kept: they take some 25 times as much memory."""
MOST_NOTED = 40_000_000
"""The same for what is kept of a file without its tree."""

Bound: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr | str | None
"""What a name is bound to: a definition, the expression assigned, a dotted name imported, or nothing for certain."""
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Outline:
    """The names that the top level of a file binds, and the modules that it imports with a star.

    A name that is imported is bound to the dotted name that it stands for, any other to whether it is a definition.
    """

    bound: Mapping[str, str | bool]
    stars: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Module:
    """A file of a project: its tree, and what its top level binds names to."""

    path: str
    package: str
    tree: ast.Module
    bound: Mapping[str, Bound]
    stars: tuple[str, ...]
    yields: bool = True
    """Whether there may be generators in it."""


class Noted(Generic[T]):
    """What was made of texts, by their hashes; of more than MOST_NOTED characters, the oldest is given up first."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[int, str], tuple[int, T]] = OrderedDict()
        self._size = 0

    def get(self, text: str, package: str) -> T | None:
        """What was made of a text in some package, if it was and is still known."""
        found = self._made.get((hash(text), package))
        return found[1] if found is not None and found[0] == len(text) else None

    def put(self, text: str, package: str, made: T) -> None:
        """Note what was made of a text."""
        while self._made and self._size + len(text) > MOST_NOTED:
            self._size -= self._made.popitem(last=False)[1][0]
        self._made[hash(text), package] = (len(text), made)
        self._size += len(text)


@dataclass
class Shelf(Generic[T]):
    """What is made of files, by their paths.

    Of more than `most` bytes of text, the one not used for longest is given up first.
    """

    make: Callable[[str], T | None]
    most: int
    kept: OrderedDict[str, tuple[tuple[int, int], T | None]] = field(default_factory=OrderedDict)
    size: int = 0

    def get(self, path: str) -> T | None:
        """What is made of the file as it is now; None if it is no file, too large, or not readable as Python."""
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
        while self.kept and self.size + state[1] > self.most:
            self._give_up(next(iter(self.kept)))
        self.kept[path] = (state, self.make(path))
        self.size += state[1]

    def _give_up(self, path: str) -> None:
        if path in self.kept:
            self.size -= self.kept.pop(path)[0][1]


def load(path: str) -> Module | None:
    """The file at `path`, parsed once in a process; None if it cannot be had or is larger than MOST_BYTES."""
    return _MODULES.get(path)


def outline(path: str) -> Outline | None:
    """The outline of the file at `path`; None as for `load`."""
    return _OUTLINES.get(path)


def _parsed(path: str) -> Module | None:
    try:
        text = read(path).text
        tree = reading(text).tree if WORD in text else tree_of(path, text)
    except AnalysisError:
        return None
    package = package_of(path)
    names = _Names(package)
    names.add(tree.body)
    return Module(path, package, tree, names.bound, tuple(names.stars), "yield" in text)


def note(text: str, package: str, tree: ast.Module) -> None:
    """Note the outline of a text whose tree is at hand: other files may import from it."""
    names = _Names(package)
    names.add(tree.body)
    _NOTED.put(text, package, _outline_of(names.bound, names.stars))


def _outlined(path: str) -> Outline | None:
    try:
        noted = _NOTED.get(read(path).text, package_of(path))
    except AnalysisError:
        return None
    module = load(path) if noted is None else None
    return noted if module is None else _outline_of(module.bound, module.stars)


def _outline_of(bound: Mapping[str, Bound], stars: Sequence[str]) -> Outline:
    names = {
        name: made if isinstance(made, str) else isinstance(made, _DEFINITIONS)
        for name, made in bound.items()
    }
    return Outline(names, tuple(stars))


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NOTED = Noted[Outline]()
_MODULES = Shelf(_parsed, MOST_KEPT)
_OUTLINES = Shelf(_outlined, MOST_NOTED)


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
