"""Imports and aliases: from the names in a file to canonical dotted names. Deterministic, and nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_CANONICAL = (
    ("torch.nn.functional.", "torch.nn.functional."),
    ("torch._C._nn.", "torch.nn.functional."),
    ("torch.functional.", "torch."),
    ("torch.Tensor.", "Tensor."),
)
FOREIGN = frozenset(
    """
    numpy jax tensorflow keras pandas scipy sklearn mxnet cupy paddle mlx sympy xarray polars numba warp
    triton taichi cv2 PIL matplotlib seaborn networkx tvm tinygrad autograd dask pyspark random
    """.split()
)
"""Packages whose values are no torch tensors."""
_ELSEWHERE = frozenset({"torch", "math", "cmath", "builtins"})


def canonical(dotted: str) -> str:
    """The name under which the catalogue has `dotted`."""
    for prefix, instead in _CANONICAL:
        if dotted.startswith(prefix):
            return instead + dotted[len(prefix) :]
    return dotted


def is_foreign(dotted: str) -> bool:
    """Whether the name belongs to another array library."""
    return dotted.split(".", 1)[0] in FOREIGN


def may_be_of_project(dotted: str) -> bool:
    """Whether a name may be one of the project around: nanlint knows it for no library's."""
    top = dotted.split(".", 1)[0]
    return top not in _ELSEWHERE and top not in FOREIGN


def imported(node: ast.Import | ast.ImportFrom, package: str = "") -> Iterator[tuple[str, str]]:
    """The names that an import statement binds, each with the dotted name that it stands for.

    `package` is the dotted package of the file, for relative imports.
    """
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield alias.asname, alias.name
            else:
                top = alias.name.split(".", 1)[0]
                yield top, top
        return
    base = origin(node, package)
    for alias in node.names:
        if alias.name != "*":
            yield alias.asname or alias.name, f"{base}.{alias.name}" if base else alias.name


def origin(node: ast.ImportFrom, package: str = "") -> str:
    """The dotted module that a `from` import takes its names from; `package` is that of the file."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    kept = parts[: max(len(parts) - node.level + 1, 0)]
    return ".".join([*kept, *([node.module] if node.module else [])])
