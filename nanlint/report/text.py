"""The report for people: the concise line, the code, the input that shows the defect, and the repair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nanlint.finding import Applicability, Finding, Fix, Position, Witness
from nanlint.report import Checked, Look, number, one_line
from nanlint.report.concise import line
from nanlint.report.confirmation import told as confirmed
from nanlint.report.frame import Frame, Gutter, Mark, written_lines
from nanlint.source import Source


def render(files: Sequence[Checked], look: Look) -> str:
    """The findings of all files, with an empty line behind each."""
    blocks = (_block(file, finding, look) for file in files for finding in file.findings)
    return "\n".join("\n".join(block) + "\n" for block in blocks)


def told(witness: Witness) -> str:
    """A witness as `at x = 0.0: value 0.0, gradient of x is nan`."""
    inputs = ", ".join(f"{name} = {number(value)}" for name, value in witness.inputs.items())
    gradients = [f"gradient of {name} is {number(value)}" for name, value in witness.gradient.items()]
    return f"at {inputs or 'some input'}: {', '.join([f'value {number(witness.value)}', *gradients])}"


def _block(file: Checked, finding: Finding, look: Look) -> list[str]:
    head = line(file, finding, look)
    if file.source is None:
        return [head, *_remarks(finding, Gutter(0, look))]
    sites = [Mark(site.span, "yellow", f"poisoned at {site.poison}") for site in finding.sites]
    frame = Frame(file.source, [Mark(finding.span, "red"), *sites])
    gutter = frame.gutter(look)
    changes = _changes(file.source, finding.fix, gutter) if finding.fix is not None else ()
    return [head, *frame.rows(gutter), *_remarks(finding, gutter), *changes]


def _remarks(finding: Finding, gutter: Gutter) -> Iterator[str]:
    """What stands below the frame: the witness, and what repairs the code or what to do instead."""
    if finding.witness is not None:
        yield gutter.remark(told(finding.witness))
    confirmation = one_line(confirmed(finding))
    if confirmation:
        yield gutter.remark(confirmation)
    offer = _offer(finding.fix) if finding.fix is not None else ""
    advice = "; ".join(filter(None, (offer, one_line(finding.note)))) + (":" if offer else "")
    if advice:
        yield gutter.remark(f"{gutter.look.paint('help', bold=True)}: {advice}")


def _offer(fix: Fix) -> str:
    if fix.applicability is Applicability.SAFE:
        return f"rewritten by --fix ({fix.style})"
    return f"rewritten by --fix --unsafe-fixes ({fix.style}), which may change what the code does"


def _changes(source: Source, fix: Fix, gutter: Gutter) -> Iterator[str]:
    """The lines that the fix takes out and puts in."""
    from difflib import SequenceMatcher  # here: only findings with a fix need its 10 ms

    fixed = source.edited(fix.edits)
    old, new = written_lines(source), written_lines(fixed)
    skipped = min(edit.span.start.line for edit in fix.edits) - 1
    rest = max(len(old) - max(edit.span.end.line for edit in fix.edits), 0)
    matcher = SequenceMatcher(None, old[skipped : len(old) - rest], new[skipped : len(new) - rest], False)
    for tag, *ends in matcher.get_opcodes():
        start, stop, new_start, new_stop = (end + skipped for end in ends)
        if tag != "equal":
            yield from _signed("-", source, old, range(start, stop), gutter)
            yield from _signed("+", fixed, new, range(new_start, new_stop), gutter)


def _signed(sign: str, source: Source, lines: list[str], indices: range, gutter: Gutter) -> Iterator[str]:
    """Lines of a source, by their indices from 0, with a sign before them."""
    for index in indices:
        place = source.locate(Position(index + 1, 1))
        yield gutter.change(place.line, sign, lines[index])
