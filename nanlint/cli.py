"""The command line: reads the arguments, settles the configuration, and leaves the rest to `run`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nanlint import __version__, config
from nanlint.config import Config, ConfigError
from nanlint.finding import Confidence
from nanlint.report import FORMATS
from nanlint.run import COLORS, FOR_PEOPLE, Mode, Request, report_defect, run

if TYPE_CHECKING:
    from nanlint.rules import Rule

_Command = TypeVar("_Command", bound=Callable[..., Any])

STDIN = "-"


def main(arguments: Sequence[str]) -> int:
    """Run nanlint with these arguments; returns 0, 1 or 2 as documented, 130 after Ctrl-C."""
    try:
        # click returns the status of `context.exit` as it is
        return int(command.main(list(arguments), prog_name="nanlint", standalone_mode=False))
    except click.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except Exception as error:
        import traceback  # here, as below: only what goes wrong needs it

        report_defect(f"{type(error).__name__}: {error}", traceback.format_exc(), "--verbose" in arguments)
        return 2


def _codes(context: click.Context, option: click.Parameter, values: Sequence[str]) -> tuple[str, ...] | None:
    """The codes of a repeatable option, separated by commas; None if it is not given."""
    if not values:
        return None
    try:
        return config.codes([code for value in values for code in value.split(",") if code.strip()])
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _patterns(context: click.Context, option: click.Parameter, values: Sequence[str]) -> Sequence[str]:
    """.gitignore patterns as they are; raises BadParameter for one that cannot be read."""
    try:
        if values:
            config.patterns(tuple(values))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return values


def _explain(context: click.Context, option: click.Parameter, code: str | None) -> None:
    """Print the documentation of a code and exit; raises BadParameter for a code that does not exist."""
    if code is None or context.resilient_parsing:
        return
    rule = _rules().get(code.upper())
    if rule is None:
        raise click.BadParameter(f"there is no code {code}; {_nearest_codes(code)}")
    click.echo(f"{rule.code} {rule.name}: {rule.summary}\n\n{rule.docs}")
    context.exit()


def _rules() -> Mapping[str, Rule]:
    from nanlint.rules import registry  # here: a module for each code, which most runs need not read

    return registry()


def _nearest_codes(code: str) -> str:
    """The codes that resemble what is none, or all codes."""
    import difflib

    near = difflib.get_close_matches(code.upper(), _rules(), n=3)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(_rules())}"


_OPTIONS = (
    click.option("--fix", is_flag=True, help="Repair what can be repaired safely; report what remains."),
    click.option("--unsafe-fixes/--no-unsafe-fixes", default=None, help="Let --fix change what code does."),
    click.option("--diff", is_flag=True, help="Show what --fix would do; write nothing."),
    click.option("--fix-style", type=click.Choice(config.FIX_STYLES), help="The form of a repair."),
    click.option("--select", multiple=True, callback=_codes, metavar="CODES", help="Show only these codes."),
    click.option(
        "--extend-select", multiple=True, callback=_codes, metavar="CODES", help="Show these codes too."
    ),
    click.option("--ignore", multiple=True, callback=_codes, metavar="CODES", help="Hide these codes."),
    click.option(
        "--confidence", type=click.Choice(config.CONFIDENCES), help="The lowest confidence that is shown."
    ),
    click.option(
        "--dtype", type=click.Choice(config.DTYPES), help="The dtype of tensors whose code names none."
    ),
    click.option(
        "--exclude",
        multiple=True,
        callback=_patterns,
        metavar="PATTERN",
        help="Leave out what matches, in the form of .gitignore, relative to the project.",
    ),
    click.option("--confirm", is_flag=True, help="Let torch run what is found; needs nanlint[torch]."),
    click.option(
        "--config", "config_file", type=click.Path(exists=True, dir_okay=False), help="A TOML file to read."
    ),
    click.option("--isolated", "--no-config", is_flag=True, help="Read no pyproject.toml."),
    click.option(
        "--output-format", type=click.Choice(FORMATS), default="text", show_default=True, help="The report."
    ),
    click.option("--statistics", is_flag=True, help="Count the codes in place of a report."),
    click.option("-q", "--quiet", is_flag=True, help="Print findings only, no summary."),
    click.option("-v", "--verbose", is_flag=True, help="Print the traceback of an internal error."),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Check files in N processes; by default as many as there are processors, and enough files for.",
    ),
    click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings."),
    click.option(
        "--color", type=click.Choice(COLORS), default="auto", show_default=True, help="When to use colour."
    ),
    click.option("--stdin-filename", metavar="NAME", help="The name of what is read from stdin."),
    click.option(
        "--explain",
        metavar="CODE",
        callback=_explain,
        expose_value=False,
        is_eager=True,
        help="Say what a code means, and exit.",
    ),
    click.version_option(__version__, message="nanlint %(version)s"),
)


def _with_options(function: _Command) -> _Command:
    """`function` with all options, in the order of the help."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1, type=click.Path(exists=True, allow_dash=True, readable=False))
