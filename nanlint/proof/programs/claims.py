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

from nanlint.arithmetic import ARITHMETIC, FLOAT64, Arithmetic
from nanlint.graph import Apply, Leaf, Value, closure
from nanlint.proof.probe import DIFFERENCES, LOWEST, ROUGH
from nanlint.proof.programs.findings import Found, Study
from nanlint.proof.programs.nodes import LEAF, MASK_PRODUCT, Node, nodes, selectors
from nanlint.proof.programs.noise import Noisy
from nanlint.proof.programs.points import Point, is_usual, points
from nanlint.proof.programs.running import Outcome, at_node, guilty, outcomes
from nanlint.proof.programs.writing import ENTRY, Program
from nanlint.witness import backward, forward

STYLES = ("double-where", "indexed")
_MOST_LOST = 8
"""Points with a lost gradient that are looked into, for each program."""
_MOST_RUN = 16
"""Points at which the evaluator is held against torch."""
_CANCELLING = DIFFERENCES | LOWEST.keys() | {name for name, _ in ROUGH}
"""Ops of which torch has not all digits: of what is made of them only the finiteness is compared."""
_SAME = 1e-9
"""How far a fix may move a number in float64, relative to it."""
_EQUAL = 1e-12
"""How far the evaluator may be from torch in float64."""


BY_DIGITS = frozenset({"logaddexp2", "i0", "i0e", "i1", "i1e"})
"""Ops that miss plain numbers by the last digit in torch: i0(0) is less than 1, logaddexp2(-1, -1) is not 0."""
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
singular op; witnesses that rest on the last digit of one of `BY_DIGITS`."""
_ARITHMETIC = (ARITHMETIC["float64"], *(Noisy(FLOAT64, seed) for seed in range(3)))


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
    return "missed" if _is_lost_at_home(trial, node, point) else "missed in helper"


def _is_lost_at_home(trial: Trial, node: Node, point: Point) -> bool:
    """Whether the function that holds a selector loses the gradient by itself, on finite arguments as it is given."""
    home = trial.program.homes.get(node, ENTRY)
    _, values = at_node(trial.root, point, torch.float32)
    arguments = trial.program.functions[home].values()
    given = {part: values[part].item() for part in arguments if part in values}
    if home == ENTRY:
        return True
    finite = all(map(math.isfinite, given.values()))
    return finite and at_node(node, given, torch.float32)[0].loses_gradient


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
    by_digits = " by digits" if any(part.op in BY_DIGITS for part in nodes(node)) else ""
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
    graph = _Graph(trial, unit.sinks[0])
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
            yield told
            return


class _Graph:
    """The graph of a program, run on floats."""

    def __init__(self, trial: Trial, sink: Value) -> None:
        self.sink = sink
        self.order = closure((sink,), 10_000)
        self.leaves = {value.name: value for value in self.order if isinstance(value, Leaf)}
        self.names = [name for name, node in trial.program.functions[ENTRY].items() if node.op == LEAF]
        self.is_exact = not any(isinstance(v, Apply) and v.op in BY_DIGITS for v in self.order)
        self.rough = any(isinstance(v, Apply) and v.op in _CANCELLING for v in self.order)

    @property
    def is_of_inputs(self) -> bool:
        """Whether the leaves are the inputs themselves, not elements that an index has taken of them."""
        return not any("[" in name for name in self.leaves)

    def difference(self, point: Point, made: Outcome) -> Failure | None:
        """What differs from torch's outcome at a point: the value, or a gradient."""
        given = {node.name: x for node, x in point.items()}
        exact, *noisy = (self._run(given, a) for a in _ARITHMETIC)
        if self._is_out_of_reach(given):
            return None
        for what, ours, theirs, *moved in zip(
            ["value", *self.names], exact, (made.value, *made.gradient), *noisy, strict=True
        ):
            if theirs is not None and not self._agree(ours, theirs, moved):
                kind = "evaluator value" if what == "value" else "evaluator gradient"
                return Failure(kind, f"{what} at {_told(point)}: {ours}, torch {theirs}")
        return None

    def _forward(self, given: Mapping[str, float], a: Arithmetic) -> dict[int, float]:
        at = {leaf.number: given[name] for name, leaf in self.leaves.items()}
        values = forward(self.order, at, a)
        assert values is not None
        return values

    def _run(self, given: Mapping[str, float], a: Arithmetic) -> list[float]:
        values = self._forward(given, a)
        slopes = backward(self.order, values, {self.sink.number: 1.0}, a).by_number
        numbers = [self.leaves[name].number if name in self.leaves else -1 for name in self.names]
        return [values[self.sink.number], *(slopes.get(number, 0.0) for number in numbers)]

    def _is_out_of_reach(self, given: Mapping[str, float]) -> bool:
        """Whether an op is given what torch computes no sensible number for."""
        values = self._forward(given, _ARITHMETIC[0])
        return any(
            values.get(arg.number, 0.0) < LOWEST[value.op]
            for value in self.order
            if isinstance(value, Apply) and value.op in LOWEST
            for arg in value.args
        )

    def _agree(self, ours: float, theirs: float, moved: Sequence[float]) -> bool:
        """Whether two numbers are one, as far as a last digit in each op does not decide it."""
        if _kind(ours) != _kind(theirs):
            return len({_kind(ours), *map(_kind, moved)}) > 1
        if not math.isfinite(ours) or self.rough:
            return True
        spread = max((abs(x - ours) for x in moved), default=0.0)
        return abs(ours - theirs) <= _EQUAL * max(abs(ours), abs(theirs)) + 50.0 * spread + 1e-300


