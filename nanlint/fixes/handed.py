"""Double wheres for singular ops inside helpers: what the helper is handed is guarded, where it is called.

    speed = self.velocity(depth, slope)
    flux = torch.where(depth > 0, speed, 0.0)

becomes `self.velocity(torch.where(depth > 0, depth, 1.0), slope)`. The other callers keep the helper as it is.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nanlint.catalogue import OPS
from nanlint.finding import Span
from nanlint.fixes.double_where import Wrap, bound_before, guarded, inserted
from nanlint.fixes.elsewhere import Rebuilt
from nanlint.fixes.guards import Guard, guards_of
from nanlint.fixes.places import Places, binding
from nanlint.fixes.recomputed import names_read, reaching
from nanlint.fixes.reshaping import RESHAPING
from nanlint.fixes.shapes import hands_on, is_shape_only, lacks_dimension, names_in, narrower
from nanlint.graph import Apply
from nanlint.hazards import Hazard
from nanlint.sites import argument_node, called_name

NUMBERS = ((1.0,), (0.5, 2.0, 0.0))
"""Numbers at which most that is computed is fine: what is inside of a helper has more than one op to suit."""
_MOST_GROUPS, _MOST_STATEMENTS, _MOST_TOGETHER = 4, 4, 24
_OPERANDS = {"where": (1, 2)}

_MOVING = frozenset(
    """
    flip fliplr flipud roll rot90 t T mT transpose permute movedim moveaxis swapaxes swapdims sort argsort cumsum
    cumprod gather index_select take matmul mm bmm einsum adjoint
    """.split()
)
"""What gives elements other places: then a guard at what a helper is handed is one of other elements."""
_SHAPING = RESHAPING | {"repeat", "tile", "unfold"}
"""What gives elements another shape, of which the guard knows nothing."""


@dataclass(frozen=True)
class _Way:
    """One guard, and what it stands around."""

    guard: Guard
    wraps: tuple[Wrap, ...]
    fits: bool


def handed(
    found: Sequence[Hazard],
    sites: Sequence[Sequence[tuple[Apply, int]]],
    places: Places,
    numbers: Sequence[float],
) -> Iterator[Rebuilt]:
    """Edits that put `numbers` in place of what helpers are handed on the way to a selector, one try after the other.

    Where several operands of the selector are poisoned, each gets a guard of its own. Of the `sites` of each, arguments
    of singular ops, those are guarded as well that are in the selector's own function.
    """
    ways = [
        list(itertools.islice(_ways(hazard, own, places, numbers), _MOST_TOGETHER))
        for hazard, own in zip(found, sites, strict=True)
    ]
    for together in itertools.islice(itertools.product(*ways), _MOST_TOGETHER):
        wraps: dict[Span, Wrap] = {}
        if all(wraps.setdefault(wrap.span, wrap) == wrap for way in together for wrap in way.wraps):
            binding = dict.fromkeys(edit for way in together for edit in way.guard.binding)
            edits = (*binding, *inserted(wraps.values(), places))
            yield Rebuilt(edits, all(way.fits for way in together))


def _ways(
    hazard: Hazard, sites: Sequence[tuple[Apply, int]], places: Places, numbers: Sequence[float]
) -> Iterator[_Way]:
    """The guards that can be written for one operand: for each argument of helpers, with each safe number."""
    selector = hazard.selector.node
    if not isinstance(selector, ast.expr):
        return
    for guard in guards_of(hazard, places):
        if guard.through:
            continue
        for group in _groups(hazard, guard, selector, places):
            own = _own(sites, guard, selector, places)
            fits = guard.condition is not None and all(
                narrower(guard.condition, node) and _keeps_places(node, places) for node in group
            )
            for safe in numbers:
                around = (guarded(node, guard, safe, selector, places) for node in group)
                yield _Way(guard, (*around, *own), fits)


def _own(sites: Sequence[tuple[Apply, int]], guard: Guard, selector: ast.expr, places: Places) -> list[Wrap]:
    """Guards around the arguments of those singular ops that are in the selector's own function."""
    nodes = ((argument_node(site.node, index, site.op), OPS[site.op].safe[index]) for site, index in sites)
    return [
        guarded(node, guard, safe, selector, places)
        for node, safe in nodes
        if node is not None and safe is not None and bound_before(guard, node, selector, places)
    ]


