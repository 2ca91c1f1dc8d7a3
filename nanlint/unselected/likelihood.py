"""How likely the inputs of a hazard without a selector are: no condition says that they occur."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.cases import Proof
from nanlint.catalogue import OPS
from nanlint.finding import Confidence
from nanlint.graph import MOST_VALUES, Apply, Constant, Leaf, Value, closure
from nanlint.lower.conventions import counts_something, is_count_name
from nanlint.plausibility import is_far_fetched, is_offset, is_setting
from nanlint.unselected.window import at

LOGARITHMS = frozenset({"log", "log2", "log10", "log1p"})
POWERS = frozenset({"pow", "float_power"})
_SMALLEST_INPUT = 1e-6
"""Nothing in the code asks for a smaller number that is not 0."""
_GIVEN = re.compile(r"(params?|config|cfg|args|opts?|options|settings|self)\..*", re.IGNORECASE)
_HOW_MANY = re.compile(r"(^|_)(len|total|epochs?)(_|$)|total", re.IGNORECASE)


def likelihood(proof: Proof, zero: Apply, a: Arithmetic) -> Confidence:
    """The confidence that the inputs of a proof may occur: medium, or low where the code speaks against it."""
    poisoned = poisoned_args(proof, a)
    doubts = (
        is_far_fetched(proof),
        any(0.0 < abs(value) < _SMALLEST_INPUT for value in proof.inputs.values()),
        all(is_setting(arg) or is_offset(arg, proof.values) for arg in poisoned),
        any(map(_is_never_exact, _leaves(proof.site))),
        any(map(_is_given, (leaf for arg in poisoned for leaf in _leaves(arg)))),
        _has_unknown_exponent(proof.site),
        OPS[proof.site.op].overflows and not _is_reciprocal(zero),
    )
    return Confidence.LOW if any(doubts) else Confidence.MEDIUM


def _leaves(value: Value) -> list[Leaf]:
    return [part for part in closure((value,), MOST_VALUES) if isinstance(part, Leaf)]


def _is_never_exact(leaf: Leaf) -> bool:
    """Whether a value is what a layer or an unknown function makes, or is trained: no such number is met exactly."""
    return leaf.name == "parameter" or (leaf.opaque and leaf.region == R.FINITE)


def _is_given(leaf: Leaf) -> bool:
    """Whether a value is a setting by its name, or says how many there are: the caller's to avoid."""
    name = leaf.name.split("[", 1)[0]
    said = _GIVEN.search(name) or _HOW_MANY.search(name)
    return bool(said) or counts_something(name) or is_count_name(name)


def _has_unknown_exponent(site: Apply) -> bool:
    """Whether it takes a certain exponent, of which the code does not say that it occurs."""
    return site.op in POWERS and not isinstance(site.args[1], Constant)


def _is_reciprocal(value: Value) -> bool:
    """Whether a constant is divided: `1 / (1 + x.exp())` is mostly meant to come to 0."""
    is_quotient = isinstance(value, Apply) and value.op == "div" and isinstance(value.args[0], Constant)
    return is_quotient or (isinstance(value, Apply) and value.op == "reciprocal")


def poisoned_args(proof: Proof, a: Arithmetic) -> Sequence[Value]:
    """The arguments of the site that lie in their poison sets."""
    site = proof.site
    points = tuple(R.point(at(proof.values, arg)) for arg in site.args)
    poison = OPS[site.op].poison(a, *points)
    found = [arg for arg, bad, point in zip(site.args, poison, points, strict=True) if bad & point]
    return found or [arg for arg in site.args if not isinstance(arg, Constant)]
