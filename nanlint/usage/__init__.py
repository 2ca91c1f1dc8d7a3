"""Where a project uses its functions, as far as that says whether anybody wants a gradient through them.

- `off`: what turns gradients off, and what takes a value out of the graph
- `still`: the names of a function that have no gradient
- `uses`, `scan`: the uses in one file, each with what shelters it
- `files`: the files of a project that hold a name
- `lookup`: all uses of a function
- `verdict`: functions of which all uses are sheltered
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable

from nanlint.project import Project
from nanlint.roots import package_of
from nanlint.usage.files import files_around, summary
from nanlint.usage.lookup import Library
from nanlint.usage.scan import scan
from nanlint.usage.verdict import Judge


def sheltered(lines: Iterable[int], tree: ast.Module, path: str, *, alone: bool = False) -> frozenset[int]:
    """Those of some lines of a file whose function is used in the project, and only without gradients.

    `tree` is that of the file as it is to be judged. If it is `alone`, as a notebook is, no other file can use it.
    """
    files = files_around("-" if alone else path)
    if files is None:
        return frozenset()
    place = os.path.abspath(path)
    own = scan(tree, place, package_of(place))
    if own is None:
        return frozenset()
    judge = Judge(Library(own, files.holding, summary, Project.around(path)))
    return frozenset(line for line in lines if judge.is_sheltered(line))
