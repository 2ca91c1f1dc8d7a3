"""Writing a file so that it is always either the old one or the new one, whole."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress


def write(path: str, data: bytes) -> None:
    """Put `data` in the place of the content of an existing file.

    Mode bits stay, a symbolic link stays a link and its target is written. Raises OSError, with the file
    as it was and nothing left beside it: FileNotFoundError, PermissionError for a read-only file, or
    whatever the file system reports.
    """
    target = os.path.realpath(path)
    mode = stat.S_IMODE(os.stat(target).st_mode)
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    handle, temporary = tempfile.mkstemp(prefix=".nanlint-", dir=os.path.dirname(target))
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
