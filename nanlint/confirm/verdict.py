"""What torch's answer makes of a finding: confirmed, refuted, or a difference that is a bug of nanlint."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nanlint.confirm.experiment import Experiment, Point, Trial
from nanlint.confirm.worker import Failure, Worker
from nanlint.finding import Confidence, Confirmation, Finding, Verdict

_SHORT, _INSTEAD = ("float16", "bfloat16"), "float32"


@dataclass(frozen=True)
class Judged:
    """A finding after torch was asked, and the differences between the evaluator and torch that came to light."""

    finding: Finding
    bugs: tuple[str, ...] = ()


def judged(finding: Finding, worker: Worker) -> Judged:
    """Ask torch about a finding; one that it refutes has low confidence, a fix that it refutes is taken back."""
    asked = finding.experiment
    if asked is None:
        return Judged(finding)
    try:
        before = _points(asked, asked.before, worker)
        after = None if asked.after is None else _points(asked, asked.after, worker)
    except Failure as failure:
        made = _in_float32(asked, worker, str(failure))
        not_run = Confirmation(worker.version, Verdict.NOT_RUN, reason=str(failure))
        return Judged(replace(finding, confirmation=made or not_run))
    return _judged(finding, asked, before, after, worker.version)


def _in_float32(asked: Experiment, worker: Worker, why: str) -> Confirmation | None:
    """A confirmation in float32 where torch lacks an op in 16 bits; None where that does not confirm it either."""
    if asked.dtype not in _SHORT:
        return None
    instead = replace(asked, dtype=_INSTEAD)
    try:
        before = _points(instead, _at_witness(asked.before), worker)
        after = None if asked.after is None else _points(instead, _at_witness(asked.after), worker)
    except Failure:
        return None
    gradient = _told(asked, before[0])
    if all(map(math.isfinite, gradient.values())):
        return None
    mended = None if after is None else _gradients(asked, after[0])
    return Confirmation(worker.version, Verdict.CONFIRMED, gradient, mended, f"in {_INSTEAD}, for {why}")


def _at_witness(trial: Trial) -> Trial:
    return replace(trial, points=trial.points[:1], expected=trial.expected[:1])


def _told(asked: Experiment, point: Point) -> dict[str, float]:
    return {name: point[index + 1] for name, index in asked.told}


def _points(asked: Experiment, trial: Trial, worker: Worker) -> list[Point]:
    answer = worker.ask({**trial.wire(), "dtype": asked.dtype})
    if "error" in answer:
        raise Failure(answer["error"])
    return [tuple(point) for point in answer["points"]]


def _judged(
    finding: Finding, asked: Experiment, before: list[Point], after: list[Point] | None, version: str
) -> Judged:
    gradient = _told(asked, before[0])
    holds = not all(map(math.isfinite, gradient.values()))
    bugs = list(_differences("", asked.before, before, asked.dtype))
    mended = None if after is None else _gradients(asked, after[0])
    if asked.after is not None and after is not None:
        bugs += _differences(" after the fix", asked.after, after, asked.dtype)
    verdict = Verdict.CONFIRMED if holds else Verdict.REFUTED
    made = replace(finding, confirmation=Confirmation(version, verdict, gradient, mended))
    if not holds:
        made = replace(made, confidence=Confidence.LOW)
    if mended is not None and not all(map(math.isfinite, mended.values())):
        made = replace(made, fix=None)
    return Judged(made, tuple(bugs))


def _gradients(asked: Experiment, point: Point) -> dict[str, float]:
    pairs = zip(asked.told, asked.told_after, strict=True)
    return {name: point[index + 1] if index >= 0 else 0.0 for (name, _), index in pairs}


def _differences(when: str, trial: Trial, found: Sequence[Point], dtype: str) -> Iterator[str]:
    """Where the evaluator says finite and torch says nan, or the other way round; the first one of a program."""
    names = [step.name for step in trial.program.inputs]
    words = ["value", *(f"gradient of {name}" for name in names)]
    for point, expected, got in zip(trial.points, trial.expected, found, strict=True):
        for word, ours, torchs in zip(words, expected or (), got, strict=expected is not None):
            if _kind(ours) != _kind(torchs):
                at = ", ".join(f"{name} = {value!r}" for name, value in zip(names, point, strict=True))
                yield (
                    f"{word}{when} at {at} in {dtype} is {ours} for nanlint and {torchs} for torch, in\n"
                    f"{trial.program}"
                )
                return


def _kind(value: float) -> Any:
    return "finite" if math.isfinite(value) else str(value)
