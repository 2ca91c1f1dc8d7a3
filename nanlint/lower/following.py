"""Names imported from other files of the same project: functions and classes to follow, and constants."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import partial
from itertools import islice

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC
from nanlint.facts import solve
from nanlint.graph import Apply, Leaf, Value, closure
from nanlint.lower.call import Call
from nanlint.lower.scope import FileScope, ForeignCall, Frame, Scope, elsewhere
from nanlint.lower.statements import Statements
from nanlint.lower.things import Class, Function, Items, Symbol, Thing
from nanlint.modules import Module, load
from nanlint.names import canonical, is_foreign, may_be_of_project
from nanlint.project import Project
from nanlint.regions import Region

_UNDERSTOOD = ("torch.", "math.", "builtins.float", "builtins.int")
MOST_FOLLOWED = 120
"""Values in the result of a call into another file; a longer computation is a single value to its caller."""
_MOST_SOLVED = 400
_MOST_NODES = 64
_PLAIN = (
    ast.Constant,
    ast.Name,
    ast.Attribute,
    ast.UnaryOp,
    ast.BinOp,
    ast.Tuple,
    ast.List,
    ast.Dict,
    ast.Call,
    ast.keyword,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
)


class Following(Statements):
    """Finds what imported names stand for; a file's top level is not run, its names are bound when they are needed."""

    project = Project()
    own: Scope | None = None
    """The top level of the analysed file, which other files may import from."""

    def follow(self, dotted: str) -> Thing | None:
        """What `dotted` stands for in the project: a function, a class, a constant, or a name from outside."""
        if not may_be_of_project(dotted):
            return None
        if dotted not in self.imports:
            self.imports[dotted] = None  # where files import each other in a circle, this is where it ends
            self.imports[dotted] = self._imported(dotted)
        return self.imports[dotted]

    def call_function(self, function: Function, call: Call) -> Thing:
        """Follow a call into its body; what comes back from another file is summed up if it is large."""
        if function.scope.file() is None or call.frame.foreign_call is not None:
            return super().call_function(function, call)
        try:
            made = super().call_function(function, call)
        except RecursionError:  # the other file is nested too deeply; this one need not be
            return self.unknown_call(call.of(function))
        return self._summed_up(made, call.node)

    def _summed_up(self, thing: Thing, node: ast.AST) -> Thing:
        """A long computation stands for nothing but its region: no condition is met by searching through all of it."""
        if isinstance(thing, Items):
            return Items(tuple(self._summed_up(item, node) for item in thing.things))
        if not isinstance(thing, Apply):
            return thing
        order = closure((thing,), _MOST_SOLVED)
        if sum(isinstance(value.node, ForeignCall) for value in order) <= MOST_FOLLOWED:
            return thing
        leaves = [value for value in order if isinstance(value, Leaf)]
        region, key = self._region(thing, order), ("summary", thing.number)
        return self.opaque(
            self.source(node), *leaves, region=region, grad=thing.grad, kind=thing.kind, node=node, key=key
        )

    def _region(self, value: Value, order: Sequence[Value]) -> Region:
        facts = solve(order, (), ARITHMETIC[self.dtype.name])
        if facts is None or value.number in facts.nans:
            return R.FINITE
        return (facts.of(value) & R.FINITE) or R.FINITE

    def _imported(self, dotted: str) -> Thing | None:
        found = self.project.resolve(dotted)
        if isinstance(found, str):
            return Symbol(canonical(found)) if found != dotted else None
        module = None if found.path == self.project.path else load(found.path)
        scope = self.own if module is None else self._scope(module)
        thing = scope.find(found.name) if scope is not None else None
        return None if thing is None else self.followed(thing)

    def _scope(self, module: Module) -> FileScope:
        if module.path not in self.files:
            scope = FileScope(stars=list(module.stars), package=module.package, yields=module.yields)
            scope.bind = partial(self._defined, module, scope)
            self.files[module.path] = scope
        return self.files[module.path]

    def _defined(self, module: Module, scope: FileScope, name: str) -> Thing | None:
        """What `name` is bound to at the top level of a file."""
        if name not in module.bound:
            return None
        bound = module.bound[name]
        if isinstance(bound, str):
            return Symbol(canonical(bound))
        if isinstance(bound, ast.ClassDef):
            return Class(bound, scope, name)
        if isinstance(bound, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return Function(bound, scope)
        frame = elsewhere(scope)
        if isinstance(bound, ast.Lambda) or (bound is not None and self._is_plain(bound, frame)):
            return self.evaluate(bound, frame)
        region, _ = self.named_result(name)
        return self.opaque(name, region=region, grad=False, key=("global", module.path, name))

    def _is_plain(self, value: ast.expr, frame: Frame) -> bool:
        """Whether an expression is small and made of numbers, names and calls of torch alone."""
        parts = list(islice(ast.walk(value), _MOST_NODES + 1))
        empty = any(
            isinstance(part, (ast.List, ast.Dict)) and not list(ast.iter_child_nodes(part)) for part in parts
        )
        return (
            len(parts) <= _MOST_NODES
            and not empty
            and all(self._is_plain_part(part, frame) for part in parts)
        )

    def _is_plain_part(self, part: ast.AST, frame: Frame) -> bool:
        if not isinstance(part, ast.Call):
            return isinstance(part, _PLAIN)
        called = self.evaluate(part.func, frame) if isinstance(part.func, (ast.Name, ast.Attribute)) else None
        return isinstance(called, Symbol) and (called.name.startswith(_UNDERSTOOD) or is_foreign(called.name))


__all__ = ["Following"]
