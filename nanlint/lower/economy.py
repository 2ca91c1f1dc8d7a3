"""When following other files pays: only where something that a selector depends on comes from there.

Every function is first lowered with its calls into other files passed by, as unknown values; few have a selector to
which that makes a difference, and these are lowered again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from nanlint.arithmetic import DTYPES, Dtype
from nanlint.cases import is_mask, may_be_poisoned
from nanlint.catalogue import SELECTORS
from nanlint.graph import Apply, Constant, Leaf, Value, operands
from nanlint.lower.call import Call
from nanlint.lower.following import Following
from nanlint.lower.things import Function, Thing, values_in
from nanlint.relevance import all_factors


class Economy(Following):
    """Can pass calls into other files by, and tell afterwards whether it would have mattered to follow them."""

    looks_at_all = False
    """Whether all that is computed is looked at, and not what selectors drop alone."""

    def __init__(self, text: str, dtype: Dtype = DTYPES["float32"]) -> None:
        super().__init__(text, dtype)
        self.passed: set[int] = set()
        """The numbers of the unknown values that stand for what other files would have given."""
        self.given: list[Value] = []
        """Those of the function at hand."""
        self.is_missed = False
        """Whether one was used where a mask would have made a selector."""

    def begin(self, *, shallow: bool) -> None:
        """Start on a function: follow calls into other files, or pass them by if `shallow`."""
        self.shallow, self.is_missed = shallow, False
        self.given.clear()
        self.bound.clear()
        self.compared.clear()
        self.dispatched.clear()

    def would_matter(self, selectors: Sequence[Apply], inner: Iterable[Thing]) -> bool:
        """Whether what was passed by has to do with any selector that was found, or with the things of `inner`."""
        if not self.passed:
            return False
        found = [selector for selector in selectors if self._may_be_hazardous(selector)]
        numbers = {selector.number for selector in found}
        roots = [*found, *(value for thing in inner for value in values_in(thing))]
        return (
            self.is_missed
            or any(value.number in self.passed for value in _below(roots))
            or (bool(found) and any(value.number in numbers for value in _below(self.given)))
        )

    def _may_be_hazardous(self, selector: Apply) -> bool:
        """Whether a selector has a mask, and something singular below what it drops, so far as that can be told."""
        if self.looks_at_all:
            return selector.op != "mul" or any(map(self._is_no_weight, _factors(selector)))
        if selector.op == "mul":
            return self._may_be_poisoned(selector) and any(map(self._may_be_mask, _factors(selector)))
        drops = SELECTORS[selector.op].drops
        return any(self._may_be_poisoned(selector.args[drop.operand]) for drop in drops)

    def _may_be_poisoned(self, operand: Value) -> bool:
        return may_be_poisoned(operand) or self._is_made_of_passed(operand)

    def _may_be_mask(self, value: Value) -> bool:
        return self._is_no_weight(value) and (self._is_made_of_passed(value) or is_mask(value))

    def _is_no_weight(self, value: Value) -> bool:
        """Whether a factor is no number and carries no gradient, so far as that can be told."""
        return value.number in self.passed or not (value.grad or isinstance(value, Constant))

    def _is_made_of_passed(self, value: Value) -> bool:
        return any(part.number in self.passed for part in _below([value], paths=False))

    def call_function(self, function: Function, call: Call) -> Thing:
        """Follow a call into its body, or pass it by."""
        if not self.shallow or function.scope.file() is None:
            return super().call_function(function, call)
        made = self.unknown_call(call.of(function))
        self._pass(made)
        self.given.extend(values_in(made))
        return made

    def _pass(self, thing: Thing) -> None:
        self.passed.update(value.number for value in values_in(thing))

    def is_logical(self, value: Value) -> bool:
        """Whether a value is a boolean; one that was passed by might be."""
        self.is_missed = self.is_missed or value.number in self.passed
        return super().is_logical(value)

    def named_leaf(self, name: str, annotation: ast.expr | None = None, *, key: object = None) -> Thing:
        """An unknown value; an attribute or item of what was passed by was passed by too."""
        made = super().named_leaf(name, annotation, key=key)
        if isinstance(key, tuple) and not self.passed.isdisjoint(key):
            self._pass(made)
        return made

    def _as_called(self, name: str, thing: Thing) -> Thing:
        made = super()._as_called(name, thing)
        if isinstance(thing, Value) and thing.number in self.passed:
            self._pass(made)
        return made


def _factors(product: Value) -> Iterator[Value]:
    for arg in operands(product):
        yield from all_factors(arg)


def _below(roots: Iterable[Value], *, paths: bool = True) -> Iterator[Value]:
    """All that values are made of and, with `paths`, are computed under, through unknown values too."""
    seen: set[int] = set()
    stack = list(roots)
    while stack:
        value = stack.pop()
        if value.number not in seen:
            seen.add(value.number)
            yield value
            stack.extend(value.feeds if isinstance(value, Leaf) else operands(value))
            if paths and isinstance(value, Apply):
                stack.extend(assumption.condition for assumption in value.path)
