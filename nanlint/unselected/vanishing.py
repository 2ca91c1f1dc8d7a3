"""A guard that keeps an op off its singular point, but not in the dtype at hand (NAN303)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.cases import Proof
from nanlint.catalogue import OPS
from nanlint.finding import Confidence
from nanlint.graph import Apply, Constant, Kind, Value, closure
from nanlint.plausibility import is_far_fetched, is_setting
from nanlint.unselected.likelihood import poisoned_args
from nanlint.unselected.reach import Reach, is_written
from nanlint.unselected.window import Run, Window, at, shortened

_GUARDS = frozenset({"add", "sub", "mul", "clamp_min", "clamp_max", "maximum", "minimum", "where"})
_MOST_BELOW = 60
_MOST_TRIES = 60
_SMALL = 1e-2
"""What is added to keep an op off its singular point is no larger."""
_EXACT = ARITHMETIC["float64"]
_AIMS = (0.0, 1.0, -1.0)
"""The singular points that guards stand next to."""


@dataclass(frozen=True)
class Vanished:
    """A guard that is lost in rounding, the op that it guards no longer, and the inputs that show it.

    `constant` is the number of the guard, `aim` what it is rounded to, and `holds` the distance from there that a
    guard needs: the smallest power of ten with which nothing is singular.
    """

    proof: Proof
    guard: Apply
    constant: Constant
    aim: float
    holds: float
    confidence: Confidence


def vanished(site: Apply, reach: Reach, a: Arithmetic) -> Iterator[Vanished]:
    """The guards of `site` that vanish in the arithmetic `a`."""
    guards = list(_guards(site, a))
    if not guards:
        return
    window = Window(site, reach, a)
    base = window.facts()
    if base is None:
        return
    for target in window.targets(base):
        for tries, inputs in enumerate(window.candidates(base, target)):
            found = _found(window, inputs, guards)
            if found is not None:
                yield found
            if tries > _MOST_TRIES or (found is not None and found.confidence is not Confidence.LOW):
                break


@dataclass(frozen=True)
class _Guard:
    """An op with a small number in it, at the argument `index`, that rounding may lose."""

    op: Apply
    index: int
    constant: Constant
    aim: float

    def lost(self, values: Mapping[int, float], a: Arithmetic) -> bool:
        """Whether the result is what it would be without the number."""
        if a.round(self.constant.value) == self.aim:
            return True
        others = [arg for index, arg in enumerate(self.op.args) if index != self.index]
        return self.op.op in ("add", "sub") and values[self.op.number] == at(values, others[0])

    def with_distance(self, distance: float, values: Mapping[int, float], a: Arithmetic) -> float:
        """The result with another distance between the number and what it is rounded to."""
        constant = self.aim + math.copysign(distance, self.constant.value - self.aim)
        args = [at(values, arg) for arg in self.op.args]
        args[self.index] = a.round(constant)
        return OPS[self.op.op].value(a, *args)


def _guards(site: Apply, a: Arithmetic) -> Iterator[_Guard]:
    for value in closure((site,), _MOST_BELOW):
        if isinstance(value, Apply) and value.op in _GUARDS and is_written(value.node):
            for index, arg in enumerate(value.args):
                aim = _aim(arg)
                # what is added may be lost in a sum though it is no 0 itself
                may_vanish = arg.kind is Kind.NUMBER and value.op in ("add", "sub") and index == 1
                if (
                    isinstance(arg, Constant)
                    and aim is not None
                    and (a.round(arg.value) == aim or may_vanish)
                ):
                    yield _Guard(value, index, arg, aim)


def _aim(value: Value) -> float | None:
    """The singular point that a number is next to without being it."""
    if not isinstance(value, Constant):
        return None
    return next((aim for aim in _AIMS if 0.0 < abs(value.value - aim) <= _SMALL), None)


def _found(window: Window, inputs: Mapping[int, float], guards: list[_Guard]) -> Vanished | None:
    a = window.a
    rounded = {number: a.round(value) for number, value in shortened(inputs).items()}
    run = window.run(rounded)
    if run is None or run.upstream is None or not _is_broken(window, run):
        return None
    exact = window.run(rounded, _EXACT)
    if exact is None or _is_broken(window, exact):
        return None
    for guard in guards:
        if guard.lost(run.values, a):
            holds = _distance_that_holds(window, run, guard)
            if holds is not None:
                return _made(window, run, guard, holds)
    return None


def _is_broken(window: Window, run: Run) -> bool:
    """Whether a result or a gradient is not finite."""
    tops = [at(run.values, top) for top in window.tops if top.number in run.gradients.by_number]
    return not all(map(math.isfinite, tops)) or bool(window.arrived(run))


def _distance_that_holds(window: Window, run: Run, guard: _Guard) -> float | None:
    """The smallest power of ten that would keep everything finite; None where the guard is not to blame."""
    first = math.ceil(math.log10(abs(guard.constant.value - guard.aim)))
    for exponent in range(first, -1):
        distance = float(f"1e{exponent}")
        instead = {guard.op.number: guard.with_distance(distance, run.values, window.a)}
        again = window.run({**run.inputs, **instead})
        if again is not None and again.upstream is not None and not _is_broken(window, again):
            return distance
    return None


def _made(window: Window, run: Run, guard: _Guard, holds: float) -> Vanished:
    site = window.site
    gradients = window.arrived(run)
    free = window.free(run)
    proof = Proof(site, free, at(run.values, site), gradients, True, run.values, site)
    unlikely = is_far_fetched(proof) or all(map(is_setting, poisoned_args(proof, window.a)))
    confidence = Confidence.LOW if unlikely else Confidence.HIGH
    return Vanished(proof, guard.op, guard.constant, guard.aim, holds, confidence)
