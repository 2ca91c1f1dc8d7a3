"""New shapes as written: `[:, None]`, `.unsqueeze(-1)`; and conditions without them."""

from __future__ import annotations

import ast
import copy

from nanlint.lower.keys import reshapes

RESHAPING = frozenset(
    {"unsqueeze", "squeeze", "view", "reshape", "expand", "expand_as", "view_as", "flatten"}
)
"""Methods that give a tensor another shape and leave the order of its elements."""


def reshape(node: ast.AST | None) -> str:
    """How an expression gives another one a new shape; "" if it does not."""
    if isinstance(node, ast.Subscript) and reshapes(node.slice):
        return f"[{ast.unparse(node.slice)}]"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RESHAPING:
        given = [*node.args, *(word.value for word in node.keywords)]
        return f".{node.func.attr}({', '.join(map(ast.unparse, given))})"
    return ""


def unshaped(condition: ast.expr) -> tuple[ast.expr, str] | None:
    """A condition before it is given a new shape, and that shape: `n > 0` of `n[:, None] > 0`.

    None if it has none, or several.
    """
    shapes: set[str] = set()
    bare = _bare(condition, shapes)
    return (bare, shapes.pop()) if len(shapes) == 1 else None


def _bare(node: ast.expr, shapes: set[str]) -> ast.expr:
    shape = reshape(node)
    if shape:
        shapes.add(shape)
        inner = node.value if isinstance(node, ast.Subscript) else _receiver(node)
        return _bare(inner, shapes)
    made = copy.copy(node)
    if isinstance(made, ast.Compare):
        made.left = _bare(made.left, shapes)
        made.comparators = [_bare(one, shapes) for one in made.comparators]
    elif isinstance(made, ast.BinOp):
        made.left, made.right = _bare(made.left, shapes), _bare(made.right, shapes)
    elif isinstance(made, ast.UnaryOp):
        made.operand = _bare(made.operand, shapes)
    else:
        return node
    return made


def _receiver(node: ast.expr) -> ast.expr:
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Attribute)
    return node.func.value
