"""Walks torch's own namespaces for differentiable functions that poison and that the catalogue does not have.

Each callable is tried on small float64 arguments of many forms; where a form is accepted, it is called at a grid of
finite values, and backward is run with an upstream gradient of 0. What comes back as nan or inf is poison.
"""

from __future__ import annotations

import inspect
import itertools
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor

from nanlint.catalogue import SPELLINGS
from nanlint.catalogue.structure import DEGENERATE

NAMESPACES: dict[str, Any] = {
    "torch": torch,
    "Tensor": Tensor,
    "torch.special": torch.special,
    "torch.nn.functional": torch.nn.functional,
    "torch.linalg": torch.linalg,
}

NOT_CALLED = re.compile(
    r"""
    _ | set_ | set$ | use_ | is_ | get_ | init | import_ | enable_ | seed$ | manual_seed | initial_seed | compile$
    | save$ | load$ | from_ | frombuffer | asarray | cuda | xpu | mps | mtia | cudnn | miopen | mkldnn | fbgemm
    | backward$ | register_ | requires_grad | retain_grad | share_memory | resize | storage | record_stream | pin_memory
    | apply_$ | map_$ | map2_$ | module_load | fork$ | wait$ | vmap$ | while_loop | export | typename
    | rand | normal$ | normal_$ | poisson$ | bernoulli | multinomial | uniform_$ | random_$ | cauchy_ | exponential_
    | geometric_ | log_normal_ | dropout | alpha_dropout | feature_ | rrelu | gumbel | fractional_ | empty | new_empty
    """,
    re.VERBOSE,
)
"""Names that begin like this change torch's state, need files or devices, or give something else each time."""

EXEMPT: dict[str, str] = {
    "addcdiv": "lowered to div and add",
    "ldexp": "a power of two: it only overflows, at exponents in the hundreds",
}
"""Functions that poison and that need no row, each with the reason."""

KEYWORDS: dict[str, dict[str, Any]] = {
    "torch.linalg.solve_triangular": {"upper": True},
}
"""Keyword arguments that a function does not do without."""

Arguments: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Poisoned:
    """A function that poisons, and the first arguments found at which it does."""

    name: str
    arguments: Arguments

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(_shown, self.arguments))})"


@dataclass(frozen=True)
class Sweep:
    """What a walk found: the functions that were differentiated, and those among them that poison."""

    called: frozenset[str]
    poisoned: tuple[Poisoned, ...]

    @property
    def uncovered(self) -> list[Poisoned]:
        """The poisoned functions that neither a singular row nor a table has."""
        return [found for found in self.poisoned if not is_covered(found.name)]


def is_covered(name: str) -> bool:
    """Whether the catalogue knows that the function `name` poisons, or there is a reason why it need not."""
    plain = name.removesuffix("_")
    row = SPELLINGS.get(name) or SPELLINGS.get(plain)
    short = plain.rsplit(".", 1)[-1]
    return (row is not None and row.singular) or short in DEGENERATE or short in EXEMPT


def sweep() -> Sweep:
    """Call everything that can be called. Takes some ten seconds; torch's random state is left as it was."""
    called: set[str] = set()
    poisoned: list[Poisoned] = []
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        for name, function in _functions():
            worst = [tried(name, function, form) for form in FORMS.values()]
            if any(taken for taken, _ in worst):
                called.add(name)
            poisoned.extend(found for _, found in worst if found is not None)
    first = {found.name: found for found in reversed(poisoned)}
    return Sweep(frozenset(called), tuple(first.values()))


def _functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for prefix, namespace in NAMESPACES.items():
        for name in dir(namespace):
            found = getattr(namespace, name, None)
            if callable(found) and not inspect.isclass(found) and not NOT_CALLED.match(name):
                full = f"{prefix}.{name}"
                yield full, partial(found, **KEYWORDS[full]) if full in KEYWORDS else found


# --- arguments -----------------------------------------------------------------------------------------------------


