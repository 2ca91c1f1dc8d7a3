"""What the configuration assumes: wherever a name is bound, an attribute is read, a function is called."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from nanlint.assume.conditions import Plain, setting_of
from nanlint.assume.placing import FUNCTIONS, blocks, bound, is_called
from nanlint.assume.stated import Assumed, Stated, keep


def place(settings: Sequence[str], tree: ast.Module) -> None:
    """Put what is assumed everywhere into the tree; raises ValueError for a setting that is no range."""
    for text in settings:
        condition = setting_of(text)
        assert condition.plain is not None
        stated = Stated(condition)
        if condition.plain.is_call:
            _at_calls(stated, condition.plain, tree)
        else:
            _at_bindings(stated, condition.plain, tree)


def _at_calls(stated: Stated, plain: Plain, tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and is_called(node, plain.target):
            keep(node, stated)


def _at_bindings(stated: Stated, plain: Plain, tree: ast.Module) -> None:
    """In front of a function that has the name, and behind each statement that binds it."""
    root = plain.target.partition(".")[0]
    for node in [node for node in ast.walk(tree) if isinstance(node, (ast.stmt, ast.Module))]:
        for block in blocks(node):
            for index in range(len(block) - 1, -1, -1):
                if bound(block[index]) & {plain.target, root}:
                    _behind(block, index, stated)
        if isinstance(node, FUNCTIONS) and _has(node, plain.target):
            node.body.insert(0, Assumed.of(stated, node.body[0]))


def _behind(block: list[ast.stmt], index: int, stated: Stated) -> None:
    statement = block[index]
    inner = blocks(statement)
    if inner:  # a loop or a `with` binds for its own block
        inner[0].insert(0, Assumed.of(stated, inner[0][0]))
    else:
        block.insert(index + 1, Assumed.of(stated, statement))


def _has(function: ast.FunctionDef | ast.AsyncFunctionDef, target: str) -> bool:
    """Whether a function has a parameter of a name, or reads an attribute."""
    if "." not in target:
        return target in {parameter.arg for parameter in _parameters(function.args)}
    return any(ast.unparse(node) == target for node in ast.walk(function) if isinstance(node, ast.Attribute))


def _parameters(args: ast.arguments) -> Iterator[ast.arg]:
    yield from (*args.posonlyargs, *args.args, *args.kwonlyargs)
