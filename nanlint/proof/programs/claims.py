"""The claims that nanlint makes of every program, each put to torch; what is broken comes back as `Failure`s."""

from __future__ import annotations

import io
import math
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random

import torch

from nanlint.graph import Leaf, Value
from nanlint.proof.programs.evaluated import BY_DIGITS, Evaluated, agree_but_for_digits
from nanlint.proof.programs.findings import Found, Study
from nanlint.proof.programs.nodes import MASK_PRODUCT, Node, nodes, selectors
from nanlint.proof.programs.noise import rests_on_digits
from nanlint.proof.programs.points import Point, is_usual, points
from nanlint.proof.programs.running import Outcome, at_node, guilty, is_finite_above, of_function, outcomes
from nanlint.proof.programs.writing import ENTRY, Program

STYLES = ("double-where", "indexed")
_MOST_LOST = 8
"""Points with a lost gradient that are looked into, for each program."""
_MOST_RUN = 16
"""Points at which the evaluator is held against torch."""
_SAME = 1e-9
"""How far a fix may move a number in float64, relative to it."""
_UNPROMISED = frozenset(
    {
        *(
            "missed far",
            "missed rounding",
            "missed in helper",
            "false alarm by digits",
            "false value by digits",
        ),
        *("fix value far", "fix gradient far"),
    }
)
"""Inputs beyond the usual size; overflow and what the last digit decides; a selector in a helper whose caller holds the
singular op; witnesses that rest on a last digit, which torch has not always right."""


@dataclass(frozen=True)
class Failure:
    """A claim that does not hold of a program; `kind` is one word, `told` the evidence."""

    kind: str
    told: str
    node: Node | None = None

    @property
    def is_serious(self) -> bool:
        """Whether it is no miss of what nanlint does not promise to find: see `_UNPROMISED`."""
        return self.kind not in _UNPROMISED


class Trial:
    """A program on trial: its text, the points that it is run at, what torch and nanlint say of it."""

    def __init__(self, program: Program, styles: Sequence[str] = STYLES, seed: int = 0) -> None:
        self.program = program
        self.styles = styles
        self.root = program.root
        self.study = Study(program)
        self.points: list[dict[Node, float]] = points(program.root, Random(seed))

    @cached_property
    def single(self) -> list[Outcome]:
        """What torch gives at the points in float32."""
        return outcomes(self.program.text, self.root, self.points, torch.float32)

    @cached_property
    def double(self) -> list[Outcome]:
        """The same in float64."""
        return outcomes(self.program.text, self.root, self.points, torch.float64)

    @cached_property
    def lost(self) -> list[dict[Node, float]]:
        """Some points with a value and without a gradient, those of usual size first."""
        at = [p for p, made in zip(self.points, self.single, strict=True) if _is_lost(made)]
        return sorted(at, key=lambda point: not is_usual(point))[:_MOST_LOST]

    @cached_property
    def blamed(self) -> list[tuple[Node, Point]]:
        """The selectors that lose a gradient, each with a point where it does."""
        return [(node, point) for point in self.lost for node in guilty(self.root, point, torch.float32)]


def _is_lost(made: Outcome) -> bool:
    return made.has_value and made.loses_gradient


# --- what is called sound is sound ---------------------------------------------------------------------------------


def missed(trial: Trial) -> Iterator[Failure]:
    """Each selector that loses a gradient in torch, at inputs of usual size, is reported."""
    told: set[Node] = set()
    for node, point in trial.blamed:
        if node in told or trial.study.covers(node):
            continue
        told.add(node)
        yield Failure(_kind_of_miss(trial, node, point), f"{node.op} at {_told(point)}", node)


def _kind_of_miss(trial: Trial, node: Node, point: Point) -> str:
    if not is_usual(point):
        return "missed far"
    if node not in guilty(trial.root, point, torch.float64):
        return "missed rounding"
    return "missed" if _is_for_its_own(trial, node, point) else "missed in helper"


def _is_for_its_own(trial: Trial, node: Node, point: Point) -> bool:
    """Whether a function says all that is needed to see that a selector in it loses the gradient."""
    given = trial.program.functions[_home(trial, node)].values()
    knows_its_mask = _home(trial, node) == ENTRY or node.op != MASK_PRODUCT or node.args[0] not in given
    return knows_its_mask and _is_lost_at_home(trial, node, point)