def _tensor(*rows: Sequence[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def _vectors(*values: float) -> list[Tensor]:
    """Two equal elements each: some functions refuse a single one."""
    return [torch.full((2,), value, dtype=torch.float64) for value in values]


_VALUES = _vectors(0.5, 0.0, 1.0, -1.0, -0.5, 2.0, -2.0, 3.0, -3.0, 1e-3, 2000.0, -2000.0)
_FEW = _vectors(0.5, 0.0, 1.0, -1.0, 2.0, -2.0, 2000.0)
_SCALARS = (1, 0, 2, 0.5)
_SQUARE = [
    _tensor((2.0, 0.3), (0.3, 1.0)),
    _tensor((0.0, 0.0), (0.0, 0.0)),
    _tensor((1.0, 0.0), (0.0, 1.0)),
    _tensor((1.0, 1.0), (1.0, 1.0)),
    _tensor((1.0, 0.0), (0.0, 0.0)),
    _tensor((0.0, 1.0), (0.0, 0.0)),
    _tensor((1.0, 2.0), (2.0, 4.0)),
    _tensor((-1.0, 0.0), (0.0, -1.0)),
    _tensor((0.0, 1.0), (-1.0, 0.0)),
]
_BATCHES = [
    _tensor((0.5, 0.2, 0.1), (0.3, -0.4, 0.7)),
    _tensor((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    _tensor((1.0, 1.0, 1.0), (1.0, 1.0, 1.0)),
    _tensor((0.0, 0.0, 0.0), (1.0, 2.0, 3.0)),
    _tensor((-1.0, -1.0, -1.0), (-1.0, -1.0, -1.0)),
    _tensor((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
]
_SAMPLES = [torch.linspace(0.1, 1.0, 16), *(torch.full((16,), value) for value in (0.0, 1.0, -1.0))]
_SIGNALS, _IMAGES, _VOLUMES = (
    [sample.double().reshape(shape) for sample in _SAMPLES]
    for shape in ((1, 1, 16), (1, 1, 4, 4), (1, 1, 4, 2, 2))
)
_LABELS = [torch.tensor([0, 1])]
_MASKS = [torch.tensor([True, False])]
_SIGNS = [torch.tensor([1.0, -1.0], dtype=torch.float64)]
_ONE = [vector[:1] for vector in _VALUES]
_LOG_SOFTMAX = [torch.full((3, 1, 4), 0.25, dtype=torch.float64).log()]
_TARGETS = [torch.tensor([[1, 2]]), torch.tensor([[1, 1, 2, 2]])]

FORMS: dict[str, tuple[Sequence[Any], ...]] = {
    "a vector": (_VALUES,),
    "one element": (_ONE,),
    "two vectors": (_FEW, _FEW),
    "three vectors": (_FEW[:4], _FEW[:4], _FEW[:3]),
    "a vector and a number": (_VALUES, _SCALARS),
    "a number and a vector": ((1, 2, 0, 0.5), _VALUES),
    "a vector and two numbers": (_VALUES[:6], (1, 0, 0.5), (1, 0, 0.5)),
    "a matrix": (_SQUARE,),
    "a matrix and an order": (_SQUARE, (2, 0, 1, -1, "nuc", "fro")),
    "two matrices": (_SQUARE, _SQUARE[:4]),
    "a matrix and a vector": (_SQUARE, _FEW[:3]),
    "a batch": (_BATCHES,),
    "a batch and a number": (_BATCHES, (1, 0, 2, -1)),
    "two batches": (_BATCHES, _BATCHES),
    "two batches and signs": (_BATCHES, _BATCHES, _SIGNS),
    "three batches": (_BATCHES[:4], _BATCHES[:4], _BATCHES[:4]),
    "three matrices": (_SQUARE[:4], _SQUARE[:4], _SQUARE[:4]),
    "two stacks of matrices": ([m.unsqueeze(0) for m in _SQUARE], [m.unsqueeze(0) for m in _SQUARE]),
    "a batch and a shape": (_BATCHES, [(3,)]),
    "a batch and three numbers": (_BATCHES, (2.0, 1.0), (0,), (1.0, 0.5)),
    "a batch and labels": (_BATCHES, _LABELS),
    "a signal": (_SIGNALS,),
    "a signal and a size": (_SIGNALS, (2,)),
    "a signal and two numbers": (_SIGNALS, (2.0, 1.0, 3.0), (2, 1)),
    "an image": (_IMAGES,),
    "an image and a size": (_IMAGES, (2,)),
    "an image and two numbers": (_IMAGES, (2.0, 1.0, 3.0), (2, 1)),
    "a volume and a size": (_VOLUMES, (2,)),
    "a volume and two numbers": (_VOLUMES, (2.0, 1.0, 3.0), (2, 1)),
    "a list of vectors": ([[x, y] for x in _FEW for y in _FEW],),
    "a list of matrices": ([[x, y] for x in _SQUARE[:4] for y in _SQUARE[:4]],),
    "a mask and two vectors": (_MASKS, _FEW[:4], _FEW[:4]),
    "a vector, a mask and a number": (_FEW[:4], _MASKS, (0.5,)),
    "a vector and a mask": (_FEW[:4], _MASKS),
    "a vector, a dimension and indices": (_FEW[:4], (0,), _LABELS),
    "a vector, a dimension, indices and a vector": (_FEW[:4], (0,), _LABELS, _FEW[:4]),
    "a formula and vectors": (("i,i", "i,j->ij"), _FEW, _FEW),
    "sequences and targets": (
        _LOG_SOFTMAX,
        _TARGETS,
        [torch.tensor([3])],
        [torch.tensor([2]), torch.tensor([4])],
    ),
}
"""Kinds of argument lists: what may stand in each place. A function that refuses the first combination, which is
harmless, is not tried with the others."""


def tried(
    name: str, function: Callable[..., Any], form: tuple[Sequence[Any], ...]
) -> tuple[bool, Poisoned | None]:
    """Whether the function takes arguments of this form, and where it poisons."""
    taken = False
    for count, arguments in enumerate(itertools.product(*form)):
        if count and not taken:
            break
        try:
            gradients = _gradients(function, arguments, in_place=name.endswith("_"))
        except Exception:  # whatever a function raises at arguments that it does not take
            continue
        taken = taken or bool(gradients)
        if not all(gradient.isfinite().all() for gradient in gradients):
            return True, Poisoned(name, arguments)
    return taken, None


def _gradients(function: Callable[..., Any], arguments: Arguments, *, in_place: bool) -> list[Tensor]:
    """The gradients of all arguments for an upstream gradient of 0; none if nothing is differentiable."""
    fresh = [_mapped(argument, lambda x: x.clone().requires_grad_()) for argument in arguments]
    leaves = list(_tensors(fresh))
    if in_place:
        fresh[0] = _mapped(fresh[0], Tensor.clone)
    made = [y for y in _tensors(function(*fresh)) if y.requires_grad]
    if not made:
        return []
    found = torch.autograd.grad(made, leaves, [torch.zeros_like(y) for y in made], allow_unused=True)
    return [gradient for gradient in found if gradient is not None]


def _mapped(argument: Any, function: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(argument, list):
        return [_mapped(part, function) for part in argument]
    is_float = isinstance(argument, Tensor) and argument.is_floating_point()
    return function(argument) if is_float else argument


def _tensors(made: Any) -> Iterator[Tensor]:
    """All tensors of real or complex numbers in nested lists and tuples."""
    if isinstance(made, (list, tuple)):
        for part in made:
            yield from _tensors(part)
    elif isinstance(made, Tensor) and (made.is_floating_point() or made.is_complex()):
        yield made


def _shown(argument: Any) -> str:
    if isinstance(argument, list):
        return f"[{', '.join(map(_shown, argument))}]"
    return repr(argument.tolist() if isinstance(argument, Tensor) else argument)
