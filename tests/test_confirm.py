"""`--confirm`: findings as programs, the process with torch, and what its answers make of a finding."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nanlint.arithmetic import ARITHMETIC
from nanlint.config import DTYPES, Config
from nanlint.confirm import confirmed
from nanlint.confirm.experiment import Experiment, analyse
from nanlint.confirm.verdict import Judged, judged
from nanlint.confirm.worker import Failure, Worker
from nanlint.engine import check
from nanlint.finding import Confidence, Finding, Verdict
from nanlint.proof.__main__ import main
from nanlint.proof.confirm import answer
from nanlint.proof.confirming import Standing, outcomes
from nanlint.proof.fixtures import Kind, discover
from nanlint.proof.forms import settings
from nanlint.report import FORMATS, Checked, Look, render
from nanlint.report.confirmation import brief, told
from nanlint.source import Source

ROOT = Path(__file__).parents[1]
GAMMA = ROOT / "fixtures" / "nan101" / "bad_gamma_curve.py"
BAD = [fixture for fixture in discover([ROOT / "fixtures"]) if fixture.kind is Kind.BAD]
VERSION = torch.__version__.partition("+")[0]


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """One process for all tests: importing torch takes seconds."""
    with Worker() as made:
        yield made


def finding(body: str, config: Config = Config()) -> Finding:  # noqa: B008
    """The one finding in a function, with its experiment."""
    (found,) = check(Source("a.py", f"import torch\n\n\n{body}"), config, analyse=analyse)
    return found


def gamma() -> Finding:
    return finding("def f(x):\n    return torch.where(x < 0.003, 12.9 * x, x**0.5)\n")


def asked(found: Finding) -> Experiment:
    assert found.experiment is not None
    return found.experiment


def nanlint(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "nanlint", "--isolated", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )


# What changes nothing


def test_nothing_is_started_where_there_is_nothing_to_ask() -> None:
    plain = replace(gamma(), experiment=None)
    with Worker() as idle:
        assert judged(plain, idle) == Judged(plain)
        assert idle.version == ""


def test_without_the_option_torch_is_neither_asked_nor_told_of() -> None:
    run = nanlint(str(GAMMA), "--output-format=json")
    assert run.stdout
    assert "confirm" not in run.stdout
    assert [
        found.experiment for found in check(Source("a.py", GAMMA.read_text(encoding="utf-8")), Config())
    ] == [None]


# Programs


def test_the_graph_as_a_program() -> None:
    experiment = asked(gamma())
    assert experiment.after is not None
    assert str(experiment.before.program).splitlines() == [
        "def f(x):",
        "    v2 = pow(x, 0.5)",
        "    v4 = mul(12.9, x)",
        "    v6 = lt(x, 0.003).detach()",
        "    v7 = where(v6, v4, v2)",
        "    return v7",
    ]
    assert str(experiment.after.program).count("where(") == 2
    assert experiment.told == (("x", 0),)


def test_names_that_python_cannot_have_are_spelled_otherwise() -> None:
    body = "def f(x, self):\n    return torch.where(x[:, 0] > self.a, x[:, 0].log(), x[:, 1])\n"
    names = [
        step.name for step in asked(finding(body, Config(confidence=Confidence.LOW))).before.program.inputs
    ]
    assert all(name.isidentifier() for name in names)
    assert len(set(names)) == len(names) == 3


def test_the_witness_is_first_and_others_are_around_it() -> None:
    points = asked(gamma()).before.points
    assert points[0] == (0.0,)
    assert len(points) > 2
    assert all(0 < abs(x) < 0.1 for (x,) in points[1:])


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_gives_what_the_evaluator_expects(dtype: str) -> None:
    body = "def f(x):\n    return torch.where(x > 1, (x - 1).log() * x.exp(), -x)\n"
    trial = asked(finding(body, Config(dtype=dtype))).before
    got = answer({**trial.wire(), "dtype": dtype})["points"]
    step = ARITHMETIC[dtype].dtype.eps
    for point, expected in zip(got, trial.expected, strict=True):
        assert point == pytest.approx(expected, rel=8 * step, abs=8 * step, nan_ok=True)


def test_an_op_that_torch_does_not_have_in_the_dtype() -> None:
    found = asked(finding("def f(x):\n    return torch.where(x > 0, torch.special.ndtri(x), 0.0)\n")).before
    assert "not implemented for 'Half'" in answer({**found.wire(), "dtype": "float16"})["error"]


# Verdicts


def test_a_finding_is_confirmed(worker: Worker) -> None:
    after = judged(gamma(), worker)
    assert after.bugs == ()
    assert after.finding.confidence is Confidence.HIGH
    assert (
        told(after.finding)
        == f"confirmed by torch {VERSION}: gradient of x at 0.0 is nan; after the fix 12.9"
    )
    assert brief(after.finding) == f"(confirmed by torch {VERSION})"


def test_several_inputs_are_told_by_name(worker: Worker) -> None:
    after = judged(finding("def f(x, y):\n    return torch.where(y != 0, x / y, 0.0)\n"), worker)
    assert told(after.finding) == (
        f"confirmed by torch {VERSION}: gradient of y, x at y = 0.0, x = 0.0 is nan, nan; after the fix 0.0, 0.0"
    )


def test_a_learnt_exponent_has_a_gradient_of_its_own(worker: Worker) -> None:
    after = judged(finding("def f(x, p):\n    return torch.where(x > 0, x**p, 0.0)\n"), worker).finding
    assert after.confirmation is not None
    assert after.confirmation.verdict is Verdict.CONFIRMED


def test_what_is_stored_under_a_mask_has_a_gradient(worker: Worker) -> None:
    body = """\
