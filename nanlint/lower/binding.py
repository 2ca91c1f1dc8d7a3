"""How a call's arguments fit a row of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from nanlint.catalogue import SPELLINGS
from nanlint.catalogue.domains import ALIASES, ANY, INDIFFERENT, Op
from nanlint.graph import Constant, Value
from nanlint.lower.call import Call
from nanlint.lower.things import Class, Function, Items, Mapped, Text, Thing


def arguments(row: Op, call: Call) -> dict[str, Thing] | None:
    """The call's arguments by torch's names; None if torch would not take them so, or if an operand is no value."""
    names = (*row.parameters, *row.further)
    if len(call.args) > len(names):
        return None
    given = dict(zip(names, call.args, strict=False))
    for word, thing in call.named.items():
        given[word if word in names else ALIASES.get(word, word)] = thing
    known = set(names) | INDIFFERENT
    is_complete = all(name in given or name in row.defaults for name in row.parameters)
    if (
        not is_complete
        or not known.issuperset(given)
        or any(_is_no_value(given.get(p)) for p in row.parameters)
    ):
        return None
    return given


def is_of_row(row: Op, given: Mapping[str, Thing]) -> bool:
    """Whether the arguments that are no parameters leave a call the op that the row describes."""
    return all(_is(given[name], value) for name, value in row.further.items() if name in given)


def is_in_place(name: str) -> bool:
    """Whether a function or method of torch called `name` changes its first argument: `sqrt_`."""
    return name.endswith("_") and not name.endswith("__")


def written_to(dotted: str, call: Call, *, first: bool) -> list[Value]:
    """The values that a call of `dotted` writes its result to; `first` says that its first argument is one of them."""
    row = SPELLINGS.get(dotted)
    names = [] if row is None else [*row.parameters, *row.further]
    flag = call.argument(names.index("inplace") if "inplace" in names else len(call.args), "inplace")
    changed = [call.first] if first or (isinstance(flag, Constant) and flag.value) else []
    return [thing for thing in (*changed, call.named.get("out")) if isinstance(thing, Value)]


def _is(thing: Thing, value: object) -> bool:
    if value is ANY:
        return True
    return isinstance(thing, (Constant, Text)) and thing.value == value


def _is_no_value(thing: Thing | None) -> bool:
    return isinstance(thing, (Text, Function, Class, Items, Mapped))


__all__ = ["arguments", "is_in_place", "is_of_row", "written_to"]
