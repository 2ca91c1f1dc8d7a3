"""What a singular op is surrounded by: the values of a function that gradient comes back to, and who uses them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nanlint.catalogue import OPS
from nanlint.graph import Apply, Leaf, Value, operands
from nanlint.lower import Unit
from nanlint.lower.scope import ForeignCall

MOST_ABOVE = 32
"""Values computed from an op that are looked at together with it, the nearest ones first."""


@dataclass(frozen=True)
class Reach:
    """The values of one function that upstream gradient can reach, and for each number what is computed from it."""

    values: tuple[Value, ...]
    users: Mapping[int, Sequence[Apply]]

    def sites(self) -> Iterator[Apply]:
        """The singular ops that stand in the analysed file."""
        for value in self.values:
            if isinstance(value, Apply) and OPS[value.op].singular and is_written(value.node):
                yield value

    def above(self, site: Apply) -> list[Apply]:
        """The site and what is computed from it, in breadth-first order, `MOST_ABOVE` values at most."""
        found: dict[int, Apply] = {}
        queue = [site]
        for value in queue:
            if value.number not in found and len(found) < MOST_ABOVE:
                found[value.number] = value
                queue.extend(user for user in self.users.get(value.number, ()) if user.grad)
        return list(found.values())

    def tops(self, window: Iterable[Apply]) -> list[Apply]:
        """Those of a window that nothing else in it is computed from."""
        inside = {value.number: value for value in window}
        return [
            value
            for value in inside.values()
            if not any(user.number in inside for user in self.users.get(value.number, ()))
        ]


def reach(unit: Unit) -> Reach:
    """The reach of the gradients of a function, through opaque results and elements of a whole too."""
    seen: dict[int, Value] = {}
    stack = [value for value in unit.sinks if value.grad]
    wholes = unit.lowering.wholes
    while stack:
        value = stack.pop()
        if value.number in seen:
            continue
        seen[value.number] = value
        below = value.feeds if isinstance(value, Leaf) else operands(value)
        whole = (wholes[value.number],) if value.number in wholes else ()
        stack.extend(arg for arg in (*below, *whole) if arg.grad)
    return Reach(tuple(seen.values()), _users(seen.values()))


def _users(values: Iterable[Value]) -> dict[int, list[Apply]]:
    users: dict[int, list[Apply]] = {}
    for value in values:
        if isinstance(value, Apply):
            for number in {arg.number for arg in value.args}:
                users.setdefault(number, []).append(value)
    return users


def is_written(node: ast.AST | None) -> bool:
    """Whether syntax is an expression or a statement of the analysed file."""
    return isinstance(node, (ast.expr, ast.stmt)) and not isinstance(node, ForeignCall)
