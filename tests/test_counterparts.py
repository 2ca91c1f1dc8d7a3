"""Which values of an edited function stand for those of the function before: only what differs is tried out."""

from __future__ import annotations

import ast

import pytest

from nanlint.arithmetic import DTYPES
from nanlint.fixes.counterparts import is_copy, renamed
from nanlint.graph import MOST_VALUES, Builder, Value, closure
from nanlint.lower import lower


def result(expression: str) -> Value:
    """What a function of `x` and `y` returns, in a graph of its own."""
    text = f"import torch\n\n\ndef f(x, y):\n    return {expression}\n"
    _, unit = lower(ast.parse(text), text, DTYPES["float32"])
    return unit.sinks[0]


@pytest.mark.parametrize(
    ("old", "new", "copied"),
    [
        ("x * y + 2.0", "x * y + 2.0", True),
        ("x", "x", True),
        ("torch.where(x > 0, x.sqrt(), y)", "torch.where(x > 0, x.sqrt(), y)", True),
        ("x * y + 2.0", "x * y + 3.0", False),
        ("x * y + 2.0", "x * x + 2.0", False),
        ("x - y", "y - x", False),
        ("x - y", "x + y", False),
        ("x", "y", False),
        ("x.exp()", "x.exp().detach()", False),
        (
            "torch.where(x > 0, x.sqrt(), y)",
            "torch.where(x > 0, torch.where(x > 0, x, 1.0).sqrt(), y)",
            False,
        ),
    ],
)
def test_a_copy_is_computed_alike_from_the_same_inputs(old: str, new: str, copied: bool) -> None:
    one, other = result(old), result(new)
    before, after = closure((one,), MOST_VALUES), closure((other,), MOST_VALUES)
    assert is_copy(one, other, before, after, renamed(before, after)) is copied


def test_an_input_may_go_by_another_number() -> None:
    builder = Builder()
    x, again, y = builder.leaf("x"), builder.leaf("x", key="again"), builder.leaf("y")
    old, new = builder.apply("sub", x, y), builder.apply("sub", again, y)
    before, after = closure((old,), MOST_VALUES), closure((new,), MOST_VALUES)
    assert old.number != new.number
    assert is_copy(old, new, before, after, renamed(before, after))
    turned = builder.apply("sub", y, again)
    after = closure((turned,), MOST_VALUES)
    assert not is_copy(old, turned, before, after, renamed(before, after))
