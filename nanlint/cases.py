"""Cases: which operand a selector can drop, and by which condition."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC
from nanlint.catalogue import OPS, SELECTORS, Drop, Selector
from nanlint.catalogue.selectors import MASK_PRODUCT
from nanlint.facts import Constraint, solve
from nanlint.graph import MOST_VALUES, Apply, Constant, Leaf, Value, closure, each_once
from nanlint.relevance import SIGNS

Place: TypeAlias = tuple[str, int, int]
"""An op, and the line and column where it is written: another reading of a file has other nodes."""


def place_of(value: Apply) -> Place:
    """Where an op is written."""
    return value.op, getattr(value.node, "lineno", 0), getattr(value.node, "col_offset", 0)


@dataclass(frozen=True)
class Proof:
    """Concrete inputs for one site: the selector's value is finite and the gradients of `gradients` are nan."""

    site: Apply
    inputs: Mapping[Value, float]
    value: float
    gradients: Mapping[Value, float]
    singular: bool
    values: Mapping[int, float]
    origin: Apply
    """Where the nan arose: the site itself, or what multiplies its infinity by 0."""

    @property
    def places(self) -> tuple[Place, ...]:
        """Where the site is written, and where the nan arose."""
        return place_of(self.site), place_of(self.origin)


@dataclass(frozen=True)
class Scene:
    """What has to be run to see a proof: the values from which gradients of 1 go back."""

    proof: Proof
    roots: Sequence[Value]


@dataclass(frozen=True)
class Case:
    """One way in which a selector drops: `dropped` says when, `seed` holds the upstream gradients of backward."""

    selector: Apply
    row: Selector
    drop: Drop | None
    operand: Value
    condition: Value
    dropped: tuple[Constraint, ...]
    seed: Mapping[int, float]


def cases(selector: Apply) -> Iterator[Case]:
    """The ways in which a selector can drop elements through which gradient flows down to a singular op."""
    if not may_be_poisoned(selector):
        return
    if selector.op == "mul":
        yield from _mask_cases(selector)
        return
    row = SELECTORS[selector.op]
    for drop in row.drops:
        operand = selector.args[drop.operand]
        if operand.grad and selector.grad and not _only_flips(selector, drop):
            # the drop's region depends on facts, so it is made later; the condition alone is known here
            condition = selector.args[drop.by]
            own = SELECTORS["nan_to_num"] if is_repair(condition, operand) else row
            yield Case(selector, own, drop, operand, condition, (), {operand.number: 0.0})


def _only_flips(selector: Apply, drop: Drop) -> bool:
    """Whether what is dropped is taken nonetheless, with the other sign: `where(c, y, -y)`, `y[c] = -y[c]`."""
    if selector.op not in ("where", "masked_fill"):
        return False
    condition, others = selector.args[drop.by], [selector.args[i] for i in (1, 2) if selector.op == "where"]
    other = others[2 - drop.operand] if others else selector.args[2]
    mine, its = (_plain(value, condition) for value in (selector.args[drop.operand], other))
    return mine.number == its.number


def _plain(value: Value, condition: Value) -> Value:
    """`value` without its sign and without being selected by `condition`."""
    while isinstance(value, Apply) and (
        value.op in ("neg", "identity")
        or (value.op == "masked_select" and value.args[1].number == condition.number)
    ):
        value = value.args[0]
    return value


@each_once
def is_repair(condition: Value, operand: Value) -> bool:
    """Whether a condition asks if the operand's own value is finite: that repairs the value and no gradient."""
    if not isinstance(condition, Apply):
        return False
    if condition.op in ("not", "and", "or", "truth"):
        return any(is_repair(arg, operand) for arg in condition.args)
    asks = condition.op in ("isfinite", "isnan", "isinf")
    if condition.op in ("eq", "ne"):
        x, y = condition.args
        asks = x.number == y.number or (isinstance(y, Constant) and not math.isfinite(y.value))
    return asks and _magnitude_of(condition.args[0]).number == operand.number


def _magnitude_of(value: Value) -> Value:
    """`x` for `x.abs()`."""
    return value.args[0] if isinstance(value, Apply) and value.op == "abs" else value


def _mask_cases(product: Apply) -> Iterator[Case]:
    if not product.grad:
        return
    masks = [factor for factor in _factors(product) if is_mask(factor)]
    # what carries gradient is rather a factor that happens to be 0, unless there is nothing else
    for factor in [mask for mask in masks if not mask.grad] or masks[:1]:
        zero = (Constraint(factor, R.ZERO),)
        yield Case(product, MASK_PRODUCT, None, product, factor, zero, {product.number: 1.0})


def _factors(product: Apply) -> Iterator[Value]:
    """The factors of a product as written: `a * b * c` has three."""
    for arg in product.args:
        if isinstance(arg, Apply) and arg.op == "mul" and arg.node in _syntactic(product.node):
            yield from _factors(arg)
        else:
            yield arg


def _syntactic(node: ast.AST | None) -> Sequence[ast.AST]:
    return tuple(ast.iter_child_nodes(node)) if node is not None else ()


def may_be_poisoned(value: Value) -> bool:
    """Whether any singular op is below a value: below most is none, which is seen sooner than what they drop."""
    below = closure((value,), MOST_VALUES)
    return len(below) == MOST_VALUES or any(isinstance(v, Apply) and OPS[v.op].singular for v in below)


def is_mask(value: Value) -> bool:
    """Whether `value` is 0 or one other number, by way of a comparison or as an input that is called a mask.

    A comparison may also make it 0 throughout, such as one that holds everywhere. A sign is 0, too, or of size one.
    """
    if isinstance(value, Constant) or (isinstance(value, Leaf) and value.grad):
        return False
    if isinstance(value, Apply) and OPS[value.op].boolean:
        return True
    order = closure((value,), 60)
    facts = solve(order, (), ARITHMETIC["float32"])
    points = None if facts is None else facts.of(value).points
    if points is None or 0.0 not in points:
        return False
    made_by = {part.op for part in order if isinstance(part, Apply)}
    compares = any(OPS[op].boolean for op in made_by)
    signs = not made_by.isdisjoint(SIGNS) and {*points} <= {-1.0, 0.0, 1.0}
    return len(points) == 2 or signs or (compares and len(points) == 1)


__all__ = ["Case", "cases", "is_mask", "may_be_poisoned"]
