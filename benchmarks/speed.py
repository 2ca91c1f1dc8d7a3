"""How fast nanlint is, next to the tools that people know, in one run on one machine.

usage: python benchmarks/speed.py CHECKOUT ... [--sample N] [--lines N ...] [--only PART ...]

Prints tables in Markdown. The yardstick is `ast.parse` of the same files. Of what is slower than that by far (libcst,
TorchFix, flake8), only a sample of the files is asked; the sample is spread evenly over them. Times are CPU seconds of
one process, of which the smallest of three is taken where a run is short; tools that are not installed are left out.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import generated

_ASK = [sys.executable, "-c"]
_PARSE = """
import ast, sys, warnings
warnings.simplefilter("ignore")
for line in open(sys.argv[1]):
    try:
        ast.parse(open(line.rstrip("\\n"), "rb").read())
    except (SyntaxError, ValueError, RecursionError):
        pass
"""
_LIBCST = (
    _PARSE.replace("import ast,", "import libcst,")
    .replace("ast.parse(open", "libcst.parse_module(open")
    .replace("except (SyntaxError, ValueError, RecursionError)", "except Exception")
)
_NANLINT = [sys.executable, "-m", "nanlint", "--isolated", "--output-format", "concise", "--exit-zero"]
_SHORT = 2.0


@dataclass(frozen=True)
class Took:
    """What one run took: seconds of CPU time and of the clock, and the largest memory in MB."""

    cpu: float
    wall: float
    memory: float


def once(command: Sequence[str], **environment: str) -> Took:
    """Run a command without its output."""
    started = time.perf_counter()
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere, env={**os.environ, **environment})
        _, _, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    return Took(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def took(command: Sequence[str], **environment: str) -> Took:
    """The best of three runs, of one if that is long."""
    runs = [once(command, **environment)]
    while len(runs) < 3 and runs[0].cpu < _SHORT:
        runs.append(once(command, **environment))
    return min(runs, key=lambda run: run.cpu)


def has(module: str) -> bool:
    """Whether a module is installed."""
    return (
        once([*_ASK, f"import {module}"]).cpu > 0
        and not subprocess.run([*_ASK, f"import {module}"], capture_output=True, check=False).returncode
    )


def row(*cells: object) -> None:
    """A row of a table."""
    print(
        "|",
        " | ".join(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in cells),
        "|",
        flush=True,
    )


def table(*heads: str) -> None:
    """The head of a table."""
    print()
    row(*heads)
    row(*("---" for _ in heads))


def start_up(files: Sequence[pathlib.Path], folder: pathlib.Path) -> None:
    """How long it takes to say that there is nothing to find, against an interpreter that does nothing."""
    plain, discarded, found = (folder / name for name in ("plain.py", "discarded.py", "found.py"))
    plain.write_text("def f(x):\n    return x\n")
    discarded.write_text("import torch\n\n\ndef f(x):\n    return torch.where(x > 0, x, 0.0)\n")
    found.write_text("import torch\n\n\ndef f(x):\n    return torch.where(x > 0, x.sqrt(), 0.0)\n")
    base = took([*_ASK, "pass"]).cpu
    table("start-up", "ms", "times `python -c pass`")
    commands = {
        "`python -c pass`": [*_ASK, "pass"],
        "`nanlint --version`": [sys.executable, "-m", "nanlint", "--version"],
        "a file without torch": [*_NANLINT, str(plain)],
        "a file that triage discards": [*_NANLINT, str(discarded)],
        "a file with a finding": [*_NANLINT, str(found)],
        "`import click`": [*_ASK, "import click"],
        "`import libcst`": [*_ASK, "import libcst"],
    }
    for name, command in commands.items():
        cpu = took(command).cpu
        row(name, f"{cpu * 1e3:.0f}", f"{cpu / base:.1f}")


def tree(files: Sequence[pathlib.Path], folder: pathlib.Path) -> None:
    """All files, one process each."""
    listed = _listed(files, folder / "all.txt")
    parse = took([*_ASK, _PARSE, listed]).cpu
    size = sum(file.stat().st_size for file in files) / 1e6
    table(f"{len(files)} files, {size:.0f} MB", "CPU s", "times `ast.parse`", "MB of memory")
    paths = _copied(files, folder / "tree")
    commands: dict[str, tuple[list[str], dict[str, str]]] = {
        "`ast.parse`": ([*_ASK, _PARSE, listed], {}),
        "`nanlint --jobs 1`": ([*_NANLINT, "--jobs", "1", paths], {}),
    }
    if shutil.which("ruff"):
        options = ["check", "--isolated", "--no-cache", "--exit-zero", paths]
        commands["`ruff check`, one thread"] = (["ruff", *options], {"RAYON_NUM_THREADS": "1"})
    for name, (command, environment) in commands.items():
        one = took(command, **environment)
        row(name, one.cpu, one.cpu / parse, f"{one.memory:.0f}")
    alone, together = (once([*_NANLINT, "--jobs", jobs, paths]).wall for jobs in ("1", "2"))
    print(
        f"\n`--jobs 2` is {alone / together:.2f} times as fast as `--jobs 1` ({alone:.1f} s and {together:.1f} s)."
    )


def sample(files: Sequence[pathlib.Path], folder: pathlib.Path) -> None:
    """A sample, for tools that are slow."""
    listed, paths = _listed(files, folder / "sample.txt"), _copied(files, folder / "sample")
    flake8 = [sys.executable, "-m", "flake8", "--isolated", "--jobs", "1", "--exit-zero", paths]
    commands = {
        "`ast.parse`": [*_ASK, _PARSE, listed],
        "`nanlint`": [*_NANLINT, "--jobs", "1", paths],
        "`libcst.parse_module`": [*_ASK, _LIBCST, listed],
        "`torchfix`": ["torchfix", "--select", "ALL", paths],
        "`flake8`": [*flake8, "--extend-ignore", "NAN", "--disable-noqa"],
        "`flake8` with nanlint": flake8,
    }
    table(f"a sample of {len(files)} files", "CPU s", "times `ast.parse`")
    base = 0.0
    for name, command in commands.items():
        if shutil.which(command[0]) is None or ("libcst" in name and not has("libcst")):
            continue
        cpu = took(command).cpu
        base = base or cpu
        row(name, cpu, cpu / base)


def long_files(lines: Sequence[int], folder: pathlib.Path) -> None:
    """Generated files, against libcst: time for each line, and memory."""
    table("generated", "lines", "nanlint, CPU s", "µs a line", "times libcst", "memory, times libcst's")
    for name, made in generated.LONG.items():
        for count in lines:
            file = folder / f"{name}.py"
            file.write_text(made(count))
            ours, theirs = _against_libcst(file, folder)
            row(name, count, ours.cpu, f"{ours.cpu / count * 1e6:.0f}", *_ratios(ours, theirs))


def deep_files(folder: pathlib.Path) -> None:
    """Generated files with deep nesting: none of them may hold a run."""
    table("nested", "depth", "nanlint, CPU s", "times libcst", "memory, times libcst's")
    for name, made in generated.DEEP.items():
        for depth in (10, 50, 90):
            file = folder / f"{name}.py"
            file.write_text(made(depth))
            ours, theirs = _against_libcst(file, folder)
            row(name, depth, ours.cpu, *_ratios(ours, theirs))


def _against_libcst(file: pathlib.Path, folder: pathlib.Path) -> tuple[Took, Took]:
    return took([*_NANLINT, str(file)]), took([*_ASK, _LIBCST, _listed([file], folder / "one.txt")])


def _ratios(ours: Took, theirs: Took) -> tuple[float, float]:
    return ours.cpu / theirs.cpu, ours.memory / theirs.memory


def _listed(files: Sequence[pathlib.Path], into: pathlib.Path) -> str:
    into.write_text("".join(f"{file}\n" for file in files))
    return str(into)


def _copied(files: Sequence[pathlib.Path], folder: pathlib.Path) -> str:
    """The files under another folder, each below its own project, so that all tools are given the same ones."""
    top = pathlib.Path(os.path.commonpath([str(file) for file in files]))
    top = top if top.is_dir() else top.parent
    for file in files:
        target = folder / file.relative_to(top)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return str(folder)


def python_files(folders: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """The Python files of some checkouts, in the order of their paths."""
    found = (file for folder in folders for file in folder.resolve().rglob("*.py"))
    return sorted(file for file in found if file.is_file() and not file.is_symlink())


def main(argv: list[str]) -> int:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkouts", nargs="+", type=pathlib.Path)
    parser.add_argument("--sample", type=int, default=300, metavar="N")
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--only", nargs="+", choices=["start-up", "tree", "sample", "long", "deep"])
    args = parser.parse_args(argv)
    files = python_files(args.checkouts)
    some = files[:: max(1, len(files) // args.sample)]
    parts: dict[str, Callable[[pathlib.Path], None]] = {
        "start-up": lambda folder: start_up(files, folder),
        "tree": lambda folder: tree(files, folder),
        "sample": lambda folder: sample(some, folder),
        "long": lambda folder: long_files(args.lines, folder),
        "deep": deep_files,
    }
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors")
    for name in args.only or parts:
        with tempfile.TemporaryDirectory() as folder:
            parts[name](pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
