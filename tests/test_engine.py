"""Checking and fixing, driven by a small analysis whose fixes go right and wrong on purpose.

It finds every call of `bad`, `wrong` and the like, and mends them by renaming: what becomes of a fix after
that is the engine's business alone.
"""

from __future__ import annotations

import ast
import codecs
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanlint.config import Config
from nanlint.engine import Analyse, FixResult, check, check_bytes, check_file, fix
from nanlint.finding import Applicability, Confidence, Edit, Finding, Fix, Position, Span
from nanlint.source import AnalysisError, Source, from_bytes, parse, read

DEFAULT = Config()
UNSAFE = Config(unsafe_fixes=True)

REPAIRS: dict[str, Callable[[str], str]] = {
    "bad": lambda argument: f"good({argument})",
    "wrap": lambda argument: f"good(bad({argument}))",  # a new finding in the old one's place
    "rename": lambda argument: f"rename_({argument})",  # the finding survives under another text
    "rename_": lambda argument: f"rename({argument})",
    "broken": lambda argument: f"good({argument}",
    "undo": lambda argument: f"(good({argument})\n)",
    "risky": lambda argument: f"good({argument})",
    "outside": lambda argument: "\ud800",
    "none": lambda argument: "",
}
"""What the fix of a call makes of it; a call of a name in `FINDINGS` that is not here has no fix."""

FINDINGS = {**dict.fromkeys(REPAIRS, "NAN101"), "plain": "NAN102", "faint": "NAN103", "off": "NAN302"}


def toy(source: Source, config: Config) -> list[Finding]:
    """A finding for each call of a name in `FINDINGS`, innermost first."""
    calls = [
        (node, node.func.id)
        for node in ast.walk(parse(source.text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FINDINGS
    ]
    return [finding(source, node, name) for node, name in reversed(calls)]


def finding(source: Source, node: ast.Call, name: str) -> Finding:
    span = source.span(node)
    argument = source.slice(source.span(node.args[0])) if node.args else ""
    edits = (Edit(span, REPAIRS[name](argument)),) if name in REPAIRS else ()
    applicability = Applicability.UNSAFE if name == "risky" else Applicability.SAFE
    confidence = Confidence.LOW if name == "faint" else Confidence.HIGH
    made = Finding(FINDINGS[name], source.path, span, f"`{name}` is called", confidence)
    return replace(made, fix=Fix("toy", applicability, edits)) if edits else made


def raising(error: BaseException) -> Analyse:
    def analyse(source: Source, config: Config) -> list[Finding]:
        raise error

    return analyse


def checked(text: str, config: Config = DEFAULT, **more: Any) -> list[str]:
    """Code and place of each finding shown."""
    return [described(each) for each in check(Source("a.py", text), config, analyse=toy, **more)]


def described(finding: Finding) -> str:
    return f"{finding.code} {finding.span.start.line}:{finding.span.start.column}"


def fixed(text: str, config: Config = DEFAULT, analyse: Analyse = toy) -> str:
    """The text after `fix`, which has nothing left to do on it."""
    result = fix(Source("a.py", text), config, analyse=analyse)
    again = fix(result.source, config, analyse=analyse)
    assert again.source is result.source
    assert (again.fixed, again.remaining) == (0, result.remaining)
    assert result.remaining == check(result.source, config, analyse=analyse)
    assert result.fixed == len(check(Source("a.py", text), config, analyse=analyse)) - len(result.remaining)
    return result.source.text


# What must not be shown


@pytest.mark.parametrize("text", ["", "x = 1\n", "good(x)\n", "# bad(x)\n", "'bad(x)'\n"])
def test_nothing_is_shown_of_sound_code(text: str) -> None:
    assert checked(text) == []


def test_what_is_deselected_is_not_shown() -> None:
    text = "bad(x)\nplain(x)\nfaint(x)\noff(x)\n"
    assert checked(text) == ["NAN101 1:1", "NAN102 2:1"]
    assert checked(text, Config(select=("NAN102", "NAN3"))) == ["NAN102 2:1", "NAN302 4:1"]
    assert checked(text, Config(ignore=("NAN102",))) == ["NAN101 1:1"]
    assert checked(text, Config(confidence=Confidence.LOW)) == ["NAN101 1:1", "NAN102 2:1", "NAN103 3:1"]
    assert checked(text, Config(per_file_ignores=(("a.py", ("NAN101",)),))) == ["NAN102 2:1"]


def test_what_a_comment_suppresses_is_not_shown() -> None:
    text = "bad(x)  # noqa\nplain(x)  # noqa: NAN1\nbad(\nx)  # noqa: NAN101\nbad(x)  # noqa: NAN102\n"
    assert checked(text) == ["NAN101 3:1", "NAN101 5:1"]
    assert checked(text, noqa=False) == ["NAN101 1:1", "NAN102 2:1", "NAN101 3:1", "NAN101 5:1"]
    assert checked("# flake8: noqa\n" + text) == []
    assert len(checked("# flake8: noqa\n" + text, noqa=False)) == 4


# What is shown


def test_findings_are_in_the_order_of_the_source() -> None:
    assert checked("plain(bad(x))\nbad(y); plain(z)\n") == [
        "NAN102 1:1",
        "NAN101 1:7",
        "NAN101 2:1",
        "NAN102 2:9",
    ]


def test_findings_at_one_place_are_in_the_order_of_codes() -> None:
    def analyse(source: Source, config: Config) -> list[Finding]:
        found = toy(source, config)
        return [replace(each, code=code) for each in found for code in ("NAN202", "NAN101", "NAN201")]

    shown = check(Source("a.py", "bad(x)"), DEFAULT, analyse=analyse)
    assert [each.code for each in shown] == ["NAN101", "NAN201", "NAN202"]


def test_a_text_that_does_not_parse_is_a_finding() -> None:
    (found,) = check(Source("a.py", "x = 1\ny = )\n"), DEFAULT, analyse=toy)
    assert (found.code, found.path, found.span.start) == ("NAN901", "a.py", Position(2, 5))
    assert found.message == "could not be analysed: unmatched ')'"
    assert checked("x = 1\ny = )  # noqa\n") == []


@pytest.mark.parametrize(
    ("error", "reason", "start"),
    [
        (RecursionError(), "nested too deeply", Position(1, 1)),
        (MemoryError(), "out of memory", Position(1, 1)),
        (AnalysisError("too odd", Position(2, 3)), "too odd", Position(2, 3)),
    ],
)
def test_an_analysis_that_gives_up_is_a_finding(error: Exception, reason: str, start: Position) -> None:
    (found,) = check(Source("a.py", "x\n  y"), DEFAULT, analyse=raising(error))
    assert (found.code, found.span) == ("NAN901", Span(start, start))
    assert found.message == f"could not be analysed: {reason}"


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), AssertionError()])
def test_an_internal_error_is_not_hidden(error: Exception) -> None:
    for run in (check, fix):
        with pytest.raises(type(error)):
            run(Source("a.py", "bad(x)"), DEFAULT, analyse=raising(error))


