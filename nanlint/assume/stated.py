"""What a comment or a setting states, and the statement of the syntax tree that it becomes."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from nanlint.assume.conditions import Condition
from nanlint.finding import Position, Span


@dataclass(frozen=True, eq=False)
class Stated:
    """One condition, and where it is stated: the span is that of the comment's text, None for a setting.

    `alone` says whether the comment has its line to itself, `column` where the comment begins, from 0.
    """

    condition: Condition
    span: Span | None = None
    column: int = 0
    alone: bool = True

    @property
    def key(self) -> tuple[Span | None, str]:
        """What tells the conditions of one file apart."""
        return self.span, self.condition.text

    @property
    def line(self) -> int:
        """The line of the comment, from 1; 0 for a setting."""
        return 0 if self.span is None else self.span.start.line


@dataclass(frozen=True)
class Unreadable:
    """A comment to nanlint that is not understood, and why."""

    position: Position
    end: Position
    reason: str


@dataclass(frozen=True, eq=False)
class Refuted:
    """What is stated and contradicts the code, where it meets it, and in which way."""

    stated: Stated
    node: ast.AST
    reason: str


class Assumed(ast.Assert):
    """A statement that assumes: an `assert` that only nanlint reads."""

    stated: Stated

    @classmethod
    def of(cls, stated: Stated, place: ast.AST | None = None) -> Assumed:
        """What is stated by a comment, at the place of the comment; a setting, at the place of a statement."""
        made = cls(test=stated.condition.test, msg=None)
        made.stated = stated
        if stated.span is None:
            assert place is not None
            return ast.copy_location(made, place)
        made.lineno = made.end_lineno = stated.line
        made.col_offset = made.end_col_offset = stated.column
        for node in ast.walk(made.test):
            ast.copy_location(node, made)
        return made


def kept(node: ast.AST) -> tuple[Stated, ...]:
    """What is assumed of the results of a call, or in every method of a class."""
    found: tuple[Stated, ...] = getattr(node, "nanlint_stated", ())
    return found


def keep(node: ast.AST, stated: Stated) -> None:
    """Assume something of the results of a call, or in every method of a class."""
    if stated not in kept(node):
        node.nanlint_stated = (*kept(node), stated)  # type: ignore[attr-defined]
