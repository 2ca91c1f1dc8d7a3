"""What can be said for or against a witness: whether such numbers occur, and what a condition speaks of."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nanlint import regions as R
from nanlint.by_name import has_ends_reversed, is_beyond_training, is_positive_by_name
from nanlint.catalogue.emptied import LEFT, OF_ROWS
from nanlint.catalogue.structure import CONTRACTING, SATURATES
from nanlint.catalogue.totals import LIKE_ELEMENTS, SUMS
from nanlint.facts import Constraint
from nanlint.graph import MOST_VALUES, Apply, Constant, Kind, Leaf, Value, closure, each_once, operands
from nanlint.lower.conventions import is_given_setting
from nanlint.relevance import is_held_against_number, speaks_of
from nanlint.sites import called_name

if TYPE_CHECKING:
    from nanlint.cases import Proof

_SOFTMAX = re.compile(r"^[\w.]*softmax\(|\.softmax\([^()]*\)$")
_LARGEST_EXPONENT = 4.0
_LARGEST_INPUT, _SMALLEST_INPUT = 7000.0, 1e-15
_LEAST_UNDEFINED = 1e-9
"""What is closer to 0 leaves the domain of an op by less than the epsilon that is added to it."""
_LEAST_SCALE = 1e-3
"""What is called a temperature or a cutoff is hardly smaller."""
_SATURATION_DEPTH = 40
_USUAL_SIZE = 50.0
_GROWING = frozenset({"exp", "exp2", "expm1", "sinh", "cosh", "pow", "square", "mul"})
"""Ops that are infinite, or whose derivatives are, where their arguments are large."""
_ROUNDING = frozenset({"round", "floor", "ceil", "trunc", "sign", "heaviside", "div_floor", "div_trunc"})
"""What has a gradient of 0 everywhere: nothing is trained through it."""
_SMALL_OFFSET = 1e-3
_LENGTHS = frozenset({"norm", "sqrt", "square", "pow", "abs"})
"""Ops by which the length of a vector is computed."""
_DRAWN = frozenset({"rand", "rand_like"})
"""What gives a random number between 0 and 1."""


@each_once
def is_setting(value: Value) -> bool:
    """Whether a value is made of Python numbers alone, or is an attribute that nothing in the file assigns."""
    if isinstance(value, Apply):
        parts = [arg for arg in value.args if not isinstance(arg, Constant)]
        return value.kind is Kind.NUMBER or (bool(parts) and all(is_setting(part) for part in parts))
    if isinstance(value, Leaf):
        if is_given_setting(value):
            return True
        parts = [feed for feed in value.feeds if not isinstance(feed, Constant)]
        if parts and not value.grad and all(is_setting(part) for part in parts):
            return True  # made of settings: `torch.linspace(start, end, 10)`
    return value.kind is Kind.NUMBER and not isinstance(value, Constant)


def is_far_fetched(proof: Proof, operand: Value | None = None, *, asked: bool = False) -> bool:
    """Whether it takes numbers that nobody uses: huge or tiny inputs, exponents in `operand` beyond a small power.

    Where the poison itself is `asked` about, exponents that are made of it do not count: they are infinite with it.
    """
    site = proof.site
    spoken = speaks_of(site)
    odd = (
        is_beyond_training(leaf, v) or (_is_computed(leaf) and math.isinf(v))
        for leaf, v in proof.inputs.items()
    )
    if any(odd) or has_ends_reversed(proof.inputs):
        return True
    if any(_is_drawn_at_end(leaf, v) for leaf, v in proof.inputs.items() if leaf.number in spoken):
        return True
    scales = [v for leaf, v in proof.inputs.items() if v and is_positive_by_name(leaf)]
    if any(abs(v) < _LEAST_SCALE or (v < 0.0 and proof.singular) for v in scales):
        return True
    sizes = (abs(value) for leaf, value in proof.inputs.items() if leaf.number in spoken and value)
    inputs = list(filter(math.isfinite, sizes))  # an input is infinite only where the code asks about that
    undefined = proof.singular and math.isnan(proof.values.get(site.number, 0.0)) and site.op != "div"
    least = _LEAST_UNDEFINED if undefined else _SMALLEST_INPUT
    if any(value > _LARGEST_INPUT or value < least for value in inputs):
        return True
    largest = math.inf if any(map(math.isinf, proof.inputs.values())) else _LARGEST_EXPONENT
    exponents = _exponents((operand or site, site), without=site if asked else None)
    return any(abs(proof.values.get(exponent.number, 0.0)) > largest for exponent in exponents)


def _is_drawn_at_end(leaf: Value, at: float) -> bool:
    """Whether a random number is the 0 that ends its range: one of some million is."""
    return at == 0.0 and isinstance(leaf, Leaf) and called_name(leaf.node) in _DRAWN


def _is_computed(value: Value) -> bool:
    return isinstance(value, Leaf) and value.opaque


def _exponents(roots: Sequence[Value], without: Value | None) -> Sequence[Value]:
    """The exponents of powers below some values, but those that are made of one of them."""
    powers = (
        value for value in closure(roots, MOST_VALUES) if isinstance(value, Apply) and value.op == "pow"
    )
    found = [power.args[1] for power in powers if not isinstance(power.args[1], Constant)]
    if without is None:
        return found
    return [one for one in found if without.number not in {v.number for v in closure((one,), MOST_VALUES)}]


def is_total(value: Value) -> bool:
    """Whether a value is the sum of what a softmax gives, or of the largest of that: one of them is no small number.

    Nor is its square, or another power of it.
    """
    if not isinstance(value, Apply) or value.op not in SUMS:
        return False
    part = value.args[0]
    while isinstance(part, Apply) and (part.op in ("identity", "largest") or _is_power(part)):
        part = part.args[0]
    return isinstance(part, Leaf) and part.opaque and _SOFTMAX.search(part.name) is not None


def _is_power(value: Apply) -> bool:
    """Whether a value is a positive power of one other, however that is written."""
    if value.op == "mul":
        return value.args[0].number == value.args[1].number
    return value.op == "square" or (value.op == "pow" and constant_of(value.args[1]) > 0.0)


def is_picked_by_sum(value: Value) -> bool:
    """Whether a value is an element that is picked where a sum of such elements passes some number: it adds to that.

    So is the probability of the bin in which a quantile lies.
    """
    if not isinstance(value, Apply) or value.op != "masked_select":
        return False
    element, condition = value.args
    sums = (one for one in closure((condition,), MOST_VALUES) if isinstance(one, Apply) and one.op in SUMS)
    return any(element.number in {part.number for part in closure((one,), MOST_VALUES)} for one in sums)


def counts_itself(value: Value) -> bool:
    """Whether a value is the sum of what an identity matrix has been added to: the degree of a node with a loop."""
    if not isinstance(value, Apply) or value.op not in SUMS:
        return False
    part = value.args[0]
    while isinstance(part, Apply) and part.op == "identity":
        part = part.args[0]
    parts = part.args if isinstance(part, Apply) and part.op == "add" else ()
    return any(
        isinstance(one, Leaf) and called_name(one.node) == "eye"
        for part in parts
        for one in (part, *(part.args if isinstance(part, Apply) and part.op == "mul" else ()))
    )


def is_less_than_nothing(condition: Value, values: Mapping[int, float]) -> bool:
    """Whether something is dropped because a sum is negative, of which the code asks if it is more than 0.

    Who asks that counts something, or adds up weights: they may be all 0, and are never negative.
    """
    if not isinstance(condition, Apply) or condition.op not in ("gt", "lt"):
        return False
    total, number = condition.args if condition.op == "gt" else reversed(condition.args)
    added = isinstance(total, Apply) and total.op in SUMS and isinstance(number, Constant)
    return added and constant_of(number) == 0.0 and values.get(total.number, 0.0) < 0.0


def is_nothing_of_nothing(proof: Proof) -> bool:
    """Whether a quotient is 0 / 0: what is divided is a sum of products with that of which the divisor is the length.

    A contraction is a value of its own in the graph, so that a search may give it any number: but `a @ b` is 0, and
    `a @ b / (a.norm() * b.norm())` no number, where `a` is 0.
    """
    if proof.site.op != "div":
        return False
    over, under = proof.site.args
    while isinstance(over, Apply) and over.op in (*LIKE_ELEMENTS, "neg"):
        over = over.args[0]
    if not (isinstance(over, Leaf) and over.opaque and _is_contraction(over.node)):
        return False
    lengths = closure((under,), MOST_VALUES)
    zeros = {
        leaf.number for leaf in lengths if isinstance(leaf, Leaf) and proof.values.get(leaf.number) == 0.0
    }
    measured = any(isinstance(value, Apply) and value.op in _LENGTHS for value in lengths)
    return measured and not zeros.isdisjoint(speaks_of(over))


def _is_contraction(node: ast.AST | None) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.MatMult)
    return called_name(node) in CONTRACTING


def is_extreme(proof: Proof, poisoned: Sequence[Value]) -> bool:
    """Whether an op is infinite in a proof at what is out of the ordinary: who selects it away for that asks about it.

    The exponential of 89 is no accident: where that happens, something says `x > 20`. In half precision 12 is enough.
    Nor is a probability that is 0 by rounding, and divided by.
    """
    if proof.singular:
        return False
    sizes = [abs(proof.values.get(arg.number, constant_of(arg))) for arg in poisoned]
    return proof.site.op == "div" or (proof.site.op in _GROWING and min(sizes, default=0.0) > _USUAL_SIZE)


def is_behind_rounding(operand: Value, origin: Apply | None) -> bool:
    """Whether a gradient reaches `origin` through rounding alone, so that it is 0 whatever is selected.

    Without an origin, whether it reaches anything.
    """
    stack, seen = [operand], set[int]()
    while stack:
        value = stack.pop()
        if value.number == origin.number if origin is not None else isinstance(value, Leaf) and value.grad:
            return False
        if value.number not in seen and not (isinstance(value, Apply) and value.op in _ROUNDING):
            seen.add(value.number)
            stack.extend(arg for arg in operands(value) if arg.grad)
    return True


def saturated(site: Apply, values: Mapping[int, float]) -> bool:
    """Whether what reaches a site has run into the end of a range that it reaches by rounding only."""
    if site.op in OF_ROWS:
        return False
    below = closure(site.args, _SATURATION_DEPTH)
    gone = {
        part.args[1].number
        for part in below
        if isinstance(part, Apply)
        and part.op == LEFT["softmax"]
        and values.get(part.args[0].number) == -math.inf
    }
    for value in (value for value in below if value.number not in gone):
        at = values.get(value.number)
        if isinstance(value, Apply):
            argument = values.get(value.args[0].number, 0.0)
            if at in SATURATES.get(value.op, ()) and math.isfinite(argument):
                return True
        elif isinstance(value, Leaf) and value.opaque and value.region == R.UNIT and at in (0.0, 1.0):
            return True
    return False


def is_root_of_negative(site: Apply, values: Mapping[int, float]) -> bool:
    """Whether a negative number is raised to a computed power: that is a number for whole powers only."""
    if site.op != "pow" or isinstance(site.args[1], Constant):
        return False
    return values.get(site.args[0].number, 0.0) < 0.0


def is_sigmoid_gone(site: Apply, values: Mapping[int, float]) -> bool:
    """Whether what reaches a site is the 0 of a sigmoid, which takes an argument that no trained network has."""
    return any(
        isinstance(value, Apply)
        and value.op == "sigmoid"
        and values.get(value.number) == 0.0
        and math.isfinite(values.get(value.args[0].number, math.inf))
        for value in closure(site.args, _SATURATION_DEPTH)
    )


def divides_by_input(proof: Proof, condition: Value) -> bool:
    """Whether an input that a condition does not ask about would have to be 0: anything else is told instead."""
    if proof.site.op not in ("div", "reciprocal"):
        return False
    divisor = proof.site.args[-1]
    return isinstance(divisor, Leaf) and not divisor.opaque and not is_held_against_number(divisor, condition)


def constant_of(value: Value) -> float:
    return value.value if isinstance(value, Constant) else 0.0


def pinned(values: Sequence[Value], proof: Proof) -> list[Constraint]:
    """Each value is what it is in a proof."""
    return [
        Constraint(value, R.point(proof.values.get(value.number, constant_of(value)))) for value in values
    ]


@each_once
def is_offset(value: Value, values: Mapping[int, float]) -> bool:
    """Whether a number has been added, so that only exactly its negative gives 0: `x + eps`, `spectrum + 50.0`.

    One and two are added to what ends at their negatives, a cosine or its double.

    `values` are those of a witness; they say which of two branches it takes.
    """
    if not isinstance(value, Apply):
        return False
    if value.op == "phi":
        return is_offset(value.args[1 if values.get(value.args[0].number) else 2], values)
    if value.op in LIKE_ELEMENTS:
        return is_offset(value.args[0], values)
    return value.op == "add" and any(_is_small(arg) for arg in value.args)


def is_behind_offset(site: Apply, values: Mapping[int, float]) -> bool:
    """Whether what is infinite at a site was divided by what is 0 by an offset: `inf / inf` is no other accident."""
    if all(math.isfinite(values.get(arg.number, 0.0)) for arg in site.args):
        return False
    below = (part for part in closure(site.args, MOST_VALUES) if isinstance(part, Apply) and part.op == "div")
    zeros = [part.args[1] for part in below if values.get(part.args[1].number) == 0.0]
    return bool(zeros) and all(is_offset(zero, values) for zero in zeros)


def crossing(value: Value) -> tuple[Value, float] | None:
    """Of `1 + a * b`, the product and the number at which it gives 0; None for anything else.

    Two independent values whose product is exactly such a number are a coincidence, unless it ends the product's
    range, as 1 ends that of a cosine.
    """
    if not isinstance(value, Apply) or value.op not in ("add", "sub"):
        return None
    constants = [arg.value for arg in value.args if isinstance(arg, Constant)]
    others = [arg for arg in value.args if isinstance(arg, Apply) and arg.op in ("mul", "div")]
    if len(constants) != 1 or len(others) != 1 or constants[0] == 0.0:
        return None
    leaves = [leaf for leaf in closure(others, MOST_VALUES) if isinstance(leaf, Leaf)]
    at = constants[0] if value.op == "sub" else -constants[0]
    return (others[0], at) if len(leaves) > 1 else None


def _is_small(value: Value) -> bool:
    if isinstance(value, Constant):
        return value.value > 0.0 and value.value not in (1.0, 2.0)
    return isinstance(value, Leaf) and value.kind is Kind.NUMBER and 0.0 < value.region.hi <= _SMALL_OFFSET
