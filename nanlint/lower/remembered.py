"""What is found out of a syntax node once, and kept for as long as the node: those of other files are met often."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

_Node = TypeVar("_Node", bound=ast.AST)
_Found = TypeVar("_Found")


def remembered(function: Callable[[_Node], _Found]) -> Callable[[_Node], _Found]:
    """The same function of a node, asked once for each; what it gives must not hold the node, nor be changed."""
    known: WeakKeyDictionary[_Node, _Found] = WeakKeyDictionary()

    @wraps(function)
    def asked(node: _Node) -> _Found:
        if node not in known:
            known[node] = function(node)
        return known[node]

    return asked
