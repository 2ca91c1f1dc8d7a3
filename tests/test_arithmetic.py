"""Arithmetic on floats: torch rounds and divides the same way, and nothing ever raises."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nanlint import arithmetic as A
from nanlint.arithmetic import ARITHMETIC, DTYPES, Arithmetic

DTYPE_NAMES = sorted(DTYPES)
ANY_FLOAT = st.floats()

FUNCTIONS: dict[str, Callable[..., float]] = {
    "logarithm": A.logarithm,
    "logarithm1p": A.logarithm1p,
    "root": A.root,
    "hyperbolic_sine": A.hyperbolic_sine,
    "hyperbolic_cosine": A.hyperbolic_cosine,
    "inverse_tanh": A.inverse_tanh,
    "exponential": A.exponential,
    "exponential1": A.exponential1,
    "exponential2": A.exponential2,
}
TORCH = {
    "logarithm": torch.log,
    "logarithm1p": torch.log1p,
    "root": torch.sqrt,
    "hyperbolic_sine": torch.sinh,
    "hyperbolic_cosine": torch.cosh,
    "inverse_tanh": torch.atanh,
    "exponential": torch.exp,
    "exponential1": torch.expm1,
    "exponential2": torch.exp2,
}


def in_torch(function: Callable[..., torch.Tensor], *args: float) -> float:
    """`function` of single float64 numbers."""
    return float(function(*(torch.tensor(arg, dtype=torch.float64) for arg in args)))


def same(x: float, y: float) -> bool:
    """Equal, nan for nan, and 0 with its sign."""
    return (x != x and y != y) or (x == y and math.copysign(1.0, x) == math.copysign(1.0, y))


def as_torch_rounds(x: float, dtype: str) -> float:
    """A float64 number converted by torch."""
    return float(torch.tensor(x, dtype=torch.float64).to(getattr(torch, dtype)))


# --- numbers that are left alone -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -2.5, math.inf, -math.inf, math.nan])
def test_numbers_of_the_dtype_stay(dtype: str, value: float) -> None:
    assert same(ARITHMETIC[dtype].round(value), value)


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@given(value=ANY_FLOAT)
@settings(deadline=None)
def test_rounding_twice_is_rounding_once(dtype: str, value: float) -> None:
    a = ARITHMETIC[dtype]
    assert same(a.round(a.round(value)), a.round(value))


@given(value=ANY_FLOAT)
@settings(deadline=None)
def test_float64_is_not_rounded(value: float) -> None:
    assert same(ARITHMETIC["float64"].round(value), value)


# --- rounding ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_limits_are_those_of_torch(dtype: str) -> None:
    limits, ours = torch.finfo(getattr(torch, dtype)), DTYPES[dtype]
    assert (ours.largest, ours.tiny, ours.eps) == (limits.max, limits.tiny, limits.eps)
    assert ours.name == dtype


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@given(value=ANY_FLOAT)
@settings(deadline=None)
def test_any_number_is_rounded_as_torch_rounds(dtype: str, value: float) -> None:
    assert same(ARITHMETIC[dtype].round(value), as_torch_rounds(value, dtype))


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@given(
    significand=st.floats(1.0, 2.0), exponent=st.integers(-170, 150), part=st.sampled_from([0.25, 0.5, 0.75])
)
@settings(deadline=None)
def test_halfway_cases_are_rounded_as_torch_rounds(
    dtype: str, significand: float, exponent: int, part: float
) -> None:
    """Between two neighbours of the dtype, at and right next to the middle."""
    a = ARITHMETIC[dtype]
    start = a.round(significand * 2.0**exponent)
    step = max(abs(start) * a.dtype.eps, a.dtype.tiny * a.dtype.eps)
    middle = start + part * step
    for value in (middle, math.nextafter(middle, math.inf), math.nextafter(middle, -math.inf), -middle):
        assert same(a.round(value), as_torch_rounds(value, dtype))


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("share", [1.0, 1.0 + 2.0**-53, 0.5, 0.5 - 2.0**-30, 0.5 + 2.0**-30, 0.25, 1.5])
def test_ends_of_the_range_are_rounded_as_torch_rounds(dtype: str, share: float) -> None:
    limits = DTYPES[dtype]
    least = limits.tiny * limits.eps
    beyond = min(limits.largest * (1.0 + share * limits.eps), A.FLOAT64.largest)
    for value in (least * share, limits.tiny * share, limits.largest * share, beyond):
        for signed in (value, -value):
            assert same(ARITHMETIC[dtype].round(signed), as_torch_rounds(signed, dtype))


# --- functions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@given(x=ANY_FLOAT)
@settings(deadline=None)
def test_functions_are_total_and_agree_with_torch(name: str, x: float) -> None:
    ours, theirs = FUNCTIONS[name](x), in_torch(TORCH[name], x)
    if math.isfinite(ours) and math.isfinite(theirs):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-300)
    else:
        about_to_overflow = abs(ours) > 1e307 and abs(theirs) > 1e307
        assert same(ours, theirs) or about_to_overflow


@given(x=ANY_FLOAT, p=ANY_FLOAT)
@settings(deadline=None)
def test_power_is_total_and_agrees_with_torch(x: float, p: float) -> None:
    ours, theirs = A.power(x, p), in_torch(torch.pow, x, p)
    if math.isfinite(ours) and math.isfinite(theirs):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-300)
    else:
        assert same(ours, theirs) or (abs(ours) > 1e307 and abs(theirs) > 1e307)


@pytest.mark.parametrize(
    "p", [-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, math.inf, -math.inf, math.nan]
)
@pytest.mark.parametrize(
    "x", [0.0, -0.0, 5e-324, -5e-324, 1.0, -1.0, 2.0, -2.0, math.inf, -math.inf, math.nan]
)
def test_power_of_special_numbers_is_that_of_torch(x: float, p: float) -> None:
    # a tensor exponent: for a number, torch takes x ** 0.5 for a square root
    assert same(A.power(x, p), in_torch(torch.pow, x, p))


@given(x=ANY_FLOAT, y=ANY_FLOAT)
@settings(deadline=None)
def test_division_is_that_of_torch(x: float, y: float) -> None:
    assert same(A.divide(x, y), in_torch(torch.div, x, y))


@pytest.mark.parametrize("x", [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("y", [0.0, -0.0, math.inf, -math.inf, math.nan])
def test_division_of_special_numbers_is_that_of_torch(x: float, y: float) -> None:
    assert same(A.divide(x, y), in_torch(torch.div, x, y))


def test_total_gives_the_pole_where_a_function_raises() -> None:
    assert A.total(math.log, -math.inf)(0.0) == -math.inf
    assert A.total(math.exp)(1000.0) == math.inf
    assert math.isnan(A.total(math.sin)(math.inf))


# --- one kernel each -----------------------------------------------------------------------------------------------

KERNELS: dict[str, tuple[Callable[[Arithmetic, float, float], float], Callable[..., torch.Tensor]]] = {
    "add": (Arithmetic.add, torch.add),
    "sub": (Arithmetic.sub, torch.sub),
    "mul": (Arithmetic.mul, torch.mul),
    "div": (Arithmetic.div, torch.div),
}


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("name", sorted(KERNELS))
@given(x=st.floats(width=16), y=st.floats(width=16), scale=st.sampled_from([1.0, 1e-3, 1e20, 1e-20]))
@settings(deadline=None)
def test_kernels_round_as_those_of_torch(name: str, dtype: str, x: float, y: float, scale: float) -> None:
    a, (ours, theirs) = ARITHMETIC[dtype], KERNELS[name]
    x, y = a.round(x * scale), a.round(y * scale)
    args = [torch.tensor(value, dtype=torch.float64).to(getattr(torch, dtype)) for value in (x, y)]
    assert same(ours(a, x, y), float(theirs(*args)))


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@given(x=st.floats(width=16), number=st.floats(-1e6, 1e6))
@settings(deadline=None)
def test_a_python_number_is_rounded_to_the_dtype_of_the_kernel(dtype: str, x: float, number: float) -> None:
    a = ARITHMETIC[dtype]
    x = a.round(x)
    tensor = torch.tensor(x, dtype=torch.float64).to(getattr(torch, dtype))
    assert same(a.times(x, number), float(tensor * number))


@pytest.mark.parametrize(
    ("dtype", "wide"), [("float64",) * 2, ("float32",) * 2, ("bfloat16", "float32"), ("float16", "float32")]
)
def test_kernels_of_16_bits_compute_in_float32(dtype: str, wide: str) -> None:
    assert ARITHMETIC[dtype].wide is ARITHMETIC[wide]


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@given(x=ANY_FLOAT, y=ANY_FLOAT)
@settings(deadline=None)
def test_nothing_raises_and_every_result_is_one_of_the_dtype(dtype: str, x: float, y: float) -> None:
    a = ARITHMETIC[dtype]
    made = [rule(a, x, y) for rule, _ in KERNELS.values()]
    made += [a.pow(x, y), a.times(x, y), *(a.of(function, x) for function in FUNCTIONS.values())]
    assert all(same(a.round(value), value) for value in made)


def test_a_function_is_not_asked_for_nan() -> None:
    assert math.isnan(ARITHMETIC["float32"].of(lambda x: 1.0, math.nan))
