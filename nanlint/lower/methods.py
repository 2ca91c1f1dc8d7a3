"""Calls of methods: of tensors, lists and dictionaries."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nanlint import regions as R
from nanlint.catalogue import SELECTORS, SPELLINGS
from nanlint.catalogue.structure import LOGGING, SAME_ELEMENTS
from nanlint.graph import Kind, Leaf, Value
from nanlint.lower.call import Call
from nanlint.lower.conventions import is_record
from nanlint.lower.dispatch import is_function
from nanlint.lower.distributions import is_distribution
from nanlint.lower.handlers import HANDLERS
from nanlint.lower.scope import Frame
from nanlint.lower.things import Each, Instance, Items, Mapped, Method, Text, Thing
from nanlint.lower.torch_calls import TorchCalls

_CONSTRAINED = R.interval(1e-12, 1e6)
"""What the constraint of a parameter makes of it: a scale or a variance that is positive, as GPyTorch has them."""
_CHANGING = frozenset({"update", "pop", "setdefault", "clear"})
"""Methods that change what a dictionary holds."""
_LOOKING_UP = frozenset({"get", "pop", "setdefault"})
_KEEPING = frozenset({"append", "add", "extend", "update", "put"})
"""How something is kept, to be shown later if where it is kept is called so."""


class Methods(TorchCalls):
    """The results of methods."""

    def call_method(self, called: Method, call: Call) -> Thing:
        """The result of `called`, a method of something that is not of the analysed code."""
        receiver = called.receiver
        if isinstance(receiver, Method):
            receiver = self.as_value(receiver)
        if called.name in _KEEPING and is_record(called.node.value):
            return Text(None)
        if isinstance(receiver, Value):
            return self._call_tensor_method(receiver, call)
        if isinstance(receiver, (Items, Each)):
            return self._call_list_method(receiver, called, call)
        if isinstance(receiver, Mapped):
            return self._call_dict_method(receiver, called.name, call)
        if called.name in LOGGING:
            return Text("")
        handler = HANDLERS.get(called.name) if isinstance(receiver, Instance) else None
        found = handler(self, call) if handler is not None else None
        return self.unknown_call(call) if found is None else found

    def _call_tensor_method(self, receiver: Value, call: Call) -> Thing:
        name = call.name
        logged = name in LOGGING and name not in SAME_ELEMENTS and (call.args or name != "log")
        if receiver.kind is not Kind.TENSOR and logged:
            return Text("")
        if receiver.kind is Kind.UNKNOWN and not _fits(name, call.args):
            return self.unknown_call(call)
        found = self.torch_op(f"Tensor.{name}", name, call.on(receiver))
        return self._unknown_method(receiver, call) if found is None else found

    def _unknown_method(self, receiver: Value, call: Call) -> Thing:
        if call.name in _LOOKING_UP and isinstance(call.first, Text) and isinstance(call.first.value, str):
            return self._looked_up(receiver, call.first.value, call)
        values = call.values
        if call.name == "get" and isinstance(call.first, Text) and isinstance(call.first.value, str):
            return self.named_leaf(call.first.value, key=("item", receiver.number, call.first.value))
        if call.name in _CHANGING and receiver.number in self.overwritten:
            self.rebind(receiver, self.opaque("value", receiver, *values, grad=True), call.frame)
        # a method of some object may do anything with them
        if receiver.kind is not Kind.TENSOR:
            self.sink(receiver, *values)
        region, regular = self.named_result(call.name)
        if call.name == "transform" and isinstance(receiver, Leaf) and receiver.name.endswith("constraint"):
            region = _CONSTRAINED
        grad = regular and (receiver.grad or call.grad)
        if call.name == "sample" and is_distribution(receiver):
            grad = False
        key = None if call.things else ("method", receiver.number, call.name)
        return self.result(call, receiver, *values, region=region, grad=grad, key=key)

    def _call_list_method(self, receiver: Items | Each, called: Method, call: Call) -> Thing:
        target = called.node.value
        if called.name in ("append", "insert") and call.args and isinstance(target, ast.Name):
            self._append(receiver, call.args[-1], target.id, call.frame)
            return Text(None)
        self.sink(*call.args)
        if called.name == "_replace" and isinstance(receiver, Items) and receiver.names:
            pairs = zip(receiver.names, receiver.things, strict=True)
            return Items(tuple(call.named.get(name, thing) for name, thing in pairs), receiver.names)
        if called.name in ("copy", "values"):
            return receiver
        return self.opaque(self.source(call.node), receiver, *call.args)

    def _append(self, receiver: Items | Each, thing: Thing, name: str, frame: Frame) -> None:
        """A list that grows is one of elements that are all alike."""
        if isinstance(receiver, Items) and not frame.loops:
            frame.scope.names[name] = Items((*receiver.things, thing))
            return
        old = (
            receiver.thing if isinstance(receiver, Each) else receiver.things[0] if receiver.things else thing
        )
        frame.scope.names[name] = Each(self.choose(None, old, thing))

    def _call_dict_method(self, receiver: Mapped, name: str, call: Call) -> Thing:
        key = call.first
        if name in _LOOKING_UP and isinstance(key, Text) and isinstance(key.value, str):
            if key.value in receiver.things:
                return receiver.things[key.value]
            if not receiver.things and not receiver.others:
                return self._looked_up(receiver, key.value, call)
        found = [*receiver.things.values(), *receiver.others, *call.args[1:]]
        if name in _LOOKING_UP and receiver.things and all(map(is_function, found)):
            return self.any_of(found)
        self.sink(*call.args)
        return self.opaque(name, receiver, *call.args)

    def _looked_up(self, receiver: Value | Mapped, key: str, call: Call) -> Thing:
        """`receiver.get(key, default)` of a mapping of which nothing is known."""
        place = call.node.func if isinstance(call.node, ast.Call) else call.node
        found = self.item(receiver, key, place.value if isinstance(place, ast.Attribute) else place)
        return self.or_default(found, call.argument(1, "default"))


def _fits(name: str, args: Sequence[Thing]) -> bool:
    """Whether a call on something that may be no tensor looks like the Tensor method of that name."""
    row = SPELLINGS.get(f"Tensor.{name}")
    if row is None or name in SELECTORS:
        return True
    return len(row.parameters) > 1 or not any(
        isinstance(arg, Text) and isinstance(arg.value, str) for arg in args
    )
