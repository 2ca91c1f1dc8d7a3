"""Functions without gradient: those that say so, and those that are used by such ones only."""

from __future__ import annotations

import ast
import textwrap

import pytest

from nanlint.lower.shelter import may_be_sheltered, sheltered
from nanlint.lower.uses import Uses


def names(body: str) -> set[str]:
    """The names of the functions of a module that are used without gradient only."""
    tree = ast.parse(textwrap.dedent(body))
    found = sheltered(tree, body)
    owners = dict(Uses.of(tree).defined)
    assert all(may_be_sheltered(node, owners[node], body) for node in found)  # type: ignore[index]
    return {node.name for node in found if hasattr(node, "name")}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "def _f(x): return x",
        "def _f(x): return x\ndef g(x): return _f(x)",
        "def _f(x): return x\nwith torch.enable_grad():\n    _f(1)",
        "def _f(x): return x\nwith torch.no_grad():\n    _f(1)\n_f(2)",
        "def _f(x): return _f(x - 1)",
        "@register\ndef _f(x): return x\nwith torch.no_grad():\n    _f(1)",
        "def f(x): return x\nwith torch.no_grad():\n    f(1)",
    ],
)
def test_anything_else_may_have_a_gradient(body: str) -> None:
    assert names(body) == set()


def test_private_helpers_of_code_without_gradient() -> None:
    body = """
        def _inner(x): return x
        def _outer(x): return _inner(x)
        @torch.no_grad()
        def evaluate(x): return _outer(x)
    """
    assert names(body) == {"_inner", "_outer"}


def test_a_call_with_gradient_counts_for_everything_below() -> None:
    body = """
        def _inner(x): return x
        def _outer(x): return _inner(x)
        @torch.inference_mode()
        def evaluate(x): return _outer(x)
        def train(x): return _inner(x)
    """
    assert names(body) == {"_outer"}


def test_what_an_autograd_function_is_made_of() -> None:
    body = """
        def accumulate(x): return x
        def wrap(x): return Ring.apply(x)
        class Ring(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x): return accumulate(x)
            @staticmethod
            def backward(ctx, g): return accumulate(g)
    """
    assert names(body) == {"accumulate"}


def test_methods_of_a_class_whose_entry_is_without_gradient() -> None:
    body = """
        class Transform:
            @torch.no_grad()
            def __call__(self, data): return self.normalise(data)
            def normalise(self, data): return self.scale(data)
            def scale(self, data): return data
            def unused(self, data): return data
        class Layer:
            def forward(self, x): return self.mix(x)
            def mix(self, x): return x
    """
    assert names(body) == {"normalise", "scale"}
