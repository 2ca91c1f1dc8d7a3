"""Functions that a file uses only where no gradient is recorded.

Such are the private helpers of code under `no_grad`, what an `autograd.Function` is made of, and the methods that a
class without gradient, by its `__call__` or `forward`, uses itself.
"""

from __future__ import annotations

import ast

from nanlint.lower.uses import AUTOGRAD, OFF, Function, Uses, is_plain, turns_off

_ENTRIES = ("__call__", "forward")


def sheltered(tree: ast.Module, text: str) -> frozenset[ast.AST]:
    """The functions and methods of a file that are used in it, and only where no gradient is recorded."""
    if not any(word in text for word in (*OFF, *AUTOGRAD)):
        return frozenset()  # nothing turns gradients off, which is seen sooner than where everything is used
    uses = Uses.of(tree)
    found: set[ast.AST] = set()
    while True:
        more = {
            node for node, owner in uses.defined if node not in found and _is_off(uses, node, owner, found)
        }
        if not more:
            return frozenset(found)
        found |= more


def may_be_sheltered(node: ast.AST, owner: ast.ClassDef | None, text: str) -> bool:
    """Whether a function may be `sheltered`, by its name, its class and the text: soon told."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or node.name.startswith("__"):
        return False
    return _is_private(node) or _is_without_gradient(owner) or any(word in text for word in AUTOGRAD)


def _is_off(uses: Uses, node: Function, owner: ast.ClassDef | None, known: set[ast.AST]) -> bool:
    """Whether a function is used without gradient only, as far as `known` says of others."""
    places = [place for place in uses.places[node.name] if place.function is not node]
    if not places or node.name.startswith("__") or node.name in _ENTRIES or not is_plain(node):
        return False
    if not all(place.is_off or place.function in known for place in places):
        return False
    return _is_private(node) or _is_without_gradient(owner) or all(p.in_autograd for p in places)


def _is_private(node: Function) -> bool:
    return node.name.startswith("_")


def _is_without_gradient(owner: ast.ClassDef | None) -> bool:
    """Whether the entry of a class is without gradient."""
    body = owner.body if owner is not None else []
    entries = [
        n for n in body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name in _ENTRIES
    ]
    return any(turns_off(decorator) for entry in entries for decorator in entry.decorator_list)
