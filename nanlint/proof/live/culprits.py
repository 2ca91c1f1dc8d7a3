"""Runs a backward pass over again and finds the node that made the first nan, and the one that dropped its element."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.autograd.graph import Node

_Gradients = tuple["Tensor | None", ...]

_OPERANDS = ("self", "result", "other", "exponent", "x1", "mat1")
"""The names under which nodes keep what they were computed from, the most telling first."""

_REARRANGE = frozenset(
    {"Clone", "Expand", "Permute", "Squeeze", "T", "Transpose", "Unsqueeze", "UnsafeView", "View"}
)
"""Nodes that only move elements, and so drop none."""


@dataclass(frozen=True)
class Culprit:
    """One element whose local derivative turned the gradient of everything above it into nan or inf."""

    node: Node
    index: tuple[int, ...]
    """Of the element, in the operand that the gradient belongs to."""
    operands: dict[str, float]
    """What the node kept of its operands at that element, by autograd's names."""
    arrived: float
    """The gradient that came from above."""
    left: float
    """What the node made of it: nan or inf."""
    dropped_by: Node | None
    """The node above that gave the element a gradient of 0; None if nothing did."""
    above: tuple[Node, ...] = ()
    """The nodes between the element and the outputs, nearest first."""


@dataclass
class _Seen:
    """What passed a node: only what the search needs, so that no gradient outlives the pass."""

    left: list[Tensor | None]
    """For each input, where the gradient that leaves is not 0."""
    arrived: list[Tensor | None]
    """For each output, where the gradient that comes from above is not 0."""

    def drops(self, index: tuple[int, ...]) -> bool:
        """Whether the element was given a gradient, and passed on 0 to an operand."""
        return any(_anywhere(one, index) for one in self.arrived) and not all(
            one is None or _at_element(one, index) for one in self.left
        )


def find(outputs: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> Culprit | None:
    """The first node, from the outputs up, that is given finite gradients and makes one that is not.

    The graph must still be there (`retain_graph`); it is run once more, and no `.grad` is touched.
    """
    roots = [output.grad_fn for output in outputs if output.grad_fn is not None]
    nodes = list(_reachable(roots))
    users: dict[Node, list[tuple[Node, int]]] = {}
    for node in nodes:
        for slot, child in _children(node):
            users.setdefault(child, []).append((node, slot))
    search = _Search(users)
    handles = [node.register_hook(partial(search.look, node)) for node in nodes if node.next_functions]
    leaves = [leaf for node in nodes if isinstance(leaf := getattr(node, "variable", None), Tensor)]
    try:
        torch.autograd.grad(outputs, leaves, gradients, retain_graph=True, allow_unused=True)
    finally:
        for handle in handles:
            handle.remove()
    return search.culprit


class _Search:
    """One backward pass that is looked at node by node."""

    def __init__(self, users: Mapping[Node, Sequence[tuple[Node, int]]]) -> None:
        self._users = users
        self._seen: dict[Node, _Seen] = {}
        self.culprit: Culprit | None = None

    def look(self, node: Node, left: _Gradients, arrived: _Gradients) -> None:
        """What autograd calls when the node is done."""
        if self.culprit is not None:
            return
        spoiled = next((one for one in left if one is not None and not _finite(one)), None)
        if spoiled is not None and all(one is None or _finite(one) for one in arrived):
            self.culprit = self._blame(node, spoiled, arrived)
        self._seen[node] = _Seen(_not_zero(left), _not_zero(arrived))

    def _blame(self, node: Node, spoiled: Tensor, arrived: _Gradients) -> Culprit:
        index = tuple(torch.isfinite(spoiled).logical_not().nonzero()[0].tolist())
        above = next((_at(one, index) for one in arrived if one is not None), math.nan)
        return Culprit(
            node=node,
            index=index,
            operands=dict(_operands(node, index)),
            arrived=above,
            left=_at(spoiled, index),
            dropped_by=self._dropper(node, index) if above == 0 else None,
            above=tuple(self._above(node)),
        )

    def _above(self, node: Node) -> Iterator[Node]:
        """All nodes between a node and the outputs, nearest first."""
        waiting, met = deque([node]), {node}
        while waiting:
            for user, _ in self._users.get(waiting.popleft(), ()):
                if user not in met:
                    met.add(user)
                    waiting.append(user)
                    yield user

    def _dropper(self, node: Node, index: tuple[int, ...]) -> Node | None:
        """The nearest node above that was given something and passed 0 on to the element."""
        for user in self._above(node):
            seen = self._seen.get(user)
            if seen is not None and _kind(user) not in _REARRANGE and seen.drops(index):
                return user
        return None


def _reachable(roots: Sequence[Node]) -> Iterator[Node]:
    """Every node of the graph, those nearer to the outputs first."""
    waiting, met = deque(roots), set(roots)
    while waiting:
        node = waiting.popleft()
        yield node
        for _, child in _children(node):
            if child not in met:
                met.add(child)
                waiting.append(child)


def _children(node: Node) -> Iterator[tuple[int, Node]]:
    return ((slot, child) for slot, (child, _) in enumerate(node.next_functions) if child is not None)


def _finite(gradient: Tensor) -> bool:
    return bool(torch.isfinite(gradient).all())


def _operands(node: Node, index: tuple[int, ...]) -> Iterator[tuple[str, float]]:
    for name in _OPERANDS:
        try:
            kept = getattr(node, f"_saved_{name}", None)
        except RuntimeError:  # changed in place since
            continue
        if isinstance(kept, Tensor) and not kept.is_complex():
            yield name, _at(kept, index)


def _at(tensor: Tensor, index: tuple[int, ...]) -> float:
    """The element that belongs to `index` after broadcasting; nan where the shapes do not fit."""
    own = index[len(index) - tensor.dim() :] if tensor.dim() <= len(index) else (0,) * tensor.dim()
    try:
        place = tuple(0 if size == 1 else position for size, position in zip(tensor.shape, own, strict=True))
        return float(tensor[place].real)
    except (IndexError, RuntimeError):
        return math.nan


def _kind(node: Node) -> str:
    """`Where` of `WhereBackward0`."""
    return node.name().partition("Backward")[0]


def _not_zero(gradients: _Gradients) -> list[Tensor | None]:
    return [None if one is None else one != 0 for one in gradients]


def _anywhere(mask: Tensor | None, index: tuple[int, ...]) -> bool:
    """The mask at an element; of another shape, whether it holds anywhere."""
    if mask is None:
        return False
    return bool(mask[index] if _fits(mask, index) else mask.any())


def _at_element(mask: Tensor, index: tuple[int, ...]) -> bool:
    """The mask at an element; of another shape, whether it holds everywhere."""
    return bool(mask[index] if _fits(mask, index) else mask.all())


def _fits(mask: Tensor, index: tuple[int, ...]) -> bool:
    return mask.dim() == len(index) and all(i < size for i, size in zip(index, mask.shape, strict=True))


def leaves_below(output: Tensor) -> list[Tensor]:
    """The leaves that the gradient of `output` reaches, each once."""
    if output.grad_fn is None:
        return [output]
    found = (getattr(node, "variable", None) for node in _reachable([output.grad_fn]))
    return [leaf for leaf in found if isinstance(leaf, Tensor)]
