"""What torch says of a finding, in words."""

from __future__ import annotations

from collections.abc import Mapping

from nanlint.finding import Confirmation, Finding, Verdict
from nanlint.report import number


def told(finding: Finding) -> str:
    """As `confirmed by torch 2.13.0: gradient of x at 0.0 is nan; after the fix 12.9`; empty if torch was not asked."""
    made = finding.confirmation
    if made is None:
        return ""
    if made.verdict is Verdict.NOT_RUN or made.gradient is None:
        return f"not run by torch: {made.reason}"
    word = "confirmed" if made.verdict is Verdict.CONFIRMED else "not confirmed"
    names, values = ", ".join(made.gradient), _numbers(made.gradient)
    how = f" ({made.reason})" if made.reason else ""
    return f"{word} by torch {made.torch}: gradient of {names}{_at(finding, made)} is {values}{_after(made)}{how}"


def brief(finding: Finding) -> str:
    """As `(confirmed by torch 2.13.0)`; empty if torch was not asked."""
    whole = told(finding)
    return f"({whole.partition(':')[0]})" if whole else ""


def _at(finding: Finding, made: Confirmation) -> str:
    """The place: a number where the input is the one that the gradient is of, else the inputs by name."""
    inputs = finding.witness.inputs if finding.witness is not None else {}
    if len(inputs) == 1 and made.gradient is not None and list(inputs) == list(made.gradient):
        return f" at {_numbers(inputs)}"
    named = ", ".join(f"{name} = {number(value)}" for name, value in inputs.items())
    return f" at {named}" if named else ""


def _after(made: Confirmation) -> str:
    return "" if made.after_fix is None else f"; after the fix {_numbers(made.after_fix)}"


def _numbers(values: Mapping[str, float]) -> str:
    return ", ".join(map(number, values.values()))
