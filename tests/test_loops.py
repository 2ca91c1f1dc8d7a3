"""What the names that a loop changes stand for in any of its rounds."""

from __future__ import annotations

import pytest

from nanlint import engine
from nanlint.config import Config
from nanlint.finding import Confidence
from nanlint.source import Source

NESTED = """
import torch


def f(x, m, rows, columns):
    seen = {before}
    for i in range(rows):
        for j in range(columns):
            if i != j:
                seen[i, j] = {stored}
    return torch.where(m, x / (seen + 1.0), torch.zeros(()))
"""


@pytest.mark.parametrize(
    ("before", "stored", "is_found"),
    [
        # from 0 up, whatever round it is
        ("torch.zeros_like(x, dtype=torch.bool)", "True", False),
        ("torch.zeros_like(x)", "2.0", False),
        ("torch.zeros_like(x)", "x[i, j]", True),
        # what a round computes of the round before is not what was there at first
        ("torch.zeros_like(x)", "seen[j, i] - 1.0", True),
    ],
)
def test_what_an_inner_loop_changes_is_the_outer_loops_own(before: str, stored: str, is_found: bool) -> None:
    text = NESTED.replace("{before}", before).replace("{stored}", stored)
    found = engine.check(Source("m.py", text), Config(confidence=Confidence.LOW))
    assert bool(found) is is_found
