"""Which values of a graph after an edit stand for those of the graph before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nanlint.alike import Told
from nanlint.graph import Apply, Constant, Leaf, Value, operands


def renamed(before: Sequence[Value], after: Sequence[Value]) -> dict[int, int]:
    """Free values of the new graph that stand for those of the old one, by name and order."""
    old, new = free_among(before), free_among(after)
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


def alike(before: Sequence[Value], after: Sequence[Value]) -> set[int]:
    """The numbers of the values of a new graph that are computed just as in the old one, from the same inputs."""
    old = {value.number: value for value in before}
    inside = {value.number for value in after}
    same: set[int] = set()
    for value in after:
        own = old.get(value.number)
        if isinstance(value, Apply) and isinstance(own, Apply):
            args = [arg.number for arg in value.args]
            known = all(arg in same or not (arg in old or arg in inside) for arg in args)
            if known and value.op == own.op and args == [arg.number for arg in own.args]:
                same.add(value.number)
        elif own is not None and _is_same_input(value, own):
            same.add(value.number)
    return same


def is_copy(
    old: Value, new: Value, before: Sequence[Value], after: Sequence[Value], names: Mapping[int, int]
) -> bool:
    """Whether a value of a new graph is computed just as that of the old one, from inputs that go by other `names`."""
    told, again = _told(before), _told(after)
    if told.told != again.told or told.place(old) != again.place(new):
        return False
    met = {place: number for number, place in told.places.items()}
    return all(
        met[again.place(value)] == names.get(value.number, value.number) for value in free_among(after)
    )


def _told(order: Sequence[Value]) -> Told:
    """A graph by its shape."""
    told = Told()
    for value in order:
        told.inside(value)
    return told


def _is_same_input(value: Value, own: Value) -> bool:
    """Whether two values of one number that are computed from nothing are given the same number to run with."""
    if isinstance(value, Leaf):
        return isinstance(own, Leaf) and value.region == own.region
    return isinstance(value, Constant) and isinstance(own, Constant)


def _name(value: Value) -> str:
    return value.name if isinstance(value, Leaf) else value.op if isinstance(value, Apply) else ""


def free_among(order: Sequence[Value]) -> list[Value]:
    """The values of a graph that are computed from nothing in it, constants apart."""
    inside = {value.number for value in order}
    found: dict[int, Value] = {}
    for value in order:
        for end in (value, *operands(value)):
            if not isinstance(end, Constant) and (isinstance(end, Leaf) or end.number not in inside):
                found.setdefault(end.number, end)
    return list(found.values())
