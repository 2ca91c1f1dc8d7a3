"""The repairs: what they leave alone, what they look like, and what torch makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch

from nanlint.analysis import analyse
from nanlint.config import FIX_STYLES, Config
from nanlint.engine import check, fix
from nanlint.finding import Applicability, Confidence, Finding
from nanlint.proof.running import Run, run
from nanlint.source import Source

HEAD = "import torch\n\n\n"
INF, NAN = float("inf"), float("nan")
LOW = Config(confidence=Confidence.LOW)


def finding(body: str, arguments: str = "x") -> Finding:
    """The only finding in a function of these lines."""
    (found,) = check(source(body, arguments), Config())
    return found


def source(body: str, arguments: str = "x") -> Source:
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    return Source("example.py", f"{HEAD}def f({arguments}):\n{indented}")


def repaired(body: str, arguments: str = "x", *, unsafe: bool = False) -> str:
    """The lines of the function after all safe fixes, or all fixes."""
    return lines(fix(source(body, arguments), Config(unsafe_fixes=unsafe)).source.text)


def lines(text: str) -> str:
    """The lines of the function in a text."""
    return "\n".join(line.removeprefix("    ") for line in text.splitlines()[4:])


def outcome(text: str, arguments: str, inputs: Sequence[object]) -> Run:
    names: dict[str, Callable[..., object]] = {}
    exec(compile(source(text, arguments).text, "example", "exec"), names)
    return run(names["f"], inputs)


# What must stay as it is


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        pytest.param("x, floor", "return torch.maximum(x.log(), floor)", id="a bound of any value"),
        pytest.param("x", "return x.log().sum(-1).clamp(min=-10.0)", id="a bound on a sum"),
        pytest.param("x", "return torch.nan_to_num(x.exp(), posinf=1e6)", id="a number for what overflows"),
        pytest.param(
            "x", "y = x.exp()\nreturn torch.nan_to_num(y / y.sum(-1, keepdim=True))", id="a quotient of sums"
        ),
        pytest.param("x, i", "y = x.relu().sqrt()\nreturn y.index_fill(0, i, 1.0)", id="a store by index"),
        pytest.param(
            "x, y",
            "r = (x - y).exp()\nreturn torch.min(r * y, r.clamp(0.8, 1.2) * y)",
            id="a result that is used without its bound as well",
        ),
        pytest.param(
            "x",
            "geometric = x.log().mean(-1).exp()\nreturn torch.nan_to_num(geometric / x.mean(-1), nan=0.0)",
            id="elements on one side of a mean and rows on the other",
        ),
    ],
)
def test_no_fix_is_made_that_would_change_what_is_kept(arguments: str, body: str) -> None:
    assert repaired(body, arguments, unsafe=True) == body


UNLIKELY = f"{HEAD}def f(x, mask):\n    return mask * (x.log() + 1.0)\n"


@pytest.mark.parametrize(
    ("path", "text"), [("losses.py", UNLIKELY), ("tests/gamma.py", UNLIKELY.replace("mask *", "(x > 0) *"))]
)
def test_no_fix_is_found_out_for_what_is_not_shown(path: str, text: str) -> None:
    source = Source(path, text)
    unshown, shown = (analyse(source, Config(confidence=c)) for c in (Confidence.MEDIUM, Confidence.LOW))
    assert [(one.confidence, one.fix, one.note) for one in unshown] == [(Confidence.LOW, None, "")]
    assert [one.fix and one.fix.style for one in shown] == ["double-where"]


def test_what_is_left_to_the_reader_is_told() -> None:
    assert finding("return torch.maximum(x.log(), y)", "x, y").note == (
        "bound `x` before `x.log()`, at a value that your data never reach: no fix is offered, since every such bound"
        " would change a value that is kept"
    )


def test_a_site_in_another_function_is_the_reason_for_no_fix() -> None:
    text = (
        f"{HEAD}def root(v):\n    length = v.norm(dim=-1)\n    return (length - 1.0).sqrt()\n\n\n"
        "def f(v, w):\n    far = v.norm(dim=-1) > 1.0\n    r = root(v) + root(w)\n"
        "    y = r * 1.0\n    y[far.logical_not()] = 0.0\n    return y + r\n"
    )
    notes = [
        one.note for one in check(Source("a.py", text), Config(confidence=Confidence.LOW)) if one.fix is None
    ]
    assert notes == [
        "put a safe value in place of `length - 1.0` where `(length - 1.0).sqrt()` is dropped: no fix is offered, since"
        " it stands in another function, which knows nothing of the selection"
    ]


def test_no_advice_is_given_where_there_is_a_fix() -> None:
    assert finding("return x.log().clamp(min=-10.0)").note == ""


# What a fix looks like


@pytest.mark.parametrize(
    ("arguments", "before", "after", "style"),
    [
        (
            "x",
            "return x.log().masked_fill(x <= 0, 0.0)",
            "return torch.where(x <= 0, 1.0, x).log().masked_fill(x <= 0, 0.0)",
            "double-where",
        ),
        (
            "x",
            "y = x.log()\ny[x <= 0] = 0.0\nreturn y",
            "y = torch.where(x <= 0, 1.0, x).log()\ny[x <= 0] = 0.0\nreturn y",
            "double-where",
        ),
        (
            "x",
            "y = x.log()\nlow = x <= 0\ny[low] = 0.0\nreturn y",
            "y = torch.where(x <= 0, 1.0, x).log()\nlow = x <= 0\ny[low] = 0.0\nreturn y",
            "double-where",
        ),
        ("x", "return x.log()[x > 0].sum()", "return x[x > 0].log().sum()", "index-first"),
        ("x", "return -x.log()[x > 0]", "return -x[x > 0].log()", "index-first"),
        ("x", "return (1 / x)[x != 0].sum()", "return (1 / x[x != 0]).sum()", "index-first"),
        (
            "x",
            "return 2 * torch.masked_select(1 - x.log(), x > 0)",
            "return 2 * (1 - torch.masked_select(x, x > 0).log())",
            "index-first",
        ),
        (
            "x, m",
            "y = 2 * torch.log(x / 3)\nreturn y[m > 0.5].sum()",
            "return (2 * torch.log(x[m > 0.5] / 3)).sum()",
            "index-first",
        ),
        (
            "x",
            "return x.log().clamp(min=-10.0)",
            "return x.clamp(min=1e-8).log().clamp(min=-10.0)",
            "bound-first",
        ),
        (
            "x",
            "return (-10 * x.log10()).clamp(max=100)",
            "return (-10 * x.clamp(min=1e-12).log10()).clamp(max=100)",
            "bound-first",
        ),
        (
            "x",
            "return torch.acosh(x.clamp(min=1.0)).clamp(min=1e-3)",
            "return torch.acosh(x.clamp(min=1 + 1e-7)).clamp(min=1e-3)",
            "bound-first",
        ),
        ("x", "return x.exp().clamp(max=1e3)", "return x.clamp(max=80).exp().clamp(max=1e3)", "bound-first"),
        (
            "x",
            "y = x.pow(-0.5)\nreturn torch.where(torch.isinf(y), 0.0, y)",
            "y = torch.where(x != 0, x, 1.0).pow(-0.5)\nreturn torch.where(x == 0, 0.0, y)",
            "ask-first",
        ),
        (
            "x, y",
            "r = x / y.square().sum(-1)\nreturn torch.where(r.isnan(), 0.0, r)",
            "denominator = y.square().sum(-1)\n"
            "drop = (x / denominator).isnan()\n"
            "r = x / torch.where(drop, 1.0, denominator)\n"
            "return torch.where(drop, 0.0, r)",
            "double-where",  # a quotient by 0 that is infinite is kept
        ),
        (
            "p, mask",
            "return (-((1 - p) ** 0.5) * torch.log(p) * mask).sum()",
            "return (-(torch.where(mask != 0, 1 - p, 1.0) ** 0.5) * torch.log(torch.where(mask != 0, p, 1.0))"
            " * mask).sum()",
            "double-where",  # the logarithm as well, although its poison is unlikely: it would be left over
        ),
        (
            "x",
            "return torch.where(x > 20, x, torch.log1p(x.exp()))",
            "return torch.nn.functional.softplus(x)",
            "library",
        ),
        (
            "x",
            "growth = torch.log1p(x) + 2.0\nreturn torch.where(x > -0.5, torch.rsqrt(growth), 1.0 + x)",
            "growth = torch.log1p(torch.where(x > -0.5, x, 1.0)) + 2.0\n"
            "return torch.where(x > -0.5, torch.rsqrt(growth), 1.0 + x)",
            "double-where",  # the safe value below is one above as well
        ),
        (
            "x",
            "return torch.where(x < 80, torch.pow(10.0, x), 0.0)",
            "return torch.where(x < 80, torch.pow(10.0, torch.where(x < 80, x, 0.0)), 0.0)",
            "double-where",
        ),
        (
            "x",
            "y = x.exp()\nreturn torch.where(y.isinf(), 1e6, y)",
            "y = x.exp()\ndrop = y.isinf()\nreturn torch.where(drop, 1e6, torch.where(drop, 0.0, x).exp())",
            "double-where",
        ),
        (
            "x, valid",
            "y = x.square().sum(1).sqrt()\ny = y.view(-1)[valid.view(-1)]\nreturn y.mean()",
            "y = x.square().sum(1).view(-1)[valid.view(-1)].sqrt()\nreturn y.mean()",
            "index-first",  # a name that is given what is selected
        ),
        (
            "x, valid",
            "return x.log().reshape(-1)[valid.reshape(-1) > 0].mean()",
            "return x.reshape(-1)[valid.reshape(-1) > 0].log().mean()",
            "index-first",
        ),
        (
            "x, y",
            "r2 = x**2 + y**2\nr = r2.sqrt()\nreturn torch.where(r2 > 0, x / r, 1.0)",
            "r2 = x**2 + y**2\nr = torch.where(r2 > 0, r2, 1.0).sqrt()\nreturn torch.where(r2 > 0, x / r, 1.0)",
            "double-where",  # the root as well, which has no proof of its own
        ),
        (
            "x",
            "n = (x * x).sum(-1).sqrt()\nu = x / n[:, None]\nreturn torch.where((n > 0)[:, None], u, 0.0)",
            "n = (x * x).sum(-1).sqrt()\n"
            "kept_n = torch.where(n > 0, (x * x).sum(-1), 1.0).sqrt()\n"
            "u = x / kept_n[:, None]\n"
            "return torch.where((n > 0)[:, None], u, 0.0)",
            "double-where",  # a mask that is made of what has to be guarded
        ),
        (
            "x",
            "n = x.pow(2).sum(-1).sqrt()\ny = 1.0 / n\ny[n < 1e-8] = 0.0\nreturn y",
            "n = x.pow(2).sum(-1).sqrt()\n"
            "kept_n = torch.where(n < 1e-8, 1.0, x.pow(2).sum(-1)).sqrt()\n"
            "y = 1.0 / kept_n\ny[n < 1e-8] = 0.0\nreturn y",
            "double-where",
        ),
        (
            "x, k",
            "s = k**2 * (1 - x**2)\nc = torch.sqrt(1 - s)\nreturn torch.where(s > 1, 1.0, (k - c) / (k + c))",
            "s = k**2 * (1 - x**2)\n"
            "c = torch.sqrt(torch.where(s > 1, 1.0, 1 - s))\n"
            "return torch.where(s > 1, 1.0, (k - c) / (k + c))",
            "double-where",  # that `k` may be -1 is unlikely, and no matter of this selector's root
        ),
    ],
)
def test_the_repair_is_the_one_that_a_reader_would_make(
    arguments: str, before: str, after: str, style: str
) -> None:
    found = finding(before, arguments)
    assert found.fix is not None
    assert (found.fix.style, found.fix.applicability) == (style, Applicability.SAFE)
    assert repaired(before, arguments) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return x.log().amax(dim=-1)", "return x.amax(dim=-1).log()"),
        ("return x.log().topk(2, dim=-1).values", "return x.topk(2, dim=-1).values.log()"),
    ],
)
def test_extremes_may_be_equal_by_rounding(before: str, after: str) -> None:
    found = finding(before)
    assert found.fix is not None
    assert (found.fix.style, found.fix.applicability) == ("index-first", Applicability.UNSAFE)
    assert repaired(before, unsafe=True) == after


def test_extremes_that_are_equal_by_rounding_share_the_gradient() -> None:
    near = [[1e7, 1e7 + 1.0]]
    was, now = (
        outcome(f"return {way}", "x", [near]) for way in ("x.log().amax(dim=-1)", "x.amax(dim=-1).log()")
    )
    assert [value.tolist() for value in was.values] == [value.tolist() for value in now.values]
    assert [each.tolist() for each in was.gradients] != [each.tolist() for each in now.gradients]


# Which form it has


@pytest.mark.parametrize(
    ("style", "body", "after"),
    [
        (
            "masked-fill",
            "return x.log().masked_fill(x <= 0, 0.0)",
            "return x.masked_fill(x <= 0, 1.0).log().masked_fill(x <= 0, 0.0)",
        ),
        (
            "masked-fill",
            "return torch.where(x > -1, torch.log(1 + x), 0.0)",
            "return torch.where(x > -1, torch.log((1 + x).masked_fill(~(x > -1), 1.0)), 0.0)",
        ),
        (
            "masked-fill",
            "m = x < 1\nreturn torch.where(m, (1 - x).log(), 0.0)",
            "m = x < 1\nreturn torch.where(m, (1 - x).masked_fill(~m, 1.0).log(), 0.0)",
        ),
        (
            "double-where",
            "return x.log()[x > 0].sum()",
            "return torch.where(x > 0, x, 1.0).log()[x > 0].sum()",
        ),
        (
            "ask-first",
            "return (1 / x.abs()).clamp(max=1e3)",
            "argument = x.abs()\n"
            "return torch.where(argument != 0, (1 / torch.where(argument != 0, argument, 1.0)).clamp(max=1e3), 1e3)",
        ),
        (
            "index-fill",
            "y = x.square().sum(-1).sqrt()\ny.index_fill_(0, i, 0.0)\nreturn y",
            "y = x.square().sum(-1).index_fill(0, i, 1.0).sqrt()\ny.index_fill_(0, i, 0.0)\nreturn y",
        ),
    ],
)
def test_another_form_can_be_asked_for(style: str, body: str, after: str) -> None:
    config = Config(fix_style=style)
    (found,) = check(source(body, "x, i"), config)
    assert found.fix is not None
    assert (found.fix.style, found.note) == (style, "")
    assert lines(fix(source(body, "x, i"), config).source.text) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "n = v.norm(dim=-1)\nreturn torch.where(n[:, None] > 1e-6, v / n[:, None], 0.0)",
            "n = v.norm(dim=-1)\n"
            "return torch.where(n[:, None] > 1e-6, v / torch.where(n[:, None] > 1e-6, n[:, None], 1.0), 0.0)",
        ),
        (
            "n = v.square().sum(-1)\ns = n.sqrt()\nreturn torch.where(n[:, None] > 1e-6, v / s[:, None], 0.0)",
            "n = v.square().sum(-1)\ns = torch.where(n > 1e-6, n, 1.0).sqrt()\n"
            "return torch.where(n[:, None] > 1e-6, v / s[:, None], 0.0)",
        ),
        (
            "n = v[:, 0]\ns = n.log()\nreturn torch.where((n > 1e-6).unsqueeze(-1), v * s.unsqueeze(-1), 0.0)",
            "n = v[:, 0]\ns = torch.where(n > 1e-6, n, 1.0).log()\n"
            "return torch.where((n > 1e-6).unsqueeze(-1), v * s.unsqueeze(-1), 0.0)",
        ),
        (
            "n = v[:, 0]\nh = n.log()\nreturn (v * h.view(-1, 1)).masked_fill((n == 0).view(-1, 1), 0.0)",
            "n = v[:, 0]\nh = torch.where(n == 0, 1.0, n).log()\n"
            "return (v * h.view(-1, 1)).masked_fill((n == 0).view(-1, 1), 0.0)",
        ),
    ],
)
@pytest.mark.parametrize("rows", [[[0.0, 0.0, 0.0], [3.0, 4.0, 0.0]], [[1.0, 2.0]] * 2, [[0.0, 1.0]]])
def test_a_guard_has_the_shape_of_what_it_guards(before: str, after: str, rows: list[list[float]]) -> None:
    assert repaired(before, "v") == after
    old, new = outcome(before, "v", [rows]), outcome(after, "v", [rows])
    assert [value.tolist() for value in new.values] == [value.tolist() for value in old.values]
    assert new.finite_gradient


@pytest.mark.parametrize(
    "body",
    [
        # rows against columns: what is dropped of the one is kept of the other
        "n = v[:, 0]\ns = n.sqrt()\nreturn torch.where(n[None, :] > 1e-6, v / s[:, None], 0.0)",
        "n = v[:, 0]\ns = n.sqrt()\nreturn torch.where(n[:, None] > 1e-6, v / s[:, None] + s, 0.0)",
        "n = v[:, 0]\ns = n.sqrt()\nreturn torch.where(n[:, None] > 1e-6, v / s[:, None].mT, 0.0)",
    ],
)
def test_a_guard_of_another_shape_is_not_safe(body: str) -> None:
    fixes = [one.fix for one in check(source(body, "v"), Config())]
    assert fixes
    assert all(one is None or one.applicability is Applicability.UNSAFE for one in fixes)


@pytest.mark.parametrize(
    "body",
    [
        "return torch.clamp(x * (1 - y) / y, min=1e-8)",
        "return (1 / x).clamp(min=0.1)",
        "return torch.fmin(x / y.abs(), torch.full_like(x, 20.0))",
    ],
)
def test_an_infinity_that_is_kept_is_not_changed(body: str) -> None:
    fixes = [one.fix for one in check(source(body, "x, y"), Config(confidence=Confidence.LOW))]
    assert fixes
    assert all(one is None or one.applicability is Applicability.UNSAFE for one in fixes)


OBJECT = """import torch


