"""What a condition has to do with a value: whether it asks about it, or speaks of what it is made of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from nanlint import regions as R
from nanlint.catalogue import OPS
from nanlint.catalogue.totals import SUMS
from nanlint.graph import (
    ANOTHER,
    MOST_VALUES,
    PICKED,
    Apply,
    Constant,
    Kind,
    Leaf,
    Value,
    closure,
    each_once,
    operands,
)

SIGNS = frozenset({"sign", "sgn"})
"""Ops, and the calls of that name, that are 0 where their argument is, and of size one elsewhere."""
_STEPS = SIGNS | {"heaviside"}
"""Ops that say on which side of 0 their argument is."""
_CHOSEN = {"phi": (1, 2), "where": (1, 2), "masked_fill": (0, 2), "masked_select": (0,)}
"""The arguments of which an op takes elements as they are."""
_USED = {"phi": 1, "where": 1, "masked_fill": 2}
"""How many of the first arguments of a choice are used whatever is chosen: what is stored has its own elements."""
_SHIFTING = frozenset({"add", "sub", "div", "floor", "trunc", "floor_divide"})
"""Ops by which one length is made of another."""
_INTEGER = re.compile(r"\d+")


@each_once
def is_unreadable(condition: Value) -> bool:
    """Whether a condition is a mask from outside, which says which elements count and nothing of their values.

    So are the mask's complement, several of them together, and `m > 0.5`, which makes a boolean of a float mask.
    """
    if isinstance(condition, Leaf):
        # what indices leave out is like what they take: they are no sign of padding
        return condition.region <= R.TRUTH and condition.name != PICKED
    if not isinstance(condition, Apply):
        return False
    if condition.op in ("and", "or", "not"):
        return any(is_unreadable(arg) or _is_input(arg) for arg in condition.args)
    if condition.op in ("gt", "ge", "lt", "le", "eq", "ne"):
        (leaf, threshold) = condition.args
        binary = isinstance(threshold, Constant) and threshold.value == 0.5
        return is_unreadable(leaf) or (binary and isinstance(leaf, Leaf)) or _counts_up_to(leaf, threshold)
    parts = [arg for arg in condition.args if not isinstance(arg, Constant)]
    return bool(parts) and all(is_unreadable(part) for part in parts)


def _counts_up_to(one: Value, other: Value) -> bool:
    """Whether positions are compared with an input: `torch.arange(steps) < lengths[:, None] - 2`."""
    return any(_is_position(x) and _is_input(_shifted(y)) for x, y in ((one, other), (other, one)))


def _shifted(value: Value) -> Value:
    """`lengths` of `lengths - width + 1`, and of as many of its halves."""
    while isinstance(value, Apply) and value.op in _SHIFTING:
        first, *others = value.args
        if not all(other.kind is Kind.NUMBER for other in others):
            break
        value = first
    return value


def _is_position(value: Value) -> bool:
    """Whether something is the numbers of all rows, as `torch.arange(len(x))` gives them."""
    called = value.node.func if isinstance(value, Leaf) and isinstance(value.node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr == "arange"


@each_once
def is_presence(condition: Value) -> bool:
    """Whether a condition is about inputs alone, each held against a number: `count > 0`, `target != -1`."""
    if is_unreadable(condition):
        return True
    if not isinstance(condition, Apply):
        return False
    if condition.op in ("gt", "ge", "lt", "le", "eq", "ne"):
        sides = condition.args, condition.args[::-1]
        return any(_is_input(one) and other.kind is Kind.NUMBER for one, other in sides)
    if condition.op == "truth":
        return isinstance(condition.args[0], Leaf)
    return condition.op in ("and", "or", "not") and all(map(is_presence, condition.args))


def _is_input(value: Value) -> bool:
    return isinstance(value, Leaf) and not value.opaque


def is_left_blank(value: Value) -> bool:
    """Whether a value is a given one that has no gradient, a target: where a mask says there is none it is 0."""
    if isinstance(value, Apply) and value.op in ("abs", "neg", "identity"):
        return is_left_blank(value.args[0])
    if not isinstance(value, Leaf) or value.opaque or value.grad:
        return False
    return value.kind is not Kind.NUMBER and value.region.lo < 0.0


def are_opposite(one: Value, other: Value) -> bool:
    """Whether a condition is the other one's complement, as it is written."""
    return any(
        isinstance(x, Apply) and x.op == "not" and x.args[0].number == y.number
        for x, y in ((one, other), (other, one))
    )


def is_sign(condition: Value) -> bool:
    """Whether what is multiplied with is the sign of something: it is 0 only where that is."""
    while isinstance(condition, Apply) and condition.op in ("identity", "neg"):
        condition = condition.args[0]
    return isinstance(condition, Apply) and condition.op in SIGNS


