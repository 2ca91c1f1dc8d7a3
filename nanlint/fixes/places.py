"""Where things stand in the syntax tree: parents, statements, scopes, and the text of expressions."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from nanlint.finding import Edit, Position, Span
from nanlint.source import Piece, Source, spliced

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BLANK = re.compile(r"\s")


@dataclass(frozen=True, eq=False)
class Places:
    """A syntax tree together with its text."""

    source: Source
    tree: ast.AST

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The parent of every node."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def names_at(self, node: ast.AST) -> set[str]:
        """Every name that a function or the module around it uses, so that a new one can be told apart."""
        functions = [around for around in self.ancestors(node) if isinstance(around, _FUNCTIONS)]
        outermost = functions[-1] if functions else self.tree
        return _names_in(outermost) | self._names_of_module

    @cached_property
    def _names_of_module(self) -> set[str]:
        """What the module binds or imports."""
        found = {alias for alias, _ in self.imports}
        for statement in getattr(self.tree, "body", ()):
            if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
                found.add(statement.name)
            else:
                found |= _names_in(statement)
        return found

    @property
    def functions(self) -> frozenset[str]:
        """The names of all functions and methods that the text defines."""
        return frozenset(self._definitions)

    def defined(self, name: str) -> Sequence[ast.AST]:
        """The functions and methods of a name that the text defines."""
        return self._definitions.get(name, ())

    @cached_property
    def _definitions(self) -> dict[str, list[ast.AST]]:
        found: dict[str, list[ast.AST]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, _FUNCTIONS):
                found.setdefault(node.name, []).append(node)
        return found

    @cached_property
    def imports(self) -> tuple[tuple[str, str], ...]:
        """The names that imports anywhere in the text bind, and what they stand for."""
        from nanlint.names import imported

        nodes = (node for node in ast.walk(self.tree) if isinstance(node, (ast.Import, ast.ImportFrom)))
        return tuple(pair for node in nodes for pair in imported(node))

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around `node`, from the inside."""
        current = self.parents.get(node)
        while current is not None:
            yield current
            current = self.parents.get(current)

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The innermost statement that `node` belongs to."""
        return next(
            (n for n in itertools.chain((node,), self.ancestors(node)) if isinstance(n, ast.stmt)), None
        )

    def function(self, node: ast.AST) -> ast.AST:
        """The innermost function around `node`, or the module."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)
        return next((n for n in self.ancestors(node) if isinstance(n, kinds)), self.tree)

    def named(self, name: str, at: ast.AST) -> Sequence[ast.Name]:
        """Where the function around `at`, or the module, has a name, in the order of `ast.walk`."""
        function = self.function(at)
        if function not in self._names:
            found = self._names[function] = {}
            for node in ast.walk(function):
                if isinstance(node, ast.Name):
                    found.setdefault(node.id, []).append(node)
        return self._names[function].get(name, ())

    @cached_property
    def _names(self) -> dict[ast.AST, dict[str, list[ast.Name]]]:
        """The names in the functions that were asked for: a fix asks for dozens, and each time for the same."""
        return {}

    def is_module(self, node: ast.expr) -> bool:
        """Whether an expression is an imported name, such as `torch` or `F`."""
        return isinstance(node, ast.Name) and any(name == node.id for name, _ in self.imports)

    def is_method(self, call: ast.Call) -> bool:
        """Whether a call has its first operand before the dot."""
        return isinstance(call.func, ast.Attribute) and not self.is_module(call.func.value)

    def is_argument(self, node: ast.expr) -> bool:
        """Whether an expression is an argument of a call."""
        parent = self.parents.get(node)
        return isinstance(parent, ast.keyword) or (isinstance(parent, ast.Call) and parent.func is not node)

    def definition(self, name: ast.Name) -> ast.expr | None:
        """What a local name is bound to, if its function binds it once, by `name = value` before this use."""
        bound = [node for node in self.named(name.id, name) if not isinstance(node.ctx, ast.Load)]
        statement = self.parents.get(bound[0]) if len(bound) == 1 else None
        made = binding(statement)
        if statement is None or made is None or made[0] is not bound[0]:
            return None
        return made[1] if made[0].lineno < name.lineno else None

    def spelled_out(self, node: ast.expr) -> ast.expr:
        """What a name is bound to, or the expression itself where that is not known."""
        return (self.definition(node) if isinstance(node, ast.Name) else None) or node

    def is_bound_tightly(self, node: ast.expr) -> bool:
        """Whether what is around an expression would take only a part of it, if it were an operation of others."""
        parent = self.parents.get(node)
        if isinstance(parent, ast.Call):
            return parent.func is node
        return isinstance(
            parent, (ast.BinOp, ast.UnaryOp, ast.Attribute, ast.Subscript, ast.Compare, ast.Await)
        )

    def text(self, node: ast.expr) -> str:
        """The source text of an expression, as written, without parentheses around it."""
        return self.source.slice(self.source.span(node))

    def rewritten(self, node: ast.expr, edits: Sequence[Edit]) -> str:
        """The source text of an expression after edits within it."""
        start = self.source.offset(self.source.span(node).start)
        pieces = [Piece(p.start - start, p.end - start, p.text) for p in self.source.placed(edits)]
        return spliced(self.text(node), pieces)

    def outer_span(self, node: ast.expr) -> Span:
        """The span of an operand with the parentheses that are written around it; those of a call are none."""
        span = self.source.span(node)
        if self.is_argument(node):
            return span
        start, end = self.source.offset(span.start), self.source.offset(span.end)
        text = self.source.text
        while True:
            left, right = _before(text, start), _behind(text, end)
            if left < 0 or right >= len(text) or text[left] != "(" or text[right] != ")":
                return Span(self.source.position(start), self.source.position(end))
            start, end = left, right + 1

    def line_start(self, statement: ast.stmt) -> tuple[Position, str] | None:
        """Where a line can be put before `statement`, and its indentation; None if it does not begin its line."""
        decorated = getattr(statement, "decorator_list", None)
        if decorated:
            return None
        span = self.source.span(statement)
        line = self.source.lines[span.start.line - 1]
        indent = line[: span.start.column - 1]
        if indent.strip():
            return None
        return Position(span.start.line, 1), indent

    def reads(self, name: ast.Name) -> list[ast.Name]:
        """All places of a function that read a name."""
        return [node for node in self.named(name.id, name) if isinstance(node.ctx, ast.Load)]

    def unchanged_between(self, names: set[str], first: ast.stmt, last: ast.stmt) -> bool:
        """Whether no name is bound anew after `first` and before `last`, two statements of one function."""
        stores = (
            (node.lineno, node.col_offset)
            for name in names
            for node in self.named(name, last)
            if not isinstance(node.ctx, ast.Load)
        )
        start, end = (first.lineno, first.col_offset), (last.lineno, last.col_offset)
        return not any(start <= place < end for place in stores)

    def line_removal(self, statement: ast.stmt) -> Edit | None:
        """The edit that takes out a statement with its line; None where other things stand on its lines."""
        span = self.source.span(statement)
        lines = self.source.lines
        before = lines[span.start.line - 1][: span.start.column - 1]
        behind = lines[span.end.line - 1][span.end.column - 1 :]
        if before.strip() or behind.strip() or span.end.line >= len(lines):
            return None
        return Edit(Span(Position(span.start.line, 1), Position(span.end.line + 1, 1)), "")

    def fresh(self, wanted: str, at: ast.AST) -> str:
        """`wanted`, or with a number behind it if the function around `at`, or the module, has that name already."""
        numbered, taken = (f"{wanted}_{index}" for index in itertools.count(2)), self.names_at(at)
        return next(name for name in itertools.chain((wanted,), numbered) if name not in taken)


