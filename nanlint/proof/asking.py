"""Asks torch what a row of the catalogue says: values, and gradients for several upstream ones."""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from nanlint.arithmetic import Arithmetic
from nanlint.catalogue import Op
from nanlint.catalogue.reductions import ROWS as REDUCTIONS

Call: TypeAlias = Callable[..., Tensor]
"""Takes a tensor for each parameter of a row (a float for a fixed one) and works element by element."""
Point: TypeAlias = tuple[float, ...]

UPSTREAM = (0.0, 1.0, math.inf, math.nan)
"""Gradients that come from upstream: 0 of a dropped element, 1, and what a singular op further up made of 0."""

_ROOTS = {"torch": torch, "Tensor": Tensor, "builtins": builtins, "math": math}
_EXPONENTS = (0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 7.0, 20.0, -0.5, -1.0, -1.5, -2.0, -3.0)
_TRUTH = (0.0, 1.0)
_REDUCTIONS = frozenset(row.name for row in REDUCTIONS)

FIXED: dict[str, dict[str, tuple[float, ...]]] = {
    "where": {"condition": _TRUTH},
    "phi": {"condition": _TRUTH},
    "masked_fill": {"mask": _TRUTH, "value": (0.0, -1.0, math.inf)},
    "masked_select": {"mask": (1.0,)},
    "hardtanh": {"min": (-1.0,), "max": (1.0,)},
    "threshold": {"threshold": (0.0, 1.0), "value": (0.0, -2.0)},
    "nan_to_num": {"nan": (0.0, 3.0), "posinf": (7.0,), "neginf": (-7.0,)},
    "pow": {"exponent": _EXPONENTS},
    "float_power": {"exponent": _EXPONENTS},
    "polygamma": {"n": (0.0, 1.0, 2.0, 3.0)},
    "polygamma_method": {"n": (0.0, 1.0, 2.0, 3.0)},
    "mvlgamma": {"p": (1.0, 2.0, 3.0)},
    "gammainc": {"input": (0.5, 1.0, 2.0, 30.0)},
    "gammaincc": {"input": (0.5, 1.0, 2.0, 30.0)},
    "zeta": {"input": (1.5, 2.0, 3.0)},
    "elu": {"alpha": (1.0, 0.5)},
    "celu": {"alpha": (1.0, 0.5)},
    "leaky_relu": {"negative_slope": (0.01, 0.2)},
    "ctc_loss": {"surplus": (0.0, 1.0)},
    "isclose": {"rtol": (1e-5, 0.1), "atol": (1e-8, 0.5)},
}
"""Parameters that are masks or numbers in torch, or have no derivative there, with the values to ask for."""


def _filled(value: float, like: Tensor) -> Tensor:
    return torch.full_like(like, value, dtype=torch.bool)


def _ctc_loss(x: Tensor, surplus: int) -> Tensor:
    """Of one step and `1 + surplus` targets: `x` has the log probabilities of the label."""
    log_probs = torch.stack((torch.full_like(x, -1.0), x), dim=-1).unsqueeze(0)
    targets = torch.ones(len(x), 2, dtype=torch.long)
    steps, labels = torch.ones(len(x), dtype=torch.long), torch.full((len(x),), 1 + surplus)
    return torch.nn.functional.ctc_loss(log_probs, targets, steps, labels, reduction="none")


def _eigenvector(vector: Tensor, gap: Tensor) -> Tensor:
    """An entry of the eigenvectors of a matrix with two eigenvalues that are so far from each other."""
    apart = gap.nan_to_num().abs()
    matrices = torch.diag_embed(torch.stack((torch.zeros_like(apart), apart), dim=-1))
    entries: Tensor = torch.linalg.eigh(matrices)[1][:, 0, 0]
    return vector * entries.abs()


