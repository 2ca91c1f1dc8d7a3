"""The uses of functions, methods and classes in one file, and what shelters each from gradients."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from nanlint.lower.uses import Function, is_autograd_function
from nanlint.names import imported
from nanlint.purpose import is_apart_from_training
from nanlint.usage.naming import functions, leaving
from nanlint.usage.off import (
    ASKS,
    LIBRARIES,
    NUMBERS,
    TAKES_OUT,
    WITHOUT_TENSORS,
    declares_no_gradient,
    ending,
    is_off_by,
    is_transparent,
    makes_constants,
    may_turn_on,
)
from nanlint.usage.spent import Spent
from nanlint.usage.still import Still
from nanlint.usage.uses import ENTRIES, Home, Signature, Summary, Use


@dataclass(frozen=True)
class _Place:
    """Where an expression stands, and what becomes of its value."""

    owner: ast.ClassDef | None = None
    home: Home | None = None
    is_off: bool = False
    is_out: bool = False
    leaves: bool = False
    """Whether the value leaves the function: a lambda is then called who knows where."""
    kept: str = ""
    is_shut: bool = False
    """Whether this is part of an op of its own for autograd."""
    is_declared: bool = False
    table: str = ""
    """The name at the top of the file under which the value is found in a list or a dictionary."""

    def inner(self) -> _Place:
        """The same place for a part of whose value nothing is known."""
        return replace(self, is_out=False, kept="") if self.is_out or self.kept else self


def scan(
    tree: ast.Module, path: str, package: str, *, is_aside: bool = False, is_judged: bool = False
) -> Summary | None:
    """All uses in a file; None if it is nested too deeply.

    Nothing is trained through what is put aside. Of a file that is judged, it is told what its functions do in vain.
    """
    scanner = _Scanner(path, package, is_aside, is_judged)
    try:
        scanner.functions = frozenset(functions(tree))
        scanner.still = Still(tree, scanner.outside, scanner.functions)
        scanner.all(tree.body, _Place())
    except RecursionError:
        return None
    return scanner.result()


class _Scanner:
    def __init__(self, path: str, package: str, is_aside: bool, is_judged: bool) -> None:
        self.path, self.package, self.is_aside, self.is_judged = path, package, is_aside, is_judged
        self.summary = Summary(path)
        self.defined: set[str] = set()
        """Names that the file defines at its top."""
        self.functions: frozenset[str]
        """The names of the functions that the file defines or imports at its top, as far as they are written so."""
        self.still: Still
        """What has no gradient in the function, or the module, at hand."""
        self.leaving: frozenset[str] = frozenset()
        """The names that the function being looked at gives away."""

    def result(self) -> Summary:
        """What was found, without the names of local variables."""
        made = self.summary
        if not made.has_star:
            known = self.defined | made.imports.keys()
            made.calls = {name: uses for name, uses in made.calls.items() if name in known}
            made.values &= known
            made.shut_values &= known
        return made

    def all(self, nodes: Iterable[ast.AST], place: _Place) -> None:
        for node in nodes:
            self.visit(node, place)

    def visit(self, node: ast.AST, place: _Place) -> None:
        """Look at a statement or an expression and all that it is made of."""
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node, place)
        else:
            self.all(ast.iter_child_nodes(node), place.inner())

    def class_(self, node: ast.ClassDef, place: _Place) -> None:
        if place.home is None and place.owner is None:
            self.defined.add(node.name)
        self.all([*node.decorator_list, *node.bases, *node.keywords], place)
        self.summary.bases[node.name] = tuple(map(self._dotted, node.bases))
        shut, declared = is_autograd_function(node), declares_no_gradient(node)
        # even a class made in a function may be used anywhere
        place = _Place(node, is_off=shut or declared, is_shut=shut, is_declared=declared)
        self.all(node.body, place)

    def function(self, node: Function, place: _Place) -> None:
        args = node.args
        defaults = [default for default in (*args.defaults, *args.kw_defaults) if default is not None]
        self.all([*(d for d in node.decorator_list if ending(d) != "wraps"), *defaults], place.inner())
        off = any(map(is_off_by, node.decorator_list))
        if place.home is None:
            owner = place.owner.name if place.owner is not None else ""
            aside = self.is_aside or is_apart_from_training(node.name, owner)
            # what an object starts with is computed once: nothing is trained through it
            aside = aside or (node.name == "__init__" if owner else makes_constants(node))
            off = off or (place.owner is not None and place.is_off)
            home = self._home(node, place, off)
            inside = replace(place, home=home, is_off=off or aside)
        else:
            escapes = node.name in self.leaving
            if escapes:
                place.home.given_away.append((node.lineno, node.end_lineno or node.lineno))
            inside = replace(
                place.inner(),
                home=None if escapes else place.home,
                is_off=off or (place.is_off and not escapes),
                leaves=False,
            )
        around = self.still
        self.still = Still(node, self.outside, self.functions, frozenset(around.names))
        self.all(node.body, inside)
        self.still = around

    def _home(self, node: Function, place: _Place, off: bool) -> Home:
        owner = place.owner.name if place.owner is not None else ""
        if not owner:
            self.defined.add(node.name)
        decorators = list(node.decorator_list)
        if node.name in ENTRIES and place.owner is not None:
            decorators += [d for d in place.owner.decorator_list if ending(d) != "dataclass"]
        plain, signature = all(map(is_transparent, decorators)), Signature.of(node, owner)
        last = node.end_lineno or node.lineno
        home = Home(self.path, node.name, owner, node.lineno, last, signature, plain, off)
        self.leaving = leaving(node)
        if self.is_judged:
            home.spent.extend(Spent(node, self.outside).lines(node))
        self.summary.homes.append(home)
        return home

    def lambda_(self, node: ast.Lambda, place: _Place) -> None:
        self.all([d for d in (*node.args.defaults, *node.args.kw_defaults) if d], place.inner())
        inside = replace(place.inner(), table="")
        if place.leaves and place.home is not None:
            place.home.given_away.append((node.lineno, node.end_lineno or node.lineno))
        self.visit(node.body, replace(inside, home=None, is_off=False) if place.leaves else inside)

    def with_(self, node: ast.With | ast.AsyncWith, place: _Place) -> None:
        self.all(node.items, place)
        contexts = [item.context_expr for item in node.items]
        off = any(map(is_off_by, contexts)) or (place.is_off and not any(map(may_turn_on, contexts)))
        self.all(node.body, replace(place, is_off=off))

    def import_(self, node: ast.Import | ast.ImportFrom, place: _Place) -> None:
        self.summary.imports.update(imported(node, self.package))
        for alias in node.names:
            self.summary.has_star = self.summary.has_star or alias.name == "*"
            if isinstance(node, ast.ImportFrom) and alias.asname not in (None, alias.name):
                self.summary.renamed[alias.name].add(str(alias.asname))

    def assign(self, node: ast.Assign, place: _Place) -> None:
        self.all(node.targets, place)
        target = node.targets[0]
        if all(map(_is_outside, node.targets)):
            place = replace(place, is_out=True)
        if isinstance(target, ast.Attribute):
            place = replace(place, kept=target.attr if len(node.targets) == 1 else "", leaves=True)
        at_top = place.home is None and place.owner is None
        if (
            at_top
            and isinstance(target, ast.Name)
            and isinstance(node.value, (ast.Dict, ast.List, ast.Tuple))
        ):
            self.defined.add(target.id)
            place = replace(place, table=target.id)
        self.visit(node.value, place)

    def annotated(self, node: ast.AnnAssign, place: _Place) -> None:
        self.visit(node.target, place)
        if node.value is not None:
            attribute = node.target.attr if isinstance(node.target, ast.Attribute) else ""
            self.visit(node.value, replace(place, kept=attribute, leaves=bool(attribute)))

    def augmented(self, node: ast.AugAssign, place: _Place) -> None:
        self.visit(node.target, place)
        self.visit(node.value, replace(place, is_out=_is_outside(node.target), kept=""))

    def return_(self, node: ast.Return | ast.Yield, place: _Place) -> None:
        if node.value is not None:
            self.visit(node.value, replace(place, leaves=True))

    def tested(self, node: ast.If | ast.While | ast.Assert | ast.IfExp, place: _Place) -> None:
        self.visit(node.test, replace(place, is_out=True))
        parts = (part for part in ast.iter_child_nodes(node) if part is not node.test)
        self.all(parts, place)

    def out(self, node: ast.AST, place: _Place) -> None:
        """What is compared or written into text is no tensor with a gradient."""
        self.all(ast.iter_child_nodes(node), replace(place, is_out=True, kept=""))

    def passed(self, node: ast.AST, place: _Place) -> None:
        """What becomes of the whole becomes of its parts."""
        self.all(ast.iter_child_nodes(node), place)

    def subscript(self, node: ast.Subscript, place: _Place) -> None:
        self.visit(node.value, replace(place, kept=""))
        self.visit(node.slice, replace(place, is_out=True, kept=""))

    def keyword(self, node: ast.keyword, place: _Place) -> None:
        self._ask(node.arg or "", place)
        self.visit(node.value, place)

    def name(self, node: ast.Name, place: _Place) -> None:
        self._ask(node.id, place)
        if not isinstance(node.ctx, ast.Load):
            return
        if place.table:
            self.summary.renamed[node.id].add(place.table)
        elif place.is_shut or (place.is_off and not place.leaves and _runs_at_once(place.home)):
            self.summary.shut_values.add(node.id)  # what is handed on where gradients are off is called there
        else:
            self.summary.values.add(node.id)
            if place.owner is not None and place.home is None:
                self.summary.attribute_values.add(node.id)  # a method under another name

    def attribute(self, node: ast.Attribute, place: _Place) -> None:
        self._ask(node.attr, place)
        if node.attr == "grad":
            self._ask("backward", place)
        if isinstance(node.ctx, ast.Store) and place.home is not None:
            place.home.keeps = True
        elif isinstance(node.ctx, ast.Load) and not self._is_foreign(node):
            self.summary.attribute_values.add(node.attr)
            if not _is_of_self(node):
                self.summary.foreign_values.add(node.attr)
        self._receiver(node, place)

    def _receiver(self, node: ast.Attribute, place: _Place) -> None:
        """What has an attribute is not used as a value by that, unless it is called by it."""
        entered = node.attr in (*ENTRIES, "apply")
        if isinstance(node.value, ast.Name) and not entered:
            self._ask(node.value.id, place)
        elif isinstance(node.value, ast.Attribute) and not entered:
            self._ask(node.value.attr, place)
            self._receiver(node.value, place)
        else:
            kept = place.kept if node.attr in _UNCHANGING else ""
            self.visit(node.value, replace(place, is_out=place.is_out or node.attr in TAKES_OUT, kept=kept))

    def call(self, node: ast.Call, place: _Place) -> None:
        func, place = node.func, replace(place, table="") if place.table else place
        if ending(node) == "super":
            return  # the class in it is named, not used
        if isinstance(func, ast.Name):
            self._ask(func.id, place)
            self.summary.calls[func.id].append(self._use(node, place))
            self._arguments(node, place, func.id in NUMBERS)
        elif isinstance(func, ast.Attribute):
            self._ask(func.attr, place)
            foreign = self._is_foreign(func)
            if not foreign:
                use = self._use(node, place)._replace(through=self._through(func), of_self=_is_of_self(func))
                self.summary.method_calls[func.attr].append(use)
                if func.attr in ENTRIES and isinstance(func.value, ast.Attribute):
                    self.summary.method_calls[func.value.attr].append(use._replace(of_self=False))
                    func = func.value  # `self.model.forward(x)` is `self.model(x)`
            self._receiver(func, place)
            self._arguments(node, place, self.outside(func) in WITHOUT_TENSORS)
        else:
            self.visit(func, place.inner())
            made_op = isinstance(func, ast.Call) and is_off_by(func)
            self._arguments(node, replace(place, is_shut=True) if made_op else place, False)

    def _use(self, node: ast.Call, place: _Place) -> Use:
        positional = None if any(isinstance(arg, ast.Starred) for arg in node.args) else len(node.args)
        names = [keyword.arg for keyword in node.keywords]
        keywords = None if None in names else frozenset(filter(None, names))
        made = Use(
            place.home, place.is_off, place.is_out, positional, keywords, place.kept, place.is_declared
        )
        return made._replace(is_still=self.still.arguments(node))

    def _arguments(self, node: ast.Call, place: _Place, out: bool) -> None:
        """What a call is given: a number for what makes one, else who knows what for, unless torch is called."""
        name = ending(node.func)
        if name == "isinstance":
            return self.all(node.args[:1], replace(place, is_out=True, kept=""))
        if name == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            self.summary.attribute_values.add(str(node.args[1].value))
            self.summary.foreign_values.add(str(node.args[1].value))
        of_torch = isinstance(node.func, ast.Attribute) and self._is_foreign(node.func)
        out = out or (of_torch and (place.is_out or name in TAKES_OUT))
        kept = place.kept if name == "Sequential" else ""
        return self.all([*node.args, *node.keywords], replace(place, is_out=out, kept=kept))

    def _dotted(self, node: ast.expr) -> str:
        """The dotted name of a base class, without what stands in brackets."""
        name = ast.unparse(node.value if isinstance(node, ast.Subscript) else node)
        top, dot, rest = name.partition(".")
        return f"{self.summary.imports.get(top, top)}{dot}{rest}"

    def _is_foreign(self, node: ast.Attribute) -> bool:
        return self.outside(node) in LIBRARIES

    def outside(self, node: ast.Attribute) -> str:
        """The package that an attribute of an attribute begins with, "" for that of the file itself."""
        package = self._through(node).partition(".")[0]
        return package if package != self.package.partition(".")[0] else ""

    def _through(self, node: ast.Attribute) -> str:
        """The dotted name of what an attribute is one of, if that is imported."""
        names: list[str] = []
        inner = node.value
        while isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
        top = self.summary.imports.get(inner.id) if isinstance(inner, ast.Name) else None
        return ".".join([top, *reversed(names)]) if top else ""

    def _ask(self, name: str, place: _Place) -> None:
        if place.home is not None and name in ASKS:
            place.home.asks = True


_HANDLERS: dict[type[ast.AST], Callable[..., None]] = {
    ast.ClassDef: _Scanner.class_,
    ast.FunctionDef: _Scanner.function,
    ast.AsyncFunctionDef: _Scanner.function,
    ast.Lambda: _Scanner.lambda_,
    ast.With: _Scanner.with_,
    ast.AsyncWith: _Scanner.with_,
    ast.Import: _Scanner.import_,
    ast.ImportFrom: _Scanner.import_,
    ast.Assign: _Scanner.assign,
    ast.AnnAssign: _Scanner.annotated,
    ast.AugAssign: _Scanner.augmented,
    ast.Return: _Scanner.return_,
    ast.Yield: _Scanner.return_,
    ast.If: _Scanner.tested,
    ast.While: _Scanner.tested,
    ast.Assert: _Scanner.tested,
    ast.IfExp: _Scanner.tested,
    ast.Compare: _Scanner.out,
    ast.FormattedValue: _Scanner.out,
    **dict.fromkeys((ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Tuple, ast.List, ast.Starred), _Scanner.passed),
    ast.Subscript: _Scanner.subscript,
    ast.keyword: _Scanner.keyword,
    ast.Name: _Scanner.name,
    ast.Attribute: _Scanner.attribute,
    ast.Call: _Scanner.call,
}


_UNCHANGING = frozenset("to cuda cpu eval train float half double requires_grad_".split())
"""Methods of a module that return it."""


def _runs_at_once(home: Home | None) -> bool:
    """Whether what a function is handed is called before it ends: an object keeps what it is made with."""
    return home is not None and home.name != "__init__"


def _is_outside(target: ast.expr) -> bool:
    """Whether what is assigned to this leaves the graph: `x.data`."""
    return isinstance(target, ast.Attribute) and target.attr in ("data", "grad")


def _is_of_self(node: ast.Attribute) -> bool:
    """Whether an attribute is one of the object at hand."""
    inner = node.value
    if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "super":
        return True
    return isinstance(inner, ast.Name) and inner.id in ("self", "cls")
