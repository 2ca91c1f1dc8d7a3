"""Calls of torch, as they are lowered: what their further arguments make of them, and what they write to."""

from __future__ import annotations

import pytest

from nanlint import engine
from nanlint.config import Config
from nanlint.finding import Confidence, Finding
from nanlint.source import Source


def checked(*lines: str) -> list[Finding]:
    """All findings, low ones too, in a function of `x` and `m` with these statements."""
    body = "".join(f"    {line}\n" for line in lines)
    text = f"import torch\nimport torch.nn.functional as F\n\n\ndef f(x, m):\n{body}"
    return list(engine.check(Source("layer.py", text), Config(confidence=Confidence.LOW)))


# --- what stays silent ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "floor",
    [
        "torch.clamp_(y, min=0.1)",
        "torch.clip_(y, 0.1)",
        "y.clamp_(0.1)",
        "F.threshold(y, 0.1, 0.1, True)",
        "F.threshold(y, 0.1, 0.1, inplace=True)",
        "F.threshold_(y, 0.1, 0.1)",
        "F.hardtanh_(y, 0.1, 2.0)",
        "torch.clamp(x, min=0.1, out=y)",
    ],
)
def test_what_is_written_to_has_the_new_value(floor: str) -> None:
    assert checked("y = x + 1.0", floor, "return torch.where(m, y.log(), 0.0)") == []


@pytest.mark.parametrize(
    "positive",
    [
        "F.elu(x) + 1.5",
        "F.elu(x, 1.0) + 1.5",
        "F.elu(x, 1.0, True) + 1.5",
        "F.celu(x) + 1.5",
        "F.softplus(x, 2.0) + 0.1",
        "F.softplus(x, beta=2.0) + 0.1",
        "torch.round(x * x, decimals=0) + 1.0",
        "torch.add(x * x, 1.0, alpha=1)",
        "torch.add(x * x, 1.0, alpha=2)",
        "torch.isclose(x, m, atol=1e-3) + 1.0",
        "torch.isclose(x, m, equal_nan=True) + 1.0",
    ],
)
def test_values_stay_in_their_range(positive: str) -> None:
    assert checked(f"return torch.where(m > 0, ({positive}).log(), 0.0)") == []


@pytest.mark.parametrize(
    "first",
    [
        "torch.stack([torch.ones_like(x), x], dim=1)[:, 0]",
        "torch.stack([torch.ones_like(x), x], dim=-1)[..., 0]",
        "torch.stack((x, torch.ones_like(x)))[1]",
        "torch.stack((x, torch.ones_like(x)), 0)[-1]",
    ],
)
def test_what_was_stacked_is_picked_again(first: str) -> None:
    assert checked(f"return torch.where(m, 1.0 / {first}, 0.0)") == []


@pytest.mark.parametrize(
    "another",
    [
        "torch.stack([torch.ones_like(x), x], dim=1)[:, 1]",
        "torch.stack([torch.ones_like(x), x], dim=1)[0]",
        "torch.stack([torch.ones_like(x), x], dim=1)[..., 0]",
        "torch.stack([x])[0]",
    ],
)
def test_what_else_was_stacked_may_be_0(another: str) -> None:
    (found,) = checked(f"return torch.where(m, 1.0 / {another}, 0.0)")
    assert found.code == "NAN101"


def test_between_whole_numbers_lies_nothing() -> None:
    assert checked("return torch.where(m, 1.0 / (x - x.detach() + torch.arange(4) - 0.5), 0.0)") == []
    assert checked("return torch.where(m, x / torch.arange(4), 0.0)") != []


@pytest.mark.parametrize(
    "gradient", ["x.grad", "torch.autograd.grad(m, x)[0]", "torch.autograd.grad(outputs=m, inputs=[x])[0]"]
)
def test_no_gradient_flows_back_through_a_gradient(gradient: str) -> None:
    assert checked(f"g = {gradient}", "n = g.norm()", "return torch.where(n > 0, g / n, 0.0)") == []


