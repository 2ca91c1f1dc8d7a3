"""What a comparison depends on, whatever the values are numbered: alike functions need not be compared twice."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from nanlint.alike import Told
from nanlint.arithmetic import Arithmetic
from nanlint.graph import Value
from nanlint.hazards import Hazard


def fingerprint(
    hazard: Hazard, before: Sequence[Value], after: Sequence[Value], ends: Sequence[Value], a: Arithmetic
) -> Hashable:
    """All that a comparison of two graphs depends on, the same for graphs that differ in their numbers only.

    `before` and `after` have arguments first, `ends` are the two values that are compared.
    """
    taken = Told()
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
