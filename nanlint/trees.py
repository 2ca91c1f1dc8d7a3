"""The syntax trees that were made last: triage, the analysis and whoever imports a file ask for its tree in turn."""

from __future__ import annotations

import ast
import os
from collections import OrderedDict

from nanlint.source import parse

_MOST_KEPT = 1_500_000
"""Characters of text whose trees are kept here: they take some 25 times as much memory."""
_KEPT: OrderedDict[tuple[str, str], ast.Module] = OrderedDict()


def tree_of(path: str, text: str) -> ast.Module:
    """The tree of a text in the file at `path`, which nobody may change; raises AnalysisError as `parse` does.

    A copy of the file has its own one, for what its names stand for is kept by the nodes.
    """
    key = os.path.abspath(path), text
    tree = _KEPT.pop(key, None) or parse(text)
    _KEPT[key] = tree
    if len(_KEPT) > 1:
        _forget()
    return tree


def _forget() -> None:
    size = sum(len(text) for _, text in _KEPT)
    while size > _MOST_KEPT and len(_KEPT) > 1:
        size -= len(_KEPT.popitem(last=False)[0][1])
