"""What the names mean to triage that a file imports from its project, by the digests of the files there."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from nanlint.flow.digest import EMPTY, Digest, digested
from nanlint.flow.sources import ALL, ATTRIBUTE, BASES, CLASS, DROPPING, FLAGS, IMPORTED, SELECTING
from nanlint.modules import MOST_NOTED, Noted, Shelf, note, outline
from nanlint.names import may_be_of_project
from nanlint.project import Found, Project
from nanlint.roots import package_of
from nanlint.source import AnalysisError, read
from nanlint.trees import tree_of
from nanlint.words import writes_infinity


class _Part(NamedTuple):
    """A token of some file; what is imported means the same in all of them."""

    path: str
    token: str

    @property
    def is_class(self) -> bool:
        """Whether it stands for the attributes of a class."""
        return self.token.startswith(CLASS)


class _Made(NamedTuple):
    """What a name stands for: flags, and further tokens."""

    flags: int
    parts: tuple[_Part, ...] = ()


_BY_OBJECT = frozenset({".forward", ".__call__"})
"""Methods that are called by calling an object."""
_ANYTHING = _Made(ALL)
_NOTHING = _Made(0)


class Elsewhere:
    """The project around an analysed file, whose own digest is `own`."""

    def __init__(self, project: Project, own: Digest, *, squares: bool, positions: bool) -> None:
        self.project = project
        self.own = own
        self.shelf = _DIGESTS[squares, positions]
        self._known: dict[_Part, _Made] = {}
        self._places: dict[str, Found | str | None] = {}

    def may(self, tokens: Sequence[str], flag: int) -> bool:
        """Whether what some tokens of the analysed file stand for may have a flag, by all that they are made of."""
        attributes = {token.removeprefix(ATTRIBUTE) for token in tokens if token.startswith(ATTRIBUTE)}
        if flag == DROPPING:  # what is inherited may call a function of the analysed file
            return bool(self.own.dropping) and self._inherits(attributes, tokens, self._calling_back)
        imported = [_Part("", token) for token in tokens if token.startswith(IMPORTED)]
        if flag != SELECTING:
            return any(made.flags & flag for made in self._all(imported))
        named = self._all(imported, without_definitions=True)
        return any(made.flags & flag for made in named) or self._inherits(
            attributes, tokens, lambda digest: digest.selecting
        )

    def _all(self, parts: Iterable[_Part], *, without_definitions: bool = False) -> Iterator[_Made]:
        """All that some parts are made of.

        A function or a class is no selector by another name: what is called is itself, and what it does is its own.
        """
        pending = [*parts]
        seen = set(pending)
        while pending:
            part = pending.pop()
            if not (without_definitions and self._is_definition(part)):
                made = self._made_of(part)
                yield made
                pending += (part for part in made.parts if part not in seen)
                seen.update(made.parts)

    def _is_definition(self, part: _Part) -> bool:
        """Whether a name stands for a function or a class."""
        if part.is_class:
            return True
        found = self._found(part.token.removeprefix(IMPORTED))
        file = outline(found.path) if isinstance(found, Found) else None
        return file is not None and isinstance(found, Found) and file.bound.get(found.name) is True

    def _inherits(
        self,
        attributes: Collection[str],
        tokens: Iterable[str],
        held: Callable[[Digest], frozenset[str]],
    ) -> bool:
        """Whether a base class of the classes among some tokens has such an attribute, among those `held` there."""
        own = self.project.path
        pending = [_Part(own, token) for token in tokens if attributes and token.startswith(CLASS)]
        seen = set(pending)
        while pending:
            path, name = self._class(pending.pop())
            digest = self._digest(path) if path else EMPTY
            if digest is None or not held(digest).isdisjoint(attributes):
                return True
            bases = digest.tokens_in(digest.names.get(f"{name}{BASES}", 0))
            further = {_Part(path if base.startswith(CLASS) else "", base) for base in bases} - seen
            pending += further
            seen |= further
        return False

    def _calling_back(self, digest: Digest) -> frozenset[str]:
        """The attributes of a file that may call a function of the analysed one that drops what it is given."""
        called = any(name in digest.mentioned or name in _BY_OBJECT for name in self.own.dropping)
        return digest.attributes if called else frozenset()

    def _class(self, part: _Part) -> tuple[str, str]:
        """The file and the name of a class; no file if it is not of the project."""
        if part.is_class:
            return part.path, part.token.removeprefix(CLASS)
        found = self._found(part.token.removeprefix(IMPORTED))
        return (found.path, found.name) if isinstance(found, Found) else ("", "")

    def _made_of(self, part: _Part) -> _Made:
        if part not in self._known:
            self._known[part] = self._looked_up(part)
        return self._known[part]

    def _looked_up(self, part: _Part) -> _Made:
        if part.is_class:
            return self._in_file(part.path, f"{part.token.removeprefix(CLASS)}.*")
        dotted = part.token.removeprefix(IMPORTED)
        found = self._found(dotted)
        if isinstance(found, Found):
            return self._in_file(found.path, found.name)
        if found is None or may_be_of_project(found):
            return _ANYTHING if found == dotted else _NOTHING
        return _Made(FLAGS.get(found.rpartition(".")[2], 0))

    def _found(self, dotted: str) -> Found | str | None:
        """What a name stands for: itself if it is a module of the project; None for what is not of the project."""
        if dotted not in self._places:
            self._places[dotted] = self._resolved(dotted) if self.project.holds(dotted) else None
        return self._places[dotted]

    def _resolved(self, dotted: str) -> Found | str | None:
        """What a name stands for: itself if it is a module; of an attribute, what it is one of; None for nothing."""
        name = dotted
        while name:
            found = self.project.resolve(name)
            if isinstance(found, Found):
                return found
            if not self.project.holds(found):
                return found
            if self.project.is_module(found):
                return dotted if name == dotted else None
            name = found.rpartition(".")[0]
        return None

    def _digest(self, path: str) -> Digest | None:
        return self.own if path == self.project.path else self.shelf.get(path)

    def _in_file(self, path: str, name: str) -> _Made:
        digest = self._digest(path)
        if digest is None or name not in digest.names:
            return _ANYTHING
        bits = digest.names[name]
        parts = (
            _Part(path if token.startswith(CLASS) else "", token)
            for token in digest.tokens_in(bits)
            if not token.startswith(ATTRIBUTE)
        )
        return _Made(bits & ALL, tuple(parts))


def noted(text: str, package: str, *, squares: bool, positions: bool) -> Digest | None:
    """The digest of a text in some package, if it has been made."""
    return _NOTED[squares, positions].get(text, package)


def made(text: str, package: str, tree: ast.Module, *, squares: bool, positions: bool) -> Digest:
    """The digest of a text in some package, and its outline, which other files may ask for.

    Raises RecursionError where the text is nested too deeply.
    """
    note(text, package, tree)
    digest = digested(tree, package, squares=squares, infinities=writes_infinity(text), positions=positions)
    _NOTED[squares, positions].put(text, package, digest)
    return digest


def _made(path: str, *, squares: bool, positions: bool) -> Digest | None:
    try:
        text, package = read(path).text, package_of(path)
        known = noted(text, package, squares=squares, positions=positions)
        if known is not None:
            return known
        return made(text, package, tree_of(path, text), squares=squares, positions=positions)
    except (AnalysisError, RecursionError):
        return None


_SETTINGS = [*itertools.product((False, True), repeat=2)]
_NOTED = {settings: Noted[Digest]() for settings in _SETTINGS}
_DIGESTS = {
    (squares, positions): Shelf(partial(_made, squares=squares, positions=positions), MOST_NOTED)
    for squares, positions in _SETTINGS
}
