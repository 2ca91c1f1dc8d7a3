"""Scopes and frames: which names are bound to which things, and what is known where a statement runs."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from nanlint import regions as R
from nanlint.catalogue import OPS
from nanlint.catalogue.reductions import ROWS as _REDUCTION_ROWS
from nanlint.graph import Apply, Assumption, Constant, Kind, Leaf, Value
from nanlint.lower.things import Class, Thing

_REDUCTIONS = frozenset(row.name for row in _REDUCTION_ROWS)


@dataclass(eq=False, slots=True)
class Scope:
    """Names of one function or module, and the scope around it."""

    names: dict[str, Thing] = field(default_factory=dict)
    parent: Scope | None = None
    stars: list[str] = field(default_factory=list)
    outer: set[str] = field(default_factory=set)
    """Names declared `global` or `nonlocal`: what is assigned to them leaves."""

    def get(self, name: str) -> Thing | None:
        """The thing that `name` is bound to in this scope itself."""
        return self.names.get(name)

    def find(self, name: str) -> Thing | None:
        """The thing that `name` is bound to here or further out."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def all_stars(self) -> Iterator[str]:
        """Modules whose names were imported with a star, innermost scope first."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.stars
            scope = scope.parent

    def file(self) -> FileScope | None:
        """The other file of the project that this is a scope of; None in the analysed file."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope if isinstance(scope, FileScope) else None


@dataclass(eq=False, slots=True)
class FileScope(Scope):
    """The top level of another file of the project: `bind` says what a name stands for when it is first asked for."""

    package: str = ""
    yields: bool = True
    """Whether there may be generators in it."""
    bind: Callable[[str], Thing | None] | None = None
    asked: set[str] = field(default_factory=set)

    def get(self, name: str) -> Thing | None:
        """The thing that `name` is bound to at the top level of the file; None while that is being found out."""
        if name not in self.names and name not in self.asked and self.bind is not None:
            self.asked.add(name)
            found = self.bind(name)
            if found is not None:
                self.names[name] = found
        return self.names.get(name)


class ForeignCall(ast.expr):
    """Stands for code of another file: it has the place of the call that leads there, and is part of no tree."""

    @classmethod
    def at(cls, place: ast.AST | None) -> ForeignCall:
        """One at the place of an expression or statement of the analysed file; at its start for None."""
        if isinstance(place, ForeignCall):
            return place
        made = cls(lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)
        return made if place is None else ast.copy_location(made, place)


def _of_some(condition: Value) -> bool:
    """Whether a condition counts elements (`mask.sum() > 0`): it says nothing of any single one."""
    stack, seen = [condition], 0
    while stack and seen < 40:
        value = stack.pop()
        seen += 1
        if isinstance(value, Apply):
            if value.op in ("any", "all") or (value.op in _REDUCTIONS and _is_boolean(value.args[0])):
                return True
            stack.extend(value.args)
    return False


def _is_boolean(value: Value) -> bool:
    return (
        OPS[value.op].boolean
        if isinstance(value, Apply)
        else value.kind is not Kind.NUMBER and _is_mask(value)
    )


def _is_mask(value: Value) -> bool:
    return isinstance(value, Leaf) and value.region == R.TRUTH


@dataclass(slots=True)
class Returned:
    """One `return`: its value and the assumptions under which it is reached."""

    thing: Thing
    path: tuple[Assumption, ...]


@dataclass(eq=False, slots=True)
class Frame:
    """One run through a function body.

    `grad` is off under `no_grad`; `alive` turns False behind a return, raise, break or continue; `depth` counts the
    calls between the analysed function (0) and this one.
    """

    scope: Scope
    depth: int = 0
    grad: bool = True
    alive: bool = True
    path: tuple[Assumption, ...] = ()
    returned: list[Returned] = field(default_factory=list)
    owner: Class | None = None
    calls: tuple[ast.AST, ...] = ()
    loops: int = 0
    left: list[dict[str, Thing]] = field(default_factory=list)
    """What the names were bound to at each `break` or `continue` of the loop that runs."""
    foreign_call: ForeignCall | None = None
    """In a function of another file: what its values have for syntax."""
    handed: set[int] = field(default_factory=set)
    """The numbers of the values that a called function was handed, and of what it has made of them in place."""
    handed_singular: frozenset[int] = frozenset()
    """The numbers of the values that the analysed function hands to those that it calls, and that may be poisoned."""
    handed_still: frozenset[int] = frozenset()
    """The same of those that no gradient flows to."""
    deciding: list[Thing] = field(default_factory=list)
    """Functions, and names of some, that a called function was handed by the analysed one."""
    given: list[Assumption] = field(default_factory=list)
    """What has been assumed in this very frame, outside of branches, and so holds at the caller too."""

    def decide(self, by: Thing, found: Thing) -> None:
        """What is looked up by a name that a function was handed is as if it had been handed itself."""
        if any(by is known for known in self.deciding):
            self.deciding.append(found)

    def take(self, inner: Frame) -> None:
        """What a called function assumes holds behind the call, and what it raises an error for otherwise."""
        known = {(one.condition.number, one.truth) for one in self.path}
        new = []
        for one in (*inner.given, *inner.ensured(len(self.path))):
            if (one.condition.number, one.truth) not in known:
                known.add((one.condition.number, one.truth))
                new.append(one)
        if new:
            self.path = (*self.path, *new)
            if not self.returned:
                self.given.extend(new)

    def ensured(self, before: int) -> Iterator[Assumption]:
        """What holds wherever the function ends, but for the first assumptions, `before` the call."""
        ends = [one.path for one in self.returned] + ([self.path] if self.alive else [])
        for one in ends[0][before:] if ends else ():
            if all(any(one is other for other in end) for end in ends[1:]) and not _asks_infinity(one):
                yield one

    def assume(self, condition: Value, truth: bool) -> None:
        """From here on `condition` is known.

        A conjunction that holds is known part by part. What a condition says of some elements only, as
        `mask.any()` does, says nothing of the others and is left out.
        """
        stack, seen = [(condition, truth)], set[tuple[int, bool]]()
        while stack:
            part, holds = stack.pop()
            if (part.number, holds) in seen:
                continue
            seen.add((part.number, holds))
            op, args = (part.op, part.args) if isinstance(part, Apply) else ("", ())
            if op == "not":
                stack.append((args[0], not holds))
            elif op == ("and" if holds else "or"):
                stack.extend((arg, holds) for arg in reversed(args))
            elif op == ("all" if holds else "any"):
                stack.append((args[0], holds))
            elif not (op == ("any" if holds else "all") or _of_some(part)):
                self.path = (*self.path, Assumption(part, holds))


def foreign_call(scope: Scope, place: ast.AST | None) -> ForeignCall | None:
    """What values of code in `scope` have for syntax, if that is another file's; it is reached from `place`."""
    return None if scope.file() is None else ForeignCall.at(place)


def elsewhere(scope: Scope, place: ast.AST | None = None) -> Frame:
    """A frame for an expression that stands in `scope`, such as a default; it is looked at from `place`."""
    call = foreign_call(scope, place)
    return Frame(Scope({}, scope), depth=0 if call is None else 1, foreign_call=call)


def _asks_infinity(one: Assumption) -> bool:
    """Whether something is compared with an infinity, as a bound that is none: no finite value would be left."""
    parts = one.condition.args if isinstance(one.condition, Apply) else ()
    return any(isinstance(part, Constant) and math.isinf(part.value) for part in parts)
