"""Reads statements: what they bind, in which branches, and the functions and classes among them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from nanlint.annotations import class_named
from nanlint.flow.expressions import Expressions, Function
from nanlint.flow.operators import BITWISE, DISPLAYS, NUMBERS, is_singular
from nanlint.flow.sources import (
    BASES,
    CLASS,
    FLAGS,
    IMPORTED,
    MASK,
    MASKING,
    PICKING,
    SELECTING,
    SINGULAR,
    Selection,
    Source,
    Unit,
)
from nanlint.names import imported, may_be_of_project, origin

_ROOTS = frozenset(
    {"object", "torch", ".nn", "nn", ".Module", "Module", ".autograd", ".Function", "Function"}
)
"""The names of base classes that have no attributes of the project's."""


class Statements(Expressions):
    """Reads statements."""

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
        owner = self.owner if len(self.around) == self.depth else ""
        results = self.function(node)
        names = [f".{node.name}", f"{owner}.*"] if owner else [node.name, f".{node.name}"]
        if owner and (node.name == "forward" or node.name[:2] == "__"):
            names.append(f"{owner}()")  # what is done with an object is not always said by name
        self.unit.exported.extend((name, results) for name in names)
        self.unit.bindings.append((node.name, results))

    def function(self, node: Function) -> Source:
        """Read a function, and return what it returns."""
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.of(default)
        outer = self.unit, self.around, self.choices, self.results
        if not self.around:
            names = [parameter.arg for parameter in (*node.args.posonlyargs, *node.args.args)]
            self.unit = Unit(frozenset([*names, *(parameter.arg for parameter in node.args.kwonlyargs)]))
            self.units.append(self.unit)
            self.receiver = names[0] if names else ""
        self.around, self.choices, self.results = (*self.around, node), (), Source()
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
            results = Source([name])
        for selection in _dropping_given(node, inside):
            results.flags |= selection.kind
            if selection.mask is not None and selection.mask is not selection.operands:
                inside.picking.append((results, selection.mask))
        return results

    def _parameters(self, parameters: ast.arguments) -> None:
        """What is annotated as true or false, or is so by default, or as an object of a class of the project."""
        positional = [*parameters.posonlyargs, *parameters.args]
        defaults = [None] * (len(positional) - len(parameters.defaults)) + [*parameters.defaults]
        pairs = [*zip(positional, defaults, strict=True)]
        pairs += zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
        for parameter, default in pairs:
            said = parameter.annotation is not None and _says_bool(parameter.annotation)
            if said or (isinstance(default, ast.Constant) and isinstance(default.value, bool)):
                self.bound(parameter.arg, Source((), MASK))
            self._declared(parameter)

    def _declared(self, parameter: ast.arg) -> None:
        """A parameter that is declared to be of a class is made of all that the class is."""
        named = class_named(parameter.annotation)
        if isinstance(named, ast.Name) and named.id not in _PLAIN:
            tokens = {f"{IMPORTED}{dotted}" for dotted in self.followed.get(named.id, ())}
            self.unit.bindings.append((parameter.arg, Source(tokens or {named.id})))
        elif isinstance(named, ast.Attribute):
            source = Source()
            if self._of_import(named, source):
                self.unit.bindings.append((parameter.arg, source))

    def _class(self, node: ast.ClassDef) -> None:
        bases = Source()
        for part in (*node.bases, *(word.value for word in node.keywords)):
            self.expression(part, bases)
        self.unit.exported.append((f"{node.name}()", _with_ends(bases.names, "()")))
        self.unit.exported.append((f"{node.name}.*", _with_ends(bases.names, "()", ".*")))
        self.unit.exported.append((f"{node.name}{BASES}", Source(self._base_tokens(bases.names))))
        self.bound(node.name, Source([f"{node.name}()", f"{CLASS}{node.name}", f"{node.name}.*"]))
        outer = self.owner, self.inherits, self.depth
        self.owner, self.inherits = node.name, not _ROOTS.issuperset(bases.names)
        self.depth = len(self.around)
        for decorator in node.decorator_list:
            self.of(decorator)
        self.block(node.body)
        self.owner, self.inherits, self.depth = outer

    def _base_tokens(self, names: Iterable[str]) -> Iterator[str]:
        """The tokens of some base classes."""
        for name in names:
            if name.startswith(IMPORTED):
                yield name
            elif name in self.followed:
                yield from (f"{IMPORTED}{dotted}" for dotted in self.followed[name])
            else:
                yield f"{CLASS}{name}"

    def _return(self, node: ast.Return) -> None:
        if node.value is not None and self.results is not None:
            self.expression(node.value, self.results)
            if isinstance(node.value, NUMBERS):
                self.results.flags |= MASKING
            for choice in self.choices:
                self.results.add(choice)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, dotted in imported(node, self.package):
            flags = FLAGS.get(dotted.rsplit(".", 1)[-1], 0) & (SINGULAR | SELECTING)
            source = Source([f"{IMPORTED}{dotted}"], flags)
            self.bound(name, source)
            if may_be_of_project(dotted):
                self.imports.append((name, source))
                self.followed.setdefault(name, set()).add(dotted)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            self.stars.append(origin(node, self.package))

    def _assign(self, node: ast.Assign) -> None:
        source = self.of(node.value)
        if isinstance(node.value, NUMBERS):
            source.flags |= MASKING
        for target in node.targets:
            self.bind(target, source)
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Name):
                self.bound(
                    node.value.id, Source([target.id])
                )  # what changes one of them in place changes both

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            source = self.of(node.value)
            if isinstance(node.value, NUMBERS):
                source.flags |= MASKING
            self.bind(node.target, source)

    def _augmented(self, node: ast.AugAssign) -> None:
        source = self.of(node.value)
        self.expression(node.target, source)
        if is_singular(node.op, node.value, squares=self.squares):
            source.flags |= SINGULAR
        if isinstance(node.op, (ast.Mult, ast.MatMult)):
            self.selector(source, source, kind=PICKING)
        if isinstance(node.op, BITWISE):
            source.flags |= MASK
        self.bind(node.target, source)

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        source = self.of(node.iter)
        if isinstance(node.iter, DISPLAYS):
            source.flags |= MASKING
        self.bind_each(node.target, node.iter, source)
        self._chosen(source, node.body, node.orelse)

    def _branch(self, node: ast.If | ast.While) -> None:
        self._chosen(self.of(node.test), node.body, node.orelse)

    def _chosen(self, choice: Source, *bodies: Sequence[ast.stmt]) -> None:
        outer = self.choices
        if choice:
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


