"""What is put to torch for one finding: its graph before and after the fix, the witness and points around it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanlint import analysis
from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.cases import Proof, Scene
from nanlint.config import Config
from nanlint.confirm.program import Program, Written, written
from nanlint.finding import Finding, Fix
from nanlint.fixes.attempt import counterparts
from nanlint.fixes.counterparts import renamed
from nanlint.fixes.places import Places
from nanlint.graph import Leaf
from nanlint.hazards import Hazard
from nanlint.lower import Unit
from nanlint.source import Source

_MOST_MOVED = 4
_STEPS = (4.0, 1e5)
"""How far around a number is looked, in rounding steps."""
Point = tuple[float, ...]


@dataclass(frozen=True)
class Trial:
    """A program with the points at which it is run, the witness first, and what the evaluator says of each.

    What it says is the result, and the gradient of each input; None where it says nothing.
    """

    program: Program
    points: tuple[Point, ...]
    expected: tuple[Point | None, ...]

    def wire(self) -> dict[str, Any]:
        """What JSON can hold of it."""
        return {**self.program.wire(), "points": self.points}


@dataclass(frozen=True)
class Experiment:
    """The trials of one finding; `told` pairs the names of the gradients that are said to be nan with their inputs.

    `after` is None without a fix, or where the fixed code has no expression that is its counterpart; the gradients
    `told_after` are those of the same inputs, with -1 for one that the fixed code does not have.
    """

    dtype: str
    before: Trial
    after: Trial | None
    told: tuple[tuple[str, int], ...]
    told_after: tuple[int, ...] = ()


def analyse(source: Source, config: Config) -> list[Finding]:
    """The findings of a source, as without `--confirm`, each with its experiment; raises AnalysisError as well."""
    return analysis.analyse(source, config, experiment)


def experiment(
    scene: Scene, hazard: Hazard | None, fix: Fix | None, unit: Unit, places: Places, config: Config
) -> Experiment:
    """The experiment for a proof, and for the fix of the finding that it makes."""
    a, proof = ARITHMETIC[config.dtype], scene.proof
    before = written(scene.roots)
    known = {leaf.number: proof.values[leaf.number] for leaf in before.free if leaf.number in proof.values}
    known |= {value.number: at for value, at in proof.inputs.items()}
    points = [before.numbers(moved) for moved in _around(known, before.free, proof, a)]
    gradients = [(value, _index(before, value.number)) for value in proof.gradients]
    told = tuple((getattr(value, "name", "value"), index) for value, index in gradients if index >= 0)
    trial = _trial(before, points, a)
    if fix is not None:
        numbers = [value.number for value, index in gradients if index >= 0]
        for roots in counterparts(fix.edits, hazard, unit, places):
            mended = _mended(before, written(roots), trial.points, numbers, a)
            if mended is not None:
                return Experiment(config.dtype, trial, mended[0], told, mended[1])
    return Experiment(config.dtype, trial, None, told)


def _mended(
    before: Written, after: Written, points: Sequence[Point], told: Sequence[int], a: Arithmetic
) -> tuple[Trial, tuple[int, ...]] | None:
    """The trial of fixed code, with the inputs of it that are those of some values; None if it has other defects."""
    names = renamed(before.order, after.order)
    back = {old: new for new, old in names.items()}
    trial = _trial(after, [after.numbers(_carried(point, before, names)) for point in points], a)
    there = tuple(_index(after, back.get(number, number)) for number in told)
    expected = trial.expected[0]
    if expected is None or not all(math.isfinite(expected[index + 1]) for index in there if index >= 0):
        return None
    return trial, there


def _index(made: Written, number: int) -> int:
    """Which input of a program a value is; -1 if it is none."""
    return next((index for index, leaf in enumerate(made.free) if leaf.number == number), -1)


def _trial(made: Written, points: Sequence[Point], a: Arithmetic) -> Trial:
    rounded = tuple(tuple(map(a.round, point)) for point in points)
    return Trial(made.program, rounded, tuple(made.expected(point, a) for point in rounded))


def _carried(point: Point, before: Written, names: Mapping[int, int]) -> dict[int, float]:
    """A point by the numbers of the values in the fixed graph."""
    known = {leaf.number: at for leaf, at in zip(before.free, point, strict=True)}
    return known | {new: known[old] for new, old in names.items() if old in known}


def _around(
    known: Mapping[int, float], free: Sequence[Leaf], proof: Proof, a: Arithmetic
) -> Iterator[dict[int, float]]:
    """The witness, and points at which one input is a little larger or smaller."""
    yield dict(known)
    wanted = [leaf for leaf in free if leaf.number in known]
    wanted.sort(key=lambda leaf: leaf.number not in {value.number for value in proof.gradients})
    for leaf in wanted[:_MOST_MOVED]:
        at = known[leaf.number]
        for steps in _STEPS:
            by = (abs(at) or 1.0) * a.dtype.eps * steps
            for near in (a.round(at - by), a.round(at + by)):
                if near in leaf.region and near != at:
                    yield {**known, leaf.number: near}