def is_ranking(condition: Value) -> bool:
    """Whether a condition says that an element is the largest or smallest one of several: any other one may be met."""
    if not isinstance(condition, Apply) or condition.op not in ("ge", "le"):
        return False
    return any(isinstance(v, Leaf) and v.key == ANOTHER for v in closure(condition.args[1:], MOST_VALUES))


@each_once
def is_padding(condition: Value) -> bool:
    """Whether a condition is made of masks from outside alone."""
    if isinstance(condition, Apply) and condition.op in ("and", "or"):
        return all(is_padding(arg) for arg in condition.args)
    return is_unreadable(condition)


def is_asked_about(value: Value, condition: Value) -> bool:
    """Whether a condition compares this very value with something, or the two that it is the difference of."""
    parts = [{value.number}]
    while isinstance(value, Apply) and value.op != "sub":
        value = value.args[1 if value.op == "phi" else 0]
        parts.append({value.number})
    if isinstance(value, Apply):
        parts.append({arg.number for arg in value.args})
    compared = [
        {arg.number for arg in part.args}
        for part in closure((condition,), MOST_VALUES)
        if isinstance(part, Apply) and OPS[part.op].boolean
    ]
    return any(part <= numbers for part in parts for numbers in compared)


def is_told_apart(value: Value, condition: Value) -> bool:
    """Whether a condition compares, or asks something unknown about, what `value` alone is made of."""
    own = stem(value)
    for part in closure((condition,), MOST_VALUES):
        if isinstance(part, Apply):
            asked = part.args if OPS[part.op].boolean or part.op in _STEPS else ()
        else:
            asked = part.feeds if isinstance(part, Leaf) and part.region <= R.TRUTH else ()
        if any(own & stem(arg) for arg in asked):
            return True
    return False


def stem(value: Value) -> set[int]:
    """The numbers of a value and of all that it is made of by ops of one argument, or by a choice of elements.

    What has no gradient, as `argmax`, is another thing than what it was made from.
    """
    seen: set[int] = set()
    stack: list[Value] = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, Constant) or current.number in seen:
            continue
        seen.add(current.number)
        args = current.args if isinstance(current, Apply) else current.feeds if current.grad else ()
        chosen = _CHOSEN.get(current.op) if isinstance(current, Apply) else None
        if chosen is not None:
            stack.extend(args[i] for i in chosen)
        elif len({arg.number for arg in args if not isinstance(arg, Constant)}) == 1:
            stack.extend(args)
    return seen


def always_used(operand: Value) -> Iterator[Apply]:
    """What an operand is made of, but for what only one side of a choice uses."""
    stack, seen = [operand], set[int]()
    while stack:
        value = stack.pop()
        if value.number in seen or not isinstance(value, Apply):
            continue
        seen.add(value.number)
        yield value
        stack.extend(value.args[: _USED.get(value.op, len(value.args))])


def is_held_against_number(value: Value, condition: Value) -> bool:
    """Whether a condition compares this very value with a number or a setting: `cutoff > 0`, not `x < cutoff`."""
    return any(
        all(other.kind is Kind.NUMBER for other in others) for others in _held_against(value, condition)
    )


def is_held_against_zero(value: Value, condition: Value) -> bool:
    """Whether a condition compares this very value with 0: `overlap > 0`."""
    return any(
        isinstance(other, Constant) and other.value == 0.0
        for others in _held_against(value, condition)
        for other in others
    )


def is_told_by_zero(value: Value, condition: Value) -> bool:
    """Whether a condition compares something with 0 that is made of the very inputs that `value` is made of.

    So it does where it asks if any element of a mask is set.
    """
    own = _wholes(value)
    asked = [
        part
        for part in closure((condition,), MOST_VALUES)
        if isinstance(part, Apply) and OPS[part.op].boolean
    ]
    compared = [part.args for part in asked if len(part.args) == 2]
    return any(part.op == "any" and _wholes(part) == own for part in asked) or any(
        isinstance(zero, Constant) and zero.value == 0.0 and _wholes(other) == own
        for pair in compared
        for other, zero in (pair, pair[::-1])
    )


def _wholes(value: Value) -> set[int]:
    """The numbers of the leaves that `value` depends on, of elements that of the whole alone."""
    below = speaks_of(value)
    leaves = (part for part in closure((value,), MOST_VALUES) if isinstance(part, Leaf))
    return below - {leaf.number for leaf in leaves if leaf.whole is not None and leaf.whole.number in below}


def _held_against(value: Value, condition: Value) -> Iterator[list[Value]]:
    """What this very value is compared with, for each comparison in a condition."""
    for part in closure((condition,), MOST_VALUES):
        if isinstance(part, Apply) and OPS[part.op].boolean:
            others = [arg for arg in part.args if arg.number != value.number]
            if len(others) < len(part.args):
                yield others