def _is_lost_at_home(trial: Trial, node: Node, point: Point) -> bool:
    """Whether the function that holds a selector loses the gradient by itself, on finite arguments as it is given."""
    if _home(trial, node) == ENTRY:
        return True
    given = _given_at_home(trial, node, point)
    finite = all(map(math.isfinite, given.values()))
    return finite and at_node(node, given, torch.float32)[0].loses_gradient


def _home(trial: Trial, node: Node) -> str:
    return trial.program.homes.get(node, ENTRY)


def _given_at_home(trial: Trial, node: Node, point: Point) -> dict[Node, float]:
    """What the function that holds a selector is given."""
    _, values = at_node(trial.root, point, torch.float32)
    arguments = trial.program.functions[_home(trial, node)].values()
    return {part: values[part].item() for part in arguments if part in values}


# --- what is found is there ----------------------------------------------------------------------------------------


def false_alarm(trial: Trial) -> Iterator[Failure]:
    """Each witness has a finite value and a nan gradient in torch."""
    for found in trial.study.found:
        for proof in found.hazard.proofs:
            yield from _unconfirmed(trial, found, proof.inputs)


def _unconfirmed(trial: Trial, found: Found, inputs: Mapping[Value, float]) -> Iterator[Failure]:
    node = found.node
    if node is None:
        yield Failure("misplaced", f"no selector at the place of {found.hazard.selector.op}")
        return
    named = {value.name: at for value, at in inputs.items() if isinstance(value, Leaf)}
    stands_for = trial.program.functions[found.function]
    point = {part: named.get(name, 0.0) for name, part in stands_for.items()}
    made, _ = at_node(node, point, torch.float32)
    rests = any(part.op in BY_DIGITS for part in nodes(node)) or rests_on_digits(found.hazard, inputs)
    by_digits = " by digits" if rests else ""
    if not made.has_value and node.op not in (MASK_PRODUCT, "mul"):
        yield Failure(f"false value{by_digits}", f"{node.op} at {_told(point)}: {made}", node)
    elif not made.loses_gradient:
        yield Failure(f"false alarm{by_digits}", f"{node.op} at {_told(point)}: {made}", node)


# --- the evaluator computes what torch computes --------------------------------------------------------------------


