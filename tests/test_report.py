"""The formats of reports, on findings that are made by hand."""

from __future__ import annotations

import json
import math
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from nanlint.finding import (
    Applicability,
    Confidence,
    Edit,
    Finding,
    Fix,
    Position,
    Site,
    Span,
    Witness,
)
from nanlint.report import FORMATS, Checked, Look, diff, render, summary
from nanlint.report.frame import columns, displayed
from nanlint.source import Source, from_bytes

PLAIN = Look()
BAD = """\
import torch

def f(x):
    mask = x < 0.003
    return torch.where(mask, 12.9 * x, x ** 0.5)

"""
WITNESS = Witness({"x": 0.0}, 0.0, {"x": math.nan})


def span(text: str, part: str) -> Span:
    """Where `part` stands in a text for the first time."""
    offset = text.index(part)
    return Span(position(text, offset), position(text, offset + len(part)))


def position(text: str, offset: int) -> Position:
    before = text[:offset]
    return Position(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def double_where(text: str, argument: str, applicability: Applicability = Applicability.SAFE) -> Fix:
    stretch = span(text, argument)
    start = Span(stretch.start, Position(stretch.start.line, stretch.start.column + 1))
    return Fix("double-where", applicability, (Edit(start, "torch.where(mask, 1.0, x)"),))


def bad(**changes: Any) -> Finding:
    """The finding of `BAD`."""
    finding = Finding(
        code="NAN101",
        path="losses.py",
        span=span(BAD, "torch.where(mask, 12.9 * x, x ** 0.5)"),
        message="`x ** 0.5` has no gradient here",
        confidence=Confidence.HIGH,
        sites=(Site("pow", span(BAD, "x ** 0.5"), "x ** 0.5", "(-inf, 0]"),),
        witness=WITNESS,
        fix=double_where(BAD, "x ** 0.5"),
    )
    return replace(finding, **changes)


def checked(*findings: Finding, text: str = BAD, path: str = "losses.py") -> Checked:
    return Checked(path, Source(path, text), findings)


def notebook(*cells: str) -> Source:
    document = {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": "# Gamma"},
            *({"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in cells),
        ],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return from_bytes("seed.ipynb", json.dumps(document).encode())


def in_notebook() -> Checked:
    """A finding in the second of two Python cells, with a site in the first."""
    source = notebook("%matplotlib inline\nroot = x ** 0.5", "mask = x > 0\ny = torch.where(mask, root, 0)")
    finding = Finding(
        code="NAN101",
        path="seed.ipynb",
        span=span(source.text, "torch.where(mask, root, 0)"),
        message="bad",
        confidence=Confidence.HIGH,
        sites=(Site("pow", span(source.text, "x ** 0.5"), "x ** 0.5", "(-inf, 0]"),),
        witness=WITNESS,
        fix=double_where(source.text, "x ** 0.5"),
    )
    return Checked("seed.ipynb", source, (finding,))


UNREADABLE = Checked(
    "broken.py",
    None,
    (
        Finding(
            "NAN901",
            "broken.py",
            Span(Position(3, 7), Position(3, 7)),
            "could not be analysed: not valid utf-8",
            Confidence.HIGH,
        ),
    ),
)


def shown(output_format: str, *files: Checked, look: Look = PLAIN) -> str:
    return render(output_format, files, look)


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip("\n").splitlines()]


# Nothing to say


@pytest.mark.parametrize("output_format", ["text", "concise", "github", "statistics"])
@pytest.mark.parametrize(
    "files", [[], [checked(), Checked("b.py", None, ())]], ids=["no files", "clean files"]
)
def test_without_findings_nothing_is_printed(output_format: str, files: list[Checked]) -> None:
    assert shown(output_format, *files) == ""


def test_without_findings_json_is_an_empty_array() -> None:
    assert json.loads(shown("json", checked())) == []


def test_without_findings_sarif_is_a_run_without_results() -> None:
    (run,) = json.loads(shown("sarif", checked()))["runs"]
    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []


def test_a_difference_of_nothing_is_empty() -> None:
    assert diff.unified("a.py", b"x\n", b"x\n") == b""
    assert diff.painted(b"", Look(color=True)) == b""


def test_without_findings_the_summary_says_so() -> None:
    assert summary([checked()], PLAIN) == "All checks passed."


# Summary


def test_the_summary_counts_findings_and_fixes() -> None:
    unsafe = bad(fix=double_where(BAD, "x ** 0.5", Applicability.UNSAFE))
    none = bad(fix=None)

    def said(*findings: Finding, unsafe_fixes: bool = False) -> str:
        return summary([checked(*findings), checked()], Look(unsafe_fixes=unsafe_fixes))

    assert said(none) == "Found 1 finding."
    assert said(bad()) == "Found 1 finding (1 fixable with --fix)."
    assert said(bad(), bad(), none) == "Found 3 findings (2 fixable with --fix)."
    assert said(unsafe) == "Found 1 finding (1 fixable with --fix --unsafe-fixes)."
    assert said(bad(), unsafe) == (
        "Found 2 findings (1 fixable with --fix, 1 more fixable with --fix --unsafe-fixes)."
    )
    assert said(bad(), unsafe, unsafe_fixes=True) == "Found 2 findings (2 fixable with --fix)."


def test_the_summary_after_fixes_says_what_remains() -> None:
    assert summary([checked(bad())], PLAIN, fixed=2) == "Fixed 2, 1 remaining."
    assert summary([checked()], PLAIN, fixed=2) == "Fixed 2, 0 remaining."
    assert summary([checked(bad())], PLAIN, fixed=2, would=True) == "Would fix 2, 1 remaining."


# Concise


def test_concise_is_a_line_a_finding_in_the_order_given() -> None:
    other = bad(code="NAN201", fix=None)
    assert lines_of(shown("concise", checked(bad(), other), UNREADABLE)) == [
        "losses.py:5:12: NAN101 `x ** 0.5` has no gradient here [*]",
        "losses.py:5:12: NAN201 `x ** 0.5` has no gradient here",
        "broken.py:3:7: NAN901 could not be analysed: not valid utf-8",
    ]


def test_concise_names_the_cell_of_a_notebook() -> None:
    assert shown("concise", in_notebook()) == "seed.ipynb:cell 3:2:5: NAN101 bad [*]"


def test_the_mark_is_for_fixes_that_the_options_allow() -> None:
    unsafe = checked(bad(fix=double_where(BAD, "x ** 0.5", Applicability.UNSAFE)))
    assert not shown("concise", unsafe).endswith("[*]")
    assert shown("concise", unsafe, look=Look(unsafe_fixes=True)).endswith("[*]")


@pytest.mark.parametrize("output_format", ["text", "concise", "github"])
def test_a_message_stays_on_its_line_and_does_not_act_on_the_terminal(output_format: str) -> None:
    hostile = bad(message="one\r\n  two\x1b[2Jthree\u202efour", note="", sites=(), fix=None, witness=None)
    first = shown(output_format, checked(hostile)).splitlines()[0]
    assert first.endswith("NAN101 one two␛[2Jthree\ufffdfour")


def test_a_path_does_not_act_on_the_terminal_either() -> None:
    assert shown("concise", checked(bad(), path="a\n\x1b[31m.py")).startswith("a␊␛[31m.py:5:12: ")


# Text


def test_text_shows_the_code_the_input_and_the_repair() -> None:
    assert lines_of(shown("text", checked(bad()))) == [
        "losses.py:5:12: NAN101 `x ** 0.5` has no gradient here [*]",
        "  |",
        "4 |     mask = x < 0.003",
        "5 |     return torch.where(mask, 12.9 * x, x ** 0.5)",
        "  |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "  |                                        ^^^^^^^^ poisoned at (-inf, 0]",
        "  |",
        "  = at x = 0.0: value 0.0, gradient of x is nan",
        "  = help: rewritten by --fix (double-where):",
        "5 | -     return torch.where(mask, 12.9 * x, x ** 0.5)",
        "5 | +     return torch.where(mask, 12.9 * x, torch.where(mask, 1.0, x) ** 0.5)",
    ]


def test_findings_are_separated_by_an_empty_line() -> None:
    text = shown("text", checked(bad(), bad()), checked(bad()))
    heads = [index for index, line in enumerate(text.splitlines()) if ": NAN101 " in line]
    assert len(heads) == 3
    assert all(text.splitlines()[index - 1] == "" for index in heads[1:])


def test_text_of_a_file_without_text_is_the_concise_line() -> None:
    assert lines_of(shown("text", UNREADABLE)) == lines_of(shown("concise", UNREADABLE))


def test_without_a_fix_the_note_says_what_to_do() -> None:
    text = shown("text", checked(bad(fix=None, note="guard the argument\nby hand")))
    assert lines_of(text)[-1] == "  = help: guard the argument by hand"


def test_an_unsafe_fix_is_offered_as_such() -> None:
    text = shown("text", checked(bad(fix=double_where(BAD, "x ** 0.5", Applicability.UNSAFE))))
    assert (
        "help: rewritten by --fix --unsafe-fixes (double-where), which may change what the code does:" in text
    )


def test_a_witness_tells_all_inputs_and_gradients_with_six_digits() -> None:
    witness = Witness({"x": 0.1 + 0.2, "y": -1e-30}, math.inf, {"x": math.nan, "y": -math.inf})
    assert "= at x = 0.3, y = -1e-30: value inf, gradient of x is nan, gradient of y is -inf" in shown(
        "text", checked(bad(witness=witness))
    )


def test_a_site_many_lines_above_is_shown_with_its_own_surroundings() -> None:
    text = (
        "first = 1\nroot = x ** 0.5\n"
        + "\n".join(f"line_{n} = 0" for n in range(3, 12))
        + "\ny = pick(root)\n"
    )
    finding = bad(
        span=span(text, "pick(root)"),
        sites=(Site("pow", span(text, "x ** 0.5"), "x ** 0.5", "(-inf, 0]"),),
        fix=None,
        witness=None,
    )
    assert lines_of(shown("text", checked(finding, text=text)))[1:] == [
        "   |",
        " 1 | first = 1",
        " 2 | root = x ** 0.5",
        "   |        ^^^^^^^^ poisoned at (-inf, 0]",
        " 3 | line_3 = 0",
        "...",
        "11 | line_11 = 0",
        "12 | y = pick(root)",
        "   |     ^^^^^^^^^^",
        "   |",
    ]


def test_a_selector_of_several_lines_is_underlined_on_each() -> None:
    text = "y = pick(\n    mask,  # why\n\n    x ** 0.5,\n)\n"
    finding = bad(span=span(text, text[4:-1]), sites=(), fix=None, witness=None)
    assert lines_of(shown("text", checked(finding, text=text)))[2:-1] == [
        "1 | y = pick(",
        "  |     ^^^^^",
        "2 |     mask,  # why",
        "  |     ^^^^^^^^^^^^",
        "3 |",
        "  | ^",
        "4 |     x ** 0.5,",
        "  |     ^^^^^^^^^",
        "5 | )",
        "  | ^",
    ]


def test_a_long_selector_is_shown_by_its_ends() -> None:
    text = "y = pick(\n" + "".join(f"    a_{n},\n" for n in range(2, 30)) + ")\n"
    finding = bad(span=span(text, text[4:-1]), sites=(), fix=None, witness=None)
    numbers = re.findall(r"^ *(\d+) \||^(\.\.\.)", shown("text", checked(finding, text=text)), re.MULTILINE)
    assert [number or gap for number, gap in numbers] == ["1", "2", "3", "4", "...", "27", "28", "29", "30"]


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("名前 = 'あ'; ", id="wide"),
        pytest.param("\t", id="tab"),
        pytest.param("s = '\t\t'; ", id="tabs within"),
        pytest.param("cafe\u0301 = 1; ", id="combining"),
        pytest.param("e = '😀'; ", id="emoji"),
        pytest.param("s = '\x0c\x1b\u200b'; ", id="control"),
    ],
)
def test_carets_stand_below_what_they_mark(before: str) -> None:
    text = f"{before}y = pick(値)\n"
    finding = bad(span=span(text, "pick(値)"), sites=(), fix=None, witness=None)
    code, carets = lines_of(shown("text", checked(finding, text=text)))[2:4]
    # measured by hand: the width of the characters on a terminal
    width = {"名": 2, "前": 2, "あ": 2, "値": 2, "😀": 2, "\u0301": 0, "\u200b": 0}
    start = sum(width.get(character, 1) for character in code[: code.index("pick")])
    assert (carets.index("^"), carets.count("^")) == (start, len("pick()") + 2)


