"""Conditions that are stated rather than shown: their syntax in comments and in the configuration."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

from nanlint import regions as R
from nanlint.regions import Region

_TRUE_OR_FALSE = (ast.Compare, ast.BoolOp, ast.Call, ast.UnaryOp, ast.BinOp)
_SIDES: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*(\(\))?")
_RANGE = re.compile(r"(?P<low>\S+)\s*\.\.\s*(?P<high>\S+)")
_ONE_SIDED = re.compile(r"(?P<op>[<>!=]=|[<>])\s*(?P<number>\S+)")
_EXAMPLES = 'such as "> 0", "0 .. 1" or "> 0, <= 1"'


@dataclass(frozen=True, eq=False)
class Plain:
    """A condition that gives the range of one thing: a name, a dotted attribute, or (`is_call`) the results of a call.

    `target` is its text without parentheses: `x`, `self.scale`, `softclamp`.
    """

    target: str
    node: ast.expr
    region: Region
    is_call: bool = False


@dataclass(frozen=True, eq=False)
class Condition:
    """A condition as written, and as an expression; `start` and `end` are its offsets in what was read.

    In `test` the results of a call that is written `f()` have the name `f()`.
    """

    text: str
    test: ast.expr
    plain: Plain | None
    start: int = 0
    end: int = 0

    def of_self(self, names: set[str]) -> Condition:
        """The same condition where `names` are attributes of self."""
        if not any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(self.test)):
            return self
        test = _OfSelf(names).visit(deepcopy(self.test))
        return replace(self, test=test, plain=_plain(test))


def conditions(text: str, *, methods: bool = False) -> tuple[Condition, ...]:
    """The conditions in a text, separated by commas; raises ValueError, saying why, for what is none.

    `f()` stands for the results of all calls of `f`; so does `x.f()` with `methods`, which else is that one call.
    """
    if not text.strip():
        raise ValueError("a condition is missing, such as x > 0")
    try:
        whole = ast.parse(f"({text}\n)", mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ValueError("it is no Python expression") from error
    parts = whole.elts if isinstance(whole, ast.Tuple) and whole.col_offset == 0 else [whole]
    return tuple(_condition(part, text, methods) for part in parts)


def setting(target: str, region: object) -> str:
    """The condition for an entry of `[tool.nanlint.assume]`; raises ValueError for one that cannot be used."""
    if not _TARGET.fullmatch(target):
        raise ValueError(f"{target!r} is no name such as x, self.scale or softclamp()")
    if not isinstance(region, str):
        raise ValueError(f"{target}: expected a string {_EXAMPLES}, not {region!r}")
    text = " and ".join(_one_sided(target, part.strip()) for part in region.split(","))
    for condition in conditions(text, methods=True):
        _check_not_empty(condition, target, region)
    return text


def setting_of(text: str) -> Condition:
    """The condition of a setting in the syntax of comments; raises ValueError unless it is a range of one thing."""
    found = conditions(text, methods=True)
    if len(found) != 1 or found[0].plain is None:
        raise ValueError(f"{text!r} is no range of one name, such as self.scale > 0 or 0 <= softclamp() <= 1")
    return found[0]


def _one_sided(target: str, part: str) -> str:
    both, one = _RANGE.fullmatch(part), _ONE_SIDED.fullmatch(part)
    numbers = [both["low"], both["high"]] if both else [one["number"]] if one else []
    if not numbers or any(_number(ast_of(text)) is None for text in numbers):
        raise ValueError(f"{target}: {part!r} is no range; write one {_EXAMPLES}")
    return f"{both['low']} <= {target} <= {both['high']}" if both else f"{target} {part}"


def ast_of(text: str) -> ast.expr | None:
    """The expression that a text is; None if it is none."""
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _check_not_empty(condition: Condition, target: str, region: str) -> None:
    if condition.plain is None:
        raise ValueError(f"{target}: {region!r} is no range; write one {_EXAMPLES}")
    if not condition.plain.region:
        raise ValueError(f"{target}: no number is in {region!r}")


def _condition(part: ast.expr, text: str, methods: bool) -> Condition:
    start, end = _offsets(part, text)
    written = " ".join(text[start:end].split())
    if not isinstance(part, _TRUE_OR_FALSE) or (
        isinstance(part, ast.UnaryOp) and isinstance(part.op, (ast.USub, ast.UAdd))
    ):
        raise ValueError(f"`{written}` is no condition, such as x > 0")
    plain = _plain(part)
    if plain is not None and plain.is_call and not methods and "." in plain.target:
        plain = None
    test = _Renamed(plain.node).visit(part) if plain is not None and plain.is_call else part
    for node in ast.walk(test):  # the places in what was read are those of nothing in the file
        node.lineno = node.end_lineno = 1  # type: ignore[attr-defined]
        node.col_offset = node.end_col_offset = 0  # type: ignore[attr-defined]
    return Condition(written, test, plain, start, end)


def _offsets(part: ast.expr, text: str) -> tuple[int, int]:
    """Where a part begins and ends in the text, in characters; the parser's columns count bytes and a bracket."""
    line = f"({text}".encode()
    ends = (part.col_offset, part.end_col_offset or 0)
    start, end = (len(line[:offset].decode()) - 1 for offset in ends)
    return start, end if part.end_lineno == 1 else len(text)


