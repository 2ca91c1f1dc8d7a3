"""`python -m nanlint.proof.confirm`: runs the programs that it reads from stdin, a line of JSON each, with torch.

It writes a line with torch's version first, and then one for each program: for each of its points the result and the
gradient of each input, or why there is none. This is the process behind `nanlint --confirm`. Nothing but ops of the
catalogue is called.
"""

from __future__ import annotations

import json
import math
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TextIO

import torch
from torch import Tensor

from nanlint.catalogue import OPS
from nanlint.proof.asking import Question, question

_MEMORY = 2 << 30
"""Bytes that a program may take beyond what torch itself takes."""


def _stored(x: Tensor, mask: Tensor, value: Tensor) -> Tensor:
    """`x[mask] = value`, where a selection may have left nothing of the value."""
    return x.masked_fill(mask != 0.0, value.reshape(()) if value.numel() else 0.0)


_LEARNT: dict[str, Callable[..., Tensor]] = {
    "pow": torch.pow,
    "float_power": torch.float_power,
    "masked_fill": _stored,
}
"""Ops whose last argument is a number, unless it has a gradient of its own."""


def main(stdin: TextIO, stdout: TextIO) -> None:
    """Answer line by line until there are no more."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    limit_memory(_MEMORY)
    print(json.dumps({"torch": torch.__version__}), file=stdout, flush=True)
    for line in stdin:
        print(json.dumps(answer(json.loads(line))), file=stdout, flush=True)


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """What torch gives for one program at all of its points, under "points"; under "error" what it raised instead."""
    dtype: torch.dtype = getattr(torch, asked["dtype"])
    try:
        found = [run(asked["steps"], asked["results"], point, dtype) for point in asked["points"]]
    except MemoryError:
        return {"error": "out of memory"}
    except (RuntimeError, TypeError, ValueError, KeyError, NotImplementedError) as error:
        return {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
    return {"points": found}


def run(
    steps: Sequence[Sequence[Any]], results: Sequence[int], point: Sequence[float], dtype: torch.dtype
) -> list[float]:
    """The result of a program and the gradient of each input, with tensors of one element for all values."""
    values: list[Tensor] = []
    inputs: list[Tensor] = []
    for op, args, number, grad in steps:
        if op == "input":
            made = torch.tensor([point[len(inputs)]], dtype=dtype, requires_grad=grad)
            inputs.append(made)
        elif op == "number":
            made = torch.tensor([number], dtype=dtype)
        else:
            made = _applied(_question(op), [values[arg] for arg in args]).to(dtype)
            made = made if grad else made.detach()
        values.append(made)
    made = torch.cat([values[index].reshape(-1) for index in results])
    value = made.sum().item() if made.numel() else math.nan  # nothing is left, as the evaluator says it
    return [value, *_gradients(made.sum(), inputs)]


def _gradients(total: Tensor, inputs: Sequence[Tensor]) -> list[float]:
    wanted = [value for value in inputs if value.requires_grad]
    if not (wanted and total.requires_grad):
        return [0.0] * len(inputs)
    found = iter(torch.autograd.grad(total, wanted, allow_unused=True, materialize_grads=True))
    return [next(found).item() if value.requires_grad else 0.0 for value in inputs]


def _applied(asked: Question, args: Sequence[Tensor]) -> Tensor:
    if asked.row.name in _LEARNT and args[-1].requires_grad:
        return _LEARNT[asked.row.name](*args)
    fixed = asked.is_fixed()
    return asked.call(*(_number(arg) if is_fixed else arg for arg, is_fixed in zip(args, fixed, strict=True)))


def _number(value: Tensor) -> float:
    """A mask, an exponent and the like as a number; 0 for what a selection has left nothing of."""
    return float(value.detach().item()) if value.numel() else 0.0


@cache
def _question(op: str) -> Question:
    return question(OPS[op])


def limit_memory(more: int) -> None:
    """Let this process take `more` bytes of memory and no further; nothing where the system has no such limit."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[0])
        limit = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (ImportError, OSError, ValueError):
        return


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever torch prints is no answer
    main(sys.stdin, answers)
