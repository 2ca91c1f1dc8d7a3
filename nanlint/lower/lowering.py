"""The lowering of one file: what all its parts share, and the functions to analyse."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from nanlint import regions as R
from nanlint.arithmetic import DTYPES, Dtype
from nanlint.assume.stated import Refuted
from nanlint.budget import Budget
from nanlint.graph import ANOTHER, Apply, Builder, Kind, Leaf, Value, operands, postorder
from nanlint.lower.dispatch import Either, Partial
from nanlint.lower.ranks import Order
from nanlint.lower.scope import FileScope, Frame
from nanlint.lower.things import (
    Class,
    Foreign,
    Function,
    Instance,
    Thing,
    values_in,
)
from nanlint.regions import Region

if TYPE_CHECKING:
    from nanlint.lower.call import Call

MOST_INLINED = 100
"""Calls followed into their bodies while one function is lowered."""
_MOST_REINDEXED = 200
MOST_UNROLLED = 8
"""Rounds of a loop or a comprehension over known things that are run one by one."""
COUNT = R.interval(1.0, 1e6)
"""Sizes and lengths: at least one element, or there is nothing to compute."""


class _Handlers(dict[type, str]):
    """The names of the methods that know a kind of syntax, by the class of its nodes."""

    def __missing__(self, kind: type) -> str:
        name = self[kind] = f"_{kind.__name__}"
        return name


HANDLER = _Handlers()


@dataclass(frozen=True)
class Positional:
    """A selector that is a slice or the like, what its elements are in the graph, and which they are, as written."""

    selector: Apply
    made: Value
    whole: int
    """The number of the value whose elements are left out."""
    key: str

    @property
    def is_apart(self) -> bool:
        """Whether the elements in the graph are computed without the whole value."""
        return all(arg.number != self.whole for arg in operands(self.made))


@dataclass
class Collected:
    """What the lowering of one function found: its selectors, and the values that gradient may come back to."""

    selectors: list[Apply] = field(default_factory=list)
    within: list[Apply] = field(default_factory=list)
    """Selectors of called functions, which drop what their caller has computed."""
    positional: list[Positional] = field(default_factory=list)
    """Selectors by position, if these are looked at."""
    sinks: list[Value] = field(default_factory=list)
    entered: set[ast.AST] = field(default_factory=set)
    inlined: int = 0

    def mark(self) -> tuple[int, int, int, int]:
        """How much there is by now."""
        return len(self.selectors), len(self.within), len(self.sinks), len(self.positional)

    def cut(self, mark: tuple[int, int, int, int]) -> None:
        """Take out what was found after a mark."""
        del self.selectors[mark[0] :], self.within[mark[1] :], self.sinks[mark[2] :]
        del self.positional[mark[3] :]

    def drop(self, number: int) -> None:
        """Take out the selectors of a number."""
        for found in (self.selectors, self.within):
            found[:] = [selector for selector in found if selector.number != number]


class Overwritten(NamedTuple):
    """A place in a tensor, or an item of a dictionary, that something is stored in, and what that was before."""

    place: tuple[str, ...]
    thing: Thing
    before: Value


class Lowering:
    """State shared by the statements, expressions and calls of one file."""

    by_position = False
    """Whether slices and the like are looked at as selectors."""
    shallow = False
    """Whether calls into other files are passed by."""
    tree: ast.Module | None = None
    """The file that is lowered."""

    def __init__(self, text: str, dtype: Dtype = DTYPES["float32"]) -> None:
        self.text = text
        self.dtype = dtype
        self.builder = Builder()
        self.collected = Collected()
        self.budget: Budget | None = None
        """What running statements is taken off."""
        self.foreign = Foreign()
        self.initialising: set[int] = set()
        self.inside: Collection[ast.AST] = ()
        """Functions whose selectors count as those of whoever calls them."""
        self.extremes: set[int] = set()
        """The numbers of values that each element of a group has alike."""
        self.instances: dict[tuple[int, str, bool] | None, Instance] = {}
        self.bases: dict[ast.ClassDef, list[Class]] = {}
        self.bodies: dict[ast.AST, bool] = {}
        self.classes: dict[ast.ClassDef, dict[str, ast.FunctionDef | ast.expr]] = {}
        self.imports: dict[str, Thing | None] = {}
        self.files: dict[str, FileScope] = {}
        self.refuted: dict[object, Refuted] = {}
        """What is assumed and contradicts the code."""
        self.wholes: dict[int, Value] = {}
        """What a value that is the element of another one was picked from."""
        self.stacked: dict[int, tuple[tuple[Value, ...], float]] = {}
        """What the result of a `stack` was made of, and along which dimension."""
        self.overwritten: dict[int, Overwritten] = {}
        """What of a value was stored, by its own number."""
        self.compared: set[int] = set()
        """The numbers of the sums that their own elements are compared with."""
        self.identities: set[int] = set()
        """The numbers of the elements of identity matrices."""
        self._elements: dict[tuple[int, str], Value] = {}
        self._texts: dict[ast.AST, str] = {}
        self.leaves: dict[int, frozenset[int]] = {}
        """The numbers of the leaves that a value is made of, by its own."""
        self.bound_by: dict[ast.stmt, list[str]] = {}
        """The names that a loop binds, by the first statement of its body."""
        self.bound: dict[str, list[int]] = {}
        """The numbers of the values that names have stood for in subscripts of the function at hand."""
        self.orders: dict[int, Order] = {}
        """How sorted values and their indices are sorted, by their numbers."""
        self.rankings: set[int] = set()
        """The numbers of the conditions that say of an element that it is the largest or smallest one."""
        self.callables: dict[int, Either | Partial] = {}
        """What a call of an unknown value is, by the number of the value, where that is known."""
        self.dispatched: set[int] = set()
        """The numbers of what a called function has computed by a function that its caller has named."""
        self.optional: set[int] = set()
        """The numbers of values that may be None instead."""
        self.positions: dict[int, Value] = {}
        """The mask that indices come from, as by `nonzero`, by the number of the indices."""

    # the parts of the walk call one another: expressions, calls, statements and objects each define theirs

    def evaluate(self, node: ast.expr, frame: Frame) -> Thing:
        """What an expression stands for."""
        raise NotImplementedError

    def run(self, body: Iterable[ast.stmt], frame: Frame) -> None:
        """Run statements."""
        raise NotImplementedError

    def bind(self, target: ast.expr, thing: Thing, frame: Frame) -> None:
        """Assign to a target."""
        raise NotImplementedError

    def apply(self, op: str, args: Sequence[Value], node: ast.AST, frame: Frame) -> Value:
        """Apply a catalogue op."""
        raise NotImplementedError

    def call_function(self, function: Function, call: Call) -> Thing:
        """Follow a call."""
        raise NotImplementedError

    def rebind(self, old: Value, new: Value, frame: Frame) -> None:
        """After an in-place op every name of `old` has the new value."""
        raise NotImplementedError

    def attribute(self, owner: Thing, node: ast.Attribute, frame: Frame) -> Thing:
        """An attribute of a thing."""
        raise NotImplementedError

    def each(self, thing: Thing, node: ast.AST) -> Thing:
        """An element of an iterable."""
        raise NotImplementedError

    def stops_gradient(self, decorators: Iterable[ast.expr], frame: Frame) -> bool:
        """Whether a decorator turns gradients off."""
        raise NotImplementedError

    def opaque(
        self,
        name: str,
        *feeds: Thing,
        region: Region = R.FINITE,
        grad: bool = True,
        kind: Kind = Kind.UNKNOWN,
        node: ast.AST | None = None,
        key: object = None,
    ) -> Leaf:
        """A value that is not computed here; it depends on `feeds`."""
        values = tuple(value for feed in feeds for value in values_in(feed))
        return self.builder.leaf(
            name, region, grad=grad, kind=kind, node=node, feeds=values, opaque=True, key=key
        )

    def as_truth(self, value: Leaf) -> Leaf:
        """The same unknown value, of which it is known now that it is true or false."""
        return self.builder.leaf(
            value.name,
            R.TRUTH,
            grad=False,
            kind=value.kind,
            node=value.node,
            feeds=value.feeds,
            opaque=value.opaque,
            key=("mask", value.number),
        )

    def element(self, value: Value, key: str, at: Value | None = None) -> Value:
        """The element(s) of `value` that `key` picks: the same computation on the elements of its leaves.

        Where the key is an index that was computed, that is `at`.
        """
        if value.number in self.extremes:
            return value
        known = self._elements.get((value.number, key))
        if known is not None:
            return known
        made = self._element(value, key, at)
        self._elements[value.number, key] = made
        if value.number in self.positions:  # the indices along one dimension are still those of the mask
            self.positions[made.number] = self.positions[value.number]
        return made

    def _element(self, value: Value, key: str, at: Value | None) -> Value:
        order = _within(value, _MOST_REINDEXED)
        if order is None:
            return self.opaque(f"element {key}", value, grad=value.grad, kind=value.kind)
        made = self._rebuilt(order, lambda leaf: self.leaf_element(leaf, key, at))
        for part in order:
            if isinstance(part, Apply):
                self.wholes.setdefault(made[part.number].number, part)
        return made[value.number]

    def on_diagonal(self, matrix: Value) -> Value | None:
        """An element of the diagonal: that of the identity is 1. None if anything below is an unknown result."""
        order = _within(matrix, _MOST_REINDEXED)
        if order is None or any(isinstance(part, Leaf) and part.opaque for part in order):
            return None
        one = self.builder.constant(1.0, kind=Kind.TENSOR)
        return self._rebuilt(order, lambda leaf: one if leaf.number in self.identities else leaf)[
            matrix.number
        ]

    def beside_diagonal(self, matrix: Value) -> Value:
        """An element of a row of differences `x[:, None] - x` that is not on the diagonal, where they are 0."""
        made: dict[int, Value] = {}
        zero = self.builder.constant(0.0, kind=Kind.TENSOR)
        for part in _within(matrix, _MOST_REINDEXED) or ():
            if part.number in self.identities:
                made[part.number] = zero
                continue
            args = [made[arg.number] for arg in operands(part)]
            if isinstance(part, Apply) and part.op == "sub" and args[0].number == args[1].number:
                args[0] = self.element(args[0], ANOTHER)
            made[part.number] = self.builder.again(part, args) if isinstance(part, Apply) else part
        return made.get(matrix.number, matrix)

    def _rebuilt(self, order: Sequence[Value], changed: Callable[[Leaf], Value]) -> dict[int, Value]:
        """The same computations on other leaves, by the numbers of the old ones; `order` has arguments first."""
        made: dict[int, Value] = {}
        for part in order:
            if isinstance(part, Apply):
                args = [made[arg.number] for arg in part.args]
                made[part.number] = self.builder.again(part, args)
            else:
                made[part.number] = changed(part) if isinstance(part, Leaf) else part
        return made

    def leaf_element(self, leaf: Leaf, key: str, at: Value | None = None) -> Value:
        """An element of a leaf: another leaf, unless it is a number."""
        if leaf.kind is Kind.NUMBER:
            return leaf
        return self.builder.leaf(
            f"{leaf.name}[{key}]",
            leaf.region,
            grad=leaf.grad,
            kind=leaf.kind,
            node=leaf.node,
            feeds=(leaf, *leaf.feeds),
            opaque=leaf.opaque,
            key=("element", leaf.number, key),
            whole=leaf,
            picked=key,
            at=at,
        )

    def sink(self, *things: Thing) -> None:
        """Gradient may come back to these.

        What an `__init__` does is for its effect on the object alone, and not looked at: the values in an object would
        be found out for nothing.
        """
        if not self.initialising:
            for thing in things:
                self.collected.sinks.extend(values_in(thing))

    def source(self, node: ast.AST) -> str:
        """The text of a node on one line, for names in messages."""
        found = self._texts.get(node)
        if found is None:
            text = _dotted(node) or ast.unparse(node)
            found = self._texts[node] = text if len(text) <= 60 else text[:57] + "..."
        return found


def _dotted(node: ast.AST) -> str:
    """A dotted name, or a call of one with nothing but such: as `ast.unparse` has it, and sooner. Else empty."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    if isinstance(node, ast.Call) and not node.keywords:
        function, args = _dotted(node.func), [_dotted(arg) for arg in node.args]
        return f"{function}({', '.join(args)})" if function and all(args) else ""
    return ""


def _within(value: Value, limit: int) -> list[Value] | None:
    """`value` and what it is made of, arguments first; None if that is more than `limit` values."""
    done: dict[int, Value] = {}
    for part in postorder(value, done):
        done[part.number] = part
        if len(done) > limit:
            return None
    return list(done.values())


__all__ = ["Collected", "Lowering"]
