"""How likely the inputs of a hazard without a selector are: no condition says that they occur."""

from __future__ import annotations

from collections.abc import Sequence

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.cases import Proof
from nanlint.catalogue import OPS
from nanlint.finding import Confidence
from nanlint.graph import MOST_VALUES, Constant, Leaf, Value, closure
from nanlint.plausibility import is_far_fetched, is_offset, is_setting
from nanlint.unselected.window import at


def likelihood(proof: Proof, a: Arithmetic) -> Confidence:
    """The confidence that the inputs of a proof may occur: medium, or low where the code speaks against it."""
    poisoned = poisoned_args(proof, a)
    if is_far_fetched(proof) or all(is_setting(arg) or is_offset(arg) for arg in poisoned):
        return Confidence.LOW
    if any(map(_is_never_exact, _leaves(proof.site))):
        return Confidence.LOW
    return Confidence.MEDIUM


def _leaves(value: Value) -> list[Leaf]:
    return [part for part in closure((value,), MOST_VALUES) if isinstance(part, Leaf)]


def _is_never_exact(leaf: Leaf) -> bool:
    """Whether a value is what a layer or an unknown function makes, or is trained: no such number is met exactly."""
    return leaf.name == "parameter" or (leaf.opaque and leaf.region == R.FINITE)


def poisoned_args(proof: Proof, a: Arithmetic) -> Sequence[Value]:
    """The arguments of the site that lie in their poison sets."""
    site = proof.site
    points = tuple(R.point(at(proof.values, arg)) for arg in site.args)
    poison = OPS[site.op].poison(a, *points)
    found = [arg for arg, bad, point in zip(site.args, poison, points, strict=True) if bad & point]
    return found or [arg for arg in site.args if not isinstance(arg, Constant)]
