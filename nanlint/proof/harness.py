"""Holds each fixture against what it announces: the linter by its findings, torch by value and gradient."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from nanlint.config import UNANALYSABLE
from nanlint.engine import check, check_file, fix
from nanlint.finding import Applicability
from nanlint.proof.fixtures import Expected, Fixture, Kind, Marks, expected, lines_of
from nanlint.proof.forms import STYLES, form_paths, settings, stale
from nanlint.proof.running import FINITE, Run, run_file, summary
from nanlint.source import parse, read

TOLERANCE = 1e-6
"""How far, relative to itself, a number may be moved by a fix: a few roundings in float32."""

BROKEN_ALREADY = ("nan in forward already", "infinite in forward already")
"""What the docstring of a product, or of a guard that vanishes, says whose value is not finite either."""


@dataclass(frozen=True)
class Evidence:
    """All that is known of one fixture, each part found out when it is first asked for.

    Any part raises what the file raises when it is run, and what the linter raises when it fails.
    """

    fixture: Fixture

    @cached_property
    def expected(self) -> Expected:
        """What the markers announce."""
        if self.fixture.broken:
            return Expected(Counter(), Counter())
        return expected(read(str(self.fixture.path)), self.fixture.entry)

    @cached_property
    def found(self) -> Marks:
        """What nanlint reports with the settings of its folder."""
        return _found(self.fixture, self.fixture.path)

    @cached_property
    def runs(self) -> list[Run]:
        """What torch makes of each row of inputs."""
        return run_file(self.fixture.path, self.fixture.entry)

    @cached_property
    def forms(self) -> Mapping[str, Path]:
        """The forms on disk that `--fix` gave this fixture, by name; none for one that is never run."""
        if self.fixture.kind is Kind.TEXT:
            return {}
        return {form: path for form, path in form_paths(self.fixture.path).items() if path.exists()}

    @cached_property
    def fixed_runs(self) -> Mapping[str, list[Run]]:
        """What torch makes of each form, row by row."""
        return {form: run_file(path, self.fixture.entry) for form, path in self.forms.items()}

    @cached_property
    def remaining(self) -> Mapping[str, Marks]:
        """What nanlint reports in each form."""
        return {form: _found(self.fixture, path) for form, path in self.forms.items()}


Part = Callable[[Evidence], list[str]]
"""One claim about a fixture: what is wrong with it, a sentence each; nothing where the claim holds."""


def announced(evidence: Evidence) -> list[str]:
    """nanlint reports what the markers say, line by line, and nothing else."""
    if evidence.fixture.broken:
        codes = [code for _, code in evidence.found.elements()]
        return [] if codes == [UNANALYSABLE] else [f"just one {UNANALYSABLE} expected, found: {codes}"]
    marks, found = evidence.expected, evidence.found
    problems = [f"line {line}: {code} expected, not found" for line, code in _sorted(marks.found - found)]
    unexpected = found - marks.found - marks.missed
    return problems + [f"line {line}: {code} found, not expected" for line, code in _sorted(unexpected)]


def overlooked(evidence: Evidence) -> list[str]:
    """Each known miss is still missed."""
    seen = (evidence.found - evidence.expected.found) & evidence.expected.missed
    return [f"line {line}: {code} is found now: drop the `todo:`" for line, code in _sorted(seen)]


def marked(evidence: Evidence) -> list[str]:
    """There are markers in a bad fixture, and none in another one that is run."""
    marks = evidence.expected.found + evidence.expected.missed
    if evidence.fixture.kind is Kind.BAD:
        return [] if marks else ["no marker says which code to expect"]
    return [f"line {line}: a marker for {code} in a sound fixture" for line, code in _sorted(marks)]


def lost(evidence: Evidence) -> list[str]:
    """With torch the value is finite, or not where that is announced, and a gradient is nan or inf."""
    problems = [] if evidence.runs else ["INPUTS has no row"]
    said = [words for words in BROKEN_ALREADY if words in _docstring(evidence.fixture.path)]
    broken = [row for row, run in enumerate(evidence.runs) if not run.finite_value]
    if said and not broken:
        problems.append(f"the docstring says {said[0]!r}, but every value is finite")
    if broken and not (said and _may_break_values(evidence.expected)):
        problems += [f"row {row}: the value is {summary(evidence.runs[row].values)}" for row in broken]
    if all(run.finite_gradient for run in evidence.runs):
        problems.append("the gradient is finite in every row")
    return problems


def kept(evidence: Evidence) -> list[str]:
    """With torch the value and all gradients are finite, row by row."""
    problems = [] if evidence.runs else ["INPUTS has no row"]
    return problems + _not_finite(evidence.runs)


def current(evidence: Evidence) -> list[str]:
    """The forms on disk are what `--fix` gives today."""
    return [
        f"{path.name} is not what --fix gives today: python -m nanlint.proof --write-fixed"
        for path in stale(evidence.fixture.path)
    ]


def promised(evidence: Evidence) -> list[str]:
    """Findings have fixes, safe ones or others, if and only if `--fix` changes the file."""
    problems, source = [], read(str(evidence.fixture.path))
    for unsafe in (False, True):
        config = replace(settings(evidence.fixture.path), unsafe_fixes=unsafe)
        offers = [finding.fix.applicability for finding in check(source, config) if finding.fix is not None]
        wanted = [offer for offer in offers if unsafe or offer is Applicability.SAFE]
        if bool(wanted) is (fix(source, config).source is source):
            problems.append(f"{len(wanted)} fixes offered{' with the unsafe ones' if unsafe else ''}")
    return problems


def repaired(evidence: Evidence) -> list[str]:
    """Each form has a finite gradient; unless its fixes are unsafe, it is as good as the fixture was where that was
    good."""
    is_unsafe = settings(evidence.fixture.path).unsafe_fixes
    return [
        f"{form}: {problem}"
        for form, runs in evidence.fixed_runs.items()
        for problem in ([] if is_unsafe else _worse(evidence.runs, runs))
        + ([] if _leftover(evidence, form) else _not_finite(runs))
    ]


def clean(evidence: Evidence) -> list[str]:
    """No code that was fixed is found in a form, and `--fix` has nothing left to do there."""
    problems = []
    for form, path in evidence.forms.items():
        remaining = evidence.remaining[form]
        fixed = _codes(evidence.found) - _codes(remaining)
        still = [(line, code) for line, code in _sorted(remaining) if code in fixed]
        problems += [f"{form}: line {line}: {code} is still found" for line, code in still]
        problems += [] if fixed else [f"{form}: no finding was fixed"]
        source = read(str(path))
        if fix(source, replace(settings(path), fix_style=STYLES[form])).source is not source:
            problems.append(f"{form}: --fix changes it again")
    return problems


PARTS: Mapping[Kind, tuple[Part, ...]] = {
    Kind.BAD: (marked, announced, overlooked, lost, current, promised, repaired, clean),
    Kind.OK: (marked, announced, kept, current),
    Kind.TEXT: (announced, overlooked),
}
"""What is to be shown of a fixture of each kind."""


def is_partly_fixed(evidence: Evidence) -> bool:
    """Whether a form still has findings, or a hazard that is known to be missed."""
    return any(_leftover(evidence, form) for form in evidence.forms)


def _leftover(evidence: Evidence, form: str) -> bool:
    return bool(evidence.remaining[form] or evidence.expected.missed)


def _worse(before: list[Run], after: list[Run]) -> list[str]:
    """Where a form differs from its fixture although the fixture was finite there."""
    if len(before) != len(after):
        return [f"{len(before)} rows became {len(after)}"]
    return [
        f"row {row}: the {what} changed where it was finite"
        for row, (old, new) in enumerate(zip(before, after, strict=True))
        for what, olds, news in _both(old, new)
        if len(olds) != len(news) or not all(map(_agrees, olds, news))
    ]


def _both(old: Run, new: Run) -> Iterator[tuple[str, tuple[Tensor, ...], tuple[Tensor, ...]]]:
    yield "value", old.values, new.values
    yield "gradient", old.gradients, new.gradients


def _agrees(old: Tensor, new: Tensor) -> bool:
    """Whether two tensors are equal wherever the first is finite."""
    if old.shape != new.shape or old.dtype != new.dtype:
        return False
    there = torch.isfinite(old)
    return bool(((new - old).abs() <= TOLERANCE * old.abs())[there].all())


def _not_finite(runs: list[Run]) -> list[str]:
    return [
        f"row {row}: the {what} is {told}"
        for row, run in enumerate(runs)
        for what, told in (("value", summary(run.values)), ("gradient", summary(run.gradients)))
        if told != FINITE
    ]


def _found(fixture: Fixture, path: Path) -> Marks:
    """The findings in a fixture or a form of it, as far as they concern its entry."""
    places = [(finding.span.start.line, finding.code) for finding in check_file(str(path), settings(path))]
    if fixture.broken:  # no text, no lines
        return Counter(places)
    lines = lines_of(read(str(path)).text, fixture.entry)
    return Counter(place for place in places if place[0] in lines)


def _may_break_values(marks: Expected) -> bool:
    """Whether a product is meant, in which 0 may meet an infinity, or a guard that vanishes."""
    return any(code.endswith("02") or code == "NAN303" for _, code in marks.found + marks.missed)


def _docstring(path: Path) -> str:
    return ast.get_docstring(parse(read(str(path)).text)) or ""


def _codes(marks: Marks) -> Counter[str]:
    return Counter(code for _, code in marks.elements())


def _sorted(marks: Marks) -> list[tuple[int, str]]:
    return sorted(marks.elements())
