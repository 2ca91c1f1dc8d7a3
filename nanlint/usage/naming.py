"""Names with a part of their own in a file: its functions, their parameters, and what leaves a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nanlint.lower.uses import Function
from nanlint.names import imported


def functions(tree: ast.Module) -> Iterator[str]:
    """The functions that a file defines or imports at its top, as far as they are written so."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (name for name, _ in imported(node) if name.islower())


def parameters(node: Function) -> Iterator[str]:
    """What a function is given, of any kind."""
    args = node.args
    for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg):
        if arg is not None:
            yield arg.arg


def leaving(node: Function) -> frozenset[str]:
    """The names that a function returns or keeps in an attribute, as they are or handed to something."""
    found: set[str] = set()
    for part in ast.walk(node):
        kept = isinstance(part, ast.Assign) and isinstance(part.targets[0], (ast.Attribute, ast.Subscript))
        if isinstance(part, (ast.Return, ast.Yield)) or kept:
            called = {id(inner.func) for inner in ast.walk(part) if isinstance(inner, ast.Call)}
            names = (inner for inner in ast.walk(part) if isinstance(inner, ast.Name))
            found |= {name.id for name in names if id(name) not in called}
    return frozenset(found)
