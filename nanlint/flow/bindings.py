"""What is kept while a file is read: bindings of names, and selectors."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from nanlint.flow.operators import is_doubled, number
from nanlint.flow.sources import DROPPING, LOGICAL, MASKING, PICKING, Selection, Source, Unit


class Bindings:
    """The state of a reader."""

    def __init__(
        self, tree: ast.Module, package: str, *, squares: bool, infinities: bool, positions: bool = False
    ) -> None:
        self.tree = tree
        self.package = package
        self.squares = squares
        """Whether a square may be singular, which takes numbers that only short dtypes cannot hold."""
        self.infinities = infinities
        """Whether the code writes an infinity, of which a softmax may be given nothing else."""
        self.positions = positions
        """Whether elements are selected by integers and slices too."""
        self.module = self.unit = Unit()
        self.units = [self.module]
        self.imports: list[tuple[str, Source]] = []
        """Bindings that imports make."""
        self.followed: dict[str, set[str]] = {}
        """The names that imports from the project bind, and what they stand for."""
        self.stars: list[str] = []
        self.inherited: set[tuple[str, str]] = set()
        """Classes, and the attributes that are asked for in their methods."""
        self.around: tuple[ast.AST, ...] = ()
        """The functions around, the outermost first."""
        self.choices: tuple[Source, ...] = ()
        """What the branches and loops around depend on."""
        self.results: Source | None = None
        self.owner, self.inherits = "", False
        """The class at hand, and whether a base class may be of the project."""
        self.depth = 0
        """How many functions are around that class."""
        self.receiver = ""
        """The first parameter of the method at hand."""

    def of(self, node: ast.expr) -> Source:
        """What an expression is made of."""
        out = Source()
        self.expression(node, out)
        return out

    def expression(self, node: ast.AST, out: Source) -> None:
        """Add to `out` what an expression is made of."""
        raise NotImplementedError

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Source:
        """Read a function, and return what it returns."""
        raise NotImplementedError

    def block(self, body: Iterable[ast.AST]) -> None:
        """Read statements."""
        raise NotImplementedError

    def bound(self, name: str, source: Source) -> None:
        """A name (an attribute, with a dot in front) is bound."""
        for choice in self.choices:
            source.add(choice)
        self.unit.bindings.append((name, source))
        if name[0] == "." or self.unit is self.module:
            self.export(name, source)

    def export(self, name: str, source: Source) -> None:
        """The whole file knows a name; what is bound in a class is an attribute too, and comes with the class."""
        self.unit.exported.append((name, source))
        if self.owner:
            attribute = name if name[0] == "." else f".{name}"
            self.unit.exported += (attribute, source), (f"{self.owner}.*", source)

    def bind(self, target: ast.expr, source: Source) -> None:
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
            self.picked(operands, target.slice)
            if is_doubled(target.slice):
                self.selector(operands)
            self.filled(target.value, source)

    def filled(self, target: ast.expr, source: Source) -> None:
        """The object that `target` is, or is an element of, holds something new."""
        while isinstance(target, (ast.Subscript, ast.Call)):
            target = target.value if isinstance(target, ast.Subscript) else target.func
        if isinstance(target, ast.Name):
            self.bound(target.id, source)
        elif isinstance(target, ast.Attribute):
            self.bound(f".{target.attr}", source)
            self.filled(target.value, source)

    def selector(
        self, operands: Source, mask: Source | None = None, flag: int = MASKING, kind: int = DROPPING
    ) -> None:
        """A selector; with `mask`, if that is one."""
        if operands:
            self.unit.selectors.append(Selection(operands, mask, self.around, flag, kind))

    def picked(self, operands: Source, key: ast.expr) -> None:
        """Elements are picked, or stored, by a subscript: a selector if a part of that is a mask."""
        mask, computed = Source(), 0
        for part in key.elts if isinstance(key, ast.Tuple) else (key,):
            if isinstance(part, ast.Slice):
                self.of(part)
            elif not isinstance(part, ast.Constant) and number(part) is None:
                self.expression(part, mask)
                computed += 1
        if computed > 1 and not is_doubled(key):  # one element of each row, as `gather` takes them
            self.selector(operands, kind=0)
        if mask.names or mask.flags & LOGICAL:
            self.selector(operands, mask, LOGICAL, PICKING)
        if self.positions:
            self.selector(operands, kind=0)

    def bind_each(self, target: ast.expr, iterable: ast.expr, source: Source) -> None:
        """Bind the target of a loop to what it runs over, which is made of `source`: counts and keys are no tensors."""
        call = iterable if isinstance(iterable, ast.Call) and not iterable.keywords else None
        name = "" if call is None else getattr(call.func, "id", "") or getattr(call.func, "attr", "")
        parts = target.elts if isinstance(target, ast.Tuple) and len(target.elts) == 2 else ()
        if call is None or name not in ("range", "keys", "enumerate", "items"):
            self.bind(target, source)
        elif name in ("range", "keys"):
            self.bind(target, Source())
        elif parts:
            self.bind(parts[0], Source())
            self.bind(parts[1], source)
        else:
            self.bind(target, source)
