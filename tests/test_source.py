"""Bytes to text and back: nothing of a file changes but what an edit says."""

from __future__ import annotations

import ast
import codecs
import io
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanlint.finding import Edit, Position, Span
from nanlint.source import AnalysisError, Place, Source, from_bytes, parse, read, split_lines

# Characters that separate lines for `str.splitlines`, for Python, or for nobody.
TEXT = st.text(alphabet="ab é😀\t\n\r\x0b\x0c\x1c\x85\u2028", max_size=40)


def edit(start: tuple[int, int], end: tuple[int, int], replacement: str) -> Edit:
    return Edit(Span(Position(*start), Position(*end)), replacement)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"x = 1", id="no newline at the end"),
        pytest.param(b"x = 1\r\ny = 2\n\rz = 3\r", id="three line ends"),
        pytest.param(codecs.BOM_UTF8 + b"x = 1\n", id="byte order mark"),
        pytest.param(codecs.BOM_UTF8, id="byte order mark alone"),
        pytest.param("# coding: latin-1\nx = 'é'\n".encode("latin-1"), id="latin-1"),
        pytest.param("# coding: cp1252\nx = '€'\n".encode("cp1252"), id="cp1252"),
        pytest.param("# coding: shift_jis\nx = '値'\n".encode("shift_jis"), id="shift_jis"),
        pytest.param(b"# coding: utf-7\nx = '+AGE-'\n", id="utf-7, written otherwise than Python would"),
        pytest.param(b"x = 1\n\x0cy = 2\x00\n", id="form feed and null"),
    ],
)
def test_an_untouched_file_keeps_its_bytes(data: bytes) -> None:
    source = from_bytes("a.py", data)
    assert source.to_bytes() == data
    assert not source.text.startswith("\ufeff")


@settings(deadline=None)
@given(TEXT, st.sampled_from(["utf-8", "utf-8-sig"]))
def test_no_edits_change_nothing(text: str, encoding: str) -> None:
    data = text.encode(encoding)
    assert from_bytes("a.py", data).edited([]).to_bytes() == data


@pytest.mark.parametrize(
    ("data", "start", "end", "expected"),
    [
        (b"a = 1\r\nb = 2\r\n", (2, 5), (2, 6), b"a = 1\r\nb = 3\r\n"),
        (codecs.BOM_UTF8 + b"a = 1\n", (1, 5), (1, 6), codecs.BOM_UTF8 + b"a = 3\n"),
        (b"a = 1\n\x0cb = 2\n", (2, 6), (2, 7), b"a = 1\n\x0cb = 3\n"),
        (b"# coding: latin-1\nb = '\xe9', 2", (2, 10), (2, 11), b"# coding: latin-1\nb = '\xe9', 3"),
    ],
    ids=["crlf", "byte order mark", "form feed", "latin-1"],
)
def test_an_edit_changes_its_span_only(
    data: bytes, start: tuple[int, int], end: tuple[int, int], expected: bytes
) -> None:
    edited = from_bytes("a.py", data).edited([edit(start, end, "3")])
    assert edited.to_bytes() == expected
    assert from_bytes("a.py", expected) == edited


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_new_lines_end_as_the_lines_around(newline: str) -> None:
    source = Source("a.py", newline.join(["a", "b", "c"]))
    insertions = [edit((2, 1), (2, 1), "x\ny\r\n"), edit((3, 2), (3, 2), "\nz")]
    expected = newline.join(["a", "x", "y\r\nb", "c", "z"])
    assert source.edited(insertions).text == expected


def test_a_file_of_one_line_gets_line_feeds() -> None:
    assert Source("a.py", "a").edited([edit((1, 1), (1, 1), "b\n")]).text == "b\na"


