"""The double where: the argument of each singular op is replaced by a safe value where the selector drops it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from nanlint.catalogue import OPS
from nanlint.finding import Edit, Position, Span
from nanlint.fixes.places import Places, is_simple
from nanlint.graph import Apply, Value
from nanlint.hazards import Hazard

Guarded: TypeAlias = tuple[Hazard, Sequence[tuple[Apply, int]]]
"""A hazard and the arguments to guard: ops and the indices of their arguments."""
_ATOMS = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant)


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


def double_where(guarded: Sequence[Guarded], places: Places) -> tuple[Edit, ...] | None:
    """Edits that put a second where around poisoned arguments; None if that cannot be written.

    The hazards are those of one selector: both of its sides may have some.
    """
    binding: dict[Edit, None] = {}
    wraps: dict[Span, Wrap] = {}
    for hazard, sites in guarded:
        selector = hazard.selector.node
        guard = guard_of(hazard, places) if selector is not None else None
        if guard is None or selector is None:
            return None
        binding.update(dict.fromkeys(guard.binding))
        for site, index in sites:
            wrap = _wrapped(site, index, guard, selector, places)
            if wrap is None or wraps.setdefault(wrap.span, wrap) != wrap:
                return None
    return (*binding, *inserted(wraps.values(), places))


@dataclass(frozen=True)
class Wrap:
    """Text to be put before and behind an expression; parentheses around it, if any, are taken in."""

    span: Span
    prefix: str
    suffix: str
    parenthesised: bool


def inserted(wraps: Iterable[Wrap], places: Places) -> list[Edit]:
    """The edits of wraps that may lie in one another: outer ones open first and close last."""
    ordered = sorted(wraps, key=lambda wrap: (wrap.span.start, -places.source.offset(wrap.span.end)))
    opening = [Edit(_first(wrap, places), wrap.prefix) for wrap in ordered]
    closing = [Edit(_last(wrap, places), wrap.suffix) for wrap in reversed(ordered)]
    return [*opening, *closing]


def _first(wrap: Wrap, places: Places) -> Span:
    return Span(wrap.span.start, _shifted(wrap.span.start, int(wrap.parenthesised)))


def _last(wrap: Wrap, places: Places) -> Span:
    return Span(_shifted(wrap.span.end, -int(wrap.parenthesised)), wrap.span.end)


def _shifted(position: Position, columns: int) -> Position:
    return Position(position.line, position.column + columns)


# --- the condition -------------------------------------------------------------------------------------------------


def guard_of(hazard: Hazard, places: Places) -> Guard | None:
    """The condition of a hazard's selector as it can be written; None where it cannot."""
    node = hazard.selector.node
    if hazard.drop is None:
        return _factor_guard(hazard, places)
    if not isinstance(node, ast.Call) or hazard.selector.op != "where":
        return None
    condition = where_condition(node, hazard.selector)
    if condition is None:
        return None
    return _written(condition, hazard.drop.operand == 1, node, places)


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
    if statement is None or not _runs_first(condition, selector, statement, places):
        return None
    at = places.line_start(statement)
    if at is None:
        return None
    position, indent = at
    name = places.fresh("keep" if keeps else "drop")
    text = places.text(condition)
    if "\n" in text or "\r" in text:
        text = f"({text})"
    binding = Edit(Span(position, position), f"{indent}{name} = {text}\n")
    use = Edit(places.source.span(condition), name)
    return Guard(name, keeps, frozenset(), (binding, use), condition)


def _runs_first(condition: ast.expr, selector: ast.expr, statement: ast.stmt, places: Places) -> bool:
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
    if factor is None or not is_simple(_without_cast(factor)):
        return None
    text, keeps = _truth_text(factor, places)
    return Guard(text, keeps, _names(factor))


def _factor_node(hazard: Hazard, places: Places) -> ast.expr | None:
    """The factor of the product that is the mask, as written."""
    nodes = list(_factor_nodes(hazard.selector.node))
    values: list[Value] = []
    _flatten(hazard.selector, values)
    if len(nodes) != len(values):
        return None
    return next((n for n, v in zip(nodes, values, strict=True) if v.number == hazard.condition.number), None)


def _factor_nodes(node: ast.AST | None) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from _factor_nodes(node.left)
        yield from _factor_nodes(node.right)
    elif isinstance(node, ast.AugAssign):
        yield from (node.target, node.value)
    elif isinstance(node, ast.Call) and _is_mul(node):
        given = [*node.args, *(word.value for word in node.keywords if word.arg in ("input", "other"))]
        sides = [node.func.value] if isinstance(node.func, ast.Attribute) and len(given) == 1 else []
        for side in [*sides, *given]:
            yield from _factor_nodes(side)
    elif isinstance(node, ast.expr):
        yield node


