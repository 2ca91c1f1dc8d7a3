"""Code frames: the lines around marked spans, with carets that line up below wide characters and tabs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from nanlint.finding import Position, Span
from nanlint.report import Look, visible
from nanlint.source import Source, split_lines

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


@dataclass(frozen=True)
class Frame:
    """The part of a source that is shown for some marks."""

    source: Source
    marks: Sequence[Mark]

    @cached_property
    def _lines(self) -> list[str]:
        return written_lines(self.source)

    def gutter(self, look: Look) -> Gutter:
        """The gutter for the line numbers of this frame."""
        numbers = map(self._local, self._numbers())
        return Gutter(max((len(str(number)) for number in numbers), default=1), look)

    def rows(self, gutter: Gutter) -> list[str]:
        """The lines of the frame; none for a source without text."""
        numbers = self._numbers()
        rows: list[str] = []
        for before, number in pairwise((*numbers[:1], *numbers)):
            if number > before + 1 or self._cell(number) != self._cell(before):
                rows.append(gutter.gap(self._cell(number)))
            rows.append(gutter.row(self._local(number), displayed(self._lines[number - 1])))
            carets = (_underlined(self._lines[number - 1], number, mark, gutter.look) for mark in self.marks)
            rows += [gutter.empty(row) for row in carets if row]
        return [gutter.empty(), *rows, gutter.empty()] if rows else []

    def _numbers(self) -> list[int]:
        """The numbers of the lines to show, in order, among all of the source."""
        return sorted({number for mark in self.marks for number in self._lines_of(mark.span)})

    def _lines_of(self, span: Span) -> Iterator[int]:
        """The lines of a span and its context, which stays within the cell of a notebook."""
        first, last = span.start.line, span.end.line
        inside = list(range(first, last + 1))
        shown = inside if len(inside) <= LONG else inside[: LONG // 2] + inside[-LONG // 2 :]
        around = (*range(first - CONTEXT, first), *range(last + 1, last + CONTEXT + 1))
        yield from (number for number in shown if number <= len(self._lines))
        yield from (number for number in around if self._is_context(number, self._cell(first)))

    def _is_context(self, number: int, cell: int | None) -> bool:
        """Whether there is a line of this number, in this cell, that says something."""
        exists = 1 <= number <= len(self._lines)
        return exists and self._cell(number) == cell and bool(self._lines[number - 1].strip())

    def _cell(self, number: int) -> int | None:
        return self.source.locate(Position(number, 1)).cell

    def _local(self, number: int) -> int:
        return self.source.locate(Position(number, 1)).line


def written_lines(source: Source) -> list[str]:
    """The lines of a source without their endings, as the user has written them."""
    text = source.text if source.notebook is None else source.notebook.written
    return [line.rstrip("\r\n") for line in split_lines(text)]


def displayed(line: str) -> str:
    """A line as the frame shows it: tabs as spaces, control characters as signs."""
    return visible(line.replace("\t", " " * TAB))


def columns(text: str) -> int:
    """How many columns of a terminal a displayed text takes: wide characters two, combining ones none."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _underlined(line: str, number: int, mark: Mark, look: Look) -> str:
    """The carets of a mark below one of its lines, but not below its indentation; empty below others."""
    first, last = mark.span.start, mark.span.end
    if not first.line <= number <= last.line:
        return ""
    start = first.column - 1 if number == first.line else len(line) - len(line.lstrip())
    end = last.column - 1 if number == last.line else len(line.rstrip())
    carets = "^" * max(columns(displayed(line[start:end])), 1)
    label = f" {visible(mark.label)}" if mark.label and number == last.line else ""
    return " " * columns(displayed(line[:start])) + look.paint(carets + label, fg=mark.color, bold=True)
