"""Values of a function that no gradient flows to, by what they are made of: numbers, new tensors, detached ones."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator

from nanlint.lower.uses import Function
from nanlint.usage.naming import parameters
from nanlint.usage.off import LIBRARIES, NUMBERS, PLAIN, TAKES_OUT

_MAKERS = frozenset(
    """
    zeros ones empty full eye arange linspace logspace rand randn randint randperm tensor from_numpy as_tensor
    zeros_like ones_like empty_like full_like rand_like randn_like randint_like load tril_indices triu_indices
    FloatTensor LongTensor IntTensor BoolTensor Tensor
    """.split()
)
"""Functions of torch whose results have no gradient, whatever they are given."""
_WITHOUT_GRADIENT = TAKES_OUT | {"grad"}
_TAKEN_OUT = frozenset("detach detach_ data grad".split())
"""Attributes of a tensor that are tensors without gradient."""
_LOOPING = frozenset("zip enumerate reversed sorted range list tuple".split())


class Still:
    """The names of a function, or of a module's own statements, whose values have no gradient wherever they are bound.

    `outside` tells the package that an attribute begins with; `functions` are the names of the project's own ones.
    """

    def __init__(
        self,
        node: Function | ast.Module,
        outside: Callable[[ast.Attribute], str],
        functions: Collection[str],
        outer: frozenset[str] = frozenset(),
    ) -> None:
        """`outer` are names without gradient of the functions around."""
        self._outside = outside
        bindings = [*_bindings(node.body)]
        bound = {name for name, _ in bindings}
        given = set() if isinstance(node, ast.Module) else {*parameters(node)}
        plain = set() if isinstance(node, ast.Module) else {*_numbers(node)}
        self._functions = frozenset(functions) - bound - given
        self._tensors: set[str] = set()
        while more := {n for n, value in bindings if n not in self._tensors and self._is_tensor(value)}:
            self._tensors |= more
        self.names = (outer - given) | (bound - given) | plain
        while moving := {name for name, value in bindings if name in self.names and not self.holds(value)}:
            self.names -= moving

    def holds(self, node: ast.expr | None) -> bool:
        """Whether no gradient flows to the value of an expression."""
        if node is None:
            return False
        if isinstance(node, (ast.Constant, ast.Compare, ast.JoinedStr, ast.Slice)):
            return True
        if isinstance(node, ast.Name):
            return node.id in self.names
        if isinstance(node, ast.Attribute):
            return (
                node.attr in _WITHOUT_GRADIENT or self._outside(node) in LIBRARIES or self.holds(node.value)
            )
        if isinstance(node, (ast.Subscript, ast.Starred)):
            return self.holds(node.value)
        if isinstance(node, ast.Call):
            return self._is_result_still(node)
        if isinstance(node, ast.IfExp):
            return self.holds(node.body) and self.holds(node.orelse)
        return isinstance(node, _MADE_OF_PARTS) and self.all(
            part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)
        )

    def all(self, nodes: Iterable[ast.expr]) -> bool:
        """The same for several of them."""
        return all(map(self.holds, nodes))

    def arguments(self, call: ast.Call) -> bool:
        """Whether no gradient flows to anything that a call is given; False if it is given nothing."""
        given = _given(call)
        return bool(given) and self.all(given)

    def _is_result_still(self, call: ast.Call) -> bool:
        func = call.func
        if any(word.arg == "requires_grad" for word in call.keywords):
            return False
        if isinstance(func, ast.Name):
            # a function that is given numbers alone may make parameters of them
            hands_on = func.id in _LOOPING or (
                func.id in self._functions and any(map(self._is_tensor, _given(call)))
            )
            return func.id in NUMBERS or (hands_on and self.arguments(call))
        if not isinstance(func, ast.Attribute) or func.attr == "requires_grad_":
            return False
        if func.attr in TAKES_OUT:
            return True
        if self._outside(func) in LIBRARIES:
            # a class makes parameters, and what has some
            return func.attr in _MAKERS or (not func.attr[:1].isupper() and self.arguments(call))
        return self.holds(func.value) and self.all(_given(call))

    def _is_tensor(self, node: ast.expr | None) -> bool:
        """Whether an expression is made of a tensor, as far as that can be told."""
        for part in ast.walk(node) if node is not None else ():
            if isinstance(part, ast.Name) and part.id in self._tensors:
                return True
            if isinstance(part, ast.Attribute) and (
                part.attr in _TAKEN_OUT or (part.attr in _MAKERS and self._outside(part) in LIBRARIES)
            ):
                return True
        return False


_MADE_OF_PARTS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Tuple, ast.List, ast.NamedExpr)


def _given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(word.value for word in call.keywords)]


def _numbers(node: Function) -> Iterator[str]:
    """The parameters that are Python numbers by their annotations."""
    for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        if isinstance(arg.annotation, ast.Name) and arg.annotation.id in PLAIN:
            yield arg.arg


def _bindings(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that statements bind, each with what it is bound to; None for what nothing is known of."""
    for node in _own(body):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _bound(target, node.value)
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.NamedExpr)):
            yield from _bound(node.target, node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            yield from _each(node.target, node.iter)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            yield from _bound(node.optional_vars, None)
        elif isinstance(node, ast.Attribute) and node.attr == "requires_grad_":
            yield from _bound(node.value, None)


def _bound(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Starred):
        yield from _bound(target.value, value)
    elif isinstance(target, ast.Subscript):
        yield from _bound(target.value, value)  # an element that is stored
    elif isinstance(target, (ast.Tuple, ast.List)):
        same = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
        values = (
            value.elts if isinstance(value, (ast.Tuple, ast.List)) and same else [value] * len(target.elts)
        )
        for part, given in zip(target.elts, values, strict=True):
            yield from _bound(part, given)


def _each(target: ast.expr, iterable: ast.expr) -> Iterator[tuple[str, ast.expr | None]]:
    """What a loop binds: with `zip` each name to an element of its own."""
    name = iterable.func.id if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) else ""
    parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
    if name == "zip" and isinstance(iterable, ast.Call) and len(iterable.args) == len(parts):
        for part, given in zip(parts, iterable.args, strict=True):
            yield from _bound(part, given)
    else:
        yield from _bound(target, iterable)


def _own(body: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """All nodes of some statements but for those of the functions and classes in them."""
    stack: list[ast.AST] = [*body]
    while stack:
        node = stack.pop()
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            yield node
            stack.extend(ast.iter_child_nodes(node))
