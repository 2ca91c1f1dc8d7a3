"""Functions that are used somewhere, and only where nobody wants a gradient through them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from nanlint.purpose import is_untrained
from nanlint.usage.lookup import MOST_DEEP, Library, Lookup, Unknown
from nanlint.usage.uses import ENTRIES, Home, Use

_MOST_STEPS = 200
_HARMLESS = frozenset("object ABC Generic Protocol Module NamedTuple Enum type Exception".split())
"""Classes that call no method of those made from them, apart from what is called by calling the object."""


_HOOK = re.compile(r"(\w+_)?(step|epoch|batch|loss)|loss_\w+|forward_\w+|training_\w+")
"""Methods that frameworks for training call."""


@dataclass
class Judge:
    """Judges the functions of one file by all their uses in its project."""

    index: Library
    known: dict[tuple[str, int], bool] = field(default_factory=dict)

    def is_sheltered(self, line: int) -> bool:
        """Whether the function around a line is used, and all that use it want no gradient."""
        home = next((home for home in self.index.own.homes if home.first <= line <= home.last), None)
        if home is None or any(first <= line <= last for first, last in home.given_away):
            return False
        if home.is_off:
            return not home.asks
        if any(first <= line <= last for first, last in home.spent):
            return True
        if home.key not in self.known:
            self.known[home.key] = _is_sheltered(home, self.index)
        return self.known[home.key]


def _is_sheltered(home: Home, index: Library) -> bool:
    try:
        _Search(index, Lookup(index)).demand(home, ())
    except Unknown:
        return False
    return True


@dataclass
class _Search:
    """The search from one function along those that use it."""

    index: Library
    lookup: Lookup
    steps: int = 0

    def demand(self, home: Home, on_way: tuple[Home, ...], *, of_metric: bool = False) -> None:
        """Raises Unknown unless a function is used, and that only without gradients.

        The function that has a metric for its other form, `of_metric`, need not be used. Uses in functions `on_way`
        say nothing new.
        """
        self.steps += 1
        _require(len(on_way) < MOST_DEEP and self.steps <= _MOST_STEPS and self._is_followed(home))
        on_way = (*on_way, home)
        uses: list[Use] = []
        pending: dict[tuple[str, int], Home] = {}
        for use in self._counted(home, on_way):
            uses.append(use)
            if _wants_none(use, home):
                continue
            # gradients may be turned on again where they are off around it
            _require(use.home is not None and not use.home.is_off and self._is_followed(use.home))
            assert use.home is not None
            pending[use.home.key] = use.home
        if uses or not (of_metric or self._has_form_as_metric(home)):
            _require(any(use.is_sure for use in uses))
        _require(not self._may_be_hook(home) or any(_is_by_project(use, home) for use in uses))
        declared = any(use.is_declared for use in uses)
        for caller in pending.values():
            self.demand(caller, on_way, of_metric=declared)

    def _is_followed(self, home: Home) -> bool:
        """Whether all that leads to a function is its name, and gradients are not asked for in it."""
        special = home.name.startswith("__") and home.name not in ENTRIES
        return not (home.asks or special) and home.is_plain

    def _may_be_hook(self, home: Home) -> bool:
        """Whether a base class of another project may call a method: not what is private to a class."""
        private = home.name.startswith("_") and home.name not in ENTRIES
        return bool(home.owner) and not private and self._may_be_called_from_outside(home.path, home.owner)

    def _counted(self, home: Home, on_way: tuple[Home, ...]) -> Iterator[Use]:
        """The calls that may be of a function, without those from functions that are being looked at already."""
        known = {other.key for other in on_way}
        for use in self.lookup.uses(home):
            if home.signature.accepts(use) and (use.home is None or use.home.key not in known):
                yield use

    def _has_form_as_metric(self, home: Home) -> bool:
        """Whether a private function that this one calls is that of a metric which is not differentiable."""
        own = self.index.own
        for other in own.homes if home.path == own.path else ():
            calls = own.calls.get(other.name, ()) if other.name.startswith("_") and not other.owner else ()
            if any(use.home is home for use in calls):
                uses = list(self._counted(other, (home, other)))
                if any(use.is_declared and use.is_sure for use in uses) and all(use.is_off for use in uses):
                    return True
        return False

    def _may_be_called_from_outside(self, path: str, name: str, left: int = MOST_DEEP) -> bool:
        """Whether a class is made from one of another project, which calls the methods that it asks for."""
        bases = self.index.bases(path, name)
        if bases is None or not left:
            return True
        for found in bases:
            if isinstance(found, str):
                if found.rpartition(".")[2] not in _HARMLESS:
                    return True
            elif self._may_be_called_from_outside(found.path, found.name, left - 1):
                return True
        return False


def _wants_none(use: Use, home: Home) -> bool:
    """Whether no gradient comes back through a call.

    Objects may have tensors of their own; what stands outside of functions is a demonstration.
    """
    if use.is_off or (use.is_out and not home.keeps):
        return True
    return use.is_still and use.home is not None and not home.owner


def _is_by_project(use: Use, home: Home) -> bool:
    """Whether a call is the project's own use of a method: not one of the object at hand, nor a test.

    Of what a framework calls, as `training_step`, a project calls no more than that.
    """
    if home.name in ENTRIES or not use.is_sure or use.of_self or use.home is None:
        return False
    return not _HOOK.fullmatch(home.name) and not is_untrained(use.home.path)


def _require(condition: bool) -> None:
    if not condition:
        raise Unknown
