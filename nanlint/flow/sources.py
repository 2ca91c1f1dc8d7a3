"""What triage keeps of a file: what names are bound to, its selectors, and its calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from nanlint import words

SINGULAR, SELECTING, MASKING, LOGICAL = 1, 2, 4, 8
"""Flags: something singular, a selector that is not called, something that is 0 for some elements only, and of this
what may be a mask in a subscript, where numbers are indices whatever they are."""
DROPPING, PICKING = 16, 32
"""Flags of functions of the file itself: one that drops what it is given, and one that does so by a mask, if it is
given one."""
PARTIAL = 64
"""A flag of a function that has some of its arguments already."""
OWN = DROPPING | PICKING
ALL = SINGULAR | SELECTING | MASKING | LOGICAL | DROPPING | PICKING | PARTIAL
MASK = MASKING | LOGICAL

IMPORTED = "import "
"""In front of the dotted name that an import stands for, among the names that a source is made of."""
CLASS = "class "
"""In front of the name of a class, likewise: in other files its attributes come with it."""
ATTRIBUTE = "attribute "
"""In front of an attribute that a base class may have."""
TOKENS = (IMPORTED, CLASS, ATTRIBUTE)
OTHERWISE = "?"
"""Behind a name that an import binds: what else is bound to it."""
BASES = "<"
"""Behind the name of a class: its base classes."""


class Source:
    """What an expression is made of: names, attributes with a dot in front, and what it is by itself, as flags."""

    __slots__ = ("flags", "names")

    def __init__(self, names: Iterable[str] = (), flags: int = 0) -> None:
        self.names = set(names)
        self.flags = flags

    def add(self, other: Source) -> None:
        self.names |= other.names
        self.flags |= other.flags

    def __bool__(self) -> bool:
        """Whether anything but a literal is in it."""
        return bool(self.names) or bool(self.flags & SINGULAR)


class Call(NamedTuple):
    """A call of what may be a selector by another name."""

    called: Source
    arguments: Source
    around: tuple[ast.AST, ...]


class Selection(NamedTuple):
    """A selector: its operands, what has to be a mask for it to be one, the functions around it, the flag of a mask.

    To the callers of a function around it that is a `kind` of selector, if the operands are of what it is given.
    """

    operands: Source
    mask: Source | None
    around: tuple[ast.AST, ...]
    flag: int = MASKING
    kind: int = DROPPING


@dataclass(eq=False)
class Unit:
    """A function that stands in no other one, with all inside of it; or the statements outside of all functions."""

    parameters: frozenset[str] = frozenset()
    """The names that are never the file's here."""
    bindings: list[tuple[str, Source]] = field(default_factory=list)
    exported: list[tuple[str, Source]] = field(default_factory=list)
    """Bindings that the whole file knows: results of functions, attributes, names of the module."""
    selectors: list[Selection] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    picking: list[tuple[Source, Source]] = field(default_factory=list)
    """What functions return that pick elements of what they are given, and by what they pick."""


FLAGS = {
    word: (word in words.SINGULAR) * SINGULAR
    | (word in words.SELECTORS) * SELECTING
    | (word in words.MASKING) * MASKING
    | ((word in words.MASKING and word not in words.NUMERIC) or word in words.RANKING) * LOGICAL
    for word in words.SINGULAR | words.SELECTORS | words.MASKING | words.RANKING
}
"""What the words that triage knows are by themselves."""
