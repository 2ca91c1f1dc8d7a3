"""The harness itself: fixtures that claim what is not so have to fail, each in its own words."""

from __future__ import annotations

import ast
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nanlint.proof import harness
from nanlint.proof.__main__ import FAILED, HEADINGS, count, main, row, table
from nanlint.proof.fixtures import Fixture, Kind, discover, expected, lines_of
from nanlint.proof.forms import bring_up_to_date, form_paths, is_form, made_today, stale
from nanlint.proof.harness import PARTS, Evidence, Part, is_partly_fixed
from nanlint.proof.running import Run, run, run_file, summary
from nanlint.source import Source

ROOT = Path(__file__).parents[1]

GAMMA = '''"""A gamma curve."""

import torch


def f(x):
    return torch.where(x < 0.003, 12.9 * x, x**0.5)  # NAN101


INPUTS = [([0.0, 0.5],)]
'''
PRODUCT = '''"""A product, nan in forward already."""

import torch


def f(x):
    return (x > 0).float() * torch.log(x)  # NAN102


INPUTS = [([0.0, 0.5],)]
'''
SOUND = '''"""A straight line."""


def f(x):
    return 2.0 * x


INPUTS = [([0.0, 0.5],), ([1.0],)]
'''
FIXED = GAMMA.replace("x**0.5", "torch.where(x < 0.003, 1.0, x) ** 0.5")

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file into a folder of fixtures."""

    def written(name: str, text: str, folder: str = "nan101") -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return written


def evidence(path: Path) -> Evidence:
    (fixture,) = discover([path])
    return Evidence(fixture)


def judged(path: Path) -> list[str]:
    """All that is wrong with a fixture."""
    found = evidence(path)
    return [problem for part in PARTS[found.fixture.kind] for problem in part(found)]


def only(path: Path, part: Part) -> list[str]:
    return part(evidence(path))


# What is in order


def test_nothing_is_wrong_with_a_sound_fixture(write: Write) -> None:
    assert judged(write("ok_line.py", SOUND)) == []


def test_nothing_is_wrong_with_a_bad_fixture_and_its_forms(write: Write) -> None:
    path = write("bad_gamma.py", GAMMA)
    bring_up_to_date(path)
    assert judged(path) == []
    assert stale(path) == {}
    assert bring_up_to_date(path) == []


def test_nothing_is_wrong_with_a_form_written_by_hand(write: Write) -> None:
    path = write("bad_gamma.py", GAMMA)
    write("bad_gamma.fixed.py", FIXED)
    assert only(path, harness.repaired) == []
    assert only(path, harness.clean) == []


def test_a_value_that_is_announced_as_nan_may_be_nan(write: Write) -> None:
    assert only(write("bad_log.py", PRODUCT), harness.lost) == []


def test_a_text_is_never_run(write: Write) -> None:
    path = write("odd.py", "raise SystemExit\n", folder="hostile")
    assert row(Fixture(path, Kind.TEXT)).problems == ()


def test_a_broken_text_is_told_to_be_broken(write: Write) -> None:
    assert judged(write("broken_bracket.py", "import torch\n(\n", folder="hostile")) == []


# What is found to be wrong: the linter


@pytest.mark.parametrize(
    ("before", "after", "problems"),
    [
        ("  # NAN101", "", ["line 7: NAN101 found, not expected"]),
        ("# NAN101", "# NAN101 NAN101", ["line 7: NAN101 expected, not found"]),
        (
            "# NAN101",
            "# NAN102",
            ["line 7: NAN102 expected, not found", "line 7: NAN101 found, not expected"],
        ),
        ("import torch\n", "import torch  # NAN101\n", ["line 3: NAN101 expected, not found"]),
    ],
)
def test_findings_and_markers_have_to_agree(
    write: Write, before: str, after: str, problems: list[str]
) -> None:
    assert only(write("bad_gamma.py", GAMMA.replace(before, after, 1)), harness.announced) == problems


def test_a_known_miss_that_is_found_is_told(write: Write) -> None:
    path = write("bad_gamma.py", GAMMA.replace("# NAN101", "# todo: NAN101"))
    assert only(path, harness.overlooked) == ["line 7: NAN101 is found now: drop the `todo:`"]
    assert only(path, harness.announced) == []


def test_markers_have_to_fit_the_name_of_the_file(write: Write) -> None:
    assert only(write("ok_gamma.py", GAMMA), harness.marked) == [
        "line 7: a marker for NAN101 in a sound fixture"
    ]
    unmarked = write("bad_gamma.py", GAMMA.replace("# NAN101", ""))
    assert only(unmarked, harness.marked) == ["no marker says which code to expect"]


def test_a_text_that_only_claims_to_be_broken_is_told(write: Write) -> None:
    path = write("broken_not.py", "import torch\n", folder="hostile")
    assert judged(path) == ["just one NAN901 expected, found: []"]


# What is found to be wrong: torch


def test_a_bad_fixture_has_to_lose_its_gradient(write: Write) -> None:
    path = write("bad_gamma.py", GAMMA.replace("[0.0, 0.5]", "[0.1, 0.5]"))
    assert only(path, harness.lost) == ["the gradient is finite in every row"]
    two_rows = write("bad_rows.py", GAMMA.replace("[([0.0, 0.5],)]", "[([0.1, 0.5],), ([0.0],)]"))
    assert only(two_rows, harness.lost) == []


def test_a_bad_fixture_has_to_have_a_value(write: Write) -> None:
    nan = write("bad_gamma.py", GAMMA.replace("0.003", "-1.0").replace("[0.0, 0.5]", "[-0.5, 0.5]"))
    assert only(nan, harness.lost) == ["row 0: the value is nan 1/2"]
    unannounced = write("bad_log.py", PRODUCT.replace("nan in forward already", "silently"))
    assert only(unannounced, harness.lost) == ["row 0: the value is nan 1/2"]
    no_product = write("bad_log.py", PRODUCT.replace("NAN102", "NAN101"))
    assert only(no_product, harness.lost) == ["row 0: the value is nan 1/2"]


def test_a_value_must_not_be_better_than_announced(write: Write) -> None:
    path = write("bad_log.py", PRODUCT.replace("torch.log(x)", "torch.sqrt(x)"))
    assert only(path, harness.lost) == [
        "the docstring says 'nan in forward already', but every value is finite"
    ]


def test_a_sound_fixture_has_to_keep_value_and_gradient(write: Write) -> None:
    gradient = write("ok_root.py", SOUND.replace("2.0 * x", "x**0.5"))
    assert only(gradient, harness.kept) == ["row 0: the gradient is inf 1/2"]
    value = write("ok_log.py", SOUND.replace("2.0 * x", "(x - 1.0).log()"))
    assert only(value, harness.kept) == [
        "row 0: the value is nan 2/2",
        "row 1: the value is inf 1/1",
        "row 1: the gradient is inf 1/1",
    ]


def test_there_has_to_be_a_row_of_inputs(write: Write) -> None:
    empty = SOUND.split("INPUTS")[0] + "INPUTS = []\n"
    assert only(write("ok_line.py", empty), harness.kept) == ["INPUTS has no row"]
    assert "INPUTS has no row" in only(write("bad_line.py", empty), harness.lost)


# What is found to be wrong: fixed forms


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("** 0.5", "** 0.51", ["value", "gradient"]),
        ("12.9 * x", "12.9 * x.detach()", []),  # only x = 0 took that side, and had no gradient before
        ("return torch", "x = x.detach() * 2 - x\n    return torch", ["gradient"]),
        ("return ", "return 1e-5 + ", ["value"]),
        ("return ", "return x, ", ["value", "gradient"]),
        ("return ", "return 1.0 * ", []),
        ("NAN101", "NAN101\n    # a comment", []),
        ("[0.0, 0.5]", "[0.0, 0.5, 1.0]", ["value", "gradient"]),
    ],
)
def test_a_form_has_to_keep_what_was_good(write: Write, before: str, after: str, changed: list[str]) -> None:
    path = write("bad_gamma.py", GAMMA)
    write("bad_gamma.fixed.py", FIXED.replace(before, after, 1))
    assert only(path, harness.repaired) == [
        f"fixed: row 0: the {what} changed where it was finite" for what in changed
    ]


def test_a_form_has_to_have_as_many_rows(write: Write) -> None:
    path = write("bad_gamma.py", GAMMA)
    write("bad_gamma.fixed.py", FIXED.replace("],)]", "],), ([1.0],)]"))
    assert only(path, harness.repaired) == ["fixed: 1 rows became 2"]


def test_a_form_without_findings_has_to_have_a_gradient(write: Write) -> None:
    path = write("bad_gamma.py", GAMMA)
    write("bad_gamma.fixed.py", GAMMA.replace("# NAN101", "# noqa"))
    assert only(path, harness.repaired) == ["fixed: row 0: the gradient is nan 1/2"]
    assert row(evidence(path).fixture).cells[-2:] == ("nan 1/2", FAILED)


def test_a_form_with_a_known_miss_is_partly_fixed(write: Write) -> None:
    path = write("bad_gamma.py", GAMMA.replace("import torch", "import torch  # todo: NAN102"))
    write("bad_gamma.fixed.py", GAMMA.replace("# NAN101", "# noqa"))
    assert only(path, harness.repaired) == []
    assert is_partly_fixed(evidence(path))


def test_a_form_has_to_be_clean(write: Write) -> None:
    path = write("bad_gamma.py", GAMMA)
    write("bad_gamma.fixed.py", GAMMA)
    assert only(path, harness.clean) == ["fixed: no finding was fixed", "fixed: --fix changes it again"]
    assert only(path, harness.repaired) == []


def test_a_stale_form_is_told_and_replaced(write: Write) -> None:
    path = write("bad_gamma.py", GAMMA)
    told = "bad_gamma.fixed.py is not what --fix gives today: python -m nanlint.proof --write-fixed"
    assert told in only(path, harness.current)
    fixed = write("bad_gamma.fixed.py", GAMMA)
    assert told in only(path, harness.current)
    assert f"wrote {fixed}" in bring_up_to_date(path)
    assert fixed.read_bytes() == made_today(path)[fixed]
    assert only(path, harness.current) == []


def test_a_form_that_is_not_made_is_removed(write: Write) -> None:
    path = write("ok_line.py", SOUND)
    fixed = write("ok_line.fixed.py", SOUND)
    assert only(path, harness.current) == [
        "ok_line.fixed.py is not what --fix gives today: python -m nanlint.proof --write-fixed"
    ]
    assert bring_up_to_date(path) == [f"removed {fixed}"]
    assert not fixed.exists()


# Running


def test_lists_become_tensors_and_the_rest_is_passed_as_it_is() -> None:
    seen: list[object] = []
    run(
        lambda *row: seen.extend(row),
        ([0.5], [[1.0], [2.0]], [True], [1, 2], 3, 0.5, "a", None, [], [1, 0.5]),
    )
    leaf, nested, mask, whole, *rest = seen
    assert isinstance(leaf, torch.Tensor)
    assert isinstance(nested, torch.Tensor)
    assert isinstance(mask, torch.Tensor)
    assert isinstance(whole, torch.Tensor)
    assert (leaf.dtype, leaf.requires_grad) == (torch.float32, True)
    assert (nested.shape, nested.requires_grad) == ((2, 1), True)
    assert (mask.dtype, whole.dtype) == (torch.bool, torch.int64)
    assert rest == [3, 0.5, "a", None, [], [1, 0.5]]


def test_the_gradient_is_that_of_the_sum_of_all_outputs() -> None:
    def several(x: torch.Tensor, y: torch.Tensor) -> object:
        return {"twice": 2 * x, "rest": [x.detach() * 100, (x.sum(), 1.5, "text", x > 0)]}

    made = run(several, ([1.0, 2.0], [3.0]))
    assert [value.tolist() for value in made.values] == [[2.0, 4.0], [100.0, 200.0], 3.0, 1.5]
    assert [gradient.tolist() for gradient in made.gradients] == [[3.0, 3.0], [0.0]]


def test_a_value_without_gradient_gives_a_gradient_of_zero() -> None:
    made = run(lambda x: x.detach(), ([1.0, 2.0],))
    assert [gradient.tolist() for gradient in made.gradients] == [[0.0, 0.0]]


def test_complex_outputs_count() -> None:
    made = run(lambda x: torch.complex(x, x.sqrt()), ([0.0],))
    assert summary(made.values) == "finite"
    assert summary(made.gradients) == "inf 1/1"


def test_random_numbers_are_the_same_each_time() -> None:
    first, second = (run(lambda x: torch.rand(3) * x, ([1.0],)) for _ in range(2))
    assert first.values[0].tolist() == second.values[0].tolist()


def test_what_is_not_finite_is_counted() -> None:
    tensors = [torch.tensor([0.0, math.nan, math.inf]), torch.tensor(-math.inf)]
    assert summary(tensors) == "nan 1/4, inf 2/4"
    assert summary([torch.ones(2)]) == "finite"
    assert summary([]) == "finite"
    assert Run((), (torch.tensor(math.nan),)).finite_value


def test_files_are_imported_each_on_its_own(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    counting = (
        'calls = []\nprint("noise")\n\n\ndef f(x):\n    calls.append(x)\n    return x * len(calls)\n\n\n'
    )
    path = write("ok_calls.py", counting + "INPUTS = [([1.0],), ([1.0],)]\n")
    before = set(sys.modules)
    for _ in range(2):
        assert [made.values[0].tolist() for made in run_file(path)] == [[1.0], [2.0]]
    assert set(sys.modules) == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert capfd.readouterr() == ("", "")


def test_a_file_that_changed_within_a_second_is_read_again(write: Write) -> None:
    for factor in "345":
        path = write("ok_line.py", SOUND.replace("2.0", f"{factor}.0"))
        assert run_file(path)[1].values[0].tolist() == [float(factor)]


def test_settings_of_torch_are_put_back(write: Write) -> None:
    changing = "import torch\n\ntorch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)\n\n\n"
    threads = torch.get_num_threads()
    (made, _) = run_file(write("ok_line.py", changing + SOUND.split("\n\n\n", 1)[1]))
    assert made.values[0].dtype == torch.float32
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert torch.get_num_threads() == threads


# Fixtures


@pytest.mark.parametrize(
    ("comment", "found", "missed"),
    [
        ("# NAN101", ["NAN101"], []),
        ("#NAN101", ["NAN101"], []),
        ("# NAN101 NAN102 NAN101", ["NAN101", "NAN101", "NAN102"], []),
        ("# todo: NAN101 NAN102", [], ["NAN101", "NAN102"]),
        ("# NAN102 todo: NAN101", ["NAN102"], ["NAN101"]),
        ("# NAN101: the root", ["NAN101"], []),
        ("# here is NAN101", [], []),
        ("# noqa: NAN101", [], []),
        ('"# NAN101"', [], []),
    ],
)
def test_markers_are_trailing_comments(comment: str, found: list[str], missed: list[str]) -> None:
    marks = expected(Source("a.py", f"x = 1\ny = 2;  {comment}\n"))
    assert sorted(marks.found.elements()) == [(2, code) for code in found]
    assert sorted(marks.missed.elements()) == [(2, code) for code in missed]


def test_of_several_functions_each_has_its_own_markers() -> None:
    source = Source("a.py", "def one():\n    return 1  # NAN101\n\n\ndef two():\n    return 2  # NAN102\n")
    assert list(expected(source, "one").found) == [(2, "NAN101")]
    assert list(expected(source, "two").found) == [(6, "NAN102")]
    assert lines_of(source.text, "two") == range(5, 7)


def test_lines_end_where_python_ends_them() -> None:
    source = Source("a.py", "x = 1\ry = '\x0b\u2028'\r\nz = 1  # NAN101\r")
    assert list(expected(source).found) == [(3, "NAN101")]


def test_all_fixtures_below_a_folder_are_discovered(write: Write, tmp_path: Path) -> None:
    two = GAMMA.replace("def f", "def first") + SOUND.replace("def f", "def second")
    for name, text, folder in [
        ("bad_a.py", GAMMA, "nan101"),
        ("bad_a.fixed.py", FIXED, "nan101"),
        ("ok_b.py", SOUND, "nan101"),
        ("other.py", SOUND, "nan101"),
        ("notes.md", "", "nan101"),
        ("two.py", two, "seed"),
        ("two.ipynb", "{}", "seed"),
        ("odd.pyi", "", "hostile"),
    ]:
        write(name, text, folder)
    assert [(fixture.name, fixture.kind) for fixture in discover([tmp_path])] == [
        ("hostile/odd.pyi", Kind.TEXT),
        ("nan101/bad_a", Kind.BAD),
        ("nan101/ok_b", Kind.OK),
        ("seed/two.ipynb", Kind.TEXT),
        ("seed/two:first", Kind.BAD),
        ("seed/two:second", Kind.OK),
    ]


def test_forms_stand_beside_their_fixture() -> None:
    forms = form_paths(Path("nan101/bad_a.py"))
    assert forms == {"fixed": Path("nan101/bad_a.fixed.py"), "indexed": Path("nan101/bad_a.indexed.py")}
    assert all(map(is_form, forms.values()))
    assert not is_form(Path("nan101/bad_fixed.py"))


# The table


def test_the_table_has_a_line_for_each_fixture(write: Write) -> None:
    bring_up_to_date(bad := write("bad_gamma.py", GAMMA))
    rows = [row(fixture) for path in (bad, write("ok_line.py", SOUND)) for fixture in discover([path])]
    headings, *lines = table(rows).splitlines()
    assert headings.split() == " ".join(HEADINGS).split()
    fixed = " / ".join("finite" for _ in made_today(bad))
    assert [line.split() for line in lines] == [
        ["nan101/bad_gamma", "NAN101@7", "NAN101@7", "finite", "nan", "1/2", *fixed.split(), "fixed"],
        ["nan101/ok_line", "-", "-", "finite", "finite", "-", "sound"],
    ]
    assert count(rows) == "2 fixtures, 1 fixed, 1 sound"


def test_a_failure_is_told_below_its_line(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    sound, raising = write("ok_line.py", SOUND), write("ok_raising.py", SOUND.replace("2.0 * x", "x[9]"))
    assert main([str(sound)]) == 0
    assert main([str(sound), str(raising)]) == 1
    lines = capsys.readouterr().out.splitlines()
    failed = next(number for number, line in enumerate(lines) if line.endswith(FAILED))
    assert lines[failed].split() == ["nan101/ok_raising", "-", "-", "error", "error", "-", FAILED]
    assert lines[failed + 1].startswith("    kept: IndexError: index 9 is out of bounds")
    assert lines[-1].startswith("2 fixtures, 1 FAILED, 1 sound, ")


def test_fixed_forms_are_written_on_request(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write("bad_gamma.py", GAMMA)
    assert main(["--write-fixed", str(path)]) == 0
    fixed = form_paths(path)["fixed"]
    assert f"wrote {fixed}" in capsys.readouterr().out.splitlines()
    assert main(["--write-fixed", str(path)]) == 0
    assert capsys.readouterr().out == ""
    assert main([str(path)]) == 0


def test_no_fixtures_at_all_are_a_failure(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 1


def test_a_missing_path_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["no/such/folder"])
    assert left.value.code == 2
    assert "no such file or folder" in capsys.readouterr().err


def test_the_module_is_a_program() -> None:
    command = [sys.executable, "-m", "nanlint.proof", "fixtures/seed/gamma.py"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert [line.split()[0] for line in run.stdout.splitlines() if line.startswith("seed/")] == [
        "seed/gamma:masked",
        "seed/gamma:branched",
        "seed/gamma:indexed",
    ]


# Where torch is


def test_without_torch_the_error_says_how_to_install_it() -> None:
    # without `site` there are no installed packages
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import nanlint.proof"
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, encoding="utf-8")
    assert run.stderr.splitlines()[-1].startswith("ImportError: nanlint.proof ")
    assert run.stderr.rstrip().endswith("pip install nanlint[torch]")


def test_nothing_but_the_proof_imports_torch() -> None:
    importing = {path for path in (ROOT / "nanlint").rglob("*.py") if "torch" in imported(path)}
    assert importing
    assert {path.relative_to(ROOT).parts[:2] for path in importing} == {("nanlint", "proof")}


def imported(path: Path) -> set[str]:
    """The packages that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}
