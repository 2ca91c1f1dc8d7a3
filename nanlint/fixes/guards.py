"""Guards: the condition under which a selector keeps an operand, as text that can be written once more."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from nanlint.finding import Edit, Span
from nanlint.fixes.places import Places, is_simple
from nanlint.fixes.reshaping import unshaped
from nanlint.graph import PICKED, Apply, Value
from nanlint.hazards import Hazard
from nanlint.relevance import SIGNS
from nanlint.sites import called_name

_PADDED = re.compile(r"(?<=\de)([+-])0(?=\d)")
"""Python writes 1e-06 where people write 1e-6."""
ATOMS = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant)
"""Expressions to which a method or an operator can be added without parentheses."""


@dataclass(frozen=True)
class Guard:
    """The condition under which an operand is kept, as text, and what has to be written to have it.

    `keeps` says whether the operand is kept where the text is true; `binding` are edits that bind the condition to a
    name first.
    """

    text: str
    keeps: bool
    names: frozenset[str]
    binding: tuple[Edit, ...] = ()
    condition: ast.expr | None = None
    """The condition as written, where there is one."""
    factor: ast.expr | None = None
    """The mask of a product, as written, that the condition was made of."""
    through: str = ""
    """The new shape that the condition has where it is written, and that this one is without; "" for none."""


def guards_of(hazard: Hazard, places: Places) -> Iterator[Guard]:
    """The condition of a hazard's selector as it can be written; where it is a name, what the name stands for too."""
    node = hazard.selector.node
    if hazard.drop is None:
        guard = _factor_guard(hazard, places)
    else:
        condition = condition_of(hazard)
        guard = (
            _written(condition, keeps_where_true(hazard), node, places)
            if condition and isinstance(node, ast.expr)
            else None
        )
    if guard is not None:
        spelled = _spelled_out(guard, node, places)
        written = [guard] if spelled is None else [guard, spelled]
        yield from written
        for bare in filter(None, map(_unshaped, written)):
            yield bare
            named = _spelled_out(bare, node, places)
            if named is not None:
                yield named


def _unshaped(guard: Guard) -> Guard | None:
    """The guard for what is given the condition's shape later, too."""
    found = unshaped(guard.condition) if guard.condition is not None and not guard.binding else None
    if found is None:
        return None
    bare, through = found
    text = _PADDED.sub(r"\1", ast.unparse(bare))
    return Guard(text, guard.keeps, _names(bare), condition=bare, through=through)


def guard_of(hazard: Hazard, places: Places) -> Guard | None:
    """The condition of a hazard's selector as it can be written; None where it cannot."""
    return next(guards_of(hazard, places), None)


def keeps_where_true(hazard: Hazard) -> bool:
    """Whether the operand is kept where the selector's condition is true."""
    assert hazard.drop is not None
    kept_where_true = {"where": 1, "masked_fill": 2, "masked_select": 0}
    return kept_where_true.get(hazard.selector.op) == hazard.drop.operand


def condition_of(hazard: Hazard) -> ast.expr | None:
    """The condition or mask of a selector as written; None where there is none, as with a clamp or integer indices."""
    node, selector = hazard.selector.node, hazard.selector
    if is_picked(hazard.condition):
        return None
    if selector.op == "where":
        return where_condition(node, selector) if isinstance(node, ast.Call) else None
    if selector.op in ("masked_fill", "masked_select"):
        return _mask_argument(node) if isinstance(node, ast.Call) else _mask_index(node)
    return None


def is_picked(condition: Value) -> bool:
    """Whether elements are picked by indices, so that no mask says which."""
    return getattr(condition, "name", "") == PICKED


def _mask_argument(call: ast.Call) -> ast.expr | None:
    """The mask of `y.masked_fill(m, v)`, `torch.masked_fill(y, m, v)`, `y.index_put((m,), v)` and their like."""
    name = called_name(call).rstrip("_")
    if name == "index_fill":
        return None  # these are indices
    named = {word.arg: word.value for word in call.keywords}
    for word in ("mask", "indices"):
        if word in named:
            return _mask_index(named[word], alone=True)
    given = len(call.args) + len(named)
    first = given - (1 if name == "masked_select" else 2)
    if any(isinstance(arg, ast.Starred) for arg in call.args) or not 0 <= first < len(call.args):
        return None
    return _mask_index(call.args[first], alone=True)


