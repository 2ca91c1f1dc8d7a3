"""What is assumed: conditions that comments and the configuration state, and their places in the syntax tree.

An assumption is an `assert` that only nanlint reads. It becomes a statement of the tree, which lowering then runs like
any other; a text without the words costs one search for them.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanlint.source import parse
from nanlint.words import WORD

if TYPE_CHECKING:
    from nanlint.assume.stated import Stated, Unreadable


@dataclass(frozen=True)
class Reading:
    """A text as a tree with its assumptions in place, and the comments that could not be read."""

    tree: ast.Module
    stated: Sequence[Stated] = ()
    unreadable: Sequence[Unreadable] = ()


def reading(
    text: str, settings: Sequence[str] = (), without: Collection[int] = (), tree: ast.Module | None = None
) -> Reading:
    """Parse a text and put what is assumed where it holds.

    `settings` are conditions that hold everywhere, in the syntax of comments. The conditions of the text's own
    comments are numbered from 0; those in `without` are left out. `tree` is the text's own, for a text without any.
    Raises AnalysisError where the text does not parse.
    """
    tree = parse(text) if tree is None else tree
    if not settings and WORD not in text:
        return Reading(tree)
    from nanlint.assume import comments, everywhere, placing  # here: few texts need them

    stated, unreadable = comments.read(text)
    for index in range(len(stated) - 1, -1, -1):  # the last one first, so that places are not moved
        if index not in without:
            placing.place(stated[index], tree, text)
    placing.lift(tree)
    everywhere.place(settings, tree)
    return Reading(tree, stated, unreadable)
