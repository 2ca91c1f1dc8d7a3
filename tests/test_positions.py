"""Slices, integers and index tensors as selectors: told where low confidence is asked for, and nowhere else."""

from __future__ import annotations

import pytest

from nanlint import engine
from nanlint.config import Config
from nanlint.finding import Confidence, Finding
from nanlint.source import Source
from nanlint.triage import examined


def source(body: str, parameters: str = "x, i") -> Source:
    """A module with a function of these statements."""
    lines = "".join(f"    {line}\n" for line in body.split("; "))
    return Source("walk.py", f"import torch\n\n\ndef f({parameters}):\n{lines}")


def found(body: str, confidence: Confidence = Confidence.LOW) -> list[Finding]:
    """The findings in a function of `x`, a tensor, and `i` that are shown at a confidence."""
    return list(engine.check(source(body), Config(confidence=confidence)))


PICKED = [
    "y = x.exp(); return y[-1]",
    "y = x.exp(); return y[:, 2:].sum()",
    "y = x.exp(); return y[..., i]",
    "y = x.exp(); return y[:, i] + 1.0",
    "y = torch.arange(3); return (1.0 / x)[y, y]",
    "y = torch.sort(x.exp()).values; return y[i]",
]
STORED = [
    "y = x.log(); y[0] = 0.0; return y",
    "y = x.log(); y[:, i] = 0.0; return y.sum()",
    "y = x.log(); y[:, :2] = i; return y",
    "y = x.log(); y[i, 0] = x[0, 0]; return y",
]


@pytest.mark.parametrize("body", [*PICKED, *STORED])
def test_nothing_is_told_or_read_by_default(body: str) -> None:
    assert found(body, Confidence.MEDIUM) == []
    assert "sort" in body or examined(source(body), Config()) is None


@pytest.mark.parametrize(
    "body",
    [
        "return x[1:]",
        "y = x.tanh(); return y[1:]",
        "y = x.clamp(min=0.1).log(); return y[0]",
        "y = x.exp(); return y[:]",
        "y = x.exp(); return y[None, ..., None]",
        "y = x.exp(); return y[x.argsort()]",
        "y = x.exp(); return y.detach()[0]",
        "y = x.exp(); return y[0] > 1.0",
        "y = x.cumsum(0).exp(); return y[1:] - y[:-1]",
        "y = x.exp(); return y[0] / y.sum()",
        "y = x.exp(); total = 0.0; [total for _ in y]; return y.sum() + y[0]",
        "y = x.log(); y[0] += 1.0; return y",
        "y = x.log(); y[0] = y[0] * 2.0; return y",
        "y = x.log(); y[:] = 0.0; return y",
    ],
)
def test_where_nothing_singular_is_left_out_nothing_is_told(body: str) -> None:
    assert [one for one in found(body) if one.code[-1] in "34"] == []


def test_a_loop_takes_one_element_after_the_other() -> None:
    body = "y = x.exp(); total = 0.0; for j in range(i):;     total = total + y[j]; return total"
    assert found(body) == []


@pytest.mark.parametrize("body", PICKED)
def test_what_is_picked_leaves_the_rest_out(body: str) -> None:
    (finding,) = found(body)
    assert finding.code[-1] == "4"
    assert finding.confidence is Confidence.LOW


@pytest.mark.parametrize("body", STORED)
def test_what_is_overwritten_is_left_out(body: str) -> None:
    (finding,) = found(body)
    assert (finding.code, finding.confidence) == ("NAN103", Confidence.LOW)


def test_each_singular_op_is_told_once() -> None:
    masked = "y = x.log(); a = torch.where(x > 0, y, 0.0); z = y * 2.0; return a + z[0]"
    assert [one.code for one in found(masked)] == ["NAN101"]
    twice = "y = x.log(); z, w = y * 2.0, y * 3.0; return z[0] + w[1]"
    assert [one.code for one in found(twice)] == ["NAN104"]


def test_what_else_is_told_stays_what_it_is() -> None:
    body = "y = x.log(); z = torch.where(y[0] > 0, x.sqrt(), 0.0); return z[1:] + torch.where(x > 0, x.sqrt(), 0.0)"
    by_default = found(body, Confidence.MEDIUM)
    assert by_default
    # a nan among the gradients is equal to nothing
    assert str([one for one in found(body) if one.confidence is not Confidence.LOW]) == str(by_default)


@pytest.mark.parametrize(
    ("share", "told"),
    [
        ("e / (e.sum(-1, keepdim=True) + 1.0)", True),
        ("e / (e.mean() + 1.0)", True),
        ("e / (e.detach().sum() + 1.0)", False),
    ],
)
def test_a_sum_of_others_carries_what_is_stopped_on_the_way_to_an_element(share: str, told: bool) -> None:
    body = f"e = x.relu(); share = {share}; return share.log().gather(-1, i)"
    assert [one.code for one in found(body)] == ["NAN104"] * told
    assert found(body, Confidence.MEDIUM) == []


def test_an_elementwise_op_takes_the_slice_of_its_argument() -> None:
    fixed = engine.fix(source("y = x.exp(); return y[:, 2:].sum()"), Config(confidence=Confidence.LOW))
    assert "return x[:, 2:].exp().sum()" in fixed.source.text
