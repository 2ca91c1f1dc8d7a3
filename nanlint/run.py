"""One run over all files: check, fix or diff each, report on them, and tell the exit status."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, TextIO

import click

from nanlint import engine, memory
from nanlint.config import Config
from nanlint.discovery import discover
from nanlint.parallel import mapped, processes, with_progress
from nanlint.report import Checked, Look, render, summary
from nanlint.source import AnalysisError, Source, from_bytes, parse, read

if TYPE_CHECKING:
    import ast

Mode = Literal["check", "fix", "diff"]
COLORS = ("auto", "always", "never")
FOR_PEOPLE = ("text", "concise")
"""The formats with a summary at the end."""

BROKEN_PIPE = 141
"""The exit status that a shell gives for a reader that went away."""


@dataclass(frozen=True)
class Request:
    """What the command line asks for; `stdin` is the name of what is read there, None for files."""

    paths: tuple[str, ...]
    config: Config
    mode: Mode = "check"
    stdin: str | None = None
    output_format: str = "text"
    statistics: bool = False
    quiet: bool = False
    verbose: bool = False
    exit_zero: bool = False
    color: str = "auto"
    confirm: bool = False
    jobs: int | None = None
    """In how many processes; None for as many as pay."""

    @property
    def output_is_code(self) -> bool:
        """Whether stdout carries a diff or the fixed text, and so the report goes to stderr."""
        return self.mode == "diff" or (self.mode == "fix" and self.stdin is not None)


@dataclass(frozen=True)
class Trouble:
    """Why a file could not be dealt with though nothing is wrong in it."""

    message: str
    traceback: str = ""
    """Of a defect of nanlint; empty where the outside world is the cause."""


@dataclass(frozen=True)
class Outcome:
    """What came of one file: its findings, the fixes made, and its content before and after them."""

    checked: Checked
    fixed: int = 0
    before: bytes = b""
    after: bytes = b""
    trouble: Trouble | None = None


def run(request: Request) -> int:
    """Do what is asked and print the report; returns 0, 1 or 2 as documented, 141 for a broken pipe."""
    memory.begin()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # names and code may not fit the encoding of the terminal
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(request)
    except BrokenPipeError:
        _discard_output()
        return BROKEN_PIPE


def wants_color(choice: str, stream: TextIO) -> bool:
    """Whether to print colours: as chosen, else as NO_COLOR and FORCE_COLOR say, else on terminals."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def report_defect(message: str, trace: str, verbose: bool) -> None:
    """Tell on stderr of a defect of nanlint; with the traceback if it is wanted."""
    click.echo(f"nanlint: internal error: {message}", err=True)
    if verbose or os.environ.get("NANLINT_DEBUG"):
        click.echo(trace, err=True, nl=False)
        click.echo("This is a bug in nanlint; please report it with the above.", err=True)
    else:
        click.echo("This is a bug in nanlint; please report it with the output of --verbose.", err=True)


def _run(request: Request) -> int:
    outcomes = _confirmed(_outcomes(request), request)
    stream = sys.stderr if request.output_is_code else sys.stdout
    look = Look(wants_color(request.color, stream), request.config.unsafe_fixes)
    _print_code(outcomes, request)
    _print_report(outcomes, request, look)
    _print_troubles(outcomes, request)
    return _status(outcomes, request)


def _confirmed(outcomes: list[Outcome], request: Request) -> list[Outcome]:
    """With `--confirm`, what is left of the findings after torch was asked; one process runs all of them."""
    if not request.confirm:
        return outcomes
    from nanlint.confirm import confirmed

    made = []
    for outcome, (findings, bugs) in confirmed(outcomes, lambda outcome: outcome.checked.findings):
        for bug in bugs:
            report_defect(f"{outcome.checked.path}: torch disagrees: {bug}", "", request.verbose)
        shown = tuple(filter(request.config.shows, findings))
        made.append(replace(outcome, checked=replace(outcome.checked, findings=shown)))
    return made


def _status(outcomes: Sequence[Outcome], request: Request) -> int:
    if any(outcome.trouble for outcome in outcomes):
        return 2
    found = any(outcome.checked.findings for outcome in outcomes)
    would_change = request.mode == "diff" and any(outcome.before != outcome.after for outcome in outcomes)
    return int((found or would_change) and not request.exit_zero)