def test_but_through_one_of_which_a_graph_is_made() -> None:
    g = "torch.autograd.grad(m, x, create_graph=True)[0]"
    assert checked(f"g = {g}", "n = g.norm()", "return torch.where(n > 0, g / n, 0.0)") != []


def test_each_of_the_values_that_are_counted_occurs() -> None:
    counted = "_, n = torch.unique(m, return_counts=True)"
    assert checked(counted, "return torch.where(n > 1, x.sum(0) / n, 0.0)") == []
    assert checked("n = torch.bincount(m)", "return torch.where(n > 1, x.sum(0) / n, 0.0)") != []


def test_the_values_of_a_sparse_matrix_have_no_gradient() -> None:
    assert checked("return torch.where(m, x.coalesce().values().log(), 0.0)") == []


@pytest.mark.parametrize("kernel", ["taichi.kernel", "triton.jit", "numba.njit(cache=True)"])
def test_no_gradient_flows_through_a_kernel_of_another_library(kernel: str) -> None:
    module, _, maker = kernel.partition(".")
    body = "    return torch.where(x > 0, 1.0 / x, 0.0)\n"
    plain = f"import torch\nfrom {module} import {maker.partition('(')[0]} as made\n\n\n"
    function = f"def f(x: torch.Tensor):\n{body}"
    decorator = f"@made{maker[maker.index('(') :] if '(' in maker else ''}\n"
    findings = [
        list(engine.check(Source("layer.py", plain + text), Config(confidence=Confidence.LOW)))
        for text in (decorator + function, function)
    ]
    assert [len(found) for found in findings] == [0, 1]


# --- what is found -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        "x.clamp(min=1.0).round(decimals=-2)",
        "torch.round(x.clamp(min=1.0), decimals=m)",
        "torch.add(x * x, 1.0, alpha=m)",
        "torch.rsub(x * x, 2.0, alpha=2)",
    ],
)
def test_other_arguments_make_it_another_op(call: str) -> None:
    assert [
        finding.code for finding in checked(f"y = {call}", "return torch.where(y > 0, y.sqrt(), 0.0)")
    ] == ["NAN101"]


@pytest.mark.parametrize(
    "rounded",
    [
        "y.floor()",
        "torch.div(y, 2.0, rounding_mode='floor')",
        "y.div(2.0, rounding_mode='trunc')",
        "torch.divide(y, 2.0, rounding_mode='trunc')",
    ],
)
def test_zeros_go_upwards_from_what_rounds(rounded: str) -> None:
    (found,) = checked("y = x.sqrt()", f"return torch.where(x > 0, {rounded}, 0.0)")
    assert (found.code, found.confidence) == ("NAN101", Confidence.LOW)


def test_nothing_goes_upwards_from_a_floor_division() -> None:
    assert checked("y = x.sqrt()", "return torch.where(x > 0, torch.floor_divide(y, 2.0), 0.0)") == []


def test_parameters_are_not_what_they_were_initialised_to() -> None:
    (found,) = checked("torch.nn.init.ones_(x)", "return torch.where(x > 0, x.log(), 0.0)")
    assert found.code == "NAN101"


@pytest.mark.parametrize("root", ["torch.sqrt_(y)", "y.sqrt_()", "torch.sqrt(x, out=y)"])
def test_what_is_written_in_place_can_be_dropped(root: str) -> None:
    (found,) = checked("y = x * 1.0", root, "return torch.where(x > 0, y, 0.0)")
    assert found.code == "NAN101"


@pytest.mark.parametrize("other", ["0.0", "torch.zeros_like(x)"])
def test_what_backward_is_called_on_leaves_a_function(other: str) -> None:
    loss = f"loss = torch.where(x > 0, x.log(), {other}).sum()"
    for call in ("loss.backward()", "torch.autograd.backward([loss])"):
        assert [finding.confidence for finding in checked(loss, call)] == [Confidence.HIGH]
    assert checked(loss, "print(loss.shape)") == []


