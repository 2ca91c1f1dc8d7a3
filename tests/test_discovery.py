"""Which files of a folder are checked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from nanlint.config import Config
from nanlint.discovery import USUAL_EXCLUSIONS, discover

NOBODY = 65534


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tree(files: Mapping[str, str] | list[str]) -> None:
    """Make these files, with their texts, in the current folder."""
    texts = files if isinstance(files, Mapping) else dict.fromkeys(files, "")
    for name, text in texts.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def found(*paths: str, **settings: tuple[str, ...] | str) -> list[str]:
    return discover(paths or (".",), Config(**settings))  # type: ignore[arg-type]


@contextmanager
def without_privileges() -> Iterator[None]:
    """As root nothing is closed; be somebody else for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


# What is left out


def test_an_empty_folder_has_nothing_to_check(here: Path) -> None:
    assert found() == []


def test_other_files_are_left_out(here: Path) -> None:
    tree(["a.pyi", "a.pyc", "a.txt", "py", "a.py.bak", "a.ipynb.json", "README.md", "script"])
    assert found() == []


@pytest.mark.parametrize("name", sorted(USUAL_EXCLUSIONS))
def test_the_usual_exclusions_hold_at_any_depth(here: Path, name: str) -> None:
    tree([f"{name}/a.py", f"src/{name}/deep/a.py", "src/a.py"])
    assert found() == ["src/a.py"]


def test_what_is_no_regular_file_is_left_out(here: Path) -> None:
    os.mkfifo("pipe.py")
    Path("broken.py").symlink_to("nowhere.py")
    Path("loop.py").symlink_to("loop.py")
    Path("folder.py").mkdir()
    assert found() == []


def test_links_to_folders_are_not_followed(here: Path) -> None:
    tree(["src/a.py"])
    Path("src/up").symlink_to("..", target_is_directory=True)
    Path("again").symlink_to("src", target_is_directory=True)
    assert found() == ["src/a.py"]


# What is found


def test_python_files_and_notebooks_are_found_at_any_depth(here: Path) -> None:
    tree(["b.py", "a.ipynb", "src/deep/er/c.py", "src/d.py", ".hidden/e.py", "env/f.py"])
    assert found() == [".hidden/e.py", "a.ipynb", "b.py", "env/f.py", "src/d.py", "src/deep/er/c.py"]


@pytest.mark.parametrize("name", ["script", "a.pyi", "notes.txt", "build/a.py", "ignored.py", "excluded.py"])
def test_a_file_that_is_named_is_always_checked(here: Path, name: str) -> None:
    tree({name: "", ".gitignore": "ignored.py\n"})
    assert found(name, exclude=("excluded.py",)) == [name]


def test_paths_are_told_as_they_were_named(here: Path) -> None:
    tree(["src/a.py", "b.py"])
    assert found("src", "b.py") == ["src/a.py", "b.py"]
    assert found("./src/", "./b.py") == ["./src/a.py", "./b.py"]
    assert found("./") == ["b.py", "src/a.py"]
    assert found(str(here)) == [f"{here}/b.py", f"{here}/src/a.py"]


def test_the_order_is_that_of_the_paths_and_every_file_comes_once(here: Path) -> None:
    tree(["b/2.py", "b/1.py", "a/1.py"])
    Path("a/link.py").symlink_to("1.py")
    assert found("b/2.py", "b", "a", ".", "b/1.py") == ["b/2.py", "b/1.py", "a/1.py"]


def test_a_named_folder_is_walked_even_if_it_would_be_left_out(here: Path) -> None:
    tree(
        {
            ".gitignore": "ignored/\n",
            "ignored/a.py": "",
            "build/a.py": "",
            "excluded/a.py": "",
            ".git/HEAD": "",
        }
    )
    assert found("ignored", "build", "excluded", exclude=("excluded/",)) == [
        "ignored/a.py",
        "build/a.py",
        "excluded/a.py",
    ]