def test_a_mark_at_the_end_of_the_file_needs_no_line_there() -> None:
    text = "def f(:\n"
    at_end = bad(span=Span(Position(2, 1), Position(2, 1)), sites=(), fix=None, witness=None)
    assert lines_of(shown("text", checked(at_end, text=text)))[1:] == ["  |", "1 | def f(:", "  |"]
    assert len(lines_of(shown("text", checked(at_end, text="")))) == 1


def test_line_ends_of_every_kind_are_left_out() -> None:
    text = "a = 1\r\ny = pick(x)\rb = 2\n"
    finding = bad(span=Span(Position(2, 5), Position(2, 12)), sites=(), fix=None, witness=None)
    assert lines_of(shown("text", checked(finding, text=text)))[2:-1] == [
        "1 | a = 1",
        "2 | y = pick(x)",
        "  |     ^^^^^^^",
        "3 | b = 2",
    ]


def test_a_fix_in_several_places_shows_only_the_lines_it_changes() -> None:
    start, end = Position(1, 1), Position(6, 1)
    edits = (Edit(Span(start, start), "import math\n"), *bad().fix.edits, Edit(Span(end, end), "# end\n"))  # type: ignore[union-attr]
    text = shown("text", checked(bad(fix=Fix("double-where", Applicability.SAFE, edits))))
    assert lines_of(text)[-5:] == [
        "  = help: rewritten by --fix (double-where):",
        "1 | + import math",
        "5 | -     return torch.where(mask, 12.9 * x, x ** 0.5)",
        "6 | +     return torch.where(mask, 12.9 * x, torch.where(mask, 1.0, x) ** 0.5)",
        "7 | + # end",
    ]


