"""The numbers that a file itself gives the parameters of its functions where they have other defaults."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from nanlint.lower.remembered import remembered

_MOST_NUMBERS = 8
"""As many points as a region has."""


@remembered
def calls_in(tree: ast.Module) -> Mapping[str, Sequence[ast.Call]]:
    """The calls of a file by what is called: `name`, or `.name` of the object or the class at hand."""
    found: dict[str, list[ast.Call]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found.setdefault(_called(node.func), []).append(node)
    return found


def _called(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    own = (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("self", "cls")
    )
    return f".{node.attr}" if own and isinstance(node, ast.Attribute) else ""


def numbers_given(
    calls: Sequence[ast.Call], parameter: str, index: int | None, default: float
) -> tuple[float, ...]:
    """The numbers that stand for a parameter in some calls, its default first; nothing if that is all.

    `index` is its place among the arguments, None if it has to be named.
    """
    written = (_argument(call, parameter, index) for call in calls)
    numbers = [number for node in written if node is not None for number in _number(node)]
    found = tuple(dict.fromkeys((default, *numbers)))
    return found if 1 < len(found) <= _MOST_NUMBERS else ()


def _argument(call: ast.Call, parameter: str, index: int | None) -> ast.expr | None:
    named = next((word.value for word in call.keywords if word.arg == parameter), None)
    if named is not None or index is None or index >= len(call.args):
        return named
    if any(isinstance(arg, ast.Starred) for arg in call.args[: index + 1]):
        return None
    return call.args[index]


def _number(node: ast.expr) -> Iterator[float]:
    """The number that is written there, as `-1`, `1 / 3`; nothing for anything else."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            yield float(node.value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield from (-number for number in _number(node.operand))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        for above in _number(node.left):
            yield from (above / below for below in _number(node.right) if below)
