"""The row type of the catalogue: how torch computes an op on Python floats, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeAlias

from nanlint.arithmetic import Arithmetic
from nanlint.regions import Region

Value: TypeAlias = Callable[..., float]
"""`value(a, *args)`: the op on floats in the arithmetic `a`."""
Backward: TypeAlias = Callable[..., tuple[float, ...]]
"""`backward(a, g, y, *args)`: the gradient of each argument, for upstream `g` and result `y`, as torch computes it."""
Image: TypeAlias = Callable[..., Region]
"""`image(a, *regions)`: all values of the op over the regions of its arguments."""
Narrow: TypeAlias = Callable[..., tuple[Region, ...]]
"""`narrow(a, out, *regions)`: the arguments' regions without what cannot give a result in `out`."""
Undefined: TypeAlias = Callable[..., bool]
"""`undefined(*regions)`: whether the value may be nan although no argument is."""
Poison: TypeAlias = Callable[..., tuple[Region, ...]]
"""`poison(a, *regions)`: for each argument, its finite values at which backward turns an upstream 0 into nan for some
argument, given that the other arguments lie in their regions."""

ANY: Final = object()
"""Stands for every value of an argument."""
INDIFFERENT = frozenset({"out", "dtype", "inplace"})
"""Keyword arguments that make no difference to what an op computes of an element, wherever torch takes them."""
ALIASES: Mapping[str, str] = {
    "x": "input",
    "a": "input",
    "x1": "input",
    "x2": "other",
    "self": "input",
    "source": "value",
    "axis": "dim",
    "keepdims": "keepdim",
}
"""Other names under which torch takes keyword arguments, those of numpy above all."""


@dataclass(frozen=True)
class Op:
    """One op: the whole truth about it.

    `parameters` are torch's names of the arguments that matter, in order. `poison` gives each argument's poison
    set; `safe` a value for each argument at which nothing is singular (None where there is no need for one).
    `derivative` is the entry of torch's derivatives.yaml that `backward` mirrors.
    """

    name: str
    parameters: tuple[str, ...]
    value: Value
    backward: Backward
    image: Image
    narrow: Narrow
    undefined: Undefined
    poison: Poison
    safe: tuple[float | None, ...]
    derivative: str
    spellings: tuple[str, ...]
    differentiable: bool = True
    """Whether a gradient goes on upwards through it, be it 0."""
    boolean: bool = False
    """Whether its values are 0 and 1 for falsehood and truth."""
    overflows: bool = False
    """Whether its poison sets come of overflow only: no point is singular."""
    landmarks: tuple[float, ...] = ()
    """Where the formula changes: what is right next to these has to be looked at with care."""
    defaults: Mapping[str, float] = field(default_factory=dict)
    """What the parameters are that a call may leave out."""
    further: Mapping[str, object] = field(default_factory=dict)
    """Arguments of torch's functions behind the parameters, in order, and what they are where the row is true: the
    default, or ANY for those that make no difference to an element. A call with another value is of another op."""

    is_replaceable: bool = True
    """Whether a single element of an argument can be replaced by its safe value."""

    @cached_property
    def singular(self) -> bool:
        """Whether any argument can have a poison set, so that the op can be a hazard's site."""
        return any(value is not None for value in self.safe)


def spelled(name: str, *more: str) -> tuple[str, ...]:
    """The usual spellings of `name` (`torch.name`, `Tensor.name`, in place) and `more`."""
    return (f"torch.{name}", f"Tensor.{name}", f"Tensor.{name}_", *more)


def pure(name: str, *more: str) -> tuple[str, ...]:
    """The spellings of `name` where there is none in place, and `more`."""
    return (f"torch.{name}", f"Tensor.{name}", *more)


def everywhere(name: str, *more: str) -> tuple[str, ...]:
    """The spellings of `name` where `torch` has the one in place too, and `more`."""
    return (*spelled(name), f"torch.{name}_", *more)


def no_narrowing(a: Arithmetic, out: Region, *regions: Region) -> tuple[Region, ...]:
    """The arguments as they are: the result says nothing about them."""
    return regions


def never(*regions: Region) -> bool:
    """The value is never nan of itself."""
    return False
