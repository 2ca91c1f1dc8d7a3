"""Assumptions while a function is lowered: like an `assert`, but believed against what a name or a default suggests."""

from __future__ import annotations

import ast

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC
from nanlint.assume.conditions import Plain
from nanlint.assume.stated import Assumed, Refuted, Stated, kept
from nanlint.facts import MAGNITUDE, Constraint, Facts, Network
from nanlint.graph import MOST_VALUES, Apply, Assumption, Constant, Kind, Leaf, Value, closure
from nanlint.lower.choosing import Choosing
from nanlint.lower.scope import Frame, Scope
from nanlint.lower.things import Class, Instance, Thing

_USUAL = R.interval(-MAGNITUDE, MAGNITUDE)


class Assuming(Choosing):
    """Runs the statements that assume, and applies what is assumed of call results and of objects."""

    def _Assumed(self, node: Assumed, frame: Frame) -> None:
        self._assume(node.stated, node, frame)

    def assume_of_objects(self, owner: Class | None, frame: Frame) -> None:
        """In front of a method: what its class and the known base classes state of their objects."""
        for cls in () if owner is None else self.ancestry(owner):
            for stated in kept(cls.node):
                self._assume(stated, cls.node, frame)

    def ancestry(self, cls: Class) -> list[Class]:
        """The class and its known base classes, the nearest first."""
        raise NotImplementedError

    def as_assumed(self, made: Thing, node: ast.Call, frame: Frame) -> Thing:
        """The result of a call with what is assumed of it."""
        for stated in kept(node):
            plain = stated.condition.plain
            if isinstance(made, Leaf) and made.opaque and plain is not None and made.region & plain.region:
                made = self._narrowed(made, made.region & plain.region, stated)
            elif isinstance(made, Value):
                inner = Frame(Scope({f"{ast.unparse(node.func)}()": made}, frame.scope), path=frame.path)
                self._hold(stated, node, inner)
                frame.take(inner)
        return made

    def _assume(self, stated: Stated, node: ast.AST, frame: Frame) -> None:
        plain = stated.condition.plain
        if plain is None or not self._restated(plain, stated, node, frame):
            self._hold(stated, node, frame)

    def _meant(self, node: ast.expr, frame: Frame) -> Thing:
        """What an expression of a condition stands for; it adds nothing to what the function computes."""
        mark = self.collected.mark()
        thing = self.evaluate(node, frame)
        self.collected.cut(mark)
        return thing

    def _hold(self, stated: Stated, node: ast.AST, frame: Frame) -> None:
        """From here on the condition is known, unless the code contradicts it."""
        condition = self._meant(stated.condition.test, frame)
        if not isinstance(condition, Value):
            return
        reason = self._contradiction(condition, stated, frame)
        if reason:
            self._refute(stated, node, reason, frame)
        elif not isinstance(condition, Constant):
            before = len(frame.path)
            frame.assume(condition, True)
            if not frame.returned:  # whatever the function returns, it returns behind this
                frame.given.extend(frame.path[before:])

    def _refute(self, stated: Stated, node: ast.AST, reason: str, frame: Frame) -> None:
        if frame.foreign_call is None:
            self.refuted.setdefault(stated.key, Refuted(stated, node, reason))

    # --- against what a name or a default suggests

    def _restated(self, plain: Plain, stated: Stated, node: ast.AST, frame: Frame) -> bool:
        """Give a name or an attribute an unknown value in the stated range; False where it has a value of its own.

        This is for inputs of which no more than their name, annotation or default is known, and for ranges of
        unusual numbers.
        """
        old = self._meant(plain.node, frame)
        if isinstance(old, Constant) and old.value in plain.region and _is_default(plain, node, frame):
            new = self.builder.leaf(plain.target, plain.region & R.FINITE, grad=False, kind=Kind.NUMBER)
            frame.scope.names[plain.target] = new
            return True
        if not isinstance(old, Leaf) or old.opaque or _is_conditioned(old, frame):
            return False
        if old.region == R.FINITE and plain.region & _USUAL:
            return False
        new = self._narrowed(old, plain.region & R.FINITE, stated)
        return self._replaced(plain, old, new, frame)

    def _narrowed(self, leaf: Leaf, region: R.Region, stated: Stated) -> Leaf:
        return self.builder.leaf(
            leaf.name,
            region,
            grad=leaf.grad,
            kind=leaf.kind,
            node=leaf.node,
            feeds=leaf.feeds,
            opaque=leaf.opaque,
            key=("assumed", leaf.number, stated.condition.text),
        )

    def _replaced(self, plain: Plain, old: Leaf, new: Leaf, frame: Frame) -> bool:
        names = frame.scope.names
        if isinstance(plain.node, ast.Name):
            names[plain.target] = new
            names.update((name, new) for name, thing in names.items() if thing is old)
            return True
        assert isinstance(plain.node, ast.Attribute)
        owner = self._meant(plain.node.value, frame)
        if not isinstance(owner, Instance):
            return False
        owner.fields[plain.node.attr] = new
        return True

    # --- against what the code shows

    def _contradiction(self, condition: Value, stated: Stated, frame: Frame) -> str:
        """Why a condition cannot be true here; "" if it can, or if nothing gets here."""
        path = [_constraint(assumption) for assumption in frame.path]
        network = Network(
            closure((condition, *(one.value for one in path)), MOST_VALUES), ARITHMETIC[self.dtype.name]
        )
        known = network.solve(path, network.unlimited())
        if known is None:
            return ""
        if isinstance(condition, Constant):
            possible = condition.value != 0.0
        else:
            possible = network.solve([Constraint(condition, R.NONZERO)], known) is not None
        return "" if possible else self._shown(stated, known, frame)

    def _shown(self, stated: Stated, known: Facts, frame: Frame) -> str:
        plain = stated.condition.plain
        value = None if plain is None or plain.is_call else self._meant(plain.node, frame)
        if plain is None or not isinstance(value, Value):
            return f"the code contradicts it{_where(frame)}"
        region = known.of(value)
        region = (region & R.FINITE) or region
        told = region.points[0] if region.points and len(region.points) == 1 else f"in {region}"
        return f"`{plain.target}` is {told}{_where(frame)}"


def _where(frame: Frame) -> str:
    """In which call, where a function is followed with the arguments of one."""
    name = getattr(frame.calls[-1], "name", "") if frame.depth and frame.calls else ""
    return f" in a call of `{name}`" if name else ""


def _constraint(assumption: Assumption) -> Constraint:
    return Constraint(assumption.condition, R.NONZERO if assumption.truth else R.ZERO)


def _is_conditioned(leaf: Leaf, frame: Frame) -> bool:
    """Whether the code has asked about a value before it got here."""
    conditions = (assumption.condition for assumption in frame.path)
    return any(value.number == leaf.number for value in closure(conditions, MOST_VALUES))


def _is_default(plain: Plain, node: ast.AST, frame: Frame) -> bool:
    """Whether a name is that of a parameter with a default, before the first statement of the analysed function."""
    function = frame.calls[-1] if frame.calls and not frame.depth else None
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    for statement in function.body:
        if statement is node:
            args = function.args
            return plain.target in {arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
        if not isinstance(statement, (Assumed, ast.Expr)):
            return False
    return False


__all__ = ["Apply", "Assuming"]
