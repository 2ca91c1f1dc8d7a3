"""Code frames: the lines around marked spans, with carets that line up below wide characters and tabs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nanlint.finding import Position, Span
from nanlint.report import Checked, Look, visible
from nanlint.source import Source

CONTEXT = 1
"""Lines shown above and below a marked span."""
LONG = 8
"""A span of more lines is shown by its first and last ones."""
TAB = 4


@dataclass(frozen=True)
class Mark:
    """A span to underline in a colour, with a word on it behind its last caret."""

    span: Span
    color: str
    label: str = ""


def frame(file: Checked, marks: Sequence[Mark], look: Look) -> list[str]:
    """The lines of a code frame; none for a file without text."""
    source = file.source
    if source is None or not source.lines:
        return []
    numbers = _numbers(source, marks)
    gutter = Gutter(max(len(str(_local(source, number))) for number in numbers), look)
    rows = [gutter.empty()]
    for before, number in zip((numbers[0], *numbers), numbers):
        if number > before + 1 or _cell(source, number) != _cell(source, before):
            rows.append(gutter.gap(_cell(source, number)))
        line = source.lines[number - 1].rstrip("\r\n")
        rows.append(gutter.row(_local(source, number), displayed(line)))
        rows += (
            gutter.empty(underline) for mark in marks for underline in _underlines(line, number, mark, look)
        )
    return [*rows, gutter.empty()]


@dataclass(frozen=True)
class Gutter:
    """The column of line numbers at the left, `width` digits wide."""

    width: int
    look: Look

    def row(self, number: int, text: str) -> str:
        """A line of the source."""
        return self._beside(f"{number:>{self.width}} |", text)

    def empty(self, text: str = "") -> str:
        """A line without a number."""
        return self._beside(f"{'':{self.width}} |", text)

    def gap(self, cell: int | None) -> str:
        """Lines left out; in a notebook, with the cell that goes on below."""
        return self._beside("...", "" if cell is None else f"cell {cell}")

    def remark(self, text: str) -> str:
        """A remark on the frame."""
        return self._beside(f"{'':{self.width}} =", text)

    def change(self, number: int, sign: str, text: str) -> str:
        """A line that a fix takes out (`-`) or puts in (`+`)."""
        color = {"-": "red", "+": "green"}[sign]
        return self.row(number, self.look.paint(f"{sign} {displayed(text)}".rstrip(), fg=color))

    def _beside(self, gutter: str, text: str) -> str:
        painted = self.look.paint(gutter, fg="bright_blue", bold=True)
        return f"{painted} {text}" if text else painted


def displayed(line: str) -> str:
    """A line as the frame shows it: tabs as spaces, control characters as signs."""
    return visible(line.replace("\t", " " * TAB))


def columns(text: str) -> int:
    """How many columns of a terminal a displayed text takes: wide characters two, combining ones none."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _underlines(line: str, number: int, mark: Mark, look: Look) -> Iterator[str]:
    """The carets of a mark below one of its lines, its indentation left out; none below other lines."""
    first, last = mark.span.start.line, mark.span.end.line
    if not first <= number <= last:
        return
    indentation = len(line) - len(line.lstrip())
    start = mark.span.start.column - 1 if number == first else indentation
    end = mark.span.end.column - 1 if number == last else len(line.rstrip())
    carets = "^" * max(columns(displayed(line[start:end])), 1)
    label = f" {visible(mark.label)}" if mark.label and number == last else ""
    yield " " * columns(displayed(line[:start])) + look.paint(carets + label, fg=mark.color, bold=True)


def _numbers(source: Source, marks: Sequence[Mark]) -> list[int]:
    """The numbers of the lines to show, in order."""
    return sorted({number for mark in marks for number in _lines_of(source, mark.span)})


def _lines_of(source: Source, span: Span) -> list[int]:
    """The lines of a span and its context, which stays within the cell of a notebook."""
    count = len(source.lines)
    first, last = min(span.start.line, count), min(span.end.line, count)
    spanned = list(range(first, last + 1))
    if len(spanned) > LONG:
        spanned = spanned[: LONG // 2] + spanned[-LONG // 2 :]
    around = (*range(first - CONTEXT, first), *range(last + 1, last + CONTEXT + 1))
    near = [
        number for number in around if 1 <= number <= count and _cell(source, number) == _cell(source, first)
    ]
    return near + spanned


def _cell(source: Source, number: int) -> int | None:
    return source.locate(Position(number, 1)).cell


def _local(source: Source, number: int) -> int:
    return source.locate(Position(number, 1)).line
