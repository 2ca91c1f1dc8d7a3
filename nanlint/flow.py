"""Which functions of a syntax tree may hold a selector above a singular op, told by the syntax alone.

Lowering finds this out exactly; this costs a small part of that, and errs on one side only. A name stands for
everything that is bound to it anywhere in a function and the functions inside of it, an attribute for everything that
is bound to it anywhere in the file, a call for its function and all of its arguments. What is imported from other files
of the project may compute anything.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from nanlint.names import imported, origin
from nanlint.words import LAYERS, MASKING, PRODUCTS, SELECTING, SELECTORS, SINGULAR, may_say_mask

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_HARMLESS_EXPONENTS = (0.0, 1.0, 2.0)
_SMALLEST_DIVISOR = 0.1
_FILLED = frozenset({"append", "extend", "insert", "add", "update", "setdefault", "register_buffer"})
"""Methods that put their arguments into the object."""
_ROOTS = frozenset(
    {"object", "torch", ".nn", "nn", ".Module", "Module", ".autograd", ".Function", "Function"}
)
"""The names of base classes that have no attributes of the project's."""
_IMPORTED = "import "
"""In front of the dotted name that an import stands for, among the names that a source is made of."""


def _never(dotted: str) -> bool:
    return False


def suspects(
    tree: ast.Module,
    is_followed: Callable[[str], bool] = _never,
    may_select: Callable[[str], bool] = _never,
    package: str = "",
) -> frozenset[ast.AST] | None:
    """The functions that may hold a selector above a singular op; None for all of them.

    With each of them those around it; the module itself is among them for statements outside of functions.
    `is_followed` says of an imported dotted name whether it is of the project, `may_select` whether such a name may be
    a selector by another name; `package` is that of the file. Raises RecursionError for a tree nested too deeply.
    """
    reader = _Reader(tree, package)
    reader.block(tree.body)
    if any(map(is_followed, reader.stars)):
        return None
    return reader.suspects(is_followed, may_select)


class _Source:
    """What an expression is made of: names, attributes with a dot in front, and whether one of them is in itself
    singular, a selector that is not called, or 0 for some elements only."""

    __slots__ = ("masking", "names", "selecting", "singular")

    def __init__(
        self,
        names: Iterable[str] = (),
        singular: bool = False,
        selecting: bool = False,
        masking: bool = False,
    ) -> None:
        self.names = set(names)
        self.singular = singular
        self.selecting = selecting
        self.masking = masking

    def add(self, other: _Source) -> None:
        self.names |= other.names
        self.singular = self.singular or other.singular
        self.selecting = self.selecting or other.selecting
        self.masking = self.masking or other.masking


class _Call(NamedTuple):
    """A call of what may be a selector by another name."""

    called: _Source
    dotted: str
    """The name that is called, if it is one."""
    inherited: str
    """For an attribute of the object itself: where a base class may have it."""
    arguments: _Source
    around: tuple[ast.AST, ...]


@dataclass(eq=False)
class _Unit:
    """A function that stands in no other one, with all inside of it; or the statements outside of all functions."""

    bindings: list[tuple[str, _Source]] = field(default_factory=list)
    exported: list[tuple[str, _Source]] = field(default_factory=list)
    """Bindings that the whole file knows: results of functions, attributes, names of the module."""
    selectors: list[tuple[_Source, _Source | None, tuple[ast.AST, ...]]] = field(default_factory=list)
    """The operands of each selector, what has to be a mask for it to be one, and the functions around it."""
    calls: list[_Call] = field(default_factory=list)