def _mask_index(node: ast.AST | None, alone: bool = False) -> ast.expr | None:
    """The mask of `y[m]`, or of an index tuple `(m,)`; None among other indices."""
    key = node if alone else node.slice if isinstance(node, ast.Subscript) else None
    if alone and isinstance(key, (ast.Tuple, ast.List)):
        key = key.elts[0] if len(key.elts) == 1 else None
    return (
        key if isinstance(key, ast.expr) and not isinstance(key, (ast.Tuple, ast.List, ast.Slice)) else None
    )


def _spelled_out(guard: Guard, selector: ast.AST | None, places: Places) -> Guard | None:
    """The guard with a name replaced by the simple expression that it is bound to, once."""
    name = guard.condition
    if not isinstance(name, ast.Name) or selector is None or guard.text != name.id:
        return None
    bound = places.definition(name)
    if bound is None or not is_simple(bound) or isinstance(bound, (ast.Name, ast.NamedExpr)):
        return None
    keeps = guard.keeps
    while isinstance(bound, ast.UnaryOp) and isinstance(bound.op, ast.Invert):
        bound, keeps = bound.operand, not keeps
    return Guard(places.text(bound), keeps, _names(bound), condition=bound, through=guard.through)


def where_condition(call: ast.Call, selector: Apply) -> ast.expr | None:
    """The condition of `torch.where(c, a, b)` or `a.where(c, b)` as written."""
    named = {word.arg: word.value for word in call.keywords}
    if "condition" in named:
        return named["condition"]
    return call.args[0] if call.args and not isinstance(call.args[0], ast.Starred) else None


def _written(condition: ast.expr, keeps: bool, selector: ast.expr, places: Places) -> Guard | None:
    """The condition twice, or bound to a name once where it is costly or may have an effect."""
    if isinstance(condition, ast.NamedExpr):
        return Guard(condition.target.id, keeps, frozenset({condition.target.id}))
    if isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Invert) and is_simple(condition):
        return _written(condition.operand, not keeps, selector, places)
    if is_simple(condition):
        return Guard(places.text(condition), keeps, _names(condition), condition=condition)
    statement = places.statement(selector)
    if statement is None or not runs_first(condition, selector, statement, places):
        return None
    at = places.line_start(statement)
    if at is None:
        return None
    position, indent = at
    name = places.fresh("keep" if keeps else "drop", selector)
    text = places.text(condition)
    if "\n" in text or "\r" in text:
        text = f"({text})"
    binding = Edit(Span(position, position), f"{indent}{name} = {text}\n")
    use = Edit(places.source.span(condition), name)
    return Guard(name, keeps, frozenset(), (binding, use), condition)


def runs_first(condition: ast.expr, selector: ast.expr, statement: ast.stmt, places: Places) -> bool:
    """Whether the condition may be evaluated before the rest of the statement without anyone noticing."""
    for node in places.ancestors(condition):
        if node is statement:
            break
        if isinstance(
            node, (ast.Lambda, ast.IfExp, ast.BoolOp, ast.comprehension, ast.ListComp, ast.GeneratorExp)
        ):
            return False
    if isinstance(statement, (ast.While, ast.For, ast.With, ast.FunctionDef, ast.ClassDef)):
        return False
    if isinstance(statement, ast.If) and _is_elif(statement, places):
        return False
    return not any(isinstance(part, (ast.NamedExpr, ast.Await, ast.Yield)) for part in ast.walk(statement))


def _is_elif(statement: ast.If, places: Places) -> bool:
    span = places.source.span(statement)
    return places.source.lines[span.start.line - 1][span.start.column - 1 :].startswith("elif")


