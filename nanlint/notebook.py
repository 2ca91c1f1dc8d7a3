"""Jupyter notebooks: the Python of the cells, and edits that change nothing else in the JSON document."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nanlint.finding import Position
from nanlint.ipython import View, view
from nanlint.source import AnalysisError, Piece, Place, Source, decoded, spliced, split_lines

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SPACE = re.compile(r"[ \t\n\r]*")
_CHARACTER = re.compile(
    r"""
        \\u[dD][89abAB][0-9a-fA-F]{2} \\u[dD][c-fC-F][0-9a-fA-F]{2}   # one character, two escapes
      | \\u[0-9a-fA-F]{4}
      | \\.
      | [^"\\]
    """,
    re.VERBOSE,
)
_ESCAPED_LETTER = re.compile(r"(?<!\\)(?:\\\\)*\\u(?!00[0-7])[0-9a-fA-F]{4}")
_DECODER = json.JSONDecoder()


class Extent(NamedTuple):
    """A stretch of the JSON document, in offsets."""

    start: int
    end: int


@dataclass(frozen=True)
class Cell:
    """A Python cell that is not empty."""

    number: int
    """Among all cells of the notebook, from 1."""
    source: str
    value: Extent
    """Where the document has the JSON value of `source`."""
    view: View = field(repr=False)
    start: int
    """Where the cell begins in the joined text: as an offset and as a line."""
    first_line: int

    @property
    def text(self) -> str:
        """What the cell adds to the joined text: its view, with a line end where it has none.

        A lone carriage return at the end gets one too, lest it joins a line feed of the next cell.
        """
        return self.view.text if self.view.text.endswith("\n") else self.view.text + "\n"

    @property
    def end(self) -> int:
        """The offset in the joined text behind the cell."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class Notebook:
    """The JSON document of a notebook and the cells that the analysis sees."""

    document: str = field(repr=False)
    cells: tuple[Cell, ...]

    @property
    def written(self) -> str:
        """The joined text with what the cells say in place of the stand-ins; as long as the text."""
        return "".join(cell.source + cell.text[len(cell.source) :] for cell in self.cells)

    def locate(self, position: Position) -> Place:
        """The cell of a position of the joined text, with line and column in it."""
        index = bisect_right(self.cells, position.line, key=lambda cell: cell.first_line) - 1
        if index < 0:
            return Place(None, position.line, position.column)
        cell = self.cells[index]
        return Place(cell.number, position.line - cell.first_line + 1, position.column)

    def edited(self, pieces: Sequence[Piece]) -> str:
        """The document with the pieces, which are in order, put into the cells.

        Raises ValueError for a piece that reaches out of its cell or into a line that is not Python.
        """
        inside: dict[int, list[Piece]] = {}
        for piece in pieces:
            index = self._index(piece)
            inside.setdefault(index, []).append(_within_cell(self.cells[index], piece))
        values = [
            Piece(*self.cells[index].value, _rewritten(self.document, self.cells[index], changes))
            for index, changes in sorted(inside.items())
        ]
        return spliced(self.document, values)

    def _index(self, piece: Piece) -> int:
        index = bisect_right(self.cells, piece.start, key=lambda cell: cell.start) - 1
        if index < 0:
            raise ValueError("the notebook has no Python cell to edit")
        return index


def load(path: str, data: bytes) -> Source:
    """The source of a notebook: all Python cells joined, each on its own lines.

    A cell that does not parse is blank in the text and named in `Source.skipped`. Raises AnalysisError, at
    a place of the JSON document, where it is no notebook of nbformat 4.
    """
    encoding = "utf-8-sig" if data.startswith(_BYTE_ORDER_MARK) else "utf-8"
    document = decoded(data, encoding)
    cells = tuple(_cells(document, _content(document)))
    text = "".join(cell.text for cell in cells)
    skipped = tuple(error for cell in cells for error in _error(cell))
    return Source(path, text, encoding, data, Notebook(document, cells), skipped)


def _content(document: str) -> dict[str, Any]:
    try:
        content = json.loads(document)
    except json.JSONDecodeError as error:
        position = Position(error.lineno, error.colno)
        raise AnalysisError(f"not a notebook: {error.msg}", position) from error
    except RecursionError as error:
        raise AnalysisError("not a notebook: nested too deeply") from error
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise AnalysisError("not a notebook of nbformat 4: it has no list of cells")
    if not all(isinstance(cell, dict) for cell in content["cells"]):
        raise AnalysisError("not a notebook: a cell is no object")
    return content


def _cells(document: str, content: Mapping[str, Any]) -> Iterator[Cell]:
    if not _is_python(content.get("metadata")):
        return
    offset, line = 0, 1
    for number, (cell, extent) in enumerate(zip(content["cells"], _cell_extents(document), strict=True), 1):
        source = _source(cell) if _holds_python(cell) else ""
        if source:
            value = _member(document, extent, "source")
            found = Cell(number, source, value, view(source), offset, line)
            yield found
            offset, line = found.end, line + len(split_lines(found.text))


def _is_python(metadata: object) -> bool:
    """Whether the notebook's own metadata do not name another language."""
    named = (_get(_get(metadata, "language_info"), "name"), _get(_get(metadata, "kernelspec"), "language"))
    language = next((name for name in named if isinstance(name, str)), "python")
    return language.lower().removeprefix("i").startswith("python")


def _holds_python(cell: Mapping[str, Any]) -> bool:
    language = _get(_get(cell.get("metadata"), "vscode"), "languageId")
    return cell.get("cell_type") == "code" and language in (None, "python")


def _get(mapping: object, key: str) -> object:
    return mapping.get(key) if isinstance(mapping, dict) else None


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    if isinstance(source, str):
        return source
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    raise AnalysisError("not a notebook: the source of a cell is no text")


def _error(cell: Cell) -> Iterator[AnalysisError]:
    """What keeps the cell out, at its place in the joined text."""
    if cell.view.error is not None:
        line, column = cell.view.error.position.line, cell.view.error.position.column
        yield AnalysisError(cell.view.error.reason, Position(cell.first_line + line - 1, column))


def _cell_extents(document: str) -> list[Extent]:
    everything = Extent(_skip_space(document, 0), len(document))
    return list(_items(document, _member(document, everything, "cells")))


def _member(document: str, extent: Extent, name: str) -> Extent:
    """Where the value of a member stands; of several with one name the last counts, as in `json`."""
    return dict(_members(document, extent))[name]


def _members(document: str, extent: Extent) -> Iterator[tuple[str, Extent]]:
    """Name and value of each member of the object that begins at the extent's start."""
    at = _skip_space(document, extent.start + 1)
    while document[at] != "}":
        name, end = _DECODER.raw_decode(document, at)
        colon = _skip_space(document, end)
        value = _value(document, _skip_space(document, colon + 1))
        yield name, value
        at = _next(document, value)


def _items(document: str, extent: Extent) -> Iterator[Extent]:
    """Each item of the array that begins at the extent's start."""
    at = _skip_space(document, extent.start + 1)
    while document[at] != "]":
        value = _value(document, at)
        yield value
        at = _next(document, value)


def _value(document: str, start: int) -> Extent:
    return Extent(start, _DECODER.raw_decode(document, start)[1])


def _next(document: str, value: Extent) -> int:
    """Where the next member or item, or the closing bracket, stands."""
    at = _skip_space(document, value.end)
    return _skip_space(document, at + 1) if document[at] == "," else at


def _skip_space(document: str, start: int) -> int:
    match = _SPACE.match(document, start)
    return match.end() if match else start


def _within_cell(cell: Cell, piece: Piece) -> Piece:
    """The piece in offsets of the cell's source."""
    start, end = piece.start - cell.start, piece.end - cell.start
    if end > len(cell.text):
        raise ValueError("an edit reaches beyond its cell")
    if any(start < stop and end > first for first, stop in cell.view.stand_ins):
        raise ValueError("an edit changes a line that is not Python")
    return Piece(min(start, len(cell.source)), min(end, len(cell.source)), piece.text)


def _rewritten(document: str, cell: Cell, pieces: Sequence[Piece]) -> str:
    """The JSON value of the cell's source with the pieces put in; untouched characters stay as written."""
    listed = document[cell.value.start] == "["
    strings = list(_items(document, cell.value)) if listed else [cell.value]
    characters = [
        character
        for string in strings
        for character in _CHARACTER.findall(document, string.start + 1, string.end - 1)
    ]
    ascii_only = document.isascii() and _ESCAPED_LETTER.search(document) is not None
    for start, end, text in reversed(pieces):
        characters[start:end] = [json.dumps(character, ensure_ascii=ascii_only)[1:-1] for character in text]
    if not listed:
        return _quoted(characters)
    lines = _in_lines(characters, spliced(cell.source, pieces))
    opening, separator, closing = _list_layout(document, cell.value, strings)
    return opening + separator.join(lines) + closing


def _in_lines(characters: Sequence[str], source: str) -> Iterator[str]:
    """The JSON strings of a source's lines, split where nbformat splits them."""
    start = 0
    for line in source.splitlines(keepends=True):
        yield _quoted(characters[start : start + len(line)])
        start += len(line)


def _quoted(characters: Sequence[str]) -> str:
    return '"' + "".join(characters) + '"'


def _list_layout(document: str, value: Extent, strings: Sequence[Extent]) -> tuple[str, str, str]:
    """How the list is written: up to its first string, between two of them, and behind its last."""
    opening = document[value.start : strings[0].start]
    closing = document[strings[-1].end : value.end]
    if len(strings) > 1:
        return opening, document[strings[0].end : strings[1].start], closing
    space = "" if document[value.start - 1] == ":" else " "
    return opening, "," + (opening[1:] or space), closing
