"""What may be spent on one file and on one function: counts of work, so that every run on every machine does the same.

A step is one value of a graph looked at once, some tenths of a microsecond.
"""

from __future__ import annotations

A_STATEMENT = 100
"""Steps that running one statement counts for."""
_OF_A_FUNCTION, _OF_ITS_LINES = 5_000_000, 40_000
_ASIDE = 400_000
"""Steps for what called functions drop of what a function has computed."""
_OF_A_FILE, _OF_ALL_LINES = 15_000_000, 16_000
"""Steps for any function or file, and for each of its lines: far more than code that people write takes."""


class Exhausted(Exception):
    """A function or a file takes more steps than it may."""


class Budget:
    """The steps that are left for a file of some lines, and for the function at hand."""

    def __init__(self, lines: int) -> None:
        self._file = _OF_A_FILE + _OF_ALL_LINES * lines
        self._function = self._file

    def begin(self, lines: int) -> None:
        """Start on a function of some lines."""
        self._function = min(self._file, _OF_A_FUNCTION + _OF_ITS_LINES * lines)

    def begin_aside(self) -> None:
        """Start on what is only looked at as far as it goes."""
        self._function = min(self._file, _ASIDE)

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left for the file."""
        return self._file < 0

    def spend(self, steps: int) -> None:
        """Take steps off what is left; raises Exhausted if it was not as much."""
        self._file -= steps
        self._function -= steps
        if self._function < 0:
            raise Exhausted
