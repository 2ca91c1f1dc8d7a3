"""Scopes and frames: which names are bound to which things, and what is known where a statement runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from nanlint.graph import Assumption, Value
from nanlint.lower.things import Class, Thing


@dataclass(eq=False)
class Scope:
    """Names of one function or module, and the scope around it."""

    names: dict[str, Thing] = field(default_factory=dict)
    parent: Scope | None = None
    stars: list[str] = field(default_factory=list)

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

    def assume(self, condition: Value, truth: bool) -> None:
        """From here on `condition` is known."""
        self.path = (*self.path, Assumption(condition, truth))
