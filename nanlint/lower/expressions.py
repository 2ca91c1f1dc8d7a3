"""Expressions: literals, names, lambdas and comprehensions; the others have modules of their own."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from dataclasses import replace

from nanlint.graph import Constant, Kind
from nanlint.lower.lowering import HANDLER, MOST_UNROLLED
from nanlint.lower.operators import Operators
from nanlint.lower.scope import Frame, Scope
from nanlint.lower.things import Each, Function, Items, Mapped, Symbol, Text, Thing
from nanlint.names import canonical


class Expressions(Operators):
    """Evaluates expressions abstractly in a frame."""

    def evaluate(self, node: ast.expr, frame: Frame) -> Thing:
        """What `node` stands for."""
        handler = getattr(self, HANDLER[type(node)], None)
        if handler is None:
            return self.opaque(type(node).__name__.lower(), node=node)
        found: Thing = handler(node, frame)
        return found

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

    def _ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, frame: Frame) -> Thing:
        inner = self.inner(frame)
        first = node.generators[0]
        things = self.evaluate(first.iter, inner)
        simple = len(node.generators) == 1 and not first.ifs
        if simple and isinstance(things, Items) and _are_numbers(things.things):
            return Items(tuple(self._unrolled(node, thing, frame) for thing in things.things))
        for generator in node.generators:
            self.bind(generator.target, self.each(self.evaluate(generator.iter, inner), node), inner)
            for test in generator.ifs:
                condition = self.condition(test, inner)
                if condition is not None:
                    inner.assume(condition, True)
        return Each(self.evaluate(node.elt, inner))

    _SetComp = _GeneratorExp = _ListComp

    def _unrolled(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, thing: Thing, frame: Frame
    ) -> Thing:
        """The element that a comprehension makes of one known thing."""
        inner = self.inner(frame)
        self.bind(node.generators[0].target, thing, inner)
        return self.evaluate(node.elt, inner)

    def _DictComp(self, node: ast.DictComp, frame: Frame) -> Thing:
        inner = self.inner(frame)
        for generator in node.generators:
            self.bind(generator.target, self.each(self.evaluate(generator.iter, inner), node), inner)
        return Each(self.evaluate(node.value, inner))

    def inner(self, frame: Frame) -> Frame:
        """A frame for a scope inside an expression: what it binds does not come out."""
        scope = Scope({}, frame.scope)
        return replace(frame, scope=scope, alive=True, returned=[], left=[])


def _are_numbers(things: Sequence[Thing]) -> bool:
    """Whether things are a few known numbers, for each of which an expression may be run."""
    return len(things) <= MOST_UNROLLED and all(isinstance(thing, Constant) for thing in things)
