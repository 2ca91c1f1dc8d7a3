"""Cuts: what a guard asks about is met as an input, where it is made of more inputs than a search gets through."""

from __future__ import annotations

import ast
import math

import pytest

from nanlint.arithmetic import ARITHMETIC, DTYPES
from nanlint.cases import Case, cases
from nanlint.cutting import asked, cut
from nanlint.facts import Network
from nanlint.graph import MOST_VALUES, Leaf, closure
from nanlint.lower import lower

MANY = "a * b + b * c - c * d + d * e"


def case_of(result: str, value: str = MANY, op: str = "tanh") -> Case:
    """The one case of a function that returns this, with `r` as a value of it."""
    text = f"import torch\n\n\ndef f(a, b, c, d, e):\n    r = torch.{op}({value})\n    return {result}\n"
    (case,) = (
        case
        for unit in lower(ast.parse(text), text, DTYPES["float32"])
        for selector in unit.selectors
        for case in cases(selector)
        if case.operand.number != selector.args[2].number
    )
    return case


@pytest.mark.parametrize(
    ("result", "value"),
    [
        ("torch.where(r < 1, r.acos(), a)", "a * b"),  # few enough to be searched
        ("torch.where(a < 1, r.acos(), a)", MANY),
        ("torch.where(r < 1, a.acos(), a)", MANY),
    ],
)
def test_nothing_is_cut(result: str, value: str) -> None:
    assert asked(case_of(result, value)) is None


@pytest.mark.parametrize(
    "result",
    [
        "torch.where(r < 1, r.acos(), a)",
        "torch.where(r.abs() < 1, r.acos(), a)",
        "torch.where(torch.isfinite(r ** -0.5), r ** -0.5, a)",
        "torch.where((r > 0) & (a > 0), r.sqrt(), a)",
    ],
)
def test_what_the_condition_asks_about_is_an_input(result: str) -> None:
    case = case_of(result)
    subject = asked(case)
    assert subject is not None
    assert subject.op == "tanh"
    order = closure((case.selector,), MOST_VALUES)
    changed = cut(case, subject, Network(order, ARITHMETIC["float32"]))
    inputs = [value for value in closure((changed.operand,), MOST_VALUES) if isinstance(value, Leaf)]
    assert [(leaf.name, leaf.number, leaf.grad) for leaf in inputs] == [("r", subject.number, True)]
    assert (inputs[0].region.lo, inputs[0].region.hi) == (-1.0, 1.0)
    assert changed.selector.number == case.selector.number


def test_it_is_a_finite_number() -> None:
    case = case_of("torch.where(r > 1, r.acos(), a)", "a / b + c / d + e", op="neg")
    subject = asked(case)
    assert subject is not None
    changed = cut(case, subject, Network(closure((case.selector,), MOST_VALUES), ARITHMETIC["float32"]))
    (leaf,) = (
        value
        for value in closure((changed.operand,), MOST_VALUES)
        if isinstance(value, Leaf) and value.number == subject.number
    )
    assert 1e30 in leaf.region
    assert math.inf not in leaf.region
