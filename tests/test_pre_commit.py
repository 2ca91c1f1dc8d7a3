"""The hooks of `.pre-commit-hooks.yaml`, installed and run by the real pre-commit from a clone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = ("nanlint", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
"""What a package is built from."""

BAD = (ROOT / "fixtures" / "nan101" / "bad_gamma_curve.py").read_text(encoding="utf-8")
SOUND = "import torch\n\nx = torch.zeros(3)\n"


@dataclass(frozen=True)
class PreCommit:
    """pre-commit with a home of its own, and the revision of nanlint that it is to install."""

    home: Path
    project: Path
    revision: str

    def run(self, folder: Path, hook: str) -> subprocess.CompletedProcess[str]:
        """Run one hook on all files of a new or known repository in `folder`."""
        config = {"repos": [{"repo": str(self.project), "rev": self.revision, "hooks": [{"id": hook}]}]}
        (folder / ".pre-commit-config.yaml").write_text(json.dumps(config))  # JSON is YAML
        git(folder, "init", "--quiet")
        git(folder, "add", ".")
        command = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color=never", hook]
        environment = {**clean_environment(), "PRE_COMMIT_HOME": str(self.home)}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=nanlint", "-c", "user.email=nanlint@localhost")
    command = ["git", *identity, *arguments]
    run = subprocess.run(
        command, cwd=folder, env=clean_environment(), check=True, capture_output=True, text=True
    )
    return run.stdout.strip()


def clean_environment() -> dict[str, str]:
    """The environment without what git sets for the hooks of the project's own repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


@pytest.fixture(scope="module")
def pre_commit(tmp_path_factory: pytest.TempPathFactory) -> PreCommit:
    project = tmp_path_factory.mktemp("project")
    for name in PROJECT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, project / name)
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message=all of it")
    return PreCommit(tmp_path_factory.mktemp("home"), project, git(project, "rev-parse", "HEAD"))


@pytest.mark.parametrize("hook", ["nanlint", "nanlint-fix"])
def test_sound_files_pass(pre_commit: PreCommit, tmp_path: Path, hook: str) -> None:
    (tmp_path / "a.py").write_text(SOUND)
    run = pre_commit.run(tmp_path, hook)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.rstrip().endswith("Passed")
    assert (tmp_path / "a.py").read_text() == SOUND


@pytest.mark.parametrize("hook", ["nanlint", "nanlint-fix"])
def test_other_files_are_not_given_to_it(pre_commit: PreCommit, tmp_path: Path, hook: str) -> None:
    for name in ("a.pyi", "a.md", "a.txt", "a.json"):
        (tmp_path / name).write_text(BAD)
    run = pre_commit.run(tmp_path, hook)
    assert (run.returncode, run.stderr) == (0, "")
    assert "(no files to check)Skipped" in run.stdout


def test_a_finding_fails_and_nothing_is_changed(pre_commit: PreCommit, tmp_path: Path) -> None:
    notebook = json.dumps({"cells": [{"cell_type": "code", "source": BAD}], "metadata": {}, "nbformat": 4})
    contents = {"a.py": BAD, "b.py": SOUND, "c.ipynb": notebook}
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    run = pre_commit.run(tmp_path, "nanlint")
    line = next(number for number, text in enumerate(BAD.splitlines(), 1) if "torch.where" in text)
    assert run.returncode == 1
    assert f"a.py:{line}:12: NAN101 " in run.stdout
    assert f"c.ipynb:cell 1:{line}:12: NAN101 " in run.stdout
    assert "b.py" not in run.stdout
    assert {name: (tmp_path / name).read_text() for name in contents} == contents


def test_a_fix_is_made_and_reported_once(pre_commit: PreCommit, tmp_path: Path) -> None:
    fixed = tmp_path / "a.py"
    fixed.write_text(BAD)
    first = pre_commit.run(tmp_path, "nanlint-fix")
    assert first.returncode == 1
    assert "files were modified by this hook" in first.stdout
    assert fixed.read_text() != BAD
    assert pre_commit.run(tmp_path, "nanlint-fix").returncode == 0
    assert pre_commit.run(tmp_path, "nanlint").returncode == 0
