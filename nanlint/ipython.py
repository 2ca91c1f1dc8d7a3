"""The Python of a notebook cell: what only IPython understands gives way to stand-ins of the same length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from nanlint.source import AnalysisError, parse

# Cell magics whose body is Python that shares the names of the other cells.
_TRANSPARENT = frozenset({"capture", "debug", "prun", "time", "timeit"})

_CELL_MAGIC = re.compile(r"\s*(?P<line>%%(?P<name>\w*)[^\r\n]*)")

_NOT_PYTHON = re.compile(
    r"""[ \t]*(?:
        [%!?,;/]                                                     # %magic, !shell, ?help, ,call
      | (?:cat|cd|conda|cp|less|ls|ll|man|mkdir|more|mv|pip|rm|rmdir)[ \t]+ (?![=(,.:\[]) [^\r\n]   # magics without %
      | (?:cd|ls)[ \t]+\.                                           # cd ..
      | [\w.,*\ \t]+ (?:\[[^\]\r\n]*\])? [ \t]* = [ \t]* [%!](?!=)   # names = !shell, names = %magic
      | [%\w.*\[\]()"']+ \?{1,2} [ \t]* (?:[;#][^\r\n]*)? (?=[\r\n]|\Z)   # help?, source??
    )""",
    re.VERBOSE,
)

# A line that ends in a backslash goes on, in IPython's own lines too.
_CONTINUED = re.compile(r"(?:[^\r\n]*\\(?:\r\n|\r|\n))*[^\r\n]*(?:\r\n|\r|\n)?")

_ATOM = re.compile(
    r"""
        \#[^\r\n]*
      | (?P<triple>\"{3}|'{3}) (?:\\.|(?!(?P=triple)).)* (?:(?P=triple)|\Z)
      | (?P<single>["']) (?:\\(?:\r\n|.)|(?!(?P=single))[^\r\n\\])* (?P=single)?
      | \\(?:\r\n|\r|\n)
      | (?P<open>[(\[{])
      | (?P<close>[)\]}])
      | (?P<end>\r\n|\r|\n)
    """,
    re.VERBOSE | re.DOTALL,
)

_VISIBLE = re.compile(r"[^\r\n]")


@dataclass(frozen=True)
class View:
    """A cell as the analysis sees it: `text` is as long as the cell and has the same lines."""

    text: str
    stand_ins: tuple[tuple[int, int], ...] = ()
    """The stretches, as offsets, that are not what the cell says: no edit may change them."""
    error: AnalysisError | None = field(default=None, compare=False)
    """Why the whole cell is left out, at a position of `text`; None where it is not."""


def view(cell: str) -> View:
    """The Python of a cell: lines of IPython become `0`, cells in other languages and broken ones blank."""
    magic = _CELL_MAGIC.match(cell)
    if magic and magic["name"] not in _TRANSPARENT:
        return _blank(cell)
    if not magic and _error(cell) is None:
        return View(cell)
    stretches = tuple(_stretches(cell))
    text = cell
    for start, end in stretches:
        text = text[:start] + _stand_in(cell[start:end]) + text[end:]
    error = _error(text)
    return View(text, stretches) if error is None else _blank(cell, error)


def _stretches(cell: str) -> Iterator[tuple[int, int]]:
    """Start and end of each logical line that only IPython understands, indentation included."""
    start = 0
    while start < len(cell):
        if _NOT_PYTHON.match(cell, start):
            continued = _CONTINUED.match(cell, start)
            end = continued.end() if continued else len(cell)
            yield start, end
        else:
            end = _logical_line_end(cell, start)
        start = end


def _logical_line_end(cell: str, start: int) -> int:
    """Where the next logical line begins: strings, brackets and backslashes reach over line ends."""
    depth = 0
    for atom in _ATOM.finditer(cell, start):
        if atom["open"]:
            depth += 1
        elif atom["close"]:
            depth = max(depth - 1, 0)
        elif atom["end"] and depth == 0:
            return atom.end()
    return len(cell)


def _stand_in(line: str) -> str:
    """A statement that does nothing, with the indentation, the length and the line ends of `line`."""
    indentation = len(line) - len(line.lstrip(" \t"))
    return line[:indentation] + "0" + _VISIBLE.sub(" ", line[indentation + 1 :])


def _blank(cell: str, error: AnalysisError | None = None) -> View:
    return View(_VISIBLE.sub(" ", cell), ((0, len(cell)),), error)


def _error(text: str) -> AnalysisError | None:
    try:
        parse(text)
    except AnalysisError as error:
        return error
    return None
