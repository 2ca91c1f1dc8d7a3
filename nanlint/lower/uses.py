"""Where a file uses its functions: in which function, as a call or otherwise, and whether gradients are off there."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

OFF = ("no_grad", "inference_mode")
AUTOGRAD = ("autograd.Function", "InplaceFunction", "(Function")
"""What stands in a text that may have an op of its own for autograd."""
_BASES = ("autograd.Function", "InplaceFunction")


def is_autograd_function(node: ast.ClassDef) -> bool:
    """`autograd.Function`: its forward runs without gradients, its backward is the gradient.

    So is a class made from any `Function` (`from torch.autograd import Function`) whose backward takes a context.
    """
    bases = [ast.unparse(base) for base in node.bases]
    return any(base.endswith(_BASES) for base in bases) or (
        any(base.endswith("Function") for base in bases) and any(map(_is_backward, node.body))
    )


def _is_backward(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.FunctionDef)
        and node.name == "backward"
        and any(parameter.arg == "ctx" for parameter in node.args.args[:2])
    )


def is_plain(node: Function) -> bool:
    """Whether nothing else than its name leads to a function: a decorator may register it somewhere."""
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return names <= {"staticmethod", "classmethod", "script", "compile", "property"}


def turns_off(node: ast.expr) -> bool:
    """`torch.no_grad()` and its like, as a context or a decorator."""
    called = node.func if isinstance(node, ast.Call) else node
    return ast.unparse(called).rpartition(".")[2] in OFF and not (isinstance(node, ast.Call) and node.args)


@dataclass(frozen=True)
class Use:
    """Where a name is used: in which class and function, whether gradients are off there, and whether it is called.

    The function is the outermost one; None is the top of the file or of a class.
    """

    owner: ast.ClassDef | None = None
    function: Function | None = None
    is_off: bool = False
    in_autograd: bool = False
    is_called: bool = False


@dataclass
class Uses:
    """The functions at the top of a file and of its classes, each with its class, and the uses of each name."""

    defined: list[tuple[Function, ast.ClassDef | None]] = field(default_factory=list)
    places: dict[str, list[Use]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, tree: ast.Module) -> Uses:
        """All of a file."""
        uses = cls()
        uses._visit_all(tree.body, Use())
        return uses

    def _visit_all(self, nodes: Iterable[ast.AST], place: Use) -> None:
        for node in nodes:
            self._visit(node, place)

    def _visit(self, node: ast.AST, place: Use) -> None:
        if isinstance(node, ast.ClassDef):
            inside = is_autograd_function(node)
            self._visit_all([*node.decorator_list, *node.bases], place)
            self._visit_all(node.body, Use(node, None, inside, inside))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._define(node, place)
        elif isinstance(node, (ast.With, ast.AsyncWith)) and any(
            turns_off(i.context_expr) for i in node.items
        ):
            self._visit_all(node.body, replace(place, is_off=True))
        elif isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            self._note(node.func, replace(place, is_called=True))
            self._visit_all([*ast.iter_child_nodes(node.func), *node.args, *node.keywords], place)
        else:
            if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
                self._note(node, place)
            self._visit_all(ast.iter_child_nodes(node), place)

    def _note(self, node: ast.Name | ast.Attribute, place: Use) -> None:
        self.places[node.id if isinstance(node, ast.Name) else node.attr].append(place)

    def _define(self, node: Function, place: Use) -> None:
        if place.function is None:
            self.defined.append((node, place.owner))
        function = place.function or node
        is_off = place.is_off or any(map(turns_off, node.decorator_list))
        self._visit_all([*node.decorator_list, node.args], replace(place, function=function))
        self._visit_all(node.body, replace(place, function=function, is_off=is_off))
