"""NAN301, NAN302 and NAN303: what is about no dropped operand, each held against torch where it can be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from nanlint.arithmetic import DTYPES
from nanlint.config import Config
from nanlint.engine import check, fix
from nanlint.finding import Confidence, Finding
from nanlint.flow import suspects
from nanlint.flow.digest import digested
from nanlint.lower import lower
from nanlint.proof.running import Run, run
from nanlint.source import Source, parse


def function(body: str, parameters: str = "x") -> str:
    """The text of a module with one function that returns an expression."""
    return f"import torch\n\n\ndef f({parameters}):\n    return {body}\n"


def found(
    text: str, code: str, dtype: str = "float32", confidence: Confidence = Confidence.MEDIUM
) -> list[Finding]:
    """The findings of one code."""
    return check(Source("a.py", text), Config(select=(code,), dtype=dtype, confidence=confidence))


def outcome(text: str, row: list[list[float]], dtype: str = "float32") -> Run:
    """What torch makes of `f` in a text."""
    names: dict[str, Callable[..., object]] = {}
    exec(compile(text, "a.py", "exec"), names)
    return run(names["f"], row, getattr(torch, dtype))


# What must stay silent


@pytest.mark.parametrize(
    "body",
    [
        "(x * x).sum().sqrt()",
        "torch.where(x >= 0, torch.where(x >= 0, x, 1.0).sqrt(), 0.0)",
        "x.clamp(max=1 - 1e-9).acos()",
    ],
)
def test_nothing_is_found_that_is_not_selected(body: str) -> None:
    assert check(Source("a.py", function(body)), Config(confidence=Confidence.LOW)) == []


def test_a_function_without_a_selector_is_lowered_on_demand_only() -> None:
    text = function("x.square().sum().sqrt()")
    tree, dtype = parse(text), DTYPES["float32"]
    digest = digested(tree, "", squares=True)
    assert suspects(digest, lambda tokens, flag: False) == frozenset()
    assert not list(lower(tree, text, dtype, wanted=frozenset()))
    assert len(list(lower(tree, text, dtype))) == 2


@pytest.mark.parametrize(
    "body",
    [
        "torch.sqrt(torch.relu(x))",
        "torch.sqrt(x.clamp(min=0.0))",
        "torch.linalg.vector_norm(x)",
        "x.sqrt()",
        "1 / x",
        "x / (x * x).sum().sqrt()",
        "torch.where(x > 0, torch.sqrt(x * x), 0.0)",
        "torch.sqrt(1 + x * x)",
        "(x * x).sum().sqrt().detach()",
        "(x * x).sum().sqrt() > 1",
        "torch.sqrt(x.exp() + 1)",
        "x * (2 / x)",
        "x.abs() ** 1.5",
        "x.std()",
        "x.var()",
        "(x.var(dim=0) + 1e-5).sqrt()",
        "torch.sqrt(torch.var(x.detach()))",
        "x / torch.var_mean(x)[1]",
    ],
)
def test_no_infinity_meets_a_zero(body: str) -> None:
    assert found(function(body), "NAN302", confidence=Confidence.LOW) == []


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        ("scale * x.sqrt()", "x, scale"),
        ("(x.sqrt() - y) ** 2", "x, y"),
        ("-(target * x.log())", "x, target"),
        ("(x.abs() ** p).sum()", "x, p: float"),
        ("(model(x) ** 2).sum().sqrt()", "x, model"),
        ("torch.sqrt(x * x + x)", "x"),
        ("(x / log_scale.exp()) ** 2", "x, log_scale"),
        ("(x / params.scale).sigmoid()", "x, params"),
    ],
)
def test_coincidences_settings_and_results_of_layers_have_low_confidence(body: str, parameters: str) -> None:
    text = function(body, parameters)
    assert found(text, "NAN302") == []
    assert [one.confidence for one in found(text, "NAN302", confidence=Confidence.LOW)] == [Confidence.LOW]


@pytest.mark.parametrize(
    "body",
    [
        "torch.where(x > 0, torch.where(x > 0, x, 1.0).sqrt(), 0.0)",
        "torch.where(x < 5, x.sqrt(), 0.0)",
        "torch.where(x != 1, x.sqrt(), 0.0)",
        "torch.where(x >= 0, x ** 2, 0.0)",
        "torch.where(x >= 0, x.log(), 0.0)",
        "torch.where(x >= 0, (x + 1e-3).sqrt(), 0.0)",
    ],
)
def test_no_condition_ends_on_a_singular_point(body: str) -> None:
    assert found(function(body), "NAN301", confidence=Confidence.LOW) == []


def test_a_mask_from_outside_has_no_end() -> None:
    text = function("torch.where(mask, x.sqrt(), 0.0)", "x, mask")
    assert found(text, "NAN301", confidence=Confidence.LOW) == []


@pytest.mark.parametrize(
    ("body", "dtype"),
    [
        ("torch.log(x + 1e-12)", "float32"),
        ("torch.log(x + 1e-12)", "bfloat16"),
        ("torch.log(x + 1e-3)", "float16"),
        ("torch.acos(x.clamp(max=1 - 1e-9))", "float64"),
        ("torch.acos(x.clamp(max=1 - 1e-6))", "float32"),
        ("torch.log(x)", "float16"),
        ("x + 1e-12", "float16"),
        ("torch.log(2 + x * x + 1e-12)", "float16"),
        ("torch.log(torch.sigmoid(x))", "float16"),
    ],
)
def test_guards_that_hold_or_guard_nothing(body: str, dtype: str) -> None:
    assert found(function(body), "NAN303", dtype, Confidence.LOW) == []


@pytest.mark.parametrize("body", ["torch.log(x.float() + 1e-12)", "torch.log(x.to(torch.float32) + 1e-12)"])
def test_a_function_that_mentions_a_wider_dtype_is_doubted(body: str) -> None:
    assert found(function(body), "NAN303", "float16") == []
    assert len(found(function(body), "NAN303", "float16", Confidence.LOW)) == 1


# What is found, and that it is so in torch


@pytest.mark.parametrize(
    "body",
    [
        "(x ** 2).sum().sqrt()",
        "torch.sqrt(x * x)",
        "x.abs().pow(0.5)",
        "torch.cos(torch.acos(x))",
        "torch.acos(x) ** 2",
        "torch.exp(-1 / x)",
        "torch.exp(0.5 * torch.log(x))",
        "1 / (1 + torch.exp(-x))",
        "torch.sqrt(x) * x",
        "torch.xlogy(x, x)",
        "torch.sqrt(((x - x.mean()) ** 2).mean())",
        "torch.where(x > -1, (x * x).sqrt(), x)",
    ],
)
def test_the_witness_has_a_finite_value_and_no_gradient(body: str) -> None:
    (finding,) = found(function(body), "NAN302")
    assert finding.witness is not None
    made = outcome(function(body), [[value] for value in finding.witness.inputs.values()])
    assert made.finite_value
    assert all(gradient.isnan().all() for gradient in made.gradients)


@pytest.mark.parametrize(
    "body",
    [
        "x.var(dim=0).sqrt()",
        "torch.var(x, unbiased=False) ** 0.5",
        "torch.var_mean(x)[0].rsqrt().exp2().reciprocal()",
    ],
)
def test_a_variance_of_equal_elements_has_no_gradient(body: str) -> None:
    (finding,) = found(function(body), "NAN302")
    made = outcome(function(body), [[2.0, 2.0, 2.0]])
    assert finding.witness is not None
    assert made.finite_value
    assert all(gradient.isnan().all() for gradient in made.gradients)


def test_a_product_that_is_nan_already_says_so() -> None:
    (finding,) = found(function("-(x * x.log()).sum()"), "NAN302")
    assert finding.message.endswith("0 * inf = nan, as is the value")
    assert not outcome(function("-(x * x.log()).sum()"), [[0.0]]).finite_value


@pytest.mark.parametrize(
    "body",
    [
        "torch.where(x >= 0, torch.where(x >= 0, x, 1.0).sqrt(), 0.0)",
        "torch.where(x.abs() <= 1, torch.where(x.abs() <= 1, x, 0.0).acos(), 0.0)",
        "torch.where(x < 2, 0.0, torch.where(x < 2, 3.0, x - 2) ** 0.3)",
    ],
)
def test_the_end_of_the_condition_has_an_infinite_gradient(body: str) -> None:
    (finding,) = found(function(body), "NAN301")
    assert finding.confidence is Confidence.HIGH
    assert finding.witness is not None
    made = outcome(function(body), [[value] for value in finding.witness.inputs.values()])
    assert made.finite_value
    assert all(gradient.isinf().all() for gradient in made.gradients)


@pytest.mark.parametrize(
    ("body", "dtype"),
    [
        ("torch.log(x + 1e-12)", "float16"),
        ("torch.sqrt(x * x + 1e-9)", "float16"),
        ("1 / x.clamp(min=1e-8)", "float16"),
        ("torch.acos(x.clamp(max=0.999))", "bfloat16"),
        ("torch.acos(x.clamp(max=1 - 1e-9))", "float32"),
        ("torch.log(1 + 1e-10 - x)", "float32"),
    ],
)
def test_a_guard_vanishes_in_its_dtype_and_holds_in_double_precision(body: str, dtype: str) -> None:
    (finding,) = found(function(body), "NAN303", dtype)
    assert finding.witness is not None
    row = [[value] for value in finding.witness.inputs.values()]
    lost, exact = outcome(function(body), row, dtype), outcome(function(body), row, "float64")
    assert not lost.finite_gradient
    assert exact.finite_value
    assert exact.finite_gradient


# What is fixed


@pytest.mark.parametrize(
    ("body", "fixed"),
    [
        ("(x ** 2).sum().sqrt()", "torch.linalg.vector_norm(x)"),
        ("torch.sqrt(torch.sum(x * x, 1))", "torch.linalg.vector_norm(x, dim=1)"),
        (
            "torch.sqrt(torch.sum(input=x.square(), dim=-1, keepdim=True))",
            "torch.linalg.vector_norm(x, dim=-1, keepdim=True)",
        ),
        (
            "((x - 1).pow(2).sum((0, 1), True)) ** 0.5",
            "torch.linalg.vector_norm(x - 1, dim=(0, 1), keepdim=True)",
        ),
        ("1 / (1 + torch.exp(-x))", "torch.sigmoid(x)"),
        ("x * torch.log(x)", "x * torch.log(torch.where(x == 0, 1.0, x))"),
        ("(x / 2) * (x / 2).log2()", "(x / 2) * torch.where((x / 2) == 0, 1.0, x / 2).log2()"),
    ],
)
def test_another_way_to_write_it(body: str, fixed: str) -> None:
    result = fix(Source("a.py", function(body)), Config(select=("NAN302",)))
    assert result.source.text == function(fixed)
    assert result.remaining == []


@pytest.mark.parametrize(
    "body",
    [
        "(x ** 2).mean().sqrt()",
        "(x ** 2).sum(dtype=torch.float64).sqrt()",
        "torch.sqrt(x[0] ** 2 + x[1] ** 2)",
        "x.abs().sqrt()",
    ],
)
def test_what_has_no_such_form_is_told_how_to_be_repaired(body: str) -> None:
    findings = found(function(body), "NAN302")
    assert findings
    assert all(finding.fix is None and "inside the root" in finding.note for finding in findings)


def test_without_a_name_for_torch_nothing_is_rewritten() -> None:
    text = "from torch import sqrt\n\n\ndef f(x):\n    return sqrt((x ** 2).sum())\n"
    (finding,) = found(text, "NAN302")
    assert finding.fix is None


@pytest.mark.parametrize(
    ("body", "fixed", "dtype"),
    [
        ("torch.log(x + 1e-12)", "torch.log(x + 0.0001)", "float16"),
        ("torch.acos(x.clamp(-1 + 1e-9, 1 - 1e-9))", "torch.acos(x.clamp(-1 + 1e-07, 1 - 1e-07))", "float32"),
        ("torch.acos(x.clamp(max=0.999))", "torch.acos(x.clamp(max=0.99))", "bfloat16"),
    ],
)
def test_a_guard_is_made_large_enough_if_that_is_allowed(body: str, fixed: str, dtype: str) -> None:
    source, config = Source("a.py", function(body)), Config(select=("NAN303",), dtype=dtype)
    assert fix(source, config).source is source
    allowed = Config(select=("NAN303",), dtype=dtype, unsafe_fixes=True)
    assert fix(source, allowed).source.text == function(fixed)


def test_a_guard_with_a_name_is_told_how_large_it_has_to_be() -> None:
    (finding,) = found(function("torch.log(x + eps)", "x, eps=1e-8"), "NAN303", "float16")
    assert finding.fix is None
    assert finding.note == "float16 needs at least 0.0001 here; or compute this in a wider dtype"
