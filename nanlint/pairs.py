"""Pairs of something with itself: on the diagonal of a matrix of differences all are 0, of one of cosines all are 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nanlint.cases import Case, Proof
from nanlint.graph import DIAGONALS, MOST_VALUES, Apply, Constant, Leaf, Value, closure, operands
from nanlint.relevance import is_picked
from nanlint.sites import called_name

OF_COSINES = frozenset({"acos", "acosh", "asin", "atanh"})
"""Ops with a pole at 1, where the product of a unit vector with itself is."""
_EXTREMES = frozenset({"largest", "smallest"})
_ALIKE = frozenset({"eq", "ne"})
"""Ops that ask whether two values are the same."""


def is_about_diagonal(condition: Value) -> bool:
    """Whether a condition is that an element of a matrix is on its diagonal, or that it is not."""
    leaves = [part for part in closure((condition,), MOST_VALUES) if isinstance(part, Leaf)]
    return bool(leaves) and all(leaf.name in DIAGONALS or _is_identity(leaf) for leaf in leaves)


def _is_diagonal(value: Value) -> bool:
    return isinstance(value, Leaf) and value.name == DIAGONALS[0]


def _is_identity(value: Value) -> bool:
    return called_name(value.node) == "eye"


def is_of_pairs(case: Case, proof: Proof, poisoned: Sequence[Value]) -> bool:
    """Whether what something and itself are is dropped by what masks such pairs: each input has them."""
    is_own = multiplies_itself if proof.site.op in OF_COSINES else differs_from_itself
    own = proof.singular and any(map(is_own, poisoned))
    # each row and each column has such a pair, whichever elements are taken
    if own and (is_picked(case.condition) or case.selector.op in _EXTREMES):
        return True
    return (own and is_met_by_itself(case.condition, case.operand, proof.values)) or _is_of_indices(
        case, proof, poisoned
    )


def _is_of_indices(case: Case, proof: Proof, poisoned: Sequence[Value]) -> bool:
    """Whether two elements of one tensor are taken from each other where a condition asks if their indices differ.

    So are the ends of the edges of a graph, `x[i] - x[j]` beside `i != j`: they are the same on a loop.
    """
    if not proof.singular:
        return False
    met = {
        frozenset(arg.number for arg in part.args)
        for part in closure((case.condition,), MOST_VALUES)
        if isinstance(part, Apply) and part.op in _ALIKE and _are_equal(part.args, proof.values)
    }
    parts = closure(poisoned, MOST_VALUES) if met else ()
    return any(isinstance(part, Apply) and part.op == "sub" and _indices(part) in met for part in parts)


def _are_equal(args: Sequence[Value], values: Mapping[int, float]) -> bool:
    left, right = (values.get(arg.number) for arg in args)
    return left is not None and left == right


def _indices(difference: Apply) -> frozenset[int] | None:
    """The indices of two elements of one tensor that are taken from each other."""
    left, right = difference.args
    if not (isinstance(left, Leaf) and isinstance(right, Leaf) and left.at and right.at):
        return None
    same = left.whole is not None and right.whole is not None and left.whole.number == right.whole.number
    return frozenset({left.at.number, right.at.number}) if same else None


def is_met_by_itself(condition: Value, operand: Value, values: Mapping[int, float]) -> bool:
    """Whether a condition is about pairs, and `values` are those of something with itself.

    So are labels held against themselves, `labels[:, None] == labels[None, :]`, and what an identity matrix masks.
    """
    own = {part.number for part in closure((operand,), MOST_VALUES)}
    parts = closure((condition,), MOST_VALUES)
    identities = [part for part in parts if _is_identity(part) or _is_diagonal(part)]
    compared = any(_compares_with_itself(part) and operands(part)[0].number not in own for part in parts)
    return all(values.get(one.number) == 1.0 for one in identities) and (compared or bool(identities))


def _compares_with_itself(part: Value) -> bool:
    if not isinstance(part, Apply) or part.op not in _ALIKE:
        return False
    left, right = part.args
    return left.number == right.number and not isinstance(left, Constant)


def differs_from_itself(value: Value) -> bool:
    """Whether the difference of something and the same is in a value: on a diagonal, that is 0.

    The square of one is written out as well, `s + s.T - 2 * x @ x.T` with the squared norms `s`.
    """
    stack, seen = [value], set[int]()
    while stack and len(seen) < MOST_VALUES:
        part = stack.pop()
        if part.number in seen:
            continue
        seen.add(part.number)
        if isinstance(part, Apply) and _is_of_itself(part):
            return True
        stack.extend(operands(part))
        if isinstance(part, Leaf) and part.opaque:
            stack.extend(part.feeds)
    return False


def multiplies_itself(value: Value) -> bool:
    """Whether the dot product of something with itself is in a value: that of a unit vector is 1."""
    parts = closure((value,), MOST_VALUES)
    products = (
        part.feeds for part in parts if isinstance(part, Leaf) and part.opaque and len(part.feeds) == 2
    )
    return any(left.number == right.number for left, right in products)


def _is_of_itself(part: Apply) -> bool:
    """Whether something is taken from itself, or a sum is added to itself, which broadcasting alone makes sense of."""
    if part.op not in ("sub", "add"):
        return False
    left, right = part.args
    if part.op == "add" and isinstance(left, Leaf) and left.opaque:  # `torch.addmm(norms.T, x, x.T)`
        return _is_sum(right) and right.number in {feed.number for feed in left.feeds}
    return left.number == right.number and (part.op == "sub" or _is_sum(left))


def _is_sum(value: Value) -> bool:
    return isinstance(value, Apply) and value.op == "sum"
