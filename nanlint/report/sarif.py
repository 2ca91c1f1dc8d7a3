"""SARIF 2.1.0, which code scanning services and editors read."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nanlint import __version__
from nanlint.finding import Confidence, Edit, Finding, Fix, Site, Span
from nanlint.report import Checked, Look, one_line
from nanlint.report.confirmation import told as confirmed
from nanlint.rules import registry

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Confidence.HIGH: "error", Confidence.MEDIUM: "warning", Confidence.LOW: "note"}


def render(files: Sequence[Checked], look: Look) -> str:
    """The findings of all files as a SARIF log with one run."""
    results = [_result(file, finding) for file in files for finding in file.findings]
    codes = sorted({result["ruleId"] for result in results})
    driver = {"name": "nanlint", "version": __version__, "rules": [_rule(code) for code in codes]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: str) -> dict[str, Any]:
    rule = registry()[code]
    return {
        "id": code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "help": {"text": rule.docs, "markdown": rule.docs},
    }


def _result(file: Checked, finding: Finding) -> dict[str, Any]:
    related = [_related(file, site) for site in finding.sites]
    fixes = [_fix(file, finding.fix)] if finding.fix is not None and not _is_notebook(file, finding) else []
    confirmation = one_line(confirmed(finding))
    return {
        "ruleId": finding.code,
        "level": _LEVELS[finding.confidence],
        "message": {"text": _message(file, finding)},
        "locations": [{"physicalLocation": _location(file, finding.span)}],
        **({"relatedLocations": related} if related else {}),
        **({"fixes": fixes} if fixes else {}),
        **({"properties": {"confirmation": confirmation}} if confirmation else {}),
    }


def _message(file: Checked, finding: Finding) -> str:
    """The message; in a notebook with its place, since cells have no lines in the file."""
    message = one_line(finding.message)
    place = file.place(finding.span.start)
    return message if place.cell is None else f"cell {place.cell}:{place.line}:{place.column}: {message}"


def _is_notebook(file: Checked, finding: Finding) -> bool:
    return file.place(finding.span.start).cell is not None


def _related(file: Checked, site: Site) -> dict[str, Any]:
    message = f"{site.expression}: poisoned at {site.poison}"
    return {"physicalLocation": _location(file, site.span), "message": {"text": message}}


def _location(file: Checked, span: Span) -> dict[str, Any]:
    artifact = {"artifactLocation": {"uri": _uri(file.path)}}
    in_cell = file.place(span.start).cell is not None
    return artifact if in_cell else {**artifact, "region": _region(file, span)}


def _region(file: Checked, span: Span) -> dict[str, int]:
    start, end = file.place(span.start), file.place(span.end)
    return {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }


def _fix(file: Checked, fix: Fix) -> dict[str, Any]:
    change = {
        "artifactLocation": {"uri": _uri(file.path)},
        "replacements": [_replacement(file, edit) for edit in fix.edits],
    }
    description = f"{fix.style} ({fix.applicability.value})"
    return {"description": {"text": description}, "artifactChanges": [change]}


def _replacement(file: Checked, edit: Edit) -> dict[str, Any]:
    return {
        "deletedRegion": _region(file, edit.span),
        "insertedContent": {"text": edit.replacement},
    }


def _uri(path: str) -> str:
    """A relative reference for a relative path, which services resolve against the checkout."""
    if os.path.isabs(path):
        return Path(path).as_uri()
    reference = quote(os.fsencode(path), safe="/:")
    # a colon before the first slash would read as the end of a scheme
    return f"./{reference}" if ":" in reference.partition("/")[0] else reference
