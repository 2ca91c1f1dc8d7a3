"""Subscripts as written: literal places and slices, and what keeps all elements."""

from __future__ import annotations

import ast


def bounds_of(key: ast.Slice) -> slice | None:
    """A slice with literal bounds; None for any other."""
    literals: list[int | None] = []
    for bound in (key.lower, key.upper, key.step):
        found = None if bound is None else integer(bound)
        if found is None and not (bound is None or adds_dimension(bound)):
            return None
        literals.append(found)
    return None if literals[2] == 0 else slice(*literals)


def place_along(key: ast.expr, dim: int) -> int | None:
    """The literal index that a subscript has in a dimension of which it takes all others whole."""
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    whole = [part for part in parts if keeps(part)]
    if len(whole) != len(parts) - 1 or any(adds_dimension(part) for part in whole):
        return None
    (at,) = (place for place, part in enumerate(parts) if not keeps(part))
    from_end = at > 0 and isinstance(parts[0], ast.Constant)  # behind `...`
    if (at - len(parts) if from_end else at) != dim:
        return None
    return integer(parts[at])


def adds_dimension(part: ast.expr) -> bool:
    """`None`; as the bound of a slice it is none."""
    return isinstance(part, ast.Constant) and part.value is None


def integer(node: ast.expr) -> int | None:
    """A literal integer, with a sign or without; `ast.literal_eval` takes far longer."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        found = integer(node.operand) if isinstance(node.operand, ast.Constant) else None
        return -found if found is not None and isinstance(node.op, ast.USub) else found
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else None


def only_one(part: ast.expr) -> str | None:
    """`2` for `2:3`: the same elements, in one more dimension."""
    bounds = bounds_of(part) if isinstance(part, ast.Slice) else None
    if bounds is None or bounds.step not in (None, 1) or not isinstance(bounds.start or 0, int):
        return None
    start = bounds.start or 0
    ends = start + 1 if start != -1 else None
    return str(start) if bounds.stop == ends else None


def first_of(part: ast.expr) -> str | None:
    """`2` for `2:`: one of the elements, mostly the only one, that another subscript names; not `1:`, a rest."""
    bounds = bounds_of(part) if isinstance(part, ast.Slice) else None
    if bounds is None or bounds.step is not None or bounds.stop is not None:
        return None
    return str(bounds.start) if isinstance(bounds.start, int) and bounds.start > 1 else None


def written(part: ast.Slice | ast.Constant) -> str:
    """The text of a constant or a slice, as `ast.unparse` has it; of the most usual ones sooner."""
    if isinstance(part, ast.Constant):
        return _count(part) or ast.unparse(part)
    lower, upper = _count(part.lower), _count(part.upper)
    return ast.unparse(part) if part.step or lower is None or upper is None else f"{lower}:{upper}"


def _count(bound: ast.expr | None) -> str | None:
    """A written integer, or nothing for nothing; None for anything else."""
    if bound is None:
        return ""
    return str(bound.value) if isinstance(bound, ast.Constant) and type(bound.value) is int else None


def place_of(key: ast.expr) -> tuple[str, ...] | None:
    """The elements that a literal subscript takes, whatever dimensions it adds; None if it is no literal one."""
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    found: list[str] = []
    for part in parts:
        if adds_dimension(part):
            continue
        at = integer(part)
        if at is None and not isinstance(part, (ast.Slice, ast.Constant)):
            return None
        if isinstance(part, ast.Slice) and bounds_of(part) is None:
            return None
        found.append(str(at) if at is not None else only_one(part) or written(part))  # type: ignore[arg-type]
    while found and found[-1] == ":":
        del found[-1]
    return tuple(found) or None


def are_apart(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two places have nothing in common: `[:, 0]` and `[:, 2]`, `[:, :2]` and `[:, 2]`, `["a"]` and `["b"]`."""
    if is_word(one) and is_word(other):
        return one != other
    if len(one) != len(other) or ("..." in one) != ("..." in other):
        return False  # they may speak of other dimensions
    pairs = ((_extent(x), _extent(y)) for x, y in zip(one, other, strict=True))
    return any(x and y and x.isdisjoint(y) for x, y in pairs)


def attribute_place(name: str) -> tuple[str, ...]:
    """The place of an attribute."""
    return (f"'.{name}'",)


def is_word(place: tuple[str, ...]) -> bool:
    """Whether a place is an attribute, or the item of a dictionary under a word."""
    return len(place) == 1 and place[0][:1] in ("'", '"')


_MOST_COUNTED = 16


def _extent(part: str) -> frozenset[int]:
    """The few indices that a part of a place takes, counted from the front; none if that cannot be told."""
    first, colon, last = part.partition(":")
    if not colon:
        return frozenset({int(part)}) if part.isdigit() else frozenset()
    bounded = last.isdigit() and (not first or first.isdigit())
    return frozenset(range(int(first or 0), min(int(last), _MOST_COUNTED))) if bounded else frozenset()


def reshapes(key: ast.expr) -> bool:
    """Whether a subscript keeps every element: `[:]`, `[..., None]`, `[None, :]`."""
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    return all(keeps(part) for part in parts)


def keeps(part: ast.expr) -> bool:
    if isinstance(part, ast.Slice):
        return part.lower is None and part.upper is None
    return isinstance(part, ast.Constant) and (part.value is None or part.value is Ellipsis)
