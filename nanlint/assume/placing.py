"""Where a comment's assumption holds: the place of the syntax tree at which it is made a statement.

A comment on a line of its own is a statement there, in the block that it is indented to. At the end of a statement it
holds for this statement already, unless it speaks of what the statement assigns: then behind it. At the end of the
first line of a `def`, `for`, `if` and the like it holds in the block that begins there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from nanlint.assume.conditions import is_dotted
from nanlint.assume.stated import Assumed, Stated, keep
from nanlint.source import split_lines

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class _Place:
    """In front of the statement at `index` of a block; `within` is that statement if the comment is part of it."""

    block: list[ast.stmt]
    index: int
    within: ast.stmt | None = None


def place(stated: Stated, tree: ast.Module, text: str) -> None:
    """Put one comment's assumption into the tree; comments further down have to be in it already."""
    found = _place(tree.body, stated, split_lines(text))
    plain = stated.condition.plain
    if plain is not None and plain.is_call:
        for node in _calls(found.block[found.index :], plain.target):
            keep(node, stated)
        return
    behind = found.within is not None and bool(bound(found.within) & mentioned(stated))
    found.block.insert(found.index + behind, Assumed.of(stated))


def lift(tree: ast.Module) -> None:
    """Let what a class body states, or `__init__` of attributes of self alone, hold in every method.

    In a class body its own names are those of attributes: `scale` is `self.scale`.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            own = {name for statement in node.body for name in bound(statement)}
            for stated in _of_objects(node):
                keep(node, replace(stated, condition=stated.condition.of_self(own)))


def mentioned(stated: Stated) -> set[str]:
    """The names and dotted attributes that a condition speaks of."""
    nodes = (node for node in ast.walk(stated.condition.test) if isinstance(node, ast.expr))
    return {ast.unparse(node) for node in nodes if is_dotted(node)}


def bound(statement: ast.stmt) -> set[str]:
    """The names and dotted attributes that a statement assigns, without those of its own blocks."""
    targets = list(_targets(statement))
    parts = [part for target in targets for part in ast.walk(target)]
    found = {ast.unparse(part) for part in parts if isinstance(part, (ast.Name, ast.Attribute))}
    found |= {ast.unparse(part.value) for part in parts if isinstance(part, ast.Subscript)}
    inside = () if blocks(statement) else ast.walk(statement)
    return found | {node.target.id for node in inside if isinstance(node, ast.NamedExpr)}


def _targets(statement: ast.stmt) -> Iterable[ast.expr]:
    if isinstance(statement, ast.Assign):
        return statement.targets
    if isinstance(statement, (ast.AnnAssign, ast.AugAssign, ast.For, ast.AsyncFor)):
        return [statement.target]
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        return [item.optional_vars for item in statement.items if item.optional_vars is not None]
    return ()


def blocks(node: ast.AST) -> list[list[ast.stmt]]:
    """The blocks of a compound statement in the order of the text."""
    found = [getattr(node, "body", []), *(part.body for part in getattr(node, "handlers", []))]
    found += [part.body for part in getattr(node, "cases", [])]
    found += [getattr(node, "orelse", []), getattr(node, "finalbody", [])]
    return [block for block in found if block]


def _place(block: list[ast.stmt], stated: Stated, lines: list[str]) -> _Place:
    index = sum(_first_line(statement) <= stated.line for statement in block)
    while index and isinstance(block[index - 1], Assumed) and block[index - 1].lineno == stated.line:
        index -= 1  # of the same comment
    before = block[index - 1] if index else None
    if before is None:
        return _Place(block, 0)
    inner = blocks(before)
    if stated.line <= _last_line(before):
        if not inner:
            return _Place(block, index - 1, before)
        return _place(_opened(inner, stated.line, lines), stated, lines)
    if stated.alone and inner and stated.column > before.col_offset:
        return _place(inner[-1], stated, lines)
    return _Place(block, index)


def _opened(inner: list[list[ast.stmt]], line: int, lines: list[str]) -> list[ast.stmt]:
    """The last block whose first line, such as that of `else:`, does not lie behind `line`."""
    chosen = inner[0]
    for before, after in pairwise(inner):
        if line >= _opening(before[-1], after[0], lines):
            chosen = after
    return chosen


def _opening(last: ast.stmt, first: ast.stmt, lines: list[str]) -> int:
    """The line of the `else`, `except` or `case` between two blocks."""
    between = range(_last_line(last) + 1, _first_line(first) + 1)
    code = (
        number for number in between if lines[number - 1].strip() and lines[number - 1].lstrip()[0] != "#"
    )
    return next(code, _first_line(first))


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _last_line(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _calls(body: Iterable[ast.stmt], target: str) -> Iterator[ast.Call]:
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and is_called(node, target):
                yield node


def is_called(node: ast.Call, target: str) -> bool:
    """Whether a call is one of `target`: of that name, or of a longer dotted name that ends with it."""
    return is_dotted(node.func) and f".{ast.unparse(node.func)}".endswith(f".{target}")


def _of_objects(node: ast.ClassDef) -> Iterator[Stated]:
    for statement in node.body:
        if isinstance(statement, Assumed):
            yield statement.stated
        elif isinstance(statement, FUNCTIONS) and statement.name == "__init__":
            for inner in statement.body:
                if isinstance(inner, Assumed) and _is_of_self(inner.stated):
                    yield inner.stated


def _is_of_self(stated: Stated) -> bool:
    names = {node.id for node in ast.walk(stated.condition.test) if isinstance(node, ast.Name)}
    return names == {"self"}
