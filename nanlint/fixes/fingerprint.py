"""What a comparison depends on, whatever the values are numbered: alike functions need not be compared twice."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from nanlint.arithmetic import Arithmetic
from nanlint.catalogue import OPS
from nanlint.graph import Apply, Constant, Leaf, Value
from nanlint.hazards import Hazard


def fingerprint(
    hazard: Hazard, before: Sequence[Value], after: Sequence[Value], ends: Sequence[Value], a: Arithmetic
) -> Hashable:
    """All that a comparison of two graphs depends on, the same for graphs that differ in their numbers only.

    `before` and `after` have arguments first, `ends` are the two values that are compared.
    """
    taken = _Taken()
    orders = [tuple(map(taken.inside, order)) for order in (before, after)]
    selector, drop = hazard.selector, hazard.drop
    proofs = [
        (
            proof.site.op,
            *map(taken.place, proof.site.args),
            *sorted(
                (taken.places[v.number], x.hex()) for v, x in proof.inputs.items() if v.number in taken.places
            ),
        )
        for proof in hazard.proofs
    ]
    asked = (selector, *selector.args, hazard.condition, *ends)
    places = tuple(map(taken.place, asked))
    return a.dtype.name, selector.op, id(drop), *orders, places, tuple(proofs), tuple(taken.told)


class _Taken:
    """Values by the order in which they are met, each told by what it is and by the places of its arguments."""

    def __init__(self) -> None:
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
        if value.number in self.places:
            return self.places[value.number]
        if isinstance(value, Constant):
            return self._add(value, value.value.hex())
        if isinstance(value, Leaf):
            return self._add(value, value.name, value.region, value.opaque)
        return self._add(value, OPS[value.op].boolean)

    def _add(self, value: Value, *told: object) -> int:
        place = self.places[value.number] = len(self.told)
        self.told.append((type(value), value.kind, value.grad, *told))
        return place
