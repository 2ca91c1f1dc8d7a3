"""The garbage collector in a run over many files: it starts late, for little is left to it.

What is kept from file to file (digests, syntax trees) is in no circles, and an analysis takes its own apart. Started
each few hundred objects, the collector looks through all of it again and again, which takes a sixth of the whole time.
"""

from __future__ import annotations

import gc

MOST_YOUNG = 200_000
"""New objects after which it starts: some hundred files leave as many behind."""


def begin() -> None:
    """Before a run."""
    gc.set_threshold(MOST_YOUNG, 5, 5)
