"""Several processes give what one gives, in the same order, and end when they are no longer wanted."""

from __future__ import annotations

import multiprocessing
import os
import pty
import subprocess
import sys

import pytest

from nanlint.parallel import mapped, processes, with_progress

NUMBERS = list(range(100))


def squared(number: int) -> int:
    if number < 0:
        raise ValueError(number)
    return number * number


def test_nothing_to_do() -> None:
    assert list(mapped(squared, [], 1)) == []
    assert list(mapped(squared, [], 2)) == []
    assert processes(None, 0) == processes(4, 0) == 1


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_results_keep_their_order(jobs: int) -> None:
    assert list(mapped(squared, NUMBERS, jobs)) == [number * number for number in NUMBERS]


def test_a_few_things_are_not_worth_a_process() -> None:
    assert processes(None, 10) == 1
    assert processes(3, 10) == 3
    assert processes(30, 10) == 10
    assert processes(None, 10_000) == (os.cpu_count() or 1)


def test_an_error_ends_all_processes() -> None:
    with pytest.raises(ValueError, match="-1"):
        list(mapped(squared, [*NUMBERS, -1, *NUMBERS], 2))
    assert multiprocessing.active_children() == []


def test_whoever_stops_listening_ends_all_processes() -> None:
    results = mapped(squared, NUMBERS, 2)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


# Progress

SLOW = """
import time
from nanlint.parallel import with_progress
slow = (time.sleep(0.4) or number for number in range(6))
print(list(with_progress(slow, 6, shown={shown})))
"""
RESULTS = b"[0, 1, 2, 3, 4, 5]"


def on_terminal(code: str) -> tuple[bytes, bytes]:
    """What a program prints to stdout, and to stderr if that is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    out, _ = process.communicate(timeout=60)
    try:
        err = os.read(ours, 1 << 16)
    except OSError:  # nothing was written, and nobody is there any more
        err = b""
    os.close(ours)
    return out.strip(), err


def test_nobody_is_told_of_progress_unless_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(with_progress(iter(NUMBERS), len(NUMBERS), shown=True)) == NUMBERS
    assert capsys.readouterr() == ("", "")


def test_nobody_is_told_of_progress_who_does_not_want_to_be() -> None:
    assert on_terminal(SLOW.format(shown=False)) == (RESULTS, b"")


def test_a_short_run_says_nothing_of_its_progress() -> None:
    assert on_terminal(SLOW.format(shown=True).replace("0.4", "0.0")) == (RESULTS, b"")


def test_the_last_thing_is_not_waited_for_with_a_bar() -> None:
    one = (
        SLOW.format(shown=True)
        .replace("0.4", "1.6")
        .replace("range(6)", "range(1)")
        .replace("slow, 6", "slow, 1")
    )
    assert on_terminal(one) == (b"[0]", b"")


def test_a_dumb_terminal_gets_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert on_terminal(SLOW.format(shown=True)) == (RESULTS, b"")


def test_a_long_run_says_how_far_it_has_come() -> None:
    out, err = on_terminal(SLOW.format(shown=True))
    assert out == RESULTS
    assert b"6/6" in err
