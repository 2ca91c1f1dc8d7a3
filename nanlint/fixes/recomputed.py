"""Double wheres for values that more than one selector, or other code too, is made of: computed anew for one of them.

    sine = (1 - c * c).sqrt()
    phi = c * a - sine * b
    if easy:
        phi = torch.where(c > 0, phi, c)

Here the other branch asks something else, so neither guard can stand at the root. What leads from it to the selector
is written once more before that, guarded, under names of its own.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence

from nanlint.finding import Edit, Span
from nanlint.fixes.elsewhere import Rebuilt, guarded_text, leaves_type
from nanlint.fixes.guards import guard_of, runs_first
from nanlint.fixes.places import Places, bindable, binding
from nanlint.fixes.shapes import elementwise, elementwise_path, is_trained_factor, makes
from nanlint.graph import Apply
from nanlint.hazards import Hazard
from nanlint.sites import is_in_place

_MOST_STATEMENTS = 4


def recomputed(hazard: Hazard, sites: Sequence[tuple[Apply, int]], places: Places) -> Rebuilt | None:
    """Edits that write all statements from the singular op to the selector once more, the op's arguments guarded.

    None where there are less than two of them, where one is more than an elementwise expression bound to a name, or
    where a name that they read is bound anew in between.
    """
    selector = hazard.selector.node
    guard = guard_of(hazard, places) if isinstance(selector, ast.expr) else None
    origins = {places.statement(site.node) for site, _ in sites if site.node is not None}
    here = places.statement(selector) if selector is not None else None
    if guard is None or not isinstance(selector, ast.expr) or here is None or len(origins) != 1:
        return None
    at = places.line_start(here)
    if at is None or is_in_place(selector) or not runs_first(selector, selector, here, places):
        return None
    (origin,) = origins
    reads = names_read(selector, besides=[guard.condition] if guard.condition is not None else ())
    way = steps(reads, here, origin, places)
    if len(way) < 2 or not _can_be_repeated(way, sites, here, places):
        return None
    names = {step[0].id: places.fresh(f"kept_{step[0].id}", selector) for step in way}
    used = [read for read in reads if read.id in names]
    if not all(elementwise_path(read, selector, places) for read in used):
        return None
    first = guarded_text(way[0][1], guard, sites, selector, places)
    if first is None:
        return None
    texts = [first, *(_renamed(value, names, places) for _, value in way[1:])]
    lines = "".join(
        f"{at[1]}{names[name.id]} = {bindable(text)}\n" for (name, _), text in zip(way, texts, strict=True)
    )
    edits = [
        *guard.binding,
        Edit(Span(at[0], at[0]), lines),
        *(Edit(places.source.span(read), names[read.id]) for read in used),
    ]
    return Rebuilt(tuple(edits), not is_trained_factor(hazard) and not leaves_type(guard, sites, places))


def steps(
    reads: Sequence[ast.Name], here: ast.stmt, origin: ast.stmt | None, places: Places
) -> list[tuple[ast.Name, ast.expr]]:
    """The bindings that lead from `origin` to names as they are before `here`, in their order; empty if none do."""
    found: dict[ast.stmt, tuple[ast.Name, ast.expr]] = {}
    leads: dict[ast.stmt, bool] = {}

    def follow(names: Sequence[ast.Name], last: ast.stmt, left: int) -> bool:
        reached = False
        for name in names:
            statement = reaching(name.id, last, places)
            bound = binding(statement)
            if statement is None or bound is None or not left:
                continue
            if statement not in leads:
                leads[statement] = statement is origin or follow(names_read(bound[1]), statement, left - 1)
            if leads[statement]:
                found[statement], reached = bound, True
        return reached

    follow(reads, here, _MOST_STATEMENTS)
    return [found[statement] for statement in sorted(found, key=lambda one: (one.lineno, one.col_offset))]


def reaching(name: str, here: ast.stmt, places: Places) -> ast.stmt | None:
    """The statement that has bound a name before `here` for certain; None if there is none, or if another may have."""
    inner: ast.AST = here
    while not isinstance(
        inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module, ast.For, ast.While, ast.Try)
    ):
        outer = places.parents[inner]
        for body in (getattr(outer, field, None) for field in ("body", "orelse", "finalbody")):
            if isinstance(body, list) and inner in body:
                for statement in reversed(body[: body.index(inner)]):
                    if _binds(statement, name):
                        return statement if binding(statement) is not None else None
        inner = outer
    return None


def _binds(node: ast.AST, name: str) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id == name and not isinstance(part.ctx, ast.Load)
        for part in ast.walk(node)
    )


def _can_be_repeated(
    steps: Sequence[tuple[ast.Name, ast.expr]],
    sites: Sequence[tuple[Apply, int]],
    here: ast.stmt,
    places: Places,
) -> bool:
    """Whether the values of some statements can be computed again before `here`, each elementwise, from the same."""
    first = places.statement(steps[0][0])
    inside = {id(part) for part in ast.walk(steps[0][1])}
    made = (site.node for site, _ in sites)
    if not all(node is not None and id(node) in inside and makes(steps[0][1], node, places) for node in made):
        return False
    bound = {name.id for name, _ in steps}
    read = {part.id for _, value in steps for part in names_read(value)} - bound
    whole = elementwise(steps[0][1]) and all(_is_elementwise(value) for _, value in steps[1:])
    return (
        whole
        and len(bound) == len(steps)
        and first is not None
        and places.unchanged_between(read, first, here)
    )


def _is_elementwise(node: ast.expr) -> bool:
    """Whether an expression is made elementwise of names, numbers and what an object keeps (`self.margin`)."""
    return elementwise(_Plain().visit(copy.deepcopy(node)))


class _Plain(ast.NodeTransformer):
    """Puts a name in the place of each attribute of `self`."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return ast.copy_location(ast.Name(node.attr, ast.Load()), node)
        self.generic_visit(node)
        return node


def _renamed(value: ast.expr, names: dict[str, str], places: Places) -> str:
    """The text of an expression with other names in it."""
    edits = [Edit(places.source.span(part), names[part.id]) for part in names_read(value) if part.id in names]
    return places.rewritten(value, edits)


def names_read(node: ast.AST, besides: Sequence[ast.AST] = ()) -> list[ast.Name]:
    """The names in an expression, without those in some parts of it."""
    apart = {part for other in besides for part in ast.walk(other)}
    return [part for part in ast.walk(node) if isinstance(part, ast.Name) and part not in apart]
