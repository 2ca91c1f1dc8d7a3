"""What random programs have shown of fixes and of findings: each of these once broke a claim that nanlint makes."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
import torch

from nanlint.config import Config
from nanlint.engine import check, fix
from nanlint.finding import Applicability, Confidence
from nanlint.sites import argument_node
from nanlint.source import Source, from_bytes

HEAD = "import torch\nimport torch.nn.functional as F\n\n\n"


def source_of(body: str) -> Source:
    """A function `f` of some of the tensors x, y, z and mask, as a file."""
    read = {
        node.id
        for node in ast.walk(ast.parse(f"def f():\n {body.replace(chr(10), '; ')}"))
        if isinstance(node, ast.Name)
    }
    arguments = ", ".join(name for name in ("mask", "x", "y", "z") if name in read)
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return from_bytes("case.py", f"{HEAD}def f({arguments}):\n{lines}".encode())


def run(text: str, given: Mapping[str, float]) -> tuple[list[float], list[float]]:
    """The values of `f` in float64, and its gradients by the float inputs in the order of their names."""
    names: dict[str, object] = {}
    exec(compile(text, "case.py", "exec"), names)
    function = names["f"]
    assert callable(function)
    inputs = {
        name: torch.tensor([number != 0.0])
        if name == "mask"
        else torch.tensor([number], dtype=torch.float64, requires_grad=True)
        for name, number in given.items()
    }
    made = function(**inputs)
    made.sum().backward()
    leaves = [tensor for _, tensor in sorted(inputs.items()) if tensor.requires_grad]
    return made.tolist(), [0.0 if leaf.grad is None else leaf.grad.item() for leaf in leaves]


def fixed(source: Source) -> str:
    """The text after all safe fixes."""
    return fix(source, Config()).source.text


# --- what stays silent ----------------------------------------------------------------------------------------------


def test_the_logarithm_of_what_is_clamped_is_nothing() -> None:
    source = source_of("return torch.log(x.clamp(min=1e-6)).clamp(min=-5.0)")
    assert check(source, Config(confidence=Confidence.LOW)) == []


def test_a_mask_is_never_next_to_0() -> None:
    source = source_of("t = x.rsqrt()\nreturn ((mask.to(torch.float32) * t).sinh()).relu()")
    found = check(source, Config(confidence=Confidence.LOW))
    masks = {one.witness.inputs["mask"] for one in found if one.witness is not None}
    assert masks
    assert masks <= {0.0, 1.0}


def test_a_number_below_all_usual_ones_is_no_witness() -> None:
    source = source_of("t = torch.full_like(x, 1e-6)\nreturn t.minimum(torch.sin(x.log1p().rsqrt()))")
    found = check(source, Config(confidence=Confidence.LOW))
    inputs = [abs(one.witness.inputs["x"]) for one in found if one.witness is not None]
    assert inputs
    assert min(inputs) > 2.0**-126


@pytest.mark.parametrize(
    ("written", "argument"),
    [("t.exp_()", None), ("torch.exp_(t)", None), ("t.clone().exp_()", "t.clone()"), ("t.exp()", "t")],
)
def test_what_is_changed_in_place_is_not_replaced_by_a_copy(written: str, argument: str | None) -> None:
    (statement,) = ast.parse(written).body
    assert isinstance(statement, ast.Expr)
    found = argument_node(statement.value, 0, "exp")
    assert (None if found is None else ast.unparse(found)) == argument


# --- a fix keeps values and finite gradients ------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """A function body, and an input at which a fix has once changed what comes out."""

    body: str
    at: Mapping[str, float]


KEPT = {
    "what is bounded is read elsewhere, where it is larger than what comes of the bound": Kept(
        "return (torch.cosh(x) - x).clamp_max(0.0)",
        {"x": 1.7e308},
    ),
    "the safe value makes a large number of a ratio, of which a square is made": Kept(
        "x = torch.asinh(x).sinh()\nt = 2 + x\nr = x / t\np = (r > 0.0).to(torch.float32) * r\n"
        "return p.square().masked_fill(t != 0.001, 10) + 3",
        {"x": 1e308},
    ),
    "the safe value brings out what another input overflows in": Kept(
        "return (x < -1).float() * F.hardswish(torch.special.xlog1py(y, x))",
        {"x": -1e-6, "y": 1.7e308},
    ),
    "the other one may be larger than any bound under the op": Kept(
        "return torch.absolute(y).minimum(torch.exp(x))",
        {"x": 100.0, "y": 1.7e308},
    ),
    "what the bound gives may be the larger one": Kept(
        "return torch.fmax(x**1.5, x.exp2())",
        {"x": -100.0},
    ),
    "both operands are made of what is bounded": Kept(
        "t = (1e-6 / x).acosh()\nreturn torch.fmin(torch.exp(t), torch.special.erfc(t))",
        {"x": 0.0},
    ),
    "what is bounded is read elsewhere": Kept(
        "t = y.hypot(x)\nc = torch.clamp(t + 0.5, min=-1, max=0.1)\nreturn torch.where(t != 2, c, c * 0.0)",
        {"x": -2.0, "y": -2.0},
    ),
    "the bound comes out on the other side": Kept(
        "t = torch.special.entr(y * x) + 3\nk = (x >= -0.5) & (t.abs() > 3)\n"
        "return F.hardtanh(torch.where(k, t, 0.0) / 2, 0.1, 0.5)",
        {"x": 0.0, "y": 0.0},
    ),
    "a quotient by a negative zero is the other infinity": Kept(
        "return torch.special.i1e(torch.clamp_max(y / x, 0.0))",
        {"x": -0.0, "y": -1000.0},
    ),
    "a value in place of an infinity may be the larger one": Kept(
        "return (y * 0.0).fmax(x / y)",
        {"x": 1.0, "y": -0.0},
    ),
    "a value in place of an infinity may be as large": Kept(
        "return torch.maximum(torch.special.ndtr(y), torch.log(x))",
        {"x": 0.0, "y": -10.0},
    ),
    "the value at the witness is no constant": Kept(
        "return torch.minimum(torch.special.erfc(x).clamp(0.001, 3), torch.erfinv(x).add(0.1))",
        {"x": 1.0},
    ),
    "the sign of a dropped zero decides": Kept(
        "t = mask.float() * x.erfinv()\nreturn torch.special.expm1(F.hardtanh(x.true_divide(t), 0.0, 0.25))",
        {"mask": 0.0, "x": -0.5},
    ),
    "a nan is compared with a number": Kept(
        "t = torch.clamp_min(torch.xlogy(torch.special.i0e(x), x), 0.001)\n"
        "return torch.where(t >= 0.0, t * 0.0 + 1.0, 2.0)",
        {"x": -1.0},
    ),
    "what is repaired is compared with a number": Kept(
        "t = x + 3\ns = t.sqrt().add(t)\n"
        "return torch.copysign(s.nan_to_num(nan=1e-6, posinf=0.0, neginf=0.0), y).relu().masked_fill(s != 1, 2)",
        {"x": -3.0, "y": -3.0},
    ),
    "what is dropped is kept on the other side, by another name": Kept(
        "k = (x <= -0.5) | (x == 0.001)\nt = x / -0.5\nu = torch.special.erfcx(t)\n"
        "return torch.where(k, u, torch.where(x != 10, -1.0, (u / t).xlogy(torch.logaddexp2(x, x))))",
        {"x": 10.0},
    ),
    "a tie has half of the gradient": Kept(
        "m = (torch.abs(x) > 0.25).float()\n"
        "return torch.fmin(torch.special.xlog1py(z + 1, x), (1 - m) * (0.0 - x))",
        {"x": -1.0, "z": -1.0},
    ),
}


@pytest.mark.parametrize("case", KEPT.values(), ids=KEPT)
def test_a_fix_keeps_the_value_and_every_finite_gradient(case: Kept) -> None:
    source = source_of(case.body)
    assert check(source, Config(confidence=Confidence.LOW))
    values, slopes = run(source.text, case.at)
    values_now, slopes_now = run(fixed(source), case.at)
    assert all(math.isfinite(value) for value in values)
    assert values_now == values
    assert [y for x, y in zip(slopes, slopes_now, strict=True) if math.isfinite(x)] == [
        x for x in slopes if math.isfinite(x)
    ]


def test_what_is_changed_in_place_is_not_written_anew() -> None:
    body = "t = torch.sign(torch.exp2(x))\ny = t.acosh().clone()\ny.mul_((t < 1).float())\nreturn y.abs()"
    result = fix(source_of(body), Config(confidence=Confidence.LOW, unsafe_fixes=True))
    assert "    y.mul_(" in result.source.text


def test_a_product_that_was_nan_is_compared_with_a_number() -> None:
    body = "k = (x > 0).float()\nt = k * (x + x).asin().rsqrt()\nreturn torch.where(t < 1, x, 2 * x)"
    for found in check(source_of(body), Config(confidence=Confidence.LOW)):
        assert found.fix is None or found.fix.applicability is Applicability.UNSAFE


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("return torch.log(x).clamp(min=torch.finfo(x.dtype).min)", "torch.finfo(x.dtype).min"),
        ("low = torch.finfo(x.dtype).min\nreturn torch.clamp(torch.log(x), min=low)", "low"),
        ("return torch.nan_to_num(torch.log(x))", "torch.finfo(x.dtype).min"),
        ("return torch.nan_to_num(torch.log(x), neginf=-1e4)", "-1e4"),
    ],
)
def test_what_is_put_in_place_is_no_number_of_one_dtype(body: str, value: str) -> None:
    source = source_of(body)
    assert check(source, Config())
    assert fixed(source).endswith(f", {value})\n")
    assert run(fixed(source), {"x": 0.0})[0] == run(source.text, {"x": 0.0})[0]


def body_of(text: str) -> str:
    """The lines of the function in a text, without their indentation."""
    return "\n".join(line.removeprefix("    ") for line in text.splitlines()[5:])


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        pytest.param(
            "n = mask.sum(1)\nmean = x.sum(1) / n\nreturn torch.where(mask, x - mean[:, None], 0.0)",
            "n = mask.sum(1)\nmean = x.sum(1) / torch.where(n != 0, n, 1)\n"
            "return torch.where(mask, x - mean[:, None], 0.0)",
            id="a count for each row",
        ),
        pytest.param(
            "n = mask.sum(0)\nout = x - x.sum(0) / n\nout[~mask] = 0.0\nreturn out",
            "n = mask.sum(0)\nout = x - x.sum(0) / torch.where(n != 0, n, 1)\nout[~mask] = 0.0\nreturn out",
            id="a count for each column",
        ),
        pytest.param(
            "level = torch.sqrt(x * 2.0 + y)\nprint(level)\nreturn torch.where(mask, level / (1 + level), 0.0)",
            "level = torch.sqrt(x * 2.0 + y)\nprint(level)\n"
            "kept_level = torch.sqrt(torch.where(mask, x * 2.0 + y, 1.0))\n"
            "return torch.where(mask, kept_level / (1 + kept_level), 0.0)",
            id="what is computed anew and read twice",
        ),
    ],
)
def test_a_fix_keeps_shapes_and_computes_nothing_twice(body: str, wanted: str) -> None:
    assert body_of(fix(source_of(body), Config(unsafe_fixes=True)).source.text) == wanted


def test_what_a_mask_has_selected_is_not_guarded_by_another_mask() -> None:
    source = source_of(
        "t = torch.zeros_like(x)\nm = x <= 0\nt[m] = x[m].erfinv()\nreturn t.exp2()[x.abs() <= 0.1]"
    )
    assert fix(source, Config(unsafe_fixes=True)).source is source


def test_a_count_keeps_its_shape() -> None:
    body = "n = mask.sum(1)\nmean = x.sum(1) / n\nreturn torch.where(mask, x - mean[:, None], 0.0)"
    names: dict[str, Callable[..., torch.Tensor]] = {}
    exec(compile(fixed(source_of(body)), "case.py", "exec"), names)
    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    made = names["f"](torch.tensor([[True, True, False], [False, False, False]]), x)
    made.sum().backward()
    assert made.tolist() == [[-2.0, -1.0, 0.0], [0.0, 0.0, 0.0]]
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


# --- what is lost is found ------------------------------------------------------------------------------------------

FOUND = {
    "a selector above another that has to let the gradient through": (
        "t = torch.arcsin(y)\nreturn (((torch.fmin(torch.atanh(x), t) * x) / t).relu().clamp_min(0.1)).arccos()",
        "clamp_min",
    ),
    "between two poles": (
        "k = ~(x.lgamma().acos() >= 0.1)\nt = k.float() * x.lgamma().acos()\n"
        "return torch.where(t < 0.0, torch.special.entr(x), t)",
        "torch.where(",
    ),
    "nan to the power of 0 is 1": ("return torch.maximum(x / x, x.floor() * ((x**0.25) ** 0.0))", "maximum"),
    "fmax takes the other one of a nan": ("return torch.relu(torch.fmax(x / x, torch.sqrt(x)))", "relu"),
    "a condition of known numbers": ("t = torch.full_like(x, 0.5)\nk = t >= 3\nreturn x.rsqrt()[k]", "[k]"),
    "a mask that is always 0": ("return torch.special.entr(x) * (1 - (x.abs() >= 0.0).float())", "entr"),
    "a pole among others": ("return torch.special.psi(x - 3).clamp(min=-0.5).tanh()", "clamp"),
    "the sign of something else": (
        "return (0.5 / (0.25 - torch.copysign(x, x))).nan_to_num(nan=-1)",
        "nan_to_num",
    ),
    "an infinite hypotenuse": ("return torch.clamp_max(torch.hypot(x.log(), y.erfinv()), 0.0)", "clamp_max"),
    "nan passes between bounds": (
        "t = (x * x).log()\n"
        "return torch.where(x.abs() < 0.001, F.hardtanh(torch.rsqrt(t.clamp_max(0.5)), -1, 3), t.arctanh())",
        "torch.where(",
    ),
    "what is stored under a mask and under its opposite": (
        "t = torch.zeros_like(x)\nm = x > 0.001\nt[m] = x[m] * 2\nm = ~m\nt[m] = x[m].erfinv()\n"
        "return torch.exp2(t)[x.abs() <= 0.1]",
        "[x.abs() <= 0.1]",
    ),
    "a remainder": (
        "t = torch.fmod(x, torch.where(y != 0, y, 1.0)).exp().exp()\nreturn t.nan_to_num(nan=10, posinf=0.0)",
        "nan_to_num",
    ),
    "next to 0": (
        "t = 0.1 / torch.special.xlog1py(x, x.clamp(min=-0.5))\n"
        "return torch.clamp_max(torch.special.erfcx(t), 0.0)",
        "clamp_max",
    ),
    "inside of the domains of two ops": (
        "t = x**1.5\nt4 = torch.logit(x + x)\n"
        "return (torch.rsqrt(t.acos()) * (t == 3).float()).fmax(t4.clamp(min=0.25, max=10))",
        "fmax",
    ),
}


@pytest.mark.parametrize(("body", "selector"), FOUND.values(), ids=FOUND)
def test_a_lost_gradient_is_found(body: str, selector: str) -> None:
    source = source_of(body)
    found = check(source, Config(confidence=Confidence.LOW))
    assert any(selector in source.slice(one.span) for one in found)