@_with_options
@click.pass_context
def command(context: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:
    """Find PyTorch code whose gradient is NaN although its value is fine.

    PATHS are files and folders, the current folder by default; - is stdin. CODES are separated by commas
    and may be prefixes, such as NAN1.

    Exit status: 0 nothing found, 1 findings (with --fix: that remain), 2 a usage or internal error.
    """
    paths = paths or (os.curdir,)
    _check_combination(paths, options)
    try:
        settings = _settings(paths, options)
        _check_codes(settings)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    context.exit(run(_request(paths, settings, options)))


def _has_torch() -> bool:
    from importlib.util import find_spec

    return find_spec("torch") is not None


def _check_combination(paths: tuple[str, ...], options: dict[str, Any]) -> None:
    """Raises UsageError for options that contradict one another."""
    contradictions = {
        "- (stdin) cannot go with other paths": STDIN in paths and len(paths) > 1,
        "--stdin-filename needs the path -": options["stdin_filename"] is not None and paths != (STDIN,),
        "--confirm contradicts --fix and --diff": options["confirm"] and (options["fix"] or options["diff"]),
        "--confirm needs torch: pip install nanlint[torch]": options["confirm"] and not _has_torch(),
        "--config contradicts --isolated": options["isolated"] and options["config_file"] is not None,
        "--statistics needs --output-format text or concise": options["statistics"]
        and options["output_format"] not in FOR_PEOPLE,
    }
    for complaint, holds in contradictions.items():
        if holds:
            raise click.UsageError(complaint)


def _settings(paths: tuple[str, ...], options: dict[str, Any]) -> Config:
    """The configuration file's settings, with those of the command line in their place.

    `--select` replaces `select`, `extend-select` and `ignore`; the others add. Raises ConfigError.
    """
    base = _from_file(paths, options)
    selected, ignored = options["select"], options["ignore"] or ()
    given: dict[str, Any] = {key: options[key] for key in ("dtype", "fix_style", "unsafe_fixes")}
    given["confidence"] = options["confidence"] and Confidence(options["confidence"])
    given["select"] = selected
    added = options["extend_select"] or ()
    given["ignore"] = ignored if selected is not None else base.ignore + ignored
    given["extend_select"] = added if selected is not None else base.extend_select + added
    given["exclude"] = base.exclude + tuple(options["exclude"])
    return replace(base, **{key: value for key, value in given.items() if value is not None})


def _check_codes(settings: Config) -> None:
    """Raises UsageError for a prefix that no code begins with: it would silently show or hide nothing."""
    exempted = (prefix for _, prefixes in settings.per_file_ignores for prefix in prefixes)
    prefixes = (*settings.select, *settings.extend_select, *settings.ignore, *exempted)
    if not prefixes:
        return
    known = (*_rules(), *config.OFF_BY_DEFAULT)
    for prefix in prefixes:
        if not any(code.startswith(prefix) for code in known):
            raise click.UsageError(f"no code begins with {prefix}; {_nearest_codes(prefix)}")


def _from_file(paths: tuple[str, ...], options: dict[str, Any]) -> Config:
    """The settings of `--config`, else of the project that holds all paths; raises ConfigError."""
    if options["isolated"]:
        return Config()
    if options["config_file"] is not None:
        return config.load_file(options["config_file"])
    if paths == (STDIN,):
        return config.load(options["stdin_filename"] or os.curdir)
    try:
        return config.load(os.path.commonpath([os.path.abspath(path) for path in paths]))
    except ValueError:  # several drives, on Windows
        return config.load(os.curdir)


def _request(paths: tuple[str, ...], settings: Config, options: dict[str, Any]) -> Request:
    """What is to be done; `--diff` is stronger than `--fix`."""
    mode: Mode = "diff" if options["diff"] else "fix" if options["fix"] else "check"
    stdin = (options["stdin_filename"] or STDIN) if paths == (STDIN,) else None
    kept = ("output_format", "statistics", "quiet", "verbose", "exit_zero", "color", "confirm", "jobs")
    return Request(paths, settings, mode, stdin=stdin, **{key: options[key] for key in kept})
