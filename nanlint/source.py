"""Bytes to `Source` and back: encoding, byte order mark, line endings, places and edits."""

from __future__ import annotations

import ast
import codecs
import io
import re
import warnings
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

from nanlint.finding import Edit, Position, Span

if TYPE_CHECKING:
    from nanlint.notebook import Notebook

START = Position(1, 1)

# Python ends a line at these three and at nothing else; `str.splitlines` knows many more.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_BARE_NEWLINE = re.compile(r"(?<!\r)\n")
_NEVER_PYTHON = re.compile("[\0\ud800-\udfff]")


class AnalysisError(Exception):
    """A file, or a cell of a notebook, cannot be read, decoded, parsed or analysed.

    `position` is a place of the text where there is one, else of the raw file, else line 1, column 1.
    """

    def __init__(self, reason: str, position: Position = START) -> None:
        super().__init__(reason, position)
        self.reason = reason
        self.position = position

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class Place:
    """A position as the user counts: in a notebook `line` counts within `cell`.

    `cell` counts all cells of the notebook from 1, markdown and raw cells included, as ruff does.
    """

    cell: int | None
    line: int
    column: int

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}"
        return place if self.cell is None else f"cell {self.cell}:{place}"


class Piece(NamedTuple):
    """An edit in offsets: `text` takes the place of the characters from `start` up to `end`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Source:
    """A file and the Python text in it; of a notebook, its Python cells joined."""

    path: str
    text: str
    """What is analysed: line endings as in the file, no byte order mark."""
    encoding: str = "utf-8"
    data: bytes | None = field(default=None, repr=False)
    """The bytes of the file; None for a source that was made from text."""
    notebook: Notebook | None = field(default=None, repr=False)
    skipped: tuple[AnalysisError, ...] = field(default=(), compare=False)
    """Why cells of a notebook are left out of `text`, one error a cell, with its place in `text`."""

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines of `text` with their endings."""
        return tuple(split_lines(self.text))

    @cached_property
    def written(self) -> tuple[str, ...]:
        """The lines as the user wrote them: in a notebook, what `lines` has stand-ins for."""
        return self.lines if self.notebook is None else tuple(split_lines(self.notebook.written))

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        starts = tuple(accumulate(map(len, self.lines), initial=0))
        unfinished = bool(self.lines) and not self.lines[-1].endswith(("\r", "\n"))
        return starts[:-1] if unfinished else starts

    def offset(self, position: Position) -> int:
        """The offset in `text`, from 0; the place behind a line's last character counts.

        Raises ValueError for a position outside the text.
        """
        line, column = position.line, position.column
        if 1 <= line <= len(self._starts):
            width = len(self.lines[line - 1].rstrip("\r\n")) if line <= len(self.lines) else 0
            if 1 <= column <= width + 1:
                return self._starts[line - 1] + column - 1
        raise ValueError(f"{self.path} has no place {line}:{column}")

    def position(self, offset: int) -> Position:
        """The position of an offset between 0 and the length of `text`; raises ValueError outside."""
        if not 0 <= offset <= len(self.text):
            raise ValueError(f"{self.path} has no offset {offset}")
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1)

    def slice(self, span: Span) -> str:
        """The text of a span; raises ValueError where the span is not in the text."""
        return self.text[self.offset(span.start) : self.offset(span.end)]

    def span(self, node: ast.expr | ast.stmt) -> Span:
        """The span of a node of the text's own syntax tree, whose columns count the bytes of UTF-8."""
        start = self._character(node.lineno, node.col_offset)
        return Span(start, self._character(node.end_lineno or node.lineno, node.end_col_offset or 0))

    def locate(self, position: Position) -> Place:
        """Where the user finds a position of `text`."""
        if self.notebook is None:
            return Place(None, position.line, position.column)
        return self.notebook.locate(position)

    def placed(self, edits: Sequence[Edit]) -> list[Piece]:
        """The edits as pieces in the order of the text, each `\\n` written as the lines nearby end.

        Insertions at one place keep their order. Raises ValueError where two edits overlap, or one lies
        outside the text.
        """
        pieces = sorted(map(self._piece, edits), key=lambda piece: piece[:2])
        if any(piece.end < piece.start for piece in pieces):
            raise ValueError("an edit ends before it starts")
        if any(after.start < before.end for before, after in pairwise(pieces)):
            raise ValueError("edits overlap")
        return pieces

    def edited(self, edits: Sequence[Edit]) -> Source:
        """The source with the edits made, everything else byte for byte as it was.

        Raises ValueError where edits overlap, lie outside the text, reach into a line or cell that is not
        Python, or cannot be written in the encoding of the file.
        """
        pieces = self.placed(edits)
        text = spliced(self.text, pieces)
        try:
            edited = from_bytes(self.path, self._rewritten(text, pieces))
        except AnalysisError as error:
            raise ValueError(f"the edits break the file: {error}") from error
        if edited.text != text:
            raise ValueError("the edits cannot be written into the file")
        return edited

    def to_bytes(self) -> bytes:
        """The bytes of the whole file; raises UnicodeEncodeError for a text outside its encoding."""
        return self.text.encode(self.encoding) if self.data is None else self.data

    def _character(self, line: int, byte: int) -> Position:
        text = self.lines[line - 1]
        return Position(line, 1 + (byte if text.isascii() else len(text.encode()[:byte].decode())))

    def _rewritten(self, text: str, pieces: Sequence[Piece]) -> bytes:
        if self.notebook is not None:
            return self.notebook.edited(pieces).encode(self.encoding)
        if self.text.encode(self.encoding) != self.to_bytes():
            raise ValueError(f"{self.encoding} does not give the bytes of the file back")
        return text.encode(self.encoding)

    def _piece(self, edit: Edit) -> Piece:
        start, end = self.offset(edit.span.start), self.offset(edit.span.end)
        newline = self._newline(edit.span.start.line)
        return Piece(start, end, _BARE_NEWLINE.sub(lambda _: newline, edit.replacement))

    def _newline(self, line: int) -> str:
        """How the lines around `line` end: like it, or like the one before it where it is the last."""
        for near in reversed(self.lines[max(line - 2, 0) : line]):
            ending = near[len(near.rstrip("\r\n")) :]
            if ending:
                return ending
        return "\n"