def test_files_are_checked_from_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    data = codecs.BOM_UTF8 + "é = bad('😀')\r\n".encode()
    path.write_bytes(data)
    assert list(map(described, check_file(str(path), DEFAULT, analyse=toy))) == ["NAN101 1:5"]
    assert check_bytes(str(path), data, DEFAULT, analyse=toy) == check_file(str(path), DEFAULT, analyse=toy)


def test_files_that_give_no_text_are_findings(tmp_path: Path) -> None:
    absent = check_file(str(tmp_path / "absent.py"), DEFAULT, analyse=toy)
    undecodable = check_bytes("a.py", b"x = 1\n\xff", DEFAULT, analyse=toy)
    no_notebook = check_bytes("a.ipynb", b"{", DEFAULT, analyse=toy)
    assert [described(found) for found in (*absent, *undecodable, *no_notebook)] == [
        "NAN901 1:1",
        "NAN901 2:1",
        "NAN901 1:2",
    ]
    assert check_bytes("a.py", b"\xff", Config(ignore=("NAN901",)), analyse=toy) == []


def test_a_broken_cell_is_a_finding_beside_the_others() -> None:
    source = notebook("bad(1)", "bad(", "plain(2)")
    places = [
        (found.code, source.locate(found.span.start).cell) for found in check(source, DEFAULT, analyse=toy)
    ]
    assert places == [("NAN101", 1), ("NAN901", 2), ("NAN102", 3)]


