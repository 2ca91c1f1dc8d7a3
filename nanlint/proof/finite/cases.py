"""A function under test with the arguments to start from, and the ways in which they may be moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from nanlint.proof.finite.domains import Domain
from nanlint.proof.finite.points import points
from nanlint.proof.running import outputs_of, total

_MOST_MOVES = 4
"""How many moves are combined at random."""


@dataclass(frozen=True)
class Move:
    """A change of one argument: the elements from `start` up to `stop`, counted through, become `number`."""

    argument: int
    start: int
    stop: int
    number: float


Moves = tuple[Move, ...]


@dataclass(frozen=True)
class Case:
    """A function, the arguments to start from, and the numbers that their elements may become."""

    function: Callable[..., object]
    arguments: tuple[object, ...]
    numbers: tuple[tuple[float, ...], ...]
    """For each argument; empty for one that stays as it is."""

    @staticmethod
    def of(function: Callable[..., object], inputs: Sequence[object], around: tuple[float, ...]) -> Case:
        domains = [Domain.of(one) if _is_float(one) else one for one in inputs]
        arguments = [one.example() if isinstance(one, Domain) else one for one in inputs]
        numbers = [_numbers(function, one, around) for one in domains]
        if not any(isinstance(one, Domain) for one in domains):
            raise ValueError("none of the inputs is a floating-point tensor or a Domain")
        return Case(function, tuple(arguments), tuple(numbers))

    def sweep(self) -> Iterator[Moves]:
        """The example itself, then each number alone: in every element, in the first row, in one element."""
        yield ()
        movable = [n for n, numbers in enumerate(self.numbers) if numbers]
        for number in dict.fromkeys(number for n in movable for number in self.numbers[n]):
            taking = [n for n in movable if number in self.numbers[n]]
            yield tuple(Move(n, 0, self._size(n), number) for n in taking)
            for n in taking:
                yield from ((Move(n, 0, stop, number),) for stop in {self._size(n), self._row(n), 1})

    def moves(self) -> st.SearchStrategy[Moves]:
        """Any few of the moves; it shrinks to fewer of them and to simpler numbers."""
        kinds = [self._move(n) for n, numbers in enumerate(self.numbers) if numbers]
        return st.lists(st.one_of(kinds), min_size=1, max_size=_MOST_MOVES).map(tuple)

    def _move(self, argument: int) -> st.SearchStrategy[Move]:
        size, row = self._size(argument), self._row(argument)
        width = st.sampled_from(sorted({1, row, size}))
        place = st.integers(0, max(size - 1, 0))
        return st.builds(
            lambda start, wide, number: Move(
                argument, start - start % wide, start - start % wide + wide, number
            ),
            place,
            width,
            st.sampled_from(self.numbers[argument]),
        )

    def _size(self, argument: int) -> int:
        tensor = self.arguments[argument]
        return tensor.numel() if isinstance(tensor, Tensor) else 0

    def _row(self, argument: int) -> int:
        tensor = self.arguments[argument]
        return max(int(tensor.shape[-1]), 1) if isinstance(tensor, Tensor) and tensor.dim() else 1

    def moved(self, moves: Moves) -> list[object]:
        """The arguments after the moves: floating-point tensors as new leaves."""
        copies = [one.detach().clone() if isinstance(one, Tensor) else one for one in self.arguments]
        for move in moves:
            tensor = copies[move.argument]
            assert isinstance(tensor, Tensor)
            tensor.view(-1)[move.start : move.stop] = move.number
        return [one.requires_grad_() if _is_float(one) else one for one in copies]

    def loses(self, moves: Moves) -> bool:
        """Whether the value is finite there and a gradient is not."""
        arguments = self.moved(moves)
        try:
            outputs = outputs_of(self.function, arguments)
        except Exception:  # its own way to say that this is no argument for it
            return False
        outputs = [output for output in outputs if output.requires_grad]
        if not outputs or not all(map(_is_finite, outputs)):
            return False
        made = torch.autograd.grad(total(outputs), self._leaves(arguments), allow_unused=True)
        return not all(one is None or _is_finite(one) for one in made)

    def narrowed(self, moves: Moves) -> Case:
        """The same case, with only those numbers that these moves use."""
        used = [
            tuple(move.number for move in moves if move.argument == n) for n in range(len(self.arguments))
        ]
        return replace(self, numbers=tuple(used))

    def _leaves(self, arguments: Sequence[object]) -> list[Tensor]:
        own = self.function.parameters() if isinstance(self.function, nn.Module) else ()
        return [one for one in (*arguments, *own) if isinstance(one, Tensor) and one.requires_grad]


def _numbers(
    function: Callable[..., object], argument: object, around: tuple[float, ...]
) -> tuple[float, ...]:
    if isinstance(argument, Domain):
        return tuple(n for n in points(function, around, argument) if argument.holds(n))
    return (0.0,) if isinstance(argument, Tensor) and argument.dtype is torch.bool else ()


def _is_float(argument: object) -> TypeGuard[Tensor]:
    return isinstance(argument, Tensor) and argument.is_floating_point()


def _is_finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())
