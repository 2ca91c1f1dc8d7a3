"""Attributes of modules, objects, tensors and dictionaries."""

from __future__ import annotations

import ast
import math

from nanlint import regions as R
from nanlint.arithmetic import DTYPES
from nanlint.catalogue.structure import FLAGS, SIZES, TRANSPOSED
from nanlint.graph import Apply, Kind, Leaf, Value
from nanlint.lower.calls import Calls
from nanlint.lower.keys import are_apart, attribute_place
from nanlint.lower.lowering import COUNT, Overwritten
from nanlint.lower.scope import Frame
from nanlint.lower.things import Class, Foreign, Inherited, Instance, Items, Mapped, Method, Symbol, Thing
from nanlint.names import canonical

_CONSTANTS: dict[str, float] = {
    "math.pi": math.pi,
    "math.e": math.e,
    "math.inf": math.inf,
    "math.nan": math.nan,
    "math.tau": math.tau,
    "torch.pi": math.pi,
    "torch.e": math.e,
    "torch.inf": math.inf,
    "torch.nan": math.nan,
    "numpy.pi": math.pi,
    "numpy.e": math.e,
    "numpy.inf": math.inf,
    "numpy.nan": math.nan,
}

_NAMESPACES = frozenset({"xp", "np", "jnp", "anp", "cp", "namespace"})
"""What the modules of arrays are called that a function is told by what it is given."""


class Attributes(Calls):
    """Evaluates attributes abstractly in a frame."""

    def _Attribute(self, node: ast.Attribute, frame: Frame) -> Thing:
        return self.attribute(self.evaluate(node.value, frame), node, frame)

    def attribute(self, owner: Thing, node: ast.Attribute, frame: Frame) -> Thing:
        """`owner.attr`."""
        if isinstance(owner, Method):
            owner = self.as_value(owner)
        if isinstance(owner, Symbol):
            return self._symbol_attribute(owner, node.attr)
        if isinstance(owner, Instance):
            return self.instance_attribute(owner, node, frame)
        if isinstance(owner, Inherited):
            receiver = owner.receiver
            found = self.class_attribute(receiver.cls, node.attr, receiver, node, frame, owner.after)
            owner = owner.unknown
            if found is not None:
                return found
        if isinstance(owner, Value):
            return self._value_attribute(owner, node)
        if isinstance(owner, Class):
            return self.class_attribute(owner, node.attr, None, node, frame) or self.opaque(
                node.attr, node=node
            )
        if isinstance(owner, Mapped) and node.attr in owner.things:
            return owner.things[node.attr]
        if isinstance(owner, Items) and node.attr in owner.names:
            return owner.things[owner.names.index(node.attr)]
        if isinstance(owner, Foreign):
            return owner
        return Method(owner, node.attr, node)

    def _symbol_attribute(self, owner: Symbol, attr: str) -> Thing:
        dotted = canonical(f"{owner.name}.{attr}")
        if dotted in _CONSTANTS:
            return self.builder.constant(_CONSTANTS[dotted])
        if owner.name.startswith("finfo:"):
            return self._finfo(owner.name.partition(":")[2], attr)
        return self.followed(Symbol(dotted))

    def _finfo(self, name: str, attr: str) -> Thing:
        dtype = DTYPES.get(name, self.dtype)
        known = {
            "eps": dtype.eps,
            "tiny": dtype.tiny,
            "smallest_normal": dtype.tiny,
            "max": dtype.largest,
            "min": -dtype.largest,
            "resolution": dtype.eps * 8,
        }
        return self.builder.constant(known[attr]) if attr in known else self.opaque(attr, grad=False)

    def _value_attribute(self, owner: Value, node: ast.Attribute) -> Thing:
        attr = node.attr
        if attr == "pi" and isinstance(node.value, ast.Name) and node.value.id in _NAMESPACES:
            return self.builder.constant(math.pi)
        if attr in TRANSPOSED:
            return owner
        if attr == "data":
            return self.detached(owner)
        if attr in SIZES or attr in FLAGS:
            return self.opaque(
                f"{attr}",
                owner,
                region=R.TRUTH if attr in FLAGS else COUNT,
                grad=False,
                kind=Kind.NUMBER,
                node=node,
                key=("size", owner.number, attr),
            )
        found, owner = self.stored_in(owner, attribute_place(attr))
        return found or Method(owner, attr, node)

    def stored_in(
        self, owner: Value, place: tuple[str, ...] | None, known: dict[int, Thing | None] | None = None
    ) -> tuple[Thing | None, Value]:
        """What was stored in a place of something, whatever else was stored in other places since.

        None if nothing was; with it what the owner was before all that was stored elsewhere. `known` is what has been
        found out of other owners: branches behind branches lead to the same ones in more ways than can be followed.
        """
        while place is not None and owner.number in self.overwritten:
            stored = self.overwritten[owner.number]
            if stored.place == place:
                return stored.thing, owner
            if not are_apart(stored.place, place):
                break
            owner = stored.before
        known = {} if known is None else known
        if owner.number not in known:
            known[owner.number] = self._stored_in_both(owner, place, known)
        return known[owner.number], owner

    def _stored_in_both(
        self, owner: Value, place: tuple[str, ...] | None, known: dict[int, Thing | None]
    ) -> Thing | None:
        """What was stored in one place by either of two branches."""
        if place is None or not (isinstance(owner, Apply) and owner.op == "phi"):
            return None
        condition, *sides = owner.args
        first, second = (self.stored_in(side, place, known)[0] for side in sides)
        return None if first is None or second is None else self.choose(condition, first, second)

    def with_stored(self, owner: Value, place: tuple[str, ...] | None, thing: Thing) -> Value:
        """An object or a dictionary of which nothing is known, after something was stored in a place of it."""
        if place is None:
            return owner
        name = owner.name if isinstance(owner, Leaf) else "value"
        made = self.opaque(name, owner, grad=owner.grad, kind=owner.kind, node=owner.node)
        self.overwritten[made.number] = Overwritten(place, thing, owner)
        return made
