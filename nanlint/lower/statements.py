"""Statements: assignments, branches, loops and scopes, as a walk that keeps the state of every name."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC
from nanlint.facts import solve
from nanlint.graph import Apply, Constant, Kind, Leaf, Value, closure
from nanlint.lower.conventions import is_count_name, is_mask_name
from nanlint.lower.expressions import Expressions
from nanlint.lower.lowering import values_in
from nanlint.lower.scope import Frame, Returned, Scope
from nanlint.lower.things import Class, Each, Foreign, Function, Instance, Items, Symbol, Text, Thing
from nanlint.names import imported, is_foreign, origin
from nanlint.regions import Region

_UNROLLED = 8
_DEEPEST_REFINED_LOOP = 2
_WIDENED = (R.TRUTH, R.UNIT, R.POSITIVE & R.FINITE, R.NONNEGATIVE & R.FINITE, R.FINITE)
_NO_GRAD = frozenset(
    {"torch.no_grad", "torch.inference_mode", "torch.autograd.no_grad", "torch.autograd.inference_mode"}
)


class Statements(Expressions):
    """Runs statements abstractly in a frame."""

    def run(self, body: Iterable[ast.stmt], frame: Frame) -> None:
        """Run `body` until it ends or control leaves it."""
        for statement in body:
            if not frame.alive:
                return
            handler = getattr(self, f"_{type(statement).__name__}", None)
            if handler is not None:
                handler(statement, frame)

    # --- assignments

    def _Assign(self, node: ast.Assign, frame: Frame) -> None:
        thing = self.evaluate(node.value, frame)
        for target in node.targets:
            self.bind(target, thing, frame)

    def _AnnAssign(self, node: ast.AnnAssign, frame: Frame) -> None:
        if node.value is not None:
            self.bind(node.target, self.evaluate(node.value, frame), frame)

    def _AugAssign(self, node: ast.AugAssign, frame: Frame) -> None:
        loaded = _as_load(node.target)
        old = self.evaluate(loaded, frame)
        new = self.binary(node.op, old, self.evaluate(node.value, frame), node, frame)
        self.bind(node.target, new, frame)

    def bind(self, target: ast.expr, thing: Thing, frame: Frame) -> None:
        """Assign `thing` to an assignment target."""
        if isinstance(target, ast.Name):
            frame.scope.names[target.id] = self._as_called(target.id, thing)
            if target.id in frame.scope.outer:
                self.sink(thing)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, thing, frame)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, Each(thing), frame)
        elif isinstance(target, ast.Attribute):
            self._bind_attribute(target, thing, frame)
        elif isinstance(target, ast.Subscript):
            self._bind_item(target, thing, frame)

    def _as_called(self, name: str, thing: Thing) -> Thing:
        """An unknown result that is called a mask is one, and nobody differentiates what is called a count."""
        if isinstance(thing, Value) and thing.grad and is_count_name(name):
            return self.detached(thing)
        unknown = isinstance(thing, Leaf) and thing.opaque and thing.region == R.FINITE
        if not unknown or not isinstance(thing, Leaf) or not is_mask_name(name):
            return thing
        return self.builder.leaf(
            thing.name,
            R.TRUTH,
            grad=False,
            kind=thing.kind,
            node=thing.node,
            feeds=thing.feeds,
            opaque=True,
            key=("mask", thing.number),
        )

    def _unpack(self, targets: Sequence[ast.expr], thing: Thing, frame: Frame) -> None:
        if isinstance(thing, Items) and len(thing.things) == len(targets):
            parts: Sequence[Thing] = thing.things
        elif isinstance(thing, Value):
            parts = [self.element(thing, str(index)) for index in range(len(targets))]
        elif isinstance(thing, Each):
            parts = [thing.thing] * len(targets)
        elif isinstance(thing, Foreign):
            parts = [thing] * len(targets)
        else:
            parts = [self.opaque("value", thing) for _ in targets]
        for target, part in zip(targets, parts, strict=True):
            self.bind(target, part, frame)

    def _bind_attribute(self, target: ast.Attribute, thing: Thing, frame: Frame) -> None:
        owner = self.evaluate(target.value, frame)
        if isinstance(owner, Instance):
            owner.fields[target.attr] = thing
        self.sink(thing)

    def _bind_item(self, target: ast.Subscript, thing: Thing, frame: Frame) -> None:
        """`y[key] = v` gives `y` a new value; names of the same tensor follow."""
        old = self.evaluate(target.value, frame)
        if not isinstance(old, Value):
            self.sink(thing)
            return
        new = self.stored(old, target.slice, thing, target, frame)
        if isinstance(target.value, ast.Name):
            self.rebind(old, new, frame)
        else:
            self.sink(thing)

    def rebind(self, old: Value, new: Value, frame: Frame) -> None:
        """After an in-place op: every name of `old` in this scope now has the new value."""
        for name, thing in frame.scope.names.items():
            if thing is old:
                frame.scope.names[name] = new
        if isinstance(old, Leaf) and not old.opaque:
            self.sink(new)

    def _Delete(self, node: ast.Delete, frame: Frame) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                frame.scope.names.pop(target.id, None)

    # --- values that leave

    def _Expr(self, node: ast.Expr, frame: Frame) -> None:
        self.evaluate(node.value, frame)

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

    # --- branches

    def _If(self, node: ast.If, frame: Frame) -> None:
        condition = self.condition(node.test, frame)
        self._fork(condition, node.body, node.orelse, frame)

    def _fork(
        self, condition: Value | None, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt], frame: Frame
    ) -> None:
        first, second = self._branch(frame), self._branch(frame)
        if condition is not None:
            first.assume(condition, True)
            second.assume(condition, False)
        self.run(body, first)
        self.run(orelse, second)
        self._join(condition, first, second, frame)

    def _branch(self, frame: Frame) -> Frame:
        names = dict(frame.scope.names)
        return Frame(
            Scope(names, frame.scope.parent, frame.scope.stars, frame.scope.outer),
            frame.depth,
            frame.grad,
            True,
            frame.path,
            frame.returned,
            frame.owner,
            frame.calls,
            frame.loops,
            frame.left,
            frame.foreign_call,
        )

    def _join(self, condition: Value | None, first: Frame, second: Frame, frame: Frame) -> None:
        """Go on with the branches that are still alive; a name that differs is one or the other."""
        if first.alive and second.alive:
            frame.scope.names = self._merged(condition, first.scope.names, second.scope.names)
            return
        survivor = first if first.alive else second
        frame.scope.names = survivor.scope.names
        frame.path = survivor.path
        frame.alive = survivor.alive

    def _merged(
        self, condition: Value | None, first: dict[str, Thing], second: dict[str, Thing]
    ) -> dict[str, Thing]:
        names: dict[str, Thing] = {}
        for name in {**first, **second}:
            a, b = first.get(name), second.get(name)
            if a is None or b is None:
                only = a if a is not None else b
                assert only is not None
                names[name] = only
            else:
                names[name] = self.choose(condition, a, b)
        return names

    def _Match(self, node: ast.Match, frame: Frame) -> None:
        self.evaluate(node.subject, frame)
        subject = self.opaque("subject", self.evaluate(node.subject, frame))
        branches: list[Frame] = []
        for case in node.cases:
            branch = self._branch(frame)
            for name in _captured(case.pattern):
                branch.scope.names[name] = subject
            self.run(case.body, branch)
            branches.append(branch)
        self._join_all([*branches, self._branch(frame)], frame)

    def _join_all(self, branches: Sequence[Frame], frame: Frame) -> None:
        joined = branches[0]
        for branch in branches[1:]:
            merged = self._branch(frame)
            self._join(None, joined, branch, merged)
            joined = merged
        frame.scope.names = joined.scope.names
        frame.alive = joined.alive
        if len([branch for branch in branches if branch.alive]) == 1:
            frame.path = joined.path

    def _Try(self, node: ast.Try, frame: Frame) -> None:
        body = self._branch(frame)
        self.run([*node.body, *node.orelse], body)
        branches = [body]
        for handler in node.handlers:
            branch = self._branch(frame)
            if handler.name:
                branch.scope.names[handler.name] = Foreign()
            self.run(handler.body, branch)
            branches.append(branch)
        self._join_all(branches, frame)
        self.run(node.finalbody, frame)

    _TryStar = _Try

    # --- loops

    def _For(self, node: ast.For, frame: Frame) -> None:
        iterable = self.evaluate(node.iter, frame)
        if isinstance(iterable, Items) and len(iterable.things) <= _UNROLLED and not _leaves_early(node.body):
            for thing in iterable.things:
                self.bind(node.target, thing, frame)
                self.run(node.body, frame)
            self.run(node.orelse, frame)
            return
        self._loop(
            node.body, frame, lambda inner: self.bind(node.target, self.each(iterable, node.iter), inner)
        )
        self.run(node.orelse, frame)

    _AsyncFor = _For

    def _While(self, node: ast.While, frame: Frame) -> None:
        self._loop(node.body, frame, lambda inner: self._assume_test(node.test, inner))
        self.run(node.orelse, frame)

    def _assume_test(self, test: ast.expr, frame: Frame) -> None:
        condition = self.condition(test, frame)
        if condition is not None and not isinstance(condition, Constant):
            frame.assume(condition, True)

    def _loop(self, body: Sequence[ast.stmt], frame: Frame, begin: object) -> None:
        """Run a loop body once, with the names that it changes standing for any number of rounds."""
        carried = [name for name in _assigned(body) if name in frame.scope.names]
        entries = {name: frame.scope.names[name] for name in carried}
        selectors, sinks = len(self.collected.selectors), len(self.collected.sinks)
        returned = len(frame.returned)
        inner, starts = self._loop_pass(body, frame, begin, entries, {})
        refined = self._fixed_points(starts, inner, entries) if frame.loops < _DEEPEST_REFINED_LOOP else {}
        if refined:
            # the second pass replaces the first one
            del self.collected.selectors[selectors:], self.collected.sinks[sinks:], frame.returned[returned:]
            inner, starts = self._loop_pass(body, frame, begin, entries, refined)
        after = dict(frame.scope.names)
        for ending in ([inner.scope.names] if inner.alive else []) + inner.left:
            after = self._merged(None, after, ending)
        frame.scope.names = after

    def _loop_pass(
        self,
        body: Sequence[ast.stmt],
        frame: Frame,
        begin: object,
        entries: dict[str, Thing],
        known: dict[str, Leaf],
    ) -> tuple[Frame, dict[str, Leaf]]:
        inner = self._branch(frame)
        inner.loops += 1
        inner.left = []
        starts: dict[str, Leaf] = {}
        for name, entry in entries.items():
            if isinstance(entry, Value):
                start = known.get(name) or self.opaque(name, entry, grad=True, kind=entry.kind)
                starts[name] = start
                inner.scope.names[name] = start
        assert callable(begin)
        begin(inner)
        self.run(body, inner)
        return inner, starts

    def _fixed_points(
        self, starts: dict[str, Leaf], inner: Frame, entries: dict[str, Thing]
    ) -> dict[str, Leaf]:
        """Leaves with the smallest of a few regions that the loop body does not leave, for the names it carries."""
        refined: dict[str, Leaf] = {}
        for name, start in starts.items():
            entry, end = entries[name], inner.scope.names.get(name)
            if not isinstance(entry, Value) or not isinstance(end, Value):
                continue
            region = self._invariant(start, entry, end)
            grad = entry.grad or self._gains_gradient(end, {leaf.number for leaf in starts.values()})
            if region != R.FINITE or not grad:
                refined[name] = self.opaque(name, entry, region=region, grad=grad, kind=start.kind)
        return refined

    def _invariant(self, start: Leaf, entry: Value, end: Value) -> Region:
        a = ARITHMETIC[self.dtype.name]
        first = solve(closure((entry,), 100), (), a)
        if first is None or entry.number in first.nans:
            return R.FINITE
        begin = first.of(entry)
        order = closure((end,), 150)
        for region in (begin, *_WIDENED):
            if not begin <= region:
                continue
            _widen(start, region)
            after = solve(order, (), a)
            if after is not None and end.number not in after.nans and (after.of(end) & R.FINITE) <= region:
                _widen(start, R.FINITE)
                return region
        _widen(start, R.FINITE)
        return R.FINITE

    def _gains_gradient(self, end: Value, carried: set[int]) -> bool:
        """Whether gradient flows into `end` from anything but the loop's own variables."""
        seen: set[int] = set()
        stack = [end]
        while stack:
            value = stack.pop()
            if value.number in seen or not value.grad or value.number in carried:
                continue
            seen.add(value.number)
            if isinstance(value, Leaf):
                return True
            stack.extend(value.args if isinstance(value, Apply) else ())
        return False

    # --- scopes

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
        """Whether one of the decorators turns gradients off."""
        return any(self._stops_gradient(decorator, frame) for decorator in decorators)

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


