"""Every fixture is what it claims to be: by nanlint's findings, and by value and gradient in torch."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from nanlint.config import Config
from nanlint.engine import check, fix
from nanlint.proof import harness
from nanlint.proof.fixtures import Fixture, Kind, discover, expected
from nanlint.proof.forms import STYLES, form_paths, is_form, settings
from nanlint.proof.harness import Evidence, Part
from nanlint.proof.running import run_file
from nanlint.source import Source, read, split_lines

FOLDER = Path(__file__).parents[1] / "fixtures"
FIXTURES = discover([FOLDER])
RULES = sorted({fixture.rule for fixture in FIXTURES if fixture.rule.startswith("nan")})
DEFAULT = Config()

FEWEST: dict[tuple[str, ...], int] = {("nan101", "nan102"): 60, **{(rule,): 10 for rule in RULES}}
"""How many bad fixtures, and how many sound ones, there are at least in some folders together."""


def of(*kinds: Kind, where: Callable[[Fixture], bool] = lambda fixture: True) -> pytest.MarkDecorator:
    """A test for each fixture of these kinds."""
    chosen = [fixture for fixture in FIXTURES if fixture.kind in kinds and where(fixture)]
    return pytest.mark.parametrize("fixture", chosen, ids=[fixture.name for fixture in chosen])


def forms_of(kind: Kind) -> pytest.MarkDecorator:
    """A test for each fixture of this kind that has a form on disk."""
    return of(kind, where=lambda fixture: any(path.exists() for path in form_paths(fixture.path).values()))


def problems(part: Part, fixture: Fixture) -> list[str]:
    return part(Evidence(fixture))


# What must stay silent, or as it is


@of(Kind.OK)
def test_a_sound_fixture_has_no_finding(fixture: Fixture) -> None:
    assert problems(harness.announced, fixture) == []


@of(Kind.OK)
def test_a_sound_fixture_has_a_finite_value_and_gradient(fixture: Fixture) -> None:
    assert problems(harness.kept, fixture) == []


@of(Kind.OK, where=lambda fixture: fixture.rule in RULES)
def test_a_sound_fixture_is_left_alone(fixture: Fixture) -> None:
    source = read(str(fixture.path))
    assert fix(source, settings(fixture.path)).source is source
    assert problems(harness.current, fixture) == []


# What is found


@of(Kind.BAD, Kind.TEXT)
def test_findings_stand_where_markers_announce_them(fixture: Fixture) -> None:
    assert problems(harness.announced, fixture) == []


@of(Kind.BAD, Kind.TEXT)
def test_known_misses_are_still_missed(fixture: Fixture) -> None:
    assert problems(harness.overlooked, fixture) == []


@of(Kind.BAD)
def test_the_value_is_finite_and_the_gradient_is_not(fixture: Fixture) -> None:
    assert problems(harness.lost, fixture) == []


# What is fixed


@of(Kind.BAD)
def test_the_fixed_forms_on_disk_are_those_of_today(fixture: Fixture) -> None:
    assert problems(harness.current, fixture) == []


@of(Kind.BAD)
def test_a_fix_is_offered_if_and_only_if_it_is_made(fixture: Fixture) -> None:
    assert problems(harness.promised, fixture) == []


@forms_of(Kind.BAD)
def test_a_fixed_form_has_a_gradient_and_keeps_what_was_good(fixture: Fixture) -> None:
    assert problems(harness.repaired, fixture) == []


@forms_of(Kind.BAD)
def test_a_fixed_form_is_clean_and_at_a_fixed_point(fixture: Fixture) -> None:
    assert problems(harness.clean, fixture) == []


# The seed


def test_the_repaired_seed_has_the_gradient_of_the_indexed_function(tmp_path: Path) -> None:
    source = read(str(FOLDER / "seed" / "gamma.py"))
    (indexed,) = run_file(FOLDER / "seed" / "gamma.py", "indexed")
    for style in STYLES.values():
        fixed = tmp_path / f"{style}.py"
        fixed.write_bytes(fix(source, Config(fix_style=style)).source.to_bytes())
        for entry in ("masked", "branched"):
            (repaired,) = run_file(fixed, entry)
            assert repaired.finite_gradient
            assert [gradient.tolist() for gradient in repaired.gradients] == [
                pytest.approx(gradient.tolist(), rel=1e-6) for gradient in indexed.gradients
            ]


def test_the_notebook_of_the_seed_has_the_findings_of_the_module() -> None:
    module, notebook = (read(str(FOLDER / "seed" / name)) for name in ("gamma.py", "gamma.ipynb"))
    in_module, in_notebook = check(module, DEFAULT), check(notebook, DEFAULT)
    assert [finding.code for finding in in_module] == ["NAN102", "NAN101"]
    assert [finding.message for finding in in_notebook] == [finding.message for finding in in_module]
    assert [str(notebook.locate(finding.span.start)) for finding in in_notebook] == [
        "cell 4:4:30",
        "cell 6:3:13",
    ]


@pytest.mark.parametrize("style", STYLES.values())
def test_the_notebook_of_the_seed_is_fixed_as_the_module_is(style: str) -> None:
    config = Config(fix_style=style)
    module, notebook = (
        functions(fix(read(str(FOLDER / "seed" / name)), config).source.text)
        for name in ("gamma.py", "gamma.ipynb")
    )
    assert module == {name: notebook[name] for name in module}


# Odd text


@of(Kind.TEXT, where=lambda fixture: not fixture.broken)
def test_fixing_odd_text_changes_marked_statements_only(fixture: Fixture) -> None:
    source = read(str(fixture.path))
    fixed = fix(source, DEFAULT).source
    lines = {line for line, _ in expected(source).found}
    allowed = {line for span in statements(source.text) if lines & set(span) for line in span}
    assert changed_lines(source.text, fixed.text) <= allowed


@of(Kind.TEXT, where=lambda fixture: not fixture.broken)
def test_fixing_odd_text_keeps_how_it_is_written(fixture: Fixture) -> None:
    source = read(str(fixture.path))
    fixed = fix(source, DEFAULT).source
    assert fixed.encoding == source.encoding
    assert fixed.to_bytes()[:3] == source.to_bytes()[:3]
    assert line_ends(fixed) == line_ends(source)
    assert fixed.text.endswith(("\r", "\n")) == source.text.endswith(("\r", "\n"))


# The fixtures as a whole


@pytest.mark.parametrize(("folders", "fewest"), FEWEST.items(), ids=map("+".join, FEWEST))
def test_there_are_enough_of_both_kinds(folders: tuple[str, ...], fewest: int) -> None:
    there = [fixture.kind for fixture in FIXTURES if fixture.rule in folders]
    assert there.count(Kind.BAD) >= fewest
    assert there.count(Kind.OK) >= fewest


@of(Kind.BAD, Kind.OK)
def test_markers_fit_the_kind_of_fixture(fixture: Fixture) -> None:
    assert problems(harness.marked, fixture) == []


@of(Kind.BAD, where=lambda fixture: fixture.rule in RULES)
def test_a_bad_fixture_is_about_the_code_of_its_folder(fixture: Fixture) -> None:
    marks = Evidence(fixture).expected
    assert fixture.rule.upper() in {code for _, code in marks.found + marks.missed}


@of(Kind.BAD, Kind.OK)
def test_a_fixture_says_in_one_line_what_it_is_about(fixture: Fixture) -> None:
    tree = ast.parse(fixture.path.read_bytes())
    docstring = ast.get_docstring(tree, clean=False) or ""
    assert docstring.strip() == docstring
    assert len(docstring) > 10
    assert "\n" not in docstring
    assert docstring.endswith(".")


@of(Kind.BAD, Kind.OK)
def test_inputs_are_a_list_of_argument_tuples(fixture: Fixture) -> None:
    (inputs,) = (
        node.value
        for node in ast.parse(fixture.path.read_bytes()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INPUTS"
    )
    assert isinstance(inputs, ast.List)
    assert inputs.elts
    assert all(isinstance(row, ast.Tuple) for row in inputs.elts)


def test_no_two_fixtures_are_the_same_program() -> None:
    assert (
        repeated((fixture.name, program(fixture.path)) for fixture in FIXTURES if fixture.rule in RULES) == []
    )


def test_no_two_fixtures_say_the_same_about_themselves() -> None:
    said = (
        (fixture.name, ast.get_docstring(ast.parse(fixture.path.read_bytes())))
        for fixture in FIXTURES
        if fixture.rule in RULES
    )
    assert repeated(said) == []


def test_the_folders_of_rules_hold_fixtures_and_their_forms_only() -> None:
    known = {path for each in FIXTURES for path in (each.path, *form_paths(each.path).values())}
    there = {path for rule in RULES for path in (FOLDER / rule).iterdir() if path.name != "__pycache__"}
    assert sorted(there - known) == []
    assert [path for path in known if is_form(path) and path.exists() and "ok_" in path.name] == []


def repeated(named: Iterable[tuple[str, object]]) -> list[list[str]]:
    """The names that stand for the same thing."""
    names: dict[object, list[str]] = defaultdict(list)
    for name, thing in named:
        names[thing].append(name)
    return [same for same in names.values() if len(same) > 1]


def program(path: Path) -> str:
    """What a fixture does, whatever it is called and says: its code without docstrings and inputs."""
    tree = ast.parse(path.read_bytes())
    body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INPUTS")
    ]
    return "\n".join(map(ast.dump, body[1:]))


def functions(text: str) -> dict[str, str]:
    """The code of each function at the top of a text."""
    return {
        node.name: ast.unparse(node) for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)
    }


def statements(text: str) -> list[range]:
    """The lines of each statement at the top of a text, decorators included."""
    return [
        range(
            min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))]),
            (node.end_lineno or 0) + 1,
        )
        for node in ast.parse(text).body
    ]


def changed_lines(before: str, after: str) -> set[int]:
    """The lines of the text before that are not the same after, counted from 1."""
    matcher = SequenceMatcher(None, split_lines(before), split_lines(after), autojunk=False)
    stretches = [
        (first, max(last, first + 1)) for tag, first, last, _, _ in matcher.get_opcodes() if tag != "equal"
    ]
    return {line + 1 for first, last in stretches for line in range(first, last)}


def line_ends(source: Source) -> set[str]:
    return {line[len(line.rstrip("\r\n")) :] for line in source.lines} - {""}
