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
