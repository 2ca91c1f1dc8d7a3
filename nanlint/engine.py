"""Checks a source and fixes it to a fixed point; what the front ends call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from nanlint.config import UNUSED_ASSUMPTION, Config
from nanlint.depth import deeper
from nanlint.finding import Applicability, Confidence, Edit, Finding, Fix, Position, Span
from nanlint.source import AnalysisError, Piece, Source, from_bytes, parse, read

if TYPE_CHECKING:
    import ast

Analyse = Callable[[Source, Config], list[Finding]]
_Key = tuple[str, Span]


@dataclass(frozen=True)
class FixResult:
    """A source after `fix`: how many of its shown findings are gone, and those that remain."""

    source: Source
    fixed: int
    remaining: list[Finding]


def check(
    source: Source,
    config: Config,
    *,
    noqa: bool = True,
    fixes: bool = True,
    tree: ast.Module | None = None,
    analyse: Analyse | None = None,
) -> list[Finding]:
    """What is to be shown of a source, in its order; a text or cell that cannot be analysed is NAN901.

    `noqa=False` shows what comments suppress too; `fixes=False` finds out no fixes, which is sooner done. `tree` is the
    syntax tree of the text, if there is one already. `analyse` stands in for `nanlint.analysis.analyse`.

    A finding has a fix only if `fix` would make it: each is tried on the whole source.
    """
    findings = _findings(source, config, analyse or partial(_analysed, fixes=fixes, tree=tree))
    shown = _shown(source, findings, config, noqa)
    if not any(finding.fix for finding in shown):
        return shown
    state = _State(source, tuple(_judging(findings, config)), tuple(shown))
    return _offered(state, config, analyse or partial(_analysed, fixes=False))


def check_bytes(path: str, data: bytes, config: Config, *, analyse: Analyse | None = None) -> list[Finding]:
    """`check` for a file of these bytes; one that gives no text is NAN901."""
    try:
        source = from_bytes(path, data)
    except AnalysisError as error:
        return list(filter(config.shows, [failure(path, error)]))
    return check(source, config, analyse=analyse)


def check_file(path: str, config: Config, *, analyse: Analyse | None = None) -> list[Finding]:
    """`check` for the file at `path`; one that cannot be read or gives no text is NAN901."""
    try:
        source = read(path)
    except AnalysisError as error:
        return list(filter(config.shows, [failure(path, error)]))
    return check(source, config, analyse=analyse)


def failure(path: str, error: AnalysisError) -> Finding:
    """The finding NAN901 that tells why, and where, a file or a cell could not be analysed."""
    span = Span(error.position, error.position)
    return Finding("NAN901", path, span, f"could not be analysed: {error.reason}", Confidence.HIGH)


def fix(source: Source, config: Config, *, analyse: Analyse | None = None) -> FixResult:
    """Apply fixes of shown findings until none is left that can be applied.

    Unsafe fixes are applied with `config.unsafe_fixes` only. A fix after which the text does not parse, its
    finding survives, or another finding appears, is not made; a source without any fix made is returned
    itself. Each round removes a finding or refuses a fix, so their number bounds the rounds.
    """
    analyse = analyse or _analysed
    start = state = _state(source, config, analyse)
    while batch := _batch(state, config):
        state = _advanced(state, batch, config, analyse)
    remaining = (
        check(state.source, config, analyse=analyse)
        if config.selects(UNUSED_ASSUMPTION)
        else _offered(state, config, analyse)
    )
    return FixResult(state.source, len(start.shown) - len(state.shown), remaining)


@dataclass(frozen=True)
class _State:
    """A source on its way to the fixed point."""

    source: Source
    findings: tuple[Finding, ...]
    """Everything by which a fix is judged: low confidence and suppressed findings count too."""
    shown: tuple[Finding, ...]
    refused: frozenset[_Key] = frozenset()
    """The findings whose fix does not work on this very source."""


def _state(source: Source, config: Config, analyse: Analyse) -> _State:
    # what is assumed for nothing is no measure of a fix, after which less need be assumed
    config = replace(config, ignore=(*config.ignore, UNUSED_ASSUMPTION))
    findings = _judging(_findings(source, config, analyse), config)
    return _State(source, tuple(findings), tuple(_shown(source, findings, config, noqa=True)))


def _judging(findings: Iterable[Finding], config: Config) -> list[Finding]:
    """The findings by which fixes are judged: those of low confidence, too."""
    judging = replace(config, ignore=(*config.ignore, UNUSED_ASSUMPTION), confidence=Confidence.LOW)
    return list(filter(judging.shows, findings))


def _analysed(
    source: Source, config: Config, *, fixes: bool = True, tree: ast.Module | None = None
) -> list[Finding]:
    """The findings of a source. What a file that holds nothing does not need is imported here only."""
    if "torch" not in source.text:
        return []
    from nanlint.triage import examined

    worth = examined(source, config, tree)
    if worth is None:
        return []
    from nanlint.analysis import analyse

    return analyse(source, config, worth=worth, fixes=fixes)


def _findings(source: Source, config: Config, analyse: Analyse) -> list[Finding]:
    findings = [failure(source.path, error) for error in source.skipped]
    try:
        with deeper():
            return findings + analyse(source, config)
    except AnalysisError as error:
        reason = error
    except RecursionError:
        reason = AnalysisError("nested too deeply")
    except MemoryError:
        reason = AnalysisError("out of memory")
    return [*findings, failure(source.path, reason)]


def _shown(source: Source, findings: Iterable[Finding], config: Config, noqa: bool) -> list[Finding]:
    shown = sorted(filter(config.shows, findings), key=_order)
    if not (noqa and shown):
        return shown
    from nanlint.suppressions import suppressions  # here: most files have nothing to suppress

    comments = suppressions(source.text)
    return [finding for finding in shown if not comments.cover(finding.code, finding.span.start.line)]


def _batch(state: _State, config: Config) -> list[Finding]:
    """The first findings, in the order of the source, whose fixes can be made together."""
    batch: list[Finding] = []
    taken: list[Piece] = []
    for finding in state.shown:
        if _key(finding) not in state.refused and _applicable(finding, config):
            pieces = _pieces(state.source, finding)
            clashes = (
                _collide(one, other) or _mixed_up(one, other, state.source)
                for one in pieces
                for other in taken
            )
            if not any(clashes):
                batch.append(finding)
                taken += pieces
    return batch


def _offered(state: _State, config: Config, analyse: Analyse) -> list[Finding]:
    """What is shown of a state, without the fixes that `fix` would not make.

    The safe fixes are tried first, as many together as can be made together, then the others.
    """
    vain: set[_Key] = set()
    for unsafe in (False, True):
        ways = replace(config, unsafe_fixes=unsafe)
        kept = tuple(finding for finding in state.shown if finding.fix and _is_unsafe(finding.fix) is unsafe)
        waiting = replace(state, shown=kept)
        while batch := _batch(waiting, ways):
            if _tried(state, batch, config, analyse) is None:
                vain |= {
                    _key(one)
                    for one in batch
                    if len(batch) == 1 or _tried(state, [one], config, analyse) is None
                }
            waiting = replace(waiting, refused=waiting.refused | {_key(finding) for finding in batch})
        vain |= {_key(finding) for finding in kept if _key(finding) in state.refused}
    return [_without_fix(finding) if _key(finding) in vain else finding for finding in state.shown]


def _without_fix(finding: Finding) -> Finding:
    return replace(finding, fix=None, note=finding.note or _IN_VAIN)


_IN_VAIN = "no fix is offered, since with the one that was found something would be left to find"


def _is_unsafe(fix: Fix) -> bool:
    return fix.applicability is not Applicability.SAFE


def _applicable(finding: Finding, config: Config) -> bool:
    fix = finding.fix
    return fix is not None and (config.unsafe_fixes or fix.applicability is Applicability.SAFE)


def _pieces(source: Source, finding: Finding) -> list[Piece]:
    """The edits of a finding's fix in offsets; none where they are impossible, which `_tried` finds out."""
    try:
        return source.placed(_edits([finding]))
    except ValueError:
        return []