@pytest.mark.parametrize(
    "indices",
    [
        "np.where(m.cpu().numpy() != 1)[0]",
        "np.nonzero(m.numpy())[0]",
        "np.flatnonzero(m.numpy() > 0.5)",
        "np.where(np.asarray(m) != 1)[0]",
    ],
)
def test_indices_that_numpy_finds_are_those_of_a_mask(indices: str) -> None:
    loop = [
        "import numpy as np",
        "total = 0.0",
        "for k in range(3):",
        f"    total += x.log()[{indices}].sum()",
    ]
    assert [finding.code for finding in checked(*loop, "return total")] == ["NAN104"]


def test_a_number_of_numpy_beside_a_tensor_is_a_number() -> None:
    scale = ["import numpy as np", "scale = 1.0 + np.sqrt(m)"]
    bounded = "return (scale / torch.sqrt({0} + {0}.exp() * {1})).clamp(max=1.0)"
    assert checked(*scale, bounded.format("x * x", "0.0")) != []
    # nothing in it is certain to be a tensor: it may be an array as well
    assert checked(*scale, "return (scale / x).clip(max=1.0)") == []


@pytest.mark.parametrize(
    ("stores", "is_found"),
    [
        (["y[:, 2] = y[:, 2].clamp(min=0.1)"], False),
        (["y[:, 2].clamp_(min=0.1)"], False),
        (["y[:, 2:3] = y[:, 2:3].clamp(min=0.1)"], False),
        (["y[:, 2].clamp_(min=0.1)", "y[:, :2] = 0.0", "y[..., None, 1] = 2.0"], True),
        (["y[:, 2].clamp_(min=0.1)", "y[:, :2] = 0.0", "y[:, 1] = 2.0"], False),
        (["y[:, 1].clamp_(min=0.1)"], True),
        (["y[:, 2].clamp_(min=0.1)", "y[:, 1:] = x[:, 1:]"], True),
        (["y[:, 2].clamp(min=0.1)"], True),
    ],
)
def test_a_part_is_what_was_stored_in_it(stores: list[str], is_found: bool) -> None:
    result = "return (y[:, :2] / y[:, 2, None])[m > 0]"
    assert bool(checked("y = x + 1.0", *stores, result)) is is_found


@pytest.mark.parametrize(
    "drop",
    [
        "y.fill_diagonal_(0.0)",
        "rows = torch.arange(len(x))\n    y[rows, rows] = 0.0",
        "i, j = torch.triu_indices(3, 3, offset=1)\n    y = y[i, j]",
    ],
)
def test_the_diagonal_is_dropped_like_what_a_mask_is_for(drop: str) -> None:
    gap = "y = 1.0 / (x[:, None] - x[None, :])"
    shown = [
        finding for finding in checked(gap, drop, "return y") if finding.confidence is not Confidence.LOW
    ]
    assert len(shown) == 1
    assert checked(gap.replace("- x", "+ 1.0 + x").replace("x[", "x.abs()["), drop, "return y") == []


def test_on_a_diagonal_nothing_but_a_difference_from_itself_is_0() -> None:
    found = checked("y = (1.0 / x)[:, None] * m", "y.fill_diagonal_(0.0)", "return y")
    assert [finding.confidence for finding in found] == [Confidence.LOW]


def test_a_function_of_each_alone_is_the_function() -> None:
    call = "torch.vmap(lambda a: a.log())(x)"
    assert checked(f"return torch.where(m > 0, {call}, 0.0)") != []


def test_a_starred_target_takes_the_rest() -> None:
    parts = "first, *rest = (x.log(), m, x)"
    assert checked(parts, "return torch.where(rest[0] > 0, first, 0.0)") != []
    assert checked(parts, "return torch.where(rest[0] > 0, rest[1], 0.0)") == []
