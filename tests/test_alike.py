"""What was in vain for one graph is not looked for again in one alike, and in no other."""

from __future__ import annotations

import ast

import pytest

from nanlint import study
from nanlint.alike import Fruitless, Vain
from nanlint.arithmetic import ARITHMETIC, DTYPES
from nanlint.budget import Budget
from nanlint.hazards import hazards
from nanlint.lower import lower

IN_VAIN = """
import torch

def one(x, y):
    return torch.where(y > 0, torch.log(x.sigmoid() + 0.5 - 1.2 * x.sigmoid() + y.abs()), 0)

def other(value, weight):
    return torch.where(weight > 0, torch.log(value.sigmoid() + 0.5 - 1.2 * value.sigmoid() + weight.abs()), 0)
"""
_DTYPE = "float32"


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known yet."""
    monkeypatch.setattr(study, "_FRUITLESS", Fruitless())


def steps_and_runs(text: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """For each function of a text: how many hazards, steps taken off the budget, and candidates run."""
    runs = 0
    run = study.Study._run

    def counted(self: study.Study, *args: object) -> object:
        nonlocal runs
        runs += 1
        return run(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(study.Study, "_run", counted)
    found: list[tuple[int, int, int]] = []
    for unit in lower(ast.parse(text), text, DTYPES[_DTYPE]):
        budget, runs = Budget(100), 0
        before = budget._file
        made = [hazards(selector, ARITHMETIC[_DTYPE], unit.sinks, budget) for selector in unit.selectors]
        found.append((sum(map(len, made)), before - budget._file, runs))
    return found[1:]  # the module's own statements hold nothing


def test_a_search_in_vain_is_made_once_and_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is only called differently is not searched again; the budget is what it would be."""
    first, second = steps_and_runs(IN_VAIN, monkeypatch)
    assert first[0] == second[0] == 0
    assert first[2] > 0
    assert second[2] == 0
    assert first[1] == second[1] > 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.5", "0.4"),  # a number
        ("weight > 0", "weight > 1"),  # in the condition
        ("weight.abs()", "weight.square()"),  # an op
        ("weight.abs()", "value.abs()"),  # what it is computed from
        ("weight > 0", "weight < 0"),  # what is dropped
    ],
)
def test_another_graph_is_searched(old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, last = IN_VAIN.split("def other")
    changed = f"{text}def other{last.replace(old, new)}"
    assert changed != IN_VAIN
    assert steps_and_runs(changed, monkeypatch)[1][2] > 0


def test_what_can_be_poisoned_is_found_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    text = IN_VAIN.replace("0.5", "0.0")
    (first, _, _), (second, _, runs) = steps_and_runs(text, monkeypatch)
    assert first == second == 1
    assert runs > 0


def test_no_more_is_remembered_than_there_is_room_for() -> None:
    known = Fruitless()
    for number in range(30):
        known.add(tuple(range(number, number + 10_000)), Vain(number, frozenset({number}), is_cut_off=False))
    assert known.known(tuple(range(29, 10_029))) == Vain(29, frozenset({29}), is_cut_off=False)
    assert known.known(tuple(range(10_000))) is None
