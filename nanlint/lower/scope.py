"""Scopes and frames: which names are bound to which things, and what is known where a statement runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from nanlint.catalogue.reductions import ROWS as _REDUCTION_ROWS
from nanlint.graph import Apply, Assumption, Value
from nanlint.lower.things import Class, Thing

_REDUCTIONS = frozenset(row.name for row in _REDUCTION_ROWS) | {"any", "all"}


@dataclass(eq=False)
class Scope:
    """Names of one function or module, and the scope around it."""

    names: dict[str, Thing] = field(default_factory=dict)
    parent: Scope | None = None
    stars: list[str] = field(default_factory=list)
    outer: set[str] = field(default_factory=set)
    """Names declared `global` or `nonlocal`: what is assigned to them leaves."""

    def find(self, name: str) -> Thing | None:
        """The thing that `name` is bound to here or further out."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
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


def _of_some(condition: Value) -> bool:
    """Whether a condition is about a reduction: it holds of the whole tensor, not of each element."""
    stack, seen = [condition], 0
    while stack and seen < 40:
        value = stack.pop()
        seen += 1
        if isinstance(value, Apply):
            if value.op in _REDUCTIONS:
                return True
            stack.extend(value.args)
    return False


@dataclass
class Returned:
    """One `return`: its value and the assumptions under which it is reached."""

    thing: Thing
    path: tuple[Assumption, ...]


@dataclass(eq=False)
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

    def assume(self, condition: Value, truth: bool) -> None:
        """From here on `condition` is known.

        A conjunction that holds is known part by part. What a condition says of some elements only, as
        `mask.any()` does, says nothing of the others and is left out.
        """
        op, args = (condition.op, condition.args) if isinstance(condition, Apply) else ("", ())
        if op == "not":
            self.assume(args[0], not truth)
        elif op == ("and" if truth else "or"):
            for arg in args:
                self.assume(arg, truth)
        elif op == ("all" if truth else "any"):
            self.assume(args[0], truth)
        elif not (op == ("any" if truth else "all") or _of_some(condition)):
            self.path = (*self.path, Assumption(condition, truth))
