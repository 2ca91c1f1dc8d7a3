"""Findings in private functions: what the callers in the same file know of them."""

from __future__ import annotations

import textwrap

import pytest

from nanlint.analysis import analyse
from nanlint.config import Config
from nanlint.finding import Confidence
from nanlint.source import from_bytes

HELPER = """
import torch


def {name}(x):
    return torch.where(x > 0, x.log(), x)

"""


def found(callers: str, name: str = "_log") -> list[Confidence]:
    """How sure what is found in a helper is, next to some callers of it."""
    text = HELPER.format(name=name) + textwrap.dedent(callers)
    return [finding.confidence for finding in analyse(from_bytes("m.py", text.encode()), Config())]


def test_what_nobody_calls_stands_for_itself() -> None:
    assert found("") == [Confidence.HIGH]


def test_a_public_function_is_called_as_the_file_calls_it_as_a_rule() -> None:
    assert found("def g(x):\n    return log(x.abs() + 1)", name="log") == [Confidence.LOW]
    assert found("def g(x):\n    return log(x.abs())", name="log") == [Confidence.HIGH]


def test_a_search_in_vain_refutes_nothing() -> None:
    rotation = (
        "def g(x):\n    y = x / (x * x).sum()\n    return log((y * y + y.cos()) * (y - 3) * (y * y - y) + x)"
    )
    assert found(rotation, name="log") == [Confidence.HIGH]


@pytest.mark.parametrize(
    "callers",
    [
        "def g(x):\n    return _log(x.abs())",
        "def g(x):\n    return _log(x.abs() + 1)\n\ndef h(x):\n    return _log(x)",
        "def _between(x):\n    return _log(x)\n\ndef g(x):\n    return _between(x.square())",
        "def g(x):\n    return _log(x.abs() + 1)\n\ntable = {'log': _log}",
        "def g(x):\n    return map(_log, x)",
        "y = _log(torch.ones(3))",
        "def g(x):\n    return _log(*x)\n",
        "def g(x):\n    if x.is_cuda:\n        return kernel(x)\n    return _log(x)",
        "def g(x):\n    _log(x).sum().backward()",
        "def g(x):\n    y = x.detach().requires_grad_()\n    return torch.autograd.grad(_log(y).sum(), y)",
        "def put(into, y):\n    into.add_(y)\n\ndef g(x):\n    into = torch.zeros(3)\n    put(into, _log(x))",
        "def g(xs):\n    out = []\n    for x in xs:\n        out.append(_log(x))\n    return torch.stack(out)",
    ],
)
def test_a_caller_that_reaches_the_poison_confirms_it(callers: str) -> None:
    assert found(callers) == [Confidence.HIGH]


@pytest.mark.parametrize(
    "callers",
    [
        "def g(x):\n    return _log(x.abs() + 1)",
        "def g(x):\n    return _log(x.exp() + 1)\n\ndef h(x):\n    return _log(x.clamp(min=0.5))",
        "def _between(x):\n    return _log(x + 1)\n\ndef g(x):\n    return _between(x.relu())",
        "def g(x):\n    return _log(x) > 0",
        "def g(x):\n    return _log(x.detach())",
        "def g(x):\n    return _log(x).detach()",
        "class A:\n    def g(self, x):\n        return _log(x.abs() + 1)",
    ],
)
def test_callers_that_keep_away_from_it_refute_it(callers: str) -> None:
    assert found(callers) == [Confidence.LOW]


METHOD = """
class Loss:
    def _log(self, x):
        return torch.where(x > 0, x.log(), x)

    def forward(self, x):
        return self._log({argument})
"""


@pytest.mark.parametrize(
    ("argument", "confidence"), [("x", Confidence.HIGH), ("x.abs() + self.eps", Confidence.LOW)]
)
def test_a_private_method_is_known_by_its_class(argument: str, confidence: Confidence) -> None:
    text = "import torch\n" + METHOD.format(argument=argument)
    findings = analyse(from_bytes("m.py", text.encode()), Config())
    assert [finding.confidence for finding in findings] == [confidence]
