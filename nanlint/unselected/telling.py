"""Words for what is found: the finding's message, its witness, and what to do."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from nanlint.arithmetic import Arithmetic
from nanlint.cases import Proof
from nanlint.catalogue import OPS
from nanlint.finding import Confidence, Finding, Site, Witness
from nanlint.fixes.places import Places
from nanlint.graph import Apply, Value
from nanlint.messages import SELECTOR_WORDS, expression_of, inputs_of, named, poison_of, span_of
from nanlint.report import number
from nanlint.unselected.boundary import Boundary
from nanlint.unselected.infinite import Meeting
from nanlint.unselected.rewrites import larger_guard, without_meeting
from nanlint.unselected.vanishing import Vanished
from nanlint.unselected.window import at

_MOST_INPUTS = 3
_ROOTS = frozenset({"sqrt", "pow", "rsqrt", "float_power"})
_LOGARITHMS = frozenset({"log", "log2", "log10", "log1p", "xlogy"})


def of_boundary(found: Boundary, places: Places, a: Arithmetic) -> Finding:
    """The finding NAN301."""
    site = found.proof.site
    told = expression_of(site, places.source)
    selector = SELECTOR_WORDS[found.selector.op]
    place = _place(found.proof, found.condition)
    message = (
        f"`{told}` is singular at the end of its own condition: at {place} this {selector} takes it, "
        f"and its derivative is {_slope(found.proof, a)}"
    )
    value = at(found.proof.values, found.selector)
    finding = _finding("NAN301", found.selector, found.proof, value, places, a, found.condition)
    return replace(finding, message=message, confidence=found.confidence, note=_LEAVE_OUT)


_LEAVE_OUT = (
    "leave the end out of the condition (`>` in place of `>=`), and give the op a safe argument wherever it is not "
    "taken: `torch.where(condition, argument, 1.0)`"
)


def of_meeting(found: Meeting, places: Places, a: Arithmetic) -> Finding:
    """The finding NAN302."""
    told, zero = expression_of(found.site, places.source), _expression(found.zero, places)
    place = _place(found.proof, found.zero)
    slope = _slope(found.proof, a)
    if found.zero is found.site:
        message = f"`{told}` has a value but no gradient at {place}: its derivative there is nan"
    elif found.is_below:
        message = f"`{told}` has an infinite derivative where {zero} has none: at {place} {slope} * 0 = nan"
    else:
        message = (
            f"`{told}` has an infinite derivative where {zero} makes 0 of it: at {place} 0 * {slope} = nan"
        )
    value = at(found.proof.values, found.site if found.is_below else found.zero)
    if value != value:
        message += ", as is the value"
    fix = without_meeting(found, places)
    finding = _finding("NAN302", found.site, found.proof, value, places, a, found.zero)
    note = "" if fix is not None else _advice(found)
    return replace(finding, message=message, confidence=found.confidence, fix=fix, note=note)


def _advice(found: Meeting) -> str:
    op = found.site.op
    if op in _ROOTS:
        return (
            "add a small number inside the root, or replace what is 0 there by `torch.where` before the root"
        )
    if op in _LOGARITHMS:
        return (
            "keep 0 out of the logarithm by a `clamp` or a `torch.where` inside of it; the gradients of `xlogy` and "
            "`special.entr` are not finite at 0 either"
        )
    if OPS[op].overflows:
        return "write it so that nothing overflows (`torch.sigmoid`, `softplus`, `logsumexp`), or clamp the exponent"
    return "keep the argument off this point: clamp it to a range without it, or replace it there by `torch.where`"


def of_vanished(found: Vanished, places: Places, a: Arithmetic, function: str) -> Finding:
    """The finding NAN303; `function` is the text around, which may say that it computes in a wider dtype."""
    dtype = a.dtype.name
    guard, site = expression_of(found.guard, places.source), expression_of(found.proof.site, places.source)
    lost = f"{_short(found.constant.value)} is {_short(a.round(found.constant.value))} there"
    if a.round(found.constant.value) != found.aim:
        lost = "it is lost in rounding"
    value = found.proof.value
    what = f"is {value:g}" if not math.isfinite(value) else f"has the derivative {_slope(found.proof, a)}"
    message = (
        f"`{guard}` guards nothing in {dtype} ({lost}): at {_place(found.proof, found.guard)} `{site}` {what}"
    )
    confidence = Confidence.LOW if _is_wider(function, dtype) else found.confidence
    fix = larger_guard(found, places)
    bound = _short(found.holds) if found.aim == 0.0 else f"{_short(found.aim)} and {_short(found.holds)}"
    distance = "at least" if found.aim == 0.0 else "a distance between"
    note = "" if fix else f"{dtype} needs {distance} {bound} here; or compute this in a wider dtype"
    finding = _finding("NAN303", found.guard, found.proof, value, places, a, found.guard)
    return replace(finding, message=message, confidence=confidence, fix=fix, note=note)


_WIDER = {
    "float64": re.compile(r"(?!)"),
    "float32": re.compile(r"\.double\(|\bfloat64\b|torch\.double\b"),
}
_WIDER["bfloat16"] = _WIDER["float16"] = re.compile(
    r"\.(double|float)\(|\bfloat(32|64)\b|torch\.(double|float)\b"
)
"""What says that a function computes in a wider dtype than the configured one."""


def _is_wider(function: str, dtype: str) -> bool:
    return _WIDER[dtype].search(function) is not None


def _finding(
    code: str, where: Apply, proof: Proof, value: float, places: Places, a: Arithmetic, other: Value
) -> Finding:
    source, site = places.source, proof.site
    told = Site(site.op, span_of(site.node, source), expression_of(site, source), poison_of(proof, a))
    witness = Witness(inputs_of(proof, other), value, named(proof.gradients, proof.gradients))
    return Finding(code, source.path, span_of(where.node, source), "", Confidence.MEDIUM, (told,), witness)


def _expression(value: Apply, places: Places) -> str:
    return f"`{expression_of(value, places.source)}`" if value.node is not None else f"`{value.op}`"


def _place(proof: Proof, other: Value) -> str:
    inputs = list(inputs_of(proof, other).items())[:_MOST_INPUTS]
    return ", ".join(f"{name} = {number(value)}" for name, value in inputs) or "every input"


def _slope(proof: Proof, a: Arithmetic) -> str:
    """The local derivative of the site: inf, -inf or nan."""
    site = proof.site
    args = [at(proof.values, arg) for arg in site.args]
    slopes = OPS[site.op].backward(a, 1.0, proof.values[site.number], *args)
    broken = [s for s, arg in zip(slopes, site.args, strict=True) if arg.grad and not math.isfinite(s)]
    return f"{broken[0]:g}" if broken else "inf"


def _short(value: float) -> str:
    return f"{value:.12g}"
