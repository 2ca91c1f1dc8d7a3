"""Sums that a row's own elements are compared with: the row has another element there."""

from __future__ import annotations

import ast

import pytest

from nanlint.arithmetic import DTYPES
from nanlint.graph import ANOTHER, Apply, Leaf, Value, closure
from nanlint.lower import lower

CODE = """
import torch


def f(x, y, m):
    {body}
    return torch.where(m, z, 0.0)
"""


def graph(body: str) -> list[Value]:
    """All that the last selector of a function is made of."""
    text = CODE.format(body=body)
    units = lower(ast.parse(text), text, DTYPES["float32"])
    selectors = next(u for u in units if getattr(u.node, "name", "") == "f").selectors
    return closure(selectors[-1:], 400)


def ops(body: str) -> set[str]:
    """The ops of these."""
    return {value.op for value in graph(body) if isinstance(value, Apply)}


@pytest.mark.parametrize(
    ("body", "op"),
    [
        ("z = x / x.sum()", "total"),
        ("z = x - x.mean()", "average"),
        ("z = x - (x * y).sum() / (y * y).sum() * y", "total"),
        ("z = x.exp() / torch.sum(x.exp(), dim=-1).clamp(min=1e-6)", "total"),
        ("z = x.cumsum(-1) - x", "total"),
    ],
)
def test_there_is_another_element_beside_one_of_the_row(body: str, op: str) -> None:
    assert op in ops(body)
    assert any(isinstance(value, Leaf) and value.key == ANOTHER for value in graph(body))


@pytest.mark.parametrize(
    "body",
    [
        "z = x / y.sum()",
        "z = x.sum() / x.abs().sum()",
        "z = x.sum()",
        "z = x * x.sum()",
        "z = y - x.cumsum(-1)",
        "z = x - x.exp().cumsum(-1)",
    ],
)
def test_there_is_none_beside_anything_else(body: str) -> None:
    assert not ops(body) & {"total", "average"}


def test_a_sum_is_the_same_wherever_it_is_used() -> None:
    made = ops("s = x.sum(); z = torch.where(s > 0, x / s, s)")
    assert "total" in made
    assert "sum" not in made


def test_the_sum_of_a_row_is_that_of_its_other_elements_too() -> None:
    leaves = {
        value.name for value in graph("c = x - x.mean(); z = c / c.abs().sum()") if isinstance(value, Leaf)
    }
    assert {"x", "x[another]"} <= leaves
    assert not any("another][another" in name for name in leaves)


def test_what_takes_many_values_is_not_computed_again() -> None:
    long = " + ".join(f"(x * {index}.5).sin()" for index in range(12))
    assert "total" not in ops(f"s = ({long}); z = s / s.sum()")
