"""Statements: what leaves a function, scopes and imports; assignments, branches and loops have modules of their own."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from nanlint.budget import A_STATEMENT
from nanlint.lower.loops import Loops
from nanlint.lower.lowering import HANDLER
from nanlint.lower.scope import Frame, Returned
from nanlint.lower.things import Class, Foreign, Function, Symbol, Text
from nanlint.names import imported, is_foreign, origin

_NO_GRAD = frozenset(
    {"torch.no_grad", "torch.inference_mode", "torch.autograd.no_grad", "torch.autograd.inference_mode"}
)


class Statements(Loops):
    """Runs statements abstractly in a frame, keeping the state of every name."""

    def run(self, body: Iterable[ast.stmt], frame: Frame) -> None:
        """Run `body` until it ends or control leaves it."""
        for statement in body:
            if not frame.alive:
                return
            if self.budget is not None:
                self.budget.spend(A_STATEMENT)
            handler = getattr(self, HANDLER[type(statement)], None)
            if handler is not None:
                handler(statement, frame)

    def _Expr(self, node: ast.Expr, frame: Frame) -> None:
        self.evaluate(node.value, frame)
        if _ends_program(node.value):
            frame.alive = False

    def _Return(self, node: ast.Return, frame: Frame) -> None:
        thing = self.evaluate(node.value, frame) if node.value is not None else Text(None)
        frame.returned.append(Returned(thing, frame.path))
        frame.alive = False

    def _Raise(self, node: ast.Raise, frame: Frame) -> None:
        frame.alive = False

    def _Break(self, node: ast.Break | ast.Continue, frame: Frame) -> None:
        frame.left.append(dict(frame.scope.names))
        frame.alive = False

    _Continue = _Break

    def _Assert(self, node: ast.Assert, frame: Frame) -> None:
        condition = self.condition(node.test, frame)
        if condition is not None:
            frame.assume(condition, True)

    def _With(self, node: ast.With, frame: Frame) -> None:
        before = frame.grad
        for item in node.items:
            if self._stops_gradient(item.context_expr, frame):
                frame.grad = False
            elif self._starts_gradient(item.context_expr, frame):
                frame.grad = True
            thing = self.evaluate(item.context_expr, frame)
            if item.optional_vars is not None:
                opened = thing if isinstance(thing, Foreign) else self.opaque("context", thing)
                self.bind(item.optional_vars, opened, frame)
        self.run(node.body, frame)
        frame.grad = before

    _AsyncWith = _With

    def _stops_gradient(self, node: ast.expr, frame: Frame) -> bool:
        called = node.func if isinstance(node, ast.Call) else node
        thing = self.evaluate(called, frame)
        if not isinstance(thing, Symbol):
            return False
        if thing.name in _NO_GRAD:
            return not (isinstance(node, ast.Call) and _first_is(node, False))
        return (
            thing.name.endswith("set_grad_enabled") and isinstance(node, ast.Call) and _first_is(node, False)
        )

    def _starts_gradient(self, node: ast.expr, frame: Frame) -> bool:
        called = node.func if isinstance(node, ast.Call) else node
        thing = self.evaluate(called, frame)
        return isinstance(thing, Symbol) and thing.name in ("torch.enable_grad", "torch.autograd.enable_grad")

    def stops_gradient(self, decorators: Iterable[ast.expr], frame: Frame) -> bool:
        """Whether one of the decorators turns gradients off, or makes a kernel of another library's."""
        return any(self._stops_gradient(one, frame) or self._makes_kernel(one, frame) for one in decorators)

    def _makes_kernel(self, decorator: ast.expr, frame: Frame) -> bool:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        thing = self.evaluate(called, frame)
        return isinstance(thing, Symbol) and is_foreign(thing.name)

    def _FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, frame: Frame) -> None:
        frame.scope.names[node.name] = Function(node, frame.scope, owner=frame.owner)

    _AsyncFunctionDef = _FunctionDef

    def _Global(self, node: ast.Global | ast.Nonlocal, frame: Frame) -> None:
        frame.scope.outer.update(node.names)

    _Nonlocal = _Global

    def _ClassDef(self, node: ast.ClassDef, frame: Frame) -> None:
        frame.scope.names[node.name] = Class(node, frame.scope, node.name)

    def _Import(self, node: ast.Import | ast.ImportFrom, frame: Frame) -> None:
        file = frame.scope.file()
        package = self.package if file is None else file.package
        for name, dotted in imported(node, package):
            frame.scope.names[name] = Symbol(dotted)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            frame.scope.stars.append(origin(node, package))

    _ImportFrom = _Import


def _first_is(call: ast.Call, value: bool) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return bool(given) and isinstance(given[0], ast.Constant) and given[0].value is value


def _ends_program(node: ast.expr) -> bool:
    """`exit()`, `sys.exit(1)`: nothing behind it runs."""
    if not isinstance(node, ast.Call):
        return False
    func = node.func
    if isinstance(func, ast.Name):
        return func.id in ("exit", "quit")
    return isinstance(func, ast.Attribute) and ast.unparse(func) in ("sys.exit", "os._exit", "os.abort")
