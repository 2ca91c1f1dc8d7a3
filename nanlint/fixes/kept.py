"""Double wheres for a value that its own mask is made of: kept under another name beside the one that is asked about.

    n = (x * x).sum(-1).sqrt()
    u = x / n[:, None]
    u = torch.where(n[:, None] > 0, u, 0.0)

A guard inside of `n` would have to ask what `n` is. So `n` is computed once more, guarded by the first one:

    kept_n = torch.where(n > 0, (x * x).sum(-1), 1.0).sqrt()

and what leads to the selector is made of that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from nanlint.finding import Edit, Position, Span
from nanlint.fixes.elsewhere import Rebuilt, guarded_text, leaves_type
from nanlint.fixes.guards import Guard, guards_of
from nanlint.fixes.places import Places, bindable, binding
from nanlint.fixes.recomputed import names_read, steps
from nanlint.fixes.reshaping import reshape
from nanlint.fixes.shapes import (
    elementwise,
    elementwise_path,
    indexes,
    is_of_shape,
    is_shape_only,
    is_trained_factor,
    makes,
    names_in,
    repeatable,
)
from nanlint.graph import Apply
from nanlint.hazards import Hazard
from nanlint.sites import called_name


def kept(hazard: Hazard, sites: Sequence[tuple[Apply, int]], places: Places) -> Iterator[Rebuilt]:
    """Edits that compute the statement of the singular ops once more, guarded, for what leads to the selector.

    There are none where the ops stand in several statements, or where something is bound anew on the way.
    """
    selector = hazard.selector.node
    origins = {places.statement(site.node) for site, _ in sites if site.node is not None}
    bound = binding(next(iter(origins))) if len(origins) == 1 else None
    if not isinstance(selector, ast.expr) or bound is None:
        return
    for guard in guards_of(hazard, places):
        if guard.condition is not None and not guard.binding:
            made = _made(hazard, sites, guard, bound, places)
            if made is not None:
                yield made


def _made(
    hazard: Hazard,
    sites: Sequence[tuple[Apply, int]],
    guard: Guard,
    bound: tuple[ast.Name, ast.expr],
    places: Places,
) -> Rebuilt | None:
    selector, (name, value) = hazard.selector.node, bound
    origin, here = places.statement(name), places.statement(selector) if selector is not None else None
    if not isinstance(selector, ast.expr) or origin is None or here is None or not repeatable(value):
        return None
    nodes = [site.node for site, _ in sites]
    if not all(isinstance(node, ast.expr) and makes(value, node, places) for node in nodes):
        return None
    asked = set(guard.names) - {name.id}
    if name.id not in guard.names or not places.unchanged_between(asked | names_in(value), origin, here):
        return None
    if (guard.through or indexes(selector)) and not _is_of_shape(guard, bound, places):
        return None  # elsewhere the selector itself says that the shapes fit
    reads = _reads(hazard, selector, here, bound, places)
    if not reads or not _leads(reads, selector, guard, places):
        return None
    at = _place_before(reads, origin, places)
    text = guarded_text(value, guard, sites, selector, places)
    if at is None or text is None:
        return None
    other = places.fresh(f"kept_{name.id}", selector)
    line = Edit(Span(at[0], at[0]), f"{at[1]}{other} = {bindable(text)}\n")
    edits = (line, *(Edit(places.source.span(read), other) for read in reads))
    return Rebuilt(edits, not is_trained_factor(hazard) and not leaves_type(guard, sites, places))


_TRAILING = tuple(
    reshape(ast.parse(text, mode="eval").body) for text in ("n[..., None]", "n[:, None]", "n.unsqueeze(-1)")
)
"""Ways to give rows a dimension behind their own."""


def _leads(reads: Sequence[ast.Name], selector: ast.expr, guard: Guard, places: Places) -> bool:
    """Whether what is read reaches the selector elementwise, in the shape of its condition.

    An index of rows goes with elements that were given one more dimension.
    """
    shapes = ("", *_TRAILING) if indexes(selector) else (guard.through,)
    return any(
        all(elementwise_path(read, selector, places, through=shape) for read in reads) for shape in shapes
    )


def _reads(
    hazard: Hazard, selector: ast.expr, here: ast.stmt, bound: tuple[ast.Name, ast.expr], places: Places
) -> list[ast.Name]:
    """Where the name is read on the way to what the selector drops; empty if it may be another value there."""
    origin = places.statement(bound[0])
    dropped = names_read(selector, besides=_other_parts(hazard, selector, places))
    way = [value for _, value in steps(dropped, here, origin, places) if value is not bound[1]]
    found = [name for name in dropped if name.id == bound[0].id]
    for value in way:
        found += [read for read in names_read(value) if read.id == bound[0].id]
    reads = [read for read in found if not is_shape_only(read, places)]
    return reads if all(places.definition(read) is bound[1] for read in reads) else []


def _other_parts(hazard: Hazard, selector: ast.expr, places: Places) -> Sequence[ast.expr]:
    """The condition of a selector, and what it takes where it drops."""
    if isinstance(selector, ast.Subscript):
        return [selector.slice]
    if not isinstance(selector, ast.Call):
        return []
    receiver = selector.func.value if isinstance(selector.func, ast.Attribute) else None
    given = [*selector.args, *(word.value for word in selector.keywords)]
    method = receiver is not None and places.is_method(selector)
    if called_name(selector) != "where":
        return given if method else given[1:]
    # as `torch.where` has them: `a.where(c, b)` is `where(c, a, b)`
    parts = [given[0], receiver, *given[1:]] if method and given else given
    own = hazard.drop.operand if hazard.drop is not None else 0
    return [part for index, part in enumerate(parts) if part is not None and index != own]


def _place_before(reads: Sequence[ast.Name], origin: ast.stmt, places: Places) -> tuple[Position, str] | None:
    """Where a line can be put that is run before all reads, and its indentation; None if there is no such place."""
    statements = [places.statement(read) for read in reads]
    first = min(filter(None, statements), key=lambda one: (one.lineno, one.col_offset))
    block = places.parents[first]
    inside = all(one is not None and block in places.ancestors(one) for one in statements)
    if not inside or places.parents[origin] not in places.ancestors(first):
        return None
    return places.line_start(first)


def _is_of_shape(guard: Guard, bound: tuple[ast.Name, ast.expr], places: Places) -> bool:
    """Whether the condition is certainly as large as the value: made of it, or of what it is made of elementwise."""
    name, value = bound
    if guard.condition is None:
        return False
    if elementwise(value):
        return is_of_shape(guard.condition, name.id, value, places)
    told = places.spelled_out(guard.condition)
    return elementwise(told) and names_in(told) <= {name.id}
