"""What the callers of a function say of its findings: they know what it is called with.

A function with a leading underscore is there for its own file. What it is given there, whether its result is
differentiated at all, is known where each call of it is followed; by itself it may be given anything. Other functions
that the file calls are, as a rule, there for that, too: what cannot happen in any of these calls is unlikely.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, Protocol, TypeGuard

from nanlint.arithmetic import Arithmetic
from nanlint.cases import Place
from nanlint.graph import Apply
from nanlint.hazards import is_refuted
from nanlint.lower import Unit
from nanlint.lower.uses import Function, Uses, is_plain


class Suspect(NamedTuple):
    """A selector of which something is found in a function, from ops at some places."""

    node: Function
    selector: Apply
    places: frozenset[Place]


class Lower(Protocol):
    """Lowers the functions that are `wanted`, with the selectors of those `inside` wherever they are called."""

    def __call__(self, *, wanted: Collection[ast.AST], inside: Collection[ast.AST]) -> Iterable[Unit]: ...


def is_private(node: ast.AST) -> TypeGuard[Function]:
    """Whether a function is there for its own file, by its name."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    return node.name.startswith("_") and not node.name.endswith("__")


def unconfirmed(
    found: Mapping[int, Suspect], tree: ast.Module, a: Arithmetic, lower: Lower
) -> frozenset[int]:
    """Which of the selectors, each `found` in a function, have no hazard wherever the file calls that.

    What a search in vain leaves possible, and what may be called from elsewhere, stands. Raises Exhausted if lowering
    the callers takes too long.
    """
    if not found:
        return frozenset()
    uses = Uses.of(tree)
    roots = {node: _roots(uses, node) for node in dict.fromkeys(suspect.node for suspect in found.values())}
    known = {node: by for node, by in roots.items() if by}
    if not known:
        return frozenset()
    units = list(lower(wanted=frozenset().union(*known.values()), inside=frozenset(known)))
    entered = {
        node: [unit for unit in units if unit.node in by and node in unit.entered]
        for node, by in known.items()
    }
    certain = {
        node
        for node, by in known.items()
        if entered[node] and (len(entered[node]) == len(by) or len(_named(uses, node)) > 1)
    }
    return frozenset(
        key
        for key, suspect in found.items()
        if suspect.node in certain and not _is_possible(suspect, entered[suspect.node], a)
    )


def _is_possible(suspect: Suspect, units: Iterable[Unit], a: Arithmetic) -> bool:
    """Whether what is found of a selector may happen in any of the calls.

    Where it is missing in all of them, nobody wants the gradient of a private function; that of another one may be
    wanted elsewhere.
    """
    selector = suspect.selector
    same = [other for unit in units for other in unit.selectors if other.node is selector.node]
    if not same:
        return not is_private(suspect.node)
    return any(other.op == selector.op and not is_refuted(other, a, suspect.places) for other in same)


def _roots(uses: Uses, node: Function) -> frozenset[ast.AST]:
    """The functions that lead to another one and that no other one is known to lead to; none where that is not known.

    A function that is not private may be called from elsewhere, too: it ends the way if not all calls are known.
    """
    found: set[ast.AST] = set()
    stack, seen = [node], {node}
    while stack:
        current = stack.pop()
        callers = _callers(uses, current)
        if callers is None and (current is node or is_private(current)):
            return frozenset()
        if not callers and current is not node:
            found.add(current)
        new = (callers or set()) - seen
        seen |= new
        stack.extend(new)
    return frozenset(found - {node})


def _callers(uses: Uses, node: Function) -> set[Function] | None:
    """The functions that call another one; None if it may be called from elsewhere."""
    places = uses.places[node.name]
    callers = {place.function for place in places if place.function is not None}
    is_known = all(place.is_called and place.function is not None for place in places)
    return callers - {node} if is_known and is_plain(node) and node in _named(uses, node) else None


def _named(uses: Uses, node: Function) -> list[Function]:
    """The functions that are called what this one is called, itself among them: not each call leads to it."""
    return [other for other, _ in uses.defined if other.name == node.name]