# What must not be fixed


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("good(x)", id="sound"),
        pytest.param("plain(x)", id="no fix"),
        pytest.param("bad(x)  # noqa: NAN101", id="suppressed"),
        pytest.param("# flake8: noqa\nbad(x)", id="suppressed whole"),
        pytest.param("risky(x)", id="unsafe"),
        pytest.param("rename(x)", id="survives"),
        pytest.param("wrap(x)", id="brings a new finding"),
        pytest.param("broken(x)", id="does not parse"),
        pytest.param("outside(x)", id="cannot be encoded"),
        pytest.param("x = none()", id="removes too much"),
        pytest.param("bad(x", id="broken before"),
        pytest.param("rename(wrap(broken(rename_(x))))", id="all together"),
    ],
)
def test_the_very_source_comes_back_where_nothing_is_fixed(text: str) -> None:
    source = Source("a.py", text)
    result = fix(source, DEFAULT, analyse=toy)
    assert result.source is source
    assert result == FixResult(source, 0, check(source, DEFAULT, analyse=toy))


def test_hidden_findings_are_not_fixed() -> None:
    def analyse(source: Source, config: Config) -> list[Finding]:
        return [replace(found, confidence=Confidence.LOW) for found in toy(source, config)]

    assert fixed("bad(x)", analyse=analyse) == "bad(x)"
    assert fixed("bad(x)", Config(confidence=Confidence.LOW), analyse) == "good(x)"
    assert fixed("bad(x)", Config(ignore=("NAN101",))) == "bad(x)"


def test_a_fix_that_uncovers_a_suppressed_finding_is_not_made() -> None:
    assert fixed("undo(x); plain(y)\n") == "(good(x)\n); plain(y)\n"
    text = "undo(plain(x))  # noqa: NAN102\n"
    assert checked(text) == ["NAN101 1:1"]
    assert fixed(text) == text


def test_a_fix_that_brings_only_a_faint_finding_is_not_made() -> None:
    def analyse(source: Source, config: Config) -> list[Finding]:
        found = toy(source, config)
        faint = Finding("NAN103", "a.py", Span(Position(1, 1), Position(1, 1)), "", Confidence.LOW)
        return [*found, faint] if "good" in source.text else found

    assert fixed("bad(x)", analyse=analyse) == "bad(x)"


def test_a_fix_is_parsed_even_if_the_analysis_does_not_parse() -> None:
    def analyse(source: Source, config: Config) -> list[Finding]:
        return toy(source, config) if "broken" in source.text else []

    assert fixed("broken(x)", analyse=analyse) == "broken(x)"


def test_a_fix_that_moves_a_finding_elsewhere_is_not_made() -> None:
    def analyse(source: Source, config: Config) -> list[Finding]:
        """The fix of `bad` also exchanges the names of the two other calls."""
        exchange = [
            (old, source.text.find(old), new) for old, new in (("plain", "sound"), ("sound", "plain"))
        ]
        edits = [
            Edit(Span(source.position(at), source.position(at + len(old))), new) for old, at, new in exchange
        ]
        return [
            replace(found, fix=Fix("toy", Applicability.SAFE, (*found.fix.edits, *edits)))
            if found.fix
            else found
            for found in toy(source, config)
        ]

    text = "bad(1)\nplain(2)\nsound(3)\n"
    assert fixed(text, analyse=analyse) == text


# What is fixed


def test_every_fix_that_works_is_made() -> None:
    assert fixed("bad(x)\ny = bad(z) + bad(1)\n") == "good(x)\ny = good(z) + good(1)\n"


def test_unsafe_fixes_are_made_on_request() -> None:
    assert fixed("risky(bad(x))", UNSAFE) == "good(good(x))"
    assert fixed("risky(bad(x))") == "risky(good(x))"


def test_nested_fixes_reach_the_fixed_point_in_one_call() -> None:
    depth = 12
    text = "bad(" * depth + "x" + ")" * depth
    assert fixed(text) == text.replace("bad", "good")


def test_bad_fixes_are_left_out_and_the_others_made() -> None:
    text = "bad(1)\nbroken(2)\nbad(3); wrap(4)\nrename(bad(5))\nbad(6)\noutside(7)\n"
    result = fix(Source("a.py", text), DEFAULT, analyse=toy)
    assert result.source.text == text.replace("bad", "good")
    assert (result.fixed, list(map(described, result.remaining))) == (
        4,
        ["NAN101 2:1", "NAN101 3:10", "NAN101 4:1", "NAN101 6:1"],
    )
    assert fixed(text) == result.source.text


def test_one_bad_fix_costs_little() -> None:
    analysed = 0

    def analyse(source: Source, config: Config) -> list[Finding]:
        nonlocal analysed
        analysed += 1
        return toy(source, config)

    text = "bad(1)\n" * 30 + "broken(2)\n"
    result = fix(Source("a.py", text), DEFAULT, analyse=analyse)
    assert (result.fixed, len(result.remaining)) == (30, 1)
    assert analysed < 50


