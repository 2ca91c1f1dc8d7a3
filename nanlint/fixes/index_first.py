"""Selections put before the op: `f(x)[m]` becomes `f(x[m])` where `f` is elementwise in the one tensor `x`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nanlint.finding import Edit, Span
from nanlint.fixes.guards import ATOMS
from nanlint.fixes.places import Places, binding
from nanlint.fixes.recomputed import reaching
from nanlint.fixes.reshaping import reshape
from nanlint.fixes.shapes import elementwise, is_elementwise_name, names_in
from nanlint.graph import Apply
from nanlint.hazards import Hazard
from nanlint.sites import argument_node, called_name

_PICKING = frozenset({"masked_select", "gather", "index_select", "take", "take_along_dim"})
_EXTREMES = frozenset({"amax", "amin", "max", "min", "topk", "kthvalue"})
_RISING = frozenset(
    {"sqrt", "log", "log2", "log10", "log1p", "exp", "exp2", "expm1", "sinh", "asin", "atanh", "acosh"}
)
"""Ops that keep the order of elements: the largest of their values belongs to the largest of their arguments."""


def index_first(hazard: Hazard, places: Places) -> Iterator[tuple[Edit, ...]]:
    """Edits that move the selection of a hazard in front of its singular ops, as far in as one expression allows.

    Where the operand is a name, what it is bound to takes its place; the binding goes if nothing else reads it.
    """
    selection = _selection(hazard.selector.node, places)
    if selection is None:
        return
    whole, operand = selection
    defined = _defined(operand, places) if isinstance(operand, ast.Name) else None
    source = operand if defined is None else defined
    for argument in _arguments(hazard, source, places):
        if _may_raise(whole, operand, argument):
            continue
        if depends_only_on(source, argument, places) and _keeps_order(hazard, source, argument):
            if defined is None:
                yield tuple(_moved(whole, operand, argument, places))
            else:
                yield from _inlined(whole, operand, defined, argument, places)


def _may_raise(whole: ast.expr, operand: ast.expr, argument: ast.expr) -> bool:
    """Whether the argument may lie in memory in such a way that it has no `view`, as the op's result has."""
    views = (
        isinstance(whole, ast.Subscript) and whole.value is not operand and "view" in ast.unparse(whole.value)
    )
    computed = isinstance(argument, ast.BinOp) or is_elementwise_name(called_name(argument))
    return views and not computed


def _defined(name: ast.Name, places: Places) -> ast.expr | None:
    """What a name is bound to, for certain, where its statement reads it, which may bind it anew."""
    here = places.statement(name)
    bound = binding(reaching(name.id, here, places)) if here is not None else None
    return places.definition(name) or (bound[1] if bound is not None else None)


def _inlined(
    whole: ast.expr, operand: ast.expr, defined: ast.expr, argument: ast.expr, places: Places
) -> Iterator[tuple[Edit, ...]]:
    """The selection replaced by the definition of its operand, with the selection around the argument there."""
    statement, here = places.statement(defined), places.statement(whole)
    if statement is None or here is None or places.parents[statement] is not places.parents[here]:
        return
    if not places.unchanged_between(names_in(defined), statement, here):
        return
    text, outer = places.text(defined), places.source.offset(places.source.span(defined).start)
    inner = places.source.span(argument)
    start, end = places.source.offset(inner.start) - outer, places.source.offset(inner.end) - outer
    prefix, suffix = _around(whole, operand, places)
    bare = prefix.endswith("(") or isinstance(argument, ATOMS) or places.outer_span(argument) != inner
    picked = f"{prefix}{text[start:end]}{suffix}" if bare else f"{prefix}({text[start:end]}){suffix}"
    if places.outer_span(argument) != inner and not prefix.endswith("("):
        return
    made = text[:start] + picked + text[end:]
    if places.is_bound_tightly(whole) and not isinstance(defined, ATOMS):
        made = f"({made})"
    edits = [Edit(places.source.span(whole), made)]
    assert isinstance(operand, ast.Name)
    if _is_read_here_only(operand, statement, here, places):
        removal = places.line_removal(statement)
        edits += [removal] if removal is not None else []
    yield tuple(edits)


def _is_read_here_only(name: ast.Name, statement: ast.stmt, here: ast.stmt, places: Places) -> bool:
    """Whether nothing else reads what a statement binds; behind `here` another value may have the name."""
    bound = binding(here)
    anew = bound is not None and bound[0].id == name.id
    reads = [read for read in places.reads(name) if not anew or statement.lineno < read.lineno <= here.lineno]
    return reads == [name]


def _around(whole: ast.expr, operand: ast.expr, places: Places) -> tuple[str, str]:
    """The text of a selection before and behind its operand."""
    outer, span = places.outer_span(operand), places.source.span(whole)
    return places.source.slice(Span(span.start, outer.start)), places.source.slice(Span(outer.end, span.end))


