"""Values of a function that no gradient comes back from, by what becomes of them: compared, ranked, printed."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from nanlint.lower.uses import Function
from nanlint.usage.naming import parameters
from nanlint.usage.off import ASKS, LIBRARIES, NUMBERS, TAKES_OUT, ending
from nanlint.words import NUMERIC, SELECTORS, SINGULAR

_TAKES_OUT = TAKES_OUT | {"indices", "grad_fn", "is_leaf", "requires_grad"}
_RANKING = frozenset("topk sort max min median mode kthvalue cummax cummin".split())
"""Functions of torch that give the values that they pick and, second, their indices."""
_TELLING = frozenset(
    "print debug info warning warn error log_dict add_scalar add_histogram append_text".split()
)
"""Functions that only show what they are given."""
_OF_TENSORS = (
    SELECTORS
    | SINGULAR
    | NUMERIC
    | frozenset(
        """
        abs neg square sum mean prod cumsum std var norm view reshape flatten unflatten squeeze unsqueeze expand
        expand_as repeat repeat_interleave permute transpose t contiguous clone to float double half cpu cuda type
        type_as view_as tolist median sigmoid tanh sin cos softmax log_softmax add sub roll flip unbind split chunk
        """.split()
    )
)
"""Methods whose result is all that becomes of what they are called by, if that is a tensor."""
_BUILTIN = frozenset("sum min max abs zip enumerate list tuple reversed sorted map filter dict set".split())
_NOWHERE: frozenset[str] = frozenset()
_COLLECTING = frozenset("append extend add insert copy_".split())
"""Methods that keep what they are given in the object that they are called by."""


class Spent:
    """The local names of a function from whose values no gradient comes back, wherever they are read.

    `outside` tells the package that an attribute begins with.
    """

    def __init__(self, node: Function, outside: Callable[[ast.Attribute], str]) -> None:
        self._outside = outside
        self._wanted = {*parameters(node)}
        """Names whose gradient may be asked for: what a function is given is kept by its caller."""
        self._flows: defaultdict[str, set[str]] = defaultdict(set)
        """From a name to those that its value becomes a part of."""
        self._bound: set[str] = set()
        self._all(node.body)
        self.names = self._bound - self._reaching(self._wanted)

    def holds(self, targets: Iterable[ast.expr]) -> bool:
        """Whether no gradient comes back from what is bound to some targets."""
        names = [_base(target) for target in _flat(targets)]
        return bool(names) and all(name in self.names for name in names)

    def lines(self, node: Function) -> Iterator[tuple[int, int]]:
        """The lines, first and last, of the statements whose value no gradient comes back from."""
        for part in ast.walk(node):
            if isinstance(part, ast.stmt) and self.holds(_targets(part)):
                yield part.lineno, part.end_lineno or part.lineno

    def _reaching(self, wanted: set[str]) -> set[str]:
        found = set(wanted)
        while more := {name for name, into in self._flows.items() if name not in found and into & found}:
            found |= more
        return found

    def _all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self._statement(node)

    def _statement(self, node: ast.AST) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            self._want_all(node)
        elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            self._bind(_targets(node), node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._bind([node.target], node.iter)
            self._all([*node.body, *node.orelse])
        elif isinstance(node, (ast.If, ast.While)):
            self._read(node.test, _NOWHERE)
            self._all([*node.body, *node.orelse])
        elif isinstance(node, ast.Assert):
            self._read(node.test, _NOWHERE)
        elif isinstance(node, ast.Expr):
            self._read(node.value, _NOWHERE)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            self._wanted |= {*node.names}
        elif isinstance(node, (ast.Try, ast.With, ast.AsyncWith, ast.ExceptHandler, ast.withitem)):
            self._all(ast.iter_child_nodes(node))
        elif isinstance(node, ast.expr):
            self._read(node, None)
        else:
            self._want_all(node)

    def _want_all(self, node: ast.AST) -> None:
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                self._read(part, None)
            else:
                self._wanted |= {inner.id for inner in ast.walk(part) if isinstance(inner, ast.Name)}

    def _bind(self, targets: Iterable[ast.expr], value: ast.expr | None) -> None:
        targets = [*targets]
        parts = targets[0].elts if len(targets) == 1 and isinstance(targets[0], ast.Tuple) else []
        if len(parts) == 2 and value is not None and ending(value) in _RANKING:
            targets = [parts[0]]  # the other is bound to indices
            self._bound |= {name for name in map(_base, _flat(parts[1:])) if name}
        names = {_base(target) for target in _flat(targets)}
        for target in _flat(targets):
            for index in ast.walk(target):
                if isinstance(index, ast.Subscript):
                    self._read(index.slice, _NOWHERE)
        self._bound |= names - {""}
        if value is not None:
            self._read(value, None if "" in names else frozenset(names))

    def _read(self, node: ast.expr, into: frozenset[str] | None) -> None:
        """Note where the names in an expression go: into some names, nowhere if these are none, anywhere if None."""
        if isinstance(node, ast.Name):
            if into is None:
                self._wanted.add(node.id)
            else:
                self._flows[node.id] |= into
        elif isinstance(node, (ast.Compare, ast.JoinedStr, ast.FormattedValue)):
            self._parts(node, _NOWHERE)
        elif isinstance(node, ast.Attribute):
            self._read(node.value, _NOWHERE if node.attr in _TAKES_OUT else into)
        elif isinstance(node, ast.Subscript):
            self._read(node.value, _NOWHERE if _picks_indices(node) else into)
            self._read(node.slice, _NOWHERE)
        elif isinstance(node, ast.IfExp):
            self._read(node.test, _NOWHERE)
            self._read(node.body, into)
            self._read(node.orelse, into)
        elif isinstance(node, ast.Call):
            self._call(node, into)
        elif isinstance(node, ast.NamedExpr):
            self._bind([node.target], node.value)
            self._read(node.value, into)
        elif isinstance(node, ast.Lambda):
            self._want_all(node)
        else:
            self._parts(node, into)

    def _parts(self, node: ast.AST, into: frozenset[str] | None) -> None:
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.comprehension):
                self._bind([part.target], part.iter)
                for test in part.ifs:
                    self._read(test, _NOWHERE)
            elif isinstance(part, ast.expr):
                self._read(part, into)
            else:
                self._parts(part, into)

    def _call(self, node: ast.Call, into: frozenset[str] | None) -> None:
        func, name = node.func, ending(node.func)
        given = [*node.args, *(word.value for word in node.keywords)]
        receiver = func.value if isinstance(func, ast.Attribute) else None
        of_library = isinstance(func, ast.Attribute) and self._outside(func) in LIBRARIES
        if name in _TELLING or name in TAKES_OUT or (isinstance(func, ast.Name) and name in NUMBERS):
            into = _NOWHERE
        elif isinstance(receiver, ast.Name) and (name in _COLLECTING or _is_in_place(name)):
            into = None if into is None else into | {receiver.id}
        elif name in ASKS or not (of_library or name in (_OF_TENSORS if receiver is not None else _BUILTIN)):
            into = None
        for part in given if receiver is None or of_library else [receiver, *given]:
            self._read(part, into)


def _is_in_place(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__") and name != "requires_grad_"


def _picks_indices(node: ast.Subscript) -> bool:
    """Whether this is the second result of a function that ranks: `torch.max(x, dim=1)[1]`."""
    second = isinstance(node.slice, ast.Constant) and node.slice.value == 1
    return second and isinstance(node.value, ast.Call) and ending(node.value) in _RANKING


def _targets(node: ast.stmt) -> list[ast.expr]:
    """What a statement gives a value: what its in-place method is called by, too."""
    if isinstance(node, ast.Assign):
        return node.targets
    if isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        return [node.target]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        func = node.value.func
        if isinstance(func, ast.Attribute) and (func.attr in _COLLECTING or _is_in_place(func.attr)):
            return [func.value]
    return []


def _flat(targets: Iterable[ast.expr]) -> Iterator[ast.expr]:
    for target in targets:
        if isinstance(target, (ast.Tuple, ast.List)):
            yield from _flat(target.elts)
        else:
            yield target.value if isinstance(target, ast.Starred) else target


def _base(target: ast.expr) -> str:
    """The name that is bound, or of which an element is; "" for anything else."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""
