"""Operators: arithmetic, comparisons and logic."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nanlint import regions as R
from nanlint.catalogue import OPS
from nanlint.graph import Apply, Constant, Kind, Leaf, Value
from nanlint.lower.call import Call
from nanlint.lower.scope import Frame
from nanlint.lower.subscripts import Subscripts
from nanlint.lower.things import Each, Foreign, Instance, Items, Method, Symbol, Text, Thing, values_in
from nanlint.lower.totals import compared

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

_METHODS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.Mod: "mod",
    ast.FloorDiv: "floordiv",
    ast.BitAnd: "and",
    ast.BitOr: "or",
}
"""The methods by which objects say what an operator does, without their underscores."""
_LOGICAL = {"add": "or", "mul": "and"}
"""What an operator is between booleans."""

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
}


class Operators(Subscripts):
    """Evaluates operators abstractly in a frame."""

    def condition(self, node: ast.expr, frame: Frame) -> Value | None:
        """The truth of a Python test as a value; None where it is not about values or already decided."""
        return _truth(self.evaluate(node, frame))

    def tested(self, test: ast.expr, frame: Frame) -> tuple[bool | None, Value | None]:
        """How a Python test goes in a call whose arguments decide it, and else its truth as a value; None for unknown.

        A function by itself may be called with anything: its defaults decide nothing.
        """
        before = self.collected.inlined
        thing = self.evaluate(test, frame)
        if not frame.depth:
            return None, _truth(thing)
        if isinstance(thing, Constant) and thing.kind is Kind.NUMBER:
            return bool(thing.value), None
        # what is followed in a test that decides nothing counts twice
        self.collected.inlined += self.collected.inlined - before
        return None, _truth(thing)

    def _BinOp(self, node: ast.BinOp, frame: Frame) -> Thing:
        return self.binary(
            node.op, self.evaluate(node.left, frame), self.evaluate(node.right, frame), node, frame
        )

    def binary(self, operator: ast.operator, left: Thing, right: Thing, node: ast.AST, frame: Frame) -> Thing:
        """`left operator right`."""
        left, right = self._operand(left), self._operand(right)
        if isinstance(left, Instance) or isinstance(right, Instance):
            return self._overloaded(operator, left, right, node, frame)
        if isinstance(left, Foreign) or isinstance(right, Foreign):
            tensors = [side for side in (left, right) if isinstance(side, Value) and side.kind is Kind.TENSOR]
            if not tensors:
                return Foreign()
            left, right = (
                self._beside_tensor(side, at) for side, at in zip((left, right), _sides(node), strict=True)
            )
        if not (isinstance(left, Value) and isinstance(right, Value)):
            return self._mixed_operands(operator, left, right, node)
        op = _OPERATORS.get(type(operator))
        if op is None:
            return self._combined(operator, left, right, node, frame)
        if op in _LOGICAL and _is_boolean(left) and _is_boolean(right):
            op = _LOGICAL[op]
        if op in ("and", "or", "xor") and left.kind is right.kind is Kind.NUMBER:
            return self.opaque("bits", left, right, grad=False, kind=Kind.NUMBER, node=node)
        if op in ("and", "or", "xor"):
            left, right = self._mask_operand(left), self._mask_operand(right)
        self.compared |= compared(op, left, right)
        if op in ("remainder", "floor_divide") and not (left.grad or right.grad):
            self._assume_divided(right, frame)
        if op == "div" and left.kind is Kind.NUMBER and right.kind is not Kind.NUMBER:
            return self._number_divided(left, right, node, frame)
        return self.apply(op, (left, right), node, frame)

    def _overloaded(
        self, operator: ast.operator, left: Thing, right: Thing, node: ast.AST, frame: Frame
    ) -> Thing:
        """What the method that stands for an operator makes: that of the left operand, else that of the right one."""
        word = _METHODS.get(type(operator))
        if word is not None and isinstance(node, ast.expr):
            for receiver, other, name in ((left, right, f"__{word}__"), (right, left, f"__r{word}__")):
                found = self.method_of(receiver, name, node, frame)
                if found is not None:
                    return self.call_function(found, Call(found, (other,), {}, node, frame))
        return self._mixed_operands(operator, left, right, node)

    def _assume_divided(self, by: Value, frame: Frame) -> None:
        """What is counted in whole steps has steps: `%` and `//` of integers raise an error for a divisor of 0."""
        if not isinstance(by, Constant):
            frame.assume(self.builder.apply("ne", by, self.builder.constant(0.0)), True)

    def _mask_operand(self, value: Value) -> Value:
        """What `&` and `|` are given is true or false, unless it is a number."""
        return value if value.kind is Kind.NUMBER else self.as_mask(value)

    def _combined(
        self, operator: ast.operator, left: Value, right: Value, node: ast.AST, frame: Frame
    ) -> Value:
        """The result of an operator of which no element is known, as a matrix product."""
        contracts = isinstance(operator, ast.MatMult)
        products = self.contracted((left, right), node, frame) if contracts else ()
        made = self.opaque("result", left, right, *products, node=node, grad=left.grad or right.grad)
        return self.contraction(made, (left, right), node, frame) if contracts else made

    def _number_divided(self, number: Value, by: Value, node: ast.AST, frame: Frame) -> Value:
        """`number / tensor`, which torch computes as `tensor.reciprocal() * number`."""
        reciprocal = self.apply("reciprocal", (by,), node, frame)
        if isinstance(number, Constant) and number.value == 1.0:
            return reciprocal
        # a multiple is no mask product, so it is not remembered as a selector
        place = frame.foreign_call or node
        return self.builder.apply("mul", reciprocal, number, node=place, grad=frame.grad, path=frame.path)

    def _operand(self, thing: Thing) -> Thing:
        """An attribute of something unknown is a value where it is calculated with."""
        return self.as_value(thing) if isinstance(thing, (Method, Symbol)) else thing

    def _beside_tensor(self, thing: Thing, node: ast.expr | None) -> Value:
        """An operand of a tensor: numbers of numpy are numbers to torch."""
        if isinstance(thing, Foreign) and node is not None:
            return self.opaque(self.source(node), grad=False, kind=Kind.NUMBER, node=node)
        return self.as_value(thing)

    def _mixed_operands(self, operator: ast.operator, left: Thing, right: Thing, node: ast.AST) -> Thing:
        if isinstance(left, Items) and isinstance(right, Items) and isinstance(operator, ast.Add):
            return Items((*left.things, *right.things))
        if isinstance(operator, ast.Mult) and isinstance(left, (Items, Each)) and isinstance(right, Value):
            return self._repeated(left)
        if isinstance(left, Text):
            return Text("")
        values = [*values_in(left), *values_in(right)]
        return self.opaque(
            "result", *values, node=node, grad=any(value.grad for value in values) or not values
        )

    def _repeated(self, things: Items | Each) -> Thing:
        """`[x] * n`: as many elements as Python likes, all of them like those of the list."""
        if isinstance(things, Each) or not things.things:
            return things
        return Each(self.any_of(things.things))

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
        sides = [self.evaluate(side, frame) for side in (node.left, *node.comparators)]
        if isinstance(node.ops[0], ast.Eq) and self._is_own_dtype(sides):
            return self.builder.constant(1.0, node)
        things = [self._operand(side) for side in sides]
        parts = [
            self._compared(op, left, right, node, frame)
            for op, left, right in zip(node.ops, things, things[1:], strict=False)
        ]
        joined = parts[0]
        for part in parts[1:]:
            joined = self.apply("and", (joined, part), node, frame)
        return joined

    def _is_own_dtype(self, sides: Sequence[Thing]) -> bool:
        """Whether a tensor's dtype is compared with the one that everything is taken to have."""
        dtypes = [side for side in sides if isinstance(side, Leaf) and side.opaque and side.name == "dtype"]
        own = [side for side in sides if isinstance(side, Symbol) and side.name == f"torch.{self.dtype.name}"]
        return len(sides) == 2 and len(dtypes) == 1 and len(own) == 1

    def _compared(self, op: ast.cmpop, left: Thing, right: Thing, node: ast.AST, frame: Frame) -> Value:
        is_open = isinstance(left, Value) and left.number in self.optional
        known = None if is_open else _compared_texts(op, left, right)
        if known is not None:
            return self.builder.constant(float(known), node)
        name = _COMPARISONS.get(type(op))
        if name is None or not (isinstance(left, Value) and isinstance(right, Value)):
            return self.opaque("test", left, right, region=R.TRUTH, grad=False, kind=Kind.NUMBER, node=node)
        counted = _counted(left)
        some = _SOME.get((name, right.value)) if counted is not None and isinstance(right, Constant) else None
        if counted is not None and some is not None:
            found = self.apply("any", (counted,), node, frame)
            return found if some else self.apply("not", (found,), node, frame)
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
        decided, condition = self.tested(node.test, frame)
        if decided is not None:
            return self.evaluate(node.body if decided else node.orelse, frame)
        return self.choose(condition, self.evaluate(node.body, frame), self.evaluate(node.orelse, frame))