def read(path: str) -> Source:
    """The source of the file at `path`; raises AnalysisError for one that gives no text."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise AnalysisError(f"cannot be read: {error.strerror or error}") from error
    return from_bytes(path, data)


def from_bytes(path: str, data: bytes) -> Source:
    """The source of a file of these bytes: a notebook where `path` ends in `.ipynb`, else Python.

    Raises AnalysisError for bytes that cannot be decoded and for a notebook that is none.
    """
    if path.lower().endswith(".ipynb"):
        from nanlint import notebook

        return notebook.load(path, data)
    encoding = _declared_encoding(data)
    return Source(path, decoded(data, encoding), encoding, data)


def parse(text: str) -> ast.Module:
    """The syntax tree of a text; raises AnalysisError, at a position of the text, if it has none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes: not ours to report
            return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise _parse_error(text, error) from error
    except (RecursionError, MemoryError) as error:
        raise AnalysisError("nested too deeply to be parsed") from error


def split_lines(text: str) -> list[str]:
    """The lines of a text with their endings, split where Python's tokenizer splits them."""
    return _LINE.findall(text)


def spliced(text: str, pieces: Sequence[Piece]) -> str:
    """The text with the pieces, which are in order and do not overlap, put in."""
    parts: list[str] = []
    done = 0
    for start, end, replacement in pieces:
        parts += text[done:start], replacement
        done = end
    return "".join((*parts, text[done:]))


def decoded(data: bytes, encoding: str) -> str:
    """The text of `data`; raises AnalysisError at the first byte that is not valid."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding, "replace")
        name = encoding.removesuffix("-sig")
        raise AnalysisError(f"not valid {name}: {error.reason}", _end(before)) from error
    except (LookupError, UnicodeError) as error:
        raise AnalysisError(f"cannot be decoded as {encoding}: {error}") from error


def _declared_encoding(data: bytes) -> str:
    """The encoding that a byte order mark, a coding comment or the default gives."""
    if not data.startswith(codecs.BOM_UTF8) and b"coding" not in b"".join(data.split(b"\n", 2)[:2]):
        return "utf-8"
    import tokenize  # here: few files say what their encoding is

    try:
        return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError as error:
        head = data.split(b"\n", 2)[:2]
        decoded(b"\n".join(head), "utf-8-sig")  # names the byte, if the first lines are no text at all
        line = next((number for number, text in enumerate(head, 1) if b"coding" in text), 1)
        raise AnalysisError(str(error), Position(line, 1)) from error


def _parse_error(text: str, error: SyntaxError | ValueError) -> AnalysisError:
    odd = _NEVER_PYTHON.search(text)
    if odd:
        return AnalysisError(f"holds the character {odd.group()!r}", _end(text[: odd.start()]))
    if isinstance(error, SyntaxError):
        return AnalysisError(error.msg, _within(text, error.lineno or 1, error.offset or 1))
    return AnalysisError(str(error))


def _within(text: str, line: int, column: int) -> Position:
    """The position nearest to one that Python reports, which may lie behind the end of its line."""
    lines = split_lines(text)
    if line > len(lines):
        return _end(text)
    width = len(lines[line - 1].rstrip("\r\n"))
    return Position(max(line, 1), min(max(column, 1), width + 1))


def _end(text: str) -> Position:
    """The position behind the last character of a text."""
    source = Source("", text)
    return source.position(len(text))
