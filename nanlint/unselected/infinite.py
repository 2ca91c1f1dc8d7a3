"""An infinite derivative that meets a zero one without any selector between them (NAN302)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.cases import Proof
from nanlint.catalogue import OPS
from nanlint.finding import Confidence
from nanlint.graph import Apply, Kind, Leaf, Value
from nanlint.plausibility import is_far_fetched
from nanlint.relevance import speaks_of
from nanlint.unselected.likelihood import LOGARITHMS, POWERS, likelihood
from nanlint.unselected.reach import Reach
from nanlint.unselected.window import Run, Window, at, shortened

_MOST_TRIES = 60
_OTHERS = (2.0, 0.7, 1.0, -0.7)


@dataclass(frozen=True)
class Meeting:
    """A singular op, the op whose derivative is 0 where that of the first is infinite, and the inputs that show it.

    `is_below` says that the zero belongs to what the singular op is computed from, else to what is computed from it.
    """

    proof: Proof
    zero: Apply
    is_below: bool
    confidence: Confidence

    @property
    def site(self) -> Apply:
        """The op with the infinite derivative."""
        return self.proof.site


def meeting(site: Apply, reach: Reach, a: Arithmetic) -> Meeting | None:
    """The plainest inputs at which the infinite derivative of `site` is multiplied by 0; None without any."""
    window = Window(site, reach, a)
    base = window.facts()
    if base is None:
        return None
    best: Meeting | None = None
    for target in window.targets(base):
        for tries, inputs in enumerate(window.candidates(base, target)):
            found = _plainest(window, inputs)
            if found is not None and (best is None or _rank(found) < _rank(best)):
                best = found
            if tries > _MOST_TRIES or (best is not None and best.confidence is not Confidence.LOW):
                break
    return best


def _rank(found: Meeting) -> tuple[int, bool, float]:
    total = sum(abs(value) for value in found.proof.inputs.values())
    return found.confidence.rank, is_far_fetched(found.proof), total


def _plainest(window: Window, inputs: Mapping[int, float]) -> Meeting | None:
    """What inputs show, with shorter numbers where these do it too."""
    short = shortened(inputs)
    return _met(window, short) or (_met(window, inputs) if short != inputs else None)


def _met(window: Window, inputs: Mapping[int, float]) -> Meeting | None:
    run = window.run(inputs)
    zero = None if run is None else _zero(window, run)
    if run is None or zero is None:
        return None
    site = window.site
    gradients = {end: g for end, g in window.arrived(run).items() if g != g}
    proof = Proof(site, window.free(run), at(run.values, site), gradients, True, run.values, site)
    confidence = likelihood(proof, zero, window.a)
    is_below = zero.number != site.number and zero.number in window.below
    is_doubtful = _is_coincidence(window, run, zero)
    if is_below and not is_doubtful:
        is_doubtful = window.is_infinite_anyway(_general(window, run, zero))
    return Meeting(proof, zero, is_below, Confidence.LOW if is_doubtful else confidence)


def _zero(window: Window, run: Run) -> Apply | None:
    """The op whose derivative is 0 where that of the site is infinite, in a run that shows it.

    It is the site itself where that has a finite value and no derivative at all. None where no nan comes of it, or
    the results are not finite for another reason.
    """
    origin, site = run.gradients.origin, window.site
    if run.upstream is None or not math.isfinite(run.upstream):
        return None
    if origin is None or origin.number not in window.below or not _is_singular(site, run, window.a):
        return None
    if not any(g != g for g in window.arrived(run).values()):
        return None
    is_above = origin.number == site.number and run.upstream == 0.0
    zero = _zero_above(window, run) if is_above else origin
    is_entropy = is_above and site.op in LOGARITHMS and zero is not None and _is_nan_product(zero, run)
    is_fine = is_entropy or _is_fine(window, run)
    return zero if is_fine else None


def _is_coincidence(window: Window, run: Run, zero: Apply) -> bool:
    """Whether it takes a certain value of another input too, or of a setting."""
    own = speaks_of(window.site)
    moved = {
        value.number: given
        if value.number in own and value.kind is not Kind.NUMBER
        else _another(value, given)
        for value, given in window.free(run).items()
    }
    again = window.run(moved)
    still = None if again is None else _zero(window, again)
    return still is None or still.number != zero.number


def _general(window: Window, run: Run, zero: Apply) -> Run:
    """The same with other values for all inputs whose own is not needed, one after the other."""
    for value, given in window.free(run).items():
        again = window.run({**run.inputs, value.number: _another(value, given)})
        still = None if again is None else _zero(window, again)
        if again is not None and still is not None and still.number == zero.number:
            run = again
    return run


def _another(value: Value, given: float) -> float:
    """Another value that a free one may have; the same if it has no other."""
    region = value.region if isinstance(value, Leaf) else R.FINITE
    return next((other for other in _OTHERS if other in region and other != given), given)


def _is_singular(site: Apply, run: Run, a: Arithmetic) -> bool:
    """Whether it is the site that makes an infinity of a gradient, or a nan although its own value is finite."""
    args = [at(run.values, arg) for arg in site.args]
    value = run.values[site.number]
    slopes = OPS[site.op].backward(a, 1.0, value, *args)
    flowing = [slope for slope, arg in zip(slopes, site.args, strict=True) if arg.grad]
    # the exponent of a negative base has no derivative, and mostly is no tensor
    fine = all(map(math.isfinite, [value, *args])) and site.op not in POWERS
    return any(map(math.isinf, flowing)) or (fine and any(slope != slope for slope in flowing))


def _zero_above(window: Window, run: Run) -> Apply | None:
    """The op above the site whose derivative made 0 of a gradient that was none."""
    silent = {window.site.number}
    for value in window.above[1:]:
        if silent.isdisjoint(arg.number for arg in value.args):
            continue
        gradient = run.gradients.by_number.get(value.number)
        if gradient is not None and gradient != 0.0:
            return value
        silent.add(value.number)
    return None


def _is_fine(window: Window, run: Run) -> bool:
    """Whether all that is computed from the site is finite."""
    tops = (at(run.values, top) for top in window.tops if top.number in run.gradients.by_number)
    return all(map(math.isfinite, tops))


def _is_nan_product(zero: Apply, run: Run) -> bool:
    """Whether a product is nan because one factor is 0 and the other a logarithm of 0, as in `x * x.log()`."""
    return zero.op == "mul" and any(at(run.values, arg) == 0.0 for arg in zero.args)
