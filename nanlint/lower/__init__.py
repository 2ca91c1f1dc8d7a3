"""Lowering: function bodies of a syntax tree become graphs of values, by running them abstractly.

One class does it, built up by modules of which each knows one kind of syntax and uses those before it:

- `lowering`, `objects`, `values`: the state, what is known of classes and names, how values are made
- `choosing`: what two ways through a function make of a name
- `dispatch`: functions as values
- `between`: selectors in called functions, of what these are handed
- `totals`: other elements of a row, in the sums that its own elements are compared with
- `unknown_calls`, `torch_calls`, `methods`, `functions`, `calls`: calls, by what is called; `call` is one of them
  with its arguments, `handlers` knows functions of torch and Python that no catalogue row describes
- `keys`, `ranks`: subscripts as written, and which end of what is sorted they take; `positions`: what slices leave out
- `attributes`, `subscripts`, `operators`, `expressions`: the other expressions
- `assignments`, `branches`, `loops`, `statements`: statements
- `needed`: what of a module its functions need; `following`, `economy`: other files of the project
- `uses`, `shelter`: where a file uses its functions, and which of them only without gradients
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from nanlint.arithmetic import Dtype
from nanlint.budget import Budget, Exhausted
from nanlint.graph import Apply, Value
from nanlint.lower.demand import demanded
from nanlint.lower.economy import Economy
from nanlint.lower.lowering import Collected, Positional
from nanlint.lower.needed import needed
from nanlint.lower.scope import Frame, Scope
from nanlint.lower.shelter import may_be_sheltered, sheltered
from nanlint.lower.things import Class, Function, Thing
from nanlint.lower.totals import Rows
from nanlint.lower.uses import is_autograd_function
from nanlint.project import Project

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
"""A node with parameters and a body."""


@dataclass(frozen=True)
class Unit:
    """One function (or the module's own statements), lowered.

    `selectors` are those that gradient comes back to, `sinks` the values that leave. `start` holds what the names were
    bound to before the first statement, so that an edited body can be lowered again from the same values.
    """

    node: Definition | ast.Module
    selectors: tuple[Apply, ...]
    sinks: tuple[Value, ...]
    start: Mapping[str, Thing]
    function: Function | None
    lowering: ModuleLowering
    shallow: bool = False
    """Whether calls into other files were passed by, since they make no difference."""
    entered: frozenset[ast.AST] = frozenset()
    """The functions among those looked `inside` that are called by it."""
    within: tuple[Apply, ...] = ()
    """Selectors of functions of the file that it calls, which may drop what it has computed."""
    positional: frozenset[int] = frozenset()
    """The numbers of those selectors that pick elements by their positions."""
    dispatched: frozenset[int] = frozenset()
    """The numbers of what functions that it calls have computed by a function that it has named."""
    exhausted: bool = False
    """Whether lowering it would have taken too long: there is nothing in it then."""


def lower(
    tree: ast.Module,
    text: str,
    dtype: Dtype,
    path: str = "",
    settings: Sequence[str] = (),
    *,
    wanted: Collection[ast.AST] | None = None,
    budget: Budget | None = None,
    inside: Collection[ast.AST] = (),
    by_position: bool = False,
) -> Iterator[Unit]:
    """The units of a file: its module level, then every function, method and lambda in it.

    If some are `wanted`, all others are left out, with nothing but the names of the module level where that is not
    among them. What is done is taken off the `budget`; a unit for which that is not enough is empty. If there is a
    file at `path`, what it imports from its project is followed. `settings` are the conditions that the tree has been
    given, for what is lowered again. The selectors of the functions looked `inside` are those of their callers too.
    `by_position` slices and the like are selectors as well.
    """
    if wanted is not None and not wanted:
        return
    lowering = ModuleLowering(text, dtype)
    lowering.settings = settings
    lowering.looks_at_all = wanted is None
    lowering.by_position = by_position
    lowering.wanted, lowering.budget, lowering.inside = wanted, budget, inside
    lowering.project = Project.around(path)
    lowering.package = lowering.project.package
    try:
        whole = wanted is None or tree in wanted
        unit, scope = lowering.module(tree, whole=whole)
    except Exhausted:
        yield Unit(tree, (), (), {}, None, lowering, exhausted=True)
        return
    if whole:
        yield lowering.with_rows(unit)
    yield from lowering.functions(tree.body, scope, None)


class ModuleLowering(Economy):
    """Lowers one file, function by function."""

    settings: Sequence[str] = ()
    wanted: Collection[ast.AST] | None = None
    """The functions to lower, None for all."""
    relowered = 0
    """Lines that have been lowered again, for edits that were tried out."""

    def module(self, tree: ast.Module, *, whole: bool) -> tuple[Unit, Scope]:
        """The unit of the module's own statements, and the scope that they leave.

        Unless it is to be the `whole` unit, what no function needs is left out.
        """
        if self.tree is None:
            self.tree = tree
        frame = Frame(Scope())
        self.own = self.own or frame.scope
        self.begin(shallow=False)
        self.collected = Collected()
        self.run(tree.body if whole else needed(tree, self.text), frame)
        self.sink(*frame.scope.names.values())
        return self._unit(tree, {}, None), frame.scope

    def forget(self) -> None:
        """Let go of all that was found out: scopes and functions refer to each other in circles.

        Nothing of the file can be lowered any more. Without this it would be left to the garbage collector, which
        looks at everything else that is alive to find it.
        """
        for scope in self.files.values():
            scope.bind = None
            scope.names.clear()
        if self.own is not None:
            self.own.names.clear()
        self.__dict__.clear()

    def again(self, unit: Unit, node: Definition | ast.Module) -> Unit:
        """`unit` with another body: the same parameters, bound to the same values."""
        self.relowered += lines_of(unit.node)
        refuted, budget = self.refuted, self.budget
        self.refuted, self.budget = {}, None  # the places in the edited text are other ones
        made = self.with_rows(self._again(unit, node))
        self.refuted, self.budget = refuted, budget
        return made

    def _again(self, unit: Unit, node: Definition | ast.Module) -> Unit:
        if isinstance(node, ast.Module):
            return self.module(node, whole=True)[0]
        assert unit.function is not None
        old = unit.function
        frame = Frame(Scope(dict(unit.start), old.scope), owner=old.owner, calls=(node,))
        self.begin(shallow=unit.shallow)
        return self._run(Function(node, old.scope, None, old.owner), frame)

    def ordinal(self, node: ast.AST) -> int:
        """Which one of its kind in the file a node is, in the order of `ast.walk`; -1 if it is not of this file."""
        same = (part for part in ast.walk(self.tree or ast.Module([], [])) if type(part) is type(node))
        return next((index for index, part in enumerate(same) if part is node), -1)

    def functions(
        self, body: list[ast.stmt], scope: Scope, owner: Class | None, *, inside: bool = False
    ) -> Iterator[Unit]:
        """The units of the functions defined in `body`; `inside` of another one they are no methods."""
        for node in self._definitions(body):
            if isinstance(node, ast.ClassDef):
                if not is_autograd_function(node):
                    cls = Class(node, scope, node.name)
                    yield from self.functions(node.body, scope, cls)
                    for method, home in self.completed(cls, self._is_wanted):
                        yield from self._function(method, home, cls, inside=False)
            elif self._is_wanted(node):
                yield from self._function(node, scope, owner, inside=inside)

    def _definitions(self, body: list[ast.stmt]) -> Iterator[Definition | ast.ClassDef]:
        return _definitions(body) if self.lambdas_wanted else _statements(body)

    @cached_property
    def lambdas_wanted(self) -> bool:
        """Whether any lambda is to be lowered: looking for them means looking at every expression."""
        return self.wanted is None or any(isinstance(node, ast.Lambda) for node in self.wanted)

    def _is_wanted(self, node: ast.AST) -> bool:
        return self.wanted is None or node in self.wanted

    def _function(
        self, node: Definition, scope: Scope, owner: Class | None, *, inside: bool
    ) -> Iterator[Unit]:
        if self.budget is not None:
            self.budget.begin(lines_of(node))
        inner: list[ast.stmt] = node.body if isinstance(node.body, list) else [ast.Expr(node.body)]
        receiver = None if inside else owner
        try:
            unit, left = self._lowered(node, scope, owner, receiver, shallow=True)
            seen = left.names.values() if any(map(self._is_wanted, self._definitions(inner))) else ()
            if self.would_matter((*unit.selectors, *unit.within), seen):
                unit, left = self._lowered(node, scope, owner, receiver, shallow=False)
        except Exhausted:
            self.initialising.clear()
            yield Unit(node, (), (), {}, None, self, exhausted=True)
            return
        yield self.with_rows(unit)
        yield from self.functions(inner, left, owner, inside=True)

    def _lowered(
        self, node: Definition, scope: Scope, owner: Class | None, receiver: Class | None, *, shallow: bool
    ) -> tuple[Unit, Scope]:
        """The unit of a function, and the scope that its body leaves; `receiver` is the class that it is called on."""
        self.begin(shallow=shallow)
        frame = Frame(Scope({}, scope), owner=owner, calls=(node,))
        frame.grad = not self._is_sheltered(node, owner) and not (
            owner and self.is_never_differentiated(owner)
        )
        function = Function(node, scope, None, owner)
        self.bind_parameters(function, self._receiver(node, receiver), {}, frame)
        return self._run(function, frame), frame.scope

    @cached_property
    def _sheltered(self) -> frozenset[ast.AST]:
        """Functions that the file uses only where no gradient is recorded."""
        return frozenset() if self.tree is None else sheltered(self.tree, self.text)

    def _is_sheltered(self, node: Definition, owner: Class | None) -> bool:
        inside = owner.node if owner is not None else None
        return may_be_sheltered(node, inside, self.text) and node in self._sheltered

    def _run(self, function: Function, frame: Frame) -> Unit:
        start = dict(frame.scope.names)
        self.collected = Collected()
        self.sink(self.body(function, frame))
        return self._unit(function.node, start, function)

    def _unit(
        self, node: Definition | ast.Module, start: Mapping[str, Thing], function: Function | None
    ) -> Unit:
        collected, self.collected = self.collected, Collected()
        wanted = demanded(collected.sinks, self.wholes)
        selectors, within = (
            tuple(s for s in found if s.number in wanted) for found in (collected.selectors, collected.within)
        )
        positional = _alone(collected.positional, wanted, collected.sinks)
        selectors += positional
        sinks, entered = tuple(collected.sinks), frozenset(collected.entered)
        made = Unit(node, selectors, sinks, start, function, self, self.shallow, entered, within=within)
        if not (positional or self.dispatched):
            return made
        numbers = frozenset(selector.number for selector in positional)
        return replace(made, positional=numbers, dispatched=frozenset(self.dispatched))

    def with_rows(self, unit: Unit) -> Unit:
        """A unit that has another element in the sums that their own elements are compared with."""
        if not (self.compared and (unit.selectors or unit.within)):
            return unit
        rows = Rows(self, self.compared)
        selectors, within = (
            tuple(new for old in found if isinstance(new := rows.value(old), Apply))
            for found in (unit.selectors, unit.within)
        )
        return replace(
            unit,
            selectors=selectors,
            within=within,
            sinks=tuple(map(rows.value, unit.sinks)),
            positional=frozenset(map(rows.number, unit.positional)),
            dispatched=frozenset(map(rows.number, unit.dispatched)),
        )

    def _receiver(self, node: Definition, owner: Class | None) -> tuple[Thing, ...]:
        if owner is None or isinstance(node, ast.Lambda):
            return ()
        decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
        if "staticmethod" in decorators or not (node.args.args or node.args.posonlyargs):
            return ()
        return (owner,) if "classmethod" in decorators else (self.instance_of(owner),)


def _alone(found: Sequence[Positional], wanted: Collection[int], sinks: Sequence[Value]) -> tuple[Apply, ...]:
    """The selectors by position whose elements are wanted, of each value that one of which nothing else is used."""
    parts: dict[int, dict[str, Positional]] = {}
    for one in found:
        parts.setdefault(one.whole, {})[one.key] = one
    single = [one for of in parts.values() if len(of) == 1 for one in of.values()]
    used = demanded(sinks, {}) if single else set()
    return tuple(
        one.selector
        for one in single
        if one.made.number in wanted and not (one.is_apart and one.whole in used)
    )


def _statements(body: Iterable[ast.AST]) -> Iterator[Definition | ast.ClassDef]:
    """The same without lambdas, for which every expression has to be looked at."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node
        else:
            for name in _BLOCKS:
                yield from _statements(getattr(node, name, ()))


_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")
"""Fields of a statement that hold statements, or what holds statements."""


def lines_of(node: ast.AST) -> int:
    """How many lines a function, or the whole module, takes up."""
    body = node.body if isinstance(node, ast.Module) else [node]
    return (getattr(body[-1], "end_lineno", None) or 1) - getattr(body[0], "lineno", 1) + 1 if body else 0


def _definitions(body: list[ast.stmt]) -> Iterator[Definition | ast.ClassDef]:
    """Functions, lambdas and classes in `body`, not those inside of another one."""
    stack: list[ast.AST] = list(reversed(body))
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield node
            stack.extend(
                reversed([d for d in (*node.args.defaults, *node.args.kw_defaults) if d is not None])
            )
        elif isinstance(node, ast.ClassDef):
            yield node
        else:
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


__all__ = ["Definition", "ModuleLowering", "Unit", "lower"]
