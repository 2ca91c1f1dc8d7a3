"""What is known of the functions of a file and of their uses: the calls of each name, and where it is a value."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from nanlint.lower.uses import Function

ENTRIES = ("forward", "__call__")
"""Methods that are called by calling the object."""


@dataclass(frozen=True)
class Signature:
    """The arguments that a function takes; `least` of them have to be given."""

    positional: int | None
    """At most so many without a name; None for any number."""
    names: frozenset[str] | None
    """By these names; None for any."""
    least: int

    @classmethod
    def of(cls, node: Function, owner: str) -> Signature:
        """That of a function. Called by its class, a method is given one argument more than by an object."""
        args = node.args
        named = [arg.arg for arg in (*args.posonlyargs, *args.args)]
        names = frozenset([*named, *(arg.arg for arg in args.kwonlyargs)])
        bound = bool(owner and named)
        return cls(
            None if args.vararg else len(named),
            None if args.kwarg else names,
            len(named) - len(args.defaults) - bound,
        )

    def accepts(self, use: Use) -> bool:
        """Whether a call can be one of this function, by the number and the names of its arguments."""
        if use.positional is None or use.keywords is None:
            return True
        fits = self.positional is None or use.positional <= self.positional
        known = self.names is None or use.keywords <= self.names
        return fits and known and use.positional + len(use.keywords) >= self.least


@dataclass(eq=False)
class Home:
    """A function at the top of a file or of a class, and what it does."""

    path: str
    name: str
    owner: str
    """The name of its class, "" for none."""
    first: int
    last: int
    """The lines that it takes up, without its decorators."""
    signature: Signature
    is_plain: bool
    """Whether nothing but its name leads to it."""
    is_off: bool
    asks: bool = False
    """Whether gradients are asked for in it."""
    keeps: bool = False
    """Whether it keeps something in an attribute, where it may be found other than as a result."""

    given_away: list[tuple[int, int]] = field(default_factory=list)
    """The lines of functions in it that leave it: they may be called anywhere."""

    spent: list[tuple[int, int]] = field(default_factory=list)
    """The lines of statements in it whose values no gradient comes back from; known of a file that is judged."""

    @property
    def key(self) -> tuple[str, int]:
        """What tells it apart from all other functions."""
        return self.path, self.first


class Use(NamedTuple):
    """A call: in which function, whether gradients are off there, whether its result leaves the graph at once."""

    home: Home | None
    is_off: bool
    is_out: bool
    positional: int | None
    """How many arguments have no name; None if that cannot be told."""
    keywords: frozenset[str] | None
    kept: str
    """The attribute that the result is assigned to, "" for none."""
    is_declared: bool = False
    """Whether it is a metric that declares not to be differentiable."""
    through: str = ""
    """The dotted name of the module that the function is an attribute of, "" if it is none or unknown."""
    is_still: bool = False
    """Whether no gradient flows to anything that is given to it."""
    of_self: bool = False
    """Whether it is of a method of the object at hand."""
    is_sure: bool = False
    """Whether it is certain that this is a call of what was looked for, and not of something with its name."""


@dataclass
class Summary:
    """What a file does with each name, and with each attribute."""

    path: str
    imports: dict[str, str] = field(default_factory=dict)
    """The names that the file imports, with the dotted names that they stand for."""
    has_star: bool = False
    """Whether it imports a module's names without naming them."""
    homes: list[Home] = field(default_factory=list)
    calls: dict[str, list[Use]] = field(default_factory=lambda: defaultdict(list))
    method_calls: dict[str, list[Use]] = field(default_factory=lambda: defaultdict(list))
    values: set[str] = field(default_factory=set)
    """Names that are used otherwise than by a call: stored, handed on, inherited from."""
    shut_values: set[str] = field(default_factory=set)
    """The same where gradients are off whatever becomes of a value: in an `autograd.Function`, or made to be an op."""
    attribute_values: set[str] = field(default_factory=set)
    foreign_values: set[str] = field(default_factory=set)
    """The attributes among them of something else than the object at hand: of a module, perhaps."""
    bases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What classes are made from, each base by its dotted name."""
    renamed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """What names are imported under another one, and the tables at the top of the file in which they stand."""
