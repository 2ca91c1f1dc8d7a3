"""The selector's own question asked sooner: `y = 1 / x; y[y.isinf()] = 0` asks it of `1 / x` before there is a `y`.

Whatever the question is, its answer stays the same, for infinite inputs and nan and in every dtype; so it can guard
the argument of the op as well.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nanlint.catalogue import OPS
from nanlint.finding import Edit, Position, Span
from nanlint.fixes.double_where import guarded, inserted, of_its_type
from nanlint.fixes.guards import ATOMS, Guard, condition_of, keeps_where_true
from nanlint.fixes.places import Places, bindable, binding, is_simple
from nanlint.fixes.recomputed import reaching
from nanlint.fixes.scalars import may_be_single
from nanlint.fixes.shapes import elementwise
from nanlint.graph import Apply
from nanlint.hazards import Hazard
from nanlint.sites import argument_node, called_name, is_in_place

_MOST_READS = 2
"""How often the question may speak of the value, which is written once more for each time."""
_NEW = re.compile(r"^(sum|mean|clone|degree|zeros\w*|ones\w*|full\w*)$|scatter|segment|bincount")
"""Calls that give a tensor of their own, by their names."""
_CALLED = {"div": "denominator", "sqrt": "radicand", "rsqrt": "radicand", "pow": "base"}


def called(site: Apply) -> str:
    """What the argument of an op is called where it has to be given a name."""
    return _CALLED.get(site.op, "argument")


@dataclass(frozen=True)
class _Asked:
    """A question about a value that a statement of the same block has bound before."""

    condition: ast.expr
    """What stands in the selector, without `~`."""
    question: ast.expr
    """What is asked: the condition, or what its name is bound to."""
    keeps: bool
    """Whether the operand is kept where the condition, without `~`, is true."""
    statement: ast.stmt
    value: ast.expr
    reads: Sequence[ast.Name]
    """Where the question speaks of the value."""


class Restated(NamedTuple):
    """Edits, and whether they certainly leave the type of the value alone."""

    edits: tuple[Edit, ...]
    fits: bool


def restated(hazard: Hazard, sites: Sequence[tuple[Apply, int]], places: Places) -> Restated | None:
    """Edits that bind the condition of a selector to a name before the value that it asks about, and guard with it.

    None where the condition asks about no such value, or where that cannot be written twice.
    """
    asked = _asked(hazard, sites, places)
    selector = hazard.selector.node
    at = places.line_start(asked.statement) if asked is not None else None
    if asked is None or at is None or selector is None:
        return None
    arguments = {_argument(site, index, places): (site, index) for site, index in sites}
    costly = {node: site for node, (site, _) in arguments.items() if node is not None and _is_costly(node)}
    names = {node: places.fresh(called(site), node) for node, site in costly.items()}
    plain = _plain(asked.value, names, places)
    if len(set(names.values())) < len(names) or not _is_elementwise(plain):
        return None
    moved = isinstance(asked.condition, ast.Name) and asked.question is not asked.condition
    name = (
        places.text(asked.condition) if moved else places.fresh("keep" if asked.keeps else "drop", selector)
    )
    edits = []
    for node, (site, index) in arguments.items():
        safe = OPS[site.op].safe[index]
        if node is None or safe is None or node not in set(ast.walk(asked.value)):
            return None
        number = of_its_type(safe, site.args[index])
        wrap = guarded(node, Guard(name, asked.keeps, frozenset()), number, selector, places)
        if node in names:
            edits.append(Edit(places.outer_span(node), f"{wrap.prefix}{names[node]}{wrap.suffix}"))
        else:
            edits += inserted([wrap], places)
    bound = [(own, places.text(node)) for node, own in names.items()]
    lines = "".join(
        f"{at[1]}{left} = {bindable(right)}\n"
        for left, right in (*bound, (name, _told(asked, plain, places)))
    )
    use = _removed(asked, places) if moved else Edit(places.source.span(asked.condition), name)
    if use is None:
        return None
    fits = not any(node is not None and may_be_single(node, asked.value, places) for node in arguments)
    return Restated((Edit(Span(at[0], at[0]), lines), *edits, use), fits)


def _is_costly(node: ast.expr) -> bool:
    """Whether an argument, which would be written three times, is worth a name."""
    return not is_simple(node) or any(isinstance(part, ast.Call) for part in ast.walk(node))


def _asked(hazard: Hazard, sites: Sequence[tuple[Apply, int]], places: Places) -> _Asked | None:
    condition = condition_of(hazard) if hazard.drop is not None else None
    selector = hazard.selector.node
    statements = {places.statement(site.node) for site, _ in sites if site.node is not None}
    if condition is None or selector is None or len(statements) != 1:
        return None
    keeps, (definition,) = keeps_where_true(hazard), statements
    while isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Invert):
        condition, keeps = condition.operand, not keeps
    question, bound = places.spelled_out(condition), binding(definition)
    between = _between(definition, places.statement(selector), places)
    if bound is None or definition is None or between is None:
        return None
    between = [statement for statement in between if statement is not places.statement(question)]
    asking = {
        part.id for part in ast.walk(question) if isinstance(part, ast.Name) and not places.is_module(part)
    }
    reads = [part for part in ast.walk(question) if isinstance(part, ast.Name) and part.id == bound[0].id]
    used = {part.id for statement in between for part in ast.walk(statement) if isinstance(part, ast.Name)}
    if not 0 < len(reads) <= _MOST_READS or asking & used:
        return None
    return _Asked(condition, question, keeps, definition, bound[1], reads)


def _between(first: ast.stmt | None, last: ast.stmt | None, places: Places) -> list[ast.stmt] | None:
    """The statements between two of one block; None if they are not in one, in this order."""
    block = places.parents.get(first) if first is not None else None
    for body in (getattr(block, field, None) for field in ("body", "orelse", "finalbody")):
        if isinstance(body, list) and first in body and last in body:
            start, end = body.index(first), body.index(last)
            return body[start + 1 : end] if start < end else None
    return None


def _plain(value: ast.expr, names: Mapping[ast.expr, str], places: Places) -> str:
    """The text of an expression with names in the place of some of its parts, and nothing done in place."""
    edits = [Edit(places.outer_span(node), name) for node, name in names.items()]
    for part in ast.walk(value):
        if isinstance(part, ast.Call) and is_in_place(part):
            end = places.source.span(part.func).end
            edits.append(Edit(Span(Position(end.line, end.column - 1), end), ""))
    return places.rewritten(value, edits)


def _argument(site: Apply, index: int, places: Places) -> ast.expr | None:
    """The argument of an op as written: also one that the op changes in place, if nobody else has it."""
    node = argument_node(site.node, index, site.op)
    call = site.node
    if node is not None or index or not isinstance(call, ast.Call) or not is_in_place(call):
        return node
    changed = call.func.value if isinstance(call.func, ast.Attribute) else None
    return changed if isinstance(changed, ast.Name) and _is_nobody_elses(changed, call, places) else None


def _is_nobody_elses(name: ast.Name, call: ast.Call, places: Places) -> bool:
    """Whether a name is bound, in the block where a call changes it, to a new tensor, and read by that call alone."""
    here = places.statement(call)
    there = reaching(name.id, here, places) if here is not None else None
    bound = binding(there)
    if bound is None or here is None or there is None or _between(there, here, places) is None:
        return False
    new = _NEW.search(called_name(bound[1]).lower()) is not None and not is_in_place(bound[1])
    again = any(isinstance(around, (ast.For, ast.While)) for around in places.ancestors(here))
    return new and [read for read in places.reads(name) if again or read.lineno > there.lineno] == [name]


def _is_elementwise(text: str) -> bool:
    """Whether an expression is made of elementwise ops alone, none of them in place: it has no other effect."""
    node = ast.parse(f"({text})", mode="eval").body
    in_place = any(isinstance(part, ast.Attribute) and part.attr.endswith("_") for part in ast.walk(node))
    return elementwise(node) and not in_place


def _told(asked: _Asked, plain: str, places: Places) -> str:
    """The question with the value itself in the place of its name."""
    edits = [
        Edit(places.source.span(read), _fitting(plain, read, asked.value, places)) for read in asked.reads
    ]
    return places.rewritten(asked.question, edits)


def _fitting(plain: str, read: ast.Name, value: ast.expr, places: Places) -> str:
    """A value as text in the place of a name, in parentheses where what is around it would take a part of it."""
    compared = isinstance(places.parents.get(read), ast.Compare) and isinstance(value, ast.BinOp)
    loose = not places.is_bound_tightly(read) or isinstance(value, ATOMS) or compared
    return plain if loose else f"({plain})"


def _removed(asked: _Asked, places: Places) -> Edit | None:
    """The edit that takes out the statement that asked the question."""
    statement = places.statement(asked.question)
    return places.line_removal(statement) if statement is not None else None
