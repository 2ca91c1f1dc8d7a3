"""Selectors: the ops that let some elements of an operand through and drop the others.

Each is an op like the others (a value, a backward, an image) and a list of `Drop`s: which operand is dropped, and
what must hold for that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import ANY, Op, everywhere, never, pure, spelled
from nanlint.catalogue.logic import truth
from nanlint.regions import Region


@dataclass(frozen=True)
class Drop:
    """One way in which a selector drops an operand.

    `operand` is the dropped argument's index, `by` the index of the argument that decides. The drop happens when the
    deciding argument lies in `where(regions)`, or is nan if `by_nan`; `holds(values)` says the same of concrete values.
    """

    operand: int
    by: int
    where: Callable[[tuple[Region, ...]], Region]
    holds: Callable[[tuple[float, ...]], bool]
    by_nan: bool = False


@dataclass(frozen=True)
class Selector:
    """A row of the selector table: the op's name, the last digit of its codes, and its drops."""

    op: str
    family: int
    drops: tuple[Drop, ...]

    @property
    def singular_code(self) -> str:
        """The code for poison by a singular point."""
        return f"NAN10{self.family}"

    @property
    def overflow_code(self) -> str:
        """The code for poison by magnitude alone."""
        return f"NAN20{self.family}"


def _pick(c: float, x: float, y: float) -> float:
    return x if c != 0.0 else y


def _where_image(a: Arithmetic, c: Region, x: Region, y: Region) -> Region:
    can_hold, can_fail = truth(c)
    return (x if can_hold else R.EMPTY) | (y if can_fail else R.EMPTY)


def _where_narrow(a: Arithmetic, out: Region, c: Region, x: Region, y: Region) -> tuple[Region, ...]:
    can_hold, can_fail = truth(c)
    can_hold, can_fail = can_hold and bool(x & out), can_fail and bool(y & out)
    condition = (c - R.ZERO if can_hold else R.EMPTY) | (c & R.ZERO if can_fail else R.EMPTY)
    return condition, (x if can_fail else x & out), (y if can_hold else y & out)


def _clamp_min_narrow(a: Arithmetic, out: Region, x: Region, m: Region) -> tuple[Region, ...]:
    """What is under the floor may come out as the floor."""
    if not out or not m:
        return R.EMPTY, m
    return x & (out | R.below(m.hi) if m & out else out), m


def _clamp_max_narrow(a: Arithmetic, out: Region, x: Region, m: Region) -> tuple[Region, ...]:
    if not out or not m:
        return R.EMPTY, m
    return x & (out | R.above(m.lo) if m & out else out), m


def _row(
    name: str,
    parameters: tuple[str, ...],
    value: Callable[..., float],
    backward: Callable[..., tuple[float, ...]],
    image: Callable[..., Region],
    narrow: Callable[..., tuple[Region, ...]],
    derivative: str,
    spellings: tuple[str, ...],
    further: Mapping[str, object] = MappingProxyType({}),
) -> Op:
    return Op(
        name=name,
        parameters=parameters,
        value=lambda a, *args: value(*args),
        backward=lambda a, g, y, *args: backward(g, *args),
        image=image,
        narrow=narrow,
        undefined=never,
        poison=lambda a, *regions: tuple(R.EMPTY for _ in regions),
        safe=(None,) * len(parameters),
        derivative=derivative,
        spellings=spellings,
        further=further,
    )


def _clean(x: float, nan: float, posinf: float, neginf: float) -> float:
    if x != x:
        return nan
    return posinf if x == math.inf else neginf if x == -math.inf else x


def _clean_image(a: Arithmetic, x: Region, nan: Region, posinf: Region, neginf: Region) -> Region:
    region = (x & R.FINITE) | nan
    return region | (posinf if math.inf in x else R.EMPTY) | (neginf if -math.inf in x else R.EMPTY)


def _same(a: Arithmetic, x: Region, *rest: Region) -> Region:
    return x


