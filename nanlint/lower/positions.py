"""What slices, integers and index tensors leave out: looked at only where a run asks for what is unlikely.

Which elements they pick is a mask of which nothing is known. Almost everything is sliced somewhere, and mostly so that
all of it is used by and by; so the values of the graph stay what they are, and the selectors stand beside it.
"""

from __future__ import annotations

import ast

from nanlint.cases import may_be_poisoned
from nanlint.graph import Apply, Constant, Kind, Leaf, Value, closure
from nanlint.lower.attributes import Attributes
from nanlint.lower.lowering import Positional
from nanlint.lower.scope import Frame
from nanlint.lower.things import Text, Thing

_MOST_BELOW = 60
"""Values looked at below what is stored, in search of what was there before."""


class Positions(Attributes):
    """Remembers which elements are picked, or overwritten, by their positions."""

    def picked_at(self, owner: Value, made: Value, key: ast.expr, node: ast.Subscript, frame: Frame) -> None:
        """`made` are the elements that `node`, a subscript with this `key`, picks of `owner`."""
        loaded = isinstance(node.ctx, ast.Load)
        if loaded and made.number != owner.number and self._is_looked_at(owner, key, frame):
            self._note("masked_select", (owner, self._position(key, frame)), made, key, node, frame)

    def stored_at(
        self, old: Value, made: Value, thing: Value, key: ast.expr, node: ast.AST, frame: Frame
    ) -> None:
        """`made` is what a tensor is after `old[key] = thing`."""
        if self._is_looked_at(old, key, frame) and not self._is_made_of(thing, old):
            self._note("masked_fill", (old, self._position(key, frame), thing), made, key, node, frame)

    def _note(
        self, op: str, args: tuple[Value, ...], made: Value, key: ast.expr, node: ast.AST, frame: Frame
    ) -> None:
        selector = self.builder.apply(op, *args, node=node, path=frame.path)
        if isinstance(selector, Apply):
            self.collected.positional.append(Positional(selector, made, self.source(key)))

    def _position(self, key: ast.expr, frame: Frame) -> Value:
        parts = [self.place(part, frame) for part in parts_of(key)]
        return self.any_element(*parts, key=("position", self.source(key)))

    def _is_looked_at(self, owner: Value, key: ast.expr, frame: Frame) -> bool:
        """Whether some elements of a value may be left out, and something below them is singular."""
        if not (self.by_position and self.counts(frame) and frame.grad and owner.grad):
            return False
        return (
            isinstance(owner, Apply)
            and not any(self._is_any(part, frame) for part in parts_of(key))
            and may_be_poisoned(owner)
        )

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
