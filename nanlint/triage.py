"""Triage: what certainly holds no hazard, found out before the analysis spends anything on it.

The contract: whatever is passed over here, the analysis would report nothing of, with whatever confidence. A finding
needs a selector that is written in the file, by its own name or an alias bound there, and a singular op below it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from functools import partial

from nanlint.aliases import may_select
from nanlint.config import Config
from nanlint.flow import suspects
from nanlint.project import Project


def wanted(tree: ast.Module, path: str, config: Config) -> Collection[ast.AST] | None:
    """The functions of a file that are worth an analysis, the module itself for its own statements; None for all.

    `path` is that of the file, for what it imports from its project.
    """
    if config.looks_beyond_selectors or config.assume:
        return None
    project = Project.around(path)
    try:
        return suspects(tree, project.holds, partial(may_select, project=project), project.package)
    except RecursionError:
        return None
