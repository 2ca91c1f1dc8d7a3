"""What the annotation of a parameter names: a class, whatever is written around it."""

from __future__ import annotations

import ast


def class_named(annotation: ast.expr | None) -> ast.Name | ast.Attribute | None:
    """The name of a class in an annotation: `Rays`, `"Rays"`, `Optional[Rays]`, `Rays | None`; None for others."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = _quoted(annotation.value)
    if isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "Optional":
        return class_named(annotation.slice)
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides = [side for side in (annotation.left, annotation.right) if not _is_none(side)]
        return class_named(sides[0]) if len(sides) == 1 else None
    return annotation if isinstance(annotation, (ast.Name, ast.Attribute)) else None


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name; empty for what is none."""
    return str(getattr(node, "attr", getattr(node, "id", "")))


def _quoted(text: str) -> ast.expr | None:
    """What an annotation is that is written as a text; None for what is no expression."""
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
