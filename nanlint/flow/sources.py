"""What triage keeps of a file: what names are bound to, its selectors, and its calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

IMPORTED = "import "
"""In front of the dotted name that an import stands for, among the names that a source is made of."""


class Source:
    """What an expression is made of: names, attributes with a dot in front, and whether one of them is in itself
    singular, a selector that is not called, or 0 for some elements only."""

    __slots__ = ("masking", "names", "selecting", "singular")

    def __init__(
        self,
        names: Iterable[str] = (),
        singular: bool = False,
        selecting: bool = False,
        masking: bool = False,
    ) -> None:
        self.names = set(names)
        self.singular = singular
        self.selecting = selecting
        self.masking = masking

    def add(self, other: Source) -> None:
        self.names |= other.names
        self.singular = self.singular or other.singular
        self.selecting = self.selecting or other.selecting
        self.masking = self.masking or other.masking


class Call(NamedTuple):
    """A call of what may be a selector by another name."""

    called: Source
    dotted: str
    """The name that is called, if it is one."""
    inherited: str
    """For an attribute of the object itself: where a base class may have it."""
    arguments: Source
    around: tuple[ast.AST, ...]


@dataclass(eq=False)
class Unit:
    """A function that stands in no other one, with all inside of it; or the statements outside of all functions."""

    bindings: list[tuple[str, Source]] = field(default_factory=list)
    exported: list[tuple[str, Source]] = field(default_factory=list)
    """Bindings that the whole file knows: results of functions, attributes, names of the module."""
    selectors: list[tuple[Source, Source | None, tuple[ast.AST, ...]]] = field(default_factory=list)
    """The operands of each selector, what has to be a mask for it to be one, and the functions around it."""
    calls: list[Call] = field(default_factory=list)
