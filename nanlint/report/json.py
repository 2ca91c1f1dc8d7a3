"""An array of findings for other programs; the keys are a contract, which docs/json.md spells out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from nanlint.finding import Confirmation, Edit, Finding, Fix, Position, Site, Span, Witness
from nanlint.report import Checked, Look


def render(files: Sequence[Checked], look: Look) -> str:
    """The findings of all files as one JSON array."""
    found = [_finding(file, finding) for file in files for finding in file.findings]
    return json.dumps(found, indent=2, allow_nan=False)


def number(value: float) -> float | str:
    """A value that JSON can hold: itself if it is finite, else "nan", "inf" or "-inf"."""
    return value if math.isfinite(value) else str(float(value))


def _finding(file: Checked, finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "path": file.path,
        **_extent(file, finding.span),
        "message": finding.message,
        "confidence": finding.confidence.value,
        "sites": [_site(file, site) for site in finding.sites],
        "witness": _witness(finding.witness),
        "fix": _fix(file, finding.fix),
        **({"note": finding.note} if finding.note else {}),
        **_confirmation(finding.confirmation),
    }


def _extent(file: Checked, span: Span) -> dict[str, int]:
    end = _point(file, span.end)
    return {**_point(file, span.start), "end_line": end["line"], "end_column": end["column"]}


def _point(file: Checked, position: Position) -> dict[str, int]:
    """Line and column; in a notebook, those within a cell, and the cell's number."""
    place = file.place(position)
    cell = {} if place.cell is None else {"cell": place.cell}
    return {**cell, "line": place.line, "column": place.column}


def _site(file: Checked, site: Site) -> dict[str, Any]:
    extent = _extent(file, site.span)
    return {"op": site.op, **extent, "expression": site.expression, "poison": site.poison}


def _witness(witness: Witness | None) -> dict[str, Any] | None:
    if witness is None:
        return None
    return {
        "inputs": _numbers(witness.inputs),
        "value": number(witness.value),
        "gradient": _numbers(witness.gradient),
    }


def _confirmation(made: Confirmation | None) -> dict[str, Any]:
    """What torch says; no key at all if it was not asked."""
    if made is None:
        return {}
    told = {
        "torch": made.torch,
        "verdict": made.verdict.value,
        "gradient": None if made.gradient is None else _numbers(made.gradient),
        "after_fix": None if made.after_fix is None else _numbers(made.after_fix),
        "reason": made.reason or None,
    }
    return {"confirmation": told}


def _numbers(values: Mapping[str, float]) -> dict[str, float | str]:
    return {name: number(value) for name, value in values.items()}


def _fix(file: Checked, fix: Fix | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    edits = [_edit(file, edit) for edit in fix.edits]
    return {"style": fix.style, "applicability": fix.applicability.value, "edits": edits}


def _edit(file: Checked, edit: Edit) -> dict[str, Any]:
    start, end = _point(file, edit.span.start), _point(file, edit.span.end)
    return {"start": start, "end": end, "replacement": edit.replacement}
