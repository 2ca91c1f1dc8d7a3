"""What a run over many files leaves to the garbage collector: next to nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from nanlint import memory
from nanlint.analysis import analyse
from nanlint.config import Config
from nanlint.lower import ModuleLowering
from nanlint.lower.scope import FileScope
from nanlint.source import Source

TEXT = """
import torch


class Layer(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return torch.where(x > 0, self.scale * x.sqrt(), 0.0)
"""


@pytest.fixture
def by_hand() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("by_hand")
def test_nothing_of_an_analysis_is_left_to_the_garbage_collector() -> None:
    before = {id(one) for one in gc.get_objects() if type(one) in (ModuleLowering, FileScope)}
    assert len(analyse(Source("-", TEXT), Config())) == 1
    left = [one for one in gc.get_objects() if type(one) in (ModuleLowering, FileScope)]
    assert [one for one in left if id(one) not in before] == []


def test_the_collector_starts_late() -> None:
    before = gc.get_threshold()
    try:
        memory.begin()
        assert gc.get_threshold()[0] == memory.MOST_YOUNG
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)
