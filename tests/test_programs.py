"""Random programs: what nanlint says of each is held against torch. 500 of them here; `python -m
nanlint.proof.programs --count 20000` is for those who have half an hour."""

from __future__ import annotations

from random import Random

import pytest
import torch
from hypothesis import given, settings
from strategies import program_from, programs

from nanlint.arithmetic import FLOAT64
from nanlint.proof.programs.__main__ import main
from nanlint.proof.programs.claims import (
    STYLES,
    Trial,
    evaluated_differently,
    failures,
    false_alarm,
    harm,
    missed,
)
from nanlint.proof.programs.findings import Study
from nanlint.proof.programs.grammar import DEEPEST, UNARY, grown
from nanlint.proof.programs.nodes import (
    CAST,
    FLAG,
    LEAF,
    MASK_PRODUCT,
    Node,
    depth,
    nodes,
    number,
    selectors,
    shared,
)
from nanlint.proof.programs.noise import Noisy
from nanlint.proof.programs.points import is_usual, points
from nanlint.proof.programs.running import guilty, outcomes
from nanlint.proof.programs.writing import Program, written

X, Y = Node(LEAF, name="x"), Node(LEAF, name="y")
POSITIVE = Node("gt", (X, number(0.0)))
ROOT = Node("where", (POSITIVE, Node("sqrt", (X,)), number(0.0)))
GUARDED = Node("where", (POSITIVE, Node("sqrt", (Node("where", (POSITIVE, X, number(1.0))),)), number(0.0)))


def program_of(root: Node, seed: int = 0) -> Program:
    """`root` in one of its spellings."""
    return written(root, Random(seed))


# --- what holds of every program -----------------------------------------------------------------------------------


@pytest.mark.parametrize("first", range(0, 500, 50))
def test_every_claim_holds(first: int) -> None:
    """Sound is sound, a witness is one, fixes change nothing else, and the evaluator computes what torch computes.

    Every other program is fixed, in one style; in a long run each is, in both.
    """
    for seed in range(first, first + 50):
        program = program_from(seed)
        styles = STYLES[len(program.text) % 4 :][:1]
        found = [failure for failure in failures(program, styles) if failure.is_serious]
        assert not found, f"seed {seed}: {found[0]}\n{program.text}"


# --- what no claim has anything against -----------------------------------------------------------------------------


def test_a_sound_program_breaks_no_claim() -> None:
    assert failures(program_of(GUARDED)) == []
    assert Study(program_of(GUARDED)).clean


def test_a_program_without_selectors_is_not_looked_into() -> None:
    trial = Trial(program_of(Node("exp", (X,))))
    assert trial.lost == []
    assert trial.study.found == []


def test_a_gradient_that_is_lost_without_any_selector_is_nobodys_fault() -> None:
    root = Node("where", (Node("gt", (X, number(1.0))), number(0.0), Node("sqrt", (Node("square", (X,)),))))
    assert guilty(root, {X: 0.0}, torch.float32) == []


def test_a_gradient_that_is_lost_above_a_selector_is_not_its_fault() -> None:
    mask = Node(CAST, (Node("gt", (X, number(1.0))),))
    root = Node("sqrt", (Node(MASK_PRODUCT, (mask, X)),))
    assert guilty(root, {X: 0.0}, torch.float32) == []


# --- the claims notice what is wrong --------------------------------------------------------------------------------


def test_a_lost_gradient_that_is_not_reported_is_told() -> None:
    program = program_of(ROOT)
    silent = Program(ROOT, program_of(GUARDED).text, program.spans, program.functions)
    trial = Trial(program)
    trial.study = Study(silent)
    assert [(failure.kind, failure.node) for failure in missed(trial)] == [("missed", ROOT)]


def test_a_witness_without_a_nan_is_told() -> None:
    program = program_of(ROOT)
    trial = Trial(program)
    assert trial.study.found
    (place,) = program.spans[ROOT]
    # the finding is held against a selector that is sound, as if it stood in its place
    trial.study = Study(Program(GUARDED, program.text, {GUARDED: (place,)}, program.functions))
    assert [failure.kind for failure in false_alarm(trial)] == ["false alarm"]


