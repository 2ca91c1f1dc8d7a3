"""Puts a culprit into words: the element, the singular line, the selector's line, and what nanlint says of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from torch.autograd.graph import Node

from nanlint.config import Config
from nanlint.engine import check
from nanlint.finding import Confidence, Finding
from nanlint.proof.live.culprits import Culprit
from nanlint.proof.live.places import Place, place_of
from nanlint.report import Checked, Look, render
from nanlint.source import AnalysisError, read


def told(headline: str, culprit: Culprit | None) -> str:
    """The message of a pass that went wrong."""
    if culprit is None:
        return f"{headline}; no single element is to blame"
    return "\n".join([headline, *_lines(culprit)])


def _lines(culprit: Culprit) -> Iterator[str]:
    made = _nearest([culprit.node, *culprit.above])
    yield f"  {_where(made)}: {_what(made, culprit.node)}"
    yield f"    at element {list(culprit.index)}: {_arithmetic(culprit)}"
    dropped = None
    if culprit.dropped_by is not None:
        above = culprit.above[culprit.above.index(culprit.dropped_by) :]
        dropped = _nearest(above)
        yield f"  {_where(dropped)}: {_what(dropped, culprit.dropped_by)}"
        yield "    gave that element a gradient of 0 after it had been computed"
    for place in (dropped, made):
        if place is not None and (finding := _finding(place)) is not None:
            yield from ("", _shown(place.path, finding))
            return


def _nearest(nodes: list[Node] | tuple[Node, ...]) -> Place | None:
    """Where the first of the nodes was made that has a place: inner nodes of a torch function have none."""
    return next((place for node in nodes if (place := place_of(node)) is not None), None)


def _where(place: Place | None) -> str:
    return "(unknown line)" if place is None else f"{place.path}:{place.line}"


def _what(place: Place | None, node: Node) -> str:
    text = "" if place is None else place.text
    return f"`{text}` ({node.name()})" if text else node.name()


def _arithmetic(culprit: Culprit) -> str:
    kept = ", ".join(f"{name} is {value:.6g}" for name, value in culprit.operands.items())
    made = f"a gradient of {culprit.arrived:.6g} arrives and {culprit.left:.6g} leaves"
    return f"{kept}; {made}" if kept else made


def _finding(place: Place) -> Finding | None:
    """What nanlint says of the line, however unlikely it had found it."""
    lines = (finding for finding in _findings(place.path) if _covers(finding, place.line))
    return next(lines, None)


def _covers(finding: Finding, line: int) -> bool:
    spans = (finding.span, *(site.span for site in finding.sites))
    return any(span.start.line <= line <= span.end.line for span in spans)


@lru_cache(maxsize=16)
def _findings(path: str) -> tuple[Finding, ...]:
    if not Path(path).is_file():
        return ()
    try:
        return tuple(check(read(path), Config(confidence=Confidence.LOW)))
    except (AnalysisError, OSError):
        return ()


def _shown(path: str, finding: Finding) -> str:
    return render("text", [Checked(path, read(path), (finding,))], Look())
