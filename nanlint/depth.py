"""How deep calls may lie in one another while a file is analysed.

A value that is made in three hundred steps, one of the other (`y = y + 1`), is asked about by rules that ask of what it
is made of, each by way of a few calls. Python's own limit of 1000 is too low for that; a much higher one would let its
compiler, which is asked for the scopes of names, run out of stack.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

DEEPEST = 3000


@contextmanager
def deeper() -> Iterator[None]:
    """Allow calls to be nested more deeply, and put the limit back behind that."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
