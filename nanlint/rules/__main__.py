"""`python -m nanlint.rules`: prints the page of all rules, which is kept as docs/rules.md."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator

from nanlint.rules import Rule, registry

_HEADING = re.compile(r"^## ", re.MULTILINE)
_PREAMBLE = """\
# Rules

<!-- Made by `python -m nanlint.rules > docs/rules.md` from the docstrings in nanlint/rules/. -->

In NAN1xx and NAN2xx the last two digits say which selector drops the elements. NAN1xx is poison by a singular point
of the dropped operand, NAN2xx by overflow alone. NAN3xx are about no dropped operand. `nanlint --explain CODE` prints
the section of one code."""


def page(rules: Iterable[Rule]) -> str:
    """The rules in Markdown: a table of all, then a section each."""
    rules = list(rules)
    blocks = [_PREAMBLE, "\n".join(_table(rules)), *(_section(rule) for rule in rules)]
    return "\n\n".join(blocks) + "\n"


def _table(rules: Iterable[Rule]) -> Iterator[str]:
    yield "| code | name | selector | what it reports | fix | on by default |"
    yield "|---|---|---|---|---|---|"
    for rule in rules:
        link = f"[{rule.code}](#{_title(rule).lower().replace(' ', '-')})"
        on = "yes" if rule.default else "no"
        yield f"| {link} | {rule.name} | {rule.family or 'none'} | {rule.summary} | {rule.fixable} | {on} |"


def _section(rule: Rule) -> str:
    docs = _HEADING.sub("### ", rule.docs)
    return f"## {_title(rule)}\n\n{rule.summary}\n\n{docs}"


def _title(rule: Rule) -> str:
    return f"{rule.code} {rule.name}"


if __name__ == "__main__":
    sys.stdout.write(page(registry().values()))
