"""Workflow commands of GitHub Actions: findings become annotations of the changed lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nanlint.finding import Finding
from nanlint.report import Checked, Look
from nanlint.report.concise import line

_DATA: dict[str, str | int | None] = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: dict[str, str | int | None] = {**_DATA, ":": "%3A", ",": "%2C"}


def render(files: Sequence[Checked], look: Look) -> str:
    """The findings of all files as one `::error` command each."""
    plain = replace(look, color=False)
    return "\n".join(_command(file, finding, plain) for file in files for finding in file.findings)


def _command(file: Checked, finding: Finding, look: Look) -> str:
    """The message repeats the place: the log of a job shows only that, and notebooks have no lines there."""
    properties: dict[str, object] = {
        "file": file.path,
        **_extent(file, finding),
        "title": f"nanlint ({finding.code})",
    }
    given = ",".join(f"{name}={_escaped(str(value), _PROPERTY)}" for name, value in properties.items())
    return f"::error {given}::{_escaped(line(file, finding, look), _DATA)}"


def _extent(file: Checked, finding: Finding) -> dict[str, int]:
    """Lines and columns; none in a notebook, whose cells have no lines in the file."""
    start, end = file.place(finding.span.start), file.place(finding.span.end)
    if start.cell is not None:
        return {}
    return {"line": start.line, "col": start.column, "endLine": end.line, "endColumn": end.column}


def _escaped(text: str, signs: dict[str, str | int | None]) -> str:
    return text.translate(str.maketrans(signs))
