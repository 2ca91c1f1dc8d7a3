"""Parameters that a function asks about infinity, which they may be then: `alpha == -inf`, `bias.isinf()`."""

from __future__ import annotations

import ast
import math

from nanlint import regions as R
from nanlint.lower.remembered import remembered
from nanlint.regions import Region

_ASKING = {"isinf": R.INFINITIES, "isneginf": R.point(-math.inf), "isposinf": R.point(math.inf)}


@remembered
def asked_about(function: ast.AST) -> dict[str, Region]:
    """The names in a function that it compares with infinities, and with which of them."""
    found: dict[str, Region] = {}
    for node in ast.walk(function):
        for name, region in _asked(node):
            found[name] = found.get(name, R.EMPTY) | region
    return found


def _asked(node: ast.AST) -> list[tuple[str, Region]]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
        sides = (node.left, node.comparators[0])
        infinities = [_infinity(side) for side in sides]
        return [
            (side.id, R.point(infinity))
            for side, infinity in zip(sides, reversed(infinities), strict=True)
            if isinstance(side, ast.Name) and infinity is not None
        ]
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return []
    region = _ASKING.get(node.func.attr)
    named = [part.id for part in (node.func.value, *node.args) if isinstance(part, ast.Name)]
    return [(name, region) for name in named] if region is not None else []


def _infinity(node: ast.expr) -> float | None:
    """The infinity that an expression is as written, `float("-inf")` or `-torch.inf`; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        found = _infinity(node.operand)
        return None if found is None else -found
    if isinstance(node, ast.Attribute):
        return math.inf if node.attr in ("inf", "infty", "Inf") else None
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
    text = node.args[0] if isinstance(node, ast.Call) and called and len(node.args) == 1 else None
    if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
        return None
    try:
        number = float(text.value)
    except ValueError:
        return None
    return number if math.isinf(number) else None
