"""The settings: what they show, where they are read from, and what is said of those that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.config import Config, ConfigError, load, load_file
from nanlint.finding import Confidence, Finding, Position, Span


def finding(code: str, path: str = "a.py", confidence: Confidence = Confidence.HIGH) -> Finding:
    return Finding(code, path, Span(Position(1, 1), Position(1, 2)), "message", confidence)


def project(folder: Path, text: str) -> str:
    """A folder with this pyproject.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return str(folder)


def complaint(folder: Path, text: str) -> str:
    """What is said of a pyproject.toml that cannot be used."""
    with pytest.raises(ConfigError) as caught:
        load(project(folder, text))
    return str(caught.value)


# What changes nothing


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load(str(tmp_path)) == Config()


def test_an_empty_table_sets_nothing_but_the_root(tmp_path: Path) -> None:
    assert load(project(tmp_path, "[tool.nanlint]\n")) == Config(root=str(tmp_path))


@pytest.mark.parametrize("text", ["", "[tool.ruff]\n", "tool = 1\n", "[project]\nname = 'p'\n"])
def test_a_file_of_other_tools_is_passed_over(tmp_path: Path, text: str) -> None:
    project(tmp_path, "[tool.nanlint]\ndtype = 'float16'\n")
    assert load(project(tmp_path / "inner", text)).dtype == "float16"


@pytest.mark.parametrize("code", ["NAN301", "NAN302", "NAN303", "NAN903"])
def test_codes_that_are_off_by_default_are_not_shown(code: str) -> None:
    assert not Config().shows(finding(code))
    assert Config(select=(code,)).shows(finding(code))
    assert Config(select=("NAN",)).shows(finding(code))


# What is shown


@pytest.mark.parametrize("code", ["NAN101", "NAN206", "NAN901"])
def test_other_codes_are_shown_by_default(code: str) -> None:
    assert Config().shows(finding(code))


@pytest.mark.parametrize(
    ("select", "ignore", "shown", "hidden"),
    [
        (("NAN1",), (), {"NAN101", "NAN106"}, {"NAN201", "NAN302"}),
        (("NAN1", "NAN201"), (), {"NAN101", "NAN201"}, {"NAN202"}),
        ((), ("NAN1",), {"NAN201"}, {"NAN101", "NAN106", "NAN302"}),
        (("NAN1",), ("NAN101",), {"NAN102"}, {"NAN101"}),
        (("NAN101",), ("NAN1",), {"NAN101"}, {"NAN102", "NAN201"}),
        (("NAN",), ("NAN3", "NAN10"), {"NAN201", "NAN903"}, {"NAN101", "NAN302"}),
        (("NAN101",), ("NAN101",), set(), {"NAN101"}),
        ((), ("NAN",), set(), {"NAN101", "NAN901"}),
    ],
)
def test_the_longest_prefix_wins(
    select: tuple[str, ...], ignore: tuple[str, ...], shown: set[str], hidden: set[str]
) -> None:
    config = Config(select=select, ignore=ignore)
    assert {code for code in shown | hidden if config.shows(finding(code))} == shown


def test_a_file_that_was_not_analysed_is_always_told_of_unless_ignored() -> None:
    assert Config(select=("NAN101",)).shows(finding("NAN901"))
    assert not Config(select=("NAN901",), ignore=("NAN9",)).shows(finding("NAN902"))
    assert not Config(ignore=("NAN901",)).shows(finding("NAN901"))


@pytest.mark.parametrize(
    ("lowest", "shown"),
    [("high", {"high"}), ("medium", {"high", "medium"}), ("low", {"high", "medium", "low"})],
)
def test_confidence_is_a_threshold(lowest: str, shown: set[str]) -> None:
    config = Config(confidence=Confidence(lowest))
    assert {level.value for level in Confidence if config.shows(finding("NAN101", confidence=level))} == shown


