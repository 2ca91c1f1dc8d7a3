"""Words for hazards: the finding's message, its sites and its witness."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping

from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.cases import Proof
from nanlint.catalogue import OPS
from nanlint.catalogue.emptied import OF_ROWS
from nanlint.config import Config
from nanlint.finding import Finding, Site, Span, Witness
from nanlint.graph import Apply, Kind, Value
from nanlint.hazards import Hazard
from nanlint.regions import Interval, Region
from nanlint.relevance import speaks_of
from nanlint.report import number
from nanlint.source import Source

_LONGEST = 48
_MOST_INPUTS = 3
SELECTOR_WORDS = {
    "where": "`torch.where`",
    "mul": "mask product",
    "masked_fill": "`masked_fill`",
    "masked_select": "selection",
    "largest": "selection",
    "smallest": "selection",
    "clamp_min": "`clamp`",
    "clamp_max": "`clamp`",
    "relu": "`relu`",
    "threshold": "`threshold`",
    "hardtanh": "`hardtanh`",
    "maximum": "maximum",
    "minimum": "minimum",
    "fmax": "`fmax`",
    "fmin": "`fmin`",
    "nan_to_num": "`nan_to_num`",
}


def describe(found: list[Hazard], source: Source, config: Config) -> Finding:
    """The finding of one selector; the first hazard is the one told in full."""
    hazard = found[0]
    proof = hazard.proofs[0]
    code = hazard.row.singular_code if proof.singular else hazard.row.overflow_code
    a = ARITHMETIC[config.dtype]
    return Finding(
        code=code,
        path=source.path,
        span=span_of(hazard.selector.node, source),
        message=_message(hazard, proof, source, a),
        confidence=hazard.confidence,
        sites=_sites(found, source, a),
        witness=_witness(hazard, proof),
    )


def span_of(node: ast.AST | None, source: Source) -> Span:
    """Where an expression or statement stands."""
    assert isinstance(node, (ast.expr, ast.stmt))
    return source.span(node)


def _message(hazard: Hazard, proof: Proof, source: Source, a: Arithmetic) -> str:
    expression = expression_of(proof.site, source)
    place = _place(hazard, proof)
    slope = _slope(proof, a)
    selector = SELECTOR_WORDS[hazard.selector.op]
    verb = "is dropped by" if hazard.drop is not None else "is multiplied by 0 in"
    told = f"`{expression}` {verb} this {selector}, but its gradient is not: at {place}"
    if hazard.drop is None and not math.isfinite(proof.value):
        told += " the product is nan already, and"
    return f"{told} the derivative is {slope}, and 0 * {slope} = nan"


def expression_of(site: Apply, source: Source) -> str:
    """The text of an op on one line, cut where it is long."""
    assert isinstance(site.node, (ast.expr, ast.stmt))
    text = " ".join(source.slice(source.span(site.node)).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _place(hazard: Hazard, proof: Proof) -> str:
    inputs = relevant_inputs(hazard, proof)
    told = [f"{name} = {number(value)}" for name, value in list(inputs.items())[:_MOST_INPUTS]]
    return ", ".join(told) if told else "some input"


def relevant_inputs(hazard: Hazard, proof: Proof) -> dict[str, float]:
    """The inputs that the condition and the singular op depend on, by the name a person would use."""
    return inputs_of(proof, hazard.condition)


def inputs_of(proof: Proof, *others: Value) -> dict[str, float]:
    """The inputs that the singular op, which comes first, and other values depend on, by name."""
    wanted = set().union(*map(speaks_of, (proof.site, *others)))
    site = speaks_of(proof.site)
    own = proof.site.node if proof.site.op in OF_ROWS else None  # what its other elements make of a row
    chosen = [
        value
        for value in proof.inputs
        if value.number in wanted and not _is_control(value) and (own is None or value.node is not own)
    ]
    chosen.sort(key=lambda value: value.number not in site)
    return named(chosen, proof.inputs)


def named(values: Iterable[Value], numbers: Mapping[Value, float]) -> dict[str, float]:
    """What values are, by the name a person would use."""
    named: dict[str, float] = {}
    for value in values:
        name = getattr(value, "name", "value")
        while name in named:
            name += "'"
        named[name] = numbers[value]
    return named


def _is_control(value: Value) -> bool:
    """Whether a free value stands for a Python branch, not for a number in the computation."""
    return value.kind is Kind.NUMBER and getattr(value, "name", "") in ("branch", "test", "bits")


def _slope(proof: Proof, a: Arithmetic) -> str:
    """The local derivative at the witness: inf, -inf or nan."""
    site = proof.site
    args = [proof.values.get(arg.number, 0.0) for arg in site.args]
    slopes = OPS[site.op].backward(a, 1.0, proof.values[site.number], *args)
    broken = [s for s, arg in zip(slopes, site.args, strict=True) if arg.grad and not math.isfinite(s)]
    return "inf" if not broken else "nan" if broken[0] != broken[0] else "inf" if broken[0] > 0 else "-inf"


def _sites(found: list[Hazard], source: Source, a: Arithmetic) -> tuple[Site, ...]:
    sites: dict[int, Site] = {}
    for hazard in found:
        for proof in hazard.proofs:
            site = proof.site
            assert isinstance(site.node, (ast.expr, ast.stmt))
            sites.setdefault(
                id(site.node),
                Site(site.op, source.span(site.node), expression_of(site, source), poison_of(proof, a)),
            )
    return tuple(sites.values())


def poison_of(proof: Proof, a: Arithmetic) -> str:
    """Where the site's argument is poisoned, as a region."""
    site = proof.site
    points = tuple(
        Region((Interval(v, v),)) for v in (proof.values.get(arg.number, 0.0) for arg in site.args)
    )
    for arg, poison, at in zip(site.args, OPS[site.op].poison(a, *points), points, strict=True):
        if poison & at and arg.grad:
            return str(_unlimited(poison, a))
    return number(proof.values.get(site.args[0].number, 0.0))


def _unlimited(region: Region, a: Arithmetic) -> Region:
    """A region for people: what reaches the largest number is said to reach infinity, the smallest is 0."""
    return Region(tuple(_plain(part, a) for part in region.intervals))


def _plain(part: Interval, a: Arithmetic) -> Interval:
    lo, lo_open = _plain_end(part.lo, part.lo_open, a)
    hi, hi_open = _plain_end(part.hi, part.hi_open, a)
    return Interval(lo, hi, lo_open, hi_open) if lo < hi else Interval(lo, lo)


def _plain_end(end: float, is_open: bool, a: Arithmetic) -> tuple[float, bool]:
    if abs(end) < a.dtype.tiny:
        return 0.0, False
    if abs(end) >= a.largest:
        return math.copysign(math.inf, end), True
    near = float(
        f"{end:.6g}"
    )  # a bound found by bisection lies a rounding step beside the number that is meant
    return (near, False) if near == round(near, 3) and end != near else (end, is_open)


def _witness(hazard: Hazard, proof: Proof) -> Witness:
    gradients = named(proof.gradients, proof.gradients)
    return Witness(relevant_inputs(hazard, proof), proof.value, gradients)
