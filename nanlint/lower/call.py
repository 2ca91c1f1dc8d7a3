"""A call with its arguments evaluated: what those who know its result are given."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from nanlint.graph import Constant, Leaf, Value
from nanlint.lower.scope import Frame
from nanlint.lower.things import Foreign, Function, Method, Symbol, Text, Thing, values_in


@dataclass(eq=False, slots=True)
class Call:
    """`called(*args, **named)` at `node`, run in `frame`.

    `node` is what the result has for syntax: an `ast.Call`, or the attribute for a property.
    """

    called: Thing
    args: tuple[Thing, ...]
    named: Mapping[str, Thing]
    node: ast.expr
    frame: Frame

    @property
    def first(self) -> Thing | None:
        """The first positional argument, for a method of a tensor the receiver; None if there is none."""
        return self.args[0] if self.args else None

    @property
    def things(self) -> tuple[Thing, ...]:
        """All arguments, by position and then by name."""
        return (*self.args, *self.named.values())

    @property
    def values(self) -> list[Value]:
        """The graph values that the arguments hold."""
        return [value for thing in self.things for value in values_in(thing)]

    @property
    def grad(self) -> bool:
        """Whether gradient flows through any argument."""
        return any(value.grad for value in self.values)

    @property
    def is_of_arrays(self) -> bool:
        """Whether all that is handed over comes from numpy or the like, numbers apart."""
        rest = [thing for thing in self.things if not isinstance(thing, (Constant, Text))]
        return bool(rest) and all(isinstance(thing, Foreign) for thing in rest)

    @property
    def is_complete(self) -> bool:
        """Whether the call says all of its arguments: there is no `*args` or `**kwargs` among them."""
        if not isinstance(self.node, ast.Call):
            return True
        starred = any(isinstance(arg, ast.Starred) for arg in self.node.args)
        return not starred and all(keyword.arg is not None for keyword in self.node.keywords)

    @property
    def is_bare(self) -> bool:
        """Whether a plain name is called, as builtins are, and not an attribute."""
        return isinstance(self.node, ast.Call) and isinstance(self.node.func, ast.Name)

    @property
    def is_builtin(self) -> bool:
        """Whether a function of Python's own is called."""
        return isinstance(self.called, Symbol) and self.called.name.startswith("builtins.")

    @property
    def name(self) -> str:
        """The last part of the name that what is called has where it is defined; empty if it has none."""
        called = self.called
        if isinstance(called, Method):
            return called.name
        if isinstance(called, Function):
            return "" if isinstance(called.node, ast.Lambda) else called.node.name
        name = called.name if isinstance(called, (Symbol, Leaf)) else ""
        return name.rsplit(".", 1)[-1]

    def argument(self, index: int, *names: str) -> Thing | None:
        """The argument at `index` or under one of `names`; None if it is missing or is `None`."""
        if index < len(self.args):
            found: Thing | None = self.args[index]
        else:
            found = next((self.named[name] for name in names if name in self.named), None)
        return None if isinstance(found, Text) and found.value is None else found

    def of(self, called: Thing) -> Call:
        """The same call of something else: of the function that a name stands for."""
        return Call(called, self.args, self.named, self.node, self.frame)

    def on(self, receiver: Thing) -> Call:
        """A method's call as that of a function, with the receiver as the first argument."""
        return Call(self.called, (receiver, *self.args), self.named, self.node, self.frame)


__all__ = ["Call"]
