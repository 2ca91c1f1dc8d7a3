"""Functions as values: one of several that a table or a branch picks, and calls with some arguments given already.

To everything but a call they are unknown values, which lowering keeps them for (`Lowering.callables`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanlint import regions as R
from nanlint.graph import Kind, Leaf, Value
from nanlint.lower.things import Function, Instance, Layer, Symbol, Text, Thing

if TYPE_CHECKING:
    from nanlint.lower.lowering import Lowering

_MOST_FUNCTIONS = 8
"""Functions of a table: a call of any of more is unknown."""


@dataclass(eq=False, slots=True)
class Either:
    """One of two functions, by a condition; `count` functions in all, if one of them is one of several itself."""

    condition: Value
    first: Thing
    second: Thing
    count: int


@dataclass(eq=False, slots=True)
class Partial:
    """A function with its first arguments, and some by name."""

    function: Thing
    args: tuple[Thing, ...]
    named: Mapping[str, Thing]


def either(condition: Value | None, first: Thing, second: Thing, lowering: Lowering) -> Either | None:
    """One of two functions; None if one of them is none, or they are too many."""
    count = _functions(first, lowering) * _functions(second, lowering) and (
        _functions(first, lowering) + _functions(second, lowering)
    )
    if not 0 < count <= _MOST_FUNCTIONS:
        return None
    unknown = lowering.builder.leaf("branch", R.TRUTH, grad=False, kind=Kind.NUMBER)
    return Either(unknown if condition is None else condition, first, second, count)


def _functions(thing: Thing, lowering: Lowering) -> int:
    """How many functions something may be; 0 for what is none."""
    if isinstance(thing, Leaf):
        known = lowering.callables.get(thing.number)
        return known.count if isinstance(known, Either) else int(known is not None)
    # a method changes its object, if it is the one that is called
    is_method = isinstance(thing, Function) and thing.receiver is not None
    return int(is_function(thing) and not is_method)


def is_function(thing: Thing) -> bool:
    """Whether a thing is a function of torch or of the analysed code, or a layer."""
    if isinstance(thing, Symbol):
        return thing.name.startswith("torch.")
    return isinstance(thing, (Function, Layer))


def deciding(things: Iterable[Thing], known: Iterable[Thing] | None) -> list[Thing]:
    """Those of some arguments that name what a called function computes: functions, objects, words to look them up by.

    They are among the `known` ones, unless the caller is the analysed function itself.
    """
    found = [thing for thing in things if is_function(thing) or is_word(thing) or isinstance(thing, Instance)]
    if known is None or not found:
        return found
    numbers = {id(thing) for thing in known}
    return [thing for thing in found if id(thing) in numbers]


def is_decided(called: Thing, known: Iterable[Thing]) -> bool:
    """Whether something called is one of the `known` things, or a method of one of them."""
    of = called.receiver if isinstance(called, Function) else None
    return any(called is one or (of is not None and of is one) for one in known)


def is_word(thing: Thing) -> bool:
    """Whether a thing is a literal string: unknown ones are empty."""
    return isinstance(thing, Text) and isinstance(thing.value, str) and thing.value != ""
