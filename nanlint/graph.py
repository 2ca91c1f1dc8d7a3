"""The graph: SSA values shared as a DAG, each with the syntax it comes from.

Two values with the same `number` are the same value for certain (value numbering), wherever they stand in the text.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache, wraps
from typing import ParamSpec, TypeAlias

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC
from nanlint.catalogue import OPS
from nanlint.regions import Region

_EXACT = ARITHMETIC["float64"]
MOST_VALUES = 400
"""Values looked at under one selector; what lies deeper is met as a free value."""
_MOST_REMEMBERED = 256
"""Graphs whose order is kept."""
_COMMUTATIVE = frozenset({"add", "mul", "and", "or", "xor", "eq", "ne", "maximum", "minimum"})

_CHOICES = frozenset({"where", "phi"})
"""Ops whose first argument is a condition, through which no gradient flows."""


class Kind(Enum):
    """What a value is in Python: certainly a tensor, certainly a number, or one of the two."""

    TENSOR = "tensor"
    NUMBER = "number"
    UNKNOWN = "unknown"


# not frozen: nothing is made more often, and that would take three times as long
@dataclass(eq=False, slots=True)
class Leaf:
    """A value that nothing is known of but its region: an input, or the result of something opaque.

    `feeds` are the values that an opaque result was made of: a condition on them speaks of the result too. `opaque`
    marks a result that is not an input. An element of another leaf has that as `whole`, and the `key` that picks it,
    which is an index `at` that was computed, if any.
    """

    number: int
    name: str
    region: Region
    grad: bool
    kind: Kind
    node: ast.AST | None = None
    feeds: tuple[Value, ...] = ()
    opaque: bool = False
    whole: Leaf | None = None
    key: str = ""
    at: Value | None = None


@dataclass(eq=False, slots=True)
class Constant:
    """A known number."""

    number: int
    value: float
    kind: Kind = Kind.NUMBER
    node: ast.AST | None = None
    grad: bool = False


@dataclass(eq=False, slots=True)
class Apply:
    """A catalogue op applied to values. `grad` says whether gradient flows through it to some leaf."""

    number: int
    op: str
    args: tuple[Value, ...]
    grad: bool
    kind: Kind
    node: ast.AST | None = None
    path: tuple[Assumption, ...] = field(default=(), repr=False)


Value: TypeAlias = Leaf | Constant | Apply
PART = "part"
"""The name of a leaf that says which of several joined tensors an element is of: all of them are there."""
ANOTHER = "another"
"""The key of any other element of a tensor, which an element is compared with."""
PICKED = "picked"
"""The name of a leaf that says whether an element is one of those that indices name."""
DIAGONALS = ("diagonal", "beside the diagonal")
"""What masks are called of the elements of a matrix that have one index twice, and of some that do not."""


@dataclass(eq=False, slots=True)
class Assumption:
    """A condition that is known to be true (or false) where a value is computed."""

    condition: Value
    truth: bool


class Builder:
    """Makes the values of one graph, giving equal values equal numbers."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._leaves = 0

    def _number(self, key: object) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def leaf(
        self,
        name: str,
        region: Region = R.FINITE,
        *,
        grad: bool = True,
        kind: Kind = Kind.UNKNOWN,
        node: ast.AST | None = None,
        feeds: tuple[Value, ...] = (),
        opaque: bool = False,
        key: object = None,
        whole: Leaf | None = None,
        picked: str = "",
        at: Value | None = None,
    ) -> Leaf:
        """A new leaf, or one with the number of the earlier leaf of the same `key`; `picked` is its key in `whole`."""
        if key is None:
            self._leaves += 1
            key = self._leaves
        number = self._number(("leaf", key))
        return Leaf(number, name, region, grad, kind, node, feeds, opaque, whole, picked, at)

    def constant(self, value: float, node: ast.AST | None = None, kind: Kind = Kind.NUMBER) -> Constant:
        """The number `value`."""
        return Constant(self._number(("constant", value, str(value))), value, kind, node)

    def apply(
        self,
        op: str,
        *args: Value,
        node: ast.AST | None = None,
        grad: bool = True,
        kind: Kind | None = None,
        path: tuple[Assumption, ...] = (),
    ) -> Value:
        """`op` of `args`, folded where all of them are numbers; `grad=False` cuts the gradient."""
        row = OPS[op]
        numbers = [arg.number for arg in args]
        given = [arg.value for arg in args if isinstance(arg, Constant)]
        if len(given) == len(args):
            return self.constant(row.value(_EXACT, *given), node, kind or _kind(args))
        if op in _COMMUTATIVE:
            numbers.sort()
        differentiated = args[1:] if op in _CHOICES else args
        flows = grad and row.differentiable and True in [arg.grad for arg in differentiated]
        number = self._number((op, flows, *numbers))
        return Apply(number, op, args, flows, kind or _kind(args), node, path)

    def again(self, part: Apply, args: Sequence[Value]) -> Value:
        """The same op where it stands, of other values."""
        return self.apply(part.op, *args, node=part.node, grad=part.grad, kind=part.kind, path=part.path)


