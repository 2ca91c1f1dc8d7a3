"""Which findings are shown and how they are repaired: the values of `[tool.nanlint]` in pyproject.toml."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from nanlint.finding import Confidence, Finding

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

DTYPES = ("float64", "float32", "bfloat16", "float16")
LEAST_INTRUSIVE = "least-intrusive"
FIX_STYLES = (
    LEAST_INTRUSIVE,
    "double-where",
    "masked-fill",
    "indexed",
    "index-first",
    "index-fill",
    "bound-first",
    "ask-first",
)
"""The forms of a repair; whichever is asked for, another one is made where it is not sound."""
CONFIDENCES = tuple(confidence.value for confidence in Confidence)
OFF_BY_DEFAULT = frozenset({"NAN301", "NAN302", "NAN303", "NAN903"})
WITHOUT_SELECTOR = frozenset({"NAN302", "NAN303"})
"""Codes that need no selector: where one is selected, no file can be passed over for want of one."""
UNDROPPED = WITHOUT_SELECTOR | {"NAN301"}
"""Codes that are about no dropped operand."""
UNUSED_ASSUMPTION = "NAN903"
UNANALYSABLE = "NAN901"
"""Shown whatever is selected, unless it is ignored: a file that was not analysed must not look clean."""

_PREFIX = re.compile(r"NAN[0-9]{0,3}")


class ConfigError(Exception):
    """A setting that cannot be used; the text names the file, the key and what is allowed."""


@dataclass(frozen=True)
class Config:
    """The settings of one run; every sequence of codes holds prefixes such as `NAN1`.

    `select` empty means all codes but those of `OFF_BY_DEFAULT`; `extend_select` adds to either.
    `per_file_ignores` pairs a glob with the codes to ignore below it, a glob that starts with `!` standing for
    all other files. `exclude` adds to the usual exclusions. Globs are those of .gitignore and relative to
    `root`. `confidence` is the lowest shown. `assume` holds ranges of names, attributes and call results that
    are believed, such as `self.scale > 0`.
    """

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()
    confidence: Confidence = Confidence.MEDIUM
    dtype: str = "float32"
    fix_style: str = LEAST_INTRUSIVE
    unsafe_fixes: bool = False
    assume: tuple[str, ...] = ()
    root: str = "."

    def shows(self, finding: Finding) -> bool:
        """Whether the finding's code is selected, its confidence high enough, its file not exempt."""
        return (
            finding.confidence.rank <= self.confidence.rank
            and self.selects(finding.code)
            and not self._exempts(finding.path, finding.code)
        )

    def selects(self, code: str) -> bool:
        """Whether `code` is selected: the longest prefix that names it wins, in a tie that of `ignore`."""
        named = _longest((*self.select, *self.extend_select), code)
        return max(named, self._base(code)) > _longest(self.ignore, code)

    @property
    def looks_beyond_selectors(self) -> bool:
        """Whether a code is selected that a file without any selector may have."""
        return any(map(self.selects, WITHOUT_SELECTOR))

    @property
    def looks_at_positions(self) -> bool:
        """Whether slices and the like are looked at, of which all findings are unlikely."""
        return self.confidence is Confidence.LOW

    def _base(self, code: str) -> int:
        """0 for a code that is shown without being named in `select`, -1 for any other."""
        named_only = bool(self.select) or code in OFF_BY_DEFAULT
        return -1 if named_only and code != UNANALYSABLE else 0

    def _exempts(self, path: str, code: str) -> bool:
        """Whether one of the per-file ignores that hold for `path` names `code`."""
        return any(
            code.startswith(prefixes) and _holds(glob, relative(path, self.root))
            for glob, prefixes in self.per_file_ignores
        )


def load(start: str) -> Config:
    """The settings of the nearest pyproject.toml with a `[tool.nanlint]`, from `start` upward.

    `start` is a file or a folder and need not exist. Without such a file: the defaults, with `root` as ".".
    Raises ConfigError for a file that cannot be read and for a key or value that is not allowed.
    """
    folder = os.path.abspath(start)
    if not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    while True:
        file = os.path.join(folder, "pyproject.toml")
        table = _table(file) if os.path.isfile(file) else None
        if table is not None:
            return _config(table, file)
        parent = os.path.dirname(folder)
        if parent == folder:
            return Config()
        folder = parent


def load_file(file: str) -> Config:
    """The settings of `[tool.nanlint]` in this TOML file, whatever its name; raises ConfigError as `load`."""
    table = _table(file)
    if table is None:
        raise ConfigError(f"{file}: there is no [tool.nanlint] in this file")
    return _config(table, os.path.abspath(file))


def codes(values: Sequence[str]) -> tuple[str, ...]:
    """The code prefixes in `values`, in upper case; raises ValueError for what can be no prefix."""
    prefixes = tuple(value.strip().upper() for value in values)
    for prefix, value in zip(prefixes, values, strict=True):
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(f"{value!r} is no code or prefix of one, such as NAN, NAN1 or NAN101")
    return prefixes


