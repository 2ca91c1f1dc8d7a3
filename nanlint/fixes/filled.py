"""Fills by index under the op: `x.sqrt().index_fill(0, i, 1.0)` becomes `x.index_fill(0, i, 1.0).sqrt()…`.

The same indices are filled once more, with a safe value, before the op.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nanlint.catalogue import OPS
from nanlint.finding import Edit
from nanlint.fixes.double_where import called, inserted
from nanlint.fixes.index_first import depends_only_on
from nanlint.fixes.places import Places, binding, is_simple
from nanlint.fixes.shapes import names_in
from nanlint.graph import Apply
from nanlint.hazards import Hazard
from nanlint.sites import argument_node, called_name


def filled(hazard: Hazard, sites: Sequence[tuple[Apply, int]], places: Places) -> tuple[Edit, ...] | None:
    """Edits that fill each poisoned argument at the indices of the selector; None where that cannot be written.

    What is filled has to have the shape of the selector's operand, which must be elementwise in it alone.
    """
    fill = _fill(hazard, places)
    if fill is None:
        return None
    operand, indices = fill
    nodes = {argument_node(site.node, index, site.op): OPS[site.op].safe[index] for site, index in sites}
    wraps = []
    for node, safe in nodes.items():
        if node is None or not _is_reached(operand, node, indices, places):
            return None
        picked = ", ".join(map(places.text, indices))
        wraps.append(called(node, f"index_fill({picked}, {safe})", places))
    return tuple(inserted(wraps, places)) if wraps else None


def _fill(hazard: Hazard, places: Places) -> tuple[ast.expr, tuple[ast.expr, ast.expr]] | None:
    """What a fill is of, and its dimension and indices; None for any other selector."""
    node = hazard.selector.node
    if not isinstance(node, ast.Call) or called_name(node).rstrip("_") != "index_fill" or node.keywords:
        return None
    receiver = [node.func.value] if places.is_method(node) and isinstance(node.func, ast.Attribute) else []
    given = [*receiver, *node.args]
    if len(given) != 4 or not all(map(is_simple, given[1:3])):
        return None
    return given[0], (given[1], given[2])


def _is_reached(operand: ast.expr, argument: ast.expr, indices: Sequence[ast.expr], places: Places) -> bool:
    """Whether an operand, as written or under its name, is elementwise in an argument, where the indices are known."""
    here, there = places.statement(argument), places.statement(operand)
    whole = operand if here is there else _named(operand, here, there, places)
    if whole is None or not (whole is argument or depends_only_on(whole, argument, places)):
        return False
    names = set[str]().union(*map(names_in, indices))
    return here is there or here is None or there is None or places.unchanged_between(names, here, there)


def _named(
    operand: ast.expr, definition: ast.stmt | None, use: ast.stmt | None, places: Places
) -> ast.expr | None:
    """What a statement binds to the name that an operand is, if the name still has that value where it is used."""
    made = binding(definition)
    if not isinstance(operand, ast.Name) or definition is None or made is None or use is None:
        return None
    block = places.parents.get(definition)
    if places.parents.get(use) is not block or made[0].id != operand.id:
        return None
    behind = [node for node in ast.iter_child_nodes(block) if isinstance(node, ast.stmt)] if block else []
    following = behind[behind.index(definition) + 1]
    return made[1] if places.unchanged_between({operand.id}, following, use) else None
