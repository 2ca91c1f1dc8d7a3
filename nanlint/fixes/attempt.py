"""An edit tried out: the edited function lowered again, its selector found, and what is left of the hazard."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.assume import reading
from nanlint.catalogue import OPS
from nanlint.finding import Confidence, Edit, Position
from nanlint.fixes.dropping import Replaced, dropped_operands, replaces_nan
from nanlint.fixes.evidence import Outcome, Rigour, compared, worst_of
from nanlint.fixes.places import Places
from nanlint.fixes.through import asks_for_sign, differ_through, is_compared
from nanlint.fixes.untouched import untouched
from nanlint.graph import MOST_VALUES, Apply, Constant, Value, closure
from nanlint.hazards import Hazard, left
from nanlint.lower import Definition, Unit
from nanlint.source import AnalysisError, Piece, Source, spliced


@dataclass(frozen=True)
class Segment:
    """The lines of one function, which is all that has to be read again."""

    text: str
    start: int


def attempt(
    edits: Sequence[Edit],
    hazard: Hazard,
    unit: Unit,
    places: Places,
    a: Arithmetic,
    *,
    moves: bool = False,
    guards: bool = False,
    replaced: Sequence[Replaced] = (),
    mended: Collection[int] = (),
    rigour: Rigour = Rigour.FINITE,
    tolerant: bool = False,
) -> Outcome:
    """Whether the hazard is gone after `edits`, and what else has changed.

    `moves` says that the selector is given another operand, so that its own value is not what has to be kept.
    `guards` says that nothing is to change but the selector and what it drops: held against the graphs themselves.
    `replaced` are arguments whose new values other selectors may drop, too. `mended` are the operands of the selector
    that are edited, the hazard's own among them. `rigour` says what is compared of what is not finite. A `tolerant`
    attempt may leave an unlikely hazard from another op.
    """
    edited = _edited(edits, unit, places)
    if edited is None:
        return Outcome.FAILED
    again, pieces, source, start = edited
    trial = _Trial(hazard, unit, again, pieces, places.source, source, start)
    met = worst_of(trial.left(a))
    if met is Outcome.FAILED or (met is Outcome.LEAVES_UNLIKELY and not tolerant):
        return met
    if moves and hazard.selector.op in ("largest", "smallest"):
        # two elements of one tensor: what keeps their order commutes with the choice of one
        return Outcome.SAME
    pair = None if moves else trial.selection
    alone = pair is not None and _inside(pieces, hazard.selector, places)
    old, new = ([pair[0]], [pair[1]]) if pair is not None and alone else (unit.sinks, again.sinks)
    if guards and not untouched(hazard, mended, old, new, lambda value: dropped_operands(value, replaced, a)):
        return Outcome.FAILED
    removes_nan = any(map(replaces_nan, replaced)) or (hazard.drop is None and _may_be_nan(hazard))
    if pair is not None and removes_nan and is_compared(pair[0], unit.sinks):
        return Outcome.FAILED

    def held(old: Sequence[Value], new: Sequence[Value]) -> Outcome:
        return compared(hazard, old, new, a, rigour)

    return (
        held(unit.sinks, again.sinks)
        if pair is None
        else _through(pair, unit, again, hazard, held, alone=alone)
    )


def _through(
    pair: tuple[Apply, Apply],
    unit: Unit,
    again: Unit,
    hazard: Hazard,
    held: Callable[[Sequence[Value], Sequence[Value]], Outcome],
    *,
    alone: bool,
) -> Outcome:
    """What has changed of a selector, and of the results where more than that may differ; `held` compares values."""
    own = held([pair[0]], [pair[1]])
    if own is Outcome.FAILED:
        return own
    through = alone or (
        own in (Outcome.SAME, Outcome.SAME_WHERE_FINITE) and differ_through(pair, unit.sinks, again.sinks)
    )
    if through and not (hazard.drop is None and asks_for_sign(pair, unit.sinks)):
        return own
    return worst_of((own, held(unit.sinks, again.sinks)))


def _may_be_nan(hazard: Hazard) -> bool:
    """Whether a product with a mask may have been nan where the mask is 0: then it becomes a 0."""
    values = (proof.site.args for proof in hazard.proofs)
    regions = ([R.point(a.value) if isinstance(a, Constant) else R.FINITE for a in args] for args in values)
    return any(
        OPS[proof.site.op].undefined(*known) for proof, known in zip(hazard.proofs, regions, strict=True)
    )


def counterparts(
    edits: Sequence[Edit], hazard: Hazard | None, unit: Unit, places: Places
) -> list[list[Value]]:
    """What the edited function has in the place of a hazard's selector, and what leaves it that did not before.

    Each may be missing; there is nothing where the edits cannot be made.
    """
    edited = _edited(edits, unit, places)
    if edited is None:
        return []
    again, pieces, source, start = edited
    found: list[list[Value]] = []
    if hazard is not None:
        pair = _Trial(hazard, unit, again, pieces, places.source, source, start).selection
        found += [[pair[1]]] if pair is not None else []
    known = {value.number for value in unit.sinks}
    changed: list[Value] = [value for value in again.sinks if value.number not in known and value.grad]
    return [*found, changed] if changed else found


def _edited(
    edits: Sequence[Edit], unit: Unit, places: Places
) -> tuple[Unit, Sequence[Piece], Source, int] | None:
    """The function after edits, with the text that it was read from and where that text begins; None if in vain."""
    try:
        pieces = places.source.placed(edits)
    except ValueError:  # two edits of one place
        return None
    edited = _edited_node(unit, pieces, places)
    if edited is None:
        return None
    node, source, start = edited
    return unit.lowering.again(unit, node), pieces, source, start


def _inside(pieces: Sequence[Piece], selector: Apply, places: Places) -> bool:
    """Whether all edits lie in the selector's own statement, or bind a name just before it."""
    statement = places.statement(selector.node) if selector.node is not None else None
    if statement is None:
        return False
    span = places.source.span(statement)
    start = places.source.offset(Position(span.start.line, 1))
    return all(start <= piece.start and piece.end <= places.source.offset(span.end) for piece in pieces)


