"""The pytest plugin, in real runs of pytest of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SOUND = """
import torch

def test_root():
    x = torch.tensor([0.0, 4.0], requires_grad=True)
    torch.where(x > 0, torch.where(x > 0, x, 1.0).sqrt(), 0.0).sum().backward()
"""

LOST = """
import torch

def root(x):
    return torch.where(x > 0, x.sqrt(), 0.0)

def test_root():
    root(torch.tensor([0.0, 4.0], requires_grad=True)).sum().backward()
"""

ASSERTED = (
    LOST
    + """
def test_all_of_it(assert_finite_gradients):
    assert_finite_gradients(root, torch.ones(3))
"""
)


def run(folder: Path, text: str, *options: str) -> tuple[int, str]:
    """Exit code and output of pytest over one file."""
    (folder / "test_it.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_it.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_nothing_is_watched_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert run(tmp_path, LOST)[0] == 0


def test_a_sound_test_passes_under_watch(tmp_path: Path) -> None:
    code, output = run(tmp_path, SOUND, "--watch-gradients")
    assert code == 0, output


def test_torch_is_not_imported_for_nothing(tmp_path: Path) -> None:
    code, output = run(tmp_path, "import sys\n\ndef test_it():\n    assert 'torch' not in sys.modules\n")
    assert code == 0, output


def test_a_lost_gradient_fails_the_test_under_watch(tmp_path: Path) -> None:
    code, output = run(tmp_path, LOST, "--watch-gradients")
    assert code == 1
    assert "NonFiniteGradient: the gradient of a leaf of shape (2,) is nan" in output
    assert "test_it.py:5:12: NAN101 " in output


def test_the_fixture_asserts(tmp_path: Path) -> None:
    code, output = run(tmp_path, ASSERTED)
    assert code == 1
    assert "1 failed, 1 passed" in output
    assert "test_it.py:5:12: NAN101 " in output
