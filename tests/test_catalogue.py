"""The catalogue as a table: what a row claims about regions holds for the numbers in them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sampling import Sampler

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.catalogue import OPS, SELECTORS, SPELLINGS, Op
from nanlint.catalogue import special_functions as S
from nanlint.catalogue.structure import (
    COUNTS,
    DEGENERATE,
    DETACHED,
    FILLED,
    MODULES,
    OPAQUE,
    SAME_ELEMENTS,
    SATURATES,
)
from nanlint.lower.handlers import HANDLERS
from nanlint.proof.asking import resolve
from nanlint.regions import Region
from nanlint.witness import STEADY

DTYPES = sorted(ARITHMETIC)
SINGULAR = [name for name, row in OPS.items() if row.singular]

GIVEN: dict[tuple[str, str], tuple[float, ...]] = {
    ("polygamma", "n"): (0.0, 1.0, 2.0, 3.0),
    ("polygamma_method", "n"): (0.0, 1.0, 2.0, 3.0),
    ("mvlgamma", "p"): (1.0, 2.0, 3.0),
    ("zeta", "input"): (1.5, 2.0, 3.0),
    ("gammainc", "input"): (0.5, 1.0, 2.0),
    ("gammaincc", "input"): (0.5, 1.0, 2.0),
}
"""Parameters that take few values in practice."""


class Case(NamedTuple):
    """A row at one point, the regions that hold the point, and one that holds its value (if that is a number)."""

    a: Arithmetic
    args: tuple[float, ...]
    regions: tuple[Region, ...]
    value: float
    out: Region


def case_of(row: Op, random: Random) -> Case:
    """A dtype, a point of `row`, and regions around it."""
    a = ARITHMETIC[random.choice(DTYPES)]
    sampler = Sampler(random, a, row.landmarks)
    args: list[float] = []
    regions: list[Region] = []
    for parameter in row.parameters:
        few = GIVEN.get((row.name, parameter))
        args.append(random.choice(few) if few else sampler.number())
        regions.append(R.point(args[-1]) if few else sampler.region_with(args[-1]))
    value = row.value(a, *args)
    out = R.EMPTY if value != value else Sampler(random, a, (value,)).region_with(value)
    return Case(a, tuple(args), tuple(regions), value, out)


RANDOM = st.randoms(use_true_random=True)
REPEATED = settings(max_examples=8, deadline=None)
CASES = 25
"""How many cases are drawn from each of the generators that Hypothesis draws."""


# --- what does nothing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPS)
def test_nothing_comes_of_nothing(name: str, dtype: str) -> None:
    row, a = OPS[name], ARITHMETIC[dtype]
    nothing = (R.EMPTY,) * len(row.parameters)
    if name not in SELECTORS and not row.boolean:
        assert row.image(a, *nothing) <= row.image(a, *(R.ALL for _ in nothing))
    assert all(not region for region in row.narrow(a, R.ALL, *nothing))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name, row in OPS.items() if not row.differentiable])
def test_what_has_no_gradient_has_no_poison(name: str, dtype: str) -> None:
    row = OPS[name]
    assert not any(row.poison(ARITHMETIC[dtype], *(R.ALL for _ in row.parameters)))
    assert not row.singular


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SINGULAR)
def test_safe_values_are_safe(name: str, dtype: str) -> None:
    """With the safe value in its place, whatever the other arguments are, a zero from upstream stays one."""
    row, a = OPS[name], ARITHMETIC[dtype]
    for index, safe in enumerate(row.safe):
        if safe is None:
            continue
        for others in (0.0, 0.5, 1.0, 2.0):
            args = [
                *GIVEN.get((name, row.parameters[0]), (others,))[:1],
                *(others for _ in row.parameters[1:]),
            ]
            args[index] = safe
            value = row.value(a, *args)
            assert math.isfinite(value)
            assert all(g == 0.0 for g in row.backward(a, 0.0, value, *args))


# --- rows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(STEADY))
@given(random=RANDOM)
@REPEATED
def test_a_zero_from_upstream_stays_one(name: str, random: Random) -> None:
    row = OPS[name]
    for case in (case_of(row, random) for _ in range(CASES)):
        if math.isfinite(case.value) and all(map(math.isfinite, case.args)):
            assert not any(math.isnan(g) for g in row.backward(case.a, 0.0, case.value, *case.args)), case


@pytest.mark.parametrize("name", OPS)
@given(random=RANDOM)
@REPEATED
def test_what_a_row_says_of_regions_holds_for_their_members(name: str, random: Random) -> None:
    row = OPS[name]
    for case in (case_of(row, random) for _ in range(CASES)):
        if case.value != case.value:
            assert row.undefined(*case.regions), case
            continue
        assert case.value in row.image(case.a, *case.regions), case
        narrowed = row.narrow(case.a, case.out, *case.regions)
        for arg, region, narrow in zip(case.args, case.regions, narrowed, strict=True):
            assert arg in narrow, (case, narrow)
            assert narrow <= region, (case, narrow)


@pytest.mark.parametrize("name", [name for name, row in OPS.items() if row.differentiable])
@given(random=RANDOM)
@REPEATED
def test_poison_sets_hold_every_poisoned_point(name: str, random: Random) -> None:
    row = OPS[name]
    if "exponent" in row.parameters:  # of an unknown one only the singular points are told: see below
        return
    for case in (case_of(row, random) for _ in range(CASES)):
        spoilt = any(g != g for g in row.backward(case.a, 0.0, case.value, *case.args))
        if spoilt and all(map(math.isfinite, case.args)):
            poison = row.poison(case.a, *case.regions)
            assert any(arg in bad for arg, bad in zip(case.args, poison, strict=True)), case


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exponent", [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
@given(random=RANDOM)
@REPEATED
def test_poison_of_a_power_is_that_of_its_base(dtype: str, exponent: float, random: Random) -> None:
    a, row = ARITHMETIC[dtype], OPS["pow"]
    sampler = Sampler(random, a, (0.0, 1.0))
    for x in (sampler.number() for _ in range(CASES)):
        base, _ = row.poison(a, sampler.region_with(x), R.point(exponent))
        gradient, _ = row.backward(a, 0.0, row.value(a, x, exponent), x, exponent)
        assert math.isinf(x) or (x in base) == (gradient != gradient)


@pytest.mark.parametrize("unknown", [R.ALL, R.POSITIVE, R.interval(0.0, 1.0)])
def test_an_unknown_exponent_is_singular_at_0_and_below(unknown: Region) -> None:
    base, exponent = OPS["pow"].poison(ARITHMETIC["float32"], R.ALL, unknown)
    assert base == R.below(0.0, closed=True)
    assert exponent == R.below(0.0)


@pytest.mark.parametrize("name", OPS)
def test_rows_are_complete(name: str) -> None:
    row = OPS[name]
    assert row.name == name
    assert len(row.safe) == len(row.parameters) >= 1
    assert row.derivative
    assert set(row.defaults) <= set(row.parameters[1:])


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_names_something(spelling: str) -> None:
    assert callable(resolve(spelling))


def test_no_spelling_has_two_rows() -> None:
    counted = Counter(spelling for row in OPS.values() for spelling in row.spellings)
    assert [spelling for spelling, count in counted.items() if count > 1] == []


@pytest.mark.parametrize(
    ("name", "dtype", "poison"),
    [
        ("sqrt", "float64", R.below(0.0, closed=True)),
        ("log", "float64", R.ZERO),
        ("log1p", "float64", R.point(-1.0)),
        ("acos", "float64", R.below(-1.0, closed=True) | R.above(1.0, closed=True)),
        ("acosh", "float64", R.interval(-1.0, 1.0)),
        ("atanh", "float64", R.point(-1.0, 1.0)),
        ("erfinv", "float64", R.below(-1.0, closed=True) | R.above(1.0, closed=True)),
        ("logit", "float64", R.below(0.0, closed=True) | R.above(1.0, closed=True)),
        ("entr", "float64", R.below(0.0, closed=True)),
        ("tanh", "float32", R.EMPTY),
        ("sigmoid", "float32", R.EMPTY),
        ("abs", "float32", R.EMPTY),
        ("norm", "float32", R.EMPTY),
    ],
)
def test_singular_points(name: str, dtype: str, poison: Region) -> None:
    a = ARITHMETIC[dtype]
    (found,) = OPS[name].poison(a, R.ALL)
    assert found & R.interval(-1e300, 1e300) & R.FINITE == poison & R.interval(-1e300, 1e300)


@pytest.mark.parametrize(
    ("name", "dtype", "start"),
    [
        ("exp", "float64", 709.78),
        ("exp", "float32", 88.72),
        ("exp", "bfloat16", 88.7),
        ("exp", "float16", 11.09),
        ("exp2", "float32", 128.0),
        ("exp2", "float16", 16.0),
        ("sinh", "float32", 89.4),
        ("cosh", "float16", 11.8),
    ],
)
def test_overflow_starts_where_the_dtype_ends(name: str, dtype: str, start: float) -> None:
    (poison,) = OPS[name].poison(ARITHMETIC[dtype], R.ALL)
    right = poison & R.POSITIVE
    assert right.lo == pytest.approx(start, rel=3e-3)
    assert right.hi >= ARITHMETIC[dtype].largest
    assert OPS[name].overflows


@pytest.mark.parametrize(
    ("dtype", "most"),
    [("float32", 5.4e-20), ("bfloat16", 5.4e-20), ("float16", 0.0039), ("float64", 7.5e-155)],
)
def test_a_divisor_is_poisoned_as_far_as_the_numerator_makes_it(dtype: str, most: float) -> None:
    a = ARITHMETIC[dtype]
    numerator, divisor = OPS["div"].poison(a, R.TRUE, R.ALL)
    assert numerator == R.EMPTY
    assert divisor.hi == pytest.approx(most, rel=2e-2) == -divisor.lo
    assert OPS["div"].poison(a, R.interval(-1.0, 100.0), R.ALL)[1].hi == pytest.approx(10.0 * most, rel=2e-2)
    assert OPS["div"].poison(a, R.ZERO, R.ALL)[1] == R.ZERO


# --- selectors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SELECTORS)
@given(random=RANDOM)
@REPEATED
def test_what_a_selector_drops_gets_no_gradient(name: str, random: Random) -> None:
    row = OPS[name]
    for case in (case_of(row, random) for _ in range(CASES)):
        for drop in SELECTORS[name].drops:
            if not drop.holds(case.args):
                continue
            decides = case.args[drop.by]
            assert decides in drop.where(case.regions) or (drop.by_nan and decides != decides), case
            if name != "masked_select":  # what is not there has no gradient either
                assert row.backward(case.a, 1.0, case.value, *case.args)[drop.operand] == 0.0, case


@pytest.mark.parametrize("name", SELECTORS)
def test_selectors_have_codes_of_their_family(name: str) -> None:
    selector = SELECTORS[name]
    assert selector.op == name
    assert selector.drops
    assert selector.singular_code == f"NAN10{selector.family}"
    assert selector.overflow_code == f"NAN20{selector.family}"
    assert 1 <= selector.family <= 6


# --- the other tables ----------------------------------------------------------------------------------------------


def _matrix(*rows: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


EYE, ZEROS, REGULAR = torch.eye(2).double(), torch.zeros(2, 2).double(), _matrix((2.0, 0.3), (0.3, 1.0))
ONES, HALVES = _matrix((1.0, 1.0)), _matrix((0.5, 0.5))
SCORES = torch.full((3, 1, 4), 0.25, dtype=torch.float64).log()
VECTOR, HALF, NOTHING = _matrix((1.0, 2.0, 4.0)), _matrix((0.5,)), _matrix((0.0,))
SIGNAL = torch.linspace(0.1, 1.0, 6).double().reshape(1, 1, 6)


def _ctc(scores: torch.Tensor, length: int) -> torch.Tensor:
    targets = torch.tensor([[1, 1, 2, 2][:length]])
    return torch.nn.functional.ctc_loss(scores, targets, torch.tensor([3]), torch.tensor([length]))


def _pooled(function: Callable[..., torch.Tensor], dimensions: int) -> tuple[Callable[..., Any], Any, Any]:
    signal = SIGNAL.reshape(1, 1, *(1,) * (dimensions - 1), 6).expand(1, 1, *(6,) * dimensions).contiguous()
    return lambda x: function(x, 3.0, 2), -signal, signal


EXAMPLES: dict[str, tuple[Callable[..., Any], Any, Any]] = {
    "logdet": (torch.logdet, ZEROS, REGULAR),
    "slogdet": (torch.slogdet, ZEROS, REGULAR),
    "cond": (torch.linalg.cond, ZEROS, REGULAR),
    "inv_ex": (torch.linalg.inv_ex, ZEROS, REGULAR),
    "solve_ex": (lambda m: torch.linalg.solve_ex(m, EYE), ZEROS, REGULAR),
    "cholesky_ex": (torch.linalg.cholesky_ex, ZEROS, REGULAR),
    "cholesky_solve": (lambda m: torch.cholesky_solve(EYE, m), ZEROS, REGULAR),
    "solve_triangular": (lambda m: torch.linalg.solve_triangular(m, EYE, upper=True), ZEROS, REGULAR),
    "triangular_solve": (lambda m: torch.triangular_solve(EYE, m), ZEROS, REGULAR),
    "lu": (torch.linalg.lu, ZEROS, REGULAR),
    "lu_factor_ex": (torch.linalg.lu_factor_ex, ZEROS, REGULAR),
    "qr": (torch.linalg.qr, ZEROS, REGULAR),
    "eig": (torch.linalg.eig, EYE, REGULAR),
    "eigh": (torch.linalg.eigh, EYE, REGULAR),
    "svd": (torch.linalg.svd, EYE, REGULAR),
    "svd_lowrank": (lambda m: torch.svd_lowrank(m, 2), ZEROS, REGULAR),
    "pca_lowrank": (lambda m: torch.pca_lowrank(m, 2, center=False), ZEROS, REGULAR),
    "householder_product": (lambda t: torch.linalg.householder_product(REGULAR, t[0]), ONES, HALVES),
    "orgqr": (lambda t: torch.orgqr(ZEROS, t[0]), ONES, HALVES),
    "std": (torch.std, HALF, VECTOR),
    "var": (torch.var, HALF, VECTOR),
    "std_mean": (torch.std_mean, HALF, VECTOR),
    "var_mean": (torch.var_mean, HALF, VECTOR),
    "cov": (torch.cov, HALF, VECTOR),
    "corrcoef": (torch.corrcoef, ZEROS, _matrix((1.0, 2.0, 4.0), (3.0, 1.0, 2.0))),
    "ctc_loss": (lambda x: _ctc(x[0], x[1]), (SCORES, 4), (SCORES, 2)),
    "lp_pool1d": _pooled(torch.nn.functional.lp_pool1d, 1),
    "lp_pool2d": _pooled(torch.nn.functional.lp_pool2d, 2),
    "lp_pool3d": _pooled(torch.nn.functional.lp_pool3d, 3),
    "kl_div": (lambda t: torch.nn.functional.kl_div(HALF, t, reduction="sum"), NOTHING, HALF),
    "binary_cross_entropy": (
        lambda t: torch.nn.functional.binary_cross_entropy(t[0], t[1]),
        (NOTHING, HALF),
        (HALF, HALF),
    ),
    "poisson_nll_loss": (
        lambda t: torch.nn.functional.poisson_nll_loss(HALF, t, full=True, reduction="sum"),
        NOTHING,
        HALF,
    ),
}
"""For each op of DEGENERATE a call, an argument at which it is degenerate, and one at which it is not."""


def gradient_of_zero(function: Callable[..., Any], argument: Any) -> torch.Tensor:
    """All gradients of one argument (or of the tensors in it) for an upstream 0, in one vector."""
    parts = argument if isinstance(argument, tuple) else (argument,)
    fresh = [part.clone().requires_grad_() if isinstance(part, torch.Tensor) else part for part in parts]
    made = function(tuple(fresh) if isinstance(argument, tuple) else fresh[0])
    results = [y for y in (made if isinstance(made, tuple) else (made,)) if y.requires_grad]
    leaves = [leaf for leaf in fresh if isinstance(leaf, torch.Tensor)]
    found = torch.autograd.grad(results, leaves, [torch.zeros_like(y) for y in results], allow_unused=True)
    return torch.cat([gradient.flatten() for gradient in found if gradient is not None])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_ops_poison_where_the_table_says(name: str) -> None:
    function, degenerate, regular = EXAMPLES[name]
    assert not gradient_of_zero(function, degenerate).isfinite().all()
    assert gradient_of_zero(function, regular).isfinite().all()


def test_every_example_is_in_the_table() -> None:
    assert set(EXAMPLES) == set(DEGENERATE)
    assert all(word and not word.endswith(".") for word in DEGENERATE.values())


@pytest.mark.parametrize("name", ["inv", "solve", "cholesky", "lu_factor"])
def test_some_matrix_ops_raise_instead(name: str) -> None:
    function = getattr(torch.linalg, name)
    with pytest.raises(RuntimeError):
        function(ZEROS, EYE) if name == "solve" else function(ZEROS)


@pytest.mark.parametrize("name", ["det", "pinv", "svdvals", "eigvalsh", "matrix_norm", "norm"])
@pytest.mark.parametrize(
    "matrix", [ZEROS, EYE, _matrix((1.0, 2.0), (2.0, 4.0))], ids=["zeros", "eye", "singular"]
)
def test_some_matrix_ops_have_finite_gradients_everywhere(name: str, matrix: torch.Tensor) -> None:
    assert gradient_of_zero(getattr(torch.linalg, name), matrix).isfinite().all()


MODULE_SETTINGS: dict[str, tuple[float, ...]] = {
    "Threshold": (0.5, 0.2),
    "Hardtanh": (-0.5, 0.5),
    "LeakyReLU": (0.2,),
    "ELU": (2.0,),
    "CELU": (2.0,),
    "Hardshrink": (0.3,),
    "Softshrink": (0.3,),
    "Softplus": (2.0, 10.0),
}


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, made in MODULES.items()
        if isinstance(made, str) and name not in ("Identity", "Dropout", "CTCLoss")
    ],
)
def test_modules_are_functions_with_settings(name: str) -> None:
    made, given = str(MODULES[name]), MODULE_SETTINGS.get(name, ())
    x = torch.linspace(-3.0, 3.0, 13)
    assert f"torch.nn.functional.{made}" in SPELLINGS or made in HANDLERS
    expected = getattr(torch.nn.functional, made)(x, *given)
    assert torch.equal(getattr(torch.nn, name)(*given)(x), expected)


@pytest.mark.parametrize("name", SATURATES)
def test_saturated_values_are_those_of_the_op(name: str) -> None:
    image = OPS[name].image(ARITHMETIC["float32"], R.FINITE)
    assert all(value in image for value in SATURATES[name])


def test_no_name_is_in_two_tables() -> None:
    counted = Counter([*SAME_ELEMENTS, *DETACHED, *FILLED, *COUNTS, *OPAQUE])
    assert {name for name, count in counted.items() if count > 1} <= {"detach_"}
    short = {
        spelling.rsplit(".", 1)[-1] for row in OPS.values() if not row.defaults for spelling in row.spellings
    }
    assert not short & {*FILLED, *COUNTS}


# --- special functions ---------------------------------------------------------------------------------------------

TOTAL: dict[str, Callable[[float], float]] = {
    "log_gamma": S.log_gamma,
    "digamma": S.digamma,
    "trigamma": S.trigamma,
    "scaled_erfc": S.scaled_erfc,
    "inverse_erf": S.inverse_erf,
    "log_normal": S.log_normal,
    "normal_quantile": S.normal_quantile,
    "entropy": S.entropy,
    "bessel_i0e": S.bessel_i0e,
    "bessel_i1e": S.bessel_i1e,
    "log_odds": S.log_odds,
}


@pytest.mark.parametrize("name", sorted(TOTAL))
@given(x=st.floats())
@settings(deadline=None)
def test_special_functions_never_raise(name: str, x: float) -> None:
    made = TOTAL[name](x)
    assert isinstance(made, float)
    assert made != made or x == x


@given(s=st.floats(), q=st.floats())
@example(s=float("inf"), q=4e20)
@settings(deadline=None)
def test_special_functions_of_two_arguments_never_raise(s: float, q: float) -> None:
    assert isinstance(S.zeta(s, q), float)
    assert isinstance(S.lower_gamma(s, q), float)
    assert isinstance(S.upper_gamma(s, q), float)


@given(st.floats(-0.999999, 0.999999))
@settings(deadline=None)
def test_inverse_erf_inverts(x: float) -> None:
    assert math.erf(S.inverse_erf(x)) == pytest.approx(x, rel=1e-14)


@given(st.floats(-5.0, 5.0))
@settings(deadline=None)
def test_scaled_erfc_is_scaled(x: float) -> None:
    assert S.scaled_erfc(x) * math.exp(-x * x) == pytest.approx(math.erfc(x), rel=1e-13)


@given(st.floats(0.1, 50.0))
@settings(deadline=None)
def test_digamma_and_zeta_recur(x: float) -> None:
    assert S.digamma(x + 1.0) == pytest.approx(S.digamma(x) + 1.0 / x, rel=1e-12, abs=1e-13)
    assert S.zeta(3.0, x) == pytest.approx(S.zeta(3.0, x + 1.0) + x**-3.0, rel=1e-13)


@given(st.floats(0.1, 100.0), st.floats(0.0, 200.0))
@settings(deadline=None)
def test_incomplete_gamma_functions_are_complementary(s: float, x: float) -> None:
    assert S.lower_gamma(s, x) + S.upper_gamma(s, x) == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (S.zeta(2.0, 1.0), math.pi**2 / 6.0),
        (S.digamma(1.0), -0.5772156649015329),
        (S.log_gamma(0.5), math.log(math.pi) / 2.0),
        (S.normal_quantile(0.975), 1.959963984540054),
        (S.log_normal(-40.0), -804.6084420137539),
        (S.bessel_i0e(1.0) * math.e, 1.2660658777520082),
        (S.bessel_i1e(-50.0), -0.05599312389289544),
        (S.lower_gamma(1.0, 2.0), 1.0 - math.exp(-2.0)),
        (S.entropy(0.5), 0.5 * math.log(2.0)),
    ],
)
def test_known_values(made: float, expected: float) -> None:
    assert made == pytest.approx(expected, rel=1e-13)
