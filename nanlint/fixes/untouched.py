"""Whether an edit has changed nothing but what a selector drops: shown on the graphs, for all inputs at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeAlias

from nanlint.catalogue import SELECTORS
from nanlint.graph import Apply, Leaf, Value
from nanlint.hazards import Hazard

FreeOperands: TypeAlias = Callable[[Apply], Iterable[int]]
"""The operands of a selector that may change, since it drops what has changed in them."""


def untouched(
    hazard: Hazard, mended: Collection[int], old: Sequence[Value], new: Sequence[Value], free: FreeOperands
) -> bool:
    """Whether each of `new` is the value of `old` but for the hazard's selector and what its condition drops.

    The selector itself may have become something else; where it is still the same op, its condition is the same, and
    so are its operands but for those that are `mended`.
    What other selectors drop under the same condition may have changed as well, and their `free` operands.
    """
    if len(old) != len(new):
        return False
    seen: set[tuple[int, int]] = set()
    stack = list(zip(old, new, strict=True))
    while stack:
        before, after = stack.pop()
        if before.number == after.number or (before.number, after.number) in seen:
            continue
        seen.add((before.number, after.number))
        pairs = _to_compare(hazard, mended, before, after, free)
        if pairs is None:
            return False
        stack.extend(pairs)
    return True


def _to_compare(
    hazard: Hazard, mended: Collection[int], old: Value, new: Value, free: FreeOperands
) -> list[tuple[Value, Value]] | None:
    """The parts of two values that have to be alike for the values to be; None if they cannot be."""
    alike = isinstance(old, Apply) and isinstance(new, Apply) and old.op == new.op
    if (
        old.number == hazard.selector.number or old.node is hazard.selector.node
    ):  # a loop body is run several times
        return _deciding(hazard, mended, old, new) if alike else []
    if alike:
        assert isinstance(old, Apply)
        assert isinstance(new, Apply)
        left_out = {*_dropped_as_well(hazard, old), *free(old)}
        return [pair for at, pair in enumerate(zip(old.args, new.args, strict=True)) if at not in left_out]
    same_leaf = isinstance(old, Leaf) and isinstance(new, Leaf) and old.name == new.name
    return [] if same_leaf else None


def _deciding(hazard: Hazard, mended: Collection[int], old: Value, new: Value) -> list[tuple[Value, Value]]:
    """The operands of the selector before and after that are not `mended`, its condition among them.

    Those of a product are its masks, which a fix leaves out; whether the operand is finite may be asked otherwise.
    """
    if hazard.drop is None or (hazard.row.family == 6 and hazard.drop.by != hazard.drop.operand):
        return []
    assert isinstance(old, Apply)
    assert isinstance(new, Apply)
    pairs = zip(old.args, new.args, strict=True)
    return [pair for at, pair in enumerate(pairs) if at not in mended]


def _dropped_as_well(hazard: Hazard, value: Apply) -> Iterator[int]:
    """The arguments of another selector that are dropped whenever the hazard's operand is."""
    condition = hazard.condition.number
    if value.op == "mul" and hazard.drop is None:
        yield from (at for at in (0, 1) if value.args[1 - at].number == condition)
    elif hazard.drop is not None and value.op == hazard.selector.op:
        for drop in SELECTORS[value.op].drops:
            if drop.operand == hazard.drop.operand and value.args[drop.by].number == condition:
                yield drop.operand
