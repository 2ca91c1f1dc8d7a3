"""Functions of torch that do what a selection does by hand: `where(x > 20, x, log1p(exp(x)))` is softplus."""

from __future__ import annotations

import ast

from nanlint.finding import Edit
from nanlint.fixes.places import Places
from nanlint.hazards import Hazard
from nanlint.sites import called_name

_THRESHOLD = 20.0
"""Beyond it softplus is its argument, in torch as well as to the precision of float32."""


def library(hazard: Hazard, places: Places) -> tuple[Edit, ...] | None:
    """The edit that calls softplus in place of a selection that spells it out; None for any other."""
    node = hazard.selector.node
    if not (isinstance(node, ast.Call) and hazard.selector.op == "where" and len(node.args) == 3):
        return None
    condition, linear, curved = node.args
    spelling = _spelling(places)
    if spelling is None or not isinstance(linear, (ast.Name, ast.Attribute)):
        return None
    text = places.text(linear)
    if not (_is_beyond(condition, text, places) and _is_softplus(curved, text, places)):
        return None
    return (Edit(places.source.span(node), f"{spelling}({text})"),)


def _is_beyond(node: ast.expr, text: str, places: Places) -> bool:
    """`x > 20`."""
    if not (
        isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Gt, ast.GtE)) and len(node.ops) == 1
    ):
        return False
    bound = node.comparators[0]
    number = bound.value if isinstance(bound, ast.Constant) else None
    return places.text(node.left) == text and isinstance(number, (int, float)) and number >= _THRESHOLD


def _is_softplus(node: ast.expr, text: str, places: Places) -> bool:
    """`log1p(exp(x))`, as functions or methods."""
    inner = _argument(node, "log1p", places)
    innermost = _argument(inner, "exp", places)
    return innermost is not None and places.text(innermost) == text


def _argument(node: ast.expr | None, name: str, places: Places) -> ast.expr | None:
    """The argument of a call of one argument."""
    if not isinstance(node, ast.Call) or called_name(node) != name or node.keywords:
        return None
    if isinstance(node.func, ast.Attribute) and places.is_method(node):
        return node.func.value if not node.args else None
    return node.args[0] if len(node.args) == 1 else None


def _spelling(places: Places) -> str | None:
    """How this file says `torch.nn.functional.softplus`."""
    whole = "torch.nn.functional.softplus"
    for name, dotted in sorted(places.imports, key=lambda pair: -len(pair[1])):
        if whole == dotted or whole.startswith(f"{dotted}."):
            return name + whole.removeprefix(dotted)
    return None
