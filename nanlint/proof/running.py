"""Runs a function of a file with torch: its value and the gradients of its inputs, row by row."""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import count
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import torch
from torch import Tensor

FINITE = "finite"

_SEED = 0
_numbers = count()


@dataclass(frozen=True)
class Run:
    """What `f` gave for one row of inputs."""

    values: tuple[Tensor, ...]
    """Every floating-point output, however deeply nested, detached."""
    gradients: tuple[Tensor, ...]
    """Of the sum of all outputs that carry gradient, for each leaf; 0 for a leaf without any."""

    @property
    def finite_value(self) -> bool:
        """Whether there is neither nan nor inf in any output."""
        return all(map(_is_finite, self.values))

    @property
    def finite_gradient(self) -> bool:
        """Whether there is neither nan nor inf in any gradient."""
        return all(map(_is_finite, self.gradients))


def run_file(path: Path, entry: str = "f", dtype: str | None = None) -> list[Run]:
    """Import the file on its own and call `entry` with each row of its INPUTS, in a dtype or else in its DTYPE.

    Nothing it prints is shown. Raises whatever the file raises, and AttributeError where it lacks `entry` or
    INPUTS.
    """
    with quietly(), imported(path) as module:
        function: Callable[..., object] = getattr(module, entry)
        floats: torch.dtype = getattr(torch, str(dtype or getattr(module, "DTYPE", "float32")))
        return [run(function, row, floats) for row in module.INPUTS]


def run(function: Callable[..., object], row: Iterable[object], dtype: torch.dtype = torch.float32) -> Run:
    """Call a function with one row: lists become tensors, all the rest is passed as it is.

    Lists of floats become leaves of `dtype`, of bools bool tensors, of ints int64 tensors. Each call begins with
    the same random numbers.
    """
    arguments = [argument(item, dtype) for item in row]
    leaves = [item for item in arguments if isinstance(item, Tensor) and item.requires_grad]
    outputs = outputs_of(function, arguments)
    gradients = _gradients([output for output in outputs if output.requires_grad], leaves)
    return Run(tuple(output.detach() for output in outputs), tuple(gradients))


def train(function: Callable[..., object], row: Iterable[object]) -> None:
    """Call a function with one row, as `run` does, and take the backward pass of the sum of its outputs."""
    arguments = [argument(item) for item in row]
    outputs = [output for output in outputs_of(function, arguments) if output.requires_grad]
    if outputs:
        total(outputs).backward()  # type: ignore[no-untyped-call]


def outputs_of(function: Callable[..., object], arguments: Iterable[object]) -> list[Tensor]:
    """The floating-point tensors and numbers that a call gives, in order; each call has the same random numbers."""
    torch.manual_seed(_SEED)
    return list(_floats(function(*arguments)))


def total(outputs: list[Tensor]) -> Tensor:
    """The sum of all elements of all outputs, from which a backward pass starts."""
    return torch.stack([_sum(output) for output in outputs]).sum()


def _gradients(outputs: list[Tensor], leaves: list[Tensor]) -> list[Tensor]:
    if not outputs or not leaves:
        return [torch.zeros_like(leaf) for leaf in leaves]
    found = torch.autograd.grad(total(outputs), leaves, allow_unused=True)
    return [torch.zeros_like(leaf) if one is None else one for one, leaf in zip(found, leaves, strict=True)]


def _sum(output: Tensor) -> Tensor:
    return (torch.view_as_real(output) if output.is_complex() else output).sum().double()


def argument(item: object, dtype: torch.dtype = torch.float32) -> object:
    """What an entry of a row is passed as; `dtype` is that of floats."""
    if not isinstance(item, list):
        return item
    kinds = {type(scalar) for scalar in _scalars(item)}
    if kinds == {float}:
        return torch.tensor(item, dtype=dtype, requires_grad=True)
    if kinds == {bool}:
        return torch.tensor(item, dtype=torch.bool)
    return torch.tensor(item, dtype=torch.int64) if kinds == {int} else item


def _scalars(item: object) -> Iterator[object]:
    if isinstance(item, list):
        for part in item:
            yield from _scalars(part)
    else:
        yield item


def _floats(output: object) -> Iterator[Tensor]:
    """The floating-point tensors and numbers in an output, in order."""
    if isinstance(output, float):
        yield torch.tensor(output)
    elif isinstance(output, Tensor):
        if output.is_floating_point() or output.is_complex():
            yield output
    elif isinstance(output, Mapping):
        yield from _floats(list(output.values()))
    elif isinstance(output, (list, tuple)):
        for part in output:
            yield from _floats(part)


def _is_finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())


class _Loader(SourceFileLoader):
    """Compiles the file each time: a cached one may be older than a form written within the same second."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


@contextmanager
def imported(path: Path) -> Iterator[ModuleType]:
    """The file as a module that no other can meet: dataclasses and pickling need it among `sys.modules`."""
    name = f"nanlint_fixture_{next(_numbers)}"
    spec = spec_from_loader(name, _Loader(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules[name]


@contextmanager
def quietly() -> Iterator[None]:
    """Without output or warnings, on one thread, with gradients; all put back at the end."""
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_num_threads(1)
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            with torch.enable_grad():
                yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_num_threads(threads)


def summary(tensors: Iterable[Tensor]) -> str:
    """`finite`, or how many numbers in the tensors are nan and inf: `nan 2/8`, `inf 1/8`."""
    numbers: list[Any] = [tensor.flatten() for tensor in tensors]
    size = sum(len(number) for number in numbers)
    counts = {
        "nan": sum(int(torch.isnan(number).sum()) for number in numbers),
        "inf": sum(int(torch.isinf(number).sum()) for number in numbers),
    }
    return ", ".join(f"{word} {times}/{size}" for word, times in counts.items() if times) or FINITE