def _edited_node(
    unit: Unit, pieces: Sequence[Piece], places: Places
) -> tuple[Definition | ast.Module, Source, int] | None:
    """The edited function, the text that it was read from, and where that text begins in the edited file."""
    segment = _segment(unit, places)
    inside = [Piece(p.start - segment.start, p.end - segment.start, p.text) for p in pieces]
    if any(piece.start < 0 or piece.end > len(segment.text) for piece in inside):
        return None
    head = "if 1:\n" if segment.text[:1] in " \t" else ""
    text = head + spliced(segment.text, inside)
    try:
        tree = reading(text, unit.lowering.settings).tree
    except AnalysisError:
        return None
    node = _node_in(tree, unit)
    return None if node is None else (node, Source("", text), segment.start - len(head))


def _segment(unit: Unit, places: Places) -> Segment:
    if isinstance(unit.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        first = min([unit.node.lineno, *(d.lineno for d in unit.node.decorator_list)])
        source = places.source
        start = source.offset(Position(first, 1))
        text = "".join(source.lines[first - 1 : unit.node.end_lineno])
        line = source.lines[first - 1]
        alone = not line[: len(line) - len(line.lstrip())].strip() and line.lstrip().startswith(
            ("def", "async", "@")
        )
        if alone:
            return Segment(text, start)
    return Segment(places.source.text, 0)


def _node_in(tree: ast.Module, unit: Unit) -> Definition | ast.Module | None:
    if isinstance(unit.node, ast.Module):
        return tree
    first = tree.body[0] if tree.body else None
    body = first.body if isinstance(first, ast.If) else tree.body
    if len(body) == 1 and isinstance(body[0], (ast.FunctionDef, ast.AsyncFunctionDef)):
        return body[0]
    kind = type(unit.node)
    same = [node for node in ast.walk(tree) if type(node) is kind]
    ordinal = unit.lowering.ordinal(unit.node)
    found = same[ordinal] if 0 <= ordinal < len(same) else None
    return found if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) else None