def test_a_named_link_to_a_folder_is_walked(here: Path) -> None:
    tree(["src/a.py"])
    Path("link").symlink_to("src", target_is_directory=True)
    assert found("link") == ["link/a.py"]


def test_a_folder_that_cannot_be_listed_is_returned_for_the_reader_to_say_why() -> None:
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        tree([f"{folder}/a.py", f"{folder}/closed/b.py"])
        os.chmod(f"{folder}/closed", 0)
        with without_privileges():
            files = found(folder)
        os.chmod(f"{folder}/closed", 0o700)
    assert files == [f"{folder}/a.py", f"{folder}/closed"]


# Patterns


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("nothing", ["a.py", "gen/a.py", "src/a.py", "src/gen/b.py"]),
        ("gen/", ["a.py", "src/a.py"]),
        ("/gen", ["a.py", "src/a.py", "src/gen/b.py"]),
        ("src/gen", ["a.py", "gen/a.py", "src/a.py"]),
        ("a.py", ["src/gen/b.py"]),
        ("src/**", ["a.py", "gen/a.py"]),
    ],
)
def test_exclude_adds_patterns_relative_to_the_root(here: Path, pattern: str, left: list[str]) -> None:
    tree(["a.py", "gen/a.py", "src/a.py", "src/gen/b.py", "build/a.py"])
    assert found(exclude=(pattern,)) == left
    assert found(str(here), exclude=(pattern,), root=str(here)) == [f"{here}/{name}" for name in left]


def test_exclude_holds_in_a_folder_within_the_root(here: Path) -> None:
    tree(["src/gen/a.py", "src/b.py"])
    assert found("src", exclude=("/src/gen",)) == ["src/b.py"]


def test_exclude_holds_outside_of_the_root_for_the_folder_itself(here: Path) -> None:
    tree(["project/a.py", "other/gen/a.py", "other/b.py"])
    assert found("other", exclude=("/gen",), root="project") == ["other/b.py"]


def test_gitignore_files_hold_from_their_own_folder_down(here: Path) -> None:
    tree(
        {
            ".gitignore": "# comment\n\n/top.py\nlogs/\n*_gen.py\n",
            "top.py": "",
            "a_gen.py": "",
            "src/top.py": "",
            "src/logs/a.py": "",
            "src/.gitignore": "local.py\n!b_gen.py\n",
            "src/local.py": "",
            "src/a_gen.py": "",
            "src/b_gen.py": "",
            "tests/local.py": "",
        }
    )
    assert found() == ["src/b_gen.py", "src/top.py", "tests/local.py"]


def test_gitignore_files_further_up_in_the_repository_hold_too(here: Path) -> None:
    tree(
        {
            ".gitignore": "outside.py\n",
            "repository/.git/HEAD": "",
            "repository/.gitignore": "/src/pack/a.py\n",
            "repository/src/.gitignore": "b.py\n",
            **dict.fromkeys([f"repository/src/pack/{name}.py" for name in ("a", "b", "c", "outside")], ""),
        }
    )
    assert found("repository/src/pack") == ["repository/src/pack/c.py", "repository/src/pack/outside.py"]


def test_an_excluded_file_cannot_be_taken_back_by_gitignore(here: Path) -> None:
    tree({".gitignore": "!a.py\n", "a.py": "", "b.py": ""})
    assert found(exclude=("a.py",)) == ["b.py"]


def test_what_cannot_be_read_in_a_gitignore_means_nothing(here: Path) -> None:
    Path(".gitignore").write_bytes(b"\xef\xbb\xbf!\n[z-a]\n\\\n\xff\xfe\na.py\r\n")
    tree(["a.py", "b.py"])
    assert found() == ["b.py"]


def test_a_gitignore_that_is_a_folder_means_nothing(here: Path) -> None:
    tree([".gitignore/a.py"])
    assert found() == [".gitignore/a.py"]
