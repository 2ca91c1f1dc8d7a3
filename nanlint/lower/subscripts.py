"""Subscripts: elements of lists and dictionaries, and of tensors by mask, by index or by slice; read and stored."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nanlint.graph import Apply, Constant, Kind, Leaf, Value, closure
from nanlint.lower.attributes import Attributes
from nanlint.lower.scope import Frame
from nanlint.lower.things import Each, Foreign, Items, Mapped, Method, Symbol, Text, Thing

_MOST_ASSUMED = 8
_MOST_PARTS = 40


class Subscripts(Attributes):
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
            return self._mapped_item(owner, node)
        if isinstance(owner, Value):
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                return self.item(owner, node.slice.value, node.value)
            return self._picked(owner, node, frame)
        if isinstance(owner, (Foreign, Symbol)):
            return owner
        return self.opaque("item", owner, node=node)

    def _item(self, owner: Items, key: ast.expr, frame: Frame) -> Thing:
        index = self.evaluate(key, frame) if not isinstance(key, ast.Slice) else None
        if isinstance(index, Constant) and -len(owner.things) <= index.value < len(owner.things):
            return owner.things[int(index.value)]
        if isinstance(key, ast.Slice):
            bounds = _bounds(key)
            if bounds is not None:
                return Items(owner.things[bounds])
        return self.any_of(owner.things)

    def any_of(self, things: Sequence[Thing]) -> Thing:
        """One of several things, whichever."""
        if not things:
            return self.opaque("item")
        joined = things[0]
        for thing in things[1:]:
            joined = self.choose(None, joined, thing)
        return joined

    def _mapped_item(self, owner: Mapped, node: ast.Subscript) -> Thing:
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(key, str) and key in owner.things:
            return owner.things[key]
        if isinstance(key, str) and not owner.things and not owner.others:
            return self.item(owner, key, node.value)
        return self.any_of([*owner.things.values(), *owner.others])

    def _picked(self, owner: Value, node: ast.Subscript, frame: Frame) -> Thing:
        """`tensor[key]`: all elements in another shape, those under a mask, or some of them."""
        if reshapes(node.slice):
            return owner
        mask = self.mask_in(node.slice, frame)
        if mask is not None:
            return self.select(owner, mask, node, frame)
        part = self._stacked_part(owner, node.slice)
        if part is not None:
            return part
        key = self.key(node.slice, frame)
        self._assume_of_element(owner, key, frame)
        return self.element(owner, key)

    def _stacked_part(self, owner: Value, key: ast.expr) -> Value | None:
        """`y` of `torch.stack([x, y], dim=1)[:, 1]`."""
        parts, along = self.stacked.get(owner.number, ((), 0.0))
        at = _place_along(key, int(along))
        return parts[at] if at is not None and -len(parts) <= at < len(parts) else None

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
        parts = key.elts if isinstance(key, ast.Tuple) else [key]
        return self.only_mask([self._key_part(part, frame) for part in parts])

    def _key_part(self, part: ast.expr, frame: Frame) -> Thing:
        return Text(None) if isinstance(part, (ast.Slice, ast.Constant)) else self.evaluate(part, frame)

    def key(self, key: ast.expr, frame: Frame) -> str:
        """A name for what a subscript picks: the same name, the same elements."""
        parts = key.elts if isinstance(key, ast.Tuple) else [key]
        return ", ".join(self._key_name(part, frame) for part in parts)

    def _key_name(self, part: ast.expr, frame: Frame) -> str:
        if isinstance(part, (ast.Slice, ast.Constant)):
            return _only_one(part) or _written(part)
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
        mask = self.mask_in(key, frame)
        if mask is not None:
            return self.store_masked(old, mask, thing, node, frame)
        if reshapes(key):
            return thing
        chosen = self.choose(None, thing, old)
        assert isinstance(chosen, Value)
        return chosen

    def each(self, thing: Thing, node: ast.AST) -> Thing:
        """An element of an iterable that a loop runs over."""
        if isinstance(thing, Each):
            return thing.thing
        if isinstance(thing, Items) and thing.things:
            return self.any_of(thing.things)
        if isinstance(thing, Value):
            return self.element(thing, "i") if thing.kind is not Kind.NUMBER else thing
        return thing if isinstance(thing, Foreign) else self.opaque("item", thing, node=node)


def _bounds(key: ast.Slice) -> slice | None:
    """A slice with literal bounds; None for any other."""
    literals: list[int | None] = []
    for bound in (key.lower, key.upper, key.step):
        found = None if bound is None else _integer(bound)
        if found is None and not (bound is None or _adds_dimension(bound)):
            return None
        literals.append(found)
    return None if literals[2] == 0 else slice(*literals)


def _place_along(key: ast.expr, dim: int) -> int | None:
    """The literal index that a subscript has in a dimension of which it takes all others whole."""
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    whole = [part for part in parts if _keeps(part)]
    if len(whole) != len(parts) - 1 or any(_adds_dimension(part) for part in whole):
        return None
    (at,) = (place for place, part in enumerate(parts) if not _keeps(part))
    from_end = at > 0 and isinstance(parts[0], ast.Constant)  # behind `...`
    if (at - len(parts) if from_end else at) != dim:
        return None
    return _integer(parts[at])


def _adds_dimension(part: ast.expr) -> bool:
    """`None`; as the bound of a slice it is none."""
    return isinstance(part, ast.Constant) and part.value is None


def _integer(node: ast.expr) -> int | None:
    """A literal integer, with a sign or without; `ast.literal_eval` takes far longer."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        found = _integer(node.operand) if isinstance(node.operand, ast.Constant) else None
        return -found if found is not None and isinstance(node.op, ast.USub) else found
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else None


def _only_one(part: ast.expr) -> str | None:
    """`2` for `2:3`: the same elements, in one more dimension."""
    bounds = _bounds(part) if isinstance(part, ast.Slice) else None
    if bounds is None or bounds.step not in (None, 1) or not isinstance(bounds.start or 0, int):
        return None
    start = bounds.start or 0
    ends = start + 1 if start != -1 else None
    return str(start) if bounds.stop == ends else None


def _written(part: ast.Slice | ast.Constant) -> str:
    """The text of a constant or a slice, as `ast.unparse` has it; of the most usual ones sooner."""
    if isinstance(part, ast.Constant):
        return _count(part) or ast.unparse(part)
    lower, upper = _count(part.lower), _count(part.upper)
    return ast.unparse(part) if part.step or lower is None or upper is None else f"{lower}:{upper}"


def _count(bound: ast.expr | None) -> str | None:
    """A written integer, or nothing for nothing; None for anything else."""
    if bound is None:
        return ""
    return str(bound.value) if isinstance(bound, ast.Constant) and type(bound.value) is int else None


def reshapes(key: ast.expr) -> bool:
    """Whether a subscript keeps every element: `[:]`, `[..., None]`, `[None, :]`."""
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    return all(_keeps(part) for part in parts)


def _keeps(part: ast.expr) -> bool:
    if isinstance(part, ast.Slice):
        return part.lower is None and part.upper is None
    return isinstance(part, ast.Constant) and (part.value is None or part.value is Ellipsis)