def test_a_notebook_is_shown_as_it_is_written_with_lines_of_its_cells() -> None:
    assert lines_of(shown("text", in_notebook())) == [
        "seed.ipynb:cell 3:2:5: NAN101 bad [*]",
        "  |",
        "1 | %matplotlib inline",
        "2 | root = x ** 0.5",
        "  |        ^^^^^^^^ poisoned at (-inf, 0]",
        "... cell 3",
        "1 | mask = x > 0",
        "2 | y = torch.where(mask, root, 0)",
        "  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "  |",
        "  = at x = 0.0: value 0.0, gradient of x is nan",
        "  = help: rewritten by --fix (double-where):",
        "2 | - root = x ** 0.5",
        "2 | + root = torch.where(mask, 1.0, x) ** 0.5",
    ]


def test_the_surroundings_stay_within_the_cell() -> None:
    source = notebook("before = 1\n", "y = pick(x)", "after = 1")
    finding = bad(span=span(source.text, "pick(x)"), sites=(), fix=None, witness=None)
    assert lines_of(shown("text", Checked("seed.ipynb", source, (finding,))))[2:-1] == [
        "1 | y = pick(x)",
        "  |     ^^^^^^^",
    ]


@pytest.mark.parametrize("output_format", ["text", "concise", "statistics"])
def test_colours_are_all_that_they_change(output_format: str) -> None:
    files = [checked(bad()), in_notebook(), UNREADABLE]
    colored = shown(output_format, *files, look=Look(color=True))
    assert "\x1b[31m" in colored
    assert click.unstyle(colored) == shown(output_format, *files)