def test_a_graph_that_computes_something_else_is_told() -> None:
    program = program_of(Node("relu", (X,)))
    other = program_of(Node("relu", (Node("mul", (X, number(1.0 + 1e-9))),)))
    trial = Trial(Program(program.root, other.text, other.spans, other.functions))
    trial.double = outcomes(program.text, program.root, trial.points, torch.float64)
    assert [failure.kind for failure in evaluated_differently(trial)] == ["evaluator value"]


HARMFUL = {
    "fix value": "torch.where(x > 0, 2 * x.sqrt(), 0.0)",
    "fix gradient": "torch.where(x > 0, x.sqrt().detach(), 0.0) + 0 * x",
    "fix leaves": "(0.5 * x + 0.5 * x.abs()).sqrt()",
    "fix broken": "torch.where(x > 0, x.sqrtt(), 0.0)",
    "fix untidy": "torch.where(x > 0, x, 1.0).sqrt() * (x > 0)  # new",
    "fix again": "torch.where(x > 0, x.sqrt(), 0.0)",
}


@pytest.mark.parametrize("kind", HARMFUL)
def test_a_fix_that_does_harm_is_told(kind: str) -> None:
    text = f"import torch\n\n\ndef f(x):\n    return {HARMFUL[kind]}\n"
    assert kind in {failure.kind for failure in harm(Trial(program_of(ROOT)), text, "double-where")}


# --- the parts ------------------------------------------------------------------------------------------------------


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(programs())
def test_programs_parse_and_their_places_are_those_of_selectors(program: Program) -> None:
    assert depth(program.root) >= 1
    compile(program.text, "<program>", "exec")
    written_down = set(program.spans)
    assert set(selectors(program.root)) <= written_down
    for places in program.spans.values():
        assert all(0 <= start < end <= len(program.text) for start, end in places)


def test_the_same_choices_give_the_same_program() -> None:
    first, second = (written(grown(Random(5)), Random(6)).text for _ in range(2))
    assert first == second


def test_equal_parts_are_one_node() -> None:
    root = shared(Node("add", (Node("exp", (X,)), Node("exp", (Node(LEAF, name="x"),)))))
    assert len(nodes(root)) == 3


def test_the_grammar_has_every_unary_op_of_torch_that_carries_gradient() -> None:
    assert {"sqrt", "log", "acos", "digamma", "sinc", "hardswish"} <= set(UNARY)
    assert not {"sum", "relu", "float_power"} & set(UNARY)
    assert DEEPEST == 4


def test_points_hold_thresholds_their_neighbours_ties_and_both_flags() -> None:
    root = Node("where", (Node("and", (Node("lt", (X, number(0.25))), Node(FLAG, name="mask"))), X, Y))
    made = points(root, Random(0))
    by_name = [{node.name: value for node, value in point.items()} for point in made]
    assert {"x": 0.25, "y": 0.25, "mask": 1.0} in by_name
    assert any(0.25 < point["x"] < 0.2500002 for point in by_name)
    assert any(point["x"] != point["y"] for point in by_name)
    assert {point["mask"] for point in by_name} == {0.0, 1.0}


def test_what_is_usual() -> None:
    assert is_usual({X: 0.0, Y: 6000.0})
    assert not is_usual({X: -0.0})
    assert not is_usual({X: 1e-30})
    assert not is_usual({X: 1e10})


def test_noise_leaves_what_is_exact() -> None:
    a = Noisy(FLOAT64, 0)
    assert a.add(0.5, 0.25) == 0.75
    assert a.add(1.0, 1e-20) != 1.0
    assert a.round(0.1) != 0.1


def test_the_long_run_tells_its_seed_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "3", "--seed", "1"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("seed 1, 3 programs, ")
    assert "findings" in told
