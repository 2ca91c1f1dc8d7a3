"""What the callers of a private function say of its findings: they know what it is called with.

A function with a leading underscore is there for its own file. What it is given there, whether its result is
differentiated at all, is known where each call of it is followed; by itself it may be given anything.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from nanlint.arithmetic import Arithmetic
from nanlint.graph import Apply
from nanlint.hazards import is_hazardous
from nanlint.lower import Unit
from nanlint.lower.shelter import is_plain

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Lower: TypeAlias = Callable[[Collection[ast.AST], Collection[ast.AST]], Iterable[Unit]]
"""Lowers the first functions, with the selectors of the second wherever they are called."""


def is_private(node: ast.AST) -> bool:
    """Whether a function is there for its own file, by its name."""
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_private_name(node.name)


def _is_private_name(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def unconfirmed(
    found: Sequence[tuple[ast.AST, Apply]], tree: ast.Module, a: Arithmetic, lower: Lower
) -> frozenset[int]:
    """Which of the selectors, each `found` in a private function, have no hazard wherever the file calls that.

    Where a call may come from elsewhere, or is not followed, the function's own findings stand. Raises Exhausted if
    lowering the callers takes too long.
    """
    if not found:
        return frozenset()
    uses = _Uses()
    uses.visit(tree, None)
    roots = {node: uses.roots(node) for node in {node for node, _ in found}}
    known = {node: by for node, by in roots.items() if by}
    if not known:
        return frozenset()
    units = list(lower(frozenset().union(*known.values()), frozenset(known)))
    entered: dict[ast.AST, list[Unit]] = {
        node: [unit for unit in units if unit.node in by and node in unit.entered]
        for node, by in known.items()
    }
    certain = {node for node, by in known.items() if len(entered[node]) == len(by) or uses.is_ambiguous(node)}
    return frozenset(
        index
        for index, (node, selector) in enumerate(found)
        if node in certain and entered[node] and not _is_confirmed(selector, entered[node], a)
    )


def _is_confirmed(selector: Apply, units: Iterable[Unit], a: Arithmetic) -> bool:
    """Whether a selector is hazardous in any of the calls."""
    same = (other for unit in units for other in unit.selectors if other.node is selector.node)
    return any(other.op == selector.op and is_hazardous(other, a) for other in same)


@dataclass
class _Uses:
    """The functions at the top of a file and of its classes, and where in them each name is called or mentioned."""

    defined: dict[str, list[Function]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[str, set[Function | None]] = field(default_factory=lambda: defaultdict(set))
    mentions: set[str] = field(default_factory=set)

    def visit(self, node: ast.AST, function: Function | None) -> None:
        """Take in a node that stands in `function`, at the top of the file if that is None."""
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and function is None:
            self.defined[node.name].append(node)
            function = node
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            self.calls[_name(node.func)].add(function)
            rest = [node.func.value] if isinstance(node.func, ast.Attribute) else []
            children: Iterator[ast.AST] = iter([*rest, *node.args, *node.keywords])
        else:
            if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
                self.mentions.add(_name(node))
            children = ast.iter_child_nodes(node)
        for child in children:
            self.visit(child, function)

    def roots(self, node: ast.AST) -> frozenset[ast.AST]:
        """The functions that lead to a private one and are not private themselves; none where that is not known."""
        found: set[ast.AST] = set()
        stack, seen = [node], {node}
        while stack:
            current = stack.pop()
            callers = self._callers(current)
            if callers is None or None in callers:
                return frozenset()
            if not callers and current is not node:
                found.add(current)
            for caller in callers - seen:
                seen.add(caller)
                if _is_private_name(caller.name):
                    stack.append(caller)
                else:
                    found.add(caller)
        return frozenset(found - {node})

    def _callers(self, node: ast.AST) -> set[Function] | None:
        """The functions that call another one; None if it may be called from elsewhere."""
        assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        callers = self.calls.get(node.name, set()) - {node}
        if not is_plain(node) or node.name in self.mentions or node not in self.defined[node.name]:
            return None
        return None if None in callers else {caller for caller in callers if caller is not None}

    def is_ambiguous(self, node: ast.AST) -> bool:
        """Whether several functions are called what this one is called, so that not each call leads to it."""
        return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and len(self.defined[node.name]) > 1


def _name(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr
