"""What a Python expression can stand for while a function is lowered: graph values and everything that is none.

Nothing of this is changed once it is made, an `Instance` apart. It is not frozen, for it is made at each expression,
and that takes three times as long.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from nanlint.graph import Apply, Assumption, Constant, Leaf, Value

if TYPE_CHECKING:
    from nanlint.lower.scope import Scope


@dataclass(eq=False, slots=True)
class Symbol:
    """A name from an import or a builtin, dotted and canonical: `torch.where`, `math.pi`, `builtins.len`."""

    name: str


@dataclass(eq=False, slots=True)
class Text:
    """A literal that is no number: a string, None, an ellipsis, a slice."""

    value: object


@dataclass(eq=False, slots=True)
class Foreign:
    """A value that is certainly no torch tensor: of numpy, of pandas, an open file."""


@dataclass(eq=False, slots=True)
class Items:
    """A tuple or list of known things, and the names that they have as attributes of a named tuple."""

    things: tuple[Thing, ...]
    names: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class Each:
    """An iterable of unknown length whose elements are all like `thing`."""

    thing: Thing


@dataclass(eq=False, slots=True)
class Mapped:
    """A dictionary of known things by string key; `others` are those under other keys."""

    things: Mapping[str, Thing]
    others: tuple[Thing, ...] = ()


@dataclass(eq=False, slots=True)
class Function:
    """A function of the analysed code with the scope that it closes over; bound if it has a receiver."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    receiver: Thing | None = None
    owner: Class | None = None


@dataclass(eq=False, slots=True)
class Class:
    """A class of the analysed code."""

    node: ast.ClassDef
    scope: Scope
    name: str


class Instance:
    """An object of a class of the analysed code, with the attributes that are known of it.

    They are found out when they are first asked for, by `initialise`: of most objects nobody asks.
    """

    def __init__(
        self, cls: Class, name: str, fields: Mapping[str, Thing] | None = None, *, is_given: bool = False
    ) -> None:
        self.cls = cls
        self.name = name
        self.is_given = is_given
        """Whether a function was handed it, which knows nothing of how it was made."""
        self.initialise: Callable[[], None] | None = None
        self.ensured: list[Assumption] = []
        """What holds once `__init__` has been left: it raises an error where that is not so."""
        self._fields = dict(fields or {})
        self.late: dict[str, None] = {}
        """The names of the attributes that were stored by others than `__init__`, in order."""

    def copy(self, cls: Class) -> Instance:
        """Another object of the same class, `cls`, with all that is known of this one."""
        made = Instance(cls, self.name, self.fields, is_given=self.is_given)
        made.ensured = self.ensured
        return made

    @property
    def stored(self) -> list[Value]:
        """The values among the attributes that were stored after the object had been made."""
        return [value for name in self.late for value in values_in(self._fields[name])]

    def store(self, name: str, thing: Thing, *, is_made: bool) -> None:
        """Set an attribute of an object that is made already, or that is being made."""
        self.fields[name] = thing
        if is_made:
            self.late[name] = None

    @property
    def fields(self) -> dict[str, Thing]:
        """The attributes by their names."""
        if self.initialise is not None:
            initialise, self.initialise = self.initialise, None
            initialise()
        return self._fields


@dataclass(eq=False, slots=True)
class Inherited:
    """`super()`: what a receiver has from the classes behind the one `after` which they are looked for."""

    receiver: Instance
    after: ast.ClassDef
    unknown: Value
    """What it is to those who know nothing of the classes."""


@dataclass(eq=False, slots=True)
class Method:
    """An attribute that is called on a value: `x.sqrt`."""

    receiver: Thing
    name: str
    node: ast.Attribute


@dataclass(eq=False, slots=True)
class Layer:
    """An instance of a `torch.nn` module that the catalogue knows, with the arguments that it was made with."""

    name: str
    args: tuple[Thing, ...] = ()
    named: Mapping[str, Thing] = field(default_factory=dict)


Thing: TypeAlias = (
    Leaf
    | Constant
    | Apply
    | Symbol
    | Text
    | Foreign
    | Items
    | Each
    | Mapped
    | Function
    | Class
    | Instance
    | Inherited
    | Method
    | Layer
)


def is_nothing(thing: Thing) -> bool:
    """Whether a thing is None."""
    return isinstance(thing, Text) and thing.value is None


def mapped(things: Mapping[str, Thing], others: tuple[Thing, ...]) -> Mapped:
    """A dictionary; what was None under its key for want of anything better may be any of the others now."""
    there = {key: thing for key, thing in things.items() if not (others and is_nothing(thing))}
    return Mapped(there, others)


def values_in(thing: Thing) -> list[Value]:
    """The graph values that a thing holds."""
    if isinstance(thing, Value):
        return [thing]
    if isinstance(thing, Items):
        return [value for item in thing.things for value in values_in(item)]
    if isinstance(thing, Each):
        return values_in(thing.thing)
    if isinstance(thing, Mapped):
        return [value for item in (*thing.things.values(), *thing.others) for value in values_in(item)]
    if isinstance(thing, Instance):
        return [item for item in thing.fields.values() if isinstance(item, Value)]
    return []


def only_index(places: Iterable[Thing]) -> Value | None:
    """The only one of the places in a subscript that is computed; None if there are several."""
    found = [at for at in places if isinstance(at, Value) and not isinstance(at, Constant)]
    return found[0] if len(found) == 1 else None
