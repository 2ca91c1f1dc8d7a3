"""Assignments: to names, tuples, attributes and elements, and what an in-place op changes."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nanlint import regions as R
from nanlint.graph import Apply, Kind, Leaf, Value
from nanlint.lower.conventions import is_count_name, is_record, keeps_records, named
from nanlint.lower.expressions import Expressions
from nanlint.lower.keys import attribute_place, place_of
from nanlint.lower.scope import Frame
from nanlint.lower.things import Each, Foreign, Instance, Items, Mapped, Thing, mapped

_OF_TENSORS = frozenset({"data", "grad", "requires_grad", "names"})
"""Attributes that tensors have and that can be assigned to."""


class Assignments(Expressions):
    """Runs assignments abstractly in a frame."""

    def _Assign(self, node: ast.Assign, frame: Frame) -> None:
        thing = self.evaluate(_spelled_out(node), frame)
        for target in node.targets:
            self.bind(target, thing, frame)

    def _AnnAssign(self, node: ast.AnnAssign, frame: Frame) -> None:
        if node.value is not None:
            self.bind(node.target, self.evaluate(node.value, frame), frame)

    def _AugAssign(self, node: ast.AugAssign, frame: Frame) -> None:
        loaded = _as_load(node.target)
        old = self.evaluate(loaded, frame)
        new = self.binary(node.op, old, self.evaluate(node.value, frame), node, frame)
        is_moved = isinstance(node.op, (ast.Add, ast.Sub)) and isinstance(old, Value) and old.node is loaded
        if is_moved and isinstance(old, Apply) and old.op == "masked_select":
            self._move(node.target, old, new, frame)
        else:
            self.bind(node.target, new, frame)

    def _move(self, target: ast.expr, picked: Apply, new: Thing, frame: Frame) -> None:
        """`y[mask] += v` drops nothing: what is not under the mask stays, and gradient flows to both."""
        self.collected.drop(picked.number)
        whole, mask = picked.args
        moved = self.choose(mask, new, whole)
        owner = target.value if isinstance(target, ast.Subscript) else target
        if isinstance(owner, ast.Name) and isinstance(moved, Value):
            self.rebind(whole, moved, frame)
        else:
            self.sink(moved)

    def bind(self, target: ast.expr, thing: Thing, frame: Frame) -> None:
        """Assign `thing` to an assignment target."""
        if isinstance(target, ast.Name):
            if isinstance(thing, Mapped) and keeps_records(target.id):
                thing = self.without_gradient(thing)
            frame.scope.names[target.id] = self._as_called(target.id, thing)
            if target.id in frame.scope.outer:
                self.sink(thing)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, thing, frame)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, thing if isinstance(thing, Items) else Each(thing), frame)
        elif isinstance(target, ast.Attribute):
            self._bind_attribute(target, thing, frame)
        elif isinstance(target, ast.Subscript):
            self._bind_item(target, thing, frame)

    def _as_called(self, name: str, thing: Thing) -> Thing:
        """An unknown result is what it is called: a mask, a distance; nobody differentiates what is called a count."""
        if isinstance(thing, Value) and thing.grad and is_count_name(name):
            return self.detached(thing)
        unknown = isinstance(thing, Leaf) and thing.opaque and thing.region == R.FINITE
        said = named(name) if unknown else None
        if said is None or said.kind is not Kind.UNKNOWN or not isinstance(thing, Leaf):
            return thing
        if said.region == R.TRUTH:
            return thing if _is_computed(thing.node) else self.as_truth(thing)
        return self.builder.leaf(
            thing.name,
            said.region,
            grad=thing.grad and said.grad,
            kind=thing.kind,
            node=thing.node,
            feeds=thing.feeds,
            opaque=True,
            key=("called", name, thing.number),
        )

    def _unpack(self, targets: Sequence[ast.expr], thing: Thing, frame: Frame) -> None:
        thing = _gathered(targets, thing) if isinstance(thing, Items) else thing
        if isinstance(thing, Items) and len(thing.things) == len(targets):
            parts: Sequence[Thing] = thing.things
        elif isinstance(thing, Value):
            parts = [self.element(thing, str(index)) for index in range(len(targets))]
        elif isinstance(thing, Each):
            parts = [thing.thing] * len(targets)
        elif isinstance(thing, Foreign):
            parts = [thing] * len(targets)
        else:
            parts = [self.opaque("value", thing) for _ in targets]
        for target, part in zip(targets, parts, strict=True):
            self.bind(target, part, frame)

    def _bind_attribute(self, target: ast.Attribute, thing: Thing, frame: Frame) -> None:
        owner = self.evaluate(target.value, frame)
        if isinstance(owner, Instance):
            old = owner.fields.get(target.attr) if frame.loops else None
            # a loop may have no rounds, and any number of them
            new = thing if old is None else self.choose(None, thing, old)
            owner.store(target.attr, new, is_made=not self.initialising)
        if target.attr != "data":
            self.sink(thing)
        is_plain = isinstance(target.value, ast.Name) and target.attr not in _OF_TENSORS
        if is_plain and isinstance(owner, Leaf) and owner.kind is not Kind.TENSOR:
            self.rebind(owner, self.with_stored(owner, attribute_place(target.attr), thing), frame)

    def _bind_item(self, target: ast.Subscript, thing: Thing, frame: Frame) -> None:
        """`y[key] = v` gives `y` a new value; names of the same tensor follow."""
        old = self.evaluate(target.value, frame)
        if is_record(target.value) and not (isinstance(old, Value) and _is_place(target.slice)):
            return
        if not isinstance(old, Value):
            if isinstance(old, Mapped) and isinstance(target.value, (ast.Name, ast.Attribute)):
                self._put(old, target, thing, frame)
            else:
                self.sink(thing)
            return
        if not _is_place(target.slice):
            self.sink(thing)
            if isinstance(target.value, ast.Name):
                self.rebind(old, self.with_stored(old, place_of(target.slice), thing), frame)
            return
        new = self.stored(old, target.slice, thing, target, frame)
        if isinstance(target.value, ast.Name):
            self.rebind(old, new, frame)
        elif not (isinstance(target.value, ast.Attribute) and target.value.attr == "data"):
            # autograd does not see what is written to `.data`
            self.sink(thing)

    def _put(self, old: Mapped, target: ast.Subscript, thing: Thing, frame: Frame) -> None:
        """`state["key"] = thing`: every name of the dictionary in this scope, or the attribute, has the new item."""
        key = target.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            new = Mapped({**old.things, key.value: thing}, old.others)
        else:
            new = mapped(old.things, (*old.others, thing))
            self.sink(thing)
        names = [name for name, bound in frame.scope.names.items() if bound is old]
        frame.scope.names.update(dict.fromkeys(names, new))
        if isinstance(target.value, ast.Attribute):
            owner = self.evaluate(target.value.value, frame)
            if isinstance(owner, Instance):
                owner.store(target.value.attr, new, is_made=not self.initialising)
        if not names:  # it is another function's, or an object's, which are not told
            self.sink(thing)

    def rebind(self, old: Value, new: Value, frame: Frame) -> None:
        """After an in-place op: every name of `old` in this scope now has the new value."""
        for name, thing in frame.scope.names.items():
            if thing is old:
                frame.scope.names[name] = new
        if old.number in frame.handed or (isinstance(old, Leaf) and not old.opaque):
            frame.handed.add(new.number)
            self.sink(new)  # the caller has it too

    def _Delete(self, node: ast.Delete, frame: Frame) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                frame.scope.names.pop(target.id, None)


def _is_computed(node: ast.AST | None) -> bool:
    """Whether a part of the object at hand, as `self.net(x)`, computes something: then a mask is a soft one."""
    called = node.func if isinstance(node, ast.Call) else None
    if not isinstance(called, ast.Attribute) or _is_mask_name(called.attr):
        return False
    owner = called.value
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    return isinstance(owner, ast.Name) and owner.id == "self"


def _is_place(key: ast.expr) -> bool:
    """Whether a subscript may be one of a tensor: no string is."""
    return not (
        isinstance(key, ast.JoinedStr) or (isinstance(key, ast.Constant) and isinstance(key.value, str))
    )


def _as_load(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    return target


def _is_mask_name(name: str) -> bool:
    said = named(name)
    return said is not None and said.region == R.TRUTH


def _spelled_out(node: ast.Assign) -> ast.expr:
    """The value of an assignment; of `b, t, d, n = *x.shape, y` with an element for each name: `x.shape[0]`, …."""
    value, target = node.value, node.targets[0]
    if not (isinstance(value, ast.Tuple) and isinstance(target, ast.Tuple)):
        return value
    stars = [index for index, part in enumerate(value.elts) if isinstance(part, ast.Starred)]
    if len(stars) != 1 or any(isinstance(part, ast.Starred) for part in target.elts):
        return value
    star = value.elts[stars[0]]
    assert isinstance(star, ast.Starred)
    count = len(target.elts) - len(value.elts) + 1
    spread = (_item(star.value, index) for index in range(count))
    return ast.copy_location(
        ast.Tuple([*value.elts[: stars[0]], *spread, *value.elts[stars[0] + 1 :]], ast.Load()), value
    )


def _item(node: ast.expr, index: int) -> ast.expr:
    """The expression `node[index]`, where `node` stands."""
    key = ast.copy_location(ast.Constant(index), node)
    return ast.copy_location(ast.Subscript(node, key, ast.Load()), node)


def _gathered(targets: Sequence[ast.expr], things: Items) -> Items:
    """Things with those that a starred target takes as one: `first, *rest = things`."""
    stars = [index for index, target in enumerate(targets) if isinstance(target, ast.Starred)]
    taken = len(things.things) - len(targets) + 1
    if len(stars) != 1 or taken < 0:
        return things
    (star,) = stars
    parts = things.things
    return Items((*parts[:star], Items(parts[star : star + taken]), *parts[star + taken :]))
