"""Whether a value that a fix changes is handed to anyone who may look at what the selector drops.

`y = x.log(); history.append(y); return torch.where(x > 0, y, 0.0)`: what becomes of an appended value is not followed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from nanlint.finding import Edit
from nanlint.fixes.places import Places
from nanlint.fixes.shapes import is_elementwise_name, is_shape_only, reads_later
from nanlint.hazards import Hazard
from nanlint.sites import called_name

_ASKING = frozenset({"size", "dim", "numel", "isinstance", "len", "type", "is_tensor", "range"})
"""Functions and methods that ask for no element."""


def has_other_readers(hazard: Hazard, edits: Sequence[Edit], places: Places) -> bool:
    """Whether a statement before the selector's is edited whose value goes where it is not followed."""
    selector = hazard.selector.node
    there = places.statement(selector) if selector is not None else None
    if selector is None or there is None:
        return False
    return any(_escapes(statement, selector, places) for statement in _edited(hazard, edits, there, places))


def _edited(hazard: Hazard, edits: Sequence[Edit], there: ast.stmt, places: Places) -> Iterator[ast.stmt]:
    """The statements of the hazard's ops that are edited, but for the selector's own."""
    for statement in {
        places.statement(proof.site.node) for proof in hazard.proofs if proof.site.node is not None
    }:
        if statement is None or statement is there:
            continue
        span = places.source.span(statement)
        if any(span.start <= edit.span.start and edit.span.end <= span.end for edit in edits):
            yield statement


def _escapes(first: ast.stmt, selector: ast.AST, places: Places) -> bool:
    """Whether what a statement binds, or anything made of it before the selector, is handed on."""
    there, pending, seen = places.statement(selector), list(_bound(first)), set[str]()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        for read in places.named(name, selector):
            if not isinstance(read.ctx, ast.Load):
                continue
            statement = places.statement(read)
            if statement is None or statement in (first, there) or read.lineno < first.lineno:
                continue
            if is_shape_only(read, places) or reads_later(read, selector, first, places):
                continue
            if _is_handed_on(read, statement, places):
                return True
            pending += _bound(statement)
    return False


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement gives values, or changes the values of."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
        targets = [statement.target]
    for target in targets:
        if not isinstance(target, ast.Attribute):
            yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def _is_handed_on(read: ast.Name, statement: ast.stmt, places: Places) -> bool:
    node: ast.AST = read
    for parent in places.ancestors(read):
        if isinstance(parent, ast.Call) and node is not parent.func and not _is_followed(parent, places):
            return True
        if isinstance(parent, ast.Call) and called_name(parent) in _ASKING:
            return False
        if isinstance(parent, (ast.FormattedValue, ast.Yield, ast.Lambda)):
            return True
        if parent is statement:
            break
        node = parent
    if isinstance(statement, (ast.If, ast.While, ast.Assert)):
        return True
    return isinstance(statement, ast.Assign) and any(isinstance(t, ast.Attribute) for t in statement.targets)


def _is_followed(call: ast.Call, places: Places) -> bool:
    """Whether a call is of torch, of a method of tensors, or of a function of the same file."""
    name, root = called_name(call), call.func
    if is_elementwise_name(name) or name in _ASKING or name in places.functions:
        return True
    while isinstance(root, ast.Attribute):
        root = root.value
    return isinstance(root, ast.Name) and any(
        name == root.id and dotted.partition(".")[0] == "torch" for name, dotted in places.imports
    )