def compares_all_of(value: Value, condition: Value) -> bool:
    """Whether a comparison in `condition` is between the very inputs that `value` is made of."""
    own = speaks_of(value)
    wholes = {
        part.number: part.whole.number
        for part in closure((value,), MOST_VALUES)
        if isinstance(part, Leaf) and part.whole is not None
    }
    asked = (
        speaks_of(part)
        for part in closure((condition,), MOST_VALUES)
        if isinstance(part, Apply) and OPS[part.op].boolean
    )
    # who asks about a whole asks about its elements
    return any(all(number in of or wholes.get(number) in of for number in own) for of in asked)


def speaks_of(value: Value) -> set[int]:
    """The numbers of the leaves that `value` depends on, through opaque results too."""
    seen: set[int] = set()
    leaves: set[int] = set()
    stack: list[Value] = [value]
    while stack and len(seen) < MOST_VALUES:
        current = stack.pop()
        if current.number in seen:
            continue
        seen.add(current.number)
        if isinstance(current, Leaf):
            leaves.add(current.number)
            stack.extend(current.feeds)
        stack.extend(operands(current))
    return leaves


def is_spoken_of(values: Sequence[Value], condition: Value) -> bool:
    """Whether a mask from outside is made of all that some values are made of: it may select them as well."""
    asked = set[int]().union(*map(speaks_of, _masks(condition)))
    return all(speaks_of(value) <= asked for value in values)


def _masks(condition: Value) -> Iterator[Value]:
    """The masks from outside that a condition joins with others, unless they are inputs."""
    stack, seen = [condition], set[int]()
    while stack:
        value = stack.pop()
        if not isinstance(value, Apply) or value.number in seen:
            continue
        seen.add(value.number)
        if value.op in ("and", "or"):
            stack.extend(value.args)
        elif is_unreadable(value):
            yield value


def share(x: Value, y: Value) -> bool:
    """Whether two values depend on a common leaf; `v[0]` and `v[1]` have nothing in common."""
    ways, others = _ways_to(x), _ways_to(y)
    return any(
        not _are_apart(one, other)
        for number in ways.keys() & others.keys()
        for one in ways[number]
        for other in others[number]
    )


def asks_for_gap(gap: Value, condition: Value) -> bool:
    """Whether a condition is about the eigenvalues that a `gap` lies between, other than by way of their vectors.

    So it is about how many of the points count that the matrix is made of: that of too few is singular.
    """
    of = {part.number for part in closure((gap,), MOST_VALUES) if isinstance(part, Leaf)}
    stack, seen = [condition], set[int]()
    while stack:
        value = stack.pop()
        if value.number in of or (isinstance(value, Leaf) and value.whole and value.whole.number in of):
            return True
        if isinstance(value, Apply) and value.op in SUMS and not value.grad and share(gap, value):
            return True
        if value.number not in seen and not (isinstance(value, Apply) and value.op == "eigenvector"):
            seen.add(value.number)
            stack.extend(operands(value))
    return False


def _ways_to(value: Value) -> dict[int, set[str]]:
    """The leaves that a value depends on, each with the keys of the elements that are all it takes of it."""
    ways: dict[int, set[str]] = {}
    stack: list[tuple[Value, str]] = [(value, "")]
    while stack and len(ways) < MOST_VALUES:
        current, key = stack.pop()
        if isinstance(current, Constant):
            continue  # that two values are made with the same number says nothing
        known = ways.setdefault(current.number, set())
        if key in known:
            continue
        known.add(key)
        stack.extend((arg, "") for arg in operands(current))
        if isinstance(current, Leaf):
            whole = current.whole
            stack.extend((fed, "") for fed in current.feeds if whole is None or fed.number != whole.number)
            if whole is not None:
                stack.append((whole, current.key))
    return ways


def _are_apart(key: str, other: str) -> bool:
    """Whether two subscripts pick different elements for certain: `0` and `1`, `..., 0` and `..., 2`."""
    parts, others = key.split(", "), other.split(", ")
    literal = (
        _INTEGER.fullmatch(a) and _INTEGER.fullmatch(b) and a != b
        for a, b in zip(parts, others, strict=False)
    )
    return len(parts) == len(others) and any(literal)


def factors(value: Value) -> tuple[Value, ...]:
    """What a product or a quotient is made of."""
    return value.args if isinstance(value, Apply) and value.op in ("mul", "div") else ()


def all_factors(value: Value) -> list[Value]:
    """What a product is made of, and the products in it, each once."""
    found: dict[int, Value] = {}
    stack, seen = [value], set[int]()
    while stack:
        part = stack.pop()
        if isinstance(part, Apply) and part.op == "mul":
            stack.extend(reversed(part.args) if part.number not in seen else ())
            seen.add(part.number)
        else:
            found.setdefault(part.number, part)
    return list(found.values())


def is_picked(condition: Value) -> bool:
    """Whether a condition is that of indices, which leave out what is like what they take."""
    return isinstance(condition, Leaf) and condition.name == PICKED