def _is_mul(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name.rstrip("_") in ("mul", "multiply")


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


def _without_cast(node: ast.expr) -> ast.expr:
    """`m.float()`, `m.to(x.dtype)`, `m.type_as(x)` without the cast."""
    casts = ("float", "double", "half", "bfloat16", "to", "type_as", "type")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in casts:
        return _without_cast(node.func.value)
    return node


def _truth_text(factor: ast.expr, places: Places) -> tuple[str, bool]:
    """A boolean that is true exactly where the factor is not 0 (True), or exactly where it is (False)."""
    bare = _without_cast(factor)
    if isinstance(bare, ast.UnaryOp) and isinstance(bare.op, ast.Invert):
        text, keeps = _truth_text(bare.operand, places)
        return text, not keeps
    if isinstance(bare, ast.Compare):
        return places.text(bare), True
    if _is_complement(bare):
        assert isinstance(bare, ast.BinOp)
        inner = places.text(bare.right)
        inner = inner if isinstance(bare.right, _ATOMS) else f"({inner})"
        return f"{inner} != 1", True
    text = places.text(bare)
    return f"{text if isinstance(bare, _ATOMS) else f'({text})'} != 0", True


def _is_complement(node: ast.expr) -> bool:
    """`1 - m`."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)):
        return False
    left = node.left
    return isinstance(left, ast.Constant) and left.value in (1, 1.0) and not isinstance(left.value, bool)


# --- the argument --------------------------------------------------------------------------------------------------


_EXPONENTIALS = ("exp", "exp2")
"""What `number ** x` is lowered to: the argument is the exponent."""


def argument_node(site: ast.AST | None, index: int, op: str) -> ast.expr | None:
    """The argument of a singular op as written."""
    if isinstance(site, ast.BinOp):
        return site.right if op in _EXPONENTIALS else (site.left, site.right)[index]
    if isinstance(site, ast.AugAssign):
        return site.value if index == 1 else None
    if not isinstance(site, ast.Call):
        return None
    named = {word.arg: word.value for word in site.keywords}
    parameter = OPS[op].parameters[index]
    if parameter in named:
        return named[parameter]
    args: list[ast.expr] = list(site.args)
    if _is_method_call(site, op):
        assert isinstance(site.func, ast.Attribute)
        args.insert(0, site.func.value)
    if any(isinstance(arg, ast.Starred) for arg in args):
        return None
    return args[index] if index < len(args) else None


def _is_method_call(site: ast.Call, op: str) -> bool:
    """`x.sqrt()` has its first argument before the dot, `torch.sqrt(x)` has a module there."""
    given = len(site.args) + sum(word.arg in OPS[op].parameters for word in site.keywords)
    return isinstance(site.func, ast.Attribute) and given < len(OPS[op].parameters)


def _wrapped(site: Apply, index: int, guard: Guard, selector: ast.AST, places: Places) -> Wrap | None:
    """The wrap that guards one argument of one site."""
    node = argument_node(site.node, index, site.op)
    safe = OPS[site.op].safe[index]
    if node is None or safe is None or not _bound_before(guard, node, selector, places):
        return None
    return guarded(node, guard, safe, selector, places)


def guarded(node: ast.expr, guard: Guard, safe: float, selector: ast.AST, places: Places) -> Wrap:
    """`torch.where(guard, node, safe)` in the spelling that the file uses."""
    parent = places.parents.get(node)
    in_call = (isinstance(parent, ast.Call) and parent.func is not node) or isinstance(parent, ast.keyword)
    span, outer = places.source.span(node), places.outer_span(node)
    parenthesised = not in_call and span != outer
    prefix, suffix = _around(guard, repr(safe), node, where_spelling(selector, places))
    return Wrap(outer if parenthesised else span, prefix, suffix, parenthesised)


def _around(guard: Guard, safe: str, node: ast.expr, spelling: str | None) -> tuple[str, str]:
    if spelling is not None:
        if guard.keeps:
            return f"{spelling}({guard.text}, ", f", {safe})"
        return f"{spelling}({guard.text}, {safe}, ", ")"
    opened, closed = ("", "") if isinstance(node, _ATOMS) else ("(", ")")
    method = "where" if guard.keeps else "masked_fill"
    return opened, f"{closed}.{method}({guard.text}, {safe})"


def where_spelling(selector: ast.AST, places: Places) -> str | None:
    """How this file says `torch.where`: as the selector does, or by its name for torch; None if it has none."""
    if isinstance(selector, ast.Call) and not _is_mul(selector):
        text = places.text(selector.func)
        root = text.split(".", 1)[0]
        bound = dict(places.imports)
        if bound.get(root) in ("torch", "torch.where") or (root == "torch" and "torch" in bound):
            return text
    for name, dotted in places.imports:
        if dotted == "torch":
            return f"{name}.where"
    for name, dotted in places.imports:
        if dotted == "torch.where":
            return name
    return None


def _bound_before(guard: Guard, node: ast.expr, selector: ast.AST, places: Places) -> bool:
    """Whether the guard's names have their values already where the argument stands."""
    here, there = places.statement(node), places.statement(selector)
    if here is there or here is None or there is None:
        return True
    if guard.binding or places.function(node) is not places.function(selector):
        return False
    body = places.function(selector)
    stores = [
        (part.lineno, part.col_offset)
        for part in ast.walk(body)
        if isinstance(part, ast.Name)
        and isinstance(part.ctx, (ast.Store, ast.Del))
        and part.id in guard.names
    ]
    start = (here.lineno, here.col_offset)
    end = (there.lineno, there.col_offset)
    return not any(start <= place < end for place in stores)
