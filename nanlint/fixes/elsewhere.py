"""Double wheres for singular ops that cannot be edited where they stand: the selector's own text is changed instead.

A value that other code reads too is computed anew for the selector, with the guard.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from nanlint.catalogue import OPS
from nanlint.finding import Edit, Span
from nanlint.fixes.double_where import Wrap, guarded, inserted
from nanlint.fixes.guards import ATOMS, Guard, guard_of, runs_first
from nanlint.fixes.places import Places, bindable, binding
from nanlint.fixes.scalars import may_be_single
from nanlint.fixes.shapes import (
    elementwise,
    elementwise_path,
    indexes,
    is_of_shape,
    is_shape_only,
    is_trained_factor,
    makes,
)
from nanlint.graph import Apply
from nanlint.hazards import Hazard
from nanlint.sites import argument_node, is_in_place


class Rebuilt(NamedTuple):
    """Edits, and whether what they insert certainly has a shape that fits."""

    edits: tuple[Edit, ...]
    fits: bool


def rebuilt(hazard: Hazard, sites: Sequence[tuple[Apply, int]], places: Places) -> Rebuilt | None:
    """Edits that write the definition of an earlier value, guarded, where the selector reads it."""
    selector = hazard.selector.node
    guard = guard_of(hazard, places) if isinstance(selector, ast.expr) else None
    if (
        guard is None
        or not isinstance(selector, ast.expr)
        or isinstance(getattr(selector, "ctx", None), ast.Store)
        or is_in_place(selector)  # it changes the very value that would be another one
    ):
        return None
    edits: list[Edit] = list(guard.binding)
    fits = not is_trained_factor(hazard) and not leaves_type(guard, sites, places)
    for definition in dict.fromkeys(
        places.statement(site.node) for site, _ in sites if site.node is not None
    ):
        bound = binding(definition)
        asking = set(ast.walk(guard.condition)) if guard.condition is not None else set()
        reads = [
            n
            for n in ast.walk(selector)
            if bound is not None and isinstance(n, ast.Name) and n.id == bound[0].id and n not in asking
        ]
        if bound is None or not reads:
            return None
        name, value = bound[0].id, bound[1]
        if _is_bound_between(name, definition, selector, places):
            return None  # what is read is another value
        if not all(makes(value, node, places) for node in _within(value, sites)):
            return None  # it has another shape than what the mask is of
        text = guarded_text(value, guard, sites, selector, places)
        reads = [read for read in reads if not is_shape_only(read, places)]
        shaped = not indexes(selector) or is_of_shape(guard.condition, name, value, places)
        if not all(elementwise_path(read, selector, places) for read in reads):
            return None
        fits = fits and shaped and elementwise(value)
        made = _in_their_place(reads, bound, text, selector, places) if text is not None else ()
        if made is None:
            return None
        edits += made
    return Rebuilt(tuple(edits), fits)


def _is_bound_between(name: str, definition: ast.stmt | None, selector: ast.AST, places: Places) -> bool:
    """Whether a name is given another value behind its definition, before the selector's statement."""
    there = places.statement(selector)
    own = {
        id(node) for statement in (definition, there) if statement is not None for node in ast.walk(statement)
    }
    first = definition.lineno if definition is not None else 0
    last = there.lineno if there is not None else 0
    return any(
        not isinstance(node.ctx, ast.Load) and id(node) not in own and first <= node.lineno <= last
        for node in places.named(name, selector)
    )


def _within(value: ast.expr, sites: Sequence[tuple[Apply, int]]) -> list[ast.AST]:
    inside = set(ast.walk(value))
    return [site.node for site, _ in sites if site.node in inside]


def leaves_type(guard: Guard, sites: Sequence[tuple[Apply, int]], places: Places) -> bool:
    """Whether an argument may be a single number of another type, which a guard of many elements makes many."""
    nodes = (argument_node(site.node, index, site.op) for site, index in sites)
    return any(node is not None and may_be_single(node, guard.condition, places) for node in nodes)


def _in_their_place(
    reads: Sequence[ast.Name],
    bound: tuple[ast.Name, ast.expr],
    text: str,
    selector: ast.expr,
    places: Places,
) -> Sequence[Edit] | None:
    """Edits that put `text` in the place of a bound name, or what it is bound to first if there are several.

    None where nothing can be bound before the selector.
    """
    if len(reads) == 1:
        tight = places.is_bound_tightly(reads[0]) and not isinstance(bound[1], ATOMS)
        return [Edit(places.source.span(reads[0]), f"({text})" if tight else text)]
    statement = places.statement(selector)
    at = places.line_start(statement) if statement is not None else None
    if statement is None or at is None or not runs_first(selector, selector, statement, places):
        return None
    kept = places.fresh(f"kept_{bound[0].id}", selector)
    binding = Edit(Span(at[0], at[0]), f"{at[1]}{kept} = {bindable(text)}\n")
    return [binding, *(Edit(places.source.span(read), kept) for read in reads)]


def guarded_text(
    value: ast.expr, guard: Guard, sites: Sequence[tuple[Apply, int]], selector: ast.expr, places: Places
) -> str | None:
    """The text of a definition with the guard around the arguments of its singular ops."""
    wraps: dict[Span, Wrap] = {}  # what is written once may be several ops, one for each branch before it
    for site, index in sites:
        node = argument_node(site.node, index, site.op)
        safe = OPS[site.op].safe[index]
        if node is not None and safe is not None and node in set(ast.walk(value)):
            wrap = guarded(node, guard, safe, selector, places)
            wraps.setdefault(wrap.span, wrap)
    if not wraps:
        return None
    return places.rewritten(value, inserted(wraps.values(), places))
