"""Which values gradient comes back to: those that what leaves a function is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nanlint.graph import Leaf, Value, operands


def demanded(sinks: Iterable[Value], wholes: Mapping[int, Value]) -> set[int]:
    """The numbers of the values that upstream gradient can reach from some `sinks`.

    Gradient that comes back to an element comes back to the whole (`wholes`) that it was picked from, and to what a
    loop starts a round with, to what the round before has made of it.
    """
    seen: set[int] = set()
    stack = [value for value in sinks if value.grad]
    while stack:
        value = stack.pop()
        if value.number in seen:
            continue
        seen.add(value.number)
        below = value.feeds if isinstance(value, Leaf) else operands(value)
        if value.number in wholes:
            below = (*below, wholes[value.number])
        stack.extend(arg for arg in below if arg.grad)
    return seen