@pytest.mark.parametrize("output_format", ["json", "sarif", "github"])
def test_formats_for_programs_have_no_colours(output_format: str) -> None:
    files = [checked(bad()), in_notebook()]
    assert shown(output_format, *files, look=Look(color=True)) == shown(output_format, *files)


def test_columns_are_those_of_a_terminal() -> None:
    assert columns("abc") == 3
    assert columns("値段😀") == 6
    assert columns("e\u0301\u200b\ufe0f") == 1
    assert columns(displayed("\ta\x1b")) == 6


# JSON

PLACE = {"line": int, "column": int}
EXTENT = {**PLACE, "end_line": int, "end_column": int}
NUMBER = (int, float, "nan", "inf", "-inf")
EDIT = {"start": PLACE, "end": PLACE, "replacement": str}
FINDING = {
    "code": str,
    "path": str,
    **EXTENT,
    "message": str,
    "confidence": ("high", "medium", "low"),
    "sites": [{"op": str, **EXTENT, "expression": str, "poison": str}],
    "witness": (None, {"inputs": {str: NUMBER}, "value": NUMBER, "gradient": {str: NUMBER}}),
    "fix": (None, {"style": str, "applicability": ("safe", "unsafe"), "edits": [EDIT]}),
}
"""A tuple holds alternatives, a list has one kind of items, a dict names its keys or has `str` for any."""


