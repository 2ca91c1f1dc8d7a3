"""`nanlint.proof.watch`: silent and without effect while gradients are finite; exact where one is not."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nanlint.proof import NonFiniteGradient, watch
from nanlint.proof.fixtures import Fixture, Kind, discover
from nanlint.proof.running import imported, quietly, train

FIXTURES = Path(__file__).parent.parent / "fixtures"


def leaf(*numbers: float) -> Tensor:
    return torch.tensor(numbers, requires_grad=True)


# --- nothing happens


def test_a_finite_step_has_the_gradients_it_has_without() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    inputs = torch.linspace(-1, 1, 20).reshape(5, 4)
    model(inputs).square().mean().backward()
    expected = [one.grad.clone() for one in model.parameters() if one.grad is not None]
    model.zero_grad()
    with watch(model):
        model(inputs).square().mean().backward()
    assert [one.grad.tolist() for one in model.parameters() if one.grad is not None] == [
        one.tolist() for one in expected
    ]


def test_the_graph_is_freed_after_the_step() -> None:
    x = leaf(1.0, 2.0)
    with watch():
        loss = (inner := x.exp()).sum()
        graph = weakref.ref(inner)
        del inner
        loss.backward()
    gc.collect()
    assert graph() is None
    assert loss.grad_fn is None


def test_a_graph_that_is_to_be_kept_is_kept() -> None:
    x = leaf(1.0, 2.0)
    with watch():
        loss = x.exp().sum()
        loss.backward(retain_graph=True)
        loss.backward()
    torch.testing.assert_close(x.grad, 2 * x.detach().exp())


@pytest.mark.filterwarnings("ignore:Using backward")
def test_a_second_derivative_can_be_taken() -> None:
    x = leaf(1.0, 2.0)
    with watch():
        (x**3).sum().backward(create_graph=True)
        assert x.grad is not None
        (second,) = torch.autograd.grad(x.grad.sum(), x)
    torch.testing.assert_close(second, 6 * x.detach())


def test_a_gradient_that_is_not_asked_for_is_not_looked_at() -> None:
    x, y = leaf(0.0), leaf(1.0)
    with watch():
        (x.sqrt() * 0 + y).sum().backward(inputs=[y])
    assert y.grad is not None
    assert y.grad.tolist() == [1.0]


def test_nothing_of_it_is_left_behind() -> None:
    with watch():
        inside = torch.overrides._get_current_function_mode()
    assert isinstance(inside, TorchFunctionMode)
    assert torch.overrides._get_current_function_mode() is None


# --- a gradient is nan


def where(x: Tensor) -> Tensor:
    root = x**0.5
    return torch.where(x > 0.0, root, x)


def product(x: Tensor) -> Tensor:
    root = x.sqrt()
    return root * (x > 0.0)


def filled(x: Tensor) -> Tensor:
    angle = torch.acos(1 - x)
    return angle.masked_fill(x <= 0, 0.0)


def stored(x: Tensor) -> Tensor:
    level = x.log()
    level[x <= 0.0] = 0.0
    return level


def taken(x: Tensor) -> Tensor:
    root = x.sqrt()
    return root[x > 0.0]


def clamped(x: Tensor) -> Tensor:
    root = x.sqrt()
    return root.clamp(min=0.25)


@pytest.mark.parametrize(
    ("function", "op", "kept"),
    [
        (where, "PowBackward0", "self is 0"),
        (product, "SqrtBackward0", "result is 0"),
        (filled, "AcosBackward0", "self is 1"),
        (stored, "LogBackward0", "self is 0"),
        (taken, "SqrtBackward0", "result is 0"),
        (clamped, "SqrtBackward0", "result is 0"),
    ],
)
def test_the_singular_line_the_selector_and_the_element_are_named(
    function: Callable[[Tensor], Tensor], op: str, kept: str
) -> None:
    first = function.__code__.co_firstlineno
    with pytest.raises(NonFiniteGradient) as raised, watch():
        function(leaf(1.0, 0.25, 0.0)).sum().backward()
    message = str(raised.value)
    assert message.startswith("the gradient of a leaf of shape (3,) is nan")
    singular, element, selector = message.splitlines()[1:4]
    assert singular.startswith(f"  {__file__}:{first + 1}: ")
    assert singular.endswith(f" ({op})")
    assert element.strip().startswith(f"at element [2]: {kept}; a gradient of ")
    assert selector.startswith(f"  {__file__}:{first + 2}: ")


def test_a_kept_element_has_no_selector() -> None:
    with pytest.raises(NonFiniteGradient, match=r"a gradient of 1 arrives and inf leaves") as raised, watch():
        leaf(1.0, 0.0).sqrt().sum().backward()
    assert "gave that element a gradient of 0" not in str(raised.value)


def test_a_value_that_is_nan_is_not_blamed_on_the_gradient() -> None:
    with pytest.raises(NonFiniteGradient, match="the value is nan before any gradient is made"), watch():
        leaf(-1.0).sqrt().sum().backward()


def test_parameters_have_their_names() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False))
    with pytest.raises(NonFiniteGradient, match=r"the gradient of 0\.weight is nan"), watch(model):
        where(model(torch.zeros(1, 2))).sum().backward()


def test_the_finding_and_its_fix_are_shown() -> None:
    with pytest.raises(NonFiniteGradient) as raised, watch():
        where(leaf(0.0)).sum().backward()
    assert " NAN101 " in str(raised.value)
    assert "+     return torch.where(" in str(raised.value) or "+     root = " in str(raised.value)


def test_no_gradient_is_changed_by_the_second_look() -> None:
    x, y = leaf(0.0), leaf(3.0)
    with pytest.raises(NonFiniteGradient), watch():
        (where(x) * y).sum().backward()
    assert y.grad is not None
    assert y.grad.tolist() == [0.0]


BAD = [
    fixture
    for fixture in discover([FIXTURES])
    if fixture.kind is Kind.BAD
    and fixture.rule in ("nan101", "nan102", "nan103", "nan104", "nan105", "nan106")
]


@watch()
def train_all(module: ModuleType) -> None:
    for row in module.INPUTS:
        train(module.f, row)


@pytest.mark.parametrize("fixture", BAD, ids=[fixture.name for fixture in BAD])
def test_every_bad_fixture_is_caught_in_the_act(fixture: Fixture) -> None:
    with (
        quietly(),
        imported(fixture.path) as module,
        pytest.raises(NonFiniteGradient, match=rf"{fixture.path.name}:\d+: |look at the forward pass"),
    ):
        train_all(module)
