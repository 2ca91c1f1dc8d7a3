"""What is compared with a sum or a mean of its own row: there the row has another element as well.

Elsewhere a row is seen from one element alone, of which a sum is that element: `x / x.sum()` would be 1, or 0 / 0.
"""

from __future__ import annotations

from collections.abc import Iterable

from nanlint.catalogue.totals import TOTALS
from nanlint.graph import ANOTHER, Apply, Assumption, Kind, Leaf, Value, closure, operands, postorder
from nanlint.lower.conventions import is_given_setting
from nanlint.lower.lowering import Lowering
from nanlint.sites import called_name

_MOST_BELOW = 40
_MOST_REPEATED = 12
"""How many values another element is computed with at the most: a search in a larger graph finds less."""
_COMPARING = frozenset({"div", "sub", "add"})
_ROWS = frozenset(TOTALS.values())


def compared(op: str, left: Value, right: Value) -> set[int]:
    """The numbers of the sums in one operand of `op` that are sums of elements that the other operand is made of."""
    if op not in _COMPARING:
        return set()
    return _sums_beside(right, left) | (_sums_beside(left, right) if op != "div" else set())


def _sums_beside(of: Value, beside: Value) -> set[int]:
    sums = [part for part in closure((of,), _MOST_BELOW) if _may_have_others(part, beside)]
    own = _elements(beside) if sums else set()
    return {
        part.number
        for part in sums
        if any(isinstance(leaf, Leaf) and leaf.number in own for leaf in closure((part,), _MOST_BELOW))
    }


def _may_have_others(value: Value, beside: Value) -> bool:
    """Whether a value is a sum of a row, of what is not much work to compute once more.

    A running sum is one where the very element is taken from it: what is left is the sum of those before.
    """
    if not (isinstance(value, Apply) and value.op in TOTALS):
        return False
    if called_name(value.node) == "cumsum" and value.args[0].number != beside.number:
        return False
    return len(closure(value.args, _MOST_REPEATED + 1)) <= _MOST_REPEATED


def _elements(value: Value) -> set[int]:
    """The numbers of the leaves of which `value` is an element: not those that it is a sum of."""
    found, seen = set[int](), set[int]()
    stack = [value]
    while stack and len(seen) < _MOST_BELOW:
        current = stack.pop()
        if current.number in seen or (isinstance(current, Apply) and current.op in TOTALS):
            continue
        seen.add(current.number)
        if isinstance(current, Leaf):
            found.add(current.number)
        stack.extend(operands(current))
    return found


class Rows:
    """Gives the values of a function another element in some of their sums, the same in all of them."""

    def __init__(self, lowering: Lowering, sums: Iterable[int]) -> None:
        self.lowering, self.sums = lowering, frozenset(sums)
        self._made: dict[int, Value] = {}
        self._others: dict[int, Value] = {}

    def value(self, value: Value) -> Value:
        """A value with another element in its sums."""
        for part in postorder(value, self._made):
            self._made[part.number] = self._rebuilt(part)
        return self._made[value.number]

    def number(self, old: int) -> int:
        """What the number of a value has become."""
        return self._made[old].number if old in self._made else old

    def _rebuilt(self, part: Value) -> Value:
        if not isinstance(part, Apply):
            return part
        op, args = part.op, tuple(self._made[arg.number] for arg in part.args)
        if part.number in self.sums:
            op, args = TOTALS[op], (args[0], self._other(args[0]))
        path = tuple(Assumption(self.value(known.condition), known.truth) for known in part.path)
        same = all(new is old for new, old in zip(args, part.args, strict=False)) and op == part.op
        if same and all(new.condition is old.condition for new, old in zip(path, part.path, strict=True)):
            return part
        return self.lowering.builder.apply(
            op, *args, node=part.node, grad=part.grad, kind=part.kind, path=path
        )

    def _other(self, value: Value) -> Value:
        """The same computation on another element: the sums of the row are those of its other elements, too."""
        for part in postorder(value, self._others):
            self._others[part.number] = self._of_another(part)
        return self._others[value.number]

    def _of_another(self, part: Value) -> Value:
        if isinstance(part, Leaf):
            return part if _is_for_all(part) else self._another(part)
        if not isinstance(part, Apply) or part.op in _ROWS:
            return part
        return self.lowering.builder.again(part, [self._others[arg.number] for arg in part.args])

    def _another(self, leaf: Leaf) -> Value:
        if leaf.key == ANOTHER and leaf.whole is not None:
            return leaf.whole
        return self.lowering.leaf_element(leaf, ANOTHER)


def _is_for_all(leaf: Leaf) -> bool:
    """Whether a leaf is one number for all elements: one of Python's, or a setting."""
    return leaf.kind is Kind.NUMBER or (is_given_setting(leaf) and not leaf.grad)
