"""What `--fix` would do to a file, as a unified diff that `patch -p0` and `git apply -p0` take."""

from __future__ import annotations

import difflib
import os
import re

from nanlint.report import Look

_STYLES = {b"+++": "bold", b"---": "bold", b"@@": "cyan", b"+": "green", b"-": "red"}


def unified(path: str, before: bytes, after: bytes) -> bytes:
    """The difference between two contents of a file, in the file's own encoding; empty without one."""
    name = os.fsencode(path)
    name += b"\t" if b" " in name else b""  # as git writes names that hold spaces
    lines = difflib.diff_bytes(difflib.unified_diff, _lines(before), _lines(after), name, name)
    return b"".join(
        line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in lines
    )


def painted(diff: bytes, look: Look) -> bytes:
    """`diff` with its lines in colour, where the look has colours."""
    return b"".join(_painted(line, look) for line in _lines(diff))


def _painted(line: bytes, look: Look) -> bytes:
    style = next((style for prefix, style in _STYLES.items() if line.startswith(prefix)), None)
    if style is None:
        return line
    # latin-1 keeps bytes of any encoding as they are
    kwargs = {"bold": True} if style == "bold" else {"fg": style}
    return look.paint(line.rstrip(b"\r\n").decode("latin-1"), **kwargs).encode("latin-1") + _ending(line)


def _ending(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]


def _lines(data: bytes) -> list[bytes]:
    """The lines as patch counts them: each ends behind a line feed, nowhere else."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)
