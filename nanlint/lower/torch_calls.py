"""Calls of torch's functions: by the catalogue's rows and the tables of `structure.py`."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace

from nanlint import regions as R
from nanlint.catalogue import SPELLINGS
from nanlint.catalogue.domains import Op
from nanlint.catalogue.structure import (
    CONTRACTING,
    COPIED,
    COUNTS,
    DETACHED,
    FILLED,
    MODULES,
    OPAQUE,
    PICKING,
    PYTHON_RESULTS,
    SAME_ELEMENTS,
)
from nanlint.graph import Kind, Leaf, Value
from nanlint.lower.binding import arguments, is_in_place, is_of_row, written_to
from nanlint.lower.call import Call
from nanlint.lower.conventions import counts_something
from nanlint.lower.handlers import HANDLERS
from nanlint.lower.keys import place_of
from nanlint.lower.lowering import COUNT
from nanlint.lower.things import Layer, Method, Symbol, Thing
from nanlint.lower.unknown_calls import UnknownCalls
from nanlint.names import canonical
from nanlint.sites import called_name

_TO_FLOAT = frozenset({"float", "double", "half", "bfloat16", "to", "type", "type_as"})
_TO_INTEGER = frozenset({"long", "int", "short", "byte", "char"})
_COUNTING = frozenset({"factorial", "comb", "perm", "lcm"})
_SIZES = frozenset({"numel", "size", "dim", "ndimension", "nelement"})
_INITIALISING = "torch.nn.init."
"""What these functions write to are parameters, and training changes them."""
_DIMENSIONS = frozenset({"dim", "keepdim"})
"""Parameters that numpy has by other names."""


class TorchCalls(UnknownCalls):
    """The results of torch functions."""

    def knows(self, dotted: str) -> bool:
        """Whether the catalogue has something to say about the torch name `dotted`."""
        name = canonical(dotted)
        short = name.rsplit(".", 1)[-1]
        return (
            name in SPELLINGS
            or short in HANDLERS
            or short in FILLED
            or short in OPAQUE
            or short in SAME_ELEMENTS
        )

    def call_torch(self, dotted: str, short: str, call: Call) -> Thing:
        """The result of `dotted`, a function or class of torch whose last name is `short`."""
        made = self.made_by_torch(dotted, call)
        if made is not None:
            return made
        found = self.torch_op(dotted, short, call)
        if found is not None:
            return found
        if dotted.startswith(("torch.nn.", "torch.optim.", "torch.utils.", "torch.distributed.")):
            return self.unknown_call(call.of(Symbol(dotted)))
        # a function that no table has: regular, any value, gradient as its arguments have it
        return self.result(call, *call.values, grad=call.grad, kind=Kind.TENSOR)

    def call_layer(self, layer: Layer, argument: Value, call: Call) -> Thing:
        """The result of a known `torch.nn` module: that of the function that it stands for, with its own settings."""
        made = MODULES[layer.name]
        if made == "identity":
            return argument
        if not isinstance(made, str):
            return self.result(call, argument, region=made, grad=argument.grad, kind=Kind.TENSOR)
        asked = replace(call, args=(*call.args, *layer.args), named={**layer.named, **call.named})
        found = self.torch_op(f"torch.nn.functional.{made}", made, asked)
        return self.result(call, argument, grad=argument.grad, kind=Kind.TENSOR) if found is None else found

    def call_math(self, short: str, call: Call) -> Thing:
        """The result of a function of `math`, which takes and gives numbers."""
        row = SPELLINGS.get(f"torch.{short}")
        values = [arg for arg in call.args if isinstance(arg, Value)]
        if row is not None and len(values) == len(call.args) == len(row.parameters):
            return self.builder.apply(row.name, *values, node=call.node, grad=False, kind=Kind.NUMBER)
        region = COUNT if short in _COUNTING else R.FINITE
        return self.result(call, *call.args, region=region, grad=False, kind=Kind.NUMBER)

    def torch_op(self, dotted: str, short: str, call: Call) -> Thing | None:
        """A call of a torch function, or of a Tensor method with its receiver first; None if no table has it.

        What the call writes to, in place or as `out`, has the result for its new value.
        """
        if any(isinstance(arg, Method) for arg in call.args):
            args = tuple(self.as_value(arg) if isinstance(arg, Method) else arg for arg in call.args)
            call = replace(call, args=args)
        in_place = is_in_place(short) and not dotted.startswith(_INITIALISING)
        found = self._by_name(dotted, short, call)
        if found is None and in_place:
            found = self._by_name(dotted[:-1], short[:-1], call)
        if isinstance(found, Value):
            of_diagonal = in_place and called_name(_owner(call.node)) == "diagonal"
            for old in written_to(dotted, call, first=in_place):
                mask = self.diagonal(old) if of_diagonal else None
                new = found if mask is None else self.store_masked(old, mask, found, call.node, call.frame)
                self.rebind(old, new, call.frame)
            view = _view(call.node) if in_place else None
            if view is not None:
                self.bind(view, found, call.frame)
        return found

    def _by_name(self, dotted: str, short: str, call: Call) -> Thing | None:
        handler = HANDLERS.get(short)
        found = handler(self, call) if handler is not None else None
        if found is not None:
            return found
        row = SPELLINGS.get(dotted)
        given = arguments(row, call) if row is not None else None
        if row is None or given is None:
            return self._by_table(short, call)
        if not is_of_row(row, given):
            return self._opaque_result(short, row, call)
        # torch's functions give tensors, and so do methods that speak of dimensions as torch does
        is_tensor = dotted.startswith("torch.") or not call.named.keys().isdisjoint(_DIMENSIONS)
        kind = Kind.TENSOR if is_tensor else None
        return self.apply(row.name, self._bound(row, given), call.node, call.frame, kind)

    def _by_table(self, short: str, call: Call) -> Thing | None:
        """What the tables of functions without a singular point say; None if none has it."""
        first = call.first
        if short in SAME_ELEMENTS and first is not None:
            return self._same(short, first)
        if short in DETACHED and first is not None:
            return self.detached(self.as_value(first))
        if short in PICKING and isinstance(first, Value):
            return self.picked_by_index(first, call.args[1:], call.node, call.frame)
        if short in FILLED:
            return self._filled(short, call.node)
        if short in COUNTS:
            return self._counted(short, call)
        if short in PYTHON_RESULTS:
            return self.result(call, *call.args[:1], grad=False, kind=Kind.NUMBER)
        return self._opaque_result(short, None, call) if short in OPAQUE else None

    def _same(self, short: str, thing: Thing) -> Thing:
        value = self.as_value(thing)
        counted = isinstance(value, Leaf) and counts_something(value.name.rsplit(".", 1)[-1])
        if counted and short in _TO_FLOAT:
            return self.detached(value)
        # the same value in storage of its own: what is done to it in place, the original, maybe an input, does not see
        if short not in COPIED:
            return value
        return replace(value, opaque=True) if isinstance(value, Leaf) else replace(value)

    def _filled(self, short: str, node: ast.expr) -> Value:
        points = FILLED[short].points
        if points is not None and len(points) == 1:
            return self.builder.constant(points[0], node, Kind.TENSOR)
        # where one identity matrix has its ones, so has the next one
        key = "identity" if short == "eye" else None
        name = self.source(node)
        made = self.builder.leaf(name, FILLED[short], grad=False, kind=Kind.TENSOR, node=node, key=key)
        if short == "eye":
            self.identities.add(made.number)
        return made

    def _counted(self, short: str, call: Call) -> Thing:
        value = call.first
        if short in _TO_INTEGER and isinstance(value, Value):
            return self.integer(value, call.node)
        region = COUNT if short in _SIZES and short != "ndimension" else R.NONNEGATIVE & R.FINITE
        kind = Kind.NUMBER if short in _SIZES else Kind.TENSOR
        key = ("count", value.number, self.source(call.node)) if isinstance(value, Value) else None
        counted = self.result(call, *call.args[:1], region=region, grad=False, kind=kind, key=key)
        if short in ("nonzero", "argwhere") and isinstance(value, Value):
            self.found_where(value, counted)
        return counted

    def _opaque_result(self, short: str, row: Op | None, call: Call) -> Thing:
        """The result of a regular function, or of one whose arguments make it another than `row` describes."""
        values = call.values
        key = ("opaque", short, *(value.number for value in values))
        factors = values[CONTRACTING[short] :] if short in CONTRACTING else []
        values += self.contracted(factors, call.node, call.frame) if factors else []
        region = OPAQUE.get(short, R.TRUTH if row is not None and row.boolean else R.FINITE)
        grad = call.grad and (row is None or row.differentiable)
        made = self.result(call, *values, region=region, grad=grad, kind=Kind.TENSOR, key=key)
        return self.contraction(made, factors, call.node, call.frame)

    def _bound(self, row: Op, given: Mapping[str, Thing]) -> list[Value]:
        """The op's arguments in order."""
        return [
            self.as_value(given[name]) if name in given else self.builder.constant(row.defaults[name])
            for name in row.parameters
        ]


def _view(node: ast.AST) -> ast.Subscript | None:
    """The part of a tensor that a method is called on: `y[:, 2]` of `y[:, 2].clamp_(min=0.1)`."""
    owner = _owner(node)
    return owner if isinstance(owner, ast.Subscript) and place_of(owner.slice) is not None else None


def _owner(node: ast.AST) -> ast.expr | None:
    """What a method is called on."""
    return node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