def _groups(hazard: Hazard, guard: Guard, selector: ast.expr, places: Places) -> list[list[ast.expr]]:
    """Arguments of helpers that are written alike: those first which the guard speaks of."""
    groups: dict[str, list[ast.expr]] = {}
    for call in _calls(hazard, guard, selector, places):
        for argument in (*call.args, *(word.value for word in call.keywords)):
            if (
                isinstance(argument, (ast.Name, ast.Attribute, ast.BinOp, ast.Subscript))
                and bound_before(guard, argument, selector, places)
                and not lacks_dimension(guard, argument, places)
                and _MOVING.isdisjoint(_words_of(call, places))
            ):
                groups.setdefault(places.text(argument), []).append(argument)
    asked = guard.names or (names_in(guard.condition) if guard.condition is not None else set())
    # those of one group are written alike
    alone = sorted(groups.values(), key=lambda group: asked.isdisjoint(names_in(group[0])))[:_MOST_GROUPS]
    return [*alone, list(itertools.chain(*alone))] if len(alone) > 1 else alone


def _calls(hazard: Hazard, guard: Guard, selector: ast.expr, places: Places) -> Iterator[ast.Call]:
    """Calls of helpers of which the dropped operand is made elementwise, the nearest first."""
    besides = [guard.condition] if guard.condition is not None else []
    here = places.statement(selector)
    pending = [] if here is None else [(part, here) for part in _operands(hazard, selector)]
    seen: set[ast.stmt] = set()
    for _ in range(_MOST_STATEMENTS):
        reads: dict[ast.stmt, ast.expr] = {}
        for part, statement in pending:
            nodes = (node for node in ast.walk(part) if isinstance(node, ast.Call))
            yield from (
                call
                for call in nodes
                if _is_of_helper(call, selector, places) and _leads_on(call, part, selector, places)
            )
            for read in names_read(part, besides):
                if not is_shape_only(read, places) and _leads_on(read, part, selector, places):
                    reads |= _bound(read, statement, places)
        pending = [(value, statement) for statement, value in reads.items() if statement not in seen]
        seen.update(reads)


def _keeps_places(argument: ast.expr, places: Places) -> bool:
    """Whether a helper that is handed an argument is in this file, and gives nothing another shape."""
    parent = places.parents[argument]
    call = places.parents[parent] if isinstance(parent, ast.keyword) else parent
    return bool(places.defined(called_name(call))) and _SHAPING.isdisjoint(_words_of(call, places))


def _words_of(call: ast.AST, places: Places) -> set[str]:
    """All names in a helper of this file, and in those that it calls."""
    words: set[str] = set()
    pending = {called_name(call)}
    while pending:
        bodies = [node for name in pending for node in places.defined(name)]
        found = {
            node.id if isinstance(node, ast.Name) else node.attr
            for body in bodies
            for node in ast.walk(body)
            if isinstance(node, (ast.Name, ast.Attribute))
        }
        pending, words = found - words, words | found
    return words


def _leads_on(node: ast.AST, whole: ast.expr, selector: ast.expr, places: Places) -> bool:
    """Whether a part of an expression is handed on by nothing but elementwise ops and helpers."""
    while node is not whole:
        parent = places.parents[node]
        helps = isinstance(parent, ast.Call) and _is_of_helper(parent, selector, places)
        if parent is not selector and not helps and not hands_on(parent, selector, places):
            return False
        node = parent
    return True


def _operands(hazard: Hazard, selector: ast.expr) -> list[ast.expr]:
    """What a selector drops, as written: one side of a `where`, else all of the selector."""
    indices = _OPERANDS.get(hazard.selector.op, ())
    given = selector.args if isinstance(selector, ast.Call) else []
    if hazard.drop is None or hazard.drop.operand not in indices or len(given) != 3:
        return [selector]
    return [given[hazard.drop.operand]]


def _bound(read: ast.Name, before: ast.stmt, places: Places) -> dict[ast.stmt, ast.expr]:
    """The statement that has given a name its value before another one, with that value."""
    statement = reaching(read.id, before, places)
    made = binding(statement)
    return {statement: made[1]} if statement is not None and made is not None else {}


def _is_of_helper(node: ast.Call, selector: ast.expr, places: Places) -> bool:
    """Whether a call is one of a function by its name, or of a method of this object or of this file."""
    if node is selector:
        return False
    if isinstance(node.func, ast.Name):
        return True
    attribute = node.func if isinstance(node.func, ast.Attribute) else None
    if attribute is None or not isinstance(attribute.value, ast.Name):
        return False
    return attribute.value.id in ("self", "cls") or attribute.attr in places.functions
