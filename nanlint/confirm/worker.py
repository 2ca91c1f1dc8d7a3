"""The process that runs torch: started when it is first asked, with a time limit, and again after a failure."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Any

START = 300.0
"""Seconds that importing torch may take."""
ANSWER = 20.0
"""Seconds that one program may take."""
_ROOT = str(Path(__file__).parents[2])
# the first entry of the path would be the current folder, in which there may be anything, such as a torch.py
_CODE = (
    f"import runpy, sys; sys.path[0] = {_ROOT!r}; "
    "runpy.run_module('nanlint.proof.confirm', run_name='__main__', alter_sys=True)"
)


class Failure(Exception):
    """There is no answer; the text says why."""


class Worker:
    """Asks a process that has torch; used as a context manager, which ends it."""

    def __init__(self, start: float = START, answer: float = ANSWER) -> None:
        self._limits = start, answer
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._refusal: Failure | None = None
        self.version = ""
        """Of torch; empty before the first question."""

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to one question; raises Failure where there is none within the time limit."""
        process = self._started()
        assert process.stdin is not None
        try:
            print(json.dumps(question), file=process.stdin, flush=True)
        except OSError as error:
            self._end()
            raise Failure("the process with torch has ended") from error
        return self._answer(self._limits[1])

    def _started(self) -> subprocess.Popen[str]:
        if self._refusal is not None:
            raise self._refusal
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _CODE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
            )
            self._lines = queue.SimpleQueue()
            reading = (self._process.stdout, self._lines)
            threading.Thread(target=_forward, args=reading, daemon=True).start()
            self.version = self._greeting()
        return self._process

    def _greeting(self) -> str:
        """The version of torch; a process that cannot even say that is not started again."""
        try:
            return str(self._answer(self._limits[0])["torch"]).partition("+")[0]
        except Failure as failure:
            self._refusal = failure
            raise

    def _answer(self, seconds: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            self._end()
            raise Failure(f"it took more than {seconds:g} seconds") from None
        if not line:
            self._end()
            raise Failure("the process with torch has ended")
        found: dict[str, Any] = json.loads(line)
        return found

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _forward(stream: IO[str], lines: queue.SimpleQueue[str]) -> None:
    """Pass the lines of a process on; an empty one at its end."""
    for line in stream:
        lines.put(line)
    lines.put("")
