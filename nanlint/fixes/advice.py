"""What to do by hand where no fix is offered, and why none is."""

from __future__ import annotations

import ast

from nanlint.catalogue.emptied import ABSENT, EMPTIED
from nanlint.config import LEAST_INTRUSIVE
from nanlint.fixes.guards import is_picked
from nanlint.fixes.places import Places
from nanlint.fixes.shapes import each_element
from nanlint.hazards import Hazard
from nanlint.sites import argument_node

_LONGEST = 40


def advice(hazard: Hazard, places: Places) -> str:
    """A sentence for the report: the repair that is left to the reader, and the reason."""
    argument, op = _told(hazard, places), _expression(hazard.proofs[0].site.node, places)
    if hazard.proofs[0].site.op in EMPTIED:
        return (
            f"leave something finite in each row of {argument} before {op}, where the row is dropped afterwards, by"
            " `masked_fill` with a mask of whole rows: no fix is offered, since nothing here says which rows are empty"
        )
    if hazard.proofs[0].site.op in ABSENT:
        return (
            f"mask {argument} with a large negative number instead of minus infinity, or replace {op} there before it"
            " is multiplied: no fix is offered, since either is a choice of numbers"
        )
    if not each_element(hazard):
        return (
            f"keep {argument} away from where {op} is singular, by hand: no fix is offered, since a reduction between"
            " the two mixes elements that are kept with those that are dropped"
        )
    if is_picked(hazard.condition):
        return _by_index(hazard, argument, op)
    if hazard.row.family == 5:
        return (
            f"bound {argument} before {op}, at a value that your data never reach: no fix is offered, since every such"
            " bound would change a value that is kept"
        )
    if hazard.row.family == 6:
        return (
            f"ask of {argument} where {op} is singular, and guard both with the answer: no fix is offered, since the"
            " values put in place of what is not finite would change"
        )
    return (
        f"put a safe value in place of {argument} where {op} is dropped: no fix is offered, since"
        f" {_why(hazard, places)}"
    )


def _why(hazard: Hazard, places: Places) -> str:
    """Why no guard is put around an argument: other callers would be changed, or evidence was against all of them."""
    site, selector = hazard.proofs[0].site.node, hazard.selector.node
    if site is not None and selector is not None and places.function(site) is not places.function(selector):
        return "it stands in another function, which knows nothing of the selection"
    return "none that could be written here keeps every other value and gradient"


def instead(style: str, wanted: str) -> str:
    """A remark on a fix that is in another style than the one that was asked for; empty if any was welcome."""
    if wanted in (style, LEAST_INTRUSIVE):
        return ""
    return f"the form {wanted} cannot be written here, or not be shown to be right"


def _by_index(hazard: Hazard, argument: str, op: str) -> str:
    if hazard.selector.op == "masked_fill":
        return (
            f"store a safe value at the same place of {argument} before {op}: no fix is offered, since indices are no"
            " mask to guard with"
        )
    return (
        f"select from {argument} before {op}: no fix is offered, since indices are no mask to guard with, and {op} is"
        " not elementwise in one tensor"
    )


def _told(hazard: Hazard, places: Places) -> str:
    """The argument of the singular op as written, or in words."""
    site = hazard.proofs[0].site
    nodes = (argument_node(site.node, index, site.op) for index, arg in enumerate(site.args) if arg.grad)
    node = next((node for node in nodes if node is not None), None)
    return "the argument" if node is None else _expression(node, places)


def _expression(node: ast.AST | None, places: Places) -> str:
    if not isinstance(node, ast.expr):
        return "the op"
    text = " ".join(places.text(node).split())
    return f"`{text}`" if len(text) <= _LONGEST else f"`{text[: _LONGEST - 3]}...`"