@dataclass(frozen=True)
class _Trial:
    """A function before and after some edits, with the texts that it was read from."""

    hazard: Hazard
    unit: Unit
    again: Unit
    pieces: Sequence[Piece]
    before: Source
    after: Source
    start: int
    """Where the text of `after` begins in the whole edited text."""

    @cached_property
    def selection(self) -> tuple[Apply, Apply] | None:
        """The outermost selector of the hazard's expression, and that of the edited one; a where may be around it."""
        node = self.hazard.selector.node
        old = next(s for s in reversed(self.unit.selectors) if s.node is node)
        moved, alike = self._moved(old), (old.op, "where")
        found = [s for s in self.again.selectors if s.op in alike and _offset(s, self.after) == moved]
        new = self._counterpart(old, found) or max(
            reversed(found), key=lambda s: _end(s, self.after), default=None
        )
        return None if new is None else (old, new)

    def _counterpart(self, old: Apply, found: Sequence[Apply]) -> Apply | None:
        """The selector of the same rank where several begin at one place, as in a chain of methods."""
        peers = [s for s in self.unit.selectors if s.op == old.op and self._moved(s) == self._moved(old)]
        before = sorted({_end(s, self.before) for s in peers})
        after = {_end(s, self.after): s for s in found if s.op == old.op}
        if len(before) != len(after):
            return None
        return after[sorted(after)[before.index(_end(old, self.before))]]

    def stood_before(self, selector: Apply) -> bool:
        """Whether a selector of the edited function is one of the others that were there already.

        What becomes of these is looked at when the edits are made. In a chain several begin at one place.
        """
        pair = self.selection
        if pair is not None and selector.node is pair[1].node:
            return False
        return (selector.op, _offset(selector, self.after)) in self._others

    @cached_property
    def _others(self) -> frozenset[tuple[str, int]]:
        """The other selectors of the function, each with the place where it is to be found after the edits."""
        node = self.hazard.selector.node
        return frozenset((old.op, self._moved(old)) for old in self.unit.selectors if old.node is not node)

    def left(self, a: Arithmetic) -> Iterator[Outcome]:
        """What is wrong with the selectors that the edits have made."""
        strictly = self.hazard.confidence is Confidence.LOW
        for selector in self._made():
            for site, confidence in left(selector, a, strictly=strictly):
                unlikely = confidence is Confidence.LOW and not strictly and self._is_beside(site)
                yield Outcome.LEAVES_UNLIKELY if unlikely else Outcome.FAILED

    def _made(self) -> list[Apply]:
        """The selectors that were not there before; those by position only if it is one of them that is repaired."""
        known = {selector.number for selector in self.unit.selectors}
        known |= set() if self.hazard.selector.number in self.unit.positional else self.again.positional
        return [s for s in self.again.selectors if s.number not in known and not self.stood_before(s)]

    def _is_beside(self, site: Apply) -> bool:
        """Whether a singular op stands as it stood before the edits, and is none of those that the hazard is from."""
        place = site.op, _offset(site, self.after), _end(site, self.after)
        return place in self._beside or any(
            op.node is site.node and op.op == site.op for op in self._ops_beside
        )

    @cached_property
    def _beside(self) -> frozenset[tuple[str, int, int]]:
        """The ops that the hazard is not from and that no edit touches, with the places where they are to be found."""
        return frozenset(
            (old.op, self._moved(old), self._shifted(_end(old, self.before)))
            for old in self._ops_beside
            if self._is_untouched(old)
        )

    @cached_property
    def _ops_beside(self) -> list[Apply]:
        """The ops that the hazard is not from; those of helpers, which are not read again, are the same afterwards."""
        own = {proof.site.number for proof in self.hazard.proofs}
        below = closure((self.hazard.selector,), MOST_VALUES)
        return [value for value in below if isinstance(value, Apply) and value.number not in own]

    def _is_untouched(self, old: Apply) -> bool:
        """Whether no edit is in the text of an op."""
        first, last = _offset(old, self.before), _end(old, self.before)
        return not any(first <= piece.start < last or first < piece.end <= last for piece in self.pieces)

    def _moved(self, old: Apply) -> int:
        """Where a value of the function begins after the edits."""
        return self._shifted(_offset(old, self.before))

    def _shifted(self, at: int) -> int:
        """Where an offset of the whole text is in the edited one."""
        before = [p for p in self.pieces if p.end <= at and p.start < at]
        return at - self.start + sum(len(p.text) - (p.end - p.start) for p in before)


def _offset(value: Apply, source: Source) -> int:
    """Where the code of a value begins, -1 where it is not in this text."""
    return _stretch(value, source)[0]


def _end(value: Apply, source: Source) -> int:
    """Where the code of a value ends, -1 where it is not in this text."""
    return _stretch(value, source)[1]


def _stretch(value: Apply, source: Source) -> tuple[int, int]:
    if not isinstance(value.node, (ast.expr, ast.stmt)):
        return -1, -1
    try:
        span = source.span(value.node)
        return source.offset(span.start), source.offset(span.end)
    except (IndexError, ValueError):  # of another function, whose text is not read again
        return -1, -1


__all__ = ["Outcome", "attempt", "counterparts", "worst_of"]