class _Spread:
    """How a property of sources spreads from name to name, through the file and through each unit."""

    def __init__(self, units: Sequence[_Unit], has: Callable[[_Source], bool], known: Iterable[str]) -> None:
        self.has = has
        self.known = set(known)
        self.inside: dict[_Unit, set[str]] = {unit: set() for unit in units}
        mentioned = {unit: _mentioned(unit, has) for unit in units}
        before = -1
        while len(self.known) > before:
            before = len(self.known)
            for unit in units:
                names = mentioned[unit]
                if names is None or not names.isdisjoint(self.known):
                    self._within(unit)

    def reaches(self, source: _Source, unit: _Unit) -> bool:
        """Whether a source in a unit has the property, by way of names or by itself."""
        names = source.names
        inside = self.inside[unit]
        return self.has(source) or not (names.isdisjoint(self.known) and names.isdisjoint(inside))

    def _within(self, unit: _Unit) -> None:
        """Spread from name to name in a unit, and to the file."""
        inside = self.inside[unit]
        pending, before = unit.bindings, -1
        while len(pending) != before:
            before = len(pending)
            left = []
            for name, source in pending:
                if self.reaches(source, unit):
                    inside.add(name)
                else:
                    left.append((name, source))
            pending = left
        self.known.update(name for name, source in unit.exported if self.reaches(source, unit))


def _mentioned(unit: _Unit, has: Callable[[_Source], bool]) -> set[str] | None:
    """The names that the bindings of a unit are made of; None if one of them has the property by itself."""
    names: set[str] = set()
    for _, source in (*unit.bindings, *unit.exported):
        if has(source):
            return None
        names |= source.names
    return names


