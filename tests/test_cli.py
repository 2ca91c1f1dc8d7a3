"""The command line as a process: what it prints, what it writes, how it exits."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from nanlint import __version__
from nanlint.cli import command
from nanlint.config import Config
from nanlint.rules import registry
from nanlint.run import Request, run

BAD = """\
import torch


def root(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x > 0, x.sqrt(), 0.0)
"""
PLACE = "5:12: NAN101 "
UNFIXABLE = """

def louder(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.maximum(x.log(), y)
"""
SOUND = "import torch\n\nx = torch.zeros(3)\n"
BROKEN = "import torch\n\ndef f(:\n"
COLOR = "\x1b["

# Colour and tracebacks must not depend on who runs the tests.
ENVIRONMENT = {
    **{
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "FORCE_COLOR", "NANLINT_DEBUG")
    },
    "PYTHONPATH": str(Path(__file__).parents[1]),
    "TERM": "xterm",
}

NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Ran:
    """What a process left behind."""

    status: int
    out: str
    err: str

    @property
    def places(self) -> list[tuple[str, str]]:
        """Path and code of each finding of a concise or text report."""
        return re.findall(r"^(\S+?):(?:cell )?\d.*? (NAN\d+) ", self.out, re.MULTILINE)


def nanlint(*arguments: str, stdin: bytes = b"", environment: Mapping[str, str] = NOTHING) -> Ran:
    """Run nanlint in the current folder."""
    process = subprocess.run(
        [sys.executable, "-m", "nanlint", *arguments],
        input=stdin,
        capture_output=True,
        env={**ENVIRONMENT, **environment},
        timeout=120,
    )
    return Ran(process.returncode, process.stdout.decode(), process.stderr.decode())


def start(*arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Start nanlint in the current folder, with stderr in a pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", "nanlint", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        # a shell ignores interruptions for what it runs in the background, and all below it would do so too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text("[tool.nanlint]\n", encoding="utf-8")
    return tmp_path


def write(name: str, text: str = BAD) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def configure(settings: str) -> None:
    write("pyproject.toml", f"[tool.nanlint]\n{settings}\n")


def notebook(*cells: str) -> str:
    """A notebook of one markdown cell and these."""
    written = [
        {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": c} for c in cells
    ]
    document = {
        "cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# Roots"]}, *written],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1) + "\n"


# Nothing to say, nothing to do


@pytest.mark.parametrize("mode", [[], ["--fix"], ["--diff"], ["--statistics"]])
def test_a_sound_project_passes_and_stays_as_it_is(mode: list[str]) -> None:
    file = write("a.py", SOUND)
    ran = nanlint(*mode)
    assert (ran.status, ran.out + ran.err) == (0, "All checks passed.\n")
    assert file.read_text() == SOUND


def test_an_empty_folder_passes_with_a_word_of_warning() -> None:
    assert nanlint() == Ran(
        0, "All checks passed.\n", "nanlint: there are no Python files or notebooks to check\n"
    )


def test_quiet_says_nothing_of_a_sound_project() -> None:
    write("a.py", SOUND)
    assert nanlint("-q") == Ran(0, "", "")


def test_sound_code_from_stdin_comes_back() -> None:
    assert nanlint("--fix", "-", stdin=SOUND.encode()) == Ran(0, SOUND, "All checks passed.\n")
    assert nanlint("--diff", "-", stdin=SOUND.encode()) == Ran(0, "", "All checks passed.\n")
    assert nanlint("-", stdin=b"") == Ran(0, "All checks passed.\n", "")


@pytest.mark.parametrize("output_format", ["json", "sarif", "github"])
def test_formats_for_programs_have_no_summary(output_format: str) -> None:
    write("a.py", SOUND)
    ran = nanlint("--output-format", output_format)
    assert ran.status == 0
    assert "passed" not in ran.out + ran.err


# Findings


def test_a_finding_is_shown_with_code_input_and_repair() -> None:
    write("src/a.py")
    ran = nanlint()
    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith(f"src/a.py:{PLACE}")
    assert "5 |     return torch.where(x > 0, x.sqrt(), 0.0)\n  |            ^^^^^^^" in ran.out
    assert "= at x = 0.0: value 0.0, gradient of x is nan\n" in ran.out
    assert "5 | +     return torch.where(x > 0, torch.where(x > 0, x, 1.0).sqrt(), 0.0)\n" in ran.out
    assert ran.out.endswith("Found 1 finding (1 fixable with --fix).\n")


def test_files_are_reported_in_their_order_and_named_as_given() -> None:
    for name in ("b.py", "a.py", "src/c.py"):
        write(name)
    concise = ("--output-format", "concise")
    assert nanlint(*concise).places == [(name, "NAN101") for name in ("a.py", "b.py", "src/c.py")]
    assert nanlint(*concise, "./src", "b.py").places == [("./src/c.py", "NAN101"), ("b.py", "NAN101")]


def test_quiet_leaves_the_findings() -> None:
    write("a.py")
    ran = nanlint("--quiet", "--output-format", "concise")
    assert ran.status == 1
    assert len(ran.out.splitlines()) == 1
    assert ran.out.startswith(f"a.py:{PLACE}")


def test_exit_zero_is_for_findings() -> None:
    write("a.py")
    ran = nanlint("--exit-zero")
    assert (ran.status, ran.places) == (0, [("a.py", "NAN101")])
    assert nanlint("--exit-zero", "--diff").status == 0


def test_json_is_all_that_is_on_stdout() -> None:
    write("a.py")
    ran = nanlint("--output-format", "json")
    (found,) = json.loads(ran.out)
    assert (ran.status, ran.err) == (1, "")
    assert (found["code"], found["path"], found["line"], found["column"]) == ("NAN101", "a.py", 5, 12)
    assert found["witness"] == {"inputs": {"x": 0.0}, "value": 0.0, "gradient": {"x": "nan"}}


def test_statistics_take_the_place_of_the_report() -> None:
    write("a.py")
    write("b.py", BROKEN)
    ran = nanlint("--statistics")
    assert ran.status == 1
    assert ran.out.splitlines() == [
        "1  NAN101  [*]  where",
        "1  NAN901  [ ]  not-analysed",
        "Found 2 findings (1 fixable with --fix).",
    ]


def test_a_notebook_is_reported_by_cells_and_repaired() -> None:
    file = write("n.ipynb", notebook("%matplotlib inline\n" + BAD))
    before = json.loads(file.read_text())
    assert nanlint("--output-format", "concise").out.startswith("n.ipynb:cell 2:6:12: NAN101 ")
    assert nanlint("--fix").status == 0
    after = json.loads(file.read_text())
    assert "torch.where(x > 0, x, 1.0).sqrt()" in "".join(after["cells"][1].pop("source"))
    assert after["cells"][1] == {k: v for k, v in before["cells"][1].items() if k != "source"}
    assert after["cells"][0] == before["cells"][0]


def test_many_files_are_checked_in_several_processes_with_the_same_report() -> None:
    names = sorted(f"f{number}.py" for number in range(60))
    for name in names:
        write(name, BROKEN if name == "f7.py" else BAD)
    ran = nanlint("--output-format", "concise")
    assert ran.places == [(name, "NAN901" if name == "f7.py" else "NAN101") for name in names]
    assert ran.out.endswith("Found 60 findings (59 fixable with --fix).\n")
    # one processor has nothing to share, and few files are not worth a process
    assert ("concurrent" in imported()) is ((os.cpu_count() or 1) > 1)
    assert "concurrent" not in imported("f1.py")


# Files that cannot be analysed


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        pytest.param(BROKEN.encode(), "3:7", "invalid syntax", id="syntax"),
        pytest.param(b"import torch\nx = '\xff'\n", "2:6", "utf-8", id="encoding"),
        pytest.param(b"import torch\nx = 1\x00\n", "2:6", r"character '\x00'", id="null byte"),
    ],
)
def test_a_broken_file_is_a_finding_and_the_others_are_checked(data: bytes, place: str, reason: str) -> None:
    write("a.py")
    Path("b.py").write_bytes(data)
    write("c.py")
    ran = nanlint("--output-format", "concise")
    assert (ran.status, ran.err) == (1, "")
    first, second, third, _ = ran.out.splitlines()
    assert (first[:5], third[:5]) == ("a.py:", "c.py:")
    assert second.startswith(f"b.py:{place}: NAN901 ")
    assert reason in second


@pytest.mark.parametrize("mode", ["--fix", "--diff"])
def test_a_broken_file_does_not_keep_the_others_from_being_fixed(mode: str) -> None:
    files = {name: write(name, text) for name, text in (("a.py", BAD), ("b.py", BROKEN))}
    ran = nanlint(mode)
    assert ran.status == 1
    assert "b.py:3:7: NAN901" in ran.out + ran.err
    assert (files["a.py"].read_text() == BAD) is (mode == "--diff")
    assert files["b.py"].read_text() == BROKEN


def test_broken_code_from_stdin_comes_back_from_fix() -> None:
    data = b"import torch\nx = '\xff'\n"
    process = subprocess.run(
        [sys.executable, "-m", "nanlint", "--fix", "-"], input=data, capture_output=True, env=ENVIRONMENT
    )
    assert (process.returncode, process.stdout) == (1, data)
    assert b"-:2:6: NAN901 " in process.stderr


# Fixes


def test_fix_writes_and_reports_what_remains() -> None:
    file = write("a.py", BAD + UNFIXABLE)
    ran = nanlint("--fix", "--output-format", "concise")
    assert (ran.status, ran.places) == (1, [("a.py", "NAN105")])
    assert ran.out.endswith("Fixed 1, 1 remaining.\n")
    assert file.read_text() == BAD.replace("x.sqrt()", "torch.where(x > 0, x, 1.0).sqrt()") + UNFIXABLE


def test_a_second_fix_changes_nothing() -> None:
    file = write("a.py")
    assert nanlint("--fix") == Ran(0, "Fixed 1, 0 remaining.\n", "")
    fixed = file.read_bytes()
    assert nanlint("--fix") == Ran(0, "All checks passed.\n", "")
    assert file.read_bytes() == fixed


def test_a_diff_is_what_fix_would_do_and_writes_nothing() -> None:
    file = write("src/a.py", BAD.replace("\n", "\r\n"))
    write("b.py", SOUND)
    before = file.read_bytes()
    ran = nanlint("--diff", "--fix")
    assert (ran.status, ran.err) == (1, "Would fix 1, 0 remaining.\n")
    assert file.read_bytes() == before
    nanlint("--fix")
    fixed = file.read_bytes()
    file.write_bytes(before)
    subprocess.run(["git", "apply", "-p0", "-"], input=ran.out.encode(), check=True, capture_output=True)
    assert file.read_bytes() == fixed != before


def test_a_diff_with_nothing_to_change_still_tells_of_findings() -> None:
    write("a.py", BROKEN)
    ran = nanlint("--diff", "--output-format", "concise")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("a.py:3:7: NAN901 ")


def test_stdin_is_checked_fixed_and_compared() -> None:
    data = BAD.encode()
    named = ("--stdin-filename", "src/a.py", "-")
    assert nanlint(*named, stdin=data).places == [("src/a.py", "NAN101")]
    assert nanlint("-", stdin=data).places == [("-", "NAN101")]
    fixed = nanlint("--fix", *named, stdin=data)
    assert (fixed.status, fixed.err) == (0, "Fixed 1, 0 remaining.\n")
    assert fixed.out == BAD.replace("x.sqrt()", "torch.where(x > 0, x, 1.0).sqrt()")
    changes = nanlint("--diff", *named, stdin=data)
    assert (changes.status, changes.out.splitlines()[:2]) == (1, ["--- src/a.py", "+++ src/a.py"])


def test_stdin_can_be_a_notebook() -> None:
    ran = nanlint("--stdin-filename", "n.ipynb", "-", stdin=notebook(BAD).encode())
    assert ran.out.startswith("n.ipynb:cell 2:5:12: NAN101 ")


def test_the_bytes_of_stdin_survive_a_fix() -> None:
    data = b"# coding: latin-1\r\n" + BAD.replace("root", "r\xe9sum\xe9").replace("\n", "\r\n").encode(
        "latin-1"
    )
    process = subprocess.run(
        [sys.executable, "-m", "nanlint", "--fix", "-"], input=data, capture_output=True, env=ENVIRONMENT
    )
    assert process.stdout == data.replace(b"x.sqrt()", b"torch.where(x > 0, x, 1.0).sqrt()")


def test_the_style_of_a_fix_can_be_chosen() -> None:
    file = write("a.py")
    assert nanlint("--fix", "--fix-style", "indexed") == Ran(0, "Fixed 1, 0 remaining.\n", "")
    assert "out[mask] = x[mask].sqrt()\n" in file.read_text()


def test_a_file_that_cannot_be_written_is_told_of_and_left_alone() -> None:
    write("a.py")

    def forbid_writing() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # this holds for root, too

    process = subprocess.run(
        [sys.executable, "-B", "-m", "nanlint", "--fix", "--output-format", "concise"],
        capture_output=True,
        env=ENVIRONMENT,
        preexec_fn=forbid_writing,
    )
    assert process.returncode == 2
    assert process.stderr.decode() == f"nanlint: a.py: cannot be written: {os.strerror(errno.EFBIG)}\n"
    assert process.stdout.decode().startswith(f"a.py:{PLACE}")
    assert sorted(os.listdir()) == ["a.py", "pyproject.toml"]
    assert Path("a.py").read_text() == BAD


# Configuration


def test_the_command_line_overrides_the_file() -> None:
    write("a.py")
    configure("ignore = ['NAN101']")
    assert nanlint().status == 0
    assert nanlint("--select", "NAN101").places == [("a.py", "NAN101")]
    assert nanlint("--isolated").places == nanlint("--no-config").places == [("a.py", "NAN101")]
    configure("select = ['NAN1']")
    assert nanlint().places == [("a.py", "NAN101")]
    assert nanlint("--ignore", "NAN102,nan101").status == 0
    configure("")
    assert nanlint("--select", "NAN2", "--select", "NAN3, NAN102").status == 0


def test_codes_that_are_off_by_default_are_added_to_the_others() -> None:
    write("a.py")
    write("b.py", "import torch\n\n\ndef f(x):\n    return (x * x).sum().sqrt()\n")
    assert nanlint().places == nanlint("--select", "NAN1", "b.py", "a.py").places == [("a.py", "NAN101")]
    both = [("a.py", "NAN101"), ("b.py", "NAN302")]
    assert nanlint("--extend-select", "NAN302").places == both
    configure("extend-select = ['NAN3']")
    assert nanlint().places == both
    assert nanlint("--select", "NAN1").places == [("a.py", "NAN101")]
    assert nanlint("--ignore", "NAN302").places == [("a.py", "NAN101")]


def test_excluded_and_exempted_files_are_not_reported() -> None:
    for name in ("a.py", "gen/b.py", "tests/c.py", "old/d.py"):
        write(name)
    configure("exclude = ['gen/']\nper-file-ignores = {'tests/' = ['NAN1']}")
    assert nanlint("--exclude", "/old").places == [("a.py", "NAN101")]
    assert nanlint("gen/b.py", "tests/c.py").places == [("gen/b.py", "NAN101")]


def test_the_project_is_that_of_the_files_not_of_the_current_folder() -> None:
    write("elsewhere/pyproject.toml", "[tool.nanlint]\nignore = ['NAN101']\n")
    write("elsewhere/src/a.py")
    write("a.py")
    assert nanlint("elsewhere/src/a.py").status == 0
    assert nanlint("elsewhere").status == 0
    assert nanlint("elsewhere", "a.py").places == [("elsewhere/src/a.py", "NAN101"), ("a.py", "NAN101")]
    assert nanlint("--stdin-filename", "elsewhere/b.py", "-", stdin=BAD.encode()).status == 0


def test_a_configuration_file_can_be_named() -> None:
    write("a.py")
    write("strict.toml", "[tool.nanlint]\nignore = ['NAN101']\n")
    assert nanlint("--config", "strict.toml").status == 0


def test_confidence_and_dtype_reach_the_analysis() -> None:
    write("a.py", BAD.replace("x > 0, x.sqrt()", "x < 5, x.clamp(max=60).exp()"))
    assert nanlint().places == []
    assert nanlint("--dtype", "float16").places == [("a.py", "NAN201")]
    write("a.py", BAD.replace("x > 0", "torch.rand_like(x) > 0.5"))
    assert nanlint().places == [("a.py", "NAN101")]
    assert nanlint("--confidence", "high").places == []


# Wrong usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.py"], "Path 'none.py' does not exist"),
        (["--nope"], "--nope"),
        (["--output-format", "xml"], "'xml' is not one of 'text', 'concise', 'json', 'sarif', 'github'"),
        (["--select", "E501"], "'E501' is no code or prefix of one"),
        (["--extend-select", "NAN307"], "no code begins with NAN307; did you mean NAN30"),
        (["--select", "NAN107"], "no code begins with NAN107; did you mean NAN10"),
        (["--exclude", "[z-a]"], "bad character range"),
        (["--explain", "NAN11"], "there is no code NAN11; did you mean NAN1"),
        (["--config", "none.toml"], "none.toml' does not exist"),
        (["--config", "a.py"], "a.py: is no valid TOML"),
        (["--config", "pyproject.toml", "--isolated"], "--config contradicts --isolated"),
        (["--statistics", "--output-format", "json"], "--statistics needs --output-format text or concise"),
        (["-", "a.py"], "- (stdin) cannot go with other paths"),
        (["--stdin-filename", "a.py"], "--stdin-filename needs the path -"),
    ],
)
def test_wrong_usage_is_told_on_stderr_with_status_2(arguments: list[str], said: str) -> None:
    write("a.py")
    ran = nanlint(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "setting", ["colour = 'red'", "select = ['NAN107']", "per-file-ignores = {'a' = ['NAN4']}"]
)
def test_a_wrong_setting_is_wrong_usage(setting: str) -> None:
    write("a.py")
    configure(setting)
    ran = nanlint()
    assert (ran.status, ran.out) == (2, "")
    assert "Error: " in ran.err
    assert nanlint("--isolated").status == 1


# Defects and interruptions

DEFECTIVE = Config(dtype="float8")
"""There is no such dtype: `load` and the command line refuse it, the analysis has to fall over it."""


def test_a_defect_is_told_with_status_2_and_the_other_files_are_checked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NANLINT_DEBUG", raising=False)
    write("a.py")
    write("b.py", "import torch\n\x00")
    write("c.py", "x = 1\n")
    assert run(Request((".",), DEFECTIVE, exit_zero=True)) == 2
    out, err = capsys.readouterr()
    assert out.startswith("b.py:2:1: NAN901 ")
    assert err.startswith("nanlint: internal error: a.py: KeyError: 'float8'\n")
    assert "please report it" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("verbose", "variable"), [(True, None), (False, "1")])
def test_the_traceback_of_a_defect_is_shown_on_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verbose: bool, variable: str | None
) -> None:
    monkeypatch.delenv("NANLINT_DEBUG", raising=False)
    if variable:
        monkeypatch.setenv("NANLINT_DEBUG", variable)
    write("a.py")
    assert run(Request((".",), DEFECTIVE, verbose=verbose)) == 2
    out, err = capsys.readouterr()
    assert "passed" not in out
    assert "Traceback (most recent call last):" in err
    assert err.count("please report it") == 1


def test_a_defect_does_not_swallow_the_code_on_stdin() -> None:
    code = (
        "import sys; from nanlint.config import Config; from nanlint.run import Request, run;"
        "sys.exit(run(Request(('-',), Config(dtype='float8'), mode='fix', stdin='-')))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], input=BAD.encode(), capture_output=True, env=ENVIRONMENT
    )
    assert (process.returncode, process.stdout) == (2, BAD.encode())


def test_a_reader_that_goes_away_is_no_defect() -> None:
    write("a.py")
    read, written = os.pipe()
    os.close(read)
    process = start(stdout=written)
    os.close(written)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, b"")


def test_an_interruption_is_quiet() -> None:
    os.mkfifo("pipe")
    process = start("pipe")
    with open("pipe", "wb"):  # it opens as soon as nanlint reads
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, b"", b"")


def test_an_interruption_ends_all_processes() -> None:
    os.mkfifo("pipe")
    files = [f"file_{index}.py" for index in range(60)]
    for name in files:
        write(name)
    process = start("--jobs", "2", "pipe", *files)
    with open("pipe", "wb"):
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, b"", b"")


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_the_number_of_processes_makes_no_difference(output_format: str) -> None:
    for index in range(30):
        write(f"file_{index}.py", (BAD, SOUND)[index % 2])
    one, two, many = (nanlint("--jobs", n, "--output-format", output_format) for n in ("1", "2", "5"))
    assert one.status == 1
    assert one.out.count("NAN101") >= 15
    assert one == two == many


# Colour


def on_terminal(arguments: Sequence[str], **environment: str) -> str:
    """What nanlint prints on a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nanlint", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**ENVIRONMENT, **environment},
    )
    os.close(theirs)
    read = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            chunk = os.read(ours, 4096)
        except OSError:  # how Linux tells that nobody writes any more
            break
        if not chunk:
            break
        read += chunk
    process.wait(timeout=60)
    os.close(ours)
    return read.decode()


