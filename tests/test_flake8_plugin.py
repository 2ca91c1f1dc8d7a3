"""nanlint as a plugin of the installed flake8: the command line's findings under flake8's own rules."""

from __future__ import annotations

import codecs
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flake8.options.parse_args import parse_args  # type: ignore[import-untyped]
from flake8.style_guide import Decision, DecisionEngine  # type: ignore[import-untyped]

from nanlint.config import OFF_BY_DEFAULT, Config
from nanlint.finding import Confidence
from nanlint.flake8_plugin import Plugin

ROOT = Path(__file__).parents[1]
FIXTURES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("fixtures/*/*.py"))
GAMMA = (ROOT / "fixtures" / "nan101" / "bad_gamma_curve.py").read_text(encoding="utf-8")
FORMAT = "%(path)s:%(row)d:%(col)d: %(code)s"


def flake8(*arguments: str, folder: Path = ROOT, stdin: str = "") -> list[str]:
    """The lines that flake8 prints."""
    command = [sys.executable, "-m", "flake8", f"--format={FORMAT}", *arguments]
    run = subprocess.run(command, cwd=folder, input=stdin, capture_output=True, text=True, encoding="utf-8")
    assert not run.stderr
    return run.stdout.splitlines()


def nanlint(*arguments: str) -> list[str]:
    """The findings of the command line in the same form."""
    command = [sys.executable, "-m", "nanlint", "--isolated", "--output-format=json", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert not run.stderr
    return [
        f"{each['path']}:{each['line']}:{each['column']}: {each['code']}" for each in json.loads(run.stdout)
    ]


@pytest.fixture
def gamma(tmp_path: Path) -> Path:
    """A folder with one file in which there is NAN101."""
    (tmp_path / "a.py").write_text(GAMMA, encoding="utf-8")
    return tmp_path


@pytest.fixture
def _defaults() -> Iterator[None]:
    """flake8 keeps a plugin's options on its class."""
    yield
    parse_args(["--isolated"])


def test_sound_files_are_silent(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\n\nx = torch.zeros(3)\n")
    (tmp_path / "b.py").write_text("")
    assert flake8("--isolated", "--select=NAN", ".", folder=tmp_path) == []


def test_flake8_knows_the_plugin() -> None:
    run = subprocess.run([sys.executable, "-m", "flake8", "--version"], capture_output=True, text=True)
    assert f"nanlint: {Plugin.version}" in run.stdout


def test_importing_the_plugin_imports_nothing_else() -> None:
    code = (
        "import nanlint.flake8_plugin, sys; print(*sorted(name for name in sys.modules if 'nanlint' in name))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["nanlint", "nanlint.flake8_plugin"]


@pytest.mark.parametrize(
    ("arguments", "code", "decision"),
    [
        ([], "NAN101", Decision.Selected),
        ([], "NAN901", Decision.Selected),
        ([], "NAN302", Decision.Ignored),
        ([], "NAN303", Decision.Ignored),
        (["--extend-select=NAN302"], "NAN302", Decision.Selected),
        (["--extend-select=NAN302"], "NAN303", Decision.Ignored),
        (["--select=NAN"], "NAN303", Decision.Selected),
        (["--extend-ignore=NAN1"], "NAN101", Decision.Ignored),
    ],
)
@pytest.mark.usefixtures("_defaults")
def test_codes_are_on_and_off_as_flake8_decides(arguments: list[str], code: str, decision: Decision) -> None:
    _, options = parse_args(["--isolated", *arguments])
    assert DecisionEngine(options).decision_for(code) is decision


@pytest.mark.usefixtures("_defaults")
def test_what_flake8_would_not_show_is_not_looked_for() -> None:
    parse_args(["--isolated"])
    assert Plugin._config is not None
    assert not any(map(Plugin._config.selects, OFF_BY_DEFAULT))
    parse_args(["--isolated", "--extend-select=NAN302"])
    assert {code for code in OFF_BY_DEFAULT if Plugin._config.selects(code)} == {"NAN302"}


@pytest.mark.usefixtures("_defaults")
def test_the_codes_that_are_off_by_default_are_those_of_the_command_line() -> None:
    _, options = parse_args(["--isolated"])
    off = {code for code in OFF_BY_DEFAULT if DecisionEngine(options).decision_for(code) is Decision.Ignored}
    assert off == OFF_BY_DEFAULT


@pytest.mark.usefixtures("_defaults")
def test_options_come_from_the_command_line_and_the_configuration_file(tmp_path: Path) -> None:
    config = tmp_path / ".flake8"
    config.write_text(
        "[flake8]\nnanlint-dtype = float16\nnanlint_confidence = low\nnanlint-assume = x > 0, 0 <= f() <= 1\n"
    )
    off = tuple(sorted(OFF_BY_DEFAULT))
    given = replace(Config(select=("NAN",), ignore=off, dtype="float16"), assume=("x > 0", "0 <= f() <= 1"))
    parse_args(["--config", str(config)])
    assert Plugin._config == replace(given, confidence=Confidence.LOW)
    parse_args(["--config", str(config), "--nanlint-confidence=high"])
    assert Plugin._config == replace(given, confidence=Confidence.HIGH)
    parse_args(["--isolated"])
    assert Plugin._config == Config(select=("NAN",), ignore=off)
    parse_args(["--isolated", "--extend-select=NAN3,NAN903"])
    assert Plugin._config == Config(select=("NAN",))


@pytest.mark.parametrize("option", ["nanlint-dtype", "nanlint-confidence"])
def test_values_that_are_not_allowed_are_named(tmp_path: Path, option: str) -> None:
    (tmp_path / ".flake8").write_text(f"[flake8]\n{option} = float8\n")
    for arguments in ([], ["--isolated", f"--{option}=float8"]):
        report = flake8(*arguments, ".", folder=tmp_path)
        assert "There was a critical error during execution of Flake8:" in report
        assert any(line.startswith(f"{option}: 'float8' is not allowed; allowed:") for line in report)


def test_a_finding_is_reported_once(gamma: Path) -> None:
    assert re.fullmatch(
        r"a\.py:\d+:12: NAN101", "".join(flake8("--isolated", "--select=NAN", "a.py", folder=gamma))
    )


def test_comments_and_ignores_are_flake8s(gamma: Path) -> None:
    (shown,) = flake8("--isolated", "--select=NAN", "a.py", folder=gamma)
    assert flake8("--isolated", "--select=NAN", "--per-file-ignores=a.py:NAN1", ".", folder=gamma) == []
    assert flake8("--isolated", "--select=NAN", "--extend-ignore=NAN101", ".", folder=gamma) == []
    (gamma / "a.py").write_text(GAMMA.replace("# NAN101", "# noqa: NAN101"), encoding="utf-8")
    assert flake8("--isolated", "--select=NAN", "a.py", folder=gamma) == []
    assert flake8("--isolated", "--select=NAN", "--disable-noqa", "a.py", folder=gamma) == [shown]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["", "byte order mark"])
def test_lines_and_columns_do_not_depend_on_the_form_of_the_file(
    tmp_path: Path, newline: str, mark: bytes
) -> None:
    start = '    return "😀é" and '
    text = '"""é😀"""\n\x0c\n' + GAMMA.replace("    return ", start)
    line = next(number for number, each in enumerate(text.split("\n"), 1) if each.startswith(start))
    path = str(tmp_path / "a.py")
    Path(path).write_bytes(mark + text.replace("\n", newline).encode())
    assert flake8("--isolated", "--select=NAN", path) == [f"{path}:{line}:{len(start) + 1}: NAN101"]
    assert nanlint("--select=NAN", path) == [f"{path}:{line}:{len(start) + 1}: NAN101"]


def test_stdin_is_checked(gamma: Path) -> None:
    (shown,) = flake8("--isolated", "--select=NAN", "a.py", folder=gamma)
    arguments = ("--isolated", "--select=NAN", "--stdin-display-name=a.py", "-")
    assert flake8(*arguments, folder=gamma, stdin=GAMMA) == [shown]


def test_what_does_not_parse_is_left_to_flake8(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = (\n")
    codes = {line.split()[-1] for line in flake8("--isolated", "--select=NAN,E9", "a.py", folder=tmp_path)}
    assert codes & {"E999", "E902"}
    assert "NAN901" not in codes


def test_flake8_and_the_command_line_agree_on_all_fixtures() -> None:
    paths = [path for path in FIXTURES if not is_beyond_flake8(path)]
    expected = nanlint("--select=NAN", *paths)
    assert sorted(flake8("--isolated", "--select=NAN", *paths)) == sorted(expected)
    claims = [
        path
        for path in paths
        if re.search(rb"  # NAN[12]", (ROOT / path).read_bytes())
        and b'CONFIDENCE = "low"' not in (ROOT / path).read_bytes()
        and not is_form(path)
    ]
    assert len(claims) > 60
    assert set(claims) <= {finding.split(":")[0] for finding in expected}


def is_form(path: str) -> bool:
    """Whether the file is a fixed form: its markers are those of the file that it was made from."""
    return path.endswith((".fixed.py", ".indexed.py"))


def is_beyond_flake8(path: str) -> bool:
    """Whether flake8 itself, or its pyflakes, gives up on the file before nanlint is asked."""
    return path.startswith("fixtures/hostile/broken_") or path == "fixtures/hostile/long_chain.py"