def test_fixes_that_only_fail_together_are_made_one_by_one() -> None:
    def analyse(source: Source, config: Config) -> list[Finding]:
        found = toy(source, config)
        if source.text.count("good") == 2:
            found.append(Finding("NAN105", "a.py", found[0].span if found else ORIGIN, "", Confidence.HIGH))
        return found

    ORIGIN = Span(Position(1, 1), Position(1, 1))
    assert fixed("bad(1)\nbad(2)\nplain(3)\n", analyse=analyse) == "good(1)\nbad(2)\nplain(3)\n"
    assert fixed("bad(1)\nbad(2)\nbad(3)\n", analyse=analyse) == "good(1)\ngood(2)\ngood(3)\n"


def test_a_fix_that_works_after_another_is_made_in_the_same_call() -> None:
    def analyse(source: Source, config: Config) -> list[Finding]:
        found = toy(source, config)
        early = "bad(2)" in source.text and "good(1)" in source.text
        return [*found, Finding("NAN105", "a.py", found[0].span, "", Confidence.HIGH)] if early else found

    assert fixed("bad(1); bad(2)", analyse=analyse) == "good(1); good(2)"
    assert fixed("bad(1); bad(2); broken(3)", analyse=analyse) == "good(1); good(2); broken(3)"


def test_a_fix_may_remove_other_findings_too() -> None:
    result = fix(Source("a.py", "none(bad(plain(x)))"), DEFAULT, analyse=dropping)
    assert (result.source.text, result.fixed, result.remaining) == ("good(0)", 3, [])


def dropping(source: Source, config: Config) -> list[Finding]:
    """`toy`, but the fix of `none` leaves a call without findings."""
    return [
        replace(found, fix=Fix("toy", Applicability.SAFE, (Edit(found.span, "good(0)"),)))
        if source.slice(found.span).startswith("none")
        else replace(found, fix=None)
        for found in toy(source, config)
    ]


def test_fixes_that_insert_at_one_place_are_made_after_one_another() -> None:
    def analyse(source: Source, config: Config) -> list[Finding]:
        lines = source.text.count("import good\n")
        return [
            replace(found, fix=Fix("toy", Applicability.SAFE, (*found.fix.edits, *imported(lines))))
            for found in toy(source, config)
            if found.fix is not None
        ]

    def imported(lines: int) -> list[Edit]:
        return [] if lines else [Edit(Span(Position(1, 1), Position(1, 1)), "import good\n")]

    assert fixed("bad(1)\nbad(2)\n", analyse=analyse) == "import good\ngood(1)\ngood(2)\n"


def test_fixes_that_bind_one_name_in_a_function_are_made_after_one_another() -> None:
    def analyse(source: Source, config: Config) -> list[Finding]:
        """The fix of `bad(x)` binds `x` to a name that the text does not have yet."""
        name = "k" if "k = " not in source.text else "k_2"
        return [replace(found, fix=bound(found, name, source)) for found in toy(source, config)]

    def bound(found: Finding, name: str, source: Source) -> Fix:
        line = source.lines[found.span.start.line - 1]
        start, indent = Position(found.span.start.line, 1), line[: len(line) - len(line.lstrip())]
        return Fix(
            "toy",
            Applicability.SAFE,
            (Edit(Span(start, start), f"{indent}{name} = 1\n"), Edit(found.span, f"good({name})")),
        )

    function = "def f():\n    x = bad(1)\n    y = bad(2)\n"
    after = "def f():\n    k = 1\n    x = good(k)\n    k_2 = 1\n    y = good(k_2)\n"
    assert fixed(function, analyse=analyse) == after
    one = "def f():\n    x = bad(1)\n"
    assert fixed(one + one, analyse=analyse) == "def f():\n    k = 1\n    x = good(k)\n" * 2


def test_findings_of_a_chain_begin_at_one_place_and_are_told_apart() -> None:
    def analyse(source: Source, config: Config) -> list[Finding]:
        """A finding from the start of the text to the end of each `.bad` and `.broken`."""
        links = re.finditer(r"\.(bad|broken)\b", source.text)
        return [link(source, match, {"bad": ".good", "broken": ".("}[match[1]]) for match in links]

    def link(source: Source, match: re.Match[str], replacement: str) -> Finding:
        start, end = source.position(match.start()), source.position(match.end())
        repair = Fix("toy", Applicability.SAFE, (Edit(Span(start, end), replacement),))
        return Finding("NAN101", "a.py", Span(Position(1, 1), end), "", Confidence.HIGH, fix=repair)

    assert fixed("x.bad.bad.bad", analyse=analyse) == "x.good.good.good"
    assert fixed("x.bad.broken.bad", analyse=analyse) == "x.good.broken.good"


