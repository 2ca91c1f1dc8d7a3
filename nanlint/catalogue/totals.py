"""Sums and means of a row, seen from one element and another one: as what the row's own elements are compared with."""

from __future__ import annotations

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import Op
from nanlint.catalogue.reductions import sum_image
from nanlint.catalogue.rounding import attained
from nanlint.catalogue.rows import fused, row
from nanlint.catalogue.sums import add_undefined, narrow_add
from nanlint.regions import Region

TOTALS = {"sum": "total", "mean": "average"}
"""What a reduction of one element is called where there is another one."""
SUMS = frozenset({"sum", "mean", *TOTALS.values()})
LIKE_ELEMENTS = frozenset({"masked_select", "identity", *SUMS})
"""What is 0 for one element where its argument is."""


def _average_narrow(a: Arithmetic, out: Region, x: Region, other: Region) -> tuple[Region, ...]:
    """Twice the average is the sum."""
    return narrow_add(a, R.add(out, out), x, other)


ROWS: tuple[Op, ...] = (
    row(
        "total",
        Arithmetic.add,
        lambda a, g, y, x, other: (g, g),
        lambda a, x, other: attained(R.add(x, sum_image(a, other)), a),
        narrow_add,
        parameters=("input", "another"),
        undefined=add_undefined,
        derivative="sum: grad.expand_symint(self.sym_sizes()), of two elements",
        spellings=(),
    ),
    row(
        "average",
        fused(lambda w, x, other: w.div(w.add(x, other), 2.0)),
        lambda a, g, y, x, other: (a.div(g, 2.0), a.div(g, 2.0)),
        lambda a, x, other: R.hull(x | other) | attained(R.add(x, other), a) & R.INFINITIES,
        _average_narrow,
        parameters=("input", "another"),
        undefined=add_undefined,
        derivative="mean: grad.expand_symint(self.sym_sizes()) / self.sym_numel(), of two elements",
        spellings=(),
    ),
)
