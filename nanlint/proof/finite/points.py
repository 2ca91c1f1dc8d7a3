"""Numbers at which a function is likely to be singular: some for every function, some from its own source."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import nn

from nanlint.config import Config
from nanlint.engine import check
from nanlint.finding import Confidence
from nanlint.proof.finite.domains import Domain
from nanlint.source import AnalysisError, read

_EVERYWHERE = (0.0, 1.0, -1.0)
_LARGEST_CONSTANT = 1e6


def points(function: Callable[..., object], around: Iterable[float], domain: Domain) -> list[float]:
    """The candidates for an element, the simplest first: each with its two neighbours, and the ends of the dtype."""
    dtype = domain.dtype
    limits = torch.finfo(dtype)
    inner = [end for end in (domain.low, domain.high) if math.isfinite(end)]
    middles = [*_EVERYWHERE, *inner, *around, *_mined(function)]
    neighbours = [n for middle in middles for n in _neighbours(middle, dtype)]
    ends = [limits.tiny, -limits.tiny, limits.eps, limits.max / 2, limits.min / 2]
    rounded = torch.tensor([*middles, *neighbours, *ends], dtype=dtype).tolist()
    return list(dict.fromkeys(number for number in rounded if math.isfinite(number)))


def _neighbours(number: float, dtype: torch.dtype) -> list[float]:
    middle = torch.tensor(number, dtype=dtype)
    ends = torch.tensor([-math.inf, math.inf], dtype=dtype)
    around = torch.nextafter(middle.expand(2), ends).tolist()
    # torch flushes or overflows at subnormal numbers: what is lost there is lost by any division
    return [n for n in around if n == 0 or abs(n) >= torch.finfo(dtype).tiny]


def _mined(function: Callable[..., object]) -> list[float]:
    """Constants of the function's source, and the inputs that nanlint's own witnesses name."""
    code = function.forward if isinstance(function, nn.Module) else function
    try:
        lines, first = inspect.getsourcelines(code)
        path = inspect.getsourcefile(code)
    except (OSError, TypeError):
        return []
    span = range(first, first + len(lines))
    return [*_witnessed(path, span), *_constants("".join(lines))]


def _constants(text: str) -> Iterator[float]:
    try:
        tree = ast.parse(textwrap.dedent(text))
    except SyntaxError:  # a lambda in the middle of a statement
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            number = float(node.value)
            if abs(number) <= _LARGEST_CONSTANT:
                yield from (number, -number)


def _witnessed(path: str | None, span: range) -> Iterator[float]:
    """Where nanlint thinks that a gradient in these lines is lost, however unlikely it thinks it."""
    try:
        findings = [] if path is None else check(read(path), Config(confidence=Confidence.LOW))
    except AnalysisError:
        return
    for finding in findings:
        if finding.span.start.line in span and finding.witness is not None:
            yield from finding.witness.inputs.values()