def violations(value: object, schema: Any, where: str = "") -> list[str]:
    """Where a value departs from a schema."""
    if isinstance(schema, tuple):
        fits = any(not violations(value, alternative, where) for alternative in schema)
        return [] if fits else [f"{where}: {value!r} is none of {schema}"]
    if isinstance(schema, list) and isinstance(value, list):
        return [wrong for item in value for wrong in violations(item, schema[0], f"{where}[]")]
    if isinstance(schema, dict) and isinstance(value, dict):
        return _violated_keys(value, schema, where)
    if isinstance(schema, type):
        return [] if type(value) is schema else [f"{where}: {value!r} is no {schema.__name__}"]
    return (
        [] if value == schema and type(value) is type(schema) else [f"{where}: {value!r} is not {schema!r}"]
    )


def _violated_keys(value: dict[str, object], schema: dict[Any, Any], where: str) -> list[str]:
    expected = dict.fromkeys(value, schema[str]) if str in schema else schema
    if list(value) != list(expected):
        return [f"{where}: keys {list(value)} instead of {list(expected)}"]
    return [wrong for key in value for wrong in violations(value[key], expected[key], f"{where}.{key}")]


def with_cell(schema: Any) -> Any:
    """The schema of notebooks: wherever there is a line, there is a cell before it."""
    if isinstance(schema, dict):
        pairs = {key: with_cell(part) for key, part in schema.items()}
        return {k: v for key, part in pairs.items() for k, v in _led_by_cell(key, part)}
    return type(schema)(map(with_cell, schema)) if isinstance(schema, (list, tuple)) else schema


def _led_by_cell(key: Any, part: Any) -> list[tuple[Any, Any]]:
    return [("cell", int), (key, part)] if key == "line" else [(key, part)]


@pytest.mark.parametrize(
    "finding",
    [
        pytest.param(bad(), id="complete"),
        pytest.param(bad(sites=(), witness=None, fix=None, note="by hand"), id="bare"),
        pytest.param(
            bad(witness=Witness({"x": -1e300, "y": 2}, math.inf, {"x": -math.inf, "y": 0.5})), id="inf"
        ),
    ],
)
def test_json_has_the_keys_of_the_contract_in_their_order(finding: Finding) -> None:
    found = json.loads(shown("json", checked(finding), UNREADABLE))
    assert len(found) == 2
    first = {**FINDING, "note": str} if finding.note else FINDING
    assert violations(found[0], first) == []
    assert violations(found[1], FINDING) == []


def test_a_fix_in_another_form_than_the_one_asked_for_says_so() -> None:
    told = "the form indexed cannot be written here, or not be shown to be right"
    made = checked(bad(note=told))
    assert json.loads(shown("json", made))[0]["note"] == told
    assert f"= help: rewritten by --fix (double-where); {told}:" in shown("text", made)


def test_json_of_a_notebook_adds_the_cell() -> None:
    (found,) = json.loads(shown("json", in_notebook()))
    assert violations(found, with_cell(FINDING)) == []
    (site,) = found["sites"]
    (edit,) = found["fix"]["edits"]
    assert (found["cell"], found["line"], found["column"]) == (3, 2, 5)
    assert (site["cell"], site["line"], site["column"]) == (2, 2, 8)
    assert (edit["start"], edit["end"]) == (
        {"cell": 2, "line": 2, "column": 8},
        {"cell": 2, "line": 2, "column": 9},
    )


