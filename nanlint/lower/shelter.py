"""Functions that a file uses only where no gradient is recorded.

Such are the private helpers of code under `no_grad`, what an `autograd.Function` is made of, and the methods that a
class without gradient, by its `__call__` or `forward`, uses itself.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_OFF = ("no_grad", "inference_mode")
_AUTOGRAD = ("autograd.Function", "InplaceFunction")
_ENTRIES = ("__call__", "forward")


def is_autograd_function(node: ast.ClassDef) -> bool:
    """`autograd.Function`: its forward runs without gradients, its backward is the gradient."""
    return any(ast.unparse(base).endswith(_AUTOGRAD) for base in node.bases)


def sheltered(tree: ast.Module, text: str) -> frozenset[ast.AST]:
    """The functions and methods of a file that are used in it, and only where no gradient is recorded."""
    if not any(word in text for word in (*_OFF, *_AUTOGRAD)):
        return frozenset()  # nothing turns gradients off, which is seen sooner than where everything is used
    uses = _Uses()
    uses.visit_all(tree.body, _Place())
    found: set[ast.AST] = set()
    while True:
        more = {node for node, owner in uses.defined if node not in found and uses.is_off(node, owner, found)}
        if not more:
            return frozenset(found)
        found |= more


@dataclass(frozen=True)
class _Place:
    """Where something is used: in which class and function, and whether gradients are off there."""

    owner: ast.ClassDef | None = None
    function: Function | None = None
    is_off: bool = False
    in_autograd: bool = False


@dataclass
class _Uses:
    """The functions of a file, and the places where their names occur."""

    defined: list[tuple[Function, ast.ClassDef | None]] = field(default_factory=list)
    places: dict[str, list[_Place]] = field(default_factory=lambda: defaultdict(list))

    def visit_all(self, nodes: Sequence[ast.AST] | Iterator[ast.AST], place: _Place) -> None:
        """Take in nodes that stand at `place`."""
        for node in nodes:
            self._visit(node, place)

    def _visit(self, node: ast.AST, place: _Place) -> None:
        if isinstance(node, ast.ClassDef):
            inside = is_autograd_function(node)
            self.visit_all(node.body, _Place(node, None, inside, inside))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._define(node, place)
        elif isinstance(node, (ast.With, ast.AsyncWith)) and any(_is_off(i.context_expr) for i in node.items):
            self.visit_all(node.body, _Place(place.owner, place.function, True, place.in_autograd))
        else:
            if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
                self.places[node.id if isinstance(node, ast.Name) else node.attr].append(place)
            self.visit_all(ast.iter_child_nodes(node), place)

    def _define(self, node: Function, place: _Place) -> None:
        if place.function is None:
            self.defined.append((node, place.owner))
        is_off = place.is_off or any(_is_off(decorator) for decorator in node.decorator_list)
        inside = _Place(place.owner, place.function or node, is_off, place.in_autograd)
        self.visit_all(node.body, inside)

    def is_off(self, node: Function, owner: ast.ClassDef | None, known: set[ast.AST]) -> bool:
        """Whether a function is used without gradient only, as far as `known` says of others."""
        places = [place for place in self.places[node.name] if place.function is not node]
        if not places or node.name.startswith("__") or node.name in _ENTRIES or not is_plain(node):
            return False
        if not all(place.is_off or place.function in known for place in places):
            return False
        return _is_private(node) or _is_without_gradient(owner) or all(p.in_autograd for p in places)


def _is_private(node: Function) -> bool:
    return node.name.startswith("_")


def is_plain(node: Function) -> bool:
    """Whether nothing else than its name leads to a function: a decorator may register it somewhere."""
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return names <= {"staticmethod", "classmethod", "script", "compile", "property"}


def _is_without_gradient(owner: ast.ClassDef | None) -> bool:
    """Whether the entry of a class is without gradient."""
    body = owner.body if owner is not None else []
    entries = [
        n for n in body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name in _ENTRIES
    ]
    return any(_is_off(decorator) for entry in entries for decorator in entry.decorator_list)


def _is_off(node: ast.expr) -> bool:
    """`torch.no_grad()` and its like, as a context or a decorator."""
    called = node.func if isinstance(node, ast.Call) else node
    return ast.unparse(called).rpartition(".")[2] in _OFF and not (isinstance(node, ast.Call) and node.args)
