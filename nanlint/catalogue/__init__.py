"""The catalogue: the table of ops and the table of selectors, one row the whole truth about an op."""

from __future__ import annotations

from nanlint.catalogue import (
    activations,
    emptied,
    exponentials,
    extremes,
    logic,
    matrices,
    powers,
    reductions,
    selectors,
    special,
    steps,
    sums,
    totals,
    trigonometry,
)
from nanlint.catalogue.domains import Op
from nanlint.catalogue.selectors import SELECTORS, Drop, Selector

OPS: dict[str, Op] = {
    row.name: row
    for module in (
        sums,
        extremes,
        steps,
        powers,
        exponentials,
        trigonometry,
        activations,
        special,
        logic,
        matrices,
        reductions,
        totals,
        emptied,
        selectors,
    )
    for row in module.ROWS
}
SPELLINGS: dict[str, Op] = {spelling: row for row in OPS.values() for spelling in row.spellings}

__all__ = ["OPS", "SELECTORS", "SPELLINGS", "Drop", "Op", "Selector"]