@pytest.mark.parametrize(
    ("glob", "exempt", "checked"),
    [
        ("tests/*", {"tests/test_a.py"}, {"src/a.py", "a.py"}),
        ("tests/", {"tests/a.py", "tests/deep/a.py", "src/tests/a.py"}, {"tests.py"}),
        ("/a.py", {"a.py"}, {"src/a.py"}),
        ("*.ipynb", {"a.ipynb", "src/deep/a.ipynb"}, {"a.py"}),
        ("src/**/gen_?.py", {"src/gen_1.py", "src/x/y/gen_2.py"}, {"src/gen_10.py", "gen_1.py"}),
        ("!src/", {"a.py", "tests/a.py"}, {"src/a.py"}),
    ],
)
def test_per_file_ignores_are_relative_to_the_root(
    tmp_path: Path, glob: str, exempt: set[str], checked: set[str]
) -> None:
    config = Config(per_file_ignores=((glob, ("NAN1",)),), root=str(tmp_path))
    paths = {name: str(tmp_path / name) for name in exempt | checked}
    assert {name for name, path in paths.items() if not config.shows(finding("NAN101", path))} == exempt
    assert all(config.shows(finding("NAN201", path)) for path in paths.values())


def test_a_relative_path_is_meant_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")
    config = Config(per_file_ignores=(("/src/a.py", ("NAN",)),), root=str(tmp_path))
    assert not config.shows(finding("NAN101", "a.py"))
    assert config.shows(finding("NAN101", "../a.py"))


@pytest.mark.parametrize(
    ("config", "shown", "hidden"),
    [
        (Config(extend_select=("NAN302",)), {"NAN101", "NAN302", "NAN901"}, {"NAN301", "NAN303"}),
        (Config(select=("NAN2",), extend_select=("NAN3",)), {"NAN201", "NAN303"}, {"NAN101", "NAN903"}),
        (Config(extend_select=("NAN3",), ignore=("NAN303",)), {"NAN301", "NAN101"}, {"NAN303"}),
        (Config(extend_select=("NAN301",), ignore=("NAN3",)), {"NAN301"}, {"NAN302"}),
    ],
)
def test_extend_select_adds_to_what_is_shown_anyway(
    config: Config, shown: set[str], hidden: set[str]
) -> None:
    assert {code for code in shown | hidden if config.shows(finding(code))} == shown


def test_files_without_a_selector_matter_for_few_codes_only() -> None:
    assert not Config().looks_beyond_selectors
    assert not Config(extend_select=("NAN301",)).looks_beyond_selectors
    assert Config(extend_select=("NAN302",)).looks_beyond_selectors
    assert Config(select=("NAN303",)).looks_beyond_selectors
    assert not Config(select=("NAN3",), ignore=("NAN302", "NAN303")).looks_beyond_selectors


# Where settings come from


def test_every_key_is_read(tmp_path: Path) -> None:
    text = """
        [tool.nanlint]
        select = ["NAN1", "nan201"]
        extend-select = ["nan302"]
        ignore = ["NAN102"]
        exclude = ["third_party/", "*_pb2.py"]
        confidence = "low"
        dtype = "bfloat16"
        fix-style = "indexed"
        unsafe-fixes = true

        [tool.nanlint.per-file-ignores]
        "tests/*" = ["NAN"]
    """
    assert load(project(tmp_path, text)) == Config(
        select=("NAN1", "NAN201"),
        extend_select=("NAN302",),
        ignore=("NAN102",),
        per_file_ignores=(("tests/*", ("NAN",)),),
        exclude=("third_party/", "*_pb2.py"),
        confidence=Confidence.LOW,
        dtype="bfloat16",
        fix_style="indexed",
        unsafe_fixes=True,
        root=str(tmp_path),
    )


def test_the_nearest_file_counts_alone(tmp_path: Path) -> None:
    project(tmp_path, "[tool.nanlint]\ndtype = 'float16'\nconfidence = 'low'\n")
    inner = project(tmp_path / "inner", "[tool.nanlint]\ndtype = 'float64'\n")
    assert load(inner) == Config(dtype="float64", root=inner)