class _Renamed(ast.NodeTransformer):
    """Gives the results of one call a name."""

    def __init__(self, call: ast.expr) -> None:
        self._call = ast.dump(call)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if ast.dump(node) == self._call:
            return ast.copy_location(ast.Name(f"{ast.unparse(node.func)}()", ast.Load()), node)
        return self.generic_visit(node)


class _OfSelf(ast.NodeTransformer):
    """Turns names into attributes of self."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in self._names:
            return node
        owner = ast.copy_location(ast.Name("self", ast.Load()), node)
        return ast.copy_location(ast.Attribute(owner, node.id, ast.Load()), node)


def _plain(test: ast.expr) -> Plain | None:
    """The range that a condition gives of one thing; None for any other condition."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        parts = [_plain(value) for value in test.values]
        return _all_of([part for part in parts if part is not None]) if all(parts) else None
    if not isinstance(test, ast.Compare):
        return None
    pairs = list(_pairs(test))
    targets = {ast.dump(target): target for target, _ in pairs if target is not None}
    if len(targets) != 1 or any(region is None for _, region in pairs):
        return None
    (target,) = targets.values()
    region = R.ALL
    for _, part in pairs:
        region &= part if part is not None else R.ALL
    return _of(target, region)


def _all_of(parts: Sequence[Plain]) -> Plain | None:
    first, *rest = parts
    if any((part.target, part.is_call) != (first.target, first.is_call) for part in rest):
        return None
    region = first.region
    for part in rest:
        region &= part.region
    return Plain(first.target, first.node, region, first.is_call)


def _of(target: ast.expr, region: Region) -> Plain | None:
    is_call = isinstance(target, ast.Call) and not (target.args or target.keywords)
    named = target.func if isinstance(target, ast.Call) and is_call else target
    return Plain(ast.unparse(named), target, region, is_call) if is_dotted(named) else None


def is_dotted(node: ast.expr) -> bool:
    """Whether an expression is a name, or an attribute of a name or of another attribute."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _pairs(test: ast.Compare) -> Iterator[tuple[ast.expr | None, Region | None]]:
    """Each comparison of a chain as what is compared with a number, and the region that it is said to lie in."""
    sides = [test.left, *test.comparators]
    for op, left, right in zip(test.ops, sides, sides[1:], strict=False):
        below, above = _number(left), _number(right)
        if above is not None and below is None:
            yield left, _region(op, above, mirrored=False)
        elif below is not None and above is None:
            yield right, _region(op, below, mirrored=True)
        else:
            yield None, None


def _number(node: ast.expr | None) -> float | None:
    """The number that a literal is; None for anything else."""
    try:
        value = None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _region(op: ast.cmpop, number: float, *, mirrored: bool) -> Region | None:
    if isinstance(op, ast.Eq):
        return R.point(number)
    if isinstance(op, ast.NotEq):
        return ~R.point(number)
    side = _SIDES.get(type(op))
    if side is None:
        return None
    side = _MIRRORED[side] if mirrored else side
    closed = side.endswith("=")
    return R.below(number, closed) if side[0] == "<" else R.above(number, closed)