def _threshold_image(a: Arithmetic, x: Region, t: Region, v: Region) -> Region:
    return (x & R.above(t.lo)) | v


ROWS: tuple[Op, ...] = (
    _row(
        "where",
        ("condition", "input", "other"),
        _pick,
        lambda g, c, x, y: (0.0, g if c != 0.0 else 0.0, 0.0 if c != 0.0 else g),
        _where_image,
        _where_narrow,
        "where: where(condition, grad, 0), where(condition, 0, grad)",
        ("torch.where",),
    ),
    _row(
        "phi",
        ("condition", "input", "other"),
        _pick,
        lambda g, c, x, y: (0.0, g if c != 0.0 else 0.0, 0.0 if c != 0.0 else g),
        _where_image,
        _where_narrow,
        "a Python branch: only one side runs",
        (),
    ),
    _row(
        "masked_fill",
        ("input", "mask", "value"),
        lambda x, m, v: v if m != 0.0 else x,
        lambda g, x, m, v: (0.0 if m != 0.0 else g, 0.0, g if m != 0.0 else 0.0),
        lambda a, x, m, v: _where_image(a, m, v, x),
        lambda a, out, x, m, v: tuple(_where_narrow(a, out, m, v, x)[i] for i in (2, 0, 1)),
        "masked_fill: grad.masked_fill(mask, 0)",
        (*spelled("masked_fill"), *spelled("masked_scatter")),
    ),
    _row(
        "masked_select",
        ("input", "mask"),
        lambda x, m: x,
        lambda g, x, m: (g if m != 0.0 else 0.0, 0.0),
        _same,
        lambda a, out, x, m: (x & out, m),
        "masked_select: masked_select_backward(grad, self, mask)",
        pure("masked_select"),
    ),
    _row(
        "clamp_min",
        ("input", "min"),
        lambda x, m: math.nan if x != x or m != m else max(x, m),
        lambda g, x, m: (g if x >= m else 0.0, g if x < m else 0.0),
        lambda a, x, m: R.upper_of(x, m),
        _clamp_min_narrow,
        "clamp_min: where(self >= min, grad, 0), where(self < min, grad, 0)",
        everywhere("clamp_min"),
    ),
    _row(
        "clamp_max",
        ("input", "max"),
        lambda x, m: math.nan if x != x or m != m else min(x, m),
        lambda g, x, m: (g if x <= m else 0.0, g if x > m else 0.0),
        lambda a, x, m: R.lower_of(x, m),
        _clamp_max_narrow,
        "clamp_max: where(self <= max, grad, 0), where(self > max, grad, 0)",
        everywhere("clamp_max"),
    ),
    _row(
        "hardtanh",
        ("input", "min", "max"),
        lambda x, lo, hi: x if x != x else min(max(x, lo), hi),
        lambda g, x, lo, hi: (0.0 if x <= lo or x >= hi else g, 0.0, 0.0),
        lambda a, x, lo, hi: R.lower_of(R.upper_of(x, lo), hi),
        lambda a, out, x, lo, hi: (x, lo, hi),
        "hardtanh: hardtanh_backward(grad, self, min_val, max_val)",
        (),
    ),
    _row(
        "threshold",
        ("input", "threshold", "value"),
        lambda x, t, v: x if x > t or x != x else v,
        lambda g, x, t, v: (0.0 if x <= t else g, 0.0, 0.0),
        _threshold_image,
        lambda a, out, x, t, v: ((x if v & out else x & out), t, v),
        "threshold: threshold_backward(grad, self, threshold)",
        (
            "torch.threshold",
            "torch.threshold_",
            "torch.nn.functional.threshold",
            "torch.nn.functional.threshold_",
        ),
        {"inplace": ANY},
    ),
    _row(
        "nan_to_num",
        ("input", "nan", "posinf", "neginf"),
        _clean,
        lambda g, x, *rest: (g * (1.0 if math.isfinite(x) else 0.0), 0.0, 0.0, 0.0),
        _clean_image,
        lambda a, out, x, *rest: (x, *rest),
        "nan_to_num: grad * at::isfinite(self)",
        everywhere("nan_to_num"),
    ),
)