@pytest.mark.parametrize("start", [".", "deep/er", "a.py", "none/such/file.py"])
def test_the_search_starts_at_a_file_or_folder_that_may_not_exist(tmp_path: Path, start: str) -> None:
    project(tmp_path, "[tool.nanlint]\ndtype = 'float16'\n")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "a.py").touch()
    assert load(str(tmp_path / start)) == Config(dtype="float16", root=str(tmp_path))


def test_a_file_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text("[tool.nanlint]\ndtype = 'float16'\n", encoding="utf-8")
    assert load_file(str(file)) == Config(dtype="float16", root=str(tmp_path))


# What is wrong


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("fix_style = 'indexed'", ["no key 'fix_style'", "did you mean 'fix-style'?", "per-file-ignores"]),
        ("colour = 'red'", ["no key 'colour'", "allowed: select, extend-select, ignore"]),
        ("dtype = 'float23'", ["dtype: 'float23'", "did you mean", "float64, float32, bfloat16, float16"]),
        ("dtype = 32", ["dtype: expected a string, not 32", "float64, float32, bfloat16, float16"]),
        ("confidence = 'hihg'", ["confidence: 'hihg'", "did you mean 'high'?", "high, medium, low"]),
        (
            "fix-style = 'where'",
            ["fix-style: 'where'", "double-where, masked-fill, indexed"],
        ),
        ("unsafe-fixes = 'yes'", ["unsafe-fixes: expected true or false, not 'yes'"]),
        ("unsafe-fixes = 1", ["unsafe-fixes: expected true or false, not 1"]),
        ("select = 'NAN1'", ["select: expected a list of strings, not 'NAN1'"]),
        ("select = ['E501']", ["select: 'E501' is no code", "NAN101"]),
        ("ignore = ['NAN1011']", ["ignore: 'NAN1011' is no code"]),
        ("ignore = [101]", ["ignore: expected a list of strings, not [101]"]),
        ("exclude = ['!']", ["exclude: ", "'!'"]),
        ("exclude = ['[z-a].py']", ["exclude: ", "[z-a].py"]),
        ("per-file-ignores = ['tests/']", ["per-file-ignores: expected a table", "['tests/']"]),
        ("per-file-ignores = {'tests/' = 'NAN1'}", ["per-file-ignores: expected a list", "'NAN1'"]),
        ("per-file-ignores = {'tests/' = ['NA']}", ["per-file-ignores: 'NA' is no code"]),
        ("per-file-ignores = {'[z-a]' = ['NAN']}", ["per-file-ignores: ", "[z-a]"]),
    ],
)
def test_a_wrong_setting_is_told_with_its_file_its_key_and_what_is_allowed(
    tmp_path: Path, line: str, said: list[str]
) -> None:
    message = complaint(tmp_path, f"[tool.nanlint]\n{line}\n")
    assert message.startswith(f"{tmp_path / 'pyproject.toml'}: [tool.nanlint] ")
    assert [words for words in said if words not in message] == []


@pytest.mark.parametrize("text", ["[tool.nanlint\n", "[tool]\nnanlint = 'on'\n"])
def test_a_file_that_is_no_settings_at_all_is_told_of(tmp_path: Path, text: str) -> None:
    assert complaint(tmp_path, text).startswith(f"{tmp_path / 'pyproject.toml'}: ")


def test_a_file_that_is_no_utf_8_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"# \xff\n[tool.nanlint]\n")
    with pytest.raises(ConfigError, match="no valid TOML"):
        load(str(tmp_path))


def test_a_named_file_has_to_exist_and_to_have_the_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_file(str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match=r"there is no \[tool.nanlint\]"):
        load_file(str(Path(project(tmp_path, "[tool.ruff]\n")) / "pyproject.toml"))