def test_the_schema_of_these_tests_refuses_what_departs_from_it() -> None:
    (found,) = json.loads(shown("json", checked(bad())))
    departures: list[dict[str, object]] = [
        {**found, "extra": 1},
        {key: value for key, value in found.items() if key != "fix"},
        {**found, "line": "5"},
        {**found, "line": True},
        {**found, "witness": {**found["witness"], "value": "Infinity"}},
        {**found, "fix": {**found["fix"], "applicability": "maybe"}},
        {**found, "sites": [{}]},
    ]
    assert violations(found, FINDING) == []
    assert all(violations(departure, FINDING) for departure in departures)


def test_json_says_what_the_finding_says() -> None:
    (found,) = json.loads(shown("json", checked(bad())))
    assert found == {
        "code": "NAN101",
        "path": "losses.py",
        "line": 5,
        "column": 12,
        "end_line": 5,
        "end_column": 49,
        "message": "`x ** 0.5` has no gradient here",
        "confidence": "high",
        "sites": [
            {
                "op": "pow",
                "line": 5,
                "column": 40,
                "end_line": 5,
                "end_column": 48,
                "expression": "x ** 0.5",
                "poison": "(-inf, 0]",
            }
        ],
        "witness": {"inputs": {"x": 0.0}, "value": 0.0, "gradient": {"x": "nan"}},
        "fix": {
            "style": "double-where",
            "applicability": "safe",
            "edits": [
                {
                    "start": {"line": 5, "column": 40},
                    "end": {"line": 5, "column": 41},
                    "replacement": "torch.where(mask, 1.0, x)",
                }
            ],
        },
    }


def test_numbers_that_json_has_not_are_strings() -> None:
    witness = Witness({"x": 1e-45}, -math.inf, {"x": math.nan, "y": math.inf, "z": 2.5})
    text = shown("json", checked(bad(witness=witness)))
    (found,) = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["witness"] == {
        "inputs": {"x": 1e-45},
        "value": "-inf",
        "gradient": {"x": "nan", "y": "inf", "z": 2.5},
    }


def test_json_is_ascii_whatever_the_path() -> None:
    text = shown("json", checked(bad(message="値"), path="値\udcff.py"))
    assert text.isascii()
    assert json.loads(text)[0]["path"] == "値\udcff.py"


# SARIF


def test_sarif_has_what_code_scanning_needs() -> None:
    log = json.loads(shown("sarif", checked(bad(), bad()), UNREADABLE))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "nanlint"
    assert [rule["id"] for rule in driver["rules"]] == ["NAN101", "NAN901"]
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in driver["rules"])
    assert run["columnKind"] == "unicodeCodePoints"
    assert [result["ruleId"] for result in run["results"]] == ["NAN101", "NAN101", "NAN901"]


def test_a_sarif_result_has_place_sites_and_fix() -> None:
    (result,) = json.loads(shown("sarif", checked(bad())))["runs"][0]["results"]
    assert result["level"] == "error"
    assert result["message"] == {"text": "`x ** 0.5` has no gradient here"}
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "losses.py"},
        "region": {"startLine": 5, "startColumn": 12, "endLine": 5, "endColumn": 49},
    }
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["region"]["startColumn"] == 40
    assert related["message"]["text"] == "x ** 0.5: poisoned at (-inf, 0]"
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 5, "startColumn": 40, "endLine": 5, "endColumn": 41},
            "insertedContent": {"text": "torch.where(mask, 1.0, x)"},
        }
    ]


