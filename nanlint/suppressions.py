"""`# noqa` and `# flake8: noqa` exactly as flake8 reads them, without the cost of importing it."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from nanlint.source import split_lines

_INLINE = re.compile(r"# noqa(?::\s?(?P<codes>(?:[A-Z]+[0-9]+[,\s]*)+))?", re.IGNORECASE)
_WHOLE_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)
_SEPARATOR = re.compile(r"[,\s]")


@dataclass(frozen=True)
class Suppressions:
    """What the comments of one text suppress."""

    whole_file: bool = False
    """Whether a line of its own says `# flake8: noqa`."""
    lines: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """The code prefixes that are suppressed on a line, counted from 1; `""` stands for every code."""

    def cover(self, code: str, line: int) -> bool:
        """Whether a finding with this code on this line is suppressed; upper and lower case differ."""
        return self.whole_file or code.startswith(self.lines.get(line, ()))


def suppressions(text: str) -> Suppressions:
    """The suppressions in a text.

    A comment counts for all lines of a multi-line string, or of lines that backslashes join, that end on
    its line; lines in brackets stand each for itself.
    """
    if "noqa" not in text.lower():
        return Suppressions()
    lines = [line.rstrip("\r\n") + "\n" for line in split_lines(text)]
    if not text.endswith(("\r", "\n")):
        lines[-1] = lines[-1].rstrip("\n")
    return Suppressions(
        whole_file=any(map(_WHOLE_FILE.match, lines)),
        lines=dict(_suppressed_lines(lines)) if _INLINE.search(text) else {},
    )


def _suppressed_lines(lines: list[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for first, last in _blocks(lines):
        match = _INLINE.search("".join(lines[first - 1 : last]))
        if match:
            prefixes = _prefixes(match["codes"])
            yield from ((line, prefixes) for line in range(first, last + 1))


def _prefixes(codes: str | None) -> tuple[str, ...]:
    return ("",) if codes is None else tuple(filter(None, _SEPARATOR.split(codes)))


def _blocks(lines: list[str]) -> Iterable[tuple[int, int]]:
    """First and last line of each stretch that is searched as one.

    They end where the tokenizer reports a line end. In a text that it rejects, each line is a block; so is one
    after the last line end: Python 3.11 reports none below a string whose last line begins with `#`.
    """
    try:
        blocks = list(_tokenized_blocks(lines))
    except (tokenize.TokenError, SyntaxError):
        blocks = []
    end = blocks[-1][1] if blocks else 0
    return [*blocks, *((line, line) for line in range(end + 1, len(lines) + 1))]


def _tokenized_blocks(lines: list[str]) -> Iterator[tuple[int, int]]:
    first = None
    remaining = iter(lines)
    for token in tokenize.generate_tokens(lambda: next(remaining, "")):
        first = token.start[0] if first is None else first
        if token.type in (tokenize.NL, tokenize.NEWLINE):
            yield first, token.end[0]
            first = None
