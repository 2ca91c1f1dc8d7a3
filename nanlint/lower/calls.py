"""Calls: what is called decides who knows the result."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nanlint import regions as R
from nanlint.assume.stated import kept
from nanlint.catalogue import SPELLINGS
from nanlint.catalogue.structure import LOGGING
from nanlint.graph import Kind, Leaf, Value
from nanlint.lower.call import Call
from nanlint.lower.dispatch import Either, Partial, is_decided
from nanlint.lower.functions import Functions
from nanlint.lower.handlers import HANDLERS
from nanlint.lower.handlers.grouping import extremum, grouped
from nanlint.lower.scope import Frame
from nanlint.lower.things import (
    Class,
    Foreign,
    Function,
    Instance,
    Items,
    Layer,
    Method,
    Symbol,
    Text,
    Thing,
    values_in,
)
from nanlint.names import canonical, is_foreign

_MATH = ("math.", "cmath.")
_GROUPING = frozenset(
    f"{way}_{by}" for way in ("scatter", "segment") for by in ("add", "sum", "mean", "csr", "coo")
) | {"scatter"}
"""Functions of the package torch_scatter."""


class Calls(Functions):
    """Evaluates calls abstractly in a frame."""

    package = ""

    def _Call(self, node: ast.Call, frame: Frame) -> Thing:
        called = self.evaluate(node.func, frame)
        args = self._arguments(node, frame)
        named = {word.arg: self.evaluate(word.value, frame) for word in node.keywords if word.arg}
        for word in node.keywords:
            if word.arg is None:
                self.evaluate(word.value, frame)
        made = self.call(Call(called, args, named, node, frame))
        if frame.deciding and is_decided(called, frame.deciding):
            self.dispatched.update(value.number for value in values_in(made))
        if not frame.grad:
            made = self.without_gradient(made)
        return self.as_assumed(made, node, frame) if kept(node) else made

    def _arguments(self, node: ast.Call, frame: Frame) -> tuple[Thing, ...]:
        things: list[Thing] = []
        for arg in node.args:
            thing = self.evaluate(arg, frame)
            if isinstance(arg, ast.Starred) and isinstance(thing, Items):
                things.extend(thing.things)
            else:
                things.append(thing)
        return tuple(things)

    def call(self, call: Call) -> Thing:
        """The result of a call."""
        called = call.called
        found = extremum(self, call)
        if found is not None:
            return found
        if isinstance(called, Symbol):
            return self._call_symbol(called, call)
        if isinstance(called, Method):
            return self.call_method(called, call)
        if isinstance(called, Function):
            return self.call_function(called, call)
        if isinstance(called, Class):
            return self.construct(called, call)
        if isinstance(called, Instance):
            return self.call_instance(called, call)
        if isinstance(called, Layer) and called.name == "Sequential":
            return self._call_in_turn(called.args, call)
        if isinstance(called, Layer) and isinstance(call.first, Value):
            return self.call_layer(called, call.first, call)
        if isinstance(called, Foreign):
            return called
        known = self.callables.get(called.number) if isinstance(called, Leaf) else None
        return self.unknown_call(call) if known is None else self._call_known(known, call)

    def _call_in_turn(self, modules: Sequence[Thing], call: Call) -> Thing:
        """The result of modules each of which is given what the one before has made."""
        if len(call.args) != 1 or not any(isinstance(one, (Layer, Instance)) for one in modules):
            return self.unknown_call(call)
        (made,) = call.args
        for module in modules:
            made = self.call(Call(module, (made,), {}, call.node, call.frame))
        return made

    def _call_known(self, known: Either | Partial, call: Call) -> Thing:
        """The result of a function that was put together from others, or is one of two."""
        if isinstance(known, Partial):
            args, named = (*known.args, *call.args), {**known.named, **call.named}
            return self.call(Call(known.function, args, named, call.node, call.frame))
        first, second = (self.call(call.of(function)) for function in (known.first, known.second))
        return self.choose(known.condition, first, second)

    def _call_symbol(self, called: Symbol, call: Call) -> Thing:
        dotted = canonical(called.name)
        short = dotted.rsplit(".", 1)[-1]
        if dotted == "numpy.finfo":
            return HANDLERS[short](self, call) or Foreign()
        if is_foreign(dotted):
            if short in _FINDING and len(call.args) == 1 and not call.named:
                return self._found_by_numpy(call)
            return self.call_math(short, call) if _is_of_numbers(dotted, call) else Foreign()
        if dotted.startswith(_MATH):
            return self.call_math(short, call)
        if dotted in _EACH_ALONE and call.args and isinstance(call.args[0], Function):
            return call.args[0]
        if dotted.startswith("torch."):
            return self.call_torch(dotted, short, call)
        handler = HANDLERS.get(short) if dotted.startswith("builtins.") else None
        found = handler(self, call) if handler is not None else None
        if found is not None:
            return found
        if dotted.startswith("torch_scatter.") and short in _GROUPING:
            found = grouped(self, call)
            if found is not None:
                return found
        if dotted in _REPLACING and call.args and isinstance(call.args[0], Instance):
            return self._made_anew(call.args[0], call)
        if dotted == "functools.partial" and call.args and call.is_complete:
            return self._partial(call)
        row = SPELLINGS.get(dotted)
        if row is not None and len(call.args) == 1 and isinstance(call.first, Value):
            return self.apply(row.name, (call.first,), call.node, call.frame)
        if short in LOGGING:
            return Text("")
        followed = self.follow(dotted)
        outside = isinstance(followed, Symbol) and not followed.name.startswith(("torch.", "math."))
        if followed is not None and not outside:
            return self.call(call.of(followed))
        return self.unknown_call(call)

    def _found_by_numpy(self, call: Call) -> Value:
        """The indices of elements under a mask, by which elements of tensors are picked, too."""
        (thing,) = call.args
        mask = (
            self.opaque(self.source(call.node), region=R.TRUTH, grad=False, kind=Kind.TENSOR, node=call.node)
            if isinstance(thing, Foreign)
            else self.as_mask(self.as_value(thing))
        )
        indices = self.result(call, mask, region=R.NONNEGATIVE & R.FINITE, grad=False)
        self.found_where(mask, indices)
        return indices

    def _made_anew(self, old: Instance, call: Call) -> Instance:
        """`dataclasses.replace(old, field=value)`: another object with some fields of its own."""
        new = old.copy(old.cls)
        new.fields.update(call.named)
        return new

    def _partial(self, call: Call) -> Thing:
        """`functools.partial(function, *args)`."""
        made = self.unknown_call(call)
        function, *args = call.args
        if isinstance(made, Leaf):
            self.callables[made.number] = Partial(function, tuple(args), call.named)
        return made

    def follow(self, dotted: str) -> Thing | None:
        """What `dotted` names in another file of the same project, if it can be had."""
        return None

    def followed(self, thing: Thing) -> Thing:
        """What a name stands for: an imported one, if it can be had, for what it names."""
        return (self.follow(thing.name) or thing) if isinstance(thing, Symbol) else thing


_EACH_ALONE = frozenset({"torch.vmap", "torch.func.vmap", "functorch.vmap"})
"""What makes of a function one that does the same with each of several arguments."""
_REPLACING = frozenset({"dataclasses.replace", "copy.replace"})
"""What makes another object of a data class."""
_FINDING = frozenset({"where", "nonzero", "flatnonzero", "argwhere"})
"""Functions of numpy that say where a mask is true."""


def _is_of_numbers(dotted: str, call: Call) -> bool:
    """Whether a function of numpy is called with Python numbers, as that of `math` might be."""
    numbers = [arg for arg in call.args if isinstance(arg, Value) and arg.kind is Kind.NUMBER]
    known = SPELLINGS.get(f"torch.{dotted.removeprefix('numpy.')}") is not None
    return known and bool(numbers) and len(numbers) == len(call.args) and not call.named
