"""What a function returns besides the selector's value: whether a singular op breaks that in forward already."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from nanlint.arithmetic import Arithmetic
from nanlint.cases import Case, Proof
from nanlint.graph import MOST_VALUES, PART, Apply, Constant, Leaf, Value, closure
from nanlint.witness import forward

_MOST_SINKS = 60
_MOST_PARTS = 4
_OTHERS = (1.0, 0.5, -2.0)
"""Values of what a witness says nothing of."""


class Results:
    """The results of a function (`sinks`) that one case of a selector stands in."""

    def __init__(self, case: Case, sinks: Sequence[Value], a: Arithmetic) -> None:
        self.case, self.sinks, self.a = case, sinks, a
        self._used: dict[int, list[tuple[Apply, list[Value]]]] = {}

    def are_broken(self, proof: Proof) -> bool:
        """Whether the site is used without the selector too, and makes a result there that is no number."""
        if math.isfinite(proof.values[proof.site.number]):
            return False
        return any(self._breaks(sink, order, proof) for sink, order in self._uses(proof.site))

    def are_marked(self, proof: Proof) -> bool:
        """Whether the function returns the nan, or the infinity, that the code writes in place of what is dropped."""
        selector = self.case.selector
        if self.case.drop is None:
            return False
        known = {leaf.number: at for leaf, at in proof.inputs.items()} | {selector.number: proof.value}
        for sink, order in self._uses(selector):
            marked = any(map(self._is_mark, order))
            if not marked and not math.isinf(proof.value):
                continue
            inputs = {v.number: 1.0 for v in order if isinstance(v, Leaf)} | known
            values = forward(order, inputs, self.a, void=True)
            if values is not None and _is_reached(sink, values):
                at = values[sink.number]
                if math.isinf(at) or (marked and math.isnan(at)):
                    return True
        return False

    def _is_mark(self, value: Value) -> bool:
        """Whether a value is no number wherever the operand is dropped, as one that is picked and put into nan."""
        if not isinstance(value, Apply) or value.op != "masked_fill":
            return False
        base, condition = value.args[:2]
        same = condition.number == self.case.condition.number
        return same and isinstance(base, Constant) and not math.isfinite(base.value)

    def _uses(self, site: Apply) -> list[tuple[Apply, list[Value]]]:
        """The results that are computed from a site, with all that they are made of."""
        if site.number not in self._used:
            found = self._used[site.number] = []
            for sink in self.sinks[:_MOST_SINKS]:
                if isinstance(sink, Apply):
                    order = closure((sink, *(p.condition for p in sink.path)), MOST_VALUES)
                    numbers = {value.number for value in order}
                    counts = self.case.selector.number in numbers or not _is_statistic(sink)
                    if counts and site.number in numbers:
                        found.append((sink, order))
        return self._used[site.number]

    def _breaks(self, sink: Apply, order: list[Value], proof: Proof) -> bool:
        """Whether `sink` is not finite because of the site's value, whatever the selector makes of it."""
        known = {leaf.number: at for leaf, at in proof.inputs.items()}
        known |= {p.condition.number: float(p.truth) for p in self.case.selector.path}
        known[self.case.selector.number] = 1.0
        free = [value for value in order if isinstance(value, Leaf) and value.number not in known]
        parts = [leaf.number for leaf in free if leaf.name == PART][:_MOST_PARTS]
        choices = itertools.product((1.0, 0.0), repeat=len(parts))
        return any(
            self._is_broken(sink, order, proof.site, free, known | dict(zip(parts, choice, strict=True)))
            for choice in choices
        )

    def _is_broken(
        self, sink: Apply, order: list[Value], site: Apply, free: list[Leaf], known: Mapping[int, float]
    ) -> bool:
        """Whether `sink` is broken by the value of `site`, whatever the `free` values are that nobody knows."""
        for number in _OTHERS:
            inputs = {leaf.number: number for leaf in free if number in leaf.region} | dict(known)
            broken = forward(order, inputs, self.a)
            if broken is None or math.isfinite(broken[sink.number]) or not _is_reached(sink, broken):
                return False
            others = (forward(order, inputs | {site.number: other}, self.a) for other in _OTHERS)
            if not any(whole is not None and math.isfinite(whole[sink.number]) for whole in others):
                return False
        return True


def _is_statistic(sink: Value) -> bool:
    """Whether a result is shown, not trained with: it has no gradient, or is a mean beside the loss."""
    while isinstance(sink, Apply) and sink.grad and sink.op in ("div", "mul", "neg", "identity"):
        sink = sink.args[0]
    return not sink.grad or (isinstance(sink, Apply) and sink.op in ("sum", "mean"))


def _is_reached(value: Apply, values: Mapping[int, float]) -> bool:
    """Whether a value is computed at all, by the assumptions that it is computed under."""
    held = (bool(values.get(p.condition.number, float(p.truth))) == p.truth for p in value.path)
    return all(held)
