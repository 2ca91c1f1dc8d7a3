"""Ops inside helpers: what the helper is handed is guarded, and torch says that nothing else has changed."""

from __future__ import annotations

import pytest
import torch

from nanlint.config import Config
from nanlint.engine import check, fix
from nanlint.finding import Applicability
from nanlint.source import Source, from_bytes

X = [-1.0, 0.0, 0.5, 1.0, 4.0]


def source_of(body: str) -> Source:
    return from_bytes("case.py", f"import torch\n\n\n{body}".encode())


def run(text: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The values of `f` and its gradient."""
    names: dict[str, object] = {}
    exec(compile(text, "case.py", "exec"), names)
    function = names["f"]
    assert callable(function)
    x = torch.tensor(X, requires_grad=True)
    made = function(x)
    made.sum().backward()
    assert x.grad is not None
    return made.detach(), x.grad


HELPER = "def helper(x):\n    return torch.log(x) + x\n\n\n"
METHOD = "class Model:\n    def helper(self, x):\n        return torch.log(x) + x\n\n    def run(self, x):\n{}\n\n\n"

CALLER = "def f(x):\n    return torch.where(x > 0, helper(x), 0.0)\n"

CASES = {
    "in the selector": f"{HELPER}{CALLER}",
    "in a statement before": (
        f"{HELPER}def f(x):\n    m = x > 0\n    y = helper(x) * 2\n    return y.masked_fill(~m, 0)\n"
    ),
    "the mask is bound later": (
        f"{HELPER}def f(x):\n    y = helper(x)\n    seen = x > 0\n    return torch.where(seen, y, 0.0)\n"
    ),
    "a method": (
        METHOD.format("        y = self.helper(x)\n        return torch.where(x > 0, y, 0.0)")
        + "def f(x):\n    return Model().run(x)\n"
    ),
    "through another helper": (
        f"{HELPER}def half(y):\n    return y / 2\n\n\n"
        "def f(x):\n    y = helper(x)\n    return torch.where(x > 0, half(y), 0.0)\n"
    ),
    "both sides": (
        f"{HELPER}def mirrored(x):\n    return torch.log(1 - x)\n\n\n"
        "def f(x):\n    return torch.where(x > 0.5, helper(x), mirrored(x))\n"
    ),
}


@pytest.mark.parametrize("body", CASES.values(), ids=list(CASES))
def test_what_a_helper_is_handed_is_guarded(body: str) -> None:
    source = source_of(body)
    after = fix(source, Config(unsafe_fixes=True)).source.text
    value, gradient = run(source.text)
    new_value, new_gradient = run(after)
    assert not torch.isfinite(gradient).all()
    assert torch.equal(new_value, value)
    assert torch.isfinite(new_gradient).all()
    kept = torch.isfinite(gradient)
    assert torch.allclose(new_gradient[kept], gradient[kept])


@pytest.mark.parametrize("moving", ["x.flip(0)", "x.roll(1)", "torch.flip(x, (0,))", "x[[1, 0, 3, 2, 4]]"])
def test_a_helper_that_moves_elements_gets_no_guard(moving: str) -> None:
    source = source_of(f"def helper(x):\n    return torch.sqrt({moving})\n\n\n{CALLER}")
    assert len(check(source, Config())) == 1
    assert fix(source, Config(unsafe_fixes=True)).source.text == source.text


def test_a_helper_that_shapes_its_argument_is_guarded_unsafely() -> None:
    helper = "def helper(x):\n    return torch.sqrt(x.reshape(-1))\n\n\n"
    (finding,) = check(source_of(f"{helper}{CALLER}"), Config())
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.UNSAFE


def test_other_callers_keep_the_helper() -> None:
    text = fix(source_of(CASES["in the selector"]), Config()).source.text
    assert "def helper(x):\n    return torch.log(x) + x\n" in text
