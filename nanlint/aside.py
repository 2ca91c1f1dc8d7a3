"""Findings that are unlikely for what the code around them is for: tests, data, first values, targets, scripts."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from nanlint.bounds import is_ratio
from nanlint.fixes.places import Places
from nanlint.hazards import Hazard
from nanlint.lower import Unit
from nanlint.purpose import (
    asks_for_gradients,
    is_among_tests,
    is_apart_from_training,
    is_loaded,
    is_main,
    is_noise_level,
    is_untrained,
    speaks_of_noise,
)
from nanlint.source import Source

if TYPE_CHECKING:
    from nanlint.usage import Shelter


class Purpose:
    """What the code of a source is for: through some of it nothing is trained."""

    def __init__(self, source: Source, places: Places, tree: ast.Module) -> None:
        self.source, self.places, self.tree = source, places, tree
        self.tested = is_among_tests(source.path)
        self.untrained = is_untrained(source.path)

    def is_aside(self, unit: Unit, found: Sequence[Hazard]) -> bool:
        """Whether what is found in a function, or at the module's level, is unlikely for what that is for.

        A function in another one is there for what that is for. A script prepares the data that it has loaded, and
        trains something else with it. The probabilities that it compares with new ones are those of its own samples,
        none of which is as good as impossible. How much noise is added to data is drawn, and not trained.
        """
        apart = self.untrained or self._is_apart(unit)
        prepares = self._is_script(unit) and (are_of_data(found) or are_ratios(found))
        drawn = self._is_about_noise and are_noise_levels(found)
        return self.tested or prepares or drawn or (apart and not self._asks_for_gradients(unit))

    @cached_property
    def _is_about_noise(self) -> bool:
        return speaks_of_noise(self.source.text)

    def is_unwanted(self, line: int) -> bool:
        """Whether nobody in the project wants a gradient through the function around a line."""
        return self._shelter.covers(line)

    @cached_property
    def _shelter(self) -> Shelter:
        from nanlint.usage import Shelter  # here: most files have nothing to show

        alone = self.source.notebook is not None
        return Shelter(self.tree, self.source.path, alone=alone)

    def _is_script(self, unit: Unit) -> bool:
        """Whether a unit is what runs first: the module's own level, or its `main`."""
        return isinstance(unit.node, ast.Module) or is_main(getattr(unit.node, "name", ""))

    def _is_apart(self, unit: Unit) -> bool:
        if not isinstance(unit.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
        owner = unit.function.owner if unit.function is not None else None
        around = self.places.ancestors(unit.node) if owner is None and unit.node.col_offset else ()
        functions = (node for node in around if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
        name = owner.name if owner is not None else ""
        return any(
            is_apart_from_training(node.name, name, (one.arg for one in node.args.args))
            for node in (unit.node, *functions)
        )

    def _asks_for_gradients(self, unit: Unit) -> bool:
        """Whether the text of a function, or of a module, says that something is differentiated there."""
        node = unit.node
        first, last = (1, None) if isinstance(node, ast.Module) else (node.lineno, node.end_lineno)
        return asks_for_gradients(self.source.lines[first - 1 : last])


def are_of_data(found: Sequence[Hazard]) -> bool:
    """Whether no gradient gets lost but those of what a script has loaded."""
    lost = _lost(found)
    return bool(lost) and all(map(is_loaded, lost))


def are_noise_levels(found: Sequence[Hazard]) -> bool:
    """Whether no gradient gets lost but those of the times at which noise is looked at."""
    lost = _lost(found)
    return bool(lost) and all(map(is_noise_level, lost))


def _lost(found: Sequence[Hazard]) -> list[str]:
    """What the inputs are called whose gradients get lost."""
    return [
        getattr(leaf, "name", "") for hazard in found for proof in hazard.proofs for leaf in proof.gradients
    ]


def are_ratios(found: Sequence[Hazard]) -> bool:
    """Whether all that is found is the overflow of a ratio of two values that are kept as logarithms."""
    return all(is_ratio(proof.site) for hazard in found for proof in hazard.proofs)
