"""Long functions: each of these ends, and is analysed, only if values are asked once and may be nested deeply."""

from __future__ import annotations

import sys

import pytest

from nanlint.config import Config
from nanlint.depth import deeper
from nanlint.engine import check
from nanlint.graph import Builder, Leaf, each_once
from nanlint.source import Source

MANY_WAYS = {
    "a join of parts": "y = torch.cat([y, y * 2], dim=-1)",
    "a conjunction": "m = m & (m | (y > {i}))",
    "a complement": "m = ~(m & ~m) | m",
    "masks of two": "m = (m & (x > {i})) | (m & (y > {i}))",
    "a product": "y = y * y * y",
    "a number": "n = n if flags[{i}] else n * n",
    "a branch": "y = torch.where(m, y * 2, y / 3)",
}


def found(step: str, times: int) -> list[str]:
    """The codes in a function that repeats a step and drops a root of what it makes."""
    steps = "".join(f"    {step.format(i=i)}\n" for i in range(times))
    text = (
        f"import torch\n\n\ndef f(x, n: int, m, z, flags):\n    y = x\n{steps}"
        "    return torch.where(m, torch.sqrt(y) * n, 0.0) + torch.where(x > 0, torch.log(x), 0.0)\n"
    )
    return [finding.code for finding in check(Source("m.py", text), Config())]


@pytest.mark.parametrize("step", MANY_WAYS.values(), ids=list(MANY_WAYS))
def test_more_ways_than_can_be_followed(step: str) -> None:
    codes = found(step, 40)
    assert "NAN101" in codes
    assert "NAN901" not in codes


@pytest.mark.parametrize("step", ["y = (y - z) / 2", "m = m & (x > {i})", "n = n * 2 + {i}"])
def test_a_value_that_is_made_in_many_steps(step: str) -> None:
    codes = found(step, 250)
    assert "NAN101" in codes
    assert "NAN901" not in codes


def test_the_limit_is_put_back() -> None:
    before = sys.getrecursionlimit()
    with deeper():
        within = sys.getrecursionlimit()
    assert within > before
    assert sys.getrecursionlimit() == before


def test_nothing_is_remembered_of_another_graph() -> None:
    """Numbers are those of one graph: what a rule has said of a value must not be said of another graph's."""

    @each_once
    def rule(value: Leaf, answer: bool) -> bool:
        if value.name == "broken":
            raise KeyError
        return rule(inner, answer) if value is outer else answer

    builder = Builder()
    outer, inner = builder.leaf("outer"), builder.leaf("inner")
    broken = Builder().leaf("broken")
    with pytest.raises(KeyError):
        rule(broken, True)
    assert broken.number == outer.number
    assert rule(outer, True) is True
    assert rule(outer, False) is False