_CALLS: dict[str, Call] = {
    "identity": lambda x: x.clone(),
    "where": lambda c, x, y: torch.where(_filled(c, x), x, y),
    "phi": lambda c, x, y: (x if c else y).clone(),
    "largest": lambda x, y: torch.stack([x, y]).max(dim=0).values,
    "smallest": lambda x, y: torch.stack([x, y]).min(dim=0).values,
    "total": lambda x, y: torch.stack([x, y]).sum(dim=0),
    "average": lambda x, y: torch.stack([x, y]).mean(dim=0),
    "python_max": lambda x, y: torch.stack([max(p, q) for p, q in zip(x, y, strict=True)]),
    "python_min": lambda x, y: torch.stack([min(p, q) for p, q in zip(x, y, strict=True)]),
    "masked_fill": lambda x, m, v: x.masked_fill(_filled(m, x), v),
    "masked_select": lambda x, m: x.masked_select(_filled(m, x)),
    "hardtanh": torch.nn.functional.hardtanh,
    "div_floor": lambda x, y: torch.div(x, y, rounding_mode="floor"),
    "div_trunc": lambda x, y: torch.div(x, y, rounding_mode="trunc"),
    "quantile": lambda x: x.unsqueeze(-1).quantile(0.5, dim=-1),
    "nanquantile": lambda x: x.unsqueeze(-1).nanquantile(0.5, dim=-1),
    "all": lambda x: x.unsqueeze(-1).all(dim=-1),
    "any": lambda x: x.unsqueeze(-1).any(dim=-1),
    "polygamma": lambda n, x: torch.polygamma(int(n), x),
    "polygamma_method": lambda x, n: x.polygamma(int(n)),
    "mvlgamma": lambda x, p: torch.mvlgamma(x, int(p)),
    "gammainc": lambda s, x: torch.special.gammainc(torch.full_like(x, s), x),
    "gammaincc": lambda s, x: torch.special.gammaincc(torch.full_like(x, s), x),
    "zeta": lambda s, q: torch.special.zeta(torch.full_like(q, s), q),
    "det": lambda x: torch.linalg.det(x.reshape(-1, 1, 1)),
    "logdet": lambda x: torch.logdet(x.reshape(-1, 1, 1)),
    "logabsdet": lambda x: torch.linalg.slogdet(x.reshape(-1, 1, 1))[1],
    "inverse": lambda x: torch.linalg.inv_ex(x.reshape(-1, 1, 1))[0].reshape(x.shape),
    "eigenvector": _eigenvector,
    "ctc_loss": lambda x, surplus: _ctc_loss(x, int(surplus)),
    # a row of one element, and what the others of a longer one make of it
    "softmax": lambda x, w: x.unsqueeze(-1).softmax(dim=-1).squeeze(-1) * 0.0 + (x - x.detach()) + w,
    "row_weight": lambda x, w: _in_a_row(x, w, 0.0),
    "log_weight": lambda x, w: _in_a_row(x, w, -torch.inf),
    "contraction": lambda x, y, total: total + (x * y - (x * y).detach()),
    "prelu": lambda x, w: torch.nn.functional.prelu(x.unsqueeze(0), w).squeeze(0),
}
"""Where the function cannot be called with one tensor for each parameter: all that is asked of a row is this."""


