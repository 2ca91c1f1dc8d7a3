"""Parameters with numbers for defaults, and the other numbers that a file gives them."""

from __future__ import annotations

import pytest

from nanlint import engine
from nanlint.config import Config
from nanlint.source import Source


@pytest.mark.parametrize(
    ("call", "is_found"),
    [
        ("power(x, exponent=1 / 2.4)", True),
        ("power(x, 0.5)", True),
        ("other.power(x, 0.5)", False),
        ("power(x, exponent=2.0)", False),
        ("power(x)", False),
        ("power(*args, 0.5)", False),
        ("power(x, exponent=gamma)", False),
    ],
)
def test_a_function_is_looked_at_with_the_numbers_that_it_is_given(call: str, is_found: bool) -> None:
    text = (
        "import torch\n\n\ndef power(x, exponent=1.0):\n    y = x**exponent\n"
        f"    return torch.where(x > 0, y, torch.zeros_like(y))\n\n\ndef f(self, x, args, gamma):\n    return {call}\n"
    )
    found = [finding.span.start.line for finding in engine.check(Source("tone.py", text), Config())]
    assert found == ([6] if is_found else [])
