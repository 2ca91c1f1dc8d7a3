"""What is kept of syntax trees, and which values of an edited graph are those of the graph before."""

from __future__ import annotations

import pathlib

import pytest

from nanlint import trees
from nanlint.fixes.counterparts import alike
from nanlint.graph import Apply, Builder, Value, closure
from nanlint.source import AnalysisError
from nanlint.trees import tree_of


def test_a_copy_of_a_file_has_a_tree_of_its_own(tmp_path: pathlib.Path) -> None:
    one, other = (str(tmp_path / name) for name in ("one.py", "other.py"))
    assert tree_of(one, "x = 1\n") is not tree_of(other, "x = 1\n")


def test_another_text_of_the_same_file_has_another_tree(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "module.py")
    first = tree_of(path, "x = 1\n")
    assert tree_of(path, "y = 1\n").body[0].targets[0].id == "y"  # type: ignore[attr-defined]
    assert tree_of(path, "x = 1\n") is first


def test_what_does_not_parse_is_told_each_time(tmp_path: pathlib.Path) -> None:
    for _ in range(2):
        with pytest.raises(AnalysisError):
            tree_of(str(tmp_path / "module.py"), "def\n")


def test_no_more_is_kept_than_may_be(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "_MOST_KEPT", 10)
    path = str(tmp_path / "module.py")
    first = tree_of(path, "x = 1\n")
    tree_of(path, "y = 1\n")
    assert tree_of(path, "x = 1\n") is not first


def _applied(value: Value) -> Apply:
    assert isinstance(value, Apply)
    return value


def test_what_an_edit_has_changed_below_is_not_alike() -> None:
    builder = Builder()
    x, y = builder.leaf("x"), builder.leaf("y")
    old = builder.apply("add", builder.apply("sqrt", x), builder.apply("exp", y))
    root, kept = _applied(old).args
    guarded = builder.apply("sqrt", builder.apply("abs", x))
    new = builder.apply("add", guarded, kept)
    same = alike(closure((old,), 100), closure((new,), 100))
    assert same == {x.number, y.number, kept.number}
    assert root.number not in same


def test_a_sum_the_other_way_round_is_computed_by_itself() -> None:
    builder = Builder()
    x, y = builder.leaf("x"), builder.leaf("y")
    old, new = builder.apply("maximum", x, y), builder.apply("maximum", y, x)
    assert old.number == new.number
    assert old.number not in alike(closure((old,), 100), closure((new,), 100))


def test_a_value_that_one_graph_is_given_and_the_other_computes_is_not_alike() -> None:
    builder = Builder()
    inner = builder.apply("sqrt", builder.leaf("x"))
    outer = builder.apply("exp", inner)
    assert alike([outer], closure((outer,), 100)) == set()
    assert outer.number in alike([outer], [outer])