class _Reader:
    """Reads a file once, statement by statement, and keeps bindings and selectors."""

    def __init__(self, tree: ast.Module, package: str) -> None:
        self.package = package
        self.module = self.unit = _Unit()
        self.units = [self.module]
        self.imports: dict[str, set[str]] = {}
        """The names that imports bind, and what they stand for."""
        self.stars: list[str] = []
        self.inherited: set[tuple[str, str]] = set()
        """Classes, and the attributes that are asked for in their methods."""
        self.around: tuple[ast.AST, ...] = (tree,)
        self.choices: tuple[_Source, ...] = ()
        """What the branches and loops around depend on."""
        self.results: _Source | None = None
        self.owner, self.inherits = "", False
        """The class at hand, and whether a base class may be of the project."""
        self.receiver = ""
        """The first parameter of the method at hand."""

    def suspects(
        self, is_followed: Callable[[str], bool], may_select: Callable[[str], bool]
    ) -> frozenset[ast.AST]:
        """The functions around the selectors above something singular."""
        self._inherit()
        dotted_names = set().union(*self.imports.values())
        foreign = {f"{_IMPORTED}{dotted}" for dotted in dotted_names if is_followed(dotted)}
        singular = _Spread(self.units, lambda source: source.singular, foreign)
        selecting = _Spread(self.units, lambda source: source.selecting, ())
        masking = _Spread(self.units, lambda source: source.masking, foreign)

        def selects(call: _Call, unit: _Unit) -> bool:
            root, _, rest = call.dotted.partition(".")
            imports = (f"{dotted}.{rest}" if rest else dotted for dotted in self.imports.get(root, ()))
            return (
                selecting.reaches(call.called, unit)
                or call.inherited in singular.known
                or any(is_followed(dotted) and may_select(dotted) for dotted in imports)
            )

        return frozenset(node for unit in self.units for node in _suspects(unit, singular, masking, selects))

    def _inherit(self) -> None:
        """An attribute that nothing in the file binds may come from a base class."""
        bound = {name for unit in self.units for name, _ in unit.exported}
        for owner, attribute in self.inherited:
            if attribute not in bound:
                self.module.exported.append((f"{owner}{attribute}", _Source([f"{owner}()"])))

    # --- statements

    def block(self, body: Iterable[ast.AST]) -> None:
        """Read statements."""
        for node in body:
            handler = _STATEMENTS.get(type(node))
            if handler is not None:
                handler(self, node)
            else:
                self._parts(node)

    def _parts(self, node: ast.AST) -> None:
        """A statement without a rule of its own."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.of(child)
            else:
                self.block((child,))

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.of(decorator)
        owner = self.owner if len(self.around) == 1 else ""
        results = self._function(node)
        for name in [f".{node.name}", f"{owner}()"] if owner else [node.name, f".{node.name}"]:
            self.unit.exported.append((name, results))
        self.unit.bindings.append((node.name, results))

    def _function(self, node: _Function) -> _Source:
        """Read a function, and return what it returns."""
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.of(default)
        outer = self.unit, self.around, self.choices, self.results
        if len(self.around) == 1:
            self.unit = _Unit()
            self.units.append(self.unit)
            parameters = [*node.args.posonlyargs, *node.args.args]
            self.receiver = parameters[0].arg if parameters else ""
        self.around, self.choices, self.results = (*self.around, node), (), _Source()
        self._parameters(node.args)
        if isinstance(node, ast.Lambda):
            self.expression(node.body, self.results)
        else:
            self.block(node.body)
        results, inside = self.results, self.unit
        self.unit, self.around, self.choices, self.results = outer
        if inside is not self.unit:  # what it returns is made of its own names
            name = f"result {len(self.units)}"
            inside.exported.append((name, results))
            return _Source([name])
        return results

    def _parameters(self, parameters: ast.arguments) -> None:
        """What is annotated as true or false, or is so by default."""
        positional = [*parameters.posonlyargs, *parameters.args]
        defaults = [None] * (len(positional) - len(parameters.defaults)) + [*parameters.defaults]
        pairs = [*zip(positional, defaults, strict=True)]
        pairs += zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
        for parameter, default in pairs:
            said = parameter.annotation is not None and "ool" in ast.unparse(parameter.annotation)
            if said or (isinstance(default, ast.Constant) and isinstance(default.value, bool)):
                self.bound(parameter.arg, _Source(masking=True))

    def _class(self, node: ast.ClassDef) -> None:
        bases = _Source()
        for part in (*node.bases, *(word.value for word in node.keywords)):
            self.expression(part, bases)
        known = _Source([*bases.names, *(f"{name}()" for name in bases.names)])
        self.unit.exported.append((f"{node.name}()", known))
        self.bound(node.name, _Source([f"{node.name}()"]))
        outer = self.owner, self.inherits
        self.owner, self.inherits = node.name, not _ROOTS.issuperset(bases.names)
        for decorator in node.decorator_list:
            self.of(decorator)
        self.block(node.body)
        self.owner, self.inherits = outer

    def _return(self, node: ast.Return) -> None:
        if node.value is not None and self.results is not None:
            self.expression(node.value, self.results)
            self.results.masking = self.results.masking or isinstance(node.value, _NUMBERS)
            for choice in self.choices:
                self.results.add(choice)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, dotted in imported(node, self.package):
            self.imports.setdefault(name, set()).add(dotted)
            short = dotted.rsplit(".", 1)[-1]
            self.bound(name, _Source([f"{_IMPORTED}{dotted}"], short in SINGULAR, short in SELECTORS))
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            self.stars.append(origin(node, self.package))

    def _assign(self, node: ast.Assign) -> None:
        source = self.of(node.value)
        source.masking = source.masking or isinstance(node.value, _NUMBERS)
        for target in node.targets:
            self.bind(target, source)
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Name):
                self.bound(
                    node.value.id, _Source([target.id])
                )  # what changes one of them in place changes both

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            source = self.of(node.value)
            source.masking = source.masking or isinstance(node.value, _NUMBERS)
            self.bind(node.target, source)

    def _augmented(self, node: ast.AugAssign) -> None:
        source = self.of(node.value)
        self.expression(node.target, source)
        source.singular = source.singular or _is_singular(node.op, node.value)
        if isinstance(node.op, ast.Mult):
            self._selector(source, source)
        source.masking = source.masking or isinstance(node.op, _LOGICAL)
        self.bind(node.target, source)

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        source = self.of(node.iter)
        source.masking = source.masking or isinstance(node.iter, _DISPLAYS)
        self.bind(node.target, source)
        self._chosen(source, node.body, node.orelse)

    def _branch(self, node: ast.If | ast.While) -> None:
        self._chosen(self.of(node.test), node.body, node.orelse)

    def _chosen(self, choice: _Source, *bodies: Sequence[ast.stmt]) -> None:
        outer = self.choices
        if choice.names or choice.singular:
            self.choices = (*outer, choice)
        for body in bodies:
            self.block(body)
        self.choices = outer

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            source = self.of(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, source)
        self.block(node.body)

    def _match(self, node: ast.Match) -> None:
        subject = self.of(node.subject)
        for case in node.cases:
            for name in _captured(case.pattern):
                self.bound(name, subject)
            if case.guard is not None:
                self.of(case.guard)
        self._chosen(subject, *(case.body for case in node.cases))

    # --- bindings

    def bound(self, name: str, source: _Source) -> None:
        """A name (an attribute, with a dot in front) is bound."""
        for choice in self.choices:
            source.add(choice)
        self.unit.bindings.append((name, source))
        if name[0] == "." or self.unit is self.module:
            self.unit.exported.append((name, source))
            if self.owner:
                self.unit.exported.append((f".{name}", source))  # an attribute of the class

    def bind(self, target: ast.expr, source: _Source) -> None:
        """Bind everything in an assignment target."""
        if isinstance(target, ast.Name):
            self.bound(target.id, source)
        elif isinstance(target, ast.Attribute):
            self.bound(f".{target.attr}", source)
            self.of(target.value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self.bind(element, source)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, source)
        elif isinstance(target, ast.Subscript):
            operands = self.of(target.value)
            operands.add(source)
            self._selector(operands, self.of(target.slice))
            self._filled(target.value, source)

    def _filled(self, target: ast.expr, source: _Source) -> None:
        """The object that `target` is, or is an element of, holds something new."""
        while isinstance(target, (ast.Subscript, ast.Call)):
            target = target.value if isinstance(target, ast.Subscript) else target.func
        if isinstance(target, ast.Name):
            self.bound(target.id, source)
        elif isinstance(target, ast.Attribute):
            self.bound(f".{target.attr}", source)
            self._filled(target.value, source)

    def _selector(self, operands: _Source, mask: _Source | None = None) -> None:
        """A selector; with `mask`, if that is one."""
        if operands.names or operands.singular:
            self.unit.selectors.append((operands, mask, self.around))

    # --- expressions

    def of(self, node: ast.expr) -> _Source:
        """What an expression is made of."""
        out = _Source()
        self.expression(node, out)
        return out

    def expression(self, node: ast.AST, out: _Source) -> None:
        """Add to `out` what an expression is made of."""
        handler = _EXPRESSIONS.get(type(node))
        if handler is not None:
            handler(self, node, out)
        else:
            for child in ast.iter_child_nodes(node):
                self.expression(child, out)

    def _name(self, node: ast.Name, out: _Source) -> None:
        name = node.id
        out.names.add(name)
        self._word(name, out)
        if name == "super":
            out.names.add(f"{self.owner}()")

    def _word(self, word: str, out: _Source) -> None:
        if word in _NOTED:
            out.singular = out.singular or word in SINGULAR
            out.selecting = out.selecting or word in SELECTORS
            out.masking = out.masking or word in MASKING
        elif not out.masking:
            out.masking = may_say_mask(word)

    def _attribute(self, node: ast.Attribute, out: _Source) -> None:
        attr = node.attr
        out.names.add(f".{attr}")
        self._word(attr, out)
        if self.inherits and isinstance(node.value, ast.Name) and node.value.id == self.receiver:
            self.inherited.add((self.owner, f".{attr}"))
            out.names.add(f"{self.owner}.{attr}")
        self.expression(node.value, out)

    def _binary(self, node: ast.BinOp, out: _Source) -> None:
        if isinstance(node.op, ast.Mult) and not (_number(node.left) or _number(node.right)):
            factors = self.of(node.left)
            self.expression(node.right, factors)
            self._selector(factors, factors)
            out.add(factors)
            return
        self.expression(node.left, out)
        self.expression(node.right, out)
        out.singular = out.singular or _is_singular(node.op, node.right)
        out.masking = out.masking or isinstance(node.op, _LOGICAL)

    def _logical(self, node: ast.BoolOp | ast.UnaryOp, out: _Source) -> None:
        for part in node.values if isinstance(node, ast.BoolOp) else (node.operand,):
            self.expression(part, out)
        out.masking = (
            out.masking or isinstance(node, ast.BoolOp) or isinstance(node.op, (ast.Not, ast.Invert))
        )

    def _choice(self, node: ast.IfExp, out: _Source) -> None:
        for part in (node.test, node.body, node.orelse):
            self.expression(part, out)
        out.masking = (
            out.masking or isinstance(node.body, ast.Constant) or isinstance(node.orelse, ast.Constant)
        )

    def _compare(self, node: ast.Compare, out: _Source) -> None:
        """No gradient comes back through a comparison."""
        for side in (node.left, *node.comparators):
            self.of(side)
        out.masking = True

    def _call(self, node: ast.Call, out: _Source) -> None:
        called, arguments = self.of(node.func), _Source()
        for arg in node.args:
            self.expression(arg, arguments)
        for word in node.keywords:
            self.expression(word.value, arguments)
        self._noted(node, called, arguments)
        out.names |= called.names | arguments.names
        out.singular = out.singular or called.singular or arguments.singular
        out.selecting = out.selecting or arguments.selecting
        out.masking = out.masking or called.masking or arguments.masking

    def _noted(self, node: ast.Call, called: _Source, arguments: _Source) -> None:
        """What a call is beyond its function and its arguments: a selector, a change of what it is a method of."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in SELECTING or name in PRODUCTS:
            operands = _Source(called.names, called.singular, masking=called.masking)
            operands.add(arguments)
            self._selector(operands, operands if name in PRODUCTS else None)
        elif name in LAYERS:
            arguments.selecting = True
        elif name == "getattr":
            _look_up(node, arguments)
        elif arguments.singular or arguments.names:
            self._alias(node, called, arguments)
        for word in node.keywords:
            if word.arg == "out":
                self._filled(word.value, _Source(called.names | arguments.names, True))
        if isinstance(node.func, ast.Attribute) and (name[-1:] == "_" or name in _FILLED):
            singular = called.singular or arguments.singular
            self._filled(node.func.value, _Source(called.names | arguments.names, singular))

    def _alias(self, node: ast.Call, called: _Source, arguments: _Source) -> None:
        dotted, function = _dotted(node.func), node.func
        inherited = ""
        if isinstance(function, ast.Attribute):
            # what a method is called on need not be a selector itself
            called = _Source((f".{function.attr}",), selecting=called.selecting)
            if self.inherits and dotted == f"{self.receiver}.{function.attr}":
                inherited = f"{self.owner}.{function.attr}"
        self.unit.calls.append(_Call(called, dotted, inherited, arguments, self.around))

    def _subscript(self, node: ast.Subscript, out: _Source) -> None:
        owner = self.of(node.value)
        if not isinstance(node.slice, (ast.Constant, ast.Slice)) and not _number(node.slice):
            self._selector(owner, self.of(node.slice))
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            owner.masking = owner.masking or may_say_mask(node.slice.value)
        if isinstance(node.value, _DISPLAYS):
            owner.masking = True  # one of several numbers
        out.add(owner)

    def _lambda(self, node: ast.Lambda, out: _Source) -> None:
        out.add(self._function(node))

    def _walrus(self, node: ast.NamedExpr, out: _Source) -> None:
        source = self.of(node.value)
        self.bind(node.target, source)
        out.add(source)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, out: _Source) -> None:
        self._generators(node.generators)
        self.expression(node.elt, out)

    def _dictionary(self, node: ast.DictComp, out: _Source) -> None:
        self._generators(node.generators)
        self.expression(node.key, out)
        self.expression(node.value, out)

    def _generators(self, generators: Iterable[ast.comprehension]) -> None:
        for generator in generators:
            source = self.of(generator.iter)
            source.masking = source.masking or isinstance(generator.iter, _DISPLAYS)
            self.bind(generator.target, source)
            for test in generator.ifs:
                self.of(test)

    def _nothing(self, node: ast.AST, out: _Source) -> None:
        """A literal."""


