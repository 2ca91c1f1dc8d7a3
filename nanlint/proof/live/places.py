"""Remembers, for each node of the autograd graph, which line of which file made it."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from os.path import dirname, join
from types import CodeType, FrameType
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.overrides import TorchFunctionMode

_KEY = "nanlint"
_INNER = (join(dirname(torch.__file__), ""), join(dirname(__file__), ""))
"""Frames of files below these folders are not where a user's line stands."""


@dataclass(frozen=True)
class Place:
    """A call in running code: where it stands, as exactly as this version of Python knows."""

    code: CodeType
    instruction: int
    line: int
    """Counted from 1."""

    @property
    def path(self) -> str:
        """The file, as Python names it."""
        return self.code.co_filename

    @property
    def text(self) -> str:
        """The source of the call where Python knows its columns (since 3.11), else its line; "" without a file."""
        first, last, start, end = self._extent()
        lines = [linecache.getline(self.path, number).rstrip("\n") for number in range(first, last + 1)]
        if start is not None and end is not None and any(lines):
            lines[-1] = _cut(lines[-1], 0, end)
            lines[0] = _cut(lines[0], start, None)
        return " ".join(line.strip() for line in lines)

    def _extent(self) -> tuple[int, int, int | None, int | None]:
        if sys.version_info >= (3, 11):
            found = next(islice(self.code.co_positions(), self.instruction // 2, None), None)
            if found is not None and found[0] is not None and found[1] is not None:
                return found[0], found[1], found[2], found[3]
        return self.line, self.line, None, None


def _cut(line: str, start: int, end: int | None) -> str:
    """Python counts columns in bytes of UTF-8."""
    return line.encode()[start:end].decode(errors="replace")


class Placing(TorchFunctionMode):
    """While it is entered, each node that a torch function makes is given the place of the call."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the function, and remember who called it."""
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor):
            if made.grad_fn is not None:
                _mark(made.grad_fn, sys._getframe(1))
        elif isinstance(made, (tuple, list)):
            for node in _nodes(made):
                _mark(node, sys._getframe(1))
        elif made is None and args and isinstance(args[0], Tensor) and args[0].grad_fn is not None:
            _mark(args[0].grad_fn, sys._getframe(1))
        return made


def _nodes(made: Sequence[object]) -> Iterator[Node]:
    return (one.grad_fn for one in made if isinstance(one, Tensor) and one.grad_fn is not None)


def _mark(node: Node, frame: FrameType | None) -> None:
    while frame is not None and frame.f_code.co_filename.startswith(_INNER):
        frame = frame.f_back
    if frame is not None:
        _metadata(node).setdefault(_KEY, Place(frame.f_code, frame.f_lasti, frame.f_lineno))


def place_of(node: Node) -> Place | None:
    """Where a node was made; None for one that was made outside of `Placing` or inside of a torch function."""
    place = _metadata(node).get(_KEY)
    return place if isinstance(place, Place) else None


def _metadata(node: Node) -> dict[str, object]:
    """What may be noted on a node; torch's own types take it for a method."""
    return cast("dict[str, object]", node.metadata)