@pytest.mark.parametrize(
    ("arguments", "environment", "colored"),
    [
        ([], {}, True),
        (["--output-format", "concise"], {}, True),
        (["--diff"], {}, True),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"NO_COLOR": ""}, True),
        ([], {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ([], {"TERM": "dumb"}, False),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--output-format", "json"], {}, False),
        (["--output-format", "github"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_a_terminal_gets_colours_unless_it_must_not(
    arguments: list[str], environment: dict[str, str], colored: bool
) -> None:
    write("a.py")
    printed = on_terminal(arguments, **environment)
    assert "a.py" in printed
    # the bar that shows how far a slow run is hides the cursor, which is no colour
    assert (re.search(r"\x1b\[[\d;]*m", printed) is not None) is colored


@pytest.mark.parametrize(
    ("arguments", "environment", "colored"),
    [
        ([], {}, False),
        (["--diff"], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": ""}, False),
        (["--color", "always"], {}, True),
        (["--color", "always", "--diff"], {}, True),
    ],
)
def test_a_pipe_gets_colours_only_on_request(
    arguments: list[str], environment: dict[str, str], colored: bool
) -> None:
    write("a.py")
    ran = nanlint(*arguments, environment=environment)
    assert ran.status == 1
    assert (COLOR in ran.out) is colored


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_code_that_the_terminal_cannot_show_is_escaped(encoding: str) -> None:
    write("a.py", BAD.replace("root", "名前").replace("0.0)", "0.0)  # 値"))
    ran = nanlint(environment={"PYTHONIOENCODING": encoding})
    assert (ran.status, ran.err) == (1, "")
    assert "# \\u5024" in ran.out


def test_a_file_name_that_is_no_text_is_shown_escaped() -> None:
    name = os.fsdecode(b"a\xff.py")
    write(name)
    ran = nanlint("--output-format", "concise")
    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith(f"a\\udcff.py:{PLACE}")
    assert json.loads(nanlint("--output-format", "json").out)[0]["path"] == name


# Help and speed


def test_help_names_every_option() -> None:
    ran = nanlint("-h")
    assert (ran.status, ran.err) == (0, "")
    assert ran == nanlint("--help")
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    assert {name for name in options if name not in ran.out} == set()
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))


@pytest.mark.parametrize("code", ["NAN101", "nan101"])
def test_explain_prints_the_page_of_a_rule(code: str) -> None:
    rule = registry()["NAN101"]
    assert nanlint("--explain", code) == Ran(0, f"NAN101 {rule.name}: {rule.summary}\n\n{rule.docs}\n", "")


def test_the_command_answers_clicks_own_runner_too() -> None:
    write("a.py")
    result = CliRunner().invoke(command, ["--output-format", "concise"])
    assert result.exit_code == 1
    assert result.output.startswith(f"a.py:{PLACE}")


@pytest.mark.parametrize("arguments", [["--version"], ["--quiet", "--version"]])
def test_the_version_is_printed(arguments: list[str]) -> None:
    assert nanlint(*arguments) == Ran(0, f"nanlint {__version__}\n", "")


def imported(*arguments: str) -> set[str]:
    """The top-level packages that a run imports."""
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "nanlint", *arguments],
        capture_output=True,
        env=ENVIRONMENT,
    )
    names = re.findall(r"^import time: +\d+ \| +\d+ \| +([\w.]+)$", process.stderr.decode(), re.MULTILINE)
    return {name.partition(".")[0] for name in names}


def test_the_version_needs_no_other_package() -> None:
    packages = imported("--version")
    assert "nanlint" in packages
    assert packages & {"click", "flake8", "libcst", "numpy", "pathspec", "rich", "torch"} == set()


@pytest.mark.parametrize("mode", [[], ["--diff"], ["--output-format", "json"]])
def test_no_run_imports_torch(mode: list[str]) -> None:
    write("a.py")
    packages = imported(*mode)
    assert {"nanlint", "click"} <= packages
    assert packages & {"flake8", "libcst", "numpy", "torch"} == set()


def test_the_version_takes_at_most_five_times_as_long_as_python_itself() -> None:
    def fastest(*arguments: str) -> float:
        """The best of several runs, in seconds: the rest of them is the noise of the machine."""
        times = []
        for _ in range(10):
            began = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=ENVIRONMENT)
            times.append(time.perf_counter() - began)
        return min(times)

    assert fastest("-m", "nanlint", "--version") < 5 * fastest("-c", "pass")


def test_a_broken_file_that_is_named_is_told_even_without_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.py").write_text("def f(:\n")
    ran = nanlint("--output-format=concise", "broken.py")
    assert ran.out.startswith("broken.py:1:7: NAN901 ")
    assert ran.status == 1
