"""Finds the uses of a function in its project: all that may be one, and of which it is certain."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from nanlint.project import Found, Project
from nanlint.usage.off import LIBRARIES
from nanlint.usage.uses import ENTRIES, Home, Summary, Use

MOST_READ = 60
"""Files that are looked into for one function; if more hold its name, or those of its callers, they do so by chance."""
MOST_DEEP = 6
"""Functions on the way from the one that is judged to what shelters it, itself among them."""

_SHUT = Use(None, True, False, None, None, "")
"""Some use where gradients are off."""


class Unknown(Exception):
    """Not all uses can be found, or one of them wants a gradient."""


@dataclass(frozen=True)
class Library:
    """What a search looks into: a file as it is to be judged, and the other files of its project."""

    own: Summary
    holding: Callable[[str], tuple[str, ...]]
    """The paths of the files that hold a name."""
    summary: Callable[[str], Summary | None]
    project: Project

    def of(self, path: str) -> Summary | None:
        """The uses in a file."""
        return self.own if path == self.own.path else self.summary(path)

    def bases(self, path: str, name: str) -> list[Found | str] | None:
        """What a class in a file is made from, by dotted name where that is not of the project; None if unknown."""
        summary = self.of(path)
        if summary is None or name not in summary.bases:
            return None
        return [
            Found(path, base) if base in summary.bases else self.project.resolve(base)
            for base in summary.bases[name]
        ]


@dataclass
class Lookup:
    """The search for the uses of one function, and of those that use it."""

    index: Library
    read: set[str] = field(default_factory=set)

    def uses(self, home: Home) -> Iterator[Use]:
        """The calls that may be of a function; raises Unknown where it is used otherwise."""
        if not home.owner:
            return self._calls(Found(home.path, home.name), home.name, frozenset(), sure=True)
        return self._of_instances(home) if home.name in ENTRIES else self._of_method(home)

    def _of_method(self, home: Home) -> Iterator[Use]:
        """The calls of anything by the name of a method: certain where its file or its class is known."""
        stem, _ = os.path.splitext(os.path.basename(home.path))
        words = {home.owner, os.path.basename(os.path.dirname(home.path)) if stem == "__init__" else stem}
        only, declaring = (
            self._is_only_here(home),
            {home.path, *self._declaring(home.path, home.owner, home.name)},
        )
        for summary, use in self._of_attribute(home.name):
            known = only or any(
                not words.isdisjoint(dotted.split(".")) for dotted in summary.imports.values()
            )
            yield use._replace(is_sure=known or summary.path in declaring)

    def _declaring(self, path: str, owner: str, name: str, left: int = MOST_DEEP) -> Iterator[str]:
        """The files of the classes that one is made from, as far as they have a method of some name, too."""
        for base in self.index.bases(path, owner) or () if left else ():
            if isinstance(base, Found):
                summary = self.index.of(base.path)
                homes = summary.homes if summary is not None else ()
                if any(home.owner == base.name and home.name == name for home in homes):
                    yield base.path
                yield from self._declaring(base.path, base.name, name, left - 1)

    def _is_only_here(self, home: Home) -> bool:
        """Whether no other class of the project has a method of some telling name."""
        if "_" not in home.name.strip("_"):
            return False
        named = (
            other
            for summary in self._holding(home.name)
            for other in summary.homes
            if other.name == home.name
        )
        return all(other.owner == home.owner for other in named)

    def _of_attribute(self, name: str) -> Iterator[tuple[Summary, Use]]:
        for summary in self._holding(name):
            if name in summary.attribute_values:
                raise Unknown
            yield from ((summary, use) for use in summary.method_calls.get(name, ()))

    def _of_instances(self, home: Home) -> Iterator[Use]:
        """The calls of the objects of a class, where each is kept in an attribute."""
        makers: dict[str, set[str]] = {}
        for made in self._calls(Found(home.path, home.owner), home.owner, frozenset(), sure=True):
            if not made.kept or made.home is None:
                raise Unknown
            makers.setdefault(made.kept, set()).update([made.home.path] if made.is_sure else [])
        for attribute, paths in sorted(makers.items()):
            for summary, use in self._of_attribute(attribute):
                yield use._replace(is_sure=summary.path in paths)
        for summary in self._holding(home.owner):
            entered = (use for entry in ENTRIES for use in summary.method_calls.get(entry, ()))
            yield from (use for use in entered if use.home is not None and use.home.owner == home.owner)

    def _calls(self, found: Found, word: str, seen: frozenset[str], *, sure: bool) -> Iterator[Use]:
        """The calls by some word of what is defined at the top of a file."""
        seen |= {word}
        for summary in self._holding(word):
            stands = self._stands_for(summary, word, found)
            certain = sure and stands is True
            if word in summary.foreign_values or (stands is not False and word in summary.values):
                raise Unknown
            if stands is not False:
                if word in summary.shut_values:
                    yield _SHUT._replace(is_sure=certain)
                yield from (use._replace(is_sure=certain) for use in summary.calls.get(word, ()))
            for other in sorted(summary.renamed.get(word, set()) - seen):
                if other in summary.imports:
                    yield from self._calls(found, other, seen, sure=sure)
                elif stands is not False:
                    yield from self._calls(Found(summary.path, other), other, seen, sure=certain)
            for use in summary.method_calls.get(word, ()):
                through = self._is(f"{use.through}.{word}", found) if use.through else None
                if through is not False:
                    yield use._replace(is_sure=sure and through is True)

    def _stands_for(self, summary: Summary, word: str, found: Found) -> bool | None:
        """Whether a word stands in a file for what was found; None if that cannot be told."""
        if word in summary.imports:
            return self._is(summary.imports[word], found)
        if _same(summary.path, found.path):
            return True
        return None if summary.has_star else False

    def _is(self, dotted: str, found: Found) -> bool | None:
        """Whether a dotted name is that of what was found; None if that cannot be told."""
        meant = self.index.project.resolve(dotted)
        if isinstance(meant, str):
            return False if meant.partition(".")[0] in LIBRARIES else _may_be(dotted, found)
        return meant.name == found.name and _same(meant.path, found.path)

    def _holding(self, name: str) -> Iterator[Summary]:
        """The uses in each file that holds a name, the file itself first."""
        own = self.index.own
        yield own
        others = [path for path in self.index.holding(name) if path != own.path]
        self.read.update(others)
        if len(self.read) > MOST_READ:
            raise Unknown
        for path in others:
            summary = self.index.of(path)
            if summary is None:
                raise Unknown
            yield summary


def _may_be(dotted: str, found: Found) -> bool | None:
    """Whether a name that leads nowhere from where it stands is that of what was found, from some other folder.

    Scripts are run in the folder that holds their packages, `from model.rays import Tracer` in `code/train.py`.
    """
    *modules, name = dotted.split(".")
    folders = os.path.splitext(found.path)[0].split(os.sep)
    return True if len(modules) > 1 and name == found.name and folders[-len(modules) :] == modules else None


@lru_cache(maxsize=4096)
def _real(path: str) -> str:
    return os.path.realpath(path)


def _same(one: str, other: str) -> bool:
    return one == other or _real(one) == _real(other)