def _names_in(node: ast.AST) -> set[str]:
    found = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return found | {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}


def binding(statement: ast.AST | None) -> tuple[ast.Name, ast.expr] | None:
    """The one name that a statement binds, and to what: `name = value`, with an annotation or without."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target, value = statement.target, statement.value
    else:
        return None
    return (target, value) if isinstance(target, ast.Name) else None


def bindable(text: str) -> str:
    """The text of an expression as it can be bound to a name: in parentheses if it has more than one line."""
    return f"({text})" if "\n" in text or "\r" in text else text


def _before(text: str, offset: int) -> int:
    offset -= 1
    while offset >= 0 and _BLANK.match(text[offset]):
        offset -= 1
    return offset


def _behind(text: str, offset: int) -> int:
    while offset < len(text) and _BLANK.match(text[offset]):
        offset += 1
    return offset


def is_simple(node: ast.expr) -> bool:
    """Whether an expression is cheap and has no effect, so that it may be written twice."""
    return not any(isinstance(part, _COSTLY) and not _is_test(part) for part in ast.walk(node))


def _is_test(node: ast.AST) -> bool:
    """`x.gt(0)`, `torch.logical_not(m)`, `m.bool()`, `x.abs()`: no more costly than `x > 0`."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in _TESTS


_COSTLY = (ast.Call, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom, ast.Lambda, ast.IfExp, ast.ListComp)
_TESTS = frozenset(
    """
    lt le gt ge eq ne less less_equal greater greater_equal not_equal logical_and logical_or logical_not
    logical_xor bitwise_and bitwise_or bitwise_not bool float double half to type type_as unsqueeze squeeze
    view abs
    """.split()
)
