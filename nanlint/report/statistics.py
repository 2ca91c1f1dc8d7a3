"""How often each code was found, in place of the findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nanlint.report import Checked, Look


def render(files: Sequence[Checked], look: Look) -> str:
    """A line a code: how often, which, `[*]` if `--fix` repairs all of them, and what it stands for."""
    from nanlint.rules import registry  # here: rules bring their docs, which only findings need

    findings = [finding for file in files for finding in file.findings]
    counts = Counter(finding.code for finding in findings)
    unfixable = {finding.code for finding in findings if not look.fixes(finding)}
    width = len(str(max(counts.values(), default=0)))
    rules = registry()
    return "\n".join(
        f"{count:>{width}}  {look.paint(code, fg='red', bold=True)}  "
        f"[{' ' if code in unfixable else '*'}]  {rules[code].summary}"
        for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
