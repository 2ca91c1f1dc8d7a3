"""One line a finding: place, code, message, `[*]` if `--fix` repairs it, and what torch says if it was asked."""

from __future__ import annotations

from collections.abc import Sequence

from nanlint.finding import Finding
from nanlint.report import Checked, Look, one_line
from nanlint.report.confirmation import brief


def render(files: Sequence[Checked], look: Look) -> str:
    """The findings of all files, each on a line of its own."""
    return "\n".join(line(file, finding, look) for file in files for finding in file.findings)


def line(file: Checked, finding: Finding, look: Look) -> str:
    """A finding as `losses.py:14:15: NAN101 message [*]`."""
    where = look.paint(file.where(finding.span.start), bold=True)
    code = look.paint(finding.code, fg="red", bold=True)
    mark = " " + look.paint("[*]", fg="cyan") if look.fixes(finding) else ""
    confirmation = one_line(brief(finding))
    said = f" {confirmation}" if confirmation else ""
    return f"{where}: {code} {one_line(finding.message)}{mark}{said}"
