"""Singular ops as written: which of a call's expressions is the argument."""

from __future__ import annotations

import ast

from nanlint.catalogue import OPS
from nanlint.catalogue.emptied import OF_ROWS

_OF_THE_RIGHT = ("exp", "exp2", "reciprocal")
"""What `number ** x` and `number / x` are lowered to: the argument stands on the right."""
_TWO_SIDED = frozenset({"pow", "float_power", "div", "divide", "true_divide"})
"""The same as calls: `torch.pow(10.0, x)`."""


def argument_node(site: ast.AST | None, index: int, op: str) -> ast.expr | None:
    """The argument of a singular op as written."""
    if isinstance(site, ast.BinOp):
        sides = (site.left, site.right)
        return site.right if op in _OF_THE_RIGHT else sides[index] if index < len(sides) else None
    if isinstance(site, ast.AugAssign):
        return site.value if index == 1 else None
    if not isinstance(site, ast.Call):
        return None
    named = {word.arg: word.value for word in site.keywords}
    if op in _OF_THE_RIGHT and called_name(site) in _TWO_SIDED:
        return named.get("exponent") or named.get("other") or (site.args[1] if len(site.args) > 1 else None)
    parameter = OPS[op].parameters[index]
    if parameter in named:
        return named[parameter]
    args: list[ast.expr] = list(site.args)
    if _is_method_call(site, op):
        assert isinstance(site.func, ast.Attribute)
        args.insert(0, site.func.value)
    if any(isinstance(arg, ast.Starred) for arg in args):
        return None
    found = args[index] if index < len(args) else None
    return None if found is None or (index == 0 and not _is_a_copy(site, found)) else found


def _is_a_copy(call: ast.Call, changed: ast.expr) -> bool:
    """Whether a call may be given something else than `changed`, which one in place changes for all who read it."""
    if not is_in_place(call):
        return True
    copied = isinstance(changed, ast.Call) and getattr(changed.func, "attr", "") == "clone"
    return copied or isinstance(changed, ast.BinOp)


def is_in_place(call: ast.AST) -> bool:
    """Whether a call changes its first argument, as `x.sqrt_()` does."""
    name = called_name(call)
    return name.endswith("_") and not name.endswith("__")


def called_name(call: ast.AST | None) -> str:
    """The last part of what is called: `sqrt` for `torch.sqrt(x)` and `x.sqrt()`; empty for what is no call."""
    if not isinstance(call, ast.Call):
        return ""
    return call.func.attr if isinstance(call.func, ast.Attribute) else str(getattr(call.func, "id", ""))


def _is_method_call(site: ast.Call, op: str) -> bool:
    """`x.sqrt()` has its first argument before the dot, `torch.sqrt(x)` has a module there."""
    given = len(site.args) + sum(word.arg in OPS[op].parameters for word in site.keywords)
    needed = 1 if op in OF_ROWS else len(OPS[op].parameters)
    return isinstance(site.func, ast.Attribute) and given < needed
