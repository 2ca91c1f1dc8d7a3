"""The double where: the argument of each singular op is replaced by a safe value where the selector drops it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from nanlint.catalogue import OPS
from nanlint.finding import Edit, Position, Span
from nanlint.fixes.guards import ATOMS, Guard
from nanlint.fixes.places import Places
from nanlint.fixes.shapes import narrower, within_shape
from nanlint.graph import Apply, Value
from nanlint.hazards import Hazard
from nanlint.sites import argument_node, called_name

Guarded: TypeAlias = tuple[Hazard, Sequence[tuple[Apply, int]]]
"""A hazard and the arguments to guard: ops and the indices of their arguments."""


class Spelling(Enum):
    """How a value is replaced where a condition holds."""

    WHERE = "torch.where(m, 1.0, x)"
    FILL = "x.masked_fill(m, 1.0)"


def double_where(
    guarded: Sequence[Guarded],
    guards: Sequence[Guard],
    places: Places,
    spelling: Spelling = Spelling.WHERE,
    number: float | None = None,
) -> tuple[Edit, ...] | None:
    """Edits that put a second where, or a fill, around poisoned arguments; None if that cannot be written.

    The hazards are those of one selector, for each of which there is a guard: both of its sides may have some. Dropped
    arguments become the `number`, or what is safe for their own op.
    """
    binding: dict[Edit, None] = {}
    wraps: dict[Span, Wrap] = {}
    for (hazard, sites), guard in zip(guarded, guards, strict=True):
        selector = hazard.selector.node
        if selector is None:
            return None
        binding.update(dict.fromkeys(guard.binding))
        for site, index in sites:
            if _is_guarded(argument_node(site.node, index, site.op), guard, places):
                continue
            safe = OPS[site.op].safe[index] if number is None else number
            wrap = None if safe is None else _wrapped(site, index, safe, guard, selector, places, spelling)
            if wrap is None or wraps.setdefault(wrap.span, wrap) != wrap:
                return None
    return (*binding, *inserted(wraps.values(), places))


def _is_guarded(node: ast.expr | None, guard: Guard, places: Places) -> bool:
    """Whether an argument is a `where` of the very guard already."""
    if not isinstance(node, ast.Call) or called_name(node) != "where" or not node.args:
        return False
    return places.text(node.args[0]) == guard.text


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


def _wrapped(
    site: Apply, index: int, safe: float, guard: Guard, selector: ast.AST, places: Places, spelling: Spelling
) -> Wrap | None:
    """The wrap that guards one argument of one site."""
    node = argument_node(site.node, index, site.op)
    if node is None or not bound_before(guard, node, selector, places):
        return None
    if guard.condition is not None:
        node = within_shape(node, places.spelled_out(guard.condition))
    if spelling is Spelling.FILL:
        return _filled(node, guard, safe, places) if site.args[index].grad else None
    return guarded(node, guard, of_its_type(safe, site.args[index]), selector, places)


def of_its_type(safe: float, arg: Value) -> str:
    """A number that leaves a tensor of integers what it is: counts have no gradient."""
    return f"{safe:g}" if not arg.grad and float(safe).is_integer() else str(safe)


def guarded(node: ast.expr, guard: Guard, safe: float | str, selector: ast.AST, places: Places) -> Wrap:
    """`torch.where(guard, node, safe)` in the spelling that the file uses."""
    spelling = where_spelling(selector, places)
    if spelling is None:
        return called(node, f"{'where' if guard.keeps else 'masked_fill'}({guard.text}, {safe})", places)
    if guard.keeps:
        return _enclosed(node, f"{spelling}({guard.text}, ", f", {safe})", places)
    return _enclosed(node, f"{spelling}({guard.text}, {safe}, ", ")", places)


def called(node: ast.expr, call: str, places: Places) -> Wrap:
    """`node.call`, where `call` is a method with its arguments."""
    opened, closed = ("", "") if isinstance(node, ATOMS) else ("(", ")")
    return _enclosed(node, opened, f"{closed}.{call}", places)


def _filled(node: ast.expr, guard: Guard, safe: float, places: Places) -> Wrap | None:
    """`node.masked_fill(mask, safe)`; None where the mask may be larger than what is filled."""
    if guard.condition is None or not narrower(places.spelled_out(guard.condition), node):
        return None
    dropped = f"~({guard.text})" if not isinstance(guard.condition, ATOMS) else f"~{guard.text}"
    return called(node, f"masked_fill({dropped if guard.keeps else guard.text}, {safe})", places)


def _enclosed(node: ast.expr, prefix: str, suffix: str, places: Places) -> Wrap:
    """Text around an expression, with the parentheses that it has, which the text makes superfluous."""
    span, outer = places.source.span(node), places.outer_span(node)
    return Wrap(outer, prefix, suffix, parenthesised=span != outer)


def where_spelling(selector: ast.AST, places: Places) -> str | None:
    """How this file says `torch.where`: as the selector does, or by its name for torch; None if it has none."""
    bound = dict(places.imports)
    if isinstance(selector, ast.Call):
        text = places.text(selector.func)
        root, _, rest = text.partition(".")
        if ".".join(filter(None, (bound.get(root), rest))) == "torch.where":
            return text
    for name, dotted in places.imports:
        if dotted == "torch":
            return f"{name}.where"
    for name, dotted in places.imports:
        if dotted == "torch.where":
            return name
    return None


def bound_before(guard: Guard, node: ast.expr, selector: ast.AST, places: Places) -> bool:
    """Whether the guard's names have their values already where the argument stands."""
    here, there = places.statement(node), places.statement(selector)
    if here is there or here is None or there is None:
        return True
    if guard.binding or places.function(node) is not places.function(selector):
        return False
    return places.unchanged_between(set(guard.names), here, there)
