"""`# nanlint: assume` comments of a text."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from difflib import get_close_matches

from nanlint.assume.conditions import conditions
from nanlint.assume.stated import Stated, Unreadable
from nanlint.finding import Position, Span
from nanlint.source import split_lines

_COMMENT = re.compile(r"#\s*nanlint:\s*(?P<word>\w*)(?P<rest>[^#]*)")
_WORD = "assume"


def read(text: str) -> tuple[list[Stated], list[Unreadable]]:
    """What the comments of a text state, in its order, and those that cannot be read."""
    stated: list[Stated] = []
    unreadable: list[Unreadable] = []
    for line, column, alone, comment in _comments(text):
        for match in _COMMENT.finditer(comment):
            try:
                stated += _stated(match, line, column, alone)
            except ValueError as error:
                start, end = (Position(line, column + offset + 1) for offset in match.span())
                unreadable.append(Unreadable(start, end, str(error)))
    return stated, unreadable


def _stated(match: re.Match[str], line: int, column: int, alone: bool) -> Iterator[Stated]:
    word = match["word"]
    if word != _WORD:
        if get_close_matches(word, [_WORD]):  # anything else is prose
            raise ValueError(f"the word is {_WORD}, as in `# nanlint: {_WORD} x > 0`, not {word}")
        return
    rest = match["rest"].rstrip()
    begin = column + match.start("rest") + 1
    for condition in conditions(rest):
        span = Span(Position(line, begin + condition.start), Position(line, begin + condition.end))
        yield Stated(condition, span, column, alone)


def _comments(text: str) -> Iterator[tuple[int, int, bool, str]]:
    """Line from 1, column from 0, whether it has the line to itself, and the text of each comment."""
    lines = [line.rstrip("\r\n") + "\n" for line in split_lines(text)]
    remaining = iter(lines)
    try:
        for token in tokenize.generate_tokens(lambda: next(remaining, "")):
            if token.type == tokenize.COMMENT and "nanlint:" in token.string:
                line, column = token.start
                yield line, column, not lines[line - 1][:column].strip(), token.string
    except (tokenize.TokenError, SyntaxError):  # the text parses, so that this is a quirk of the tokenizer
        return