def _kind(x: float) -> str:
    return "finite" if math.isfinite(x) else str(x)


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
            failure = _changed(point, old, new, exactly=dtype == torch.float64)
            if failure is not None and not _was_broken_inside(trial, point, dtype):
                usual = is_usual({node: x or 0.0 for node, x in point.items()})  # a negative zero is one
                yield failure if usual else replace(failure, kind=f"{failure.kind} far")
                return
    if study.clean:
        yield from _left(trial, after)


def _changed(point: Point, old: Outcome, new: Outcome, *, exactly: bool) -> Failure | None:
    if not _kept(old.value, new.value, exactly):
        return Failure("fix value", f"value at {_told(point)}: {old.value}, then {new.value}")
    if old.has_value:
        for x, y in zip(old.gradient, new.gradient, strict=True):
            if not _kept(x, y, exactly):
                return Failure("fix gradient", f"gradient at {_told(point)}: {x}, then {y}")
    return None


def _kept(x: float | None, y: float | None, exactly: bool) -> bool:
    """Whether a finite number has stayed, to a few digits if `exactly`, else finite."""
    if x is None or y is None or not math.isfinite(x):
        return x is y or (x is not None and not math.isfinite(x))
    return abs(x - y) <= _SAME * max(abs(x), abs(y)) + 1e-300 if exactly else math.isfinite(y)


def _was_broken_inside(trial: Trial, point: Point, dtype: torch.dtype) -> bool:
    """Whether a selector's value was nan or inf already: what a fix makes a number of, ops further down see."""
    _, values = at_node(trial.root, point, dtype)
    return any(not bool(torch.isfinite(values[node]).all()) for node in selectors(trial.root))


def _left(trial: Trial, after: Sequence[Outcome]) -> Iterator[Failure]:
    """Where nothing is found any more, no selector that was blamed still loses a gradient."""
    by_point = {id(point): made for point, made in zip(trial.points, after, strict=True)}
    for node, point in trial.blamed:
        if is_usual(point) and _is_lost_at_home(trial, node, point) and by_point[id(point)].loses_gradient:
            yield Failure("fix leaves", f"{node.op} at {_told(point)}", node)
            return


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
