"""Reads expressions: what they are made of, and the selectors and calls among them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from nanlint.flow.bindings import Bindings
from nanlint.flow.operators import BITWISE, DISPLAYS, is_singular, number
from nanlint.flow.sources import (
    DROPPING,
    FLAGS,
    IMPORTED,
    LOGICAL,
    MASK,
    MASKING,
    OTHERWISE,
    PARTIAL,
    PICKING,
    SELECTING,
    SINGULAR,
    Call,
    Source,
)
from nanlint.words import BOUNDING, LAYERS, PRODUCTS, WEIGHING, may_say_mask
from nanlint.words import SELECTING as SELECTORS

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_FILLED = frozenset({"append", "extend", "insert", "add", "update", "setdefault", "register_buffer"})
"""Methods that put their arguments into the object."""


class Expressions(Bindings):
    """Reads expressions."""

    def expression(self, node: ast.AST, out: Source) -> None:
        """Add to `out` what an expression is made of."""
        handler = _EXPRESSIONS.get(type(node))
        if handler is not None:
            handler(self, node, out)
        else:
            for child in ast.iter_child_nodes(node):
                self.expression(child, out)

    def _name(self, node: ast.Name, out: Source) -> None:
        name = node.id
        out.names.add(name)
        self._word(name, out)
        if name == "super":
            out.names.add(f"{self.owner}()")

    def _word(self, word: str, out: Source) -> None:
        flags = FLAGS.get(word)
        if flags is not None:
            out.flags |= flags
        elif self.infinities and word in WEIGHING:
            out.flags |= SINGULAR
        elif not out.flags & LOGICAL and may_say_mask(word):
            out.flags |= MASK

    def _attribute(self, node: ast.Attribute, out: Source) -> None:
        if self.followed and self._of_import(node, out):
            return
        attr = node.attr
        out.names.add(f".{attr}")
        self._word(attr, out)
        if self.inherits and isinstance(node.value, ast.Name) and node.value.id == self.receiver:
            self.inherited.add((self.owner, f".{attr}"))
            out.names.add(f"{self.owner}.{attr}")
        self.expression(node.value, out)

    def _of_import(self, node: ast.Attribute, out: Source) -> bool:
        """An attribute of what was imported from the project; False if it is none."""
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name) or root.id not in self.followed or root.id in self.unit.parameters:
            return False
        _, _, attributes = _dotted(node).partition(".")
        for attr in attributes.split("."):
            out.names.add(f".{attr}")
            self._word(attr, out)
        out.names.add(f"{root.id}{OTHERWISE}")
        out.names.update(f"{IMPORTED}{dotted}.{attributes}" for dotted in self.followed[root.id])
        return True

    def _binary(self, node: ast.BinOp, out: Source) -> None:
        if isinstance(node.op, (ast.Mult, ast.MatMult)) and not (number(node.left) or number(node.right)):
            factors = self.of(node.left)
            self.expression(node.right, factors)
            self.selector(factors, factors, kind=PICKING)
            out.add(factors)
            return
        self.expression(node.left, out)
        self.expression(node.right, out)
        if is_singular(node.op, node.right, squares=self.squares):
            out.flags |= SINGULAR
        if isinstance(node.op, BITWISE):
            out.flags |= MASK

    def _logical(self, node: ast.BoolOp | ast.UnaryOp, out: Source) -> None:
        for part in node.values if isinstance(node, ast.BoolOp) else (node.operand,):
            self.expression(part, out)
        if isinstance(node, ast.BoolOp) or isinstance(node.op, (ast.Not, ast.Invert)):
            out.flags |= MASK

    def _choice(self, node: ast.IfExp, out: Source) -> None:
        for part in (node.test, node.body, node.orelse):
            self.expression(part, out)
        if isinstance(node.body, ast.Constant) or isinstance(node.orelse, ast.Constant):
            out.flags |= MASKING

    def _compare(self, node: ast.Compare, out: Source) -> None:
        """No gradient comes back through a comparison."""
        for side in (node.left, *node.comparators):
            self.of(side)
        out.flags |= MASK

    def _call(self, node: ast.Call, out: Source) -> None:
        called, arguments = self.of(node.func), Source()
        for arg in node.args:
            self.expression(arg, arguments)
            if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
                arguments.flags |= FLAGS.get(arg.value, 0) & SINGULAR  # a function may be looked up by it
        for word in node.keywords:
            self.expression(word.value, arguments)
        self._noted(node, called, arguments)
        out.names |= called.names | arguments.names
        out.flags |= (called.flags & ~SELECTING) | arguments.flags
        if ".partial" in called.names or "partial" in called.names:
            out.flags |= PARTIAL

    def _noted(self, node: ast.Call, called: Source, arguments: Source) -> None:
        """What a call is beyond its function and its arguments: a selector, a change of what it is a method of."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in SELECTORS or name in PRODUCTS:
            operands = Source(called.names, called.flags & ~SELECTING)
            operands.add(arguments)
            kind = PICKING if name in PRODUCTS else 0 if name in BOUNDING else DROPPING
            self.selector(operands, operands if name in PRODUCTS else None, kind=kind)
        elif name in LAYERS:
            arguments.flags |= SELECTING
        elif name == "getattr":
            _look_up(node, arguments)
        elif name != "super":
            given = self._with_stored(node.func, arguments)
            if given:
                self._alias(node, called, given)
        for word in node.keywords:
            if word.arg == "out":
                self.filled(word.value, Source(called.names | arguments.names, SINGULAR))
        if isinstance(node.func, ast.Attribute) and (name[-1:] == "_" or name in _FILLED):
            made = (called.flags | arguments.flags) & SINGULAR | FLAGS.get(name, 0) & MASK
            self.filled(node.func.value, Source(called.names | arguments.names, made))

    def _with_stored(self, function: ast.expr, arguments: Source) -> Source:
        """What a call is given: to an object's own method, that is what has been stored in the object, too."""
        owner = function.value if isinstance(function, ast.Attribute) else None
        if not isinstance(owner, ast.Name) or owner.id != self.receiver:
            return arguments
        stored = {name for name, _ in self.unit.bindings if name[0] == "."}
        return Source(arguments.names | stored, arguments.flags) if stored else arguments

    def _alias(self, node: ast.Call, called: Source, arguments: Source) -> None:
        function = node.func
        if isinstance(function, ast.Attribute):
            # what a method is called on need not be a selector itself
            names = {name for name in called.names if name.startswith(IMPORTED)}
            own = isinstance(function.value, ast.Name) and function.value.id == self.receiver
            if self.inherits and own:
                names.add(f"{self.owner}.{function.attr}")
            called = Source({f".{function.attr}", *names}, called.flags & SELECTING)
        self.unit.calls.append(Call(called, arguments, self.around))

    def _subscript(self, node: ast.Subscript, out: Source) -> None:
        owner = self.of(node.value)
        self.picked(owner, node.slice)
        if isinstance(node.slice, ast.Constant):
            self._literal(node.slice, owner)
        if isinstance(node.value, DISPLAYS):
            owner.flags |= MASKING  # one of several numbers
        out.add(owner)

    def _lambda(self, node: ast.Lambda, out: Source) -> None:
        out.add(self.function(node))

    def _walrus(self, node: ast.NamedExpr, out: Source) -> None:
        source = self.of(node.value)
        self.bind(node.target, source)
        out.add(source)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, out: Source) -> None:
        self._generators(node.generators)
        self.expression(node.elt, out)

    def _dictionary(self, node: ast.DictComp, out: Source) -> None:
        self._generators(node.generators)
        self.expression(node.key, out)
        self.expression(node.value, out)

    def _generators(self, generators: Iterable[ast.comprehension]) -> None:
        for generator in generators:
            source = self.of(generator.iter)
            if isinstance(generator.iter, DISPLAYS):
                source.flags |= MASKING
            self.bind_each(generator.target, generator.iter, source)
            for test in generator.ifs:
                self.of(test)

    def _literal(self, node: ast.Constant, out: Source) -> None:
        """A text may be the name of a mask among settings or in a batch."""
        if isinstance(node.value, str) and may_say_mask(node.value):
            out.flags |= MASK

    def _nothing(self, node: ast.AST, out: Source) -> None:
        """A text with values in it, or what holds no values."""

    def _elements(self, node: ast.Tuple | ast.List | ast.Set, out: Source) -> None:
        for element in node.elts:
            self.expression(element, out)

    def _items(self, node: ast.Dict, out: Source) -> None:
        for part in (*node.keys, *node.values):
            if part is not None:
                self.expression(part, out)

    def _value(self, node: ast.Starred | ast.Await, out: Source) -> None:
        self.expression(node.value, out)


