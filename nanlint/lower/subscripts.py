"""Subscripts: elements of lists and dictionaries, and of tensors by mask, by index or by slice; read and stored."""

from __future__ import annotations

import ast

from nanlint.cases import may_be_poisoned
from nanlint.flow.operators import is_doubled
from nanlint.graph import Apply, Constant, Kind, Leaf, Value, closure
from nanlint.lower.call import Call
from nanlint.lower.keys import bounds_of, first_of, only_one, place_along, place_of, reshapes, written
from nanlint.lower.lowering import Overwritten
from nanlint.lower.positions import Positions, parts_of
from nanlint.lower.ranks import takes_largest
from nanlint.lower.scope import Frame
from nanlint.lower.things import Each, Foreign, Items, Mapped, Method, Symbol, Text, Thing, only_index

_MOST_ASSUMED = 8
_MOST_PARTS = 40


class Subscripts(Positions):
    """Evaluates and stores to subscripts abstractly in a frame."""

    def _Subscript(self, node: ast.Subscript, frame: Frame) -> Thing:
        owner = self.evaluate(node.value, frame)
        if isinstance(owner, Items):
            return self._item(owner, node.slice, frame)
        if isinstance(owner, Method):
            owner = self.as_value(owner)
        if isinstance(owner, Each):
            return owner if isinstance(node.slice, ast.Slice) else owner.thing
        if isinstance(owner, Mapped):
            return self._mapped_item(owner, node, frame)
        if isinstance(owner, Value):
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                found, owner = self.stored_in(owner, place_of(node.slice))
                return found or self.item(owner, node.slice.value, node.value)
            return self._picked(owner, node, frame)
        if isinstance(owner, (Foreign, Symbol)):
            return owner
        own = self.method_of(owner, "__getitem__", node, frame)
        if own is not None and not isinstance(node.slice, ast.Slice):
            return self.call_function(own, Call(own, (self.evaluate(node.slice, frame),), {}, node, frame))
        return self.opaque("item", owner, node=node)

    def _item(self, owner: Items, key: ast.expr, frame: Frame) -> Thing:
        index = self.evaluate(key, frame) if not isinstance(key, ast.Slice) else None
        if isinstance(index, Constant) and -len(owner.things) <= index.value < len(owner.things):
            return owner.things[int(index.value)]
        if isinstance(key, ast.Slice):
            bounds = bounds_of(key)
            if bounds is not None:
                return Items(owner.things[bounds])
        return self.any_of(owner.things)

    def _mapped_item(self, owner: Mapped, node: ast.Subscript, frame: Frame) -> Thing:
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(key, str) and key in owner.things:
            return owner.things[key]
        word = frame.scope.find(node.slice.id) if isinstance(node.slice, ast.Name) else None
        if isinstance(word, Text) and isinstance(word.value, str) and word.value in owner.things:
            found = owner.things[word.value]
            frame.decide(word, found)
            return found
        if isinstance(key, str) and not owner.others:
            return self.item(owner, key, node.value)
        return self.any_of([*owner.things.values(), *owner.others])

    def _picked(self, owner: Value, node: ast.Subscript, frame: Frame) -> Thing:
        """`tensor[key]`: all elements in another shape, those under a mask, or some of them."""
        if reshapes(node.slice):
            return owner
        mask = self.mask_in(node.slice, frame)
        if mask is not None and self._may_drop(owner, mask):
            return self.select(owner, mask, node, frame)
        places = [self.place(part, frame) for part in parts_of(node.slice)]
        tensors = [at for at in places if isinstance(at, Value) and at.kind is not Kind.NUMBER]
        if len(tensors) > 1 and not is_doubled(node.slice):
            return self.picked_by_index(owner, places, node, frame)
        part = self._stacked_part(owner, node.slice) or self._part_stored(owner, node.slice)
        if part is not None:
            return part
        key = self.key(node.slice, frame)
        self._assume_of_element(owner, key, frame)
        made = self.element(owner, key, only_index(places))
        found = self._end_of_order(owner, made, node, frame) or made
        if mask is None:
            self.picked_at(owner, found, node.slice, node, frame)
        return found

    def _may_drop(self, value: Value, mask: Value) -> bool:
        """Whether it matters what a mask leaves out of a value: where indices rank elements, if some is singular."""
        return mask.number not in self.rankings or (value.grad and may_be_poisoned(value))

    def _end_of_order(self, owner: Value, made: Value, node: ast.Subscript, frame: Frame) -> Value | None:
        """The larger or the smaller ones of what was sorted: of indices, `made` are those of such elements now."""
        order = self.orders.get(owner.number)
        largest = None if order is None else takes_largest(node.slice, order)
        if order is None or largest is None:
            return None
        if not owner.grad:
            self.found_extremes(order.of, made, largest=largest)
        elif may_be_poisoned(owner):
            return self.extreme("largest" if largest else "smallest", owner, node, frame)
        return None

    def _stacked_part(self, owner: Value, key: ast.expr) -> Value | None:
        """`y` of `torch.stack([x, y], dim=1)[:, 1]`."""
        parts, along = self.stacked.get(owner.number, ((), 0.0))
        at = place_along(key, int(along))
        return parts[at] if at is not None and -len(parts) <= at < len(parts) else None

    def _part_stored(self, owner: Value, key: ast.expr) -> Value | None:
        """`v` of `y[:, 2]` after `y[:, 2] = v`."""
        found, _ = self.stored_in(owner, place_of(key))
        return found if isinstance(found, Value) else None

    def _assume_of_element(self, owner: Value, key: str, frame: Frame) -> None:
        """What is known of a tensor is known of its elements."""
        if len(frame.path) > _MOST_ASSUMED:
            return
        own = self._leaves(owner)
        for assumption in frame.path:
            condition = assumption.condition
            if isinstance(condition, Apply) and self._leaves(condition) <= own:
                picked = self.element(condition, key)
                if picked.number != condition.number:
                    frame.assume(picked, assumption.truth)

    def _leaves(self, value: Value) -> frozenset[int]:
        """The numbers of the leaves that a value is made of, found out once."""
        found = self.leaves.get(value.number)
        if found is None:
            parts = closure((value,), _MOST_PARTS)
            found = frozenset(part.number for part in parts if isinstance(part, Leaf))
            self.leaves[value.number] = found
        return found

    def mask_in(self, key: ast.expr, frame: Frame) -> Value | None:
        """The boolean mask in a subscript, if there is one."""
        return self.only_mask([self.place(part, frame) for part in parts_of(key)])

    def key(self, key: ast.expr, frame: Frame) -> str:
        """A name for what a subscript picks: the same name, the same elements."""
        return ", ".join(self._key_name(part, frame) for part in parts_of(key))

    def _key_name(self, part: ast.expr, frame: Frame) -> str:
        if isinstance(part, (ast.Slice, ast.Constant)):
            return only_one(part) or first_of(part) or written(part)
        thing = self.evaluate(part, frame)
        if isinstance(thing, Constant):
            return f"{thing.value:g}"
        if isinstance(thing, Value) and not isinstance(part, ast.Name):
            return f"{self.source(part)}"
        # the same name may be bound again: its value's number tells the two apart
        if not isinstance(thing, Value) or isinstance(thing, Leaf):
            return self.source(part)
        return f"{self.source(part)}#{self._which(self.source(part), thing)}"

    def _which(self, name: str, value: Value) -> int:
        """Which one of the values that a name has had in this function, counted from 1."""
        known = self.bound.setdefault(name, [])
        if value.number not in known:
            known.append(value.number)
        return known.index(value.number) + 1

    def stored(self, old: Value, key: ast.expr, thing: Thing, node: ast.AST, frame: Frame) -> Value:
        """The value of a tensor after `old[key] = thing`."""
        if not isinstance(thing, Value):
            thing = self.as_value(thing)
        mask = self.diagonal(old) if self._is_diagonal(key, frame) else self.mask_in(key, frame)
        if mask is not None and self._may_drop(old, mask):
            return self.store_masked(old, mask, thing, node, frame)
        if reshapes(key):
            return thing
        chosen = self.choose(None, thing, old)
        assert isinstance(chosen, Value)
        place = place_of(key) if mask is None else None
        if place is not None and chosen.number not in (old.number, thing.number):
            self.overwritten[chosen.number] = Overwritten(place, thing, old)
        if mask is None:
            self.stored_at(old, chosen, thing, key, node, frame)
        return chosen

    def _is_diagonal(self, key: ast.expr, frame: Frame) -> bool:
        """Whether a subscript takes the elements of a matrix that have the same indices twice: `y[rows, rows]`."""
        if not is_doubled(key):
            return False
        indices = self.place(parts_of(key)[-1], frame)
        return isinstance(indices, Value) and indices.kind is not Kind.NUMBER and not self.is_logical(indices)

    def each(self, thing: Thing, node: ast.AST) -> Thing:
        """An element of an iterable that a loop runs over."""
        if isinstance(thing, Each):
            return thing.thing
        if isinstance(thing, Items) and thing.things:
            return self.any_of(thing.things)
        if isinstance(thing, Value):
            return self.element(thing, "i") if thing.kind is not Kind.NUMBER else thing
        return thing if isinstance(thing, Foreign) else self.opaque("item", thing, node=node)
