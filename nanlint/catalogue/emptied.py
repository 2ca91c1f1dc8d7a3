"""Rows of a softmax of which nothing is left, and what is made of the nan that they give."""

from __future__ import annotations

import math
from dataclasses import replace

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import Op
from nanlint.catalogue.rows import row
from nanlint.regions import Region

EMPTIED = frozenset({"softmax", "logsumexp"})
"""Ops that are singular where all elements of a row are minus infinity: no other one has a pole there."""

ABSENT = frozenset({"log_weight"})
"""Ops that are minus infinity for an element that is, while the others of its row are not."""
LEFT = {"softmax": "row_weight", "log_softmax": "log_weight"}
"""What gives an element its weight, or the logarithm of it, in a row of which something is left."""

OF_ROWS = EMPTIED | ABSENT
"""Ops of which an element is made of all of its row."""

_LARGEST_IN_HALF = 6e4


def _weight(a: Arithmetic, x: float, weight: float) -> float:
    """What the row gives to an element: anything, but nan where all elements are minus infinity as this one is."""
    return weight if math.isfinite(x) else A.NAN


def _weight_gradient(a: Arithmetic, g: float, y: float, x: float, weight: float) -> tuple[float, ...]:
    return (g if math.isfinite(x) else A.NAN, g)


def _weight_poison(a: Arithmetic, x: Region, weight: Region) -> tuple[Region, ...]:
    return x & R.INFINITIES, R.EMPTY


def _row_weight(a: Arithmetic, x: float, weight: float) -> float:
    """What the row gives to an element: nothing to one that is not there."""
    return 0.0 if x == -math.inf else weight


def _row_weight_image(a: Arithmetic, x: Region, weight: Region) -> Region:
    return weight | R.ZERO if x & R.point(-math.inf) else weight


def _log_weight(a: Arithmetic, x: float, weight: float) -> float:
    """The logarithm of what the row gives to an element, of which an element that is not there has none."""
    return -math.inf if x == -math.inf else weight


def _log_weight_image(a: Arithmetic, x: Region, weight: Region) -> Region:
    return weight | (x & R.point(-math.inf))


def _left_gradient(a: Arithmetic, g: float, y: float, x: float, weight: float) -> tuple[float, ...]:
    """What arrives at one element is subtracted from all of the row."""
    return 0.0, g


def _sum_of_products(a: Arithmetic, x: float, y: float, total: float) -> float:
    """Anything, but nan where the product with this element has no finite value."""
    product = a.mul(x, y)
    return a.add(total, a.sub(product, product))


def _contraction_gradient(
    a: Arithmetic, g: float, result: float, x: float, y: float, total: float
) -> tuple[float, ...]:
    return a.mul(g, y), a.mul(g, x), g


def _may_overflow(x: Region, y: Region, total: Region) -> bool:
    """Whether a product may be infinite, in the shortest dtype even."""
    sizes = [max(abs(region.lo), abs(region.hi)) if region else 0.0 for region in (x, y)]
    return not sizes[0] * sizes[1] < _LARGEST_IN_HALF


ROWS: tuple[Op, ...] = (
    replace(
        row(
            "softmax",
            _weight,
            _weight_gradient,
            lambda a, x, weight: weight,
            parameters=("input", "weight"),
            undefined=lambda x, weight: bool(x & R.INFINITIES),
            poison=_weight_poison,
            safe=(0.0, None),
            derivative="_softmax: _softmax_backward_data(grad, result, dim, self.scalar_type())",
            spellings=(),
        ),
        is_replaceable=False,
    ),
    row(
        "row_weight",
        _row_weight,
        _left_gradient,
        _row_weight_image,
        parameters=("input", "weight"),
        derivative="_softmax: _softmax_backward_data(grad, result, dim, self.scalar_type())",
        spellings=(),
    ),
    replace(
        row(
            "log_weight",
            _log_weight,
            _left_gradient,
            _log_weight_image,
            parameters=("input", "weight"),
            poison=_weight_poison,
            safe=(0.0, None),
            derivative="_log_softmax: _log_softmax_backward_data(grad, result, dim, self.scalar_type())",
            spellings=(),
        ),
        is_replaceable=False,
    ),
    row(
        "contraction",
        _sum_of_products,
        _contraction_gradient,
        lambda a, x, y, total: total,
        parameters=("input", "mat2", "total"),
        undefined=_may_overflow,
        derivative="mm: self: mm_mat1_backward(grad, mat2, ...), mat2: mm_mat2_backward(grad, self, ...)",
        spellings=(),
    ),
)