def _collide(one: Piece, other: Piece) -> bool:
    """Whether two pieces overlap or begin at one place, where their order would be a guess."""
    return one.start == other.start or (one.start < other.end and other.start < one.end)


_BINDING = re.compile(r"^[ \t]*(\w+) = ", re.MULTILINE)
_FUNCTION = re.compile(r"^([ \t]*)(?:async\s+)?def\b", re.MULTILINE)


def _mixed_up(one: Piece, other: Piece, source: Source) -> bool:
    """Whether two pieces bind one name in what may be one function: each would read what the other has bound."""
    if not (_bound(one) & _bound(other)):
        return False
    first, last = sorted((one.start, other.start))
    indents = [len(found[1]) for found in _FUNCTION.finditer(source.text, first, last)]
    return not any(indent < min(map(_indent, (one, other))) for indent in indents)


def _bound(piece: Piece) -> set[str]:
    """The names that lines put in bind."""
    return set(_BINDING.findall(piece.text)) if piece.text.endswith("\n") else set()


def _indent(piece: Piece) -> int:
    return len(piece.text) - len(piece.text.lstrip(" \t"))


def _advanced(state: _State, batch: list[Finding], config: Config, analyse: Analyse) -> _State:
    """The state with as many fixes of the batch made as work together, or with those refused that do not."""

    def tried(findings: Sequence[Finding]) -> _State | None:
        return _tried(state, findings, config, analyse) if findings else None

    together = tried(batch)
    if together is not None:
        return together
    alone = {_key(finding): tried([finding]) for finding in batch} if len(batch) > 1 else {}
    working = [finding for finding in batch if alone.get(_key(finding)) is not None]
    together = tried(working) if len(working) < len(batch) else None
    if together is not None:
        return together
    first = next((after for after in alone.values() if after is not None), None)
    return first or replace(state, refused=state.refused | {_key(finding) for finding in batch})