def postorder(value: Value, known: Container[int]) -> Iterator[Value]:
    """`value` and what it is made of, arguments first, but for the numbers that are `known` by the time they are met.

    Who goes through them adds each to what is known.
    """
    stack: list[tuple[Value, bool]] = [(value, False)]
    while stack:
        current, expanded = stack.pop()
        if current.number in known:
            continue
        if expanded:
            yield current
            continue
        stack.append((current, True))
        stack.extend((arg, False) for arg in operands(current))


def _kind(args: Sequence[Value]) -> Kind:
    made = Kind.NUMBER if args else Kind.UNKNOWN
    for arg in args:  # written out: hashing the members of an enum takes longer than all the rest
        if arg.kind is Kind.TENSOR:
            return Kind.TENSOR
        if arg.kind is not Kind.NUMBER:
            made = Kind.UNKNOWN
    return made


def operands(value: Value) -> tuple[Value, ...]:
    """The values that `value` is computed from; none for leaves and constants."""
    return value.args if isinstance(value, Apply) else ()


def closure(roots: Iterable[Value], limit: int) -> list[Value]:
    """`roots` and what they are made of, arguments first, one value for each number.

    Values beyond `limit` in breadth-first order are left out, so that a caller meets them as free values.
    """
    few = tuple(roots)
    return list(_below(few[0], limit)) if len(few) == 1 else _closure(few, limit)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _below(root: Value, limit: int) -> Sequence[Value]:
    """The closure of one value: who judges a hazard asks for those of the same few again and again."""
    return _closure((root,), limit)


def _closure(roots: Sequence[Value], limit: int) -> list[Value]:
    kept: dict[int, Value] = {}
    queue: list[Value] = list(roots)
    for value in queue:
        if value.number in kept or len(kept) >= limit:
            continue
        kept[value.number] = value
        queue.extend(operands(value))
    return list(_sorted(kept))


def _sorted(kept: dict[int, Value]) -> Iterator[Value]:
    """The kept values in topological order, by an explicit stack: chains may be thousands long."""
    done: set[int] = set()
    for root in kept.values():
        stack: list[Value | None] = [root]
        while stack:
            value = stack.pop()
            if value is None:  # its arguments are done
                number = stack.pop().number  # type: ignore[union-attr]
                if number not in done:
                    done.add(number)
                    yield kept[number]
            elif value.number in kept and value.number not in done:
                stack += (value, None)
                stack += value.args if isinstance(value, Apply) else ()


_Given = ParamSpec("_Given")


def each_once(rule: Callable[_Given, bool]) -> Callable[_Given, bool]:
    """A rule on values that asks itself of their operands, and asks each of them once.

    There may be more ways through a graph than can be followed: `m = m & (m | n)`, forty times.
    """
    known: dict[tuple[int, ...], bool] = {}
    asking: list[tuple[int, ...]] = []

    @wraps(rule)
    def asked(*args: _Given.args, **kwargs: _Given.kwargs) -> bool:
        key = tuple(int(getattr(arg, "number", id(arg))) for arg in args)
        if key in known:
            return known[key]
        asking.append(key)
        try:
            found = rule(*args, **kwargs)
        finally:
            asking.pop()
            if not asking:
                known.clear()  # the numbers are those of one graph
        if asking:
            known[key] = found
        return found

    return asked
