"""Loops: unrolled if short, else run once with the names that they change standing for any round."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC
from nanlint.facts import solve
from nanlint.graph import Apply, Constant, Leaf, Value, closure
from nanlint.lower.branches import Branches
from nanlint.lower.lowering import MOST_UNROLLED
from nanlint.lower.scope import Frame
from nanlint.lower.things import Items, Thing
from nanlint.regions import Region

_DEEPEST_REFINED_LOOP = 2

_WIDENED = (R.TRUTH, R.UNIT, R.POSITIVE & R.FINITE, R.NONNEGATIVE & R.FINITE, R.FINITE)


class Loops(Branches):
    """Runs loops abstractly in a frame."""

    def _For(self, node: ast.For, frame: Frame) -> None:
        iterable = self.evaluate(node.iter, frame)
        if (
            isinstance(iterable, Items)
            and len(iterable.things) <= MOST_UNROLLED
            and not _leaves_early(node.body)
        ):
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

    def _bound_by(self, body: Sequence[ast.stmt]) -> list[str]:
        """Names that the body of a loop binds or changes, found out once."""
        if body[0] not in self.bound_by:
            self.bound_by[body[0]] = _assigned(body)
        return self.bound_by[body[0]]

    def _loop(self, body: Sequence[ast.stmt], frame: Frame, begin: object) -> None:
        """Run a loop body once, with the names that it changes standing for any number of rounds."""
        carried = [name for name in self._bound_by(body) if name in frame.scope.names]
        entries = {name: frame.scope.names[name] for name in carried}
        mark, returned = self.collected.mark(), len(frame.returned)
        inner, starts = self._loop_pass(body, frame, begin, entries, {})
        refined = self._fixed_points(starts, inner, entries) if frame.loops < _DEEPEST_REFINED_LOOP else {}
        if refined:
            # the second pass replaces the first one
            self.collected.cut(mark)
            del frame.returned[returned:]
            inner, starts = self._loop_pass(body, frame, begin, entries, refined)
        self._carry(starts, inner)
        after = dict(frame.scope.names)
        for ending in ([inner.scope.names] if inner.alive else []) + inner.left:
            after = self._merged(None, after, ending)
        frame.scope.names = after

    def _carry(self, starts: dict[str, Leaf], inner: Frame) -> None:
        """What the names of a loop are at the start of a round is what the round before has left."""
        for name, start in starts.items():
            end = inner.scope.names.get(name)
            if isinstance(end, Value):
                self.wholes.setdefault(start.number, end)

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
        # a loop inside of the body begins with the same variable, and ends up in what `end` is chosen from
        carried = [start, *(v for v in order if isinstance(v, Leaf) and _is_carried_on(v, start))]
        regions = [leaf.region for leaf in carried]
        kept = R.FINITE
        for region in (begin, *_WIDENED):
            if not begin <= region:
                continue
            _widen(carried, [region] * len(carried))
            after = solve(order, (), a)
            if after is not None and end.number not in after.nans and (after.of(end) & R.FINITE) <= region:
                kept = region
                break
        _widen(carried, regions)
        return kept

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
                if not _is_element_of(value, carried):
                    return True
                continue
            stack.extend(value.args if isinstance(value, Apply) else ())
        return False


def _is_element_of(leaf: Leaf, carried: set[int]) -> bool:
    """Whether a value is an element of one of the loop's own variables."""
    whole = leaf.feeds[0] if leaf.feeds else None
    if not isinstance(whole, Leaf) or whole.number not in carried:
        return False
    return leaf.name.startswith(f"{whole.name}[") or _is_carried_on(leaf, whole)


def _is_carried_on(leaf: Leaf, start: Leaf) -> bool:
    """Whether a value is the variable of an inner loop that begins with an outer loop's own."""
    return bool(leaf.opaque and leaf.name == start.name and leaf.feeds and leaf.feeds[0] is start)


def _widen(leaves: Sequence[Leaf], regions: Sequence[Region]) -> None:
    """Set the regions of a loop variable while its fixed point is looked for; nothing else has seen it yet."""
    for leaf, region in zip(leaves, regions, strict=True):
        leaf.region = region


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
