"""What a fix does, shown by running the graphs before and after it on the witness and on sample points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.facts import Constraint, Network
from nanlint.graph import Apply, Constant, Leaf, Value, closure, operands
from nanlint.hazards import Hazard
from nanlint.search import Effort, assignments
from nanlint.witness import backward, forward

MOST_SAMPLES = 32
_LIMIT = 600


def same_meaning(hazard: Hazard, old: Sequence[Value], new: Sequence[Value], a: Arithmetic) -> bool:
    """Whether each value in `new` is that of `old`, with the same gradient wherever that was finite.

    A value that was not finite may become finite. Checked on the witnesses and on points of both sides of the
    selector's condition.
    """
    if len(old) != len(new):
        return False
    changed = [(x, y) for x, y in zip(old, new, strict=True) if x.number != y.number]
    return all(_agree(hazard, x, y, a) for x, y in changed)


def _agree(hazard: Hazard, old: Value, new: Value, a: Arithmetic) -> bool:
    before, after = closure((old,), _LIMIT), closure((new,), _LIMIT)
    if len(before) >= _LIMIT or len(after) >= _LIMIT:
        return False
    names = _renamed(before, after)
    return all(_agree_at(inputs, old, new, before, after, names, a) for inputs in _samples(hazard, before, a))


def _samples(hazard: Hazard, order: Sequence[Value], a: Arithmetic) -> Iterator[dict[int, float]]:
    for proof in hazard.proofs:
        yield {value.number: at for value, at in proof.inputs.items()}
    network = Network(order, a)
    for region in (R.ZERO, R.NONZERO):
        known = [Constraint(hazard.condition, region)] if hazard.selector.op in ("where", "mul") else []
        facts = network.solve(known)
        if facts is not None:
            yield from itertools.islice(assignments(network, facts, Effort(len(order))), MOST_SAMPLES)


def _renamed(before: Sequence[Value], after: Sequence[Value]) -> dict[int, int]:
    """Free values of the new graph that stand for those of the old one, by name and order."""
    old, new = _free(before), _free(after)
    known = {value.number for value in old}
    waiting: dict[str, list[int]] = {}
    there = {value.number for value in new}
    for value in old:
        if value.number not in there:
            waiting.setdefault(_name(value), []).append(value.number)
    renamed: dict[int, int] = {}
    for value in new:
        queue = waiting.get(_name(value))
        if value.number not in known and queue:
            renamed[value.number] = queue.pop(0)
    return renamed


def _name(value: Value) -> str:
    return value.name if isinstance(value, Leaf) else value.op if isinstance(value, Apply) else ""


def _free(order: Sequence[Value]) -> list[Value]:
    inside = {value.number for value in order}
    found: dict[int, Value] = {}
    for value in order:
        for end in (value, *operands(value)):
            if not isinstance(end, Constant) and (isinstance(end, Leaf) or end.number not in inside):
                found.setdefault(end.number, end)
    return list(found.values())


def _agree_at(
    inputs: Mapping[int, float],
    old: Value,
    new: Value,
    before: Sequence[Value],
    after: Sequence[Value],
    names: Mapping[int, int],
    a: Arithmetic,
) -> bool:
    was = forward(before, inputs, a, void=True)
    now = forward(after, {**inputs, **{n: inputs[o] for n, o in names.items() if o in inputs}}, a, void=True)
    if was is None or now is None:
        return was is now
    if math.isfinite(was[old.number]) and not _close(was[old.number], now[new.number]):
        return False
    if not old.grad:
        return True
    slopes = backward(before, was, {old.number: 1.0}, a).by_number
    slopes_now = backward(after, now, {new.number: 1.0}, a).by_number
    back = {o: n for n, o in names.items()}
    for value in _free(before):
        slope = slopes.get(value.number, 0.0)
        if value.grad and math.isfinite(slope):
            found = slopes_now.get(back.get(value.number, value.number), 0.0)
            if not _close(slope, found):
                return False
    return True


def _close(x: float, y: float) -> bool:
    return x == y or math.isclose(x, y, rel_tol=1e-6, abs_tol=1e-30)
