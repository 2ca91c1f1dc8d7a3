"""Whether a name of the project may be one of torch's selectors under another name, told without parsing its files."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nanlint.project import Project, package_of
from nanlint.source import AnalysisError, read
from nanlint.words import SELECTORS

_FROM = re.compile(
    r"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]*import[ \t]*(\([^)]*\)|(?:[^\n\\]|\\\r?\n)*)", re.MULTILINE
)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([^\n]*)", re.MULTILINE)
_NAMED = re.compile(r"([\w.]+)(?:\s+as\s+(\w+))?")
_DEFINED = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
_ASSIGNED = re.compile(r"^[ \t]*(\w+)[ \t]*(?::[^=\n]*)?=(?!=)(.*)", re.MULTILINE)
_DOTTED = re.compile(r"[\s\w.]*")
_WORD = re.compile(r"\w+")
_COMMENT = re.compile(r"#[^\n]*")
_MOST_STEPS = 40


@dataclass(frozen=True)
class _Module:
    """What the text of a file binds to names that come from elsewhere, or may do so.

    `imports` give the dotted names that a name may stand for, `assigned` the words that another name was assigned as.
    """

    imports: Mapping[str, Sequence[str]]
    stars: Sequence[str]
    assigned: Mapping[str, Collection[str]]
    defined: frozenset[str]

    def origins(self, name: str) -> Iterator[str]:
        """The dotted names that a name in the file may stand for; a definition is none."""
        if name in self.imports:
            yield from self.imports[name]
        elif name not in self.defined:
            yield from (f"{star}.{name}" for star in self.stars)
            for word in self.assigned.get(name, ()):
                yield from self.imports.get(word, (word,) if word in SELECTORS else ())


def may_select(dotted: str, project: Project) -> bool:
    """Whether what a dotted name of the project stands for may be a selector, by the imports and assignments there."""
    pending, seen = [dotted], set[str]()
    while pending:
        name = pending.pop()
        if name.rsplit(".", 1)[-1] in SELECTORS or len(seen) > _MOST_STEPS:
            return True
        if name not in seen:
            seen.add(name)
            for path, first, *rest in _places(name.split("."), project):
                origins = _module(path).origins(first)
                pending.extend(".".join((origin, *rest)) for origin in origins)
    return False


def _places(parts: Sequence[str], project: Project) -> Iterator[list[str]]:
    """The files that a dotted name may lead to, each with the names in it that follow."""
    for root in project.roots:
        folder = root.folder
        for index, part in enumerate(parts):
            below, is_last = os.path.join(folder, part), index + 1 == len(parts)
            is_folder, is_file = os.path.isdir(below), os.path.isfile(f"{below}.py")
            package = os.path.join(folder, "__init__.py")
            # what is no module in the package is a name in it; the last part may be both
            if index and (is_last or not (is_folder or is_file)) and os.path.isfile(package):
                yield [package, *parts[index:]]
            if is_file and not is_last:
                yield [f"{below}.py", *parts[index + 1 :]]
            if not is_folder:
                break
            folder = below


def _module(path: str) -> _Module:
    status = os.stat(path)
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _read(path: str, modified: int, size: int) -> _Module:
    """What a file binds, as it was when it was modified."""
    try:
        text = _COMMENT.sub("", read(path).text)
    except AnalysisError:
        return _Module({}, (), {}, frozenset())
    imports: dict[str, list[str]] = {}
    stars: list[str] = []
    for name, dotted in _imported(text, package_of(path)):
        if name == "*":
            stars.append(dotted)
        else:
            imports.setdefault(name, []).append(dotted)
    assigned: dict[str, set[str]] = {}
    for name, right in _ASSIGNED.findall(text):
        words = set(_WORD.findall(right))
        if not _DOTTED.fullmatch(right):
            words &= SELECTORS  # an expression is another name for nothing but what it names itself
        if words:
            assigned.setdefault(name, set()).update(words)
    return _Module(imports, stars, assigned, frozenset(_DEFINED.findall(text)))


def _imported(text: str, package: str) -> Iterator[tuple[str, str]]:
    """The names that import statements bind and what they stand for; `*` stands for a whole module."""
    for dots, module, names in _FROM.findall(text):
        above = package.split(".") if package else []
        kept = above[: max(len(above) - len(dots) + 1, 0)] if dots else []
        base = ".".join([*kept, *([module] if module else [])])
        if names.strip() == "*":
            yield "*", base
        for name, alias in _NAMED.findall(names):
            yield alias or name, f"{base}.{name}" if base else name
    for names in _IMPORT.findall(text):
        for name, alias in _NAMED.findall(names):
            yield (alias, name) if alias else (name.split(".")[0], name.split(".")[0])