def _names(node: ast.expr) -> frozenset[str]:
    return frozenset(part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def _factor_guard(hazard: Hazard, places: Places) -> Guard | None:
    """The condition that a mask product stands for: its mask factor is not 0."""
    factor = _factor_node(hazard, places)
    if factor is None or not is_simple(_bare(factor)):
        return None
    text, keeps = _truth_text(factor, places)
    return Guard(text, keeps, _names(factor), factor=factor)


def _factor_node(hazard: Hazard, places: Places) -> ast.expr | None:
    """The factor of the product that is the mask, as written."""
    nodes = list(_factor_nodes(hazard.selector.node))
    values: list[Value] = []
    _flatten(hazard.selector, values)
    if len(nodes) != len(values):
        return None
    return next((n for n, v in zip(nodes, values, strict=True) if v.number == hazard.condition.number), None)


_DOTS = frozenset({"dot", "vdot"})
"""Sums of products of which both factors have the same shape."""


def _factor_nodes(node: ast.AST | None) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from _factor_nodes(node.left)
        yield from _factor_nodes(node.right)
    elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Mult):
        yield from (node.target, node.value)
    elif isinstance(node, ast.Call) and (is_mul(node) or called_name(node) in _DOTS):
        given = [*node.args, *(word.value for word in node.keywords if word.arg in ("input", "other"))]
        sides = [node.func.value] if isinstance(node.func, ast.Attribute) and len(given) == 1 else []
        for side in [*sides, *given]:
            yield from _factor_nodes(side)
    elif isinstance(node, ast.expr):
        yield node


def is_mul(node: ast.Call) -> bool:
    return called_name(node).rstrip("_") in ("mul", "multiply")


def _flatten(value: Value, into: list[Value]) -> None:
    """The factors of a product in the order in which they are written."""
    if not isinstance(value, Apply):
        return
    written = list(ast.iter_child_nodes(value.node)) if value.node is not None else []
    for arg in value.args:
        if isinstance(arg, Apply) and arg.op == "mul" and arg.node in written:
            _flatten(arg, into)
        else:
            into.append(arg)


def _bare(node: ast.expr) -> ast.expr:
    """`m.float()`, `m.to(x.dtype)`, `m.type_as(x)` without the cast, `x.sign()` without the sign: 0 where they are."""
    if not isinstance(node, ast.Call):
        return node
    casts = ("float", "double", "half", "bfloat16", "to", "type_as", "type")
    if isinstance(node.func, ast.Attribute) and node.func.attr in casts:
        return _bare(node.func.value)
    if called_name(node) in SIGNS and not node.keywords:
        function = isinstance(node.func, ast.Name) or bool(node.args)
        of = node.args if function else [node.func.value] if isinstance(node.func, ast.Attribute) else []
        return _bare(of[0]) if len(of) == 1 else node
    return node


def _truth_text(factor: ast.expr, places: Places) -> tuple[str, bool]:
    """A boolean that is true exactly where the factor is not 0 (True), or exactly where it is (False)."""
    bare = _bare(factor)
    if isinstance(bare, ast.UnaryOp) and isinstance(bare.op, ast.Invert):
        text, keeps = _truth_text(bare.operand, places)
        return text, not keeps
    while isinstance(bare, ast.UnaryOp) and isinstance(bare.op, (ast.USub, ast.UAdd)):
        bare = _bare(bare.operand)  # its sign does not make it 0
    if isinstance(bare, ast.Compare):
        return places.text(bare), True
    if _is_complement(bare):
        assert isinstance(bare, ast.BinOp)
        inner = places.text(bare.right)
        inner = inner if isinstance(bare.right, ATOMS) else f"({inner})"
        return f"{inner} != 1", True
    text = places.text(bare)
    return f"{text if isinstance(bare, ATOMS) else f'({text})'} != 0", True


def _is_complement(node: ast.expr) -> bool:
    """`1 - m`."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)):
        return False
    left = node.left
    return isinstance(left, ast.Constant) and left.value in (1, 1.0) and not isinstance(left.value, bool)
