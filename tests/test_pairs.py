"""Pairs of something with itself, which masks leave out after the root of their distance, or before it."""

from __future__ import annotations

import pytest

from nanlint import engine
from nanlint.config import Config
from nanlint.finding import Confidence
from nanlint.source import Source

HEAD = """
import torch


def f(x, y, labels):
    squared = (x[:, None] - x[None]).square().sum(-1)
    norms = x.square().sum(1, keepdim=True)
    own = torch.eye(len(x), dtype=torch.bool)
    same = labels[:, None] == labels[None]
    return {body}
"""


def shown(body: str) -> bool:
    """Whether anything is shown of a function with this result."""
    return bool(list(engine.check(Source("m.py", HEAD.replace("{body}", body)), Config())))


@pytest.mark.parametrize(
    "mask", ["same", "own", "same | own", "~(labels.unsqueeze(0) != labels.unsqueeze(1))", "own & same"]
)
@pytest.mark.parametrize(
    "distance",
    [
        "squared.sqrt()",
        "1 / squared",
        "(norms + norms.T - 2 * x @ x.T).clamp(min=0).sqrt()",
        "torch.addmm(norms + norms.T, x, x.T, alpha=-2).sqrt()",
        "torch.addmm(norms.T, x, x.T, alpha=-2).add_(norms).clamp_(min=0).sqrt_()",
    ],
)
def test_what_masks_leave_out_of_pairs_is_told(mask: str, distance: str) -> None:
    assert shown(f"({distance}).masked_fill({mask}, 1e6).min(1).values.sum()")


@pytest.mark.parametrize(
    "body",
    [
        # replaced, or far enough away, before the root
        "squared.masked_fill(same, 1.0).sqrt().masked_fill(same, 1e6).sum()",
        "(squared + 1e-12).sqrt().masked_fill(same, 1e6).sum()",
        "((squared + torch.eye(len(x))).sqrt() * (1 - torch.eye(len(x)))).sum()",
        # not the distance of something from itself
        "(x[:, None] - y[None]).square().sum(-1).sqrt().masked_fill(own, 1e6).sum()",
        # torch's own distance has no derivative at 0
        "torch.cdist(x, x).masked_fill(same, 1e6).sum()",
        # nothing is left of the diagonal that is dropped
        "torch.where(own, (x @ x.T).exp(), 0.0).sum()",
    ],
)
def test_what_is_safe_of_pairs_is_not_told(body: str) -> None:
    assert not shown(body)


def test_what_is_kept_on_the_diagonal_is_dropped_beside_it() -> None:
    found = engine.check(
        Source("m.py", HEAD.replace("{body}", "torch.where(own, squared.sqrt(), 0.0).sum()")),
        Config(confidence=Confidence.LOW),
    )
    assert all(finding.confidence is not Confidence.HIGH for finding in found)


EDGES = """
import torch


def f(x, y, i, j, k, edges):
    row, col = edges
    return {body}
"""


@pytest.mark.parametrize(
    ("body", "is_told"),
    [
        ("(x[i] - x[j]).square().sum(-1).sqrt()[i != j]", True),
        ("torch.where(i == j, 0.0, 1 / (x[i] - x[j]).square().sum(-1).sqrt())", True),
        ("(1 / (x[row] - x[col]).square().sum(-1)) * (row != col)", True),
        ("(x[edges[0]] - x[edges[1]]).square().sum(-1).sqrt().masked_fill(edges[0] == edges[1], 0.0)", True),
        (
            "(x.index_select(0, i) - x.index_select(0, j)).square().sum(-1).sqrt().masked_fill(i.eq(j), 0)",
            True,
        ),
        # elements of two tensors, and those of other indices
        ("(x[i] - y[j]).square().sum(-1).sqrt()[i != j]", False),
        ("(x[i] - x[k]).square().sum(-1).sqrt()[i != j]", False),
        # the loops are gone before the root
        ("(x[i] - x[j])[i != j].square().sum(-1).sqrt()", False),
    ],
)
def test_the_ends_of_a_loop_are_one_node(body: str, is_told: bool) -> None:
    text = EDGES.replace("{body}", body)
    assert bool(list(engine.check(Source("m.py", text), Config()))) is is_told


@pytest.mark.parametrize(
    ("body", "is_told"),
    [
        # whatever is taken of a row, its own element is in it
        ("squared.sqrt().max(1).values.sum()", True),
        ("squared.sqrt().max()", True),
        ("squared.sqrt().kthvalue(2, dim=1).values.sum()", True),
        ("squared.sqrt().gather(1, labels).sum()", True),
        ("squared.sqrt()[labels, labels + 1].sum()", True),
        ("(squared.sqrt() + torch.eye(len(x)) * 1e9).min(1).values.sum()", True),
        # the smallest one of each row is its own
        ("squared.sqrt().min(1).values.sum()", False),
        ("squared.max(1).values.sqrt().sum()", False),
        ("squared[labels, labels + 1].sqrt().sum()", False),
    ],
)
def test_what_is_taken_of_pairs_leaves_their_own_out(body: str, is_told: bool) -> None:
    assert shown(body) is is_told
