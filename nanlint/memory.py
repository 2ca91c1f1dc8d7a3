"""The garbage collector in a run over many files: called by hand, for little of what it would look at is garbage.

What is kept from file to file (digests, syntax trees) is in no circles, and an analysis takes its own apart. Left to
itself the collector would look through all of it again and again, which takes a sixth of the whole time.
"""

from __future__ import annotations

import gc

_MOST_YOUNG = 1_000_000
"""New objects after which it starts by itself all the same: for one file that is larger than many."""
_FILES = 200
"""Files after which it is called."""
_counted = 0


def begin() -> None:
    """Before a run."""
    gc.set_threshold(_MOST_YOUNG, 20, 1_000)


def after_file() -> None:
    """After each file: now and then take away what is garbage, and keep the rest from being looked at again."""
    global _counted
    _counted += 1
    if _counted % _FILES == 0:
        gc.collect()
        gc.freeze()
