"""Graphs told by their shape, whatever their values are numbered: what is known of one is known of all alike.

A helper is met wherever it is called, and once more in each text that a fix is tried on.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from nanlint.arithmetic import Arithmetic
from nanlint.cases import Case
from nanlint.catalogue import OPS
from nanlint.facts import Constraint
from nanlint.graph import Apply, Constant, Leaf, Value

_MOST_REMEMBERED = 100_000


class Told:
    """Values by the order in which they are met, each told by what it is and by the places of its arguments."""

    def __init__(self, *, named: bool = True) -> None:
        self.named = named
        """Whether it matters what inputs are called, and what Python takes a value for."""
        self.places: dict[int, int] = {}
        self.told: list[tuple[object, ...]] = []

    def inside(self, value: Value) -> int:
        """The place of a value of a graph, whose arguments were met before or lie outside."""
        if value.number not in self.places and isinstance(value, Apply):
            args = map(self.place, value.args)
            return self._add(value, value.op, *args)
        return self.place(value)

    def place(self, value: Value) -> int:
        """The place of a value that may lie outside, where nothing is known of how it is made."""
        known = self.places.get(value.number)
        if known is not None:
            return known
        if isinstance(value, Constant):
            return self._add(value, value.value.hex())
        if isinstance(value, Leaf):
            called = (value.name, value.opaque) if self.named else ()
            return self._add(value, value.region, *called)
        return self._add(value, OPS[value.op].boolean)

    def _add(self, value: Value, *told: object) -> int:
        place = self.places[value.number] = len(self.told)
        kind = value.kind if self.named else None
        self.told.append((type(value), kind, value.grad, *told))
        return place


def search_key(
    case: Case, order: Iterable[Value], known: Iterable[Constraint], a: Arithmetic
) -> tuple[Hashable, ...]:
    """All that the search for any proof of a case depends on: its graph, what is `known` in it, and the dtype."""
    told = Told(named=False)
    for value in order:
        told.inside(value)
    places = tuple(map(told.place, (case.selector, *case.selector.args, case.operand, case.condition)))
    constraints = tuple((told.place(one.value), one.region, one.nan) for one in known)
    seed = tuple((told.places.get(number), value) for number, value in case.seed.items())
    return a.dtype.name, id(case.drop), places, constraints, seed, *told.told


class Vain(NamedTuple):
    """A search that found nothing: the steps that it took, and the places in the graph where something was possible."""

    steps: int
    tried: frozenset[int]
    is_cut_off: bool


class Fruitless:
    """The searches that found nothing, each with the steps that it took: those are counted whenever it is met."""

    def __init__(self) -> None:
        self._known: dict[tuple[Hashable, ...], Vain] = {}
        self._size = 0

    def known(self, key: tuple[Hashable, ...]) -> Vain | None:
        """What is known of a search in vain; None if it is not known to be."""
        return self._known.get(key)

    def add(self, key: tuple[Hashable, ...], vain: Vain) -> None:
        """Remember a search that was in vain; when it gets too much, everything before is forgotten."""
        self._size += len(key)
        if self._size > _MOST_REMEMBERED:
            self._known.clear()
            self._size = len(key)
        self._known[key] = vain