class Scaled(torch.nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.register_buffer("scale", torch.tensor(scale))
        self.width = float(scale)

    def forward(self, x, mask):
        return (x / {divisor}).masked_fill(mask == 0, 0.0)
"""


@pytest.mark.parametrize("divisor", ["self.scale", "self.width", "(self.width - 2.0)"])
def test_what_an_object_keeps_may_be_of_another_type(divisor: str) -> None:
    file = Source("scaled.py", OBJECT.format(divisor=divisor))
    found = check(file, Config(confidence=Confidence.LOW))
    assert found
    assert all(one.fix is None or one.fix.applicability is Applicability.UNSAFE for one in found)


QUESTIONS = [
    pytest.param(before, after, id=before)
    for before, after in {
        # what is asked of a reciprocal is asked of itself: in half precision that of 1e-5 is infinite, too
        "y = 1 / x\nreturn torch.where(torch.isfinite(y), y, 0.0)": (
            "y = 1 / x\nkeep = torch.isfinite(y)\nreturn torch.where(keep, 1 / torch.where(keep, x, 1.0), 0.0)"
        ),
        "return torch.where(torch.isfinite(1 / x), 1 / x, 0.0)": (
            "keep = torch.isfinite(1 / x)\nreturn torch.where(keep, 1 / torch.where(keep, x, 1.0), 0.0)"
        ),
        "y = x.reciprocal()\nreturn y.masked_fill(~torch.isfinite(y), 0.0)": (
            "y = x.reciprocal()\ndrop = ~torch.isfinite(y)\n"
            "return torch.where(drop, 1.0, x).reciprocal().masked_fill(drop, 0.0)"
        ),
        "y = 1 / x\ny[y == float('inf')] = 0\nreturn y": (
            "drop = 1 / x == float('inf')\ny = 1 / torch.where(drop, 1.0, x)\ny[drop] = 0\nreturn y"
        ),
        "y = 1 / x\nbad = torch.isinf(y)\ny[bad] = 0\nreturn y": (
            "bad = torch.isinf(1 / x)\ny = 1 / torch.where(bad, 1.0, x)\ny[bad] = 0\nreturn y"
        ),
        "y = 3.0 * x.exp2()\ny.masked_fill_(~y.isfinite(), 0.0)\nreturn y": (
            "keep = (3.0 * x.exp2()).isfinite()\ny = 3.0 * torch.where(keep, x, 0.0).exp2()\n"
            "y.masked_fill_(~keep, 0.0)\nreturn y"
        ),
        # what lies below 0 is nan, and stays it
        "y = x.pow(-0.5)\ny.masked_fill_(y == float('inf'), 0)\nreturn y": (
            "y = torch.where(x != 0, x, 1.0).pow(-0.5)\ny.masked_fill_(x == 0, 0)\nreturn y"
        ),
        "y = x.rsqrt()\nreturn torch.where(torch.isfinite(y), y, 0.0)": (
            "y = torch.where(x > 0, x, 1.0).rsqrt()\nreturn torch.where(x > 0, y, 0.0)"
        ),
        "z = x.logit()\nz[z.isinf()] = 0.0\nreturn z": (
            "drop = x.logit().isinf()\nz = torch.where(drop, 0.5, x).logit()\nz[drop] = 0.0\nreturn z"
        ),
        "y = x / x.abs()\ny[y != y] = 0\nreturn y": (
            "denominator = x.abs()\ny = x / torch.where(denominator != 0, denominator, 1.0)\n"
            "y[y != y] = 0\nreturn y"
        ),
    }.items()
]
EVERYWHERE = [0.0, 1e-45, 1e-40, 1e-30, -1e-20, 6e-8, 1e-5, 0.25, 1.0, -2.0, 1e4, 1e30, -3e38, INF, -INF, NAN]


@pytest.mark.parametrize(("before", "after"), QUESTIONS)
def test_a_question_about_the_result_is_answered_once(before: str, after: str) -> None:
    (found,) = check(source(before, "x: torch.Tensor"), Config())
    assert found.fix is not None
    assert found.fix.applicability is Applicability.SAFE
    assert repaired(before, "x: torch.Tensor") == after
    low = Config(confidence=Confidence.LOW)
    assert check(source(after, "x: torch.Tensor"), low) == []


IN_PLACE = "{degree}\ni = d.pow_(-0.5)\ni.masked_fill_(i == float('inf'), 0)\n{behind}return i * x"


@pytest.mark.parametrize(
    ("degree", "behind", "fixed"),
    [
        ("d = x.sum(-1, keepdim=True)", "", True),
        ("d = x.sum(-1, keepdim=True)", "x = x + d\n", False),  # what is in it now is read
        ("d = x[:, :1]", "", False),  # it is a part of what the caller has
        ("d = x.sum(-1, keepdim=True)\ne = d", "x = x + e\n", False),
        (
            "d = x[:, :1]\nx = x + d\nd = x.sum(-1, keepdim=True)",
            "",
            True,
        ),  # another value had the name before
        ("d = x.sum(-1, keepdim=True)", "d = x\nx = x + d\n", False),
    ],
)
def test_what_nobody_else_has_need_not_be_changed_in_place(degree: str, behind: str, fixed: bool) -> None:
    before = IN_PLACE.format(degree=degree, behind=behind)
    after = before.replace(
        "i = d.pow_(-0.5)",
        "drop = d.pow(-0.5) == float('inf')\ni = torch.where(drop, 1.0, d).pow_(-0.5)",
    ).replace("i == float('inf'), 0", "drop, 0")
    assert repaired(before, unsafe=True) == (after if fixed else before)
    if fixed:
        row = [[[0.0, 0.0], [1.0, 3.0]]]
        assert not outcome(before, "x", row).finite_gradient
        assert outcome(after, "x", row).finite_gradient


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(("before", "after"), QUESTIONS)
def test_the_answer_is_the_same_for_every_number(before: str, after: str, dtype: torch.dtype) -> None:
    (value, gradient), (value_now, gradient_now) = (
        value_and_gradient(text, torch.tensor(EVERYWHERE, dtype=torch.float64).to(dtype))
        for text in (before, after)
    )
    torch.testing.assert_close(value_now, value, rtol=0.0, atol=0.0, equal_nan=True)
    finite = gradient.isfinite()
    torch.testing.assert_close(gradient_now[finite], gradient[finite], rtol=0.0, atol=0.0)
    assert gradient_now[0].isfinite()


def value_and_gradient(text: str, at: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    names: dict[str, Callable[..., torch.Tensor]] = {}
    exec(compile(source(text).text, "example", "exec"), names)
    x = at.clone().requires_grad_()
    value = names["f"](x)
    value.backward(torch.ones_like(value))
    assert x.grad is not None
    return value.detach(), x.grad


@pytest.mark.parametrize(
    ("arguments", "bound", "style"),
    [
        ("x", "1e-3", "bound-first"),
        ("x, eps=1e-3", "eps", "ask-first"),  # a caller may want 1e-12
        (
            "x",
            "torch.finfo(x.dtype).eps",
            "ask-first",
        ),  # that of float64 is smaller than what is right in float32
        ("x", "LEAST", "bound-first"),
        ("x", "math.pi / 1000", "bound-first"),
        ("x", "torch.tensor(1e-3, dtype=x.dtype)", "bound-first"),
    ],
)
def test_a_bound_that_may_be_another_is_written_not_undercut(arguments: str, bound: str, style: str) -> None:
    text = source(f"return x.square().sum().sqrt().clamp(min={bound})", arguments).text
    (found,) = check(Source("a.py", f"import math\nLEAST = 1e-4\n{text}"), Config(confidence=Confidence.LOW))
    assert found.fix is not None
    assert (found.fix.style, found.fix.applicability) == (style, Applicability.SAFE)


@pytest.mark.parametrize(
    "body",
    ["(x.log() * scale).clamp(min=-5.0)", "x.log().clamp(min=-5.0 * scale)", "x.sqrt().clamp(min=scale / 2)"],
)
def test_a_fix_that_rests_on_a_default_is_not_safe(body: str) -> None:
    (found,) = check(source(f"return {body}", "x, *, scale=1.0"), Config(confidence=Confidence.LOW))
    assert found.fix is not None
    assert found.fix.applicability is Applicability.UNSAFE


KEEPS = """import torch

class Distance(torch.nn.Module):
    def __init__(self, eps=1e-3):
        super().__init__()
        self.eps = {kept}

    def forward(self, x):
        return x.square().sum(-1).sqrt().clip(min=self.eps)
"""


@pytest.mark.parametrize(("kept", "style"), [("eps", "ask-first"), ("1e-3", "bound-first")])
def test_what_a_constructor_is_given_may_be_anything(kept: str, style: str) -> None:
    (found,) = check(Source("a.py", KEEPS.format(kept=kept)), Config(confidence=Confidence.LOW))
    assert found.fix is not None
    assert (found.fix.style, found.fix.applicability) == (style, Applicability.SAFE)


@pytest.mark.parametrize(
    ("body", "safe"),
    [
        ("return torch.where(x > 0, x / radius, 0.0)", False),
        ("return torch.where(radius > 0, x / radius, 0.0)", True),
        ("return torch.where(x > radius, (x - radius).sqrt(), 0.0)", True),
        ("r = radius[:, None]\nreturn torch.where(x > 0, x / r, 0.0)", True),
        ("m = (x > 0).float()\nreturn m * (x / radius)", False),
        ("y = x / radius\nreturn torch.where(torch.isfinite(y), y, 0.0)", True),  # by radius != 0
        ("return torch.where(x > 0, x / y, 0.0)", True),
    ],
)
def test_what_may_be_a_single_number_of_another_type_is_not_made_many(body: str, safe: bool) -> None:
    arguments = "x: torch.Tensor, y: torch.Tensor, radius: torch.Tensor"
    (found,) = check(source(body, arguments), Config(confidence=Confidence.LOW))
    assert found.fix is not None
    assert found.fix.applicability is (Applicability.SAFE if safe else Applicability.UNSAFE)


@pytest.mark.parametrize(
    "body",
    [
        "y = x.sqrt()\ny = y.reshape(n, 2)\nreturn torch.where(m, y, 0.0)",
        "y = x.sqrt()\nif n:\n    y = y.flatten()\nreturn torch.where(m, y, 0.0)",
        "y = x.sqrt()\ny = y.view(n, -1)\nlarge = y > 1\nreturn torch.where(large, y, 0.0)",
        "y = (1 - x) ** 0.5\ny = y.view(*n.size())\nreturn (m > 0) * y",
        "for _ in n:\n    y = x.sqrt()\n    y = y.permute(1, 0)\n    x = torch.where(m, y, 0.0)\nreturn x",
    ],
)
def test_a_name_that_is_given_another_shape_is_not_written_as_what_it_was_before(body: str) -> None:
    found = check(source(body, "x, m, n"), LOW)
    assert found
    assert [one.fix for one in found if one.fix is not None] == []


@pytest.mark.parametrize(
    ("length", "direction", "store"),
    [
        ("n = x.square().sum(-1).sqrt()", "x / {}[..., None]", "u[n == 0] = 0.0"),
        ("n = x.square().sum(-1).sqrt()", "x / {}.unsqueeze(-1)", "u[n == 0] = 0.0"),
        ("n = x.square().sum(-1, keepdim=True).sqrt()", "x / {}", "u[n.squeeze(-1) == 0] = 0.0"),
    ],
)
def test_rows_that_are_stored_into_are_guarded_by_row(length: str, direction: str, store: str) -> None:
    before = f"{length}\nu = {direction.format('n')}\n{store}\nreturn u"
    after = repaired(before)
    assert f"u = {direction.format('kept_n')}\n{store}" in after
    rows = [[[0.0, 0.0, 0.0], [3.0, 0.0, 4.0]]]
    was, now = outcome(before, "x", rows), outcome(after, "x", rows)
    assert not was.finite_gradient
    assert now.finite_gradient
    assert torch.equal(was.values[0], now.values[0])


@pytest.mark.parametrize(
    "selection",
    [
        "torch.where(n > 0, y, 0.0)",
        "torch.where(n <= 0, 0.0, y)",
        "y.where(n > 0, 0.0)",
        "y.masked_fill(n == 0, 0.0)",
        "torch.masked_fill(y, n == 0, 0.0)",
    ],
)
def test_each_way_to_select_keeps_a_value_beside_the_one_that_is_asked_about(selection: str) -> None:
    before = f"n = x.square().sum(-1).sqrt()\ny = n.sin() / n\nreturn {selection}"
    after = repaired(before)
    assert "y = kept_n.sin() / kept_n\n" in after
    assert after.endswith(f"return {selection}")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            "n = (x * x).sum(-1, keepdim=True).sqrt()\nu = x / n\nu[n.sum(-1) == 0] = 0.0\nreturn u",
            id="a mask of another shape",
        ),
        pytest.param(
            "n = (x + torch.randn(3)).pow(2).sum(-1).sqrt()\nreturn torch.where(n > 0, 1.0 / n, 0.0)",
            id="numbers that are others the second time",
        ),
        pytest.param(
            "t = (x * x).sum(-1).sqrt()\nreturn torch.where(t < 1e-6, 1 - t**2 / 6, torch.sin(t) / t)",
            id="a series in the root itself, of which the gradient is nan as well",
        ),
    ],
)
def test_what_cannot_be_computed_once_more_is_left_to_the_reader(body: str) -> None:
    assert repaired(body, unsafe=True) == body


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        pytest.param("x, mask", "return x.log().sum(-2) * mask", id="a mask of what is summed up"),
        pytest.param(
            "x, mask", "return torch.where(mask > 0, x.log().sum(-1), 0.0)", id="a condition of that"
        ),
        pytest.param(
            "diagonal, low",
            "scale = torch.diag_embed(diagonal.log())\nmask = torch.tril(torch.ones_like(scale, dtype=bool))\n"
            "return torch.masked_scatter(scale, mask, low)",
            id="a mask of a matrix",
        ),
        pytest.param("x, mask, xp", "y = x.reshape(-1) / xp.pi**0.5\nreturn y[mask]", id="a number"),
    ],
)
def test_what_would_raise_is_not_offered(arguments: str, body: str) -> None:
    assert repaired(body, arguments, unsafe=True) == body


def test_an_infinity_that_is_kept_stays_one() -> None:
    (found,) = check(source("return torch.relu(x / (n - 1))", "x: torch.Tensor, n: torch.Tensor"), LOW)
    assert found.fix is not None
    assert found.fix.applicability is Applicability.UNSAFE


def test_the_sign_of_a_mask_is_not_asked() -> None:
    before = "return -mask * x.sqrt()"
    assert repaired(before, "x, mask") == "return -mask * torch.where(mask != 0, x, 1.0).sqrt()"


@pytest.mark.parametrize(
    "reader",
    ["log.append(y)", "print(f'{y}')", "self.y = y", "self.head(y * 2)", "if (y > 3).any(): x = x * 2"],
)
@pytest.mark.parametrize("selector", ["torch.where(x > 0, y, 0.0)", "y.clamp(min=-10.0)"])
def test_a_value_that_others_read_is_not_changed(reader: str, selector: str) -> None:
    body = f"y = x.log()\n{reader}\nreturn {selector}"
    assert repaired(body, "self, x, log").startswith(f"y = x.log()\n{reader}\n")
    assert repaired(body.replace(f"{reader}\n", ""), "self, x, log") != body.replace(f"{reader}\n", "")


def test_what_is_guarded_is_not_guarded_again() -> None:
    body = (
        "t = y + torch.where(mask, torch.pow(x, -g), 0.5)\n"
        "return torch.where(mask, 1.0 / torch.pow(t, 1.0 / g), 0.0)"
    )
    after = repaired(body, "x: torch.Tensor, y: torch.Tensor, g: torch.Tensor, mask", unsafe=True)
    assert after.startswith("t = y + torch.where(mask, torch.pow(torch.where(mask, x, 1.0), -g), 0.5)\n")


def test_two_fixes_bind_names_of_their_own() -> None:
    body = "u = 1 / x\nv = 1 / y\nu[u.isinf()] = 0\nv[v.isinf()] = 0\nreturn u + v"
    after = repaired(body, "x: torch.Tensor, y: torch.Tensor")
    assert after.endswith("u[drop] = 0\nv[drop_2] = 0\nreturn u + v")
    both = f"{source(body, 'x: torch.Tensor, y: torch.Tensor').text}\n\n" * 2
    assert "drop_3" not in fix(Source("a.py", both), Config()).source.text


def test_the_number_at_which_a_square_overflows_is_not_written() -> None:
    for body in (
        "return (y - x.pow(2)).clamp(min=0)",
        "return torch.where(x.pow(2).isfinite(), x.pow(2), 0.0)",
    ):
        low = Config(confidence=Confidence.LOW, unsafe_fixes=True)
        assert "e+38" not in fix(source(body, "x, y"), low).source.text


MASKED = """w = {weight}
return w * (x - 1.0).sqrt()"""


@pytest.mark.parametrize(
    ("weight", "safe"), [("(y > 0).float()", True), ("y.sign().relu()", True), ("y.relu()", False)]
)
def test_a_weight_that_is_trained_is_no_mask(weight: str, safe: bool) -> None:
    found = check(
        source(MASKED.format(weight=weight), "x: torch.Tensor, y"), Config(confidence=Confidence.LOW)
    )
    applicable = [one.fix is not None and one.fix.applicability is Applicability.SAFE for one in found]
    assert any(applicable) is safe


BRANCHED = """b, k, _ = x.shape
if y is not None:
    x = x / (2.5 * y)
x = x.clamp(min=0)
large = (x.amax(dim=-1) > 1).reshape(b, k, 1)
share = x / x.amax(dim=-1).reshape(b, k, 1)
x = torch.where(large, share, x)
return x"""


def test_what_is_one_op_for_each_branch_before_it_is_guarded_once() -> None:
    found = finding(BRANCHED, "x, y=None")
    assert found.fix is None


ROTATION = """s = x * x + y * y
root = torch.sqrt(s)
angle = 2.0 * torch.where(z < 0.0, torch.atan2(-root, -z), torch.atan2(root, z))
return torch.where(s > 0.0, angle / root, 2.0 * torch.ones_like(root))"""


def test_a_fix_that_heals_another_finding_too_is_made() -> None:
    guarded = ROTATION.replace("sqrt(s)", "sqrt(torch.where(s > 0.0, s, 1.0))")
    assert repaired(ROTATION, "x, y, z") == guarded


HALF_ANGLE = """s{kind} = (v * v).sum(-1)
theta{kind} = torch.sqrt(s)
half{kind} = theta * 0.5
mask{kind} = s > 0.0
k{kind} = torch.where(mask, torch.sin(half) / theta, 0.5)
w{kind} = torch.where(mask, torch.cos(half), 1.0)
return k + w"""


@pytest.mark.parametrize("kind", ["", ": torch.Tensor"])
def test_what_several_selectors_drop_is_guarded_where_it_is_computed(kind: str) -> None:
    body = HALF_ANGLE.format(kind=kind)
    assert repaired(body, "v") == body.replace("sqrt(s)", "sqrt(torch.where(s > 0.0, s, 1.0))")


@pytest.mark.parametrize("style", FIX_STYLES)
@pytest.mark.parametrize("body", ["return x.log().clamp(min=-10.0)", "return torch.where(x > 0, x.log(), y)"])
def test_a_form_that_does_not_fit_is_replaced_by_one_that_does(style: str, body: str) -> None:
    (found,) = check(source(body, "x, y"), Config(fix_style=style))
    assert found.fix is not None
    asked_for = style in (found.fix.style, "least-intrusive")
    told = "" if asked_for else f"the form {style} cannot be written here, or not be shown to be right"
    assert found.note == told


def test_a_mask_that_may_be_larger_is_filled_into_nothing() -> None:
    (found,) = check(
        source("return x.log().masked_fill(mask, 0.0)", "x, mask"), Config(fix_style="masked-fill")
    )
    assert found.fix is not None
    assert found.fix.style == "double-where"


def test_exchanged_sides_are_not_exchanged_back() -> None:
    body = "return torch.where(x > 0, 0.0, torch.sqrt(x))"  # every value would be another one
    assert repaired(body, unsafe=True).startswith("return torch.where(x > 0, 0.0, ")


# What torch makes of it

POINTS = [-200.0, -1.0, -1e-9, 0.0, 1e-13, 1e-9, 1e-6, 1e-3, 0.5, 1.0, 1.5, 20.0, 79.0, 81.0, 200.0]


@pytest.mark.parametrize(
    "body",
    [
        "return x.log().clamp(min=-10.0)",
        "return x.sqrt().clamp(min=0.5)",
        "return torch.relu(torch.log(x))",
        "return (-10 * x.log10()).clamp(max=100)",
        "return x.exp().clamp(max=1e3)",
        "return torch.clip(torch.logit(x), -8.0, 8.0)",
        "return torch.where(x > 20, x, x.exp().log1p())",
        "return x.cosh().clamp(max=10.0)",
        "return (1 / x.abs()).clamp(max=1e3)",
        "return torch.minimum(3.0 / x, torch.full_like(x, 50.0))",
        "return torch.nan_to_num(x * x.log())",
        "return x.log().nan_to_num(neginf=-100.0)",
        "y = 1 / x\nreturn torch.where(torch.isfinite(y), y, 7.0)",
        "y = x.pow(-0.5)\ny = y.masked_fill(y.isinf(), 3.0)\nreturn y[x >= 0]",
        "return x.log()[x > 0]",
        "y = x.log()\nreturn y[torch.isfinite(y)].mean()",
        "y = x.exp()\nreturn y[y.isfinite()].mean()",
    ],
)
def test_a_safe_fix_keeps_every_finite_value_and_gradient(body: str) -> None:
    after = repaired(body)
    was, now = outcome(body, "x", [POINTS]), outcome(after, "x", [POINTS])
    for old, new in [
        *zip(was.values, now.values, strict=True),
        *zip(was.gradients, now.gradients, strict=True),
    ]:
        assert old.shape == new.shape
        finite = torch.isfinite(old)
        torch.testing.assert_close(new[finite], old[finite], rtol=1e-6, atol=0.0)
    for one in range(len(POINTS)):
        row = [[POINTS[one], 0.5]]
        if outcome(body, "x", row).finite_value:
            assert outcome(after, "x", row).finite_gradient


def test_a_product_that_was_nan_is_a_number_afterwards() -> None:
    body = "inside = (x < 1).float()\nreturn inside * (torch.acosh(1 / x) / torch.sqrt(1 - x**2))"
    row = [[0.5, 1.0, 2.0]]
    assert not outcome(body, "x", row).finite_value
    after = outcome(repaired(body), "x", row)
    assert after.finite_value
    assert after.finite_gradient


def test_no_nan_is_left_for_another_where_to_hide() -> None:
    body = "return torch.where(x < 1, x.log() + torch.log1p(-x), 0.0)"
    row = [[0.5, 1.0, 2.0]]
    with torch.autograd.detect_anomaly(check_nan=True):
        assert outcome(repaired(body), "x", row).finite_gradient


@pytest.mark.parametrize(
    ("body", "applicability"),
    [
        ("torch.where(a > 0, a / b, a)", "unsafe"),  # b may be a number
        ("torch.clamp(1.0 / b, max=1.0)", "safe"),
        ("torch.where(b > 0, a / b, a)", "safe"),
        ("torch.where(b > 0, a, b) ** 0.5 * (a > 1)", "safe"),
        ("torch.where(a > 0, a ** 0.5, 0.0)", "safe"),
    ],
)
def test_a_fix_is_safe_only_for_what_is_certainly_a_tensor(body: str, applicability: str) -> None:
    text = f"import torch\n\n\ndef f(a, b):\n    return {body}\n"
    fixes = [finding.fix for finding in check(Source("a.py", text), Config(confidence=Confidence.LOW))]
    assert [fix.applicability.value for fix in fixes if fix is not None] == [applicability]


def test_the_edits_of_a_fix_come_in_one_order() -> None:
    text = (
        "import torch\n\n\ndef f(x, y):\n    t1 = x / torch.rsqrt(y)\n    t2 = y / x\n"
        "    return torch.cosh(t1.minimum(t2).fmin(t1).masked_fill(t1 <= 0.5, 10))\n"
    )
    source = Source("a.py", text)
    assert len({repr([finding.fix for finding in check(source, Config())]) for _ in range(8)}) == 1