def test_insertions_at_one_place_keep_their_order() -> None:
    source = Source("a.py", "abc")
    edits = [edit((1, 2), (1, 3), "B"), edit((1, 2), (1, 2), "2"), edit((1, 2), (1, 2), "1")]
    assert source.edited(edits).text == "a21Bc"


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([edit((1, 1), (1, 3), ""), edit((1, 2), (1, 4), "")], id="overlap"),
        pytest.param([edit((1, 1), (1, 4), ""), edit((1, 2), (1, 2), "x")], id="insertion inside"),
        pytest.param([edit((1, 3), (1, 2), "")], id="backwards"),
        pytest.param([edit((1, 1), (1, 7), "")], id="behind the end of a line"),
        pytest.param([edit((3, 1), (3, 1), "")], id="behind the last line"),
        pytest.param([edit((1, 0), (1, 1), "")], id="column 0"),
        pytest.param([edit((1, 1), (1, 1), "\udc00")], id="not encodable"),
    ],
)
def test_impossible_edits_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(ValueError, match=r"overlap|no place|ends before|can't encode"):
        from_bytes("a.py", b"abcde\nf").edited(edits)


def test_a_character_outside_the_encoding_is_refused() -> None:
    source = from_bytes("a.py", b"# coding: latin-1\n")
    with pytest.raises(ValueError, match="can't encode"):
        source.edited([edit((1, 1), (1, 1), "€")])


def test_an_encoding_that_would_rewrite_the_rest_is_refused() -> None:
    source = from_bytes("a.py", b"# coding: utf-7\nx = '+AGE-'\n")
    with pytest.raises(ValueError, match="give the bytes of the file back"):
        source.edited([edit((2, 1), (2, 2), "y")])


@settings(deadline=None)
@given(TEXT)
def test_lines_are_those_of_the_tokenizer(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert [line.rstrip("\r\n") for line in lines] == [
        line.rstrip("\n") for line in io.StringIO(text, newline=None)
    ]


@settings(deadline=None)
@given(TEXT)
def test_lines_are_those_of_ast(text: str) -> None:
    commented = "".join("# " + line for line in split_lines(text + "\n"))
    statement = ast.parse(commented + "last").body[0]
    assert statement.lineno == len(split_lines(commented)) + 1


@settings(deadline=None)
@given(TEXT)
def test_offsets_and_positions_are_inverse(text: str) -> None:
    source = Source("a.py", text)
    inside_crlf = {i for i in range(1, len(text)) if text[i - 1 : i + 1] == "\r\n"}
    for offset in set(range(len(text) + 1)) - inside_crlf:
        assert source.offset(source.position(offset)) == offset


def test_offsets_outside_the_text_have_no_position() -> None:
    source = Source("a.py", "ab")
    for offset in (-1, 3):
        with pytest.raises(ValueError, match="no offset"):
            source.position(offset)


def test_columns_count_characters() -> None:
    source = Source("a.py", "'😀é' + x\n")
    assert source.slice(Span(Position(1, 8), Position(1, 9))) == "x"


@pytest.mark.parametrize(
    "text", ["f(x)", "\x0cé = '😀' + f(\r\n  'é', x) # é", 'if é:\n    é(\n"""é\n"""\n, "a")\n']
)
def test_spans_of_nodes_are_their_text(text: str) -> None:
    source = Source("a.py", text)
    nodes = [node for node in ast.walk(parse(text)) if isinstance(node, ast.expr)]
    expected = [ast.get_source_segment(text.replace("\r\n", "\n"), node) for node in nodes]
    assert [source.slice(source.span(node)).replace("\r\n", "\n") for node in nodes] == expected


@settings(deadline=None)
@given(TEXT, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), TEXT), max_size=4))
def test_edits_are_replaced_slices(text: str, changes: list[tuple[int, int, str]]) -> None:
    text = text.replace("\r", "")
    source, edits, expected, last = Source("a.py", text), [], text, 0
    for start, length, replacement in sorted(changes):
        start, end = max(start, last), start + length
        if start < end <= len(text):
            replacement = replacement.replace("\r", "")
            span = Span(source.position(start), source.position(end))
            edits.append((start, end, Edit(span, replacement)))
            last = end
    for start, end, change in reversed(edits):
        expected = expected[:start] + change.replacement + expected[end:]
    assert source.edited([change for _, _, change in edits]).text == expected


def test_a_place_of_a_file_has_no_cell() -> None:
    place = Source("a.py", "x").locate(Position(1, 1))
    assert place == Place(None, 1, 1)
    assert str(place) == "1:1"
    assert str(Place(2, 5, 9)) == "cell 2:5:9"


