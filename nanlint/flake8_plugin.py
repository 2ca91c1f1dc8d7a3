"""nanlint inside flake8, which does the selecting, the `# noqa` and the per-file ignores itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from nanlint import __version__

if TYPE_CHECKING:
    import argparse
    import ast

    from nanlint.config import Config


class Plugin:
    """What flake8 makes for each file; nothing but the version is imported before one is run."""

    name = "nanlint"
    version = __version__
    _config: ClassVar[Config | None] = None

    def __init__(self, tree: ast.Module, lines: Sequence[str], filename: str) -> None:
        """`lines` are those of the file, without byte order mark, and `tree` is what flake8 has parsed."""
        self._tree = tree
        self._text = "".join(lines)
        self._filename = filename

    @classmethod
    def add_options(cls, parser: Any) -> None:
        """Register the options with flake8's `OptionManager`, and the codes that are off by default."""
        from nanlint.config import CONFIDENCES, DTYPES, OFF_BY_DEFAULT

        parser.add_option(
            "--nanlint-dtype",
            default="float32",
            parse_from_config=True,
            help=f"The dtype of tensors whose code names none: {', '.join(DTYPES)}. (Default: %(default)s)",
        )
        parser.add_option(
            "--nanlint-confidence",
            default="medium",
            parse_from_config=True,
            help=f"The lowest confidence that is shown: {', '.join(CONFIDENCES)}. (Default: %(default)s)",
        )
        parser.add_option(
            "--nanlint-assume",
            default="",
            parse_from_config=True,
            help="Ranges that are believed, such as: self.scale > 0, 0 <= softclamp() <= 1. (Default: none)",
        )
        parser.extend_default_ignore(sorted(OFF_BY_DEFAULT))

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Take the options over; raises flake8's ExecutionError for a value that is not allowed.

        They are checked here since flake8 checks the choices of the command line only.
        """
        from nanlint.config import CONFIDENCES, DTYPES, OFF_BY_DEFAULT, Config, assumptions
        from nanlint.finding import Confidence

        dtype = _one_of("nanlint-dtype", options.nanlint_dtype, DTYPES)
        confidence = _one_of("nanlint-confidence", options.nanlint_confidence, CONFIDENCES)
        try:
            assume = assumptions(options.nanlint_assume)
        except ValueError as error:
            raise _refusal("nanlint-assume", str(error)) from error
        # what flake8 would throw away need not be found out: it is costly
        ignore = tuple(code for code in sorted(OFF_BY_DEFAULT) if not _is_wanted(code, options))
        cls._config = Config(
            select=("NAN",), ignore=ignore, dtype=dtype, confidence=Confidence(confidence), assume=assume
        )

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Line from 1, column from 0, code and message, and this class, for each finding."""
        from nanlint.config import Config
        from nanlint.engine import check
        from nanlint.report import one_line
        from nanlint.source import Source

        config = self._config or Config(select=("NAN",))
        source = Source(self._filename, self._text)
        for finding in check(source, config, noqa=False, fixes=False, tree=self._tree):
            start, message = finding.span.start, one_line(finding.message)
            yield start.line, start.column - 1, f"{finding.code} {message}", type(self)


def _one_of(option: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise _refusal(option, f"{value!r} is not allowed; allowed: {', '.join(allowed)}")
    return value


def _refusal(option: str, reason: str) -> Exception:
    from flake8.exceptions import ExecutionError  # type: ignore[import-untyped]

    refusal: Exception = ExecutionError(f"{option}: {reason}")
    return refusal


def _is_wanted(code: str, options: argparse.Namespace) -> bool:
    """Whether flake8 will show this code anywhere."""
    from flake8.style_guide import Decision, DecisionEngine  # type: ignore[import-untyped]

    return bool(DecisionEngine(options).decision_for(code) is Decision.Selected)