def _tried(state: _State, targets: Sequence[Finding], config: Config, analyse: Analyse) -> _State | None:
    """The state after the fixes of the targets; None if they cannot be made or are not good."""
    edits = _edits(targets)
    try:
        source = state.source.edited(edits)
        parse(source.text)
    except (ValueError, AnalysisError):
        return None
    after = _state(source, config, analyse)
    pieces = state.source.placed(edits)
    return after if _accounted_for(state, after, {_key(target) for target in targets}, pieces) else None


def _accounted_for(before: _State, after: _State, targets: set[_Key], pieces: list[Piece]) -> bool:
    """Whether each finding of `after` was one of `before` already, and no target is among them.

    What may be left of a target, or of another finding that has gone with it, is of low confidence, for numbers that
    nobody uses, be it of a selector that the fix has put in; and slices above the op, of which nothing is told while
    another selector is.
    """
    pending = [_trace(before, finding, pieces) for finding in before.findings if _key(finding) not in targets]
    left = [_trace(before, finding, pieces) for finding in before.findings if _key(finding) in targets]
    positions = any(finding.by_position for finding in before.findings if _key(finding) in targets)
    for finding in sorted(after.findings, key=_key):
        if finding.by_position and not positions:
            continue
        offset, shown = after.source.offset(finding.span.start), _is_shown(after, finding)
        trace = next((trace for trace in pending if trace.fits(finding.code, offset, shown)), None)
        if trace is not None:
            pending.remove(trace)
        elif not (
            any(trace.leaves(finding, offset) for trace in (*left, *pending))
            or (_is_of_guard(finding) and _is_put_in(offset, pieces))
        ):
            return False
    return True


def _is_of_guard(finding: Finding) -> bool:
    """Whether a finding is of a `where`, which is what a fix puts in, and unlikely."""
    return finding.confidence is Confidence.LOW and finding.code.endswith("01")


def _is_put_in(offset: int, pieces: Sequence[Piece]) -> bool:
    """Whether an offset after some edits is in a text that they have put in."""
    shift = 0
    for piece in pieces:
        start = piece.start + shift
        if start <= offset < start + len(piece.text):
            return True
        shift += len(piece.text) - (piece.end - piece.start)
    return False


@dataclass(frozen=True)
class _Trace:
    """Where a finding may stand after some edits: offsets `first` to `last`."""

    code: str
    first: int
    last: int
    shown: bool
    confidence: Confidence

    def leaves(self, finding: Finding, offset: int) -> bool:
        """Whether a finding may be what is left of this one: of the same selector, and unlikely."""
        low = finding.confidence is Confidence.LOW and self.confidence is not Confidence.LOW
        same = finding.code[-2:] == self.code[-2:]  # by a singular point or an overflow
        return low and same and self.first <= offset <= self.last

    def fits(self, code: str, offset: int, shown: bool) -> bool:
        """Whether a finding may be this one; one that was hidden must not come to be shown."""
        return code == self.code and self.first <= offset <= self.last and (self.shown or not shown)


def _trace(state: _State, finding: Finding, pieces: Sequence[Piece]) -> _Trace:
    offset = state.source.offset(finding.span.start)
    first, last = _moved(offset, pieces)
    return _Trace(finding.code, first, last, _is_shown(state, finding), finding.confidence)


def _is_shown(state: _State, finding: Finding) -> bool:
    return any(_key(finding) == _key(shown) for shown in state.shown)


def _moved(offset: int, pieces: Sequence[Piece]) -> tuple[int, int]:
    """The first and the last place at which what stood at `offset` can stand after the edits.

    They differ where the offset is in a replaced stretch or at an insertion.
    """
    around = [piece for piece in pieces if piece.start <= offset < max(piece.end, piece.start + 1)]
    before = [piece for piece in pieces if piece.start < offset and piece not in around]
    first = (around[0].start if around else offset) + sum(
        len(piece.text) - (piece.end - piece.start) for piece in before
    )
    return first, first + sum(len(piece.text) for piece in around)


def _edits(findings: Iterable[Finding]) -> list[Edit]:
    return [edit for finding in findings if finding.fix for edit in finding.fix.edits]


def _order(finding: Finding) -> tuple[Position, str, Position]:
    return finding.span.start, finding.code, finding.span.end


def _key(finding: Finding) -> _Key:
    """What tells the findings of one source apart: there is one for each selector and code."""
    return finding.code, finding.span
