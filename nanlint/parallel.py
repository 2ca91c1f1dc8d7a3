"""The same work on many things in several processes: results in order, progress on a terminal, a clean end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

T = TypeVar("T")
R = TypeVar("R")

_FEW = 24
"""With fewer things for each, starting processes takes longer than they save."""
_LARGEST_CHUNK = 32
"""Neighbours go to one process, for files of one folder import one another; too many would leave the others idle."""
_PATIENCE = 1.5
"""Seconds without a sign of life that nobody minds."""


def processes(jobs: int | None, count: int) -> int:
    """How many processes to use for `count` things: `jobs`, or as many as there are processors and enough to do."""
    if jobs is None:
        return max(1, min(os.cpu_count() or 1, count // _FEW))
    return max(1, min(jobs, count))


def mapped(function: Callable[[T], R], things: Sequence[T], jobs: int) -> Iterator[R]:
    """`map` in so many processes, this one if it is one; whatever ends the iteration ends them as well.

    What they are at is finished first, so that nothing is left half done.
    """
    if jobs == 1:
        yield from map(function, things)
        return
    import multiprocessing  # here: it takes 20 ms, which is more than a few files take
    from concurrent.futures import ProcessPoolExecutor

    stop = multiprocessing.Event()
    chunk = max(1, min(_LARGEST_CHUNK, len(things) // (8 * jobs)))
    with ProcessPoolExecutor(jobs, initializer=_begin, initargs=(function, stop)) as pool:
        try:
            yield from pool.map(_next, things, chunksize=chunk)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


_WORK: list[Any] = []
"""In a worker process: what it does, and the sign to stop."""


def _begin(function: Callable[[Any], Any], stop: Event) -> None:
    """Start a worker; Ctrl-C is left to the main process, which then stops its workers."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _WORK[:] = [function, stop]


def _next(thing: Any) -> Any:
    function, stop = _WORK
    return None if stop.is_set() else function(thing)


def with_progress(results: Iterable[R], count: int, *, shown: bool) -> Iterator[R]:
    """The results, with a progress bar on stderr if it is `shown` and they take some time."""
    if not (shown and sys.stderr.isatty()) or os.environ.get("TERM") == "dumb":
        yield from results
        return
    import click

    started, done = time.monotonic(), 0
    iterator = iter(results)
    for result in iterator:
        yield result
        done += 1
        if done < count and time.monotonic() - started > _PATIENCE:
            break
    else:
        return
    with click.progressbar(length=count, file=sys.stderr, label="nanlint", show_pos=True) as bar:
        bar.update(done)
        for result in iterator:
            yield result
            bar.update(1)
