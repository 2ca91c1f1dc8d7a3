"""Where a project uses its functions, as far as that says whether anybody wants a gradient through them.

- `off`: what turns gradients off, and what takes a value out of the graph
- `still`: the names of a function that have no gradient
- `spent`: those that no gradient comes back from
- `naming`: names with a part of their own: a file's functions, their parameters, what leaves a function
- `uses`, `scan`: the uses in one file, each with what shelters it
- `files`: the files of a project that hold a name
- `lookup`: all uses of a function
- `verdict`: functions of which all uses are sheltered
"""

from __future__ import annotations

import ast
import os
from functools import cached_property

from nanlint.project import Project
from nanlint.roots import package_of
from nanlint.usage.files import files_around, summary
from nanlint.usage.lookup import Library
from nanlint.usage.scan import scan
from nanlint.usage.verdict import Judge


class Shelter:
    """Says of the lines of a file whether their function is used in the project, and only without gradients."""

    def __init__(self, tree: ast.Module, path: str, *, alone: bool = False) -> None:
        """`tree` is that of the file as it is to be judged; if `alone`, as a notebook is, no other file can use it."""
        self._tree, self._path, self._alone = tree, path, alone
        self._known: dict[int, bool] = {}

    def covers(self, line: int) -> bool:
        """Whether nobody wants a gradient through what is written in a line."""
        if line not in self._known:
            self._known[line] = self._judge is not None and self._judge.is_sheltered(line)
        return self._known[line]

    @cached_property
    def _judge(self) -> Judge | None:
        """None where nothing can be known of the file or of its project."""
        files = files_around("-" if self._alone else self._path)
        place = os.path.abspath(self._path)
        own = None if files is None else scan(self._tree, place, package_of(place), is_judged=True)
        if files is None or own is None:
            return None
        return Judge(Library(own, files.holding, summary, Project.around(self._path)))
