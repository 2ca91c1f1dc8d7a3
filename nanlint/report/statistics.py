"""How often each code was found, in place of the findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nanlint.report import Checked, Look
from nanlint.rules import registry


def render(files: Sequence[Checked], look: Look) -> str:
    """A line a code, the most frequent first: how often, which, a mark of what `--fix` does, and the name.

    The mark is `[*]` if `--fix` repairs all of them, `[-]` for some, `[ ]` for none.
    """
    findings = [finding for file in files for finding in file.findings]
    counts = Counter(finding.code for finding in findings)
    fixable = Counter(finding.code for finding in findings if look.fixes(finding))
    width = len(str(max(counts.values(), default=0)))
    return "\n".join(
        f"{count:>{width}}  {look.paint(code, fg='red', bold=True)}  "
        f"{_mark(fixable[code], count)}  {registry()[code].name}"
        for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _mark(fixable: int, count: int) -> str:
    return "[*]" if fixable == count else "[-]" if fixable else "[ ]"
