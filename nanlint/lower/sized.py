"""Parameters that a function makes something of that size with: integers, at least 1, as other lengths are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nanlint import regions as R
from nanlint.lower.remembered import remembered

SIZE = R.interval(1.0, 1e6)
_MAKERS = frozenset("zeros ones empty rand randn eye full new_zeros new_ones new_empty new_full".split())
_COUNTING = frozenset(("arange", "range"))


@remembered
def sizes_in(function: ast.AST) -> frozenset[str]:
    """The names that a function hands to `torch.zeros`, `arange`, `range` and the like as they are."""
    return frozenset(
        name.id
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        for name in _sizes(node)
        if isinstance(name, ast.Name)
    )


def _sizes(call: ast.Call) -> Iterator[ast.expr]:
    func = call.func
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    if name in _COUNTING and len(call.args) == 1:
        yield call.args[0]
    if name in _MAKERS and call.args:
        first = call.args[0]
        yield from first.elts if isinstance(first, (ast.Tuple, ast.List)) else ()
        # what `full` has behind its size is what fills it; a size by itself may be several
        if not name.endswith("full") and len(call.args) > 1:
            yield from call.args