@pytest.mark.parametrize(
    ("data", "reason", "position"),
    [
        (b"x = 1\r\ny = '\xff'\n", "not valid utf-8: invalid start byte", Position(2, 6)),
        (
            codecs.BOM_UTF8 + "é = '".encode() + b"\xff'",
            "not valid utf-8: invalid start byte",
            Position(1, 6),
        ),
        (b"x\ny\nz = '\xc3(' # \xc3\xa9", "not valid utf-8: invalid continuation byte", Position(3, 6)),
        (b"#!/bin/python\n# coding: klingon\n", "unknown encoding: klingon", Position(2, 1)),
        (codecs.BOM_UTF8 + b"# coding: latin-1\n", "encoding problem: utf-8", Position(1, 1)),
        (b"# coding: rot13\n", "cannot be decoded as rot13", Position(1, 1)),
        (b"# coding: undefined\n", "cannot be decoded as undefined", Position(1, 1)),
        ("# coding: ascii\nx = 'é'\n".encode(), "not valid ascii", Position(2, 6)),
        ("x = 1\n".encode("utf-16"), "not valid utf-8", Position(1, 1)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_undecodable_bytes_are_named(data: bytes, reason: str, position: Position) -> None:
    with pytest.raises(AnalysisError, match=reason) as caught:
        from_bytes("a.py", data)
    assert caught.value.position == position


def test_errors_cross_processes() -> None:
    error = pickle.loads(pickle.dumps(AnalysisError("odd", Position(2, 3))))
    assert (str(error), error.reason, error.position) == ("odd", "odd", Position(2, 3))


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "absent.py", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(AnalysisError, match=f"cannot be read: {reason}") as caught:
            read(str(path))
        assert caught.value.position == Position(1, 1)


def test_a_file_is_read_from_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(codecs.BOM_UTF8 + b"x = 1\r\n")
    source = read(str(path))
    assert (source.path, source.text) == (str(path), "x = 1\r\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1\ny = (\n", 2),
        ("\rx = é 1\n", 2),
        ("\r\nx = 'abc", 2),
        ("if x:\n    a\n  b\n", 3),
        ("x = $", 1),
        ("if x:\\\r\n\\['", 2),
    ],
)
def test_parse_errors_stand_in_the_text(text: str, line: int) -> None:
    with pytest.raises(AnalysisError) as caught:
        parse(text)
    assert caught.value.position.line == line
    assert 0 <= Source("a.py", text).offset(caught.value.position) <= len(text)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from([*"()[]{}'\"\\:=\n\r\t\f f1$é😀", "\n    ", "if x:", "'''", "lambda", "\r\n"]))
)
def test_every_parse_error_stands_in_the_text(fragments: list[str]) -> None:
    text = "".join(fragments)
    outcome = parsed(text)
    if isinstance(outcome, AnalysisError):
        assert 0 <= Source("a.py", text).offset(outcome.position) <= len(text)
    else:
        assert ast.dump(outcome) == ast.dump(ast.parse(text))


def parsed(text: str) -> ast.Module | AnalysisError:
    try:
        return parse(text)
    except AnalysisError as error:
        return error


@pytest.mark.parametrize(
    ("text", "position"), [("x = '\0'\n", Position(1, 6)), ("\r\nx = '\ud800'\n", Position(2, 6))]
)
def test_characters_that_python_cannot_hold_are_named(text: str, position: Position) -> None:
    with pytest.raises(AnalysisError, match="holds the character") as caught:
        parse(text)
    assert caught.value.position == position


@pytest.mark.parametrize("text", ["-" * 100_000 + "1", "(" * 300 + ")" * 300])
def test_deep_nesting_is_an_error_of_the_file(text: str) -> None:
    with pytest.raises(AnalysisError, match=r"too (deep|many)"):
        parse(text)


def test_long_chains_have_a_tree_or_are_an_error_of_the_file() -> None:
    """How long a chain may be differs from one version of Python to the next."""
    outcome = parsed("x" + " + 1" * 100_000)
    assert isinstance(outcome, ast.Module) or str(outcome) == "nested too deeply to be parsed"


def test_parsing_warns_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    parse(r"x = '\d' is 1")
    assert not recwarn.list
