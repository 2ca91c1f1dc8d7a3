"""What torch says of a finding, in words."""

from __future__ import annotations

from collections.abc import Mapping

from nanlint.finding import Confirmation, Finding, Verdict
from nanlint.messages import number


def told(finding: Finding) -> str:
    """As `confirmed by torch 2.13.0: gradient of x at 0.0 is nan; after the fix 12.9`; empty if torch was not asked."""
    made = finding.confirmation
    if made is None:
        return ""
    if made.verdict is Verdict.NOT_RUN or made.gradient is None:
        return f"not run by torch: {made.reason}"
    word = "confirmed" if made.verdict is Verdict.CONFIRMED else "not confirmed"
    at = _at(finding, made.gradient)
    told = ", ".join(f"gradient of {name}{at} is {number(value)}" for name, value in made.gradient.items())
    return f"{word} by torch {made.torch}: {told}{_after(made)}"


def brief(finding: Finding) -> str:
    """As `(confirmed by torch 2.13.0)`; empty if torch was not asked."""
    whole = told(finding)
    return f"({whole.partition(':')[0]})" if whole else ""


def _at(finding: Finding, gradient: Mapping[str, float]) -> str:
    """The place: a number where it is that of the one gradient, else the inputs by name."""
    inputs = finding.witness.inputs if finding.witness is not None else {}
    if list(inputs) == list(gradient):
        return " at " + ", ".join(map(number, inputs.values()))
    return " at " + ", ".join(f"{name} = {number(value)}" for name, value in inputs.items()) if inputs else ""


def _after(made: Confirmation) -> str:
    if made.after_fix is None:
        return ""
    return f"; after the fix {', '.join(number(value) for value in made.after_fix.values())}"
