"""Fixes of what is found without a selector: other ways to write the same, and guards that hold."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from itertools import pairwise

from nanlint.finding import Applicability, Edit, Fix
from nanlint.fixes.places import Places, is_simple
from nanlint.graph import Apply, Constant, Value
from nanlint.sites import called_name
from nanlint.unselected.infinite import Meeting
from nanlint.unselected.vanishing import Vanished

_LOGARITHMS = frozenset({"log", "log2", "log10"})


def without_meeting(found: Meeting, places: Places) -> Fix | None:
    """Another way to write a singular op that has the same value and a finite gradient; None if none is known."""
    torch = _torch(places)
    if torch is None:
        return None
    return next(filter(None, (rewrite(found, places, torch) for rewrite in _REWRITES)), None)


def _torch(places: Places) -> str | None:
    """What the file calls torch."""
    return next((alias for alias, dotted in places.imports if dotted == "torch"), None)


# --- the root of a sum of squares ----------------------------------------------------------------------------------


def _vector_norm(found: Meeting, places: Places, torch: str) -> Fix | None:
    """`(x ** 2).sum(dim).sqrt()` is `torch.linalg.vector_norm(x, dim=dim)`, whose gradient at 0 is 0."""
    site = found.site
    total = site.args[0]
    if not (_is_root(site) and isinstance(total, Apply) and total.op == "sum"):
        return None
    squares = total.args[0]
    if not (isinstance(squares, Apply) and _is_square(squares)):
        return None
    base, words = _base(squares.node, places), _dimensions(total.node, places)
    if base is None or words is None or not _are_nested(site.node, total.node, squares.node):
        return None
    text = ", ".join([places.text(base), *(f"{name}={places.text(value)}" for name, value in words)])
    return _replaced("vector-norm", site.node, f"{torch}.linalg.vector_norm({text})", places)


def _is_root(site: Apply) -> bool:
    return site.op == "sqrt" or (site.op == "pow" and _is_number(site.args[1], 0.5))


def _is_square(value: Apply) -> bool:
    if value.op == "mul":
        return value.args[0].number == value.args[1].number
    return value.op == "square" or (value.op == "pow" and _is_number(value.args[1], 2.0))


def _is_number(value: Value, number: float) -> bool:
    return isinstance(value, Constant) and value.value == number


def _base(node: ast.AST | None, places: Places) -> ast.expr | None:
    """What is squared, as written."""
    if isinstance(node, ast.BinOp):
        same = isinstance(node.op, ast.Pow) or ast.dump(node.left) == ast.dump(node.right)
        return node.left if same else None
    if isinstance(node, ast.Call) and called_name(node) in ("pow", "square"):
        return next(iter(_operands(node, places)), None)
    return None


def _dimensions(node: ast.AST | None, places: Places) -> list[tuple[str, ast.expr]] | None:
    """The arguments of a call of `sum` by name; None for what `vector_norm` has not."""
    if not isinstance(node, ast.Call) or called_name(node) != "sum":
        return None
    given = _operands(node, places)[1:]
    words = [*zip(("dim", "keepdim"), given, strict=False)]
    words += [(_SPELLED.get(word.arg or "", ""), word.value) for word in node.keywords if word.arg != "input"]
    is_known = len(given) <= 2 and bool(_operands(node, places)) and all(name for name, _ in words)
    return words if is_known else None


_SPELLED = {"dim": "dim", "axis": "dim", "keepdim": "keepdim", "keepdims": "keepdim"}


def _are_nested(*nodes: ast.AST | None) -> bool:
    """Whether each is written within the one before, so that replacing the first replaces all."""
    pairs = pairwise(nodes)
    return all(outer is not None and any(part is inner for part in ast.walk(outer)) for outer, inner in pairs)


# --- x * log(x) ----------------------------------------------------------------------------------------------------


def _guarded_logarithm(found: Meeting, places: Places, torch: str) -> Fix | None:
    """`x * x.log()`: the logarithm is given 1 where `x` is 0. The gradient of `xlogy` is nan there, too."""
    site, zero = found.site, found.zero
    if site.op not in _LOGARITHMS or zero.op != "mul" or not isinstance(site.node, ast.Call):
        return None
    if not any(arg.number == site.args[0].number for arg in zero.args):
        return None
    argument = next(iter(_operands(site.node, places)), None)
    if argument is None or not is_simple(argument):
        return None
    text = places.text(argument)
    compared = text if isinstance(argument, (ast.Name, ast.Attribute, ast.Subscript)) else f"({text})"
    is_receiver = isinstance(site.node.func, ast.Attribute) and site.node.func.value is argument
    span = places.outer_span(argument) if is_receiver else places.source.span(argument)
    edit = Edit(span, f"{torch}.where({compared} == 0, 1.0, {text})")
    return Fix("double-where", Applicability.SAFE, (edit,))


# --- the logistic function by hand ---------------------------------------------------------------------------------


def _sigmoid(found: Meeting, places: Places, torch: str) -> Fix | None:
    """`1 / (1 + torch.exp(-x))` is `torch.sigmoid(x)`, which nothing overflows in."""
    quotient, power = found.zero, found.site
    if not (quotient.op == "reciprocal" and power.op == "exp"):  # what torch makes of `1 / x`
        return None
    total, exponent = quotient.args[0], power.args[0]
    if not (isinstance(total, Apply) and total.op == "add" and isinstance(exponent, Apply)):
        return None
    numbers = {arg.number for arg in total.args}
    whole = power.number in numbers and any(_is_number(arg, 1.0) for arg in total.args)
    minus = exponent.node
    if not (whole and exponent.op == "neg" and isinstance(minus, ast.UnaryOp)):
        return None
    if not _are_nested(quotient.node, power.node, minus):
        return None
    return _replaced("sigmoid", quotient.node, f"{torch}.sigmoid({places.text(minus.operand)})", places)


_Rewrite = Callable[[Meeting, Places, str], "Fix | None"]
_REWRITES: tuple[_Rewrite, ...] = (_vector_norm, _guarded_logarithm, _sigmoid)


# --- a guard that holds --------------------------------------------------------------------------------------------


def larger_guard(found: Vanished, places: Places) -> Fix | None:
    """The guard's number as it has to be in the dtype; None where it does not stand in the guard itself.

    Unsafe: it moves values near the point.
    """
    edits = tuple(
        Edit(places.source.span(literal), text)
        for literal, number in _literals(found.guard.node)
        if (text := _larger(number, found)) is not None
    )
    return Fix("larger-guard", Applicability.UNSAFE, edits) if edits else None


def _larger(literal: float, found: Vanished) -> str | None:
    """What a literal becomes: the distance from the point, or the number at that distance from it."""
    constant, aim = found.constant.value, found.aim
    if math.isclose(literal, abs(constant - aim), rel_tol=1e-6):
        return f"{found.holds:g}"
    if aim != 0.0 and math.isclose(literal, abs(constant), rel_tol=1e-12):
        return f"{abs(aim + math.copysign(found.holds, constant - aim)):.12g}"
    return None


def _literals(node: ast.AST | None) -> Iterator[tuple[ast.Constant, float]]:
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Constant) and isinstance(part.value, float):
            yield part, part.value


# --- syntax --------------------------------------------------------------------------------------------------------


def _operands(call: ast.Call, places: Places) -> list[ast.expr]:
    """The tensor that a function or method is called on, and its further positional arguments."""
    named = [word.value for word in call.keywords if word.arg == "input"]
    is_method = isinstance(call.func, ast.Attribute) and not _is_module(call.func.value, places)
    receiver = [call.func.value] if is_method and isinstance(call.func, ast.Attribute) else []
    made = [*receiver, *named, *call.args]
    return [] if any(isinstance(arg, ast.Starred) for arg in made) else made


def _is_module(node: ast.expr, places: Places) -> bool:
    """Whether `torch`, `torch.special`, `F` and the like are meant."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and any(alias == node.id for alias, _ in places.imports)


def _replaced(style: str, node: ast.AST | None, text: str, places: Places) -> Fix | None:
    if not isinstance(node, ast.expr):
        return None
    return Fix(style, Applicability.SAFE, (Edit(places.source.span(node), text),))
