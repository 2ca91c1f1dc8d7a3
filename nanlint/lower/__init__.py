"""Lowering: function bodies of a syntax tree become graphs of values, by running them abstractly."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nanlint.arithmetic import Dtype
from nanlint.graph import Apply
from nanlint.lower.lowering import Collected, demanded
from nanlint.lower.scope import Frame, Scope
from nanlint.lower.statements import Statements
from nanlint.lower.things import Class, Function, Thing


@dataclass(frozen=True)
class Unit:
    """The selectors of one function (or of the module's own statements) that gradient comes back to."""

    node: ast.AST
    selectors: tuple[Apply, ...]


def lower(tree: ast.Module, text: str, dtype: Dtype) -> Iterator[Unit]:
    """The units of a file: its module level, then every function, method and lambda in it."""
    lowering = _Module(text, dtype)
    frame = Frame(Scope())
    lowering.run(tree.body, frame)
    lowering.sink(*frame.scope.names.values())
    yield lowering.unit(tree)
    yield from lowering.functions(tree.body, frame.scope, None)


class _Module(Statements):
    """Lowers one file, function by function."""

    def unit(self, node: ast.AST) -> Unit:
        """What has been collected since the last unit."""
        collected, self.collected = self.collected, Collected()
        wanted = demanded(collected)
        return Unit(node, tuple(s for s in collected.selectors if s.number in wanted))

    def functions(self, body: list[ast.stmt], scope: Scope, owner: Class | None) -> Iterator[Unit]:
        """The units of the functions defined in `body`."""
        for node in _definitions(body):
            if isinstance(node, ast.ClassDef):
                cls = Class(node, scope, node.name)
                if not _is_autograd_function(node):
                    yield from self.functions(node.body, scope, cls)
            else:
                yield from self._function(node, scope, owner)

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope, owner: Class | None
    ) -> Iterator[Unit]:
        if not holds_selector(node):
            return
        frame = Frame(Scope({}, scope), owner=owner, calls=(node,))
        receiver = self._receiver(node, owner)
        function = Function(node, scope, None, owner)
        self.bind_parameters(function, receiver, {}, frame)
        self.collected = Collected()
        result = self.body(function, frame)
        self.sink(result)
        yield self.unit(node)
        inner = node.body if isinstance(node.body, list) else [ast.Expr(node.body)]
        yield from self.functions(inner, frame.scope, owner)

    def _receiver(self, node: ast.AST, owner: Class | None) -> tuple[Thing, ...]:
        if owner is None or isinstance(node, ast.Lambda) or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return ()
        decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
        if "staticmethod" in decorators or not (node.args.args or node.args.posonlyargs):
            return ()
        if "classmethod" in decorators:
            return (owner,)
        return (self.instance_of(owner),)


def _definitions(
    body: list[ast.stmt],
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda]:
    """Functions, lambdas and classes in `body`, not those inside of another one."""
    stack: list[ast.AST] = list(reversed(body))
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            yield node
        else:
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


def holds_selector(node: ast.AST) -> bool:
    """Whether anything in a function could be a selector: a call, a product or a masked subscript."""
    kinds = (ast.Call, ast.Subscript, ast.Mult)
    return any(isinstance(part, kinds) for part in ast.walk(node))


def _is_autograd_function(node: ast.ClassDef) -> bool:
    """`autograd.Function`: its forward runs without gradients, its backward is the gradient."""
    return any(ast.unparse(base).endswith(("autograd.Function", "InplaceFunction")) for base in node.bases)


__all__ = ["Unit", "lower"]