_SOME = {
    ("gt", 0.0): True,
    ("ne", 0.0): True,
    ("ge", 1.0): True,
    ("le", 0.0): False,
    ("eq", 0.0): False,
    ("lt", 1.0): False,
}
"""What a comparison of how many are true says of whether any is."""


def _counted(value: Value) -> Value | None:
    """The boolean that a value counts the true elements of, `(x < 0).sum()`; None if it is no such count."""
    if not isinstance(value, Apply) or value.op != "sum":
        return None
    inner = value.args[0]
    return inner if isinstance(inner, Apply) and OPS[inner.op].boolean else None


def _truth(thing: Thing) -> Value | None:
    """A test as a value that is not known; None for anything else."""
    return thing if isinstance(thing, Value) and not isinstance(thing, Constant) else None


def _is_boolean(value: Value) -> bool:
    """Whether a tensor is true or false by what it was made with, not a number that is 0 or 1."""
    return isinstance(value, Apply) and value.kind is not Kind.NUMBER and OPS[value.op].boolean


def _compared_texts(op: ast.cmpop, left: Thing, right: Thing) -> bool | None:
    """How a comparison with a literal string or None goes; None if that is not known."""
    if isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, Items):
        found = [_compared_texts(ast.Eq(), left, item) for item in right.things]
        if None in found or not found:
            return None
        return any(found) is isinstance(op, ast.In)
    if not isinstance(op, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)):
        return None
    same = _are_same(left, right)
    return None if same is None else same is isinstance(op, (ast.Eq, ast.Is))


def _are_same(left: Thing, right: Thing) -> bool | None:
    if isinstance(left, Text) and isinstance(right, Text):
        known = [text.value for text in (left, right) if text.value is None or _is_word(text)]
        return known[0] == known[1] if len(known) == 2 else None
    made = isinstance(left, (Apply, Constant, Items))
    return False if made and isinstance(right, Text) and right.value is None else None


def _is_word(text: Text) -> bool:
    """Whether a text is a literal string: unknown ones are empty."""
    return isinstance(text.value, str) and text.value != ""


def _sides(node: ast.AST) -> tuple[ast.expr | None, ast.expr | None]:
    """The operands of an operator as they are written."""
    if isinstance(node, ast.BinOp):
        return node.left, node.right
    return (node.target, node.value) if isinstance(node, ast.AugAssign) else (None, None)
