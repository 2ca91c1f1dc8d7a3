"""`watch`: a training step that stops at the first gradient that is nan, and says where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from nanlint.proof.live.culprits import find, leaves_below
from nanlint.proof.live.places import Placing
from nanlint.proof.live.telling import told


class NonFiniteGradient(RuntimeError):
    """A backward pass has left nan or inf in a gradient; the message says which element of which line did it."""


@contextmanager
def watch(module: nn.Module | None = None) -> Iterator[None]:
    """Watch every `loss.backward()` inside of the `with` block.

    `module` only lends its parameters' names to the message. After each backward pass the gradients of all leaves
    are looked at together; while they are finite, that and the remembered lines are the whole cost. At the first
    nan or inf the pass is run over again, node by node.

    The graph is kept until the gradients have been looked at, so that the peak of memory is that of
    `backward(retain_graph=True)`. A pass that is not started by `Tensor.backward` is not watched. Gradients that
    overflow on purpose, as under a gradient scaler, are reported like all others: watch a step without it.

    Raises NonFiniteGradient, out of the `backward()` at fault.
    """
    names: dict[Tensor, str] = (
        {} if module is None else {one: name for name, one in module.named_parameters()}
    )
    with _Watching(names):
        yield


class _Watching(Placing):
    def __init__(self, names: Mapping[Tensor, str]) -> None:
        super().__init__()
        self._names = names

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is Tensor.backward:
            return self._backward(*args, **(kwargs or {}))
        return super().__torch_function__(func, types, args, kwargs)

    def _backward(
        self,
        loss: Tensor,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Sequence[Tensor] | None = None,
    ) -> None:
        leaves = leaves_below(loss) if inputs is None else list(inputs)
        loss.backward(gradient, retain_graph=True, create_graph=create_graph, inputs=inputs)  # type: ignore[no-untyped-call]
        spoiled = _first_spoiled(sorted(leaves, key=lambda leaf: leaf not in self._names))
        if spoiled is not None:
            raise NonFiniteGradient(self._message(loss, gradient, spoiled))
        if not (retain_graph or create_graph):
            _let_go(loss)

    def _message(self, loss: Tensor, gradient: Tensor | None, spoiled: Tensor) -> str:
        name = self._names.get(spoiled, f"a leaf of shape {tuple(spoiled.shape)}")
        if not torch.isfinite(loss).all():
            return f"the value is {_some(loss)} before any gradient is made: look at the forward pass"
        assert spoiled.grad is not None
        return told(f"the gradient of {name} is {_some(spoiled.grad)}", find([loss], [gradient]))


def _first_spoiled(leaves: Sequence[Tensor]) -> Tensor | None:
    """The first leaf whose gradient is not finite; one number is waited for where all are."""
    gradients = [leaf.grad for leaf in leaves if leaf.grad is not None]
    if not gradients:
        return None
    sums = torch.stack([gradient.detach().sum().to(gradients[0].device) for gradient in gradients])
    if torch.isfinite(sums).all():
        return None
    return next((leaf for leaf in leaves if leaf.grad is not None and not _finite(leaf.grad)), None)


def _finite(gradient: Tensor) -> bool:
    return bool(torch.isfinite(gradient.coalesce().values() if gradient.is_sparse else gradient).all())


def _some(tensor: Tensor) -> str:
    return "nan" if bool(torch.isnan(tensor).any()) else "inf"


def _let_go(loss: Tensor) -> None:
    """Free the graph, as a backward pass that need not be repeated does."""
    if not loss._is_view():
        loss.detach_()
