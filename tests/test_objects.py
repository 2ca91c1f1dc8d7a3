"""Objects of the analysed code: what their `__init__` gives them is found out when it is asked for, and only then."""

from __future__ import annotations

import ast

import pytest

from nanlint import engine
from nanlint.arithmetic import DTYPES
from nanlint.config import Config
from nanlint.lower import Unit, lower
from nanlint.source import Source

CLASS = """
import torch


class Scale:
    def __init__(self, power, other=None):
        self.power = power
        self.inner = None if other is None else Scale(other)

    def __call__(self, x):
        return x


def f(x, m):
    scale = Scale(x.sqrt())
    {body}
"""


def unit(body: str) -> Unit:
    """The function of a file with such a class."""
    text = CLASS.format(body=body)
    return next(
        u for u in lower(ast.parse(text), text, DTYPES["float32"]) if getattr(u.node, "name", "") == "f"
    )


@pytest.mark.parametrize(
    "body",
    [
        "return torch.where(m, scale.power, 0.0)",
        "scale.power = scale.power + 1.0; return torch.where(m, scale.power, 0.0)",
        "x = x + 1.0; return torch.where(m, scale.power, 0.0)",
    ],
)
def test_an_attribute_is_what_init_made_of_the_arguments(body: str) -> None:
    (selector,) = unit(body).selectors
    below, stack = set[str](), [selector]
    while stack:
        value = stack.pop()
        below.add(getattr(value, "op", ""))
        stack += getattr(value, "args", ())
    assert "sqrt" in below


def test_init_is_not_run_for_an_object_of_which_nothing_is_asked() -> None:
    seen = unit("return torch.where(m, scale(x), 0.0)")
    scope = seen.lowering.own
    assert scope is not None
    called = scope.names["Scale"]
    instance = seen.lowering.instance_of(called, "scale", (next(iter(seen.sinks)),))  # type: ignore[arg-type]
    assert instance.initialise is not None
    assert set(instance.fields) == {"power", "inner"}
    assert instance.initialise is None


CHECKED = """
import torch


class Score:
    def __init__(self, scale):
        {check}
        self.scale = scale

    def forward(self, x):
        return torch.where(self.scale > 1.0, torch.log(self.scale), x)
"""


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("assert (scale > 0).all()", []),
        ("if not bool((scale > 1e-3).all()):\n            raise ValueError(scale)", []),
        ("if (scale <= 0).any().item():\n            raise ValueError(scale)", []),
        ("if (scale < 0).any():\n            raise ValueError(scale)", ["NAN101"]),
        ("if (scale <= 0).any():\n            print(scale)", ["NAN101"]),
    ],
)
def test_what_init_checks_holds_in_methods(check: str, expected: list[str]) -> None:
    text = CHECKED.format(check=check)
    assert [one.code for one in engine.check(Source("score.py", text), Config())] == expected
