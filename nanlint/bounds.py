"""What bounds on a value say of the ops below it: who gives them to a root or a ratio, and who to something else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nanlint.catalogue import OPS
from nanlint.catalogue.totals import LIKE_ELEMENTS
from nanlint.graph import MOST_VALUES, Apply, Constant, Leaf, Value, closure, each_once
from nanlint.plausibility import constant_of
from nanlint.relevance import all_factors

_LOG_PROBABILITY = re.compile(
    r"log_?probs?(?![a-z])|logp(?![a-z])|logps(?![a-z])|log_?softmax|log_?likelihood"
)
_EVEN_OR_ODD = frozenset({"cosh", "sinh"})
"""What overflows, but is no inverse of a logarithm."""
_LIKE_ITS_PARTS = frozenset({*LIKE_ELEMENTS, "neg", "mul", "div", "phi", "where", "masked_fill"})


def is_not_for_bounds(site: Apply, operand: Value, values: Mapping[int, float]) -> bool:
    """Whether bounds on `operand`, which is made of an op, say nothing of its poison.

    A root or a logarithm is given bounds because its argument reaches 0, an exponential because it overflows. What
    bounds a quotient says nothing of a divisor that is 0, nor of a reciprocal unless that itself is bounded. The
    exponential of a difference is a ratio of two values of one kind; that of probabilities is bounded because a policy
    may leave the one it is compared with far behind.
    """
    site = _divided_by(operand, site, values) or site
    if site.op == "reciprocal":
        return _unscaled(operand).number != site.number and not _orders_quotients(operand, site)
    if site.op == "div":
        return not _orders_quotients(operand, site)
    if site.op == "pow":
        exponent = values.get(site.args[1].number, constant_of(site.args[1]))
        return not 0.0 < exponent < 1.0
    return is_ratio(site) and not _is_of_probabilities(site)


def _divided_by(operand: Value, site: Apply, values: Mapping[int, float]) -> Apply | None:
    """The quotient by something that is 0 as a root below it is; None if the root is not in a divisor."""
    if site.op != "sqrt":
        return None
    below = closure((operand,), MOST_VALUES)
    for part in (part for part in below if isinstance(part, Apply) and part.op == "div"):
        divisor = part.args[1]
        if values.get(divisor.number) == 0.0 and site.number in {
            v.number for v in closure((divisor,), MOST_VALUES)
        }:
            return part
    return None


def _unscaled(value: Value) -> Value:
    """`1 / x` for `-2 / x`, which is lowered as a multiple of it."""
    while isinstance(value, Apply):
        rest = [arg for arg in value.args if not isinstance(arg, Constant)]
        if value.op not in ("identity", "neg", "abs", "mul", "clamp_min", "clamp_max") or len(rest) != 1:
            break
        value = rest[0]
    return value


def _orders_quotients(operand: Value, site: Apply) -> bool:
    """Whether `operand` is made of the smaller, or the larger, of two quotients by the divisor of `site`.

    So are the distances at which a ray enters and leaves a box: where it is parallel to a side they are infinite, and
    the other sides decide.
    """
    return any(
        all(_is_divided_at(site, arg) for arg in value.args)
        for value in closure((operand,), MOST_VALUES)
        if isinstance(value, Apply) and value.op in ("minimum", "maximum")
    )


def _is_divided_at(site: Apply, value: Value) -> bool:
    """Whether a value is divided by what a site divides by, or multiplied with the reciprocal that it is."""
    if site.op == "reciprocal":
        return site.number in {factor.number for factor in all_factors(value)}
    return isinstance(value, Apply) and value.op == "div" and value.args[1].number == site.args[1].number


def _is_of_probabilities(ratio: Apply) -> bool:
    """Whether a ratio is called one of probabilities, that are kept as logarithms, or compares with one held fixed."""
    below = closure(ratio.args, MOST_VALUES)
    named = any(isinstance(value, Leaf) and _LOG_PROBABILITY.search(value.name) for value in below)
    return named or any(
        isinstance(value, Apply) and value.op == "sub" and _is_to_fixed(value) for value in below
    )


def _is_to_fixed(difference: Apply) -> bool:
    """Whether a difference is one to a value that the code has detached: `policy - agent.detach()`."""
    return difference.grad and any(
        isinstance(arg, Apply) and arg.op == "identity" and not arg.grad and arg.args[0].grad
        for arg in difference.args
    )


def is_ratio(site: Apply) -> bool:
    """Whether an op is the exponential of a difference: the ratio of two values that are kept as logarithms."""
    return OPS[site.op].overflows and site.op not in _EVEN_OR_ODD and _is_difference(site.args[0])


@each_once
def _is_difference(value: Value) -> bool:
    """Whether a value is, or in some branch may be, the difference of two that are no constants, scaled or averaged."""
    if not isinstance(value, Apply):
        return False
    if value.op == "sub":
        return not any(isinstance(arg, Constant) for arg in value.args)
    return value.op in _LIKE_ITS_PARTS and any(_is_difference(arg) for arg in value.args)