def relative(path: str, root: str) -> str:
    """`path` seen from `root`, with `/` between its parts."""
    try:
        return os.path.relpath(path, root).replace(os.sep, "/")
    except ValueError:  # another drive, on Windows
        return path.replace(os.sep, "/")


@cache
def patterns(globs: tuple[str, ...]) -> GitIgnoreSpec:
    """The compiled form of .gitignore patterns; raises ValueError for a pattern that cannot be read."""
    from pathspec import GitIgnoreSpec  # here, since most runs have no pattern to match: 15 ms saved

    try:
        return GitIgnoreSpec.from_lines(globs)
    except re.error as error:  # pathspec lets it through for a range such as [z-a]
        raise ValueError(f"{error} in {', '.join(globs)}") from error


def _longest(prefixes: Sequence[str], code: str) -> int:
    """The length of the longest of `prefixes` that `code` begins with, -1 without one."""
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)


def _holds(glob: str, path: str) -> bool:
    """Whether a per-file glob, possibly negated by `!`, is meant for `path`."""
    return patterns((glob.removeprefix("!"),)).match_file(path) != glob.startswith("!")


def _table(file: str) -> Mapping[str, object] | None:
    """The `[tool.nanlint]` of a TOML file, None if it has none; raises ConfigError if it cannot be read."""
    # `tomli` is the same module for Python 3.10; imported here, since not every run has a file to read
    toml: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        with open(file, "rb") as stream:
            tool = toml.load(stream).get("tool", {})
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are both of this kind
        raise ConfigError(f"{file}: is no valid TOML: {error}") from error
    table = tool.get("nanlint") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{file}: tool.nanlint: expected a table, not {table!r}")
    return table


def _config(table: Mapping[str, object], file: str) -> Config:
    """The Config for a table's keys and values; raises ConfigError for one that is not allowed."""
    settings: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise ConfigError(f"{file}: [tool.nanlint] has no key {key!r}; {_nearest(key, tuple(_KEYS))}")
        try:
            settings[key.replace("-", "_")] = _KEYS[key](value)
        except ValueError as error:
            raise ConfigError(f"{file}: [tool.nanlint] {key}: {error}") from error
    return replace(Config(root=os.path.dirname(file)), **settings)


def _nearest(word: str, allowed: Sequence[str]) -> str:
    """What to say of a word that is none of `allowed`: the nearest one if it is near, else all of them."""
    import difflib  # here: only a mistake needs it

    near = difflib.get_close_matches(word, allowed, n=1)
    said = f"allowed: {', '.join(allowed)}"
    return f"did you mean {near[0]!r}? ({said})" if near else said


def _one_of(allowed: Sequence[str]) -> Callable[[object], str]:
    """A reader of strings out of `allowed`; it raises ValueError for any other value."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"expected a string, not {value!r}; allowed: {', '.join(allowed)}")
        if value not in allowed:
            raise ValueError(f"{value!r} is not allowed; {_nearest(value, allowed)}")
        return value

    return read


def _strings(value: object) -> tuple[str, ...]:
    """A list of strings; raises ValueError for any other value."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"expected a list of strings, not {value!r}")
    return tuple(value)


def _codes(value: object) -> tuple[str, ...]:
    """A list of code prefixes; raises ValueError for any other value."""
    return codes(_strings(value))


def _globs(value: object) -> tuple[str, ...]:
    """A list of .gitignore patterns; raises ValueError for any other value."""
    globs = _strings(value)
    patterns(globs)
    return globs


def _per_file(value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A table from globs to lists of code prefixes; raises ValueError for any other value."""
    if not isinstance(value, dict):
        raise ValueError(f"expected a table from globs to lists of codes, not {value!r}")
    for glob in value:
        patterns((glob.removeprefix("!"),))
    return tuple((glob, _codes(prefixes)) for glob, prefixes in value.items())


def _assumptions(value: object) -> tuple[str, ...]:
    """A table from names to ranges; raises ValueError for any other value."""
    from nanlint.assume.conditions import setting  # here: few configurations have any

    if not isinstance(value, dict):
        raise ValueError(f"expected a table from names to ranges, not {value!r}")
    return tuple(setting(target, region) for target, region in value.items())


def assumptions(text: str) -> tuple[str, ...]:
    """Assumptions in the syntax of comments; raises ValueError for one that is no range of one name."""
    if not text.strip():
        return ()
    from nanlint.assume.conditions import conditions, setting_of

    found = conditions(" ".join(text.split()), methods=True)
    return tuple(setting_of(condition.text).text for condition in found)


def _boolean(value: object) -> bool:
    """true or false; raises ValueError for any other value."""
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, not {value!r}")
    return value


_KEYS: Mapping[str, Callable[[object], object]] = {
    "select": _codes,
    "extend-select": _codes,
    "ignore": _codes,
    "per-file-ignores": _per_file,
    "exclude": _globs,
    "confidence": lambda value: Confidence(_one_of(CONFIDENCES)(value)),
    "dtype": _one_of(DTYPES),
    "fix-style": _one_of(FIX_STYLES),
    "unsafe-fixes": _boolean,
    "assume": _assumptions,
}
