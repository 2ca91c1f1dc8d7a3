"""What the syntax of an operator says by itself: whether it is singular, and where masks come from."""

from __future__ import annotations

import ast

BITWISE = (ast.BitAnd, ast.BitOr, ast.BitXor)
DISPLAYS = (ast.Tuple, ast.List, ast.Set, ast.Dict)
NUMBERS = (ast.Constant, *DISPLAYS)
"""What may stand for one of several numbers, in a branch or by an index."""
_SMALLEST_DIVISOR = 0.1


def number(node: ast.expr) -> float | None:
    """The absolute value of a literal number that is not 0; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        node = node.operand
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return abs(node.value) or None
    return None


def is_singular(operator: ast.operator, right: ast.expr, *, squares: bool) -> bool:
    """Whether an operator with this right side is singular anywhere; `squares` says whether a square is."""
    if isinstance(operator, ast.Pow):
        exponent = right.value if isinstance(right, ast.Constant) else None
        return exponent not in (0, 1) and (squares or exponent != 2)
    if isinstance(operator, (ast.Div, ast.Mod)):
        divisor = number(right)
        return divisor is None or divisor < _SMALLEST_DIVISOR
    return False


def is_doubled(key: ast.expr) -> bool:
    """Whether a subscript ends with the same indices twice: those of elements on a diagonal."""
    parts = key.elts if isinstance(key, ast.Tuple) else ()
    if len(parts) < 2 or isinstance(parts[-1], (ast.Slice, ast.Constant)):
        return False
    return ast.dump(parts[-1]) == ast.dump(parts[-2])