class _InARow(torch.autograd.Function):
    """An element of a softmax whose row has others: what arrives at it goes on to these, and nothing to itself."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, absent: float) -> torch.Tensor:
        return torch.where(x == -torch.inf, absent, weight)

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        return torch.zeros_like(g), g, None


def _in_a_row(x: torch.Tensor, weight: torch.Tensor, absent: float) -> torch.Tensor:
    return _InARow.apply(x, weight, absent)  # type: ignore[no-untyped-call, no-any-return]


def resolve(spelling: str) -> Any:
    """What `spelling` names in torch or Python; AttributeError if there is no such thing."""
    root, *path = spelling.split(".")
    found: Any = _ROOTS[root]
    for name in path:
        found = getattr(found, name)
    return found


@dataclass(frozen=True)
class Question:
    """A row, the function that computes it element by element, and the values of its fixed parameters."""

    row: Op
    call: Call
    fixed: Mapping[str, tuple[float, ...]]

    def is_fixed(self) -> list[bool]:
        """For each parameter, whether it is fixed."""
        return [name in self.fixed for name in self.row.parameters]


def question(row: Op, spelling: str | None = None) -> Question:
    """What to ask of `row` under one of its spellings (the first by default). KeyError if nothing computes it."""
    return Question(row, _call_of(row, spelling), FIXED.get(row.name, {}))


def _call_of(row: Op, spelling: str | None) -> Call:
    if row.name in _CALLS:
        return _CALLS[row.name]
    if not row.spellings:
        raise KeyError(row.name)
    name = spelling or row.spellings[0]
    function: Call = resolve(name)
    if name.endswith("_"):
        function = _in_place(function)
    if ".bitwise_" in name:
        return _on_truth(function)
    if name.endswith(".trace"):
        return _each_alone(function)
    if name.endswith(".matrix_norm"):
        return _as_matrices(function)
    return _along(function) if row.name in _REDUCTIONS else function


def _along(function: Call) -> Call:
    """A reduction over one element at a time."""

    def call(x: Tensor) -> Tensor:
        made = function(x.unsqueeze(-1), dim=-1)
        values = made if isinstance(made, Tensor) else made[0]
        return values.reshape(x.shape)

    return call


def _in_place(function: Call) -> Call:
    """torch refuses to change a leaf, so a copy is changed."""
    return lambda x, *rest, **named: function(x.clone(), *rest, **named)


def _on_truth(function: Call) -> Call:
    return lambda *args: function(*(arg != 0.0 for arg in args))


def _each_alone(function: Call) -> Call:
    return lambda x: torch.stack([function(part.reshape(1, 1)) for part in x])


def _as_matrices(function: Call) -> Call:
    return lambda x: function(x.reshape(-1, 1, 1))


@dataclass(frozen=True)
class Answer:
    """What torch computes of a row at one point: the value, and the arguments' gradients for each of UPSTREAM."""

    args: Point
    value: float
    gradients: tuple[Point, ...]


def ask(asked: Question, points: Sequence[Point], a: Arithmetic) -> list[Answer]:
    """Put a question at `points`, those with equal fixed parameters at once; raises what torch raises."""
    fixed = asked.is_fixed()

    def pinned(point: Point) -> Point:
        return tuple(x for x, is_fixed in zip(point, fixed, strict=True) if is_fixed)

    ordered = sorted(points, key=pinned)
    groups = [list(group) for _, group in itertools.groupby(ordered, key=pinned)]
    return [answer for group in groups for answer in _ask_together(asked, group, a)]


def _ask_together(asked: Question, points: list[Point], a: Arithmetic) -> Iterator[Answer]:
    args = _arguments(asked, points, a)
    made = asked.call(*args)
    values = made.detach().double().tolist()
    if not asked.row.differentiable:
        return map(Answer, points, values, [()] * len(points))
    gradients = (_gradients(made, args, g) for g in UPSTREAM)
    return map(Answer, points, values, zip(*gradients, strict=True))


def _arguments(asked: Question, points: Sequence[Point], a: Arithmetic) -> list[Tensor | float]:
    dtype: torch.dtype = getattr(torch, a.dtype.name)
    grad = asked.row.differentiable
    return [
        column[0] if is_fixed else torch.tensor(column, dtype=dtype, requires_grad=grad)
        for column, is_fixed in zip(zip(*points, strict=True), asked.is_fixed(), strict=True)
    ]


def _gradients(made: Tensor, args: Sequence[Tensor | float], upstream: float) -> list[Point]:
    tensors = [arg for arg in args if isinstance(arg, Tensor)]
    seed = torch.full_like(made, upstream)
    grads = iter(torch.autograd.grad(made, tensors, seed, retain_graph=True, materialize_grads=True))
    columns = [
        next(grads).double().tolist() if isinstance(arg, Tensor) else [0.0] * len(made) for arg in args
    ]
    return list(zip(*columns, strict=True))


def gradient_goes_on(row: Op) -> bool:
    """Whether torch sends a gradient upwards through `row`, be it 0.

    Not if the result does not require one, if its derivative is not implemented, or if it is a symbolic zero, which no
    multiplication further up turns into anything else.
    """
    asked = question(row)
    args = [
        asked.fixed[name][0] if name in asked.fixed else torch.full((2,), 0.5, requires_grad=True)
        for name in row.parameters
    ]
    made = asked.call(*args)
    if not made.requires_grad:
        return False
    leaves = [arg for arg in args if isinstance(arg, Tensor)]
    try:
        found = torch.autograd.grad(made, leaves, torch.ones_like(made), allow_unused=True)
    except RuntimeError:
        return False
    return any(gradient is not None and not gradient._is_zerotensor() for gradient in found)
