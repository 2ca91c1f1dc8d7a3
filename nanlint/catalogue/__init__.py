"""The catalogue: the table of ops and the table of selectors, one row the whole truth about an op."""

from __future__ import annotations

from nanlint.catalogue import binary, elementary, logic, reductions, selectors
from nanlint.catalogue.domains import Op
from nanlint.catalogue.selectors import SELECTORS, Drop, Selector

OPS: dict[str, Op] = {
    row.name: row
    for rows in (elementary.ROWS, binary.ROWS, logic.ROWS, reductions.ROWS, selectors.ROWS)
    for row in rows
}
SPELLINGS: dict[str, Op] = {spelling: row for row in OPS.values() for spelling in row.spellings}

__all__ = ["OPS", "SELECTORS", "SPELLINGS", "Drop", "Op", "Selector"]
