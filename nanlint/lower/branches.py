"""Branches: `if`, `match` and `try`, and how their states are joined."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from nanlint.graph import Value
from nanlint.lower.assignments import Assignments
from nanlint.lower.scope import Frame, Scope
from nanlint.lower.things import Foreign, Thing

_FLOATING = "is_floating_point"


class Branches(Assignments):
    """Runs branches abstractly in a frame."""

    def _If(self, node: ast.If, frame: Frame) -> None:
        decided, condition = self.tested(node.test, frame)
        if decided is not None:
            self.run(node.body if decided else node.orelse, frame)
            return
        self._fork(condition, node.body, node.orelse, frame, node.test)

    def _fork(
        self,
        condition: Value | None,
        body: Sequence[ast.stmt],
        orelse: Sequence[ast.stmt],
        frame: Frame,
        test: ast.expr | None = None,
    ) -> None:
        first, second = self._branch(frame), self._branch(frame)
        for branch, name in _of_integers(test, first, second):
            branch.scope.names[name] = self.without_gradient(branch.scope.names[name])
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
            frame.handed,
            frame.handed_singular,
            frame.handed_still,
            frame.deciding,
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


def _captured(pattern: ast.pattern) -> list[str]:
    names = []
    for node in ast.walk(pattern):
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if isinstance(name, str):
            names.append(name)
    return names


def _of_integers(test: ast.expr | None, first: Frame, second: Frame) -> Iterator[tuple[Frame, str]]:
    """The branch in which a test says that a name's tensor is not floating: there it has no gradient."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, first, second = test.operand, second, first
    if not isinstance(test, ast.Call) or _FLOATING not in (
        getattr(test.func, "attr", ""),
        getattr(test.func, "id", ""),
    ):
        return
    asked = test.args[0] if test.args else getattr(test.func, "value", None)
    if isinstance(asked, ast.Name) and asked.id in second.scope.names:
        yield second, asked.id
