"""The indexed form: each side is computed for its own elements only, `out[m] = f(x[m])`.

Only where every shape is provably the mask's: one name under elementwise ops, in the condition and on both sides.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from nanlint.finding import Edit, Span
from nanlint.fixes.double_where import where_spelling
from nanlint.fixes.guards import where_condition
from nanlint.fixes.places import Places, binding
from nanlint.fixes.shapes import elementwise
from nanlint.hazards import Hazard


@dataclass(frozen=True)
class Halves:
    """A selection as written: what is taken where `condition` is true, and what elsewhere."""

    condition: ast.expr
    taken: ast.expr
    other: ast.expr


def indexed(hazard: Hazard, places: Places) -> tuple[Edit, ...] | None:
    """Edits that replace the statement of the selector by the indexed form; None where it does not apply."""
    node = hazard.selector.node
    statement = places.statement(node) if node is not None else None
    if not isinstance(statement, (ast.Assign, ast.Return)) or not isinstance(node, ast.expr):
        return None
    halves = _halves(statement, node, hazard, places)
    at = places.line_start(statement)
    spelling = where_spelling(node, places)
    if halves is None or at is None or spelling is None or not spelling.endswith(".where"):
        return None
    name = _only_name(halves)
    if name is None:
        return None
    out = _target(statement, places)
    if out is None or out == name:
        return None
    lines = _lines(halves, name, out, spelling.removesuffix(".where"), places)
    if isinstance(statement, ast.Return):
        lines.append(f"return {out}")
    text = f"\n{at[1]}".join(lines)
    return (Edit(places.source.span(statement), text),)


def _halves(
    statement: ast.Assign | ast.Return, node: ast.expr, hazard: Hazard, places: Places
) -> Halves | None:
    if hazard.drop is not None:
        return _where_halves(statement, node, hazard)
    return _product_halves(statement, places)


def _where_halves(statement: ast.Assign | ast.Return, node: ast.expr, hazard: Hazard) -> Halves | None:
    if statement.value is not node or not isinstance(node, ast.Call) or node.keywords or len(node.args) != 3:
        return None
    condition = where_condition(node, hazard.selector)
    return None if condition is None else Halves(condition, node.args[1], node.args[2])


def _product_halves(statement: ast.Assign | ast.Return, places: Places) -> Halves | None:
    """`m * a + (1 - m) * b`, in either order, where `m` is a comparison made a float mask."""
    value = statement.value
    if not (isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add)):
        return None
    for first, second in ((value.left, value.right), (value.right, value.left)):
        mask, taken = _gated(first)
        complement, other = _gated(second)
        if (
            mask is None
            or taken is None
            or complement is None
            or other is None
            or not isinstance(mask, ast.Name)
        ):
            continue
        condition = _comparison_behind(mask, statement, places)
        if _complements(complement, mask) and condition is not None:
            return Halves(condition, taken, other)
    return None


def _gated(node: ast.expr) -> tuple[ast.expr | None, ast.expr | None]:
    """The leftmost factor of a product, and the rest of it."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)):
        return None, None
    mask, rest = _gated(node.left)
    if mask is None or rest is None:
        return node.left, node.right
    return mask, ast.copy_location(ast.BinOp(rest, node.op, node.right), rest)


def _complements(node: ast.expr, mask: ast.Name) -> bool:
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Sub)
        and isinstance(node.left, ast.Constant)
        and node.left.value == 1
        and isinstance(node.right, ast.Name)
        and node.right.id == mask.id
    )


def _comparison_behind(mask: ast.Name, statement: ast.stmt, places: Places) -> ast.expr | None:
    """The comparison that a float mask was made of, if its name is bound once."""
    body = places.function(statement)
    bound = [made[1] for node in ast.walk(body) if (made := binding(node)) and made[0].id == mask.id]
    if len(bound) != 1:
        return None
    value = bound[0]
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        value = value.func.value
    return value if isinstance(value, ast.Compare) else None


def _only_name(halves: Halves) -> str | None:
    """The one tensor that everything is computed from, elementwise; None if there are more, or other shapes."""
    parts = (halves.condition, halves.taken, halves.other)
    if not isinstance(halves.condition, ast.Compare) or not all(elementwise(part) for part in parts):
        return None
    names = {node.id for part in parts for node in _tensor_names(part)}
    return names.pop() if len(names) == 1 else None


def _tensor_names(node: ast.expr) -> list[ast.Name]:
    """Names read as values; the module in `torch.sqrt` is none."""
    modules = {
        id(part.value)
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and _is_module(part.value)
    }
    return [part for part in ast.walk(node) if isinstance(part, ast.Name) and id(part) not in modules]


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("torch", "th", "math", "F")


def _target(statement: ast.Assign | ast.Return, places: Places) -> str | None:
    if isinstance(statement, ast.Return):
        return places.fresh("out", statement)
    target = statement.targets[0]
    return target.id if len(statement.targets) == 1 and isinstance(target, ast.Name) else None


def _lines(halves: Halves, name: str, out: str, torch: str, places: Places) -> list[str]:
    mask = places.fresh("mask", halves.condition)
    return [
        f"{mask} = {places.text(halves.condition)}",
        f"{out} = {torch}.zeros_like({name})",
        f"{out}[{mask}] = {_picked(halves.taken, name, mask)}",
        f"{mask} = ~{mask}",
        f"{out}[{mask}] = {_picked(halves.other, name, mask)}",
    ]


def _picked(node: ast.expr, name: str, mask: str) -> str:
    """The expression with `name[mask]` for `name`."""
    return ast.unparse(_Picker(name, mask).visit(ast.parse(ast.unparse(node), mode="eval")))


class _Picker(ast.NodeTransformer):
    def __init__(self, name: str, mask: str) -> None:
        self.name = name
        self.mask = mask

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id != self.name:
            return node
        return ast.Subscript(node, ast.Name(self.mask, ast.Load()), ast.Load())


__all__ = ["Span", "indexed"]
