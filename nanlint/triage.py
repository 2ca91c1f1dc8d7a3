"""Triage: what certainly holds no hazard, found out before the analysis spends, or even imports, anything.

The contract: of what is passed over here the analysis would report nothing, with whatever confidence. A finding needs
a selector that is written in the file, by its own name or by another one that is bound in the project, and a singular
op below it. Squares are taken for regular but in float16: in other dtypes it takes numbers to make one overflow that
nobody has. Where a code is selected that needs no selector, or something is assumed, nothing is passed over.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass

from nanlint.config import Config
from nanlint.names import may_be_of_project
from nanlint.source import Source, parse
from nanlint.words import SINGULAR, WEIGHING, WORD, writes_infinity


@dataclass(frozen=True)
class Worth:
    """What of a file is worth an analysis."""

    tree: ast.Module | None = None
    """Its syntax tree, where there is one already."""
    wanted: Collection[ast.AST] | None = None
    """The functions, and the module itself for its own statements; None for all."""


EVERYTHING = Worth()


def mentions_torch(text: str) -> bool:
    """Whether a text is about torch at all; any other is out of nanlint's reach."""
    return "torch" in text


def examined(source: Source, config: Config, tree: ast.Module | None = None) -> Worth | None:
    """What of a source is worth an analysis, None for nothing; `tree` is its syntax tree, if there is one already.

    Raises AnalysisError where the text does not parse.
    """
    if not mentions_torch(source.text):
        return None
    if config.looks_beyond_selectors or config.assume or WORD in source.text:
        return EVERYTHING
    squares = config.dtype == "float16"
    if not squares and _is_regular(source.text):
        if tree is None:
            parse(source.text)  # what is no Python is told all the same
        return None
    return _read(source, tree, squares=squares, positions=config.looks_at_positions)


def _read(source: Source, tree: ast.Module | None, *, squares: bool, positions: bool) -> Worth | None:
    """What of a source is worth an analysis, by its syntax and by that of the files that it imports from."""
    from nanlint.flow import (
        suspects,  # here: it takes as long to import as nanlint's start does, and few files ask
    )
    from nanlint.flow.digest import at
    from nanlint.flow.elsewhere import Elsewhere, made, noted
    from nanlint.project import Project
    from nanlint.trees import tree_of

    project = Project.around(source.path)
    digest = noted(source.text, project.package, squares=squares, positions=positions)
    if digest is None:
        tree = tree_of(source.path, source.text) if tree is None else tree
        try:
            digest = made(source.text, project.package, tree, squares=squares, positions=positions)
        except RecursionError:
            return Worth(tree)
    places = suspects(digest, Elsewhere(project, digest, squares=squares, positions=positions).may)
    if not places:
        return None
    tree = tree_of(source.path, source.text) if tree is None else tree
    return Worth(tree, at(places, tree))


_SINGULAR = re.compile(r"/|\*\*|%|\bout\b")
"""Operators, and what another function's result is written to."""
_NAME = re.compile(r"\w+")
_IMPORT = re.compile(r"\b(?:from[ \t\\]*([\w.]+)[ \t\\]*import\b|import\b[ \t\\]*([\w.]*)([^;#\n]*,)?)")


def _is_regular(text: str) -> bool:
    """Whether a text names no singular op and imports nothing but from torch: told without its syntax."""
    names = _NAME.findall(text)
    if _SINGULAR.search(text) or not SINGULAR.isdisjoint(names):
        return False
    if not WEIGHING.isdisjoint(names) and writes_infinity(text):
        return False
    found = _IMPORT.findall(text)
    return not any(further or may_be_of_project(source or module) for source, module, further in found)
