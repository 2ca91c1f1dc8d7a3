"""What slices, integers and index tensors leave out: looked at only where a run asks for what is unlikely.

Which elements they pick is a mask of which nothing is known. Almost everything is sliced somewhere, and mostly so that
all of it is used by and by; so the values of the graph stay what they are, and the selectors stand beside it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nanlint.cases import may_be_poisoned
from nanlint.graph import ANOTHER, MOST_VALUES, Apply, Constant, Kind, Leaf, Value, closure, operands
from nanlint.lower.attributes import Attributes
from nanlint.lower.lowering import Positional
from nanlint.lower.scope import Frame
from nanlint.lower.things import Text, Thing

_MOST_BELOW = 60
"""Values looked at below what is stored, in search of what was there before."""
_SUMMING = frozenset({"sum", "mean"})
"""Ops whose result all elements share."""


class Positions(Attributes):
    """Remembers which elements are picked, or overwritten, by their positions."""

    def picked_at(self, owner: Value, made: Value, key: ast.expr, node: ast.Subscript, frame: Frame) -> None:
        """`made` are the elements that `node`, a subscript with this `key`, picks of `owner`."""
        loaded = isinstance(node.ctx, ast.Load)
        if loaded and made.number != owner.number and self._may_leave_out(owner, key, frame):
            self._note(
                "masked_select", (owner, self._position(key, frame)), made, self.source(key), node, frame
            )

    def stored_at(
        self, old: Value, made: Value, thing: Value, key: ast.expr, node: ast.AST, frame: Frame
    ) -> None:
        """`made` is what a tensor is after `old[key] = thing`."""
        if self._may_leave_out(old, key, frame) and not self._is_made_of(thing, old):
            self._note(
                "masked_fill", (old, self._position(key, frame), thing), made, self.source(key), node, frame
            )

    def picked_by_index(self, value: Value, keys: Sequence[Thing], node: ast.AST, frame: Frame) -> Value:
        """Some elements by their indices: a sum of them and others spoils all of them, which is seldom met."""
        made = super().picked_by_index(value, keys, node, frame)
        picked = made.args if isinstance(made, Apply) and made.op == "masked_select" else ()
        if picked and self._is_looked_at(value, frame) and self._with_others(value).number != value.number:
            self._note("masked_select", picked, made, self.source(node), node, frame)
        return made

    def _note(
        self, op: str, args: Sequence[Value], made: Value, key: str, node: ast.AST, frame: Frame
    ) -> None:
        """Remember a selector of one value; `made` are its elements in the graph, which have a `key` there."""
        whole, *others = args
        place = frame.foreign_call or node
        selector = self.builder.apply(op, self._with_others(whole), *others, node=place, path=frame.path)
        if isinstance(selector, Apply):
            self.collected.positional.append(Positional(selector, made, whole.number, key))

    def _with_others(self, value: Value) -> Value:
        """The same computation with sums of two elements, by way of which one of them can spoil the other."""
        made: dict[int, Value] = {}
        for part in closure((value,), MOST_VALUES):
            args = [made.get(arg.number, arg) for arg in operands(part)]
            new = part
            if isinstance(part, Apply) and any(map(_differ, args, part.args)):
                new = self.builder.apply(
                    part.op, *args, node=part.node, grad=part.grad, kind=part.kind, path=part.path
                )
            if isinstance(part, Apply) and part.op in _SUMMING and part.grad:
                another = self.element(part.args[0], ANOTHER)
                new = self.builder.apply("add", new, another, node=part.node, kind=part.kind, path=part.path)
            made[part.number] = new
        return made[value.number]

    def _position(self, key: ast.expr, frame: Frame) -> Value:
        parts = [self.place(part, frame) for part in parts_of(key)]
        return self.any_element(*parts, key=("position", self.source(key)))

    def _may_leave_out(self, owner: Value, key: ast.expr, frame: Frame) -> bool:
        return self._is_looked_at(owner, frame) and not any(
            self._is_any(part, frame) for part in parts_of(key)
        )

    def _is_looked_at(self, value: Value, frame: Frame) -> bool:
        """Whether gradient flows to something singular below a value, in a run that asks for what is unlikely."""
        flows = frame.grad and value.grad and isinstance(value, Apply)
        return self.by_position and flows and self.counts(frame) and may_be_poisoned(value)

    def _is_any(self, part: ast.expr, frame: Frame) -> bool:
        """Whether part of a subscript takes one element after the other, or all in some order."""
        place = self.place(part, frame)
        if isinstance(place, Value) and place.number in self.orders:
            return True
        return bool(frame.loops) and isinstance(place, Leaf) and place.kind is Kind.NUMBER

    def place(self, part: ast.expr, frame: Frame) -> Thing:
        """What a part of a subscript stands for; nothing for slices and literals."""
        return Text(None) if isinstance(part, (ast.Slice, ast.Constant)) else self.evaluate(part, frame)

    def _is_made_of(self, thing: Value, old: Value) -> bool:
        """Whether what is stored is made of what was there, as in `y[0] += 1`: then nothing is dropped."""
        below = () if isinstance(thing, Constant) else closure((thing,), _MOST_BELOW)
        return any(self.wholes.get(part.number, part).number == old.number for part in below)


def parts_of(key: ast.expr) -> list[ast.expr]:
    """The parts of a subscript, one for each dimension."""
    return key.elts if isinstance(key, ast.Tuple) else [key]


def _differ(one: Value, other: Value) -> bool:
    return one.number != other.number
