"""Every row of the catalogue against real torch, in each dtype; a derivative that torch changes fails by its name."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC
from nanlint.catalogue import OPS, SPELLINGS
from nanlint.catalogue.emptied import ROWS as EMPTIED_ROWS
from nanlint.catalogue.matrices import ROWS as MATRICES
from nanlint.catalogue.reductions import ROWS as REDUCTIONS
from nanlint.catalogue.totals import ROWS as TOTAL_ROWS
from nanlint.proof.asking import FIXED, Question, ask, gradient_goes_on, question, resolve
from nanlint.proof.probe import (
    DIFFERENCES,
    LOWEST,
    ROUGH,
    UNSUPPORTED,
    Disagreement,
    points_of,
    probe,
)

WIDE, NARROW = ("float64", "float32"), ("bfloat16", "float16")
ASKED = [(name, dtype) for name in OPS for dtype in WIDE + NARROW if dtype in WIDE or name not in UNSUPPORTED]
NO_DERIVATIVE_IN_PLACE = [
    f"{namespace}.{name}_"
    for name in ("acosh", "arccosh", "asinh", "arcsinh", "atanh", "arctanh")
    for namespace in ("torch", "Tensor")
]
IN_TORCH = [
    name
    for name in SPELLINGS
    if name.startswith(("torch.", "Tensor.")) and name not in NO_DERIVATIVE_IN_PLACE
]


def shown(found: list[Disagreement]) -> str:
    """The first few disagreements, for the message of a failure."""
    return "\n".join(map(str, found[:5]))


# --- what agrees ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "dtype"), ASKED)
def test_rows_are_what_torch_computes(name: str, dtype: str) -> None:
    found = probe(question(OPS[name]), dtype)
    assert not found, shown(found)


@pytest.mark.parametrize("spelling", IN_TORCH)
def test_every_spelling_computes_its_row(spelling: str) -> None:
    found = probe(question(SPELLINGS[spelling], spelling), "float64", coarse=True)
    assert not found, shown(found)


@pytest.mark.parametrize("spelling", NO_DERIVATIVE_IN_PLACE)
def test_some_spellings_in_place_have_no_derivative(spelling: str) -> None:
    with pytest.raises(RuntimeError, match="not implemented"):
        probe(question(SPELLINGS[spelling], spelling), "float64", coarse=True)


@pytest.mark.parametrize("dtype", WIDE + NARROW)
def test_a_tensor_for_an_exponent_has_a_gradient_of_its_own(dtype: str) -> None:
    asked = Question(OPS["pow"], torch.pow, {})
    found = probe(asked, dtype)
    # with a number 0.5 torch takes the square root, which has another sign at -0 and no value at -inf
    roots = [
        wrong
        for wrong in found
        if str(wrong.args[0]) in ("-0.0", "-inf") and abs(wrong.args[1]) % 1.0 == pytest.approx(0.5, abs=0.01)
    ]
    rest = [wrong for wrong in found if wrong not in roots]
    assert not rest, shown(rest)


@pytest.mark.parametrize("name", OPS)
def test_gradient_goes_on_where_the_row_says_so(name: str) -> None:
    assert gradient_goes_on(OPS[name]) == OPS[name].differentiable


# --- what is looked at ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPS)
def test_points_lie_on_the_boundaries_and_on_either_side(name: str) -> None:
    asked, a = question(OPS[name]), ARITHMETIC["float64"]
    points = points_of(asked, a)
    assert len(points) >= 2
    for index, parameter in enumerate(asked.row.parameters):
        if parameter in asked.fixed:
            continue
        values = {point[index] for point in points}
        assert {0.0, 1.0, -1.0, math.inf} <= values
        for mark in asked.row.landmarks:
            if math.isfinite(mark) and mark > LOWEST.get(name, -math.inf):
                assert {mark, math.nextafter(mark, 9.0), math.nextafter(mark, -9.0)} <= values


@pytest.mark.parametrize("name", sorted(UNSUPPORTED))
@pytest.mark.parametrize("dtype", NARROW)
def test_what_is_left_out_is_not_there(name: str, dtype: str) -> None:
    with pytest.raises((NotImplementedError, RuntimeError)):
        ask(question(OPS[name]), [(0.5,) * len(OPS[name].parameters)], ARITHMETIC[dtype])


def test_exceptions_are_for_rows_that_exist() -> None:
    assert {*DIFFERENCES, *LOWEST, *UNSUPPORTED, *FIXED, *(name for name, _ in ROUGH)} <= set(OPS)
    for name, fixed in FIXED.items():
        assert set(fixed) <= set(OPS[name].parameters)


@pytest.mark.parametrize("name", [name for name in OPS if not OPS[name].spellings])
def test_only_rows_that_no_call_makes_lack_a_spelling(name: str) -> None:
    made_by_lowering = ("identity", "phi", "hardtanh", "div_floor", "div_trunc", "largest", "smallest")
    assert name in (*made_by_lowering, *(row.name for row in (*MATRICES, *TOTAL_ROWS, *EMPTIED_ROWS)))


def test_a_row_that_nothing_computes_is_refused() -> None:
    with pytest.raises(KeyError, match="invented"):
        question(replace(OPS["sqrt"], name="invented", spellings=()))


# --- what is found -------------------------------------------------------------------------------------------------


def test_a_wrong_value_is_found_by_name_and_point() -> None:
    wrong = replace(OPS["log"], value=lambda a, x: OPS["log"].value(a, x) + (1e-11 if x == 3.0 else 0.0))
    (found,) = probe(question(wrong), "float64")
    assert (found.op, found.dtype, found.what, found.args) == ("log", "float64", "value", (3.0,))
    assert str(found).startswith("log(3.0) in float64: value is (1.09861")


def test_a_wrong_derivative_is_found() -> None:
    wrong = replace(OPS["sqrt"], backward=lambda a, g, y, x: (a.div(g, y),))
    assert {found.what for found in probe(question(wrong), "float64")} == {"gradient of 1"}


def test_a_derivative_that_rescues_where_torch_does_not_is_found() -> None:
    wrong = replace(OPS["sqrt"], backward=lambda a, g, y, x: (a.div(g, 2.0 * y) if y else 0.0,))
    kinds = {found.what for found in probe(question(wrong), "float64")}
    assert {"gradient of 0", "gradient of 1"} <= kinds


def test_a_gradient_that_selects_where_torch_multiplies_is_found() -> None:
    """`abs` multiplies by the sign: at 0 it passes on a nan from upstream, where `relu` stops it."""
    wrong = replace(OPS["abs"], backward=lambda a, g, y, x: OPS["abs"].backward(a, g, y, x) if x else (0.0,))
    kinds = {found.what for found in probe(question(wrong), "float64")}
    assert kinds == {"what becomes of inf", "what becomes of nan"}


@pytest.mark.parametrize("poison", [R.EMPTY, R.below(0.0), R.ZERO, R.below(1.0)])
def test_a_poison_set_that_is_too_small_or_too_large_is_found(poison: R.Region) -> None:
    wrong = replace(OPS["sqrt"], poison=lambda a, x: (poison,))
    assert {found.what for found in probe(question(wrong), "float64")} == {"poison"}


@pytest.mark.parametrize("dtype", WIDE + NARROW)
def test_a_boundary_that_is_one_number_off_is_found(dtype: str) -> None:
    a = ARITHMETIC[dtype]
    beyond = 1.0 - a.dtype.eps / 2.0
    poison = R.below(-1.0, closed=True) | R.above(beyond, closed=True)
    found = probe(question(replace(OPS["acos"], poison=lambda a, x: (poison,))), dtype)
    assert {(wrong.what, wrong.args) for wrong in found} == {("poison", (beyond,))}


def test_a_cut_gradient_is_found() -> None:
    wrong = replace(OPS["floor"], differentiable=False)
    assert gradient_goes_on(wrong) != wrong.differentiable


def test_names_that_are_not_there_are_an_error() -> None:
    with pytest.raises(AttributeError):
        resolve("torch.no_such_function")


def test_reductions_are_asked_for_one_element_each() -> None:
    asked = question(OPS["sum"])
    answers = ask(asked, [(1.0,), (2.0,)], ARITHMETIC["float64"])
    assert [answer.value for answer in answers] == [1.0, 2.0]
    assert {row.name for row in REDUCTIONS} <= set(OPS)
