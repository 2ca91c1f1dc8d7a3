"""The fixtures on disk: which there are, and what they announce."""

from __future__ import annotations

import ast
import re
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from nanlint.proof.forms import is_form
from nanlint.source import Source, parse, read, split_lines

ENTRY = "f"
_SEVERAL_ENTRIES = "seed"
_NEVER_RUN = "hostile"
_SUFFIXES = (".py", ".pyi", ".ipynb")

_CODES = r"NAN\d{3}(?:\s+NAN\d{3})*"
_MARKER = re.compile(rf"#\s*(?P<codes>{_CODES})?\s*(?:todo:\s*(?P<todo>{_CODES}))?")

Marks = Counter[tuple[int, str]]
"""How often each code stands on each line, counted from 1."""


class Kind(Enum):
    """What is claimed of a fixture."""

    BAD = "the gradient is lost"
    OK = "the gradient is kept"
    TEXT = "it is analysed, never run"


@dataclass(frozen=True)
class Fixture:
    """A function of a fixture file with a known answer; of a file that is never run, the whole file."""

    path: Path
    kind: Kind
    entry: str = ENTRY

    @property
    def name(self) -> str:
        """Folder and file, with the function where the file has several."""
        name = f"{self.path.parent.name}/{self.path.stem if self.path.suffix == '.py' else self.path.name}"
        return name if self.entry == ENTRY else f"{name}:{self.entry}"

    @property
    def rule(self) -> str:
        """The folder: the code that it is about in lower case, `seed` or `hostile`."""
        return self.path.parent.name

    @property
    def broken(self) -> bool:
        """Whether it cannot be analysed, so that one NAN901, wherever it stands, is all that is said."""
        return self.path.name.startswith("broken_")


@dataclass(frozen=True)
class Expected:
    """What the comments of a text announce: findings, and hazards that are known to be missed."""

    found: Marks
    missed: Marks


def discover(paths: Iterable[Path]) -> list[Fixture]:
    """All fixtures in these files and folders, in the order of their paths.

    Raises FileNotFoundError for a path that does not exist, AnalysisError for a seed that does not parse.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such file or folder")
        files |= dict.fromkeys(sorted(path.rglob("*")) if path.is_dir() else [path])
    return [fixture for file in files for fixture in _fixtures(file)]


def expected(source: Source, entry: str = ENTRY) -> Expected:
    """The markers of a source; of those of a file with several entries, the ones within this entry."""
    marks = Expected(Counter(), Counter())
    lines = lines_of(source.text, entry)
    for line, comment in _comments(source.text):
        match = _MARKER.match(comment)
        if match and line in lines:
            marks.found.update((line, code) for code in (match["codes"] or "").split())
            marks.missed.update((line, code) for code in (match["todo"] or "").split())
    return marks


def lines_of(text: str, entry: str) -> range:
    """The lines of an entry in its file, counted from 1: all of them where it is the only one."""
    if entry != ENTRY:
        for node in parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name == entry:
                return range(node.lineno, (node.end_lineno or node.lineno) + 1)
    return range(1, len(split_lines(text)) + 1)


def _fixtures(path: Path) -> Iterator[Fixture]:
    if path.suffix not in _SUFFIXES or is_form(path):
        return
    if path.parent.name == _NEVER_RUN or path.suffix != ".py":
        yield Fixture(path, Kind.TEXT)
    elif path.parent.name == _SEVERAL_ENTRIES:
        yield from _entries(path)
    elif path.stem.startswith(("bad_", "ok_")):
        yield Fixture(path, Kind.BAD if path.stem.startswith("bad_") else Kind.OK)


def _entries(path: Path) -> Iterator[Fixture]:
    source = read(str(path))
    for node in parse(source.text).body:
        if isinstance(node, ast.FunctionDef):
            bad = expected(source, node.name).found
            yield Fixture(path, Kind.BAD if bad else Kind.OK, node.name)


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """The comments of a Python text with their lines."""
    lines = iter([line.rstrip("\r\n") + "\n" for line in split_lines(text)])
    for token in tokenize.generate_tokens(lambda: next(lines, "")):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