def evaluated_differently(trial: Trial) -> Iterator[Failure]:
    """The graph that the program is lowered to gives what the program gives, value and gradients, in float64."""
    unit = Study(trial.program, "float64").entry
    if unit is None or len(unit.sinks) != 1 or any(made.value is None for made in trial.double):
        return
    graph = Evaluated(trial.program, unit.sinks[0])
    if not (graph.is_of_inputs and graph.is_exact):
        return
    usual = [pair for pair in zip(trial.points, trial.double, strict=True) if is_usual(pair[0])]
    for point, made in usual[:: max(1, len(usual) // _MOST_RUN)]:
        told = graph.difference(point, made)
        if (
            told is not None
        ):  # torch computes a single number with other instructions: one of the two is enough
            told = graph.difference(point, at_node(trial.root, point, torch.float64)[0])
        if told is not None:
            what, numbers = told
            kind = "evaluator value" if what == "value" else "evaluator gradient"
            yield Failure(kind, f"{what} at {_told(point)}: {numbers}")
            return


# --- fixes change nothing else -------------------------------------------------------------------------------------


def misfixed(trial: Trial) -> Iterator[Failure]:
    """Each fix keeps values and finite gradients, leaves no nan that it could have taken, and is made in one go."""
    if not trial.study.found:
        return
    texts: list[str] = []
    for style in trial.styles:
        result = trial.study.fixed(style)
        text = result.source.text
        if not result.fixed or text in texts:
            continue
        texts.append(text)
        for failure in harm(trial, text, style):
            yield Failure(failure.kind, f"{style}: {failure.told}\n{text}", failure.node)


def harm(trial: Trial, text: str, style: str) -> Iterator[Failure]:
    """What is wrong with `text` as what the fixes of a style have made of a program."""
    study = Study(Program(trial.root, text, {}, {}))
    again = study.fixed(style).source.text
    if again != text:
        yield Failure("fix again", again)
    if _rest(text) != _rest(trial.program.text):
        yield Failure("fix untidy", "comments or line ends have changed")
    for dtype, before in ((torch.float64, trial.double), (torch.float32, trial.single)):
        try:
            after = outcomes(text, trial.root, trial.points, dtype)
        except Exception as error:  # whatever the text raises
            yield Failure("fix broken", f"{type(error).__name__}: {error}")
            return
        for point, old, new in zip(trial.points, before, after, strict=True):
            failure = _changed(trial, point, old, new, exactly=dtype == torch.float64)
            if failure is not None and not _was_broken_inside(trial, point, dtype):
                usual = is_usual({node: x or 0.0 for node, x in point.items()})  # a negative zero is one
                yield failure if usual else replace(failure, kind=f"{failure.kind} far")
                return
    if study.clean:
        yield from _left(trial, text, after)


def _changed(trial: Trial, point: Point, old: Outcome, new: Outcome, *, exactly: bool) -> Failure | None:
    if not _kept(old.value, new.value, exactly):
        return Failure("fix value", f"value at {_told(point)}: {old.value}, then {new.value}")
    if not old.has_value or (old.loses_gradient and new.loses_gradient):
        return None  # where another selector still loses the gradient, nothing is said of the leaves that it reaches
    for at, (x, y) in enumerate(zip(old.gradient, new.gradient, strict=True), 1):
        if not (_kept(x, y, exactly) or (exactly and _differ_by_digits(trial, point, at, x, y))):
            return Failure("fix gradient", f"gradient at {_told(point)}: {x}, then {y}")
    return None


def _differ_by_digits(trial: Trial, point: Point, at: int, x: float, y: float) -> bool:
    """Whether two numbers are one that another order of computing gives: the value (0), or a gradient (from 1 on)."""
    unit = Study(trial.program, "float64").entry
    if unit is None or len(unit.sinks) != 1 or not math.isfinite(y):
        return False
    graph = Evaluated(trial.program, unit.sinks[0])
    return graph.is_of_inputs and agree_but_for_digits(x, y, graph.spread(point)[at])


def _kept(x: float | None, y: float | None, exactly: bool) -> bool:
    """Whether a finite number has stayed, to a few digits if `exactly`, else finite."""
    if x is None or y is None or not math.isfinite(x):
        return x is y or (x is not None and not math.isfinite(x))
    return abs(x - y) <= _SAME * max(abs(x), abs(y)) + 1e-300 if exactly else math.isfinite(y)


def _was_broken_inside(trial: Trial, point: Point, dtype: torch.dtype) -> bool:
    """Whether a selector's value was nan or inf already: what a fix makes a number of, ops further down see.

    Or the gradient that comes back to it was: what an op that is flat has stopped below, another argument lets through.
    """
    _, values = at_node(trial.root, point, dtype)
    broken = any(not bool(torch.isfinite(values[node]).all()) for node in selectors(trial.root))
    return broken or not is_finite_above(trial.root, point, dtype)


def _left(trial: Trial, text: str, after: Sequence[Outcome]) -> Iterator[Failure]:
    """Where nothing is found any more, no selector that was blamed still loses a gradient in its own function."""
    by_point = {id(point): made for point, made in zip(trial.points, after, strict=True)}
    for node, point in trial.blamed:
        if (
            is_usual(point)
            and by_point[id(point)].loses_gradient
            and _is_for_its_own(trial, node, point)
            and not _is_lost_in_helper(trial, node, point)
            and _is_left(trial, text, node, point)
        ):
            yield Failure("fix leaves", f"{node.op} at {_told(point)}", node)
            return


def _is_lost_in_helper(trial: Trial, node: Node, point: Point) -> bool:
    """Whether a selector in a helper loses the gradient as well, for what its caller computes: see `_UNPROMISED`."""
    return any(
        at_node(other, point, torch.float32)[0].loses_gradient
        for other in selectors(trial.root)
        if other is not node and not _is_for_its_own(trial, other, point)
    )


def _is_left(trial: Trial, text: str, node: Node, point: Point) -> bool:
    """Whether the function that holds a selector still loses the gradient in another text."""
    home = _home(trial, node)
    return home == ENTRY or of_function(text, home, _given_at_home(trial, node, point)).loses_gradient


def _rest(text: str) -> tuple[list[str], bool]:
    """What no fix may touch: the comments, and the kind of line ends."""
    tokens = tokenize.generate_tokens(io.StringIO(text, newline="").readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return comments, text.count("\r\n") == text.count("\n")


def _told(point: Point) -> str:
    return ", ".join(f"{node.name or node} = {number!r}" for node, number in point.items())


Claim = Callable[[Trial], Iterator[Failure]]
CLAIMS: tuple[Claim, ...] = (missed, false_alarm, evaluated_differently, misfixed)


def failures(program: Program, styles: Sequence[str] = STYLES) -> list[Failure]:
    """What does not hold of a program, if it is fixed in these styles."""
    trial = Trial(program, styles)
    return [failure for claim in CLAIMS for failure in claim(trial)]
