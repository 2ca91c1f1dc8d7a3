"""Whether an argument may be a tensor without dimensions: of another type than the others, it leaves their type alone.

`x / radius` is float32 if `x` is, also where `radius` is a single float64. What is guarded by a mask of many elements
has many itself, and then the result is float64. A guard that is made of nothing but the argument has its shape.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nanlint.fixes.places import Places
from nanlint.lower.conventions import is_of_object

_SINGLE = re.compile(
    r"(^|_)(radius|r_?(max|min|cut|c)|cut_?off|scales?|temp|temperature|tau|sigma|k_?b?_?t|kb|alpha|beta|gamma|delta|lambda_?"
    r"|lmbda|bandwidth|width|std|stddev|factor|thresh|threshold|rate|period|mass|limit|bound|margin|max|min|low|high"
    r"|upper|lower|step_size|dt|lr|coeff?|coefficient|const|constant|exponent|g?exp|order|norm_?const)\d*$",
    re.IGNORECASE,
)
"""Names of what is usually one number for all elements."""
_WITH_DIMENSIONS = frozenset(
    "unsqueeze view reshape expand permute transpose flatten unbind split chunk size shape ndim dim".split()
)


def may_be_single(argument: ast.expr, condition: ast.expr | None, places: Places) -> bool:
    """Whether all that an argument is made of may be single numbers, by its names, and a condition has more than it.

    None stands for a condition of which nothing is known.
    """
    leaves = list(_leaves(argument, places))
    if not leaves or not all(_may_be_single(leaf, places) for leaf in leaves):
        return False
    told = {places.text(leaf) for leaf in leaves}
    asked = _leaves(condition, places) if condition is not None else ()
    return condition is None or not {places.text(leaf) for leaf in asked} <= told


def _leaves(node: ast.AST, places: Places, depth: int = 4) -> Iterator[ast.expr]:
    """The names and attributes that an expression is made of, what a name is bound to in its place."""
    pending: list[ast.AST] = [node]
    while pending:
        part = pending.pop()
        bound = places.definition(part) if isinstance(part, ast.Name) and depth > 0 else None
        if bound is not None:
            yield from _leaves(bound, places, depth - 1)
        elif isinstance(part, ast.Call):
            pending += [*part.args, *(word.value for word in part.keywords)]
            pending += [part.func.value] if isinstance(part.func, ast.Attribute) else []
        elif isinstance(part, (ast.Name, ast.Attribute)):
            if not places.is_module(part) and not places.text(part).rpartition(".")[2].isupper():
                yield part
        else:
            pending += ast.iter_child_nodes(part)


def _may_be_single(leaf: ast.expr, places: Places) -> bool:
    if isinstance(leaf, ast.Attribute):
        return is_of_object(places.text(leaf)) or _SINGLE.search(leaf.attr) is not None
    assert isinstance(leaf, ast.Name)
    return _SINGLE.search(leaf.id) is not None and not _has_dimensions(leaf, places)


def _has_dimensions(name: ast.Name, places: Places) -> bool:
    """Whether the function takes elements of what a name stands for, or asks for its shape."""
    parents = (places.parents.get(read) for read in places.reads(name))
    return any(
        isinstance(parent, ast.Subscript)
        or (isinstance(parent, ast.Attribute) and parent.attr in _WITH_DIMENSIONS)
        for parent in parents
    )