def f(x, m):
    y = torch.zeros_like(x)
    y[m] = (x * 2)[m]
    return torch.where(x > 0, y.sqrt(), 0.0)
"""
    after = judged(finding(body), worker)
    assert after.bugs == ()
    assert after.finding.confirmation is not None
    assert after.finding.confirmation.verdict is Verdict.CONFIRMED


def test_what_torch_refutes_has_low_confidence(worker: Worker) -> None:
    found = gamma()
    experiment = asked(found)
    assert experiment.after is not None
    sound = replace(experiment, before=experiment.after, told=(("x", experiment.told_after[0]),))
    after = judged(replace(found, experiment=sound), worker)
    assert after.finding.confidence is Confidence.LOW
    assert told(after.finding).startswith(f"not confirmed by torch {VERSION}: gradient of x at 0.0 is 12.9")


def test_a_fix_that_torch_refutes_is_taken_back(worker: Worker) -> None:
    found = gamma()
    experiment = asked(found)
    useless = replace(experiment, after=experiment.before, told_after=(0,))
    after = judged(replace(found, experiment=useless), worker).finding
    assert after.fix is None
    assert told(after).endswith("; after the fix nan")


def test_where_the_evaluator_and_torch_differ_is_told_as_a_bug(worker: Worker) -> None:
    found = gamma()
    experiment = asked(found)
    wrong = replace(experiment.before, expected=((0.0, 1.0), *experiment.before.expected[1:]))
    (bug,) = judged(replace(found, experiment=replace(experiment, before=wrong)), worker).bugs
    assert bug.startswith(
        "gradient of x at x = 0.0 in float32 is 1.0 for nanlint and nan for torch, in\ndef f(x):\n"
    )


def test_an_op_that_torch_lacks_in_16_bits_is_run_in_float32(worker: Worker) -> None:
    body = "def f(x):\n    return torch.where(x > 0, torch.special.ndtri(x), 0.0)\n"
    before = finding(body, Config(dtype="float16"))
    after = judged(before, worker)
    assert after.bugs == ()
    assert after.finding == before
    assert told(after.finding).startswith(f"confirmed by torch {VERSION}: gradient of x")
    assert "(in float32, for NotImplementedError: " in told(after.finding)


def test_an_op_that_torch_lacks_leaves_the_finding_as_it_is(worker: Worker) -> None:
    found = finding("def f(x):\n    return torch.where(x > 0, x.sqrt(), 0.0)\n")
    program = asked(found).before.program
    unknown = replace(
        program,
        steps=tuple(replace(step, op="no_such_op") if step.op == "sqrt" else step for step in program.steps),
    )
    experiment = replace(asked(found), before=replace(asked(found).before, program=unknown))
    after = judged(replace(found, experiment=experiment), worker)
    assert after.bugs == ()
    assert told(after.finding).startswith("not run by torch: KeyError: ")


# The process


def test_one_process_answers_for_all() -> None:
    found = list(confirmed([[gamma()], [], [gamma(), gamma()]], lambda item: item))
    verdicts = [[one.confirmation and one.confirmation.verdict for one in told] for _, (told, _) in found]
    assert verdicts == [[Verdict.CONFIRMED], [], [Verdict.CONFIRMED] * 2]


def test_a_process_that_was_killed_is_started_again(worker: Worker) -> None:
    trial = {**asked(gamma()).before.wire(), "dtype": "float32"}
    first = worker.ask(trial)
    process = worker._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with pytest.raises(Failure, match="has ended"):
        worker.ask(trial)
    again = worker.ask(trial)
    assert str(again) == str(first)


def test_a_process_that_does_not_start_is_not_tried_again() -> None:
    with Worker(start=0.0) as hurried:
        verdicts = [judged(gamma(), hurried).finding.confirmation for _ in range(2)]
        assert hurried._process is None
    assert [one and (one.verdict, one.reason) for one in verdicts] == [
        (Verdict.NOT_RUN, "it took more than 0 seconds")
    ] * 2


def test_a_program_has_a_time_limit() -> None:
    with Worker(answer=0.0) as hurried, pytest.raises(Failure, match="more than 0 seconds"):
        hurried.ask({**asked(gamma()).before.wire(), "dtype": "float32"})


def test_a_program_has_a_memory_limit() -> None:
    code = (
        "import torch; from nanlint.proof.confirm import limit_memory; limit_memory(1 << 28); "
        "torch.zeros(1 << 20); print('small'); torch.zeros(1 << 30)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout == "small\n"
    assert "RuntimeError" in run.stderr


# End to end


def test_nothing_of_the_analysed_folder_is_imported(tmp_path: Path) -> None:
    trap = "from pathlib import Path\nPath('imported').touch()\n"
    (tmp_path / "a.py").write_text(f"{trap}{GAMMA.read_text(encoding='utf-8')}", encoding="utf-8")
    for name in ("torch.py", "helper.py", "sitecustomise.py"):
        (tmp_path / name).write_text(trap, encoding="utf-8")
    run = nanlint("--confirm", "--output-format=concise", "a.py", folder=tmp_path)
    assert run.stdout.splitlines()[0].endswith(f"[*] (confirmed by torch {VERSION})")
    assert run.stderr == ""
    assert not (tmp_path / "imported").exists()


def test_the_command_line_tells_it() -> None:
    run = nanlint("--confirm", "--output-format=json", str(GAMMA))
    (found,) = json.loads(run.stdout)
    assert (run.returncode, run.stderr) == (1, "")
    assert found["confirmation"]["verdict"] == "confirmed"
    assert found["confirmation"]["gradient"] == {"x": "nan"}
    assert math.isclose(found["confirmation"]["after_fix"]["x"], 12.9, rel_tol=1e-6)


def test_every_format_tells_it(worker: Worker) -> None:
    source = Source("a.py", GAMMA.read_text(encoding="utf-8"))
    (found,) = check(source, Config(), analyse=analyse)
    files = [Checked("a.py", source, (judged(found, worker).finding,))]
    sentence = f"confirmed by torch {VERSION}: gradient of x at 0.0 is nan; after the fix 12.9"
    assert f"  = {sentence}\n" in render("text", files, Look())
    log = json.loads(render("sarif", files, Look()))
    assert log["runs"][0]["results"][0]["properties"] == {"confirmation": sentence}
    for short in ("github", "concise", "text"):
        assert f"(confirmed by torch {VERSION})" in render(short, files, Look())
    assert set(FORMATS) == {"text", "concise", "json", "sarif", "github"}


@pytest.mark.parametrize("option", ["--fix", "--diff"])
def test_it_goes_with_checking_only(option: str) -> None:
    run = nanlint("--confirm", option, str(GAMMA))
    assert run.returncode == 2
    assert "--confirm contradicts --fix and --diff" in run.stderr


def test_without_torch_it_is_an_error() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from nanlint.cli import main; "
        f"sys.exit(main(['--isolated', '--confirm', {str(GAMMA)!r}]))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert "--confirm needs torch: pip install nanlint[torch]" in run.stderr


# The fixtures; `python -m nanlint.proof --confirm` puts all of them to torch, in each dtype


def standings(*names: str, dtypes: Sequence[str] = DTYPES) -> list[Standing]:
    """How fixtures, by folder and file, stand in each dtype."""
    fixtures = discover([ROOT / "fixtures" / name for name in names])
    return [outcome.standing for outcome in outcomes(fixtures, dtypes)]


def test_a_sample_of_the_bad_fixtures_is_confirmed() -> None:
    found = outcomes(BAD[::16], ["float32"])
    assert [problem for outcome in found for problem in outcome.problems] == []
    verdicts = {
        one.confirmation and one.confirmation.verdict for outcome in found for one in outcome.findings
    }
    assert verdicts == {Verdict.CONFIRMED}
    assert [outcome.standing for outcome in found].count(Standing.CONFIRMED) >= len(found) // 2


def test_bad_fixtures_with_an_end_that_only_bfloat16_rounds_are_confirmed() -> None:
    names = ("nan101/bad_bump_cutoff.py", "nan301/bad_launch_angle.py")
    assert standings(*names) == [Standing.CONFIRMED] * 8


def test_bad_fixtures_of_low_confidence_are_confirmed_with_it() -> None:
    low = [fixture for fixture in BAD if settings(fixture.path).confidence is Confidence.LOW]
    found = outcomes(low, ["float32"])
    assert len(found) >= 15
    assert {outcome.standing for outcome in found} == {Standing.CONFIRMED}


def test_what_does_not_overflow_in_a_dtype_has_no_hazard_there() -> None:
    assert standings("nan202/bad_super_gaussian.py", dtypes=["float64", "float32"]) == [
        Standing.FINITE,
        Standing.CONFIRMED,
    ]


def test_what_a_dtype_cannot_hold_has_no_finite_value_there() -> None:
    names = ("nan103/bad_optical_axis.py", "nan201/bad_protected_exp.py")  # one overflows, the other raises
    assert standings(*names, dtypes=["float16"]) == [Standing.BROKEN] * 2


def test_what_is_told_with_low_confidence_only_is_so_in_other_dtypes_than_its_own(tmp_path: Path) -> None:
    text = (ROOT / "fixtures" / "nan205" / "bad_surrogate_minimum.py").read_text()
    path = tmp_path / "nan205" / "bad_unannounced.py"
    path.parent.mkdir()
    path.write_text(text.replace('CONFIDENCE = "low"', ""))
    found = [outcome.standing for outcome in outcomes(discover([path]), ["float32", "bfloat16"])]
    assert found == [Standing.MISSED, Standing.UNLIKELY]


def test_the_command_for_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--confirm", str(GAMMA)]) == 0
    assert capsys.readouterr().out.startswith("4 pairs of bad fixture and dtype: 4 confirmed, ")


def test_the_command_counts_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--confirm", str(ROOT / "fixtures" / "nan203" / "bad_far_field_power.py")]) == 0
    told = "2 confirmed, 1 without a hazard in that dtype, 1 without a finite value in that dtype, "
    assert capsys.readouterr().out.startswith(f"4 pairs of bad fixture and dtype: {told}")


def test_the_command_fails_and_names_what_is_announced_in_vain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nan101" / "bad_narrow.py"
    path.parent.mkdir()
    path.write_text(
        '"""A narrowed tensor is no selector to nanlint."""\n\nimport torch\n\n\n'
        "def f(x: torch.Tensor) -> torch.Tensor:\n    return x.sqrt().narrow(0, 1, 1)  # NAN101\n"
        "\n\nINPUTS = [([0.0, 1.0],)]\n"
    )
    assert main(["--confirm", str(path)]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[0] == f"{path} in float64: not all that is marked is confirmed"
    assert out.splitlines()[-1].startswith("4 pairs of bad fixture and dtype: 4 not confirmed, ")


def test_around_the_witness_the_value_may_be_nan_for_both(worker: Worker) -> None:
    body = "def f(p):\n    return p.log().topk(2, dim=-1).values.sum()\n"
    after = judged(finding(body), worker)
    assert any(math.isnan(point[0]) for point in asked(after.finding).before.expected)
    assert after.bugs == ()
