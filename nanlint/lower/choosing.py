"""One of two things, by a test that Python makes: what is known of both, or of the only one that is anything."""

from __future__ import annotations

from collections.abc import Sequence

from nanlint import regions as R
from nanlint.graph import Constant, Kind, Leaf, Value
from nanlint.lower.dispatch import either
from nanlint.lower.lowering import Lowering
from nanlint.lower.things import (
    Class,
    Each,
    Function,
    Instance,
    Items,
    Mapped,
    Symbol,
    Thing,
    is_nothing,
    mapped,
    values_in,
)
from nanlint.names import may_be_of_project


class Choosing(Lowering):
    """Joins what two ways through a function make of a name."""

    def choose(self, condition: Value | None, first: Thing, second: Thing) -> Thing:
        """One of two things, by a condition that Python evaluates; an unknown one if it is None."""
        if first is second or (
            isinstance(first, Symbol) and isinstance(second, Symbol) and first.name == second.name
        ):
            return first
        if isinstance(first, Value) and isinstance(second, Value):
            if first.number == second.number:
                return first
            test = condition or self.builder.leaf("branch", R.TRUTH, grad=False, kind=Kind.NUMBER)
            return self.builder.apply("phi", test, first, second)
        if is_nothing(first) or is_nothing(second):
            there = self._if_there(second if is_nothing(first) else first)
            if there is not None:
                return there
        there = _of_the_file(first, second) or _of_the_file(second, first)
        if there is not None:
            return there
        if isinstance(first, Items) and isinstance(second, Items) and len(first.things) == len(second.things):
            pairs = zip(first.things, second.things, strict=True)
            names = first.names if first.names == second.names else ()
            return Items(tuple(self.choose(condition, a, b) for a, b in pairs), names)
        if isinstance(first, Instance) and isinstance(second, Instance) and first.cls.node is second.cls.node:
            return self._merged_objects(condition, first, second)
        if isinstance(first, Mapped) and isinstance(second, Mapped):
            return self._merged_mappings(condition, first, second)
        if isinstance(first, (Items, Each)) and isinstance(second, (Items, Each)):
            return self._merged_iterables(first, second)
        values = [*values_in(first), *values_in(second)]
        name = next((side.name for side in (first, second) if isinstance(side, Leaf)), "value")
        made = self.opaque(name, *values, grad=any(value.grad for value in values) or not values)
        callable_ = either(condition, first, second, self)
        if callable_ is not None:
            self.callables[made.number] = callable_
        return made

    def _if_there(self, thing: Thing) -> Thing | None:
        """What is this thing or None: nothing is done with None but to ask for it. None where that is not known."""
        if isinstance(thing, (Instance, Mapped, Function)):
            return thing
        if not isinstance(thing, Value) or isinstance(thing, Constant):
            return None
        made = self.builder.apply("identity", thing, grad=thing.grad, node=thing.node)
        self.optional.add(made.number)
        return made

    def any_of(self, things: Sequence[Thing]) -> Thing:
        """One of several things, whichever."""
        if not things:
            return self.opaque("item")
        joined = things[0]
        for thing in things[1:]:
            joined = self.choose(None, joined, thing)
        return joined

    def _merged_mappings(self, condition: Value | None, first: Mapped, second: Mapped) -> Mapped:
        """One of two dictionaries: what only one of them has is what is found under its key, if anything is."""
        things = {**first.things, **second.things}
        for key in first.things.keys() & second.things.keys():
            things[key] = self.choose(condition, first.things[key], second.things[key])
        others = {id(thing): thing for thing in (*first.others, *second.others)}
        return mapped(things, tuple(others.values()))

    def _merged_objects(self, condition: Value | None, first: Instance, second: Instance) -> Instance:
        """One of two objects of a class: what only one of them is known to have is what is found there, if anything."""
        fields = {**first.fields, **second.fields}
        for name in first.fields.keys() & second.fields.keys():
            fields[name] = self.choose(condition, first.fields[name], second.fields[name])
        return Instance(first.cls, first.name, fields, is_given=first.is_given and second.is_given)

    def _merged_iterables(self, first: Items | Each, second: Items | Each) -> Thing:
        """One of two iterables: its elements are like those of either; an empty one adds none."""
        things = [
            t for side in (first, second) for t in (side.things if isinstance(side, Items) else (side.thing,))
        ]
        if not things:
            return first
        joined = things[0]
        for thing in things[1:]:
            joined = self.choose(None, joined, thing)
        return Each(joined)


def _of_the_file(one: Thing, other: Thing) -> Function | Class | None:
    """What stands in for something that could not be imported: `except ImportError: def f(x): ...`."""
    is_unknown = isinstance(one, Symbol) and may_be_of_project(one.name)
    return other if is_unknown and isinstance(other, (Function, Class)) else None