def _look_up(node: ast.Call, operands: Source) -> None:
    """`getattr` with a name that is written out."""
    if len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        word = str(node.args[1].value)
        operands.names.add(f".{word}")
        operands.flags |= FLAGS.get(word, 0) & (SINGULAR | SELECTING)


def _dotted(node: ast.expr) -> str:
    """The dotted name that an expression is; empty if it is none."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


_EXPRESSIONS: dict[type[ast.AST], Callable[[Expressions, Any, Source], None]] = {
    ast.Name: Expressions._name,
    ast.Attribute: Expressions._attribute,
    ast.Constant: Expressions._literal,
    ast.JoinedStr: Expressions._nothing,
    ast.Load: Expressions._nothing,
    ast.Store: Expressions._nothing,
    ast.Tuple: Expressions._elements,
    ast.List: Expressions._elements,
    ast.Set: Expressions._elements,
    ast.Dict: Expressions._items,
    ast.Starred: Expressions._value,
    ast.Await: Expressions._value,
    ast.BinOp: Expressions._binary,
    ast.Compare: Expressions._compare,
    ast.BoolOp: Expressions._logical,
    ast.UnaryOp: Expressions._logical,
    ast.IfExp: Expressions._choice,
    ast.Call: Expressions._call,
    ast.Subscript: Expressions._subscript,
    ast.Lambda: Expressions._lambda,
    ast.NamedExpr: Expressions._walrus,
    ast.ListComp: Expressions._comprehension,
    ast.SetComp: Expressions._comprehension,
    ast.GeneratorExp: Expressions._comprehension,
    ast.DictComp: Expressions._dictionary,
}
