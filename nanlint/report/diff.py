"""What `--fix` would do to a file, as a unified diff that `patch -p0` and `git apply -p0` take."""

from __future__ import annotations

import difflib
import os
import re
from typing import Any

from nanlint.report import Look

_UNFINISHED = b"\n\\ No newline at end of file\n"
_STYLES: dict[bytes, dict[str, Any]] = {
    b"+++": {"bold": True},
    b"---": {"bold": True},
    b"@@": {"fg": "cyan"},
    b"+": {"fg": "green"},
    b"-": {"fg": "red"},
}


def unified(path: str, before: bytes, after: bytes) -> bytes:
    """The difference between two contents of a file, in the file's own encoding; empty without one."""
    name = os.fsencode(path)
    name += b"\t" if b" " in name else b""  # as git writes names that hold spaces
    lines = difflib.diff_bytes(difflib.unified_diff, _lines(before), _lines(after), name, name)
    return b"".join(line if line.endswith(b"\n") else line + _UNFINISHED for line in lines)


def painted(diff: bytes, look: Look) -> bytes:
    """`diff` with its lines in colour, where the look has colours."""
    return b"".join(_painted(line, look) for line in _lines(diff))


def _painted(line: bytes, look: Look) -> bytes:
    style = next((style for prefix, style in _STYLES.items() if line.startswith(prefix)), {})
    text = line.rstrip(b"\r\n")
    # latin-1 gives the bytes of any encoding back
    return look.paint(text.decode("latin-1"), **style).encode("latin-1") + line[len(text) :]


def _lines(data: bytes) -> list[bytes]:
    """The lines as patch counts them: each ends behind a line feed, nowhere else."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)
