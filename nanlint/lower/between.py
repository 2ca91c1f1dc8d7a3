"""Selectors of called functions that drop what their caller has computed, by a mask that the caller has made."""

from __future__ import annotations

from collections.abc import Iterable, Set

from nanlint.cases import is_repair, may_be_poisoned
from nanlint.catalogue import OPS, SELECTORS
from nanlint.graph import Apply, Value, closure, operands
from nanlint.lower.scope import Frame

_MOST_HANDED = 100
"""Values looked at below a selector of a called function, in search of what that was handed."""
MASKED = {"where": 0, "masked_fill": 1, "masked_select": 1}
"""Selectors that a mask decides, and which of their arguments that is."""


def singular_among(values: Iterable[Value]) -> frozenset[int]:
    """The numbers of the values that gradient flows to, and below which something is singular."""
    return frozenset(v.number for v in values if isinstance(v, Apply) and v.grad and may_be_poisoned(v))


def drops_handed(selector: Apply, frame: Frame, dispatched: Set[int]) -> bool:
    """Whether a selector of a called function may drop something singular that was handed to it, as its caller wants.

    The caller has made the mask as well, or the values are asked whether they are finite, or what is singular in them
    is handed with them and asked about where they are taken as they are. What the function asks itself of anything
    else is its own business: it knows nothing of where that is singular. What it computes by a function that the
    caller names (`dispatched`) is the caller's, whatever the mask.
    """
    row = SELECTORS.get(selector.op)
    dropped = selector.args if row is None else [selector.args[drop.operand] for drop in row.drops]
    below = closure([operand for operand in dropped if operand.grad], _MOST_HANDED)
    if any(value.number in dispatched and may_be_poisoned(value) for value in below):
        return selector.op != "mul" or any(not arg.grad for arg in selector.args)
    if not any(value.number in frame.handed_singular for value in below):
        return False
    if selector.op in ("mul", "nan_to_num"):
        masks = [arg for arg in selector.args if not arg.grad]
        return selector.op != "mul" or any(_is_handed(mask, frame) for mask in masks)
    if selector.op not in MASKED:
        return False
    condition = selector.args[MASKED[selector.op]]
    if _is_handed(condition, frame) or any(is_repair(condition, operand) for operand in dropped):
        return True
    near = [value for operand in dropped if operand.grad for value in (operand, *operands(operand))]
    singular = [value for value in near if value.number in frame.handed_singular]
    return _asks_about_source(condition, singular, frame)


def _asks_about_source(condition: Value, singular: Iterable[Value], frame: Frame) -> bool:
    """Whether a condition is about something that was handed too, and that a singular op has for its argument."""
    below = closure(singular, _MOST_HANDED)
    sources = (arg for v in below if isinstance(v, Apply) and OPS[v.op].singular for arg in v.args)
    known = frame.handed & {source.number for source in sources if source.grad}
    return bool(known) and any(part.number in known for part in closure((condition,), _MOST_HANDED))


def _is_handed(mask: Value, frame: Frame) -> bool:
    """Whether a mask is made of something that was handed and that no gradient flows to."""
    stack, seen = [mask], set[int]()
    while stack and len(seen) < _MOST_HANDED:
        value = stack.pop()
        if value.number in frame.handed_still:
            return True
        if value.number not in seen and value.number not in frame.handed_singular:
            seen.add(value.number)
            stack.extend(operands(value))
    return False
