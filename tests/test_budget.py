"""The limits of what is spent on a file: far from ordinary code, and told where they are met."""

from __future__ import annotations

import ast

import pytest

from nanlint.analysis import analyse
from nanlint.arithmetic import ARITHMETIC, DTYPES
from nanlint.budget import A_STATEMENT, Budget, Exhausted
from nanlint.config import Config
from nanlint.hazards import hazards
from nanlint.lower import lower
from nanlint.source import Source

FLOAT32 = DTYPES["float32"]
ORDINARY = "import torch\n\n\ndef {name}(x):\n    return torch.where(x > 0, x.sqrt(), 0.0)\n"
LINES = 5


def nearly_spent(lines: int, left: int) -> Budget:
    """A budget of which so many steps are left for the file, and no more for a function."""
    budget = Budget(lines)
    try:
        while True:
            budget.spend(left)
    except Exhausted:
        budget.spend(-left)
    return budget


def nested_loops(depth: int) -> str:
    """A function in which four to the power of `depth` statements are run."""
    lines = ["def slow(x):"]
    for level in range(depth):
        lines.append(f"{'    ' * (level + 1)}for i{level} in (1.0, 2.0, 3.0, 4.0):")
    lines.append(f"{'    ' * (depth + 1)}x = torch.relu(x.log())")
    return "\n".join([*lines, "    return x", ""])


def test_ordinary_code_is_far_from_every_limit() -> None:
    budget = Budget(LINES)
    text = ORDINARY.format(name="f")
    units = list(lower(ast.parse(text), text, FLOAT32, budget=budget))
    for unit in units:
        for selector in unit.selectors:
            assert hazards(selector, ARITHMETIC["float32"], budget=budget)
    assert not any(unit.exhausted for unit in units)
    budget.spend(5_000_000)  # more than nine tenths of a function's share are there still
    assert not budget.is_spent


def test_a_longer_function_may_take_more() -> None:
    budget = Budget(1000)
    budget.begin(1)
    with pytest.raises(Exhausted):
        budget.spend(10_000_000)
    budget.begin(1000)
    budget.spend(10_000_000)
    assert not budget.is_spent


def test_a_function_that_takes_too_long_is_told_and_the_others_are_analysed() -> None:
    text = "\n\n".join((ORDINARY.format(name="before"), nested_loops(8), ORDINARY.format(name="after")))
    found = analyse(Source("a.py", text), Config())
    assert [(finding.code, finding.span.start.line) for finding in found] == [
        ("NAN101", 5),
        ("NAN901", 8),
        ("NAN101", text.count("\n")),
    ]
    assert "`slow`" in found[1].message


def test_a_module_level_that_takes_too_long_is_told() -> None:
    text = "import torch\nx = torch.rand(3)\n" + "".join(f"x = x + {n}\n" for n in range(20))
    budget = nearly_spent(1, 10 * A_STATEMENT)
    (unit,) = lower(ast.parse(text), text, FLOAT32, budget=budget)
    assert unit.exhausted
    assert unit.selectors == ()


def test_the_search_for_a_witness_is_part_of_what_is_spent() -> None:
    text = ORDINARY.format(name="f")
    _, unit = lower(ast.parse(text), text, FLOAT32)
    with pytest.raises(Exhausted):
        hazards(unit.selectors[0], ARITHMETIC["float32"], budget=nearly_spent(1, 10))
