"""Findings that are about no dropped operand: NAN301, NAN302 and NAN303, all off by default.

Nothing of this is run for a code that is not selected.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping

from nanlint.arithmetic import ARITHMETIC
from nanlint.cases import Proof, Scene
from nanlint.config import Config
from nanlint.finding import Finding
from nanlint.fixes.places import Places
from nanlint.lower import Unit
from nanlint.unselected import telling
from nanlint.unselected.boundary import boundaries
from nanlint.unselected.infinite import meeting
from nanlint.unselected.reach import Reach, is_written, reach
from nanlint.unselected.vanishing import vanished


def find(unit: Unit, places: Places, config: Config) -> Iterator[tuple[Finding, Scene]]:
    """The findings of one function for the codes that are selected, each with what has to be run to see it."""
    wanted = [look for code, look in _LOOKS.items() if config.selects(code)]
    if wanted:
        around = reach(unit)
        for look in wanted:
            yield from look(unit, around, places, config)


def _boundaries(unit: Unit, around: Reach, places: Places, config: Config) -> Iterator[tuple[Finding, Scene]]:
    a = ARITHMETIC[config.dtype]
    for selector in unit.selectors:
        if is_written(selector.node):
            for found in boundaries(selector, a):
                yield telling.of_boundary(found, places, a), Scene(found.proof, [selector])


def _meetings(unit: Unit, around: Reach, places: Places, config: Config) -> Iterator[tuple[Finding, Scene]]:
    a = ARITHMETIC[config.dtype]
    for site in around.sites():
        found = meeting(site, around, a)
        if found is not None:
            yield telling.of_meeting(found, places, a), _around(found.proof, around)


def _vanished(unit: Unit, around: Reach, places: Places, config: Config) -> Iterator[tuple[Finding, Scene]]:
    a = ARITHMETIC[config.dtype]
    own = (
        places.source.text
        if isinstance(unit.node, ast.Module)
        else places.source.slice(places.source.span(unit.node))
    )
    for site in around.sites():
        for found in vanished(site, around, a):
            yield telling.of_vanished(found, places, a, own), _around(found.proof, around)


def _around(proof: Proof, around: Reach) -> Scene:
    return Scene(proof, around.tops(around.above(proof.site)))


_Look = Callable[[Unit, Reach, Places, Config], Iterator[tuple[Finding, Scene]]]
_LOOKS: Mapping[str, _Look] = {"NAN301": _boundaries, "NAN302": _meetings, "NAN303": _vanished}

__all__ = ["find"]
