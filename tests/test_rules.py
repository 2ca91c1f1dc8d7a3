"""The metadata of every rule, held against the engine and torch, and the pages that are made of it."""

from __future__ import annotations

import dataclasses
import doctest
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from inspect import cleandoc
from pathlib import Path

import pytest
import torch

from nanlint.assume.verdicts import UNUSED, WRONG
from nanlint.catalogue import SELECTORS
from nanlint.catalogue.selectors import MASK_PRODUCT
from nanlint.config import UNANALYSABLE, WITHOUT_SELECTOR, Config, load_file
from nanlint.engine import check, fix
from nanlint.finding import Confidence, Finding
from nanlint.proof.running import Run, run
from nanlint.rules import SECTIONS, Rule, registry
from nanlint.rules.__main__ import page
from nanlint.source import Source

ROOT = Path(__file__).parents[1]
RULES = list(registry().values())
EVERYTHING = Config(select=("NAN",), confidence=Confidence.LOW)
HAZARDS = [rule for rule in RULES if rule.code < "NAN9"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
every_hazard = pytest.mark.parametrize("rule", HAZARDS, ids=lambda rule: rule.code)
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


def sections(rule: Rule) -> dict[str, str]:
    """The text below each heading of a rule's docs."""
    parts = re.split(r"^## (.+)$", rule.docs, flags=re.MULTILINE)
    assert not parts[0].strip()
    return {heading: text.strip() for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def blocks(text: str, language: str) -> list[str]:
    """The fenced code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def code(rule: Rule, heading: str) -> str:
    (block,) = blocks(sections(rule)[heading], "python")
    return str(block)


def findings(text: str) -> list[Finding]:
    """What is found with all codes and, beyond the default settings, with low confidence."""
    return check(Source("example.py", text), EVERYTHING)


def inputs(rule: Rule) -> dict[str, float]:
    """The inputs that the docs give for the example."""
    prose = sections(rule)["Example"].rpartition("```")[2]
    return {name: float(value) for name, value in re.findall(r"`(\w+) = (-?[\d.]+)`", prose)}


def outcome(rule: Rule, heading: str) -> Run:
    """What torch makes of the one function in a block, for the inputs of the example."""
    names: dict[str, Callable[..., object]] = {}
    exec(compile(code(rule, heading), f"{rule.code} {heading}", "exec"), names)
    (function,) = (thing for thing in names.values() if getattr(thing, "__code__", None))
    given = inputs(rule)
    wanted = function.__code__.co_varnames[: function.__code__.co_argcount]
    return run(function, [[given[name]] for name in wanted])


# What must stay silent


@every_rule
def test_what_to_use_instead_is_clean(rule: Rule) -> None:
    assert findings(code(rule, "Use instead")) == []


@every_hazard
def test_what_to_use_instead_keeps_the_gradient(rule: Rule) -> None:
    result = outcome(rule, "Use instead")
    assert result.finite_value
    assert result.finite_gradient


# What is reported


@every_rule
def test_the_example_is_reported_with_the_code(rule: Rule) -> None:
    found = findings(code(rule, "Example"))
    assert [finding.code for finding in found] == [rule.code]
    # without a selector there is no condition that speaks of the input
    sure = Confidence.MEDIUM if rule.code in WITHOUT_SELECTOR - {"NAN303"} else Confidence.HIGH
    assert all(finding.confidence is sure for finding in found)


@every_hazard
def test_the_example_loses_its_gradient_at_the_inputs_of_the_docs(rule: Rule) -> None:
    before, after = outcome(rule, "Example"), outcome(rule, "Use instead")
    assert before.finite_value
    assert all(_is_lost(gradient, rule) for gradient in before.gradients)
    moved = 2e-3 if rule.code == "NAN303" else 0.0  # by a guard that holds
    for one, other in zip(before.values, after.values, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-5, atol=moved)


def _is_lost(gradient: torch.Tensor, rule: Rule) -> bool:
    """Whether a gradient is nan, or infinite where that is what the rule is about."""
    return bool((gradient.isinf() if rule.code in ("NAN301", "NAN303") else gradient.isnan()).all())


@every_hazard
def test_the_inputs_of_the_docs_are_those_of_the_finding(rule: Rule) -> None:
    (found,) = findings(code(rule, "Example"))
    assert found.witness is not None
    assert found.witness.inputs == inputs(rule)


@every_rule
def test_a_fix_is_offered_where_the_metadata_say_so(rule: Rule) -> None:
    source = Source("example.py", code(rule, "Example"))
    assert rule.fixable in ("sometimes", "never")
    fixed = fix(source, dataclasses.replace(EVERYTHING, confidence=Confidence.MEDIUM, unsafe_fixes=True))
    assert (fixed.fixed, len(fixed.remaining)) == (
        (1, 0) if rule.fixable == "sometimes" else (0, len(findings(source.text)))
    )
    assert ("There is no automatic fix" in sections(rule)["Fix safety"]) == (rule.fixable == "never")


# The metadata


@every_rule
def test_the_docs_have_all_sections(rule: Rule) -> None:
    assert tuple(sections(rule)) == SECTIONS
    assert all(sections(rule).values())


@every_rule
def test_the_summary_is_one_sentence(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z][^\n|]{20,90}[^.]\.", rule.summary)


def test_the_rules_are_those_of_the_selectors() -> None:
    rows = [*SELECTORS.values(), MASK_PRODUCT]
    codes = {code for row in rows for code in (row.singular_code, row.overflow_code)}
    others = {"NAN301", *WITHOUT_SELECTOR}
    assert set(registry()) == codes | others | {UNANALYSABLE, WRONG, UNUSED}
    assert {rule.code for rule in HAZARDS} == codes | others
    assert list(registry()) == sorted(registry())


def test_the_overflow_twin_has_the_family_and_the_name() -> None:
    for row in [*SELECTORS.values(), MASK_PRODUCT]:
        rule, twin = registry()[row.singular_code], registry()[row.overflow_code]
        assert (twin.family, twin.name) == (rule.family, f"{rule.name}-overflow")


def test_names_are_unique_and_the_rules_are_discovered() -> None:
    modules = sorted(path.stem for path in (ROOT / "nanlint" / "rules").glob("nan*.py"))
    assert modules == [f"{rule.code.lower()}_{rule.name.replace('-', '_')}" for rule in RULES]
    assert len({rule.name for rule in RULES}) == len(RULES)


@every_rule
def test_a_rule_is_on_by_default_as_the_configuration_has_it(rule: Rule) -> None:
    assert rule.default == Config().selects(rule.code)


@every_rule
def test_there_is_a_folder_of_fixtures(rule: Rule) -> None:
    folders = {UNANALYSABLE: "hostile/broken_*", WRONG: "nan*/*assum*.py", UNUSED: "nan*/*assum*.py"}
    assert any((ROOT / "fixtures").glob(folders.get(rule.code, f"{rule.code.lower()}/bad_*.py")))


@every_hazard
def test_the_entries_of_derivatives_yaml_exist(rule: Rule) -> None:
    text = (resources.files("torchgen") / "packaged/autograd/derivatives.yaml").read_text(encoding="utf-8")
    entry = re.compile(r"`([\w.]+)`(?: \(`([^`]+)`\))?")
    (line,) = re.findall(
        r"^- derivatives\.yaml of PyTorch: (.*?)^- ", sections(rule)["References"], re.M | re.S
    )
    entries = entry.findall(" ".join(line.split()))
    assert entries
    for name, formula in entries:
        (derivative,) = re.findall(rf"^- name: {re.escape(name)}\(.*?\n\n", text, re.M | re.S)
        assert formula in derivative.replace(".conj()", "")


def test_explain_prints_the_docs() -> None:
    command = [sys.executable, "-m", "nanlint", "--explain", "nan101"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    rule = registry()["NAN101"]
    assert printed == f"{rule.code} {rule.name}: {rule.summary}\n\n{rule.docs}\n"
    assert cleandoc(rule.docs) == rule.docs


# The pages


def test_the_page_of_the_rules_is_up_to_date() -> None:
    written = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    command = [sys.executable, "-m", "nanlint.rules"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    assert written == printed == page(RULES)


def test_the_page_of_the_configuration_has_every_key(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    file = tmp_path / "pyproject.toml"
    (block,) = blocks(text, "toml")
    file.write_text(block, encoding="utf-8")
    given, default = load_file(str(file)), Config()
    keys = {field.name for field in dataclasses.fields(Config)} - {"root"}
    assert {key for key in keys if getattr(given, key) != getattr(default, key)} == keys
    assert first_cells(text) >= {key.replace("_", "-") for key in keys}


def test_the_configuration_in_the_readme_is_one(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    (block,) = blocks((ROOT / "README.md").read_text(encoding="utf-8"), "toml")
    file.write_text(block, encoding="utf-8")
    assert load_file(str(file)).per_file_ignores


def test_the_page_of_the_json_output_has_every_key() -> None:
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    (block,) = blocks(text, "console")
    keys: set[str] = set()
    json.loads(block.partition("\n")[2], object_hook=lambda found: keys.update(found))
    assert keys - {"x", "start", "end", "replacement"} == first_cells(text) - {"cell", "note"}


def first_cells(text: str) -> set[str]:
    """What stands in code in the first cells of the tables."""
    cells = re.findall(r"^\| (`.*?`) \|", text, re.M)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


@every_page
def test_links_between_the_pages_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        page_ = path.parent / file if file else path
        assert page_.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", page_.read_text(encoding="utf-8"), re.M)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, target


@every_page
def test_what_the_pages_show_of_the_command_line_is_what_it_prints(path: Path) -> None:
    for block in blocks(path.read_text(encoding="utf-8"), "console"):
        for command, _, shown in (part.partition("\n") for part in block.split("$ ")[1:]):
            assert printed(command) == shown


def printed(command: str) -> str:
    """What a command prints to the terminal, stdout and stderr."""
    program, *arguments = shlex.split(command)
    assert program == "nanlint"
    environment = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    run_ = subprocess.run(
        [sys.executable, "-m", "nanlint", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return run_.stdout


@every_page
def test_what_the_pages_say_of_torch_is_what_it_does(path: Path) -> None:
    sessions = "\n".join(blocks(path.read_text(encoding="utf-8"), "pycon"))
    session = doctest.DocTestParser().get_doctest(sessions, {}, path.name, str(path), 0)
    report: list[str] = []
    results = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST).run(session, out=report.append)
    assert results.failed == 0, "".join(report)
    assert path.name != "torch-backward.md" or results.attempted > 20