def _selection(node: ast.AST | None, places: Places) -> tuple[ast.expr, ast.expr] | None:
    """The selection as written, with what it is asked for (`.values`), and what it selects from."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        return node, _before_reshape(node.value)
    if not isinstance(node, ast.Call) or called_name(node) not in _PICKING | _EXTREMES:
        return None
    parent = places.parents.get(node)
    pair = called_name(node) in ("topk", "kthvalue", "max", "min") and (
        len(node.args) + len(node.keywords) > 0
    )
    whole: ast.expr = node
    if (isinstance(parent, ast.Attribute) and parent.attr == "values") or (
        isinstance(parent, ast.Subscript)
        and isinstance(parent.slice, ast.Constant)
        and parent.slice.value == 0
    ):
        whole = parent
    elif pair and not (called_name(node) in ("max", "min") and _is_whole_reduction(node, places)):
        return None
    if any(isinstance(arg, ast.Starred) for arg in node.args):
        return None
    if isinstance(node.func, ast.Attribute) and places.is_method(node):
        return whole, node.func.value
    return (whole, node.args[0]) if node.args else None


def _before_reshape(node: ast.expr) -> ast.expr:
    """What an expression gives another shape, itself where it gives none: that can be done before the op as well."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and reshape(node):
        node = node.func.value
    return node


def _is_whole_reduction(call: ast.Call, places: Places) -> bool:
    """`x.max()` and `torch.max(x)` give a tensor, with a dimension they give a pair."""
    return len(call.args) + len(call.keywords) == (0 if places.is_method(call) else 1)


def _arguments(hazard: Hazard, operand: ast.expr, places: Places) -> Iterator[ast.expr]:
    """What the selection can be moved to: the names below the arguments of all singular ops, or those arguments."""
    sites = {proof.site for proof in hazard.proofs}
    nodes = [node for site in sites for node in _site_arguments(site) if node in set(ast.walk(operand))]
    if len({id(node) for node in nodes}) != 1:
        return
    inner = [node for node in ast.walk(nodes[0]) if _is_tensor_name(node, places)]
    if len(inner) == 1 and elementwise(nodes[0]):
        yield from (node for node in inner if isinstance(node, ast.expr))
    yield nodes[0]


def _site_arguments(site: Apply) -> list[ast.expr]:
    nodes = [argument_node(site.node, index, site.op) for index, arg in enumerate(site.args) if arg.grad]
    return [node for node in nodes if node is not None]


def _is_tensor_name(node: ast.AST, places: Places) -> bool:
    """A name that may be a tensor: no module, and no constant by the convention of capitals."""
    if not isinstance(node, ast.Name) or places.is_module(node):
        return False
    return not node.id.isupper()


def depends_only_on(operand: ast.expr, argument: ast.expr, places: Places) -> bool:
    """Whether the operand is elementwise in `argument`, and everything else in it is a number."""
    inside = set(ast.walk(argument))
    others = [node for node in ast.walk(operand) if node not in inside and _is_tensor_name(node, places)]
    return argument is not operand and not others and elementwise_down_to(operand, argument)


def elementwise_down_to(operand: ast.expr, argument: ast.expr) -> bool:
    """Whether an expression is elementwise from the top down to `argument`, whatever that is."""
    if operand is argument:
        return True
    inside = [child for child in _children(operand) if argument in set(ast.walk(child))]
    if len(inside) != 1:
        return False
    hollow = _without(operand, inside[0])
    return elementwise(hollow) and elementwise_down_to(inside[0], argument)


def _children(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        yield from node.args
        yield from (word.value for word in node.keywords)
        if isinstance(node.func, ast.Attribute):
            yield node.func.value
    else:
        yield from (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))


def _without(node: ast.expr, child: ast.expr) -> ast.expr:
    """A shallow copy of `node` with a plain name in place of `child`."""
    stand_in = ast.copy_location(ast.Name("x", ast.Load()), child)

    def swapped(part: ast.expr) -> ast.expr:
        return stand_in if part is child else part

    if isinstance(node, ast.BinOp):
        return ast.BinOp(swapped(node.left), node.op, swapped(node.right))
    if isinstance(node, ast.UnaryOp):
        return ast.UnaryOp(node.op, swapped(node.operand))
    if isinstance(node, ast.Call) and not node.keywords and isinstance(node.func, ast.Attribute):
        function = ast.Attribute(swapped(node.func.value), node.func.attr, ast.Load())
        return ast.Call(function, [swapped(arg) for arg in node.args], [])
    return node


def _keeps_order(hazard: Hazard, operand: ast.expr, argument: ast.expr) -> bool:
    """Whether the same element is selected before as after the ops; any is, unless the values decide."""
    node = hazard.selector.node
    if not (isinstance(node, ast.Call) and called_name(node) in _EXTREMES):
        return True
    current: ast.expr = operand
    while current is not argument:
        if not (isinstance(current, ast.Call) and called_name(current) in _RISING):
            return False
        current = next(child for child in _children(current) if argument in set(ast.walk(child)))
    return True


def _moved(whole: ast.expr, operand: ast.expr, argument: ast.expr, places: Places) -> Iterator[Edit]:
    """The text around the operand is taken away and put around the argument."""
    outer = places.outer_span(operand)
    span, inner = places.source.span(whole), places.source.span(argument)
    prefix, suffix = _around(whole, operand, places)
    bare = prefix.endswith("(") or isinstance(argument, ATOMS) or places.outer_span(argument) != inner
    opened, closed = ("", "") if bare else ("(", ")")
    target = inner if prefix.endswith("(") else places.outer_span(argument)
    keeps = (
        isinstance(operand, ATOMS)
        or outer != places.source.span(operand)
        or not places.is_bound_tightly(whole)
    )
    yield Edit(Span(span.start, outer.start), "" if keeps else "(")
    yield Edit(Span(target.start, target.start), prefix + opened)
    yield Edit(Span(target.end, target.end), closed + suffix)
    yield Edit(Span(outer.end, span.end), "" if keeps else ")")
