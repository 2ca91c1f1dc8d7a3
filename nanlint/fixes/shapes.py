"""Whether a guard has a shape that fits: from the singular op up to the selector everything must be elementwise."""

from __future__ import annotations

import ast

from nanlint.catalogue import SPELLINGS
from nanlint.catalogue.reductions import ROWS as REDUCTIONS
from nanlint.fixes.places import Places

_REDUCING = frozenset(spelling.rsplit(".", 1)[-1] for row in REDUCTIONS for spelling in row.spellings)
_ELEMENTWISE = frozenset(spelling.rsplit(".", 1)[-1] for spelling in SPELLINGS) - _REDUCING | frozenset(
    """
    where clamp clip clamp_ clip_ nan_to_num float double half to type_as contiguous clone relu hardtanh
    addcmul addcdiv logit softplus
    """.split()
)


def elementwise_path(
    site: ast.AST, selector: ast.AST, places: Places, seen: frozenset[ast.AST] = frozenset()
) -> bool:
    """Whether the value of `site` reaches `selector` through elementwise ops only, so that shapes broadcast alike.

    `seen` are the assignments that the path has come through: a value that feeds itself leads nowhere new.
    """
    node = site
    while node is not selector:
        parent = places.parents.get(node)
        if parent is None:
            return False
        if isinstance(parent, (ast.Assign, ast.AnnAssign)):
            return parent not in seen and _every_use_fits(parent, selector, places, seen | {parent})
        if parent is not selector and not _elementwise(parent, node):
            return False
        node = parent
    return True


def _elementwise(parent: ast.AST, child: ast.AST) -> bool:
    if isinstance(parent, (ast.BinOp, ast.UnaryOp)):
        return not (isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult))
    if isinstance(parent, ast.Attribute):
        return True  # the receiver of a method: its call is looked at next
    if isinstance(parent, ast.keyword):
        return True
    if isinstance(parent, ast.Call):
        name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
        return name in _ELEMENTWISE or name.endswith("where")
    return False


def elementwise(node: ast.expr) -> bool:
    """Whether an expression is made of elementwise ops, names and numbers alone."""
    if isinstance(node, (ast.Name, ast.Constant)):
        return True
    if isinstance(node, ast.BinOp):
        return not isinstance(node.op, ast.MatMult) and elementwise(node.left) and elementwise(node.right)
    if isinstance(node, ast.UnaryOp):
        return elementwise(node.operand)
    if isinstance(node, ast.Compare):
        return len(node.ops) == 1 and elementwise(node.left) and elementwise(node.comparators[0])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return (
            node.func.attr in _ELEMENTWISE
            and elementwise(node.func.value)
            and all(map(elementwise, node.args))
        )
    return False


def _every_use_fits(
    statement: ast.Assign | ast.AnnAssign, selector: ast.AST, places: Places, seen: frozenset[ast.AST]
) -> bool:
    """Whether every read of the assigned name lies below the selector or leads there elementwise."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    if not isinstance(target, ast.Name) or (
        isinstance(statement, ast.Assign) and len(statement.targets) != 1
    ):
        return False
    reads = [
        node
        for node in ast.walk(places.function(selector))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id == target.id
    ]
    return bool(reads) and all(
        _is_filled_like(read, places) or elementwise_path(read, selector, places, seen) for read in reads
    )


def _is_filled_like(read: ast.AST, places: Places) -> bool:
    """`torch.zeros_like(y)` asks for the shape of `y` only, and broadcasts with it."""
    parent = places.parents.get(read)
    if not isinstance(parent, ast.Call):
        return False
    name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
    return name.endswith("_like")


def narrower(condition: ast.expr, argument: ast.expr) -> bool:
    """Whether a condition is computed elementwise from names that the argument has too: then it cannot be larger."""
    if not (elementwise(condition) and elementwise(argument)):
        return False
    return {n.id for n in ast.walk(condition) if isinstance(n, ast.Name)} <= {
        n.id for n in ast.walk(argument) if isinstance(n, ast.Name)
    }
