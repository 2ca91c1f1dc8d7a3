"""Runs the text of a program with torch at many points at once, and its nodes at one."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nanlint.proof.programs.evaluating import cut, gradients
from nanlint.proof.programs.nodes import FLAG, LEAF, Node, inputs, selectors
from nanlint.proof.programs.points import Point
from nanlint.proof.programs.writing import ENTRY


@dataclass(frozen=True)
class Outcome:
    """What torch gave at one point; `value` is None where the element is not in the output at all."""

    value: float | None
    gradient: tuple[float, ...]

    @property
    def has_value(self) -> bool:
        """Whether the value is finite, or left out."""
        return self.value is None or math.isfinite(self.value)

    @property
    def loses_gradient(self) -> bool:
        """Whether there is a nan among the gradients."""
        return any(g != g for g in self.gradient)


@contextmanager
def floating(dtype: torch.dtype) -> Iterator[None]:
    """With `dtype` as the one that new tensors have."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def function_of(text: str, name: str = ENTRY) -> Callable[..., Tensor]:
    """A function of a program's text."""
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(text, "<program>", "exec"), names)
    found: Callable[..., Tensor] = names[name]
    return found


def outcomes(text: str, root: Node, points: Sequence[Point], dtype: torch.dtype) -> list[Outcome]:
    """Run a text at all points at once: every op of a program works element by element."""
    names = list(inputs([root]))
    with floating(dtype):
        columns = [_column(node, [point[node] for point in points], dtype) for node in names]
        made = function_of(text)(*columns)
        leaves = [column for column, node in zip(columns, names, strict=True) if node.op == LEAF]
        found = gradients(made, leaves)
    slopes = list(zip(*(g.double().tolist() for g in found), strict=True)) or [()] * len(points)
    values: Sequence[float | None] = made.detach().double().tolist()
    if len(values) != len(points):  # an index has taken some of them
        values = [None] * len(points)
    return [Outcome(value, gradient) for value, gradient in zip(values, slopes, strict=True)]


def of_function(text: str, name: str, given: Mapping[Node, float]) -> Outcome:
    """Run one function of a text in float32, on its arguments in order."""
    with floating(torch.float32):
        columns = [_column(node, [number], torch.float32) for node, number in given.items()]
        made = function_of(text, name)(*columns)
        found = gradients(made, [column for column in columns if column.requires_grad])
    return Outcome(made.item() if made.numel() else None, tuple(g.item() for g in found))


def _column(node: Node, numbers: Sequence[float], dtype: torch.dtype) -> Tensor:
    if node.is_bool:
        return torch.tensor([number != 0.0 for number in numbers])
    return torch.tensor(numbers, dtype=dtype, requires_grad=True)


def at_node(
    node: Node, point: Mapping[Node, float], dtype: torch.dtype, without: Sequence[Node] = ()
) -> tuple[Outcome, dict[Node, Any]]:
    """Run one node at one point, without backward into what the selectors `without` drop; and all values."""
    with floating(dtype):
        given = {name: _column(name, [number], dtype) for name, number in point.items()}
        values = cut(node, given, without)
        leaves = [tensor for tensor in given.values() if tensor.requires_grad]
        made: Tensor = values[node]
        found = gradients(made, leaves)
    value = made.item() if made.numel() else None
    return Outcome(value, tuple(g.item() for g in found)), values


def guilty(root: Node, point: Point, dtype: torch.dtype) -> list[Node]:
    """The selectors that turn the gradient at a point into nan, although their own value is finite.

    What one drops is left in the backward pass, what all others drop is kept out of it. None if the gradient is nan
    in any case, or is not finite any more when it comes to the selector.
    """
    found = selectors(root)
    if at_node(root, point, dtype, found)[0].loses_gradient:
        return []
    blamed: list[Node] = []
    for node in found:
        others = [other for other in found if other is not node]
        made, values = at_node(root, point, dtype, others)
        if made.loses_gradient and bool(torch.isfinite(values[node]).all()):
            blamed += [node] if _is_finite_above(values[root], values[node]) else []
    return blamed


def is_finite_above(root: Node, point: Point, dtype: torch.dtype) -> bool:
    """Whether the gradient that comes back to each selector is finite."""
    _, values = at_node(root, point, dtype)
    return all(_is_finite_above(values[root], values[node]) for node in selectors(root))


def _is_finite_above(output: Tensor, value: Tensor) -> bool:
    """Whether the gradient that comes back to a value is finite: one that is lost further down is lost there."""
    if output is value or not value.requires_grad:
        return True
    (found,) = torch.autograd.grad(output.sum(), [value], allow_unused=True, retain_graph=True)
    return found is None or bool(torch.isfinite(found).all())


__all__ = [
    "FLAG",
    "Outcome",
    "at_node",
    "floating",
    "function_of",
    "guilty",
    "is_finite_above",
    "of_function",
    "outcomes",
]
