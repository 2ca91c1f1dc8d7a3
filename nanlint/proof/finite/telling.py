"""Puts a lost gradient into words: the arguments, the element, and what `watch` says of the lines."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from nanlint.proof.finite.cases import Case, Moves
from nanlint.proof.live import NonFiniteGradient, watch
from nanlint.proof.running import outputs_of, total

_MOST_SHOWN = 64
"""Tensors of more elements are shown by shape, with the elements that were moved."""


def told(case: Case, moves: Moves) -> str:
    """The message of a failed assertion."""
    arguments = case.moved(moves)
    shown = [f"  {_shown(n, one, moves)}" for n, one in enumerate(arguments)]
    return "\n".join(["the value is finite and a gradient is not, at", *shown, _cause(case, arguments)])


def _cause(case: Case, arguments: list[object]) -> str:
    module = case.function if isinstance(case.function, nn.Module) else None
    try:
        with watch(module):
            outputs = outputs_of(case.function, arguments)
            total([output for output in outputs if output.requires_grad]).backward()  # type: ignore[no-untyped-call]
    except NonFiniteGradient as error:
        return str(error)
    return "the gradient is finite when the function is called once more: it is not the same each time"


def _shown(number: int, argument: object, moves: Moves) -> str:
    if not isinstance(argument, Tensor) or argument.numel() <= _MOST_SHOWN:
        plain = argument.detach() if isinstance(argument, Tensor) else argument
        return f"argument {number}: {plain!r}"
    return f"argument {number}: shape {tuple(argument.shape)}, {', '.join(_moved(number, argument, moves))}"


def _moved(number: int, argument: Tensor, moves: Moves) -> Iterator[str]:
    for move in moves:
        if move.argument == number:
            stop = min(move.stop, argument.numel())
            yield f"elements {move.start} to {stop - 1} (counted through) are {move.number:g}"
