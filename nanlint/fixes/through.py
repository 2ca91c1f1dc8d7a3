"""Whether an edit changes the results of a function by way of one value only, which is then all there is to compare."""

from __future__ import annotations

from collections.abc import Sequence

from nanlint.graph import Apply, Value


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


def _is_alike(before: Apply, after: Apply) -> bool:
    """Whether two values are the same op of as many arguments, with gradient flowing through the same."""
    return (
        before.op == after.op
        and before.grad == after.grad
        and [arg.grad for arg in before.args] == [arg.grad for arg in after.args]
    )