def _false(index: int) -> Callable[[tuple[Region, ...]], Region]:
    return lambda regions: regions[index] & R.ZERO


def _true(index: int) -> Callable[[tuple[Region, ...]], Region]:
    return lambda regions: regions[index] - R.ZERO


def _outdone(operand: int, other: int, by_nan: bool = False) -> Drop:
    """The operand is the smaller of the two, or a nan where nans lose."""

    def holds(values: tuple[float, ...]) -> bool:
        return values[operand] < values[other] or (by_nan and values[operand] != values[operand])

    return Drop(operand, operand, lambda r: r[operand] & R.below(r[other].hi), holds, by_nan)


def _undercut(operand: int, other: int, by_nan: bool = False) -> Drop:
    """The operand is the larger of the two, or a nan where nans lose."""

    def holds(values: tuple[float, ...]) -> bool:
        return values[operand] > values[other] or (by_nan and values[operand] != values[operand])

    return Drop(operand, operand, lambda r: r[operand] & R.above(r[other].lo), holds, by_nan)


SELECTORS: dict[str, Selector] = {
    row.op: row
    for row in (
        Selector(
            "where",
            1,
            (
                Drop(1, 0, _false(0), lambda v: v[0] == 0.0),
                Drop(2, 0, _true(0), lambda v: v[0] != 0.0),
            ),
        ),
        Selector(
            "masked_fill",
            3,
            (
                Drop(0, 1, _true(1), lambda v: v[1] != 0.0),
                Drop(2, 1, _false(1), lambda v: v[1] == 0.0),
            ),
        ),
        Selector("masked_select", 4, (Drop(0, 1, _false(1), lambda v: v[1] == 0.0),)),
        Selector("clamp_min", 5, (Drop(0, 0, lambda r: r[0] & R.below(r[1].hi), lambda v: v[0] < v[1]),)),
        Selector("clamp_max", 5, (Drop(0, 0, lambda r: r[0] & R.above(r[1].lo), lambda v: v[0] > v[1]),)),
        Selector("relu", 5, (Drop(0, 0, lambda r: r[0] & R.below(0.0, True), lambda v: v[0] <= 0.0),)),
        Selector(
            "hardtanh",
            5,
            (
                Drop(0, 0, lambda r: r[0] & R.below(r[1].hi, True), lambda v: v[0] <= v[1]),
                Drop(0, 0, lambda r: r[0] & R.above(r[2].lo, True), lambda v: v[0] >= v[2]),
            ),
        ),
        Selector(
            "threshold", 5, (Drop(0, 0, lambda r: r[0] & R.below(r[1].hi, True), lambda v: v[0] <= v[1]),)
        ),
        Selector("largest", 4, (_outdone(0, 1), _outdone(1, 0))),
        Selector("smallest", 4, (_undercut(0, 1), _undercut(1, 0))),
        Selector("maximum", 5, (_outdone(0, 1), _outdone(1, 0))),
        Selector("minimum", 5, (_undercut(0, 1), _undercut(1, 0))),
        Selector("fmax", 5, (_outdone(0, 1, by_nan=True), _outdone(1, 0, by_nan=True))),
        Selector("fmin", 5, (_undercut(0, 1, by_nan=True), _undercut(1, 0, by_nan=True))),
        Selector(
            "nan_to_num",
            6,
            (Drop(0, 0, lambda r: r[0] & R.INFINITIES, lambda v: not math.isfinite(v[0]), by_nan=True),),
        ),
    )
}
MASK_PRODUCT = Selector("mul", 2, ())
"""A product with a mask: `mul` is a selector only where a factor is a mask, so its drop is found by the analysis."""
