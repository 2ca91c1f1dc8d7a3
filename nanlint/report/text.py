"""The report for people: the concise line, the code, the input that shows the defect, and the repair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nanlint.finding import Applicability, Finding, Fix, Position, Witness
from nanlint.report import Checked, Look, one_line
from nanlint.report.concise import line
from nanlint.report.frame import Gutter, Mark, frame
from nanlint.source import Source


def render(files: Sequence[Checked], look: Look) -> str:
    """The findings of all files, with an empty line behind each."""
    blocks = (_block(file, finding, look) for file in files for finding in file.findings)
    return "\n".join("\n".join(block) + "\n" for block in blocks)


def _block(file: Checked, finding: Finding, look: Look) -> list[str]:
    return [line(file, finding, look), *frame(file, _marks(finding), look), *_remarks(file, finding, look)]


def _marks(finding: Finding) -> list[Mark]:
    sites = [Mark(site.span, "yellow", site.poison) for site in finding.sites]
    return [Mark(finding.span, "red"), *sites]


def _remarks(file: Checked, finding: Finding, look: Look) -> Iterator[str]:
    """What stands below the frame: the witness, and the fix or what to do instead."""
    gutter = Gutter(3, look)
    if finding.witness is not None:
        yield gutter.remark(witness(finding.witness))
    help_ = look.paint("help", bold=True)
    if finding.fix is not None and file.source is not None:
        yield gutter.remark(f"{help_}: {_offer(finding.fix)}")
        yield from _changes(file.source, finding.fix, gutter)
    elif finding.note:
        yield gutter.remark(f"{help_}: {one_line(finding.note)}")


def witness(witness: Witness) -> str:
    """A witness as `at x = 0.0: value 0.0, gradient of x is nan`."""
    inputs = ", ".join(f"{name} = {value!r}" for name, value in witness.inputs.items())
    gradients = [f"gradient of {name} is {value!r}" for name, value in witness.gradient.items()]
    return f"at {inputs}: {', '.join([f'value {witness.value!r}', *gradients])}"


def _offer(fix: Fix) -> str:
    if fix.applicability is Applicability.SAFE:
        return f"rewritten by --fix ({fix.style}):"
    return f"rewritten by --fix --unsafe-fixes ({fix.style}), which may change what the code does:"


def _changes(source: Source, fix: Fix, gutter: Gutter) -> Iterator[str]:
    """The lines that the fix takes out and puts in."""
    from difflib import SequenceMatcher  # here: only findings with a fix need its 10 ms

    fixed = source.edited(fix.edits)
    skipped = min(edit.span.start.line for edit in fix.edits) - 1
    rest = max(len(source.lines) - max(edit.span.end.line for edit in fix.edits), 0)
    old, new = (text.lines[skipped : len(text.lines) - rest] for text in (source, fixed))
    for tag, *ends in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        start, stop, new_start, new_stop = (end + skipped for end in ends)
        if tag != "equal":
            yield from _signed("-", source, range(start, stop), gutter)
            yield from _signed("+", fixed, range(new_start, new_stop), gutter)


def _signed(sign: str, source: Source, indices: range, gutter: Gutter) -> Iterator[str]:
    """Lines of a source, by their indices from 0, with a sign before them."""
    for index in indices:
        number = source.locate(Position(index + 1, 1)).line
        yield gutter.change(number, sign, source.lines[index].rstrip("\r\n"))
