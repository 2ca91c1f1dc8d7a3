"""What a run found, in the formats it can be reported in: one module a format, each with a `render`."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nanlint.finding import Applicability, Finding, Position
from nanlint.source import Place, Source

FORMATS = ("text", "concise", "json", "sarif", "github")

_FOR_DISPLAY = {
    **{code: 0x2400 + code for code in range(32) if code != ord("\t")},
    **dict.fromkeys((*range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
}
"""Control characters, with those that turn the direction of writing: they would act on the terminal."""


@dataclass(frozen=True)
class Checked:
    """A file and what was found in it; `source` is None if it could not be read."""

    path: str
    source: Source | None
    findings: tuple[Finding, ...]

    def place(self, position: Position) -> Place:
        """Where a position of the source is: in a notebook, which cell, and the line within it."""
        if self.source is None:
            return Place(None, position.line, position.column)
        return self.source.locate(position)

    def where(self, position: Position) -> str:
        """A place as `losses.py:14:15` or `seed.ipynb:cell 2:5:9`."""
        place = self.place(position)
        cell = "" if place.cell is None else f"cell {place.cell}:"
        return visible(f"{self.path}:{cell}{place.line}:{place.column}")


@dataclass(frozen=True)
class Look:
    """How findings are shown: whether in colour, and whether unsafe fixes count as fixable."""

    color: bool = False
    unsafe_fixes: bool = False

    def fixes(self, finding: Finding) -> bool:
        """Whether `--fix`, with the options given, would apply the fix of this finding."""
        fix = finding.fix
        return fix is not None and (fix.applicability is Applicability.SAFE or self.unsafe_fixes)

    def paint(self, text: str, **style: Any) -> str:
        """`text` in the given `click.style`, or as it is without colour."""
        if not self.color:
            return text
        import click  # here, since only a terminal gets colours

        return click.style(text, **style)


def render(output_format: str, files: Sequence[Checked], look: Look) -> str:
    """The report on `files` in one of `FORMATS`, without a newline at its end; empty if it says nothing."""
    # imported by name: a run uses one format, and json and difflib cost 10 ms each
    report = importlib.import_module(f"nanlint.report.{output_format}").render(files, look)
    assert isinstance(report, str)
    return report


def summary(files: Sequence[Checked], look: Look, fixed: int = 0, would: bool = False) -> str:
    """The sentence at the end of a report for people.

    `fixed` is the number of findings repaired already, or with `would` of those that would be.
    """
    findings = [finding for file in files for finding in file.findings]
    if fixed:
        return f"{'Would fix' if would else 'Fixed'} {fixed}, {len(findings)} remaining."
    if not findings:
        return "All checks passed."
    noun = "finding" if len(findings) == 1 else "findings"
    safe = sum(look.fixes(finding) for finding in findings)
    unsafe = sum(finding.fix is not None for finding in findings) - safe
    hints = [f"{safe} fixable with --fix"] if safe else []
    hints += [f"{unsafe}{' more' if safe else ''} fixable with --fix --unsafe-fixes"] if unsafe else []
    return f"Found {len(findings)} {noun}" + (f" ({', '.join(hints)})." if hints else ".")


def number(value: float) -> str:
    """A number as a person would write it."""
    return repr(float(f"{value:.6g}"))


def one_line(message: str) -> str:
    """`message` without line breaks and control characters."""
    return visible(re.sub(r"\s*[\r\n]\s*", " ", message))


def visible(text: str) -> str:
    """`text` with control characters, tabs excepted, replaced by signs for them."""
    return text.translate(_FOR_DISPLAY)