def _suspects(
    unit: _Unit, singular: _Spread, masking: _Spread, selects: Callable[[_Call, _Unit], bool]
) -> Iterator[ast.AST]:
    for operands, mask, around in unit.selectors:
        if singular.reaches(operands, unit) and (mask is None or masking.reaches(mask, unit)):
            yield from around
    for call in unit.calls:
        if singular.reaches(call.arguments, unit) and selects(call, unit):
            yield from call.around


def _look_up(node: ast.Call, operands: _Source) -> None:
    """`getattr` with a name that is written out."""
    if len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        word = str(node.args[1].value)
        operands.names.add(f".{word}")
        operands.singular = operands.singular or word in SINGULAR
        operands.selecting = operands.selecting or word in SELECTORS


def _dotted(node: ast.expr) -> str:
    """The dotted name that an expression is; empty if it is none."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def _captured(pattern: ast.pattern) -> Iterator[str]:
    for part in ast.walk(pattern):
        for name in (getattr(part, "name", None), getattr(part, "rest", None)):
            if isinstance(name, str):
                yield name


def _number(node: ast.expr) -> float | None:
    """The absolute value of a literal number that is not 0; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        node = node.operand
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return abs(node.value) or None
    return None


def _is_singular(operator: ast.operator, right: ast.expr) -> bool:
    """Whether an operator with this right side is singular anywhere.

    A square is so only where it overflows, far beyond what the analysis takes for possible.
    """
    if isinstance(operator, ast.Pow):
        return not (isinstance(right, ast.Constant) and right.value in _HARMLESS_EXPONENTS)
    if isinstance(operator, (ast.Div, ast.Mod)):
        number = _number(right)
        return number is None or number < _SMALLEST_DIVISOR
    return False


