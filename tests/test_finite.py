"""`assert_finite_gradients`: silent for what is sound, and the smallest input, with its line, for what is not."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nanlint.proof import Domain, assert_finite_gradients

THRESHOLD = 0.003


def guarded(x: Tensor) -> Tensor:
    toe = x < THRESHOLD
    return torch.where(toe, 12.9 * x, torch.where(toe, 1.0, x) ** 0.5)


def gamma(x: Tensor) -> Tensor:
    return torch.where(x < 0.003, 12.9 * x, x**0.5)


def gap(x: Tensor, y: Tensor) -> Tensor:
    distance = (x - y).square().sum(-1).sqrt()
    return torch.where(distance > 0.1, distance, torch.zeros_like(distance))


def pole(x: Tensor) -> Tensor:
    return torch.where(x == 0.37, torch.zeros_like(x), 1 / (x - 0.37))


def padded(score: Tensor, mask: Tensor) -> Tensor:
    weight = (score.exp() * mask).sum(-1)
    return torch.where(weight > 0, weight.log(), torch.zeros_like(weight))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        energy = (x * self.scale) ** 2
        return torch.where(energy > 1e-3, energy.sqrt(), energy)


def message(function: Callable[..., object], *inputs: object, **options: object) -> str:
    with pytest.raises(AssertionError) as raised:
        assert_finite_gradients(function, *inputs, **options)  # type: ignore[arg-type]
    return str(raised.value)


# --- what must pass


@pytest.mark.parametrize("function", [guarded, torch.tanh, F.softplus, torch.relu, torch.sin])
def test_a_sound_function_passes(function: Callable[[Tensor], Tensor]) -> None:
    assert_finite_gradients(function, torch.linspace(-1, 1, 6).reshape(2, 3))


def test_a_domain_is_kept_to() -> None:
    seen: list[float] = []

    def root(x: Tensor) -> Tensor:
        seen.extend(x.detach().flatten().tolist())
        return x.sqrt()

    assert_finite_gradients(root, Domain((4,), low=0.5, high=2.0))
    assert min(seen) >= 0.5
    assert max(seen) <= 2.0
    assert {0.5, 1.0, 2.0} <= set(seen)


def test_a_value_that_is_not_finite_is_no_failure() -> None:
    assert_finite_gradients(lambda x: x / x, torch.ones(3), around=[0.0])


def test_what_raises_is_no_argument() -> None:
    def positive(x: Tensor) -> Tensor:
        if bool((x <= 0).any()):
            raise ValueError("x must be positive")
        return x.sqrt()

    assert_finite_gradients(positive, torch.ones(2, 2))


def test_the_inputs_are_left_as_they_are() -> None:
    x = torch.full((3,), 0.5)
    message(gamma, x)
    assert x.tolist() == [0.5, 0.5, 0.5]
    assert not x.requires_grad


def test_something_has_to_be_moved() -> None:
    with pytest.raises(ValueError, match="none of the inputs"):
        assert_finite_gradients(torch.relu, 3)


@pytest.mark.parametrize(("low", "high"), [(1.0, 0.0), (float("nan"), 1.0)])
def test_an_empty_domain_is_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="no number"):
        Domain((1,), low=low, high=high)


# --- what must fail


def test_the_smallest_input_is_told() -> None:
    told = message(gamma, torch.full((2, 3), 0.5))
    moved = re.search(r"tensor\(\[\[(.*?)\]\]\)", told, re.DOTALL)
    assert moved is not None
    numbers = [float(number) for number in re.findall(r"[\d.]+", moved[1])]
    assert sorted(numbers) == [0.0, 0.5, 0.5, 0.5, 0.5, 0.5]


def test_the_lines_and_the_finding_are_told() -> None:
    told = message(gamma, torch.full((2,), 0.5))
    line = gamma.__code__.co_firstlineno + 1
    assert f"{__file__}:{line}: " in told
    assert f"{__file__}:{line}:12: NAN101 " in told


def test_a_tie_between_two_arguments_is_found() -> None:
    assert "SqrtBackward0" in message(gap, torch.rand(2, 3), torch.rand(2, 3) + 1)


def test_a_threshold_of_the_source_is_found() -> None:
    told = message(pole, torch.ones(2))
    assert "0.3700" in told


@pytest.mark.parametrize("level", [0.77])
def test_a_number_from_outside_is_found_around_it(level: float) -> None:
    def outside(x: Tensor) -> Tensor:
        return torch.where(x == level, torch.zeros_like(x), 1 / (x - level))

    assert_finite_gradients(outside, torch.ones(2))
    assert "0.7700" in message(outside, torch.ones(2), around=[0.77])


def test_a_row_of_a_mask_is_switched_off() -> None:
    told = message(padded, torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.bool))
    assert "LogBackward0" in told
    assert "False, False, False" in told


def test_a_module_is_told_by_its_parameters() -> None:
    assert "the gradient of scale is nan" in message(Block(), torch.rand(2, 3) + 1)


def test_a_large_argument_is_told_by_what_was_moved() -> None:
    told = message(gamma, torch.full((20, 20), 0.5))
    assert "argument 0: shape (20, 20), elements 0 to 0 (counted through) are 0" in told


def test_the_same_is_found_each_time() -> None:
    assert message(gap, torch.ones(2, 3), torch.zeros(2, 3)) == message(
        gap, torch.ones(2, 3), torch.zeros(2, 3)
    )
