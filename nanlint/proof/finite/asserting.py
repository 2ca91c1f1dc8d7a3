"""`assert_finite_gradients`: a function under test, moved to the points where gradients are lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample

from nanlint.proof.finite.cases import Case, Moves
from nanlint.proof.finite.telling import told
from nanlint.proof.running import quietly


def assert_finite_gradients(
    function: Callable[..., object],
    *inputs: object,
    around: Iterable[float] = (),
    examples: int = 200,
) -> None:
    """Assert that no finite value of `function` has a gradient that is nan or inf.

    `inputs` are example arguments. Floating-point tensors are moved anywhere, and a `Domain` stands for a tensor that
    may be moved within a range; bool tensors have rows switched off; all else is passed as it is. Elements are moved
    to 0, 1, tiny, huge and tied numbers, to `around`, and to the thresholds in the function's own source, with their
    neighbours: first each alone, then `examples` random combinations, always the same ones. Of what is found the
    smallest move is told. A point at which `function` raises, or at which its value is not finite, is none.

    The gradients are those of the sum of all outputs, for the inputs and, of a module, for its parameters.

    Raises AssertionError with the input, the singular line, the selector's line and what nanlint says of them; and
    ValueError if there is no argument to move.
    """
    case = Case.of(function, inputs, tuple(around))
    with quietly():
        found = _loss(case, examples)
        if found is not None:
            raise AssertionError(told(case, found))


def _loss(case: Case, examples: int) -> Moves | None:
    """A point where a gradient is lost, by moves that cannot be made simpler."""
    found = next(filter(case.loses, case.sweep()), None)
    if found is None:
        return _smallest(case, examples)
    return (_smallest(case.narrowed(found), examples) or found) if found else found


def _smallest(case: Case, examples: int) -> Moves | None:
    setting = settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(case.moves(), case.loses, settings=setting)
    except NoSuchExample:
        return None
