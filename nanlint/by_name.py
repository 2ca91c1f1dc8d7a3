"""What names say of numbers: what is positive by its nature, the ends of an interval, what is trained."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nanlint.catalogue.totals import LIKE_ELEMENTS
from nanlint.graph import Apply, Constant, Leaf, Value, each_once

_POSITIVE = re.compile(
    r"(^|[._])(temperatures?|tau|kt|bandwidths?|length_?scales?|mass|masses|cut_?offs?|r_?(max|cut|cutoff)|focals?"
    r"|focal_lengths?|fx|fy|intrinsics?|(cell|voxel|grid|pixel)_?(size|spacing)|spacing|trust_radius|length|extents?|curvatures?)$",
    re.IGNORECASE,
)
_ENDS = {
    "end": "start",
    "stop": "start",
    "high": "low",
    "hi": "lo",
    "upper": "lower",
    "right": "left",
    "max": "min",
    "far": "near",
}
"""What the upper end of an interval is called, and what its lower end."""
_BOUNDS = re.compile(r"(^|[._])(aabbs?|bbox|bounding_box|bounds?|range|limits?|interval)$", re.IGNORECASE)
"""What holds both ends of an interval, or of one in each direction."""
_TRAINED = re.compile(
    r"^parameter(\[|$)|(^|[._])log_?(\w+_)?(std|sigma|var|variance|noise)\w*$", re.IGNORECASE
)
"""What trained parameters are called."""
_CAST = re.compile(r"(\.(to|float|double|half|bfloat16|type|type_as)\([^()]*\))+$")
"""A conversion that a value is written with."""
_LARGEST_WEIGHT = 8.0
"""Trained parameters stay small."""
_NEXT = re.compile(r"#\d+| [+-] 1(?=\])")
"""What follows an index where the next element is meant, and which value of that name the index is."""


@each_once
def is_step(value: Value, values: Mapping[int, float]) -> bool:
    """Whether a value is 0 because the two ends of an interval are the same: `high - low`, `knots[1:] - knots[:-1]`."""
    if not isinstance(value, Apply):
        return False
    if value.op == "sub":
        return _are_ends(*value.args) or _is_next_to(*value.args)
    if value.op == "phi":
        return is_step(value.args[1 if values.get(value.args[0].number) else 2], values)
    return value.op in (*LIKE_ELEMENTS, "div", "neg") and is_step(value.args[0], values)


def _are_ends(one: Value, other: Value) -> bool:
    """Whether two values are inputs that are called the ends of something, or elements of a `linspace` or of bounds."""
    if not (isinstance(one, Leaf) and isinstance(other, Leaf)):
        return False
    whole = one.name.rpartition("[")[0]
    if whole == other.name.rpartition("[")[0] and ("linspace(" in whole or _BOUNDS.search(whole)):
        return True
    if one.opaque or other.opaque:
        return False
    if one.name.endswith("max") and other.name == f"{one.name[:-3]}min":
        return True
    pairs = ((_ENDS.get(first), second) for first, second in zip(_words(one), _words(other), strict=False))
    return len(_words(one)) == len(_words(other)) and any(low == high for low, high in pairs if low)


def has_ends_reversed(inputs: Mapping[Value, float]) -> bool:
    """Whether an input that is called the lower end of something is above the upper one."""
    named = {
        tuple(_words(leaf)): at for leaf, at in inputs.items() if isinstance(leaf, Leaf) and not leaf.opaque
    }
    for words, at in named.items():
        for place, word in enumerate(words):
            low = (*words[:place], _ENDS.get(word, ""), *words[place + 1 :])
            if named.get(low, at) > at:
                return True
    return False


def _words(leaf: Leaf) -> list[str]:
    return leaf.name.lower().replace(".", "_").split("_")


def _is_next_to(one: Value, other: Value) -> bool:
    """Whether two values are the same computation on neighbouring elements."""
    stack, moved = [(one, other)], False
    while stack:
        x, y = stack.pop()
        if x.number == y.number:
            continue
        if isinstance(x, Leaf) and isinstance(y, Leaf):
            if _place(x) != _place(y):
                return False
            moved = True
        elif isinstance(x, Apply) and isinstance(y, Apply) and x.op == y.op:
            stack.extend(zip(x.args, y.args, strict=True))
        else:
            return False
    return moved


def _place(leaf: Leaf) -> str:
    """What a leaf is called, but for which of two neighbours it is: `x[1:]` and `x[:-1]`, `x[k]` and `x[k + 1]`."""
    return _NEXT.sub("", leaf.name).replace("1:", ":-1")


@each_once
def is_positive_by_name(value: Value) -> bool:
    """Whether a value is called something that everything is divided by, and that is positive by its nature.

    So is the product of such values, and of one with a number.
    """
    while isinstance(value, Apply) and value.op in ("identity", "masked_select", "square", "pow"):
        value = value.args[0]
    if isinstance(value, Apply) and value.op == "mul":
        factors = [arg for arg in value.args if not (isinstance(arg, Constant) and arg.value)]
        return bool(factors) and all(map(is_positive_by_name, factors))
    if isinstance(value, Apply) and value.op == "phi":
        return any(map(is_positive_by_name, value.args[1:]))
    name = value.name.split("[", 1)[0].removesuffix(".tensor") if isinstance(value, Leaf) else ""
    return isinstance(value, Leaf) and _POSITIVE.search(name) is not None


def is_beyond_training(value: Value, at: float) -> bool:
    """Whether a value that is called a trained parameter is larger than training makes it."""
    name = _CAST.sub("", getattr(value, "name", ""))
    return abs(at) > _LARGEST_WEIGHT and _TRAINED.search(name) is not None
