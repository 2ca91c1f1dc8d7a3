"""Whether an edit changes the results of a function by way of one value only, which is then all there is to compare.

It is not where that value is a zero, of which another op asks the sign: a product with a mask may change it.
"""

from __future__ import annotations

from collections.abc import Sequence

from nanlint.catalogue import OPS
from nanlint.graph import MOST_VALUES, Apply, Value, closure


def differ_through(pair: tuple[Value, Value], old: Sequence[Value], new: Sequence[Value]) -> bool:
    """Whether each value in `new` is computed from `pair[1]` as its counterpart in `old` is from `pair[0]`."""
    if len(old) != len(new):
        return False
    ends = (pair[0].number, pair[1].number)
    pending, seen = list(zip(old, new, strict=True)), {ends}
    while pending:
        before, after = pending.pop()
        numbers = (before.number, after.number)
        if before.number == after.number or numbers in seen:
            continue
        seen.add(numbers)
        if not (isinstance(before, Apply) and isinstance(after, Apply) and _is_alike(before, after)):
            return False
        pending.extend(zip(before.args, after.args, strict=True))
    return True


_BY_SIGN = {"div": (1,), "reciprocal": (0,), "rsqrt": (0,), "pow": (0,), "atan2": (0, 1), "copysign": (1,)}
"""Arguments of which an op asks the sign even where they are 0: `1 / -0.0` is -inf."""
_SUMS = frozenset({"add", "sub", "sum", "mean", "total", "average", "nansum", "nanmean"})
"""What gives 0.0 of zeros of either sign, as good as always."""


def asks_for_sign(pair: tuple[Value, Value], sinks: Sequence[Value]) -> bool:
    """Whether anything computed from the values of a pair takes another course for a zero of the other sign."""
    signed = {value.number for value in pair}
    for value in closure(sinks, MOST_VALUES):
        if not isinstance(value, Apply):
            continue
        places = [at for at, arg in enumerate(value.args) if arg.number in signed]
        if any(at in _BY_SIGN.get(value.op, ()) for at in places):
            return True
        if places and value.op not in _SUMS:
            signed.add(value.number)
    return False


def is_compared(value: Value, sinks: Sequence[Value]) -> bool:
    """Whether a condition is computed from a value: that of a nan is false, whatever a number would make of it."""
    above = {value.number}
    for other in closure(sinks, MOST_VALUES):
        if isinstance(other, Apply) and any(arg.number in above for arg in other.args):
            if OPS[other.op].boolean:
                return True
            above.add(other.number)
    return False


def _is_alike(before: Apply, after: Apply) -> bool:
    """Whether two values are the same op of as many arguments, with gradient flowing through the same."""
    return (
        before.op == after.op
        and before.grad == after.grad
        and [arg.grad for arg in before.args] == [arg.grad for arg in after.args]
    )