def _dropping_given(node: Function, unit: Unit) -> list[Selection]:
    """The selectors that a function holds of what it is given: to its callers it is one."""
    own = [selection for selection in unit.selectors if selection.kind and node in selection.around]
    if not own:
        return []
    parameters = (
        *node.args.posonlyargs,
        *node.args.args,
        *node.args.kwonlyargs,
        node.args.vararg,
        node.args.kwarg,
    )
    given = {parameter.arg for parameter in parameters if parameter is not None}
    known = 0
    while known < len(given):
        known = len(given)
        given.update(name for name, source in unit.bindings if not given.isdisjoint(source.names))
    return [selection for selection in own if not given.isdisjoint(selection.operands.names)]


def _with_ends(names: Iterable[str], *ends: str) -> Source:
    """Names, and the same with other ends: what a class is made of by its bases."""
    return Source([*names, *(f"{name}{end}" for name in names for end in ends)])


def _captured(pattern: ast.pattern) -> Iterator[str]:
    for part in ast.walk(pattern):
        for name in (getattr(part, "name", None), getattr(part, "rest", None)):
            if isinstance(name, str):
                yield name


_STATEMENTS: dict[type[ast.AST], Callable[[Statements, Any], None]] = {
    ast.FunctionDef: Statements._definition,
    ast.AsyncFunctionDef: Statements._definition,
    ast.ClassDef: Statements._class,
    ast.Return: Statements._return,
    ast.Import: Statements._import,
    ast.ImportFrom: Statements._import,
    ast.Assign: Statements._assign,
    ast.AnnAssign: Statements._annotated,
    ast.AugAssign: Statements._augmented,
    ast.For: Statements._loop,
    ast.AsyncFor: Statements._loop,
    ast.If: Statements._branch,
    ast.While: Statements._branch,
    ast.With: Statements._with,
    ast.AsyncWith: Statements._with,
    ast.Match: Statements._match,
}


_PLAIN = frozenset({"Tensor", "int", "float", "str", "bool", "dict", "list", "tuple", "Any", "Callable"})
"""What most annotations name, which is no class of a project."""


def _says_bool(annotation: ast.expr) -> bool:
    """Whether an annotation has a word in it that says true or false: `bool`, `Optional[Bool[Tensor]]`, `"bool"`."""
    if isinstance(annotation, ast.Name):
        return "ool" in annotation.id
    if isinstance(annotation, ast.Attribute):
        return "ool" in annotation.attr or _says_bool(annotation.value)
    if isinstance(annotation, ast.Constant):
        return isinstance(annotation.value, str) and "ool" in annotation.value
    if isinstance(annotation, ast.Subscript):
        return _says_bool(annotation.value) or _says_bool(annotation.slice)
    if isinstance(annotation, ast.BinOp):
        return _says_bool(annotation.left) or _says_bool(annotation.right)
    if isinstance(annotation, ast.Tuple):
        return any(map(_says_bool, annotation.elts))
    return "ool" in ast.unparse(annotation)
