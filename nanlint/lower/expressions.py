"""Expressions: operators, comparisons, attributes and subscripts."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

from nanlint import regions as R
from nanlint.arithmetic import DTYPES
from nanlint.catalogue.structure import SIZES, TRANSPOSED
from nanlint.graph import Constant, Kind, Leaf, Value
from nanlint.lower.calls import Calls
from nanlint.lower.lowering import values_in
from nanlint.lower.scope import Frame
from nanlint.lower.things import (
    Class,
    Each,
    Foreign,
    Function,
    Instance,
    Items,
    Layer,
    Mapped,
    Method,
    Symbol,
    Text,
    Thing,
)
from nanlint.names import canonical, is_foreign

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.Mod: "remainder",
    ast.FloorDiv: "floor_divide",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
}
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
COUNT = R.interval(1.0, 1e6)
"""Sizes and lengths: at least one element, or there is nothing to compute."""


class Expressions(Calls):
    """Evaluates expressions abstractly in a frame."""

    def evaluate(self, node: ast.expr, frame: Frame) -> Thing:
        """What `node` stands for."""
        handler = getattr(self, f"_{type(node).__name__}", None)
        if handler is None:
            return self.opaque(type(node).__name__.lower(), node=node)
        found: Thing = handler(node, frame)
        return found

    def condition(self, node: ast.expr, frame: Frame) -> Value | None:
        """The truth of a Python test as a value; None where it is not about values or already decided."""
        thing = self.evaluate(node, frame)
        return thing if isinstance(thing, Value) and not isinstance(thing, Constant) else None

    # --- literals and names

    def _Constant(self, node: ast.Constant, frame: Frame) -> Thing:
        if isinstance(node.value, (bool, int, float)):
            try:
                return self.builder.constant(float(node.value), node)
            except OverflowError:
                return self.opaque("number", grad=False, kind=Kind.NUMBER, node=node)
        return Text(node.value)

    def _JoinedStr(self, node: ast.JoinedStr, frame: Frame) -> Thing:
        return Text("")

    def _Name(self, node: ast.Name, frame: Frame) -> Thing:
        found = frame.scope.find(node.id)
        if found is not None:
            return self.followed(found)
        for star in frame.scope.all_stars():
            if star.split(".", 1)[0] == "torch" and self.knows(f"{star}.{node.id}"):
                return Symbol(canonical(f"{star}.{node.id}"))
            followed = self.follow(f"{star}.{node.id}")
            if followed is not None:
                return followed
        return self.builder.constant(math.pi) if node.id == "pi" else Symbol(f"builtins.{node.id}")

    def _Tuple(self, node: ast.Tuple | ast.List | ast.Set, frame: Frame) -> Thing:
        things = [self.evaluate(element, frame) for element in node.elts]
        if any(isinstance(element, ast.Starred) for element in node.elts):
            return self._spread(node.elts, things)
        return Items(tuple(things))

    _List = _Set = _Tuple

    def _spread(self, nodes: Sequence[ast.expr], things: Sequence[Thing]) -> Thing:
        spread: list[Thing] = []
        for node, thing in zip(nodes, things, strict=True):
            if isinstance(node, ast.Starred) and isinstance(thing, Items):
                spread.extend(thing.things)
            elif isinstance(node, ast.Starred):
                return Each(self.opaque("element", *things))
            else:
                spread.append(thing)
        return Items(tuple(spread))

    def _Starred(self, node: ast.Starred, frame: Frame) -> Thing:
        return self.evaluate(node.value, frame)

    def _Dict(self, node: ast.Dict, frame: Frame) -> Thing:
        known: dict[str, Thing] = {}
        others: list[Thing] = []
        for key, value in zip(node.keys, node.values, strict=True):
            thing = self.evaluate(value, frame)
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                known[key.value] = thing
            else:
                others.append(thing)
        self.sink(*others)
        return Mapped(known, tuple(others))

    def _Lambda(self, node: ast.Lambda, frame: Frame) -> Thing:
        return Function(node, frame.scope, owner=frame.owner)

    def _NamedExpr(self, node: ast.NamedExpr, frame: Frame) -> Thing:
        thing = self.evaluate(node.value, frame)
        frame.scope.names[node.target.id] = thing
        return thing

    def _Await(self, node: ast.Await, frame: Frame) -> Thing:
        return self.evaluate(node.value, frame)

    def _Yield(self, node: ast.Yield, frame: Frame) -> Thing:
        if node.value is not None:
            self.sink(self.evaluate(node.value, frame))
        return self.opaque("sent", node=node)

    def _YieldFrom(self, node: ast.YieldFrom, frame: Frame) -> Thing:
        self.sink(self.evaluate(node.value, frame))
        return self.opaque("sent", node=node)

    # --- operators

    def _BinOp(self, node: ast.BinOp, frame: Frame) -> Thing:
        return self.binary(
            node.op, self.evaluate(node.left, frame), self.evaluate(node.right, frame), node, frame
        )

    def binary(self, operator: ast.operator, left: Thing, right: Thing, node: ast.AST, frame: Frame) -> Thing:
        """`left operator right`."""
        left, right = self._operand(left), self._operand(right)
        if isinstance(left, Foreign) or isinstance(right, Foreign):
            return self._foreign_operand(left, right)
        if not (isinstance(left, Value) and isinstance(right, Value)):
            return self._mixed_operands(operator, left, right, node)
        op = _OPERATORS.get(type(operator))
        if op is None:
            return self.opaque("result", left, right, node=node, grad=left.grad or right.grad)
        if op in ("and", "or", "xor") and left.kind is right.kind is Kind.NUMBER:
            return self.opaque("bits", left, right, grad=False, kind=Kind.NUMBER, node=node)
        return self.apply(op, (left, right), node, frame)

    def _operand(self, thing: Thing) -> Thing:
        """An attribute of something unknown is a value where it is calculated with."""
        return self.as_value(thing) if isinstance(thing, (Method, Symbol)) else thing

    def _foreign_operand(self, left: Thing, right: Thing) -> Thing:
        for side in (left, right):
            if isinstance(side, Value) and side.kind is Kind.TENSOR:
                return self.opaque("result", side, grad=side.grad, kind=Kind.TENSOR)
        return Foreign()

    def _mixed_operands(self, operator: ast.operator, left: Thing, right: Thing, node: ast.AST) -> Thing:
        if isinstance(left, Items) and isinstance(right, Items) and isinstance(operator, ast.Add):
            return Items((*left.things, *right.things))
        if isinstance(left, Text):
            return Text("")
        values = [*values_in(left), *values_in(right)]
        return self.opaque(
            "result", *values, node=node, grad=any(value.grad for value in values) or not values
        )

    def _UnaryOp(self, node: ast.UnaryOp, frame: Frame) -> Thing:
        thing = self._operand(self.evaluate(node.operand, frame))
        if not isinstance(thing, Value):
            return (
                thing if isinstance(thing, Foreign) else self.opaque("result", thing, grad=False, node=node)
            )
        if isinstance(node.op, ast.USub):
            return self.apply("neg", (thing,), node, frame)
        if isinstance(node.op, ast.UAdd):
            return thing
        return self.apply("not", (thing,), node, frame)

    def _Compare(self, node: ast.Compare, frame: Frame) -> Thing:
        things = [self._operand(self.evaluate(side, frame)) for side in (node.left, *node.comparators)]
        parts = [
            self._compared(op, left, right, node, frame)
            for op, left, right in zip(node.ops, things, things[1:], strict=False)
        ]
        joined = parts[0]
        for part in parts[1:]:
            joined = self.apply("and", (joined, part), node, frame)
        return joined

    def _compared(self, op: ast.cmpop, left: Thing, right: Thing, node: ast.AST, frame: Frame) -> Value:
        name = _COMPARISONS.get(type(op))
        if name is None or not (isinstance(left, Value) and isinstance(right, Value)):
            return self.opaque("test", left, right, region=R.TRUTH, grad=False, kind=Kind.NUMBER, node=node)
        return self.apply(name, (left, right), node, frame)

    def _BoolOp(self, node: ast.BoolOp, frame: Frame) -> Thing:
        things = [self.evaluate(value, frame) for value in node.values]
        joined = things[0]
        for thing in things[1:]:
            if isinstance(joined, Value) and isinstance(thing, Value) and not joined.grad and not thing.grad:
                joined = self.apply(
                    "and" if isinstance(node.op, ast.And) else "or", (joined, thing), node, frame
                )
            else:
                joined = self.choose(None, joined, thing)
        return joined

    def _IfExp(self, node: ast.IfExp, frame: Frame) -> Thing:
        condition = self.condition(node.test, frame)
        return self.choose(condition, self.evaluate(node.body, frame), self.evaluate(node.orelse, frame))

    # --- attributes

    def _Attribute(self, node: ast.Attribute, frame: Frame) -> Thing:
        return self.attribute(self.evaluate(node.value, frame), node, frame)

    def attribute(self, owner: Thing, node: ast.Attribute, frame: Frame) -> Thing:
        """`owner.attr`."""
        if isinstance(owner, Symbol):
            return self._symbol_attribute(owner, node.attr)
        if isinstance(owner, Instance):
            return self.instance_attribute(owner, node, frame)
        if isinstance(owner, Value):
            return self._value_attribute(owner, node)
        if isinstance(owner, Class):
            return self.class_attribute(owner, node.attr, None, node, frame) or self.opaque(
                node.attr, node=node
            )
        if isinstance(owner, Mapped) and node.attr in owner.things:
            return owner.things[node.attr]
        if isinstance(owner, Items) and node.attr in ("values", "indices") and len(owner.things) == 2:
            return owner.things[0 if node.attr == "values" else 1]
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
        if attr in TRANSPOSED:
            return owner
        if attr == "data":
            return self.detached(owner)
        if attr in SIZES:
            return self.opaque(
                f"{attr}",
                owner,
                region=COUNT,
                grad=False,
                kind=Kind.NUMBER,
                node=node,
                key=("size", owner.number, attr),
            )
        return Method(owner, attr, node)

    # --- subscripts

    def _Subscript(self, node: ast.Subscript, frame: Frame) -> Thing:
        owner = self.evaluate(node.value, frame)
        if isinstance(owner, Items):
            return self._item(owner, node.slice, frame)
        if isinstance(owner, Method):
            owner = self.as_value(owner)
        if isinstance(owner, Each):
            return owner if isinstance(node.slice, ast.Slice) else owner.thing
        if isinstance(owner, Mapped):
            return self._mapped_item(owner, node.slice)
        if isinstance(owner, Value):
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                return self.named_leaf(node.slice.value, key=("item", owner.number, node.slice.value))
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

    def _mapped_item(self, owner: Mapped, key: ast.expr) -> Thing:
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value in owner.things:
            return owner.things[key.value]
        return self.any_of([*owner.things.values(), *owner.others])

    def _picked(self, owner: Value, node: ast.Subscript, frame: Frame) -> Thing:
        """`tensor[key]`: all elements in another shape, those under a mask, or some of them."""
        if reshapes(node.slice):
            return owner
        mask = self.mask_in(node.slice, frame)
        if mask is not None:
            return self.select(owner, mask, node, frame)
        return self.element(owner, self.key(node.slice, frame))

    def mask_in(self, key: ast.expr, frame: Frame) -> Value | None:
        """The boolean mask in a subscript, if there is one."""
        parts = key.elts if isinstance(key, ast.Tuple) else [key]
        masks = [
            thing
            for part in parts
            if isinstance(thing := self._key_part(part, frame), Value) and self.is_logical(thing)
        ]
        return masks[0] if len(masks) == 1 else None

    def _key_part(self, part: ast.expr, frame: Frame) -> Thing:
        return Text(None) if isinstance(part, (ast.Slice, ast.Constant)) else self.evaluate(part, frame)

    def key(self, key: ast.expr, frame: Frame) -> str:
        """A name for what a subscript picks: the same name, the same elements."""
        parts = key.elts if isinstance(key, ast.Tuple) else [key]
        return ", ".join(self._key_name(part, frame) for part in parts)

    def _key_name(self, part: ast.expr, frame: Frame) -> str:
        if isinstance(part, (ast.Slice, ast.Constant)):
            return ast.unparse(part)
        thing = self.evaluate(part, frame)
        if isinstance(thing, Constant):
            return f"{thing.value:g}"
        if isinstance(thing, Value) and not isinstance(part, ast.Name):
            return f"{self.source(part)}"
        # the same name may be bound again: its value's number tells the two apart
        return f"{self.source(part)}" if not isinstance(thing, Value) else f"{part.id}{_mark(thing)}"  # type: ignore[attr-defined]

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

    # --- comprehensions

    def _ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, frame: Frame) -> Thing:
        inner = self.inner(frame)
        for generator in node.generators:
            self.bind(generator.target, self.each(self.evaluate(generator.iter, inner), node), inner)
            for test in generator.ifs:
                condition = self.condition(test, inner)
                if condition is not None:
                    inner.assume(condition, True)
        return Each(self.evaluate(node.elt, inner))

    _SetComp = _GeneratorExp = _ListComp

    def _DictComp(self, node: ast.DictComp, frame: Frame) -> Thing:
        inner = self.inner(frame)
        for generator in node.generators:
            self.bind(generator.target, self.each(self.evaluate(generator.iter, inner), node), inner)
        return Each(self.evaluate(node.value, inner))


def _bounds(key: ast.Slice) -> slice | None:
    """A slice with literal bounds; None for any other."""
    literals: list[int | None] = []
    for bound in (key.lower, key.upper, key.step):
        try:
            found = None if bound is None else ast.literal_eval(bound)
        except ValueError:
            return None
        if not (found is None or isinstance(found, int)):
            return None
        literals.append(found)
    return None if literals[2] == 0 else slice(*literals)


def _mark(value: Value) -> str:
    return "" if isinstance(value, Leaf) else f"#{value.number}"


def reshapes(key: ast.expr) -> bool:
    """Whether a subscript keeps every element: `[:]`, `[..., None]`, `[None, :]`."""
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    return all(_keeps(part) for part in parts)


def _keeps(part: ast.expr) -> bool:
    if isinstance(part, ast.Slice):
        return part.lower is None and part.upper is None
    return isinstance(part, ast.Constant) and (part.value is None or part.value is Ellipsis)


__all__ = ["Expressions", "Layer", "is_foreign", "reshapes"]