def _outcomes(request: Request) -> list[Outcome]:
    """The outcome of every file, in the order of the files."""
    if request.stdin is not None:
        data = sys.stdin.buffer.read()
        return [_outcome(request, request.stdin, data)]
    files = discover(request.paths, request.config)
    if not files:
        click.echo("nanlint: there are no Python files or notebooks to check", err=True)
    jobs = processes(request.jobs, len(files))
    results = mapped(partial(_outcome, request), files, jobs)
    return list(with_progress(results, len(files), shown=not request.quiet))


def _outcome(request: Request, path: str, data: bytes | None = None) -> Outcome:
    """Deal with one file, or with `data` in its place; a defect of nanlint leaves the other files alone."""
    try:
        source = read(path) if data is None else from_bytes(path, data)
        tree = None
        if (data is not None or path in request.paths) and source.notebook is None:
            tree = parse(source.text)  # even where it holds nothing for the analysis
        return _checked(source, tree, request) if request.mode == "check" else _fixed(source, request)
    except AnalysisError as error:
        findings = tuple(filter(request.config.shows, [engine.failure(path, error)]))
        return Outcome(Checked(path, None, findings), before=data or b"", after=data or b"")
    except Exception as error:
        import traceback  # here: only a defect needs it

        message = f"{path}: {type(error).__name__}: {error}"
        trouble = Trouble(message, traceback.format_exc())
        return Outcome(Checked(path, None, ()), before=data or b"", after=data or b"", trouble=trouble)


def _checked(source: Source, tree: ast.Module | None, request: Request) -> Outcome:
    findings = tuple(engine.check(source, request.config, tree=tree, analyse=_analyser(request)))
    # without findings nobody needs the text: a large project would fill the memory with it
    return Outcome(Checked(source.path, source if findings else None, findings))


def _analyser(request: Request) -> engine.Analyse | None:
    """What looks for findings; with `--confirm`, each brings what torch is to be asked."""
    if not request.confirm:
        return None
    from nanlint.confirm.experiment import analyse

    return analyse


def _fixed(source: Source, request: Request) -> Outcome:
    result = engine.fix(source, request.config)
    before, after = source.to_bytes(), result.source.to_bytes()
    if request.mode == "fix" and request.stdin is None and before != after:
        from nanlint.writing import write  # here: few runs write

        try:
            write(source.path, after)
        except OSError as error:
            findings = tuple(engine.check(source, request.config))
            trouble = Trouble(f"{source.path}: cannot be written: {error.strerror or error}")
            return Outcome(Checked(source.path, source, findings), trouble=trouble)
    checked = Checked(source.path, result.source, tuple(result.remaining))
    return Outcome(checked, result.fixed, before, after)


def _print_code(outcomes: Sequence[Outcome], request: Request) -> None:
    """The diff, or the fixed text of stdin: bytes, since they are in the encoding of the file."""
    if not request.output_is_code:
        return
    from nanlint.report import diff  # here: few runs print code

    output = sys.stdout.buffer
    look = Look(wants_color(request.color, sys.stdout))
    for outcome in outcomes:
        if request.mode == "diff":
            changes = diff.unified(outcome.checked.path, outcome.before, outcome.after)
            output.write(diff.painted(changes, look))
        else:
            output.write(outcome.after)
    output.flush()


def _print_report(outcomes: Sequence[Outcome], request: Request, look: Look) -> None:
    """The findings and, for people, the summary."""
    files = [outcome.checked for outcome in outcomes]
    troubled = any(outcome.trouble for outcome in outcomes)
    clean = not any(file.findings for file in files)
    if not (clean and request.output_format in FOR_PEOPLE):  # people are told nothing of nothing
        report = render("statistics" if request.statistics else request.output_format, files, look)
        click.echo(report, err=request.output_is_code, color=look.color)
    if request.output_format in FOR_PEOPLE and not request.quiet and not (troubled and clean):
        fixed = sum(outcome.fixed for outcome in outcomes)
        sentence = summary(files, look, fixed, would=request.mode == "diff")
        click.echo(sentence, err=request.output_is_code)


def _print_troubles(outcomes: Sequence[Outcome], request: Request) -> None:
    for outcome in outcomes:
        trouble = outcome.trouble
        if trouble is not None and trouble.traceback:
            report_defect(trouble.message, trouble.traceback, request.verbose)
        elif trouble is not None:
            click.echo(f"nanlint: {trouble.message}", err=True)


def _discard_output() -> None:
    """Let the interpreter flush its streams at exit into nothing, or it would complain of the broken pipe."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
