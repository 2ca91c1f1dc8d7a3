"""A graph as a program of catalogue ops, which can be sent to another process."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.graph import Apply, Constant, Leaf, Value, closure, operands
from nanlint.witness import backward, forward, typical

MOST_STEPS = 600
"""Values of a graph that are run; what lies deeper is an input."""
NUMBER, INPUT = "number", "input"
"""The steps that are no ops of the catalogue."""


@dataclass(frozen=True)
class Step:
    """One line of a program: an input, a number, or an op of the results of earlier steps.

    `op` is INPUT, NUMBER or a name of the catalogue. `grad` says whether gradient flows through it.
    """

    op: str
    args: tuple[int, ...] = ()
    name: str = ""
    number: float = 0.0
    grad: bool = False


@dataclass(frozen=True)
class Program:
    """A function of its inputs, which are the first steps; `results` are the steps whose sum it returns."""

    steps: tuple[Step, ...]
    results: tuple[int, ...]

    @property
    def inputs(self) -> list[Step]:
        """The steps that are inputs."""
        return [step for step in self.steps if step.op == INPUT]

    def wire(self) -> dict[str, Any]:
        """What JSON can hold of it."""
        steps = [[step.op, step.args, step.number, step.grad] for step in self.steps]
        return {"steps": steps, "results": self.results}

    def __str__(self) -> str:
        names = [_spelled(step, index) for index, step in enumerate(self.steps)]
        head = f"def f({', '.join(step.name for step in self.inputs)}):"
        body = [
            f"    {names[index]} = {step.op}({', '.join(names[arg] for arg in step.args)})"
            + ("" if step.grad else ".detach()")
            for index, step in enumerate(self.steps)
            if step.args
        ]
        return "\n".join([head, *body, f"    return {' + '.join(names[index] for index in self.results)}"])


@dataclass(frozen=True, eq=False)
class Written:
    """Some values of a graph with the program that computes their sum; `free` are the values that are its inputs."""

    roots: tuple[Value, ...]
    order: list[Value] = field(repr=False)
    free: list[Leaf]
    program: Program

    def numbers(self, known: Mapping[int, float]) -> tuple[float, ...]:
        """A number for each input: a known one, by the numbers of values, or else one of its region."""
        return tuple(known.get(leaf.number, typical(leaf.region)) for leaf in self.free)

    def expected(self, inputs: Sequence[float], a: Arithmetic) -> tuple[float, ...] | None:
        """What the evaluator gives for the inputs: the result, and the gradient of each input.

        None where something is computed from an element that a mask has left out: the evaluator, which knows single
        elements only, then has nothing to go on with.
        """
        known = {leaf.number: at for leaf, at in zip(self.free, inputs, strict=True)}
        values = forward(self.order, known, a, void=True)
        assert values is not None
        if any(self._is_lost(value, values) for value in self.order):
            return None
        found = backward(self.order, values, {root.number: 1.0 for root in self.roots}, a).by_number
        result = sum(values[root.number] for root in self.roots)
        return (result, *(found.get(leaf.number, 0.0) if leaf.grad else 0.0 for leaf in self.free))

    def _is_lost(self, value: Value, values: Mapping[int, float]) -> bool:
        is_last = any(value.number == root.number for root in self.roots)
        if is_last or not (isinstance(value, Apply) and value.op == "masked_select"):
            return False
        mask = value.args[1]
        return values.get(mask.number, mask.value if isinstance(mask, Constant) else 0.0) == 0.0


def written(roots: Sequence[Value]) -> Written:
    """The program for some values of a graph."""
    order = closure(roots, MOST_STEPS)
    inside = {value.number for value in order}
    edge = {arg.number: arg for value in order for arg in operands(value) if arg.number not in inside}
    free = [value for value in order if isinstance(value, Leaf)]
    free += [_cut(value) for value in edge.values() if not isinstance(value, Constant)]
    constants = [value for value in edge.values() if isinstance(value, Constant)]
    lines = {value.number: value for value in (*free, *constants, *order)}
    at = {number: index for index, number in enumerate(lines)}
    steps = [_step(value, at) for value in lines.values()]
    named = [*_distinct(steps[: len(free)]), *steps[len(free) :]]
    return Written(tuple(roots), order, free, Program(tuple(named), tuple(at[root.number] for root in roots)))


def _cut(value: Value) -> Leaf:
    """A value that lies too deep is an input."""
    return value if isinstance(value, Leaf) else Leaf(value.number, "value", R.FINITE, value.grad, value.kind)


def _step(value: Value, at: Mapping[int, int]) -> Step:
    if isinstance(value, Constant):
        return Step(NUMBER, number=value.value)
    if isinstance(value, Leaf):
        return Step(INPUT, name=value.name, grad=value.grad)
    return Step(value.op, tuple(at[arg.number] for arg in value.args), grad=value.grad)


def _distinct(inputs: Iterable[Step]) -> list[Step]:
    """The inputs under names that Python can have, each its own."""
    taken: dict[str, Step] = {}
    for step in inputs:
        name = re.sub(r"\W+", "_", step.name).strip("_") or "value"
        name = f"v_{name}" if name[0].isdigit() else name
        while name in taken:
            name += "_"
        taken[name] = Step(INPUT, name=name, grad=step.grad)
    return list(taken.values())


def _spelled(step: Step, index: int) -> str:
    return step.name if step.op == INPUT else repr(step.number) if step.op == NUMBER else f"v{index}"
