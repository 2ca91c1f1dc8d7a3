"""Writing a file: all or nothing, and only the content changes."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nanlint.writing import write


def test_the_content_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old" * 100)
    write(str(path), b"new\r\n\x00")
    assert path.read_bytes() == b"new\r\n\x00"
    assert os.listdir(tmp_path) == ["a.py"]


def test_a_relative_path_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_bytes(b"old")
    write("a.py", b"new")
    assert Path("a.py").read_bytes() == b"new"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o4755])
def test_the_mode_stays(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    path.chmod(mode)
    write(str(path), b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link, further = tmp_path / "there" / "a.py", tmp_path / "b.py", tmp_path / "c.py"
    target.write_bytes(b"old")
    link.symlink_to(Path("there") / "a.py")
    further.symlink_to(link)
    write(str(further), b"new")
    assert (target.read_bytes(), link.is_symlink(), further.is_symlink()) == (b"new", True, True)
    assert os.listdir(tmp_path / "there") == ["a.py"]


def test_an_absent_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write(str(tmp_path / "a.py"), b"new")
    assert os.listdir(tmp_path) == []


def test_a_folder_is_an_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "a.py").mkdir()
    with pytest.raises(OSError, match="directory"):
        write(str(tmp_path / "a.py"), b"new")
    assert os.listdir(tmp_path) == ["a.py"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write(str(path), b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.py"]


WRITE = """
import os, sys
from nanlint.writing import write

if os.getuid() == 0:  # root may write everywhere
    os.setgroups([])
    os.setuid(int(sys.argv[2]))
try:
    write(sys.argv[1], b"new")
except PermissionError as error:
    print("refused:", error)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that any user can reach, unlike `tmp_path`."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.mark.parametrize(("of_folder", "of_file"), [(0o755, 0o444), (0o555, 0o644)], ids=["file", "folder"])
def test_what_is_read_only_stays(folder: Path, of_folder: int, of_file: int) -> None:
    path = folder / "a.py"
    path.write_bytes(b"old")
    user = os.getuid() or 65534
    for each, mode in ((path, of_file), (folder, of_folder)):
        os.chown(each, user, -1)
        os.chmod(each, mode)
    command = [sys.executable, "-c", WRITE, str(path), str(user)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("refused:")
    assert path.read_bytes() == b"old"
    assert os.listdir(folder) == ["a.py"]