def _widen(leaf: Leaf, region: Region) -> None:
    """Set the region of a loop variable while its fixed point is looked for; nothing else has seen it yet."""
    object.__setattr__(leaf, "region", region)


def _first_is(call: ast.Call, value: bool) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return bool(given) and isinstance(given[0], ast.Constant) and given[0].value is value


def _as_load(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    return target


def _assigned(body: Sequence[ast.stmt]) -> list[str]:
    """Names that statements of `body` bind or change in place, in order."""
    found: dict[str, None] = {}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found[node.id] = None
            elif (
                isinstance(node, ast.Subscript)
                and isinstance(node.ctx, ast.Store)
                and isinstance(node.value, ast.Name)
            ) or (
                isinstance(node, ast.Attribute)
                and node.attr.endswith("_")
                and isinstance(node.value, ast.Name)
            ):
                found[node.value.id] = None
    return list(found)


def _leaves_early(body: Sequence[ast.stmt]) -> bool:
    return any(
        isinstance(node, (ast.Break, ast.Continue)) for statement in body for node in ast.walk(statement)
    )


def _captured(pattern: ast.pattern) -> list[str]:
    names = []
    for node in ast.walk(pattern):
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if isinstance(name, str):
            names.append(name)
    return names


__all__ = ["Kind", "Statements", "is_foreign", "values_in"]