_NOTED = SELECTORS | SINGULAR | MASKING
_LOGICAL = (ast.BitAnd, ast.BitOr, ast.BitXor)
_DISPLAYS = (ast.Tuple, ast.List, ast.Set, ast.Dict)
_NUMBERS = (ast.Constant, *_DISPLAYS)
_STATEMENTS: dict[type[ast.AST], Callable[[_Reader, Any], None]] = {
    ast.FunctionDef: _Reader._definition,
    ast.AsyncFunctionDef: _Reader._definition,
    ast.ClassDef: _Reader._class,
    ast.Return: _Reader._return,
    ast.Import: _Reader._import,
    ast.ImportFrom: _Reader._import,
    ast.Assign: _Reader._assign,
    ast.AnnAssign: _Reader._annotated,
    ast.AugAssign: _Reader._augmented,
    ast.For: _Reader._loop,
    ast.AsyncFor: _Reader._loop,
    ast.If: _Reader._branch,
    ast.While: _Reader._branch,
    ast.With: _Reader._with,
    ast.AsyncWith: _Reader._with,
    ast.Match: _Reader._match,
}
_EXPRESSIONS: dict[type[ast.AST], Callable[[_Reader, Any, _Source], None]] = {
    ast.Name: _Reader._name,
    ast.Attribute: _Reader._attribute,
    ast.Constant: _Reader._nothing,
    ast.JoinedStr: _Reader._nothing,
    ast.BinOp: _Reader._binary,
    ast.Compare: _Reader._compare,
    ast.BoolOp: _Reader._logical,
    ast.UnaryOp: _Reader._logical,
    ast.IfExp: _Reader._choice,
    ast.Call: _Reader._call,
    ast.Subscript: _Reader._subscript,
    ast.Lambda: _Reader._lambda,
    ast.NamedExpr: _Reader._walrus,
    ast.ListComp: _Reader._comprehension,
    ast.SetComp: _Reader._comprehension,
    ast.GeneratorExp: _Reader._comprehension,
    ast.DictComp: _Reader._dictionary,
}
