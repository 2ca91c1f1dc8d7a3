"""Which statements of a module have to be run for its functions: a script's own doings bind what no function uses."""

from __future__ import annotations

import ast
import symtable
import warnings
from collections.abc import Iterable, Iterator, Sequence

_DOING = (ast.For, ast.While, ast.With)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_CHANGING = frozenset({"append", "extend", "insert", "add", "update", "setdefault", "register_buffer"})
"""Methods that change what they are called on, as those in place do."""


def needed(tree: ast.Module, text: str) -> Sequence[ast.stmt]:
    """The statements of a module but for those under `if __name__ == "__main__"`, loops and contexts of which no
    function of it uses anything.

    What a function looks up in the module is told by the symbol table of Python's compiler, so that a local name is not
    taken for one of the module's.
    """
    doing = [statement for statement in tree.body if isinstance(statement, _DOING) or _is_main(statement)]
    used = _looked_up(text) if doing else None
    if used is None:
        return tree.body
    bound = {statement: _bound(statement) for statement in doing}
    others = (part for s in tree.body if s not in bound for part in _run_at_once(s))
    used |= {part.id for part in others if isinstance(part, ast.Name)}
    kept: set[ast.stmt] = set()
    while more := [s for s in doing if s not in kept and not bound[s].isdisjoint(used)]:
        kept.update(more)
        used |= {part.id for s in more for part in ast.walk(s) if isinstance(part, ast.Name)}
    return [statement for statement in tree.body if statement not in bound or statement in kept]


def _is_main(statement: ast.stmt) -> bool:
    """`if __name__ == "__main__"`."""
    names = ast.walk(statement.test) if isinstance(statement, ast.If) else ()
    return any(isinstance(name, ast.Name) and name.id == "__name__" for name in names)


def _looked_up(text: str) -> set[str] | None:
    """The names of the module that functions and classes use; None if that cannot be told."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = symtable.symtable(text, "", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return None
    return set(_global_in(table.get_children()))


def _global_in(tables: Iterable[symtable.SymbolTable]) -> Iterator[str]:
    for table in tables:
        yield from (symbol.get_name() for symbol in table.get_symbols() if symbol.is_global())
        yield from _global_in(table.get_children())


def _run_at_once(statement: ast.stmt) -> Iterator[ast.AST]:
    """What of a statement is evaluated where it stands: of a definition, all but its body."""
    if not isinstance(statement, _DEFINITIONS):
        yield from ast.walk(statement)
        return
    parts: list[ast.AST] = [*statement.decorator_list]
    parts += (
        [*statement.bases, *statement.keywords] if isinstance(statement, ast.ClassDef) else [statement.args]
    )
    for part in parts:
        yield from ast.walk(part)


def _bound(statement: ast.stmt) -> frozenset[str]:
    """The names that a statement binds, or whose objects it may change."""
    found: set[str] = set()
    for part in ast.walk(statement):
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
            found.add(part.id)
        elif isinstance(part, _DEFINITIONS):
            found.add(part.name)
        elif isinstance(part, ast.alias):
            found.add((part.asname or part.name).split(".")[0])
        elif isinstance(part, (ast.Attribute, ast.Subscript)) and _changes(part):
            found.add(_root(part))
        elif isinstance(part, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and part.name:
            found.add(part.name)
    return frozenset(found)


def _changes(part: ast.Attribute | ast.Subscript) -> bool:
    """Whether something is stored there, or it is a method that changes its object."""
    stored = not isinstance(part.ctx, ast.Load)
    return stored or (isinstance(part, ast.Attribute) and (part.attr in _CHANGING or part.attr[-1:] == "_"))


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