def test_a_product_of_several_masks_is_told_once() -> None:
    product = "s[..., 0].abs().sqrt() * s[..., 1].sign() * s[..., 2].sign()"
    text = f"import torch\n\ndef f(solve, x):\n    s = solve(x)\n    return {product}\n"
    assert [each.code for each in check(Source("a.py", text), Config())] == ["NAN102"]


def test_a_finding_at_the_very_place_of_an_insertion_is_no_new_one() -> None:
    def analyse(source: Source, config: Config) -> list[Finding]:
        """The outer call's fix puts something around its argument, where the inner call begins."""
        return [
            replace(found, fix=around(source, found)) if source.slice(found.span).startswith("bad") else found
            for found in toy(source, config)
        ]

    def around(source: Source, found: Finding) -> Fix:
        start, end = source.offset(found.span.start), source.offset(found.span.end)
        name = Edit(Span(found.span.start, source.position(start + 3)), "good")
        opening, closing = source.position(start + 4), source.position(end - 1)
        edits = (name, Edit(Span(opening, opening), "safe("), Edit(Span(closing, closing), ", 1)"))
        return Fix("toy", Applicability.SAFE, edits)

    assert fixed("bad(plain(bad(x)))", analyse=analyse) == "good(safe(plain(good(safe(x, 1))), 1))"


def test_fixed_files_keep_their_encoding_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes("# coding: latin-1\r\n'é'; undo(x)\r\n\x0cbad(y)".encode("latin-1"))
    result = fix(read(str(path)), DEFAULT, analyse=toy)
    expected = "# coding: latin-1\r\n'é'; (good(x)\r\n)\r\n\x0cgood(y)".encode("latin-1")
    assert result.source.to_bytes() == expected


def test_notebooks_are_fixed_cell_by_cell() -> None:
    source = notebook("%time\nbad(1)", "bad((", "x = bad(2)\n", "%%bash\nbad(3)", "broken(bad(4))")
    result = fix(source, DEFAULT, analyse=toy)
    sources = [cell["source"] for cell in json.loads(result.source.to_bytes())["cells"]]
    assert sources == ["%time\ngood(1)", "bad((", "x = good(2)\n", "%%bash\nbad(3)", "broken(good(4))"]
    assert [found.code for found in result.remaining] == ["NAN901", "NAN101"]
    assert fix(result.source, DEFAULT, analyse=toy).source is result.source


def notebook(*cells: str) -> Source:
    content = {"cells": [{"cell_type": "code", "source": source} for source in cells]}
    return from_bytes("a.ipynb", json.dumps(content).encode())


CALLS = st.recursive(
    st.sampled_from(["x", "1"]),
    lambda inner: st.builds("{}({})".format, st.sampled_from(sorted(FINDINGS)), inner),
    max_leaves=6,
)


@settings(deadline=None, max_examples=150)
@given(st.lists(CALLS, max_size=5), st.sampled_from([DEFAULT, UNSAFE]), st.sampled_from(["", "  # noqa"]))
def test_fixing_any_text_only_removes_findings(calls: list[str], config: Config, comment: str) -> None:
    text = "".join(call + comment + "\n" for call in calls)
    before, after = text, fixed(text, config)
    assert len(checked(after, config)) <= len(checked(before, config))
    assert len(checked(after, config, noqa=False)) <= len(checked(before, config, noqa=False))
    if comment:
        assert after == before


@settings(deadline=None, max_examples=150)
@given(st.lists(CALLS, max_size=5), st.booleans())
def test_a_fix_is_offered_if_and_only_if_the_text_changes(calls: list[str], unsafe: bool) -> None:
    text = "".join(call + "\n" for call in calls)
    fixes = [each.fix for each in check(Source("a.py", text), DEFAULT, analyse=toy) if each.fix]
    wanted = [each for each in fixes if unsafe or each.applicability is Applicability.SAFE]
    assert bool(wanted) is (fixed(text, Config(unsafe_fixes=unsafe)) != text)


@pytest.mark.parametrize("name", ["rename", "wrap", "broken", "outside"])
def test_a_fix_that_is_never_made_is_not_offered(name: str) -> None:
    (found,) = check(Source("a.py", f"{name}(x)\n"), DEFAULT, analyse=toy)
    assert (found.fix, bool(found.note)) == (None, True)