@pytest.mark.parametrize(("confidence", "level"), [("high", "error"), ("medium", "warning"), ("low", "note")])
def test_sarif_levels_follow_confidence(confidence: str, level: str) -> None:
    log = json.loads(shown("sarif", checked(bad(confidence=Confidence(confidence)))))
    assert log["runs"][0]["results"][0]["level"] == level


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("src/my losses.py", "src/my%20losses.py"),
        ("値#1?.py", "%E5%80%A4%231%3F.py"),
        ("/abs/a.py", "file:///abs/a.py"),
        ("a:b.py", "./a:b.py"),
    ],
)
def test_sarif_paths_are_uris(path: str, uri: str) -> None:
    (result,) = json.loads(shown("sarif", checked(bad(), path=path)))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_sarif_of_a_notebook_names_the_cell_and_claims_no_lines() -> None:
    (result,) = json.loads(shown("sarif", in_notebook()))["runs"][0]["results"]
    assert result["message"]["text"] == "cell 3:2:5: bad"
    assert result["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "seed.ipynb"}}}]
    assert "fixes" not in result


# GitHub


def test_github_gets_one_command_a_finding() -> None:
    assert lines_of(shown("github", checked(bad()), UNREADABLE)) == [
        "::error file=losses.py,line=5,col=12,endLine=5,endColumn=49,title=nanlint (NAN101)"
        "::losses.py:5:12: NAN101 `x ** 0.5` has no gradient here [*]",
        "::error file=broken.py,line=3,col=7,endLine=3,endColumn=7,title=nanlint (NAN901)"
        "::broken.py:3:7: NAN901 could not be analysed: not valid utf-8",
    ]


def test_github_properties_and_messages_are_escaped() -> None:
    hostile = bad(message="100% of x: a, b\n::warning::c", fix=None)
    assert shown("github", checked(hostile, path="50%,a:b.py")) == (
        "::error file=50%25%2Ca%3Ab.py,line=5,col=12,endLine=5,endColumn=49,title=nanlint (NAN101)"
        "::50%25,a:b.py:5:12: NAN101 100%25 of x: a, b ::warning::c"
    )


def test_github_of_a_notebook_names_the_cell_and_claims_no_lines() -> None:
    assert shown("github", in_notebook()) == (
        "::error file=seed.ipynb,title=nanlint (NAN101)::seed.ipynb:cell 3:2:5: NAN101 bad [*]"
    )


# Statistics


def test_statistics_count_the_most_frequent_first_and_say_what_is_fixable() -> None:
    none = bad(fix=None)
    often = [replace(none, code="NAN102")] * 9 + [replace(bad(), code="NAN102")]
    assert lines_of(shown("statistics", checked(bad(), *often), checked(bad()), UNREADABLE)) == [
        "10  NAN102  [-]  mask-product",
        " 2  NAN101  [*]  where",
        " 1  NAN901  [ ]  not-analysed",
    ]


# Diff


@pytest.mark.parametrize("path", ["a.py", "with space.py", "deep/値.py"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"a\nb\nc\n", b"a\nB\nc\n", id="a line"),
        pytest.param(b"a\nb", b"a\nB", id="no newline at the end"),
        pytest.param(b"a\nb", b"a\nb\n", id="a newline at the end"),
        pytest.param(b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n", id="crlf"),
        pytest.param(b"a\rb\rc\n", b"a\rB\rc\n", id="cr"),
        pytest.param(b"a\x0c\n\x0bb\n", b"a\x0c\n\x0bB\n", id="form feed"),
        pytest.param("é\nb\n".encode("latin-1"), "é\nB\n".encode("latin-1"), id="latin-1"),
        pytest.param(
            b"\n".join(b"%d" % n for n in range(99)),
            b"\n".join(b"%d" % (n % 90) for n in range(99)),
            id="far",
        ),
    ],
)
def test_git_applies_the_difference(tmp_path: Path, path: str, before: bytes, after: bytes) -> None:
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(before)
    changes = diff.unified(path, before, after)
    subprocess.run(["git", "apply", "-p0", "-"], cwd=tmp_path, input=changes, check=True, capture_output=True)
    assert file.read_bytes() == after


def test_a_name_with_spaces_ends_in_a_tab_so_that_patch_sees_its_end() -> None:
    assert diff.unified("a b.py", b"a\n", b"b\n").startswith(b"--- a b.py\t\n+++ a b.py\t\n@@")
    assert diff.unified("a.py", b"a\n", b"b\n").startswith(b"--- a.py\n+++ a.py\n@@")


def test_the_difference_in_colour_is_the_difference() -> None:
    changes = diff.unified("a.py", b"a\n\xff\r\nc", b"a\n\xfe\r\nc")
    colored = diff.painted(changes, Look(color=True))
    assert colored.count(b"\x1b[31m") == colored.count(b"\x1b[32m") == 1
    assert re.sub(rb"\x1b\[[0-9;]*m", b"", colored) == changes
    assert diff.painted(changes, PLAIN) == changes


def test_every_format_has_a_module() -> None:
    assert all(isinstance(shown(output_format, checked(bad())), str) for output_format in FORMATS)
