"""Notebooks: which Python they hold, where it stands, and edits that change nothing else."""

from __future__ import annotations

import ast
import codecs
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanlint.finding import Edit, Position, Span
from nanlint.ipython import view
from nanlint.source import AnalysisError, Source, from_bytes, parse, split_lines

MARKDOWN = "# A title\n\nwith *text*"
CODE = "import os\nx = 1"


def cell(source: str | list[str], kind: str = "code", **more: Any) -> dict[str, Any]:
    outputs = {"execution_count": 1, "outputs": [{"output_type": "stream", "text": ["é\n"]}]}
    return {
        "cell_type": kind,
        "metadata": {},
        **(outputs if kind == "code" else {}),
        "source": source,
        **more,
    }


def document(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def notebook(*cells: dict[str, Any], **metadata: Any) -> Source:
    return from_bytes("a.ipynb", json.dumps(document(*cells, **metadata), indent=1).encode())


def replacement(source: Source, old: str, new: str) -> Edit:
    """The edit that replaces the only `old` in the text."""
    (match,) = re.finditer(re.escape(old), source.text)
    return Edit(Span(source.position(match.start()), source.position(match.end())), new)


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(document(cell(CODE)), indent=1).encode() + b"\n",
        json.dumps(document(cell(CODE.splitlines(True)), cell(MARKDOWN, "markdown"))).encode(),
        codecs.BOM_UTF8 + json.dumps(document(cell("x = 'é'")), ensure_ascii=False).encode(),
        json.dumps(document(cell("x = (")), indent="\t").replace("\n", "\r\n").encode(),
        b'{"cells": [], "metadata": {}}',
    ],
    ids=["indented", "lists", "byte order mark", "tabs and crlf, broken cell", "no cells"],
)
def test_an_untouched_notebook_keeps_its_bytes(data: bytes) -> None:
    source = from_bytes("a.ipynb", data)
    assert source.to_bytes() == data
    assert source.edited([]).to_bytes() == data


@pytest.mark.parametrize(
    "metadata",
    [
        {"language_info": {"name": "R"}},
        {"kernelspec": {"language": "julia"}},
        {"language_info": {"name": "R"}, "kernelspec": {"language": "python"}},
    ],
)
def test_other_languages_have_no_text(metadata: dict[str, Any]) -> None:
    source = notebook(cell(CODE), **metadata)
    assert (source.text, source.skipped) == ("", ())


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"language_info": {"name": "ipython"}},
        {"kernelspec": {"language": "Python"}},
        {"kernelspec": None},
    ],
)
def test_python_has_text(metadata: dict[str, Any]) -> None:
    assert notebook(cell(CODE), **metadata).text == CODE + "\n"


@pytest.mark.parametrize(
    "other", [cell(MARKDOWN, "markdown"), cell(CODE, "raw"), cell(""), cell([]), cell([""])]
)
def test_cells_without_python_add_nothing(other: dict[str, Any]) -> None:
    source = notebook(other, cell("x = 1"), other, cell("y = x\n"), other)
    assert source.text == "x = 1\ny = x\n"
    assert str(source.locate(Position(2, 5))) == "cell 4:1:5"


def test_a_cell_in_another_language_adds_nothing() -> None:
    assert notebook(cell("SELECT", metadata={"vscode": {"languageId": "sql"}})).text == ""


@pytest.mark.parametrize(
    "first", ["x = 1", "x = 1;", "x = 1\n", "x = 1 # c", "x = 1\r", "x = 1\r\n", "x = 1\n\n"]
)
def test_each_cell_has_its_own_lines(first: str) -> None:
    source = notebook(cell(first), cell("\ny"))
    *_, last = ast.parse(source.text).body
    assert str(source.locate(Position(last.lineno, 1))) == "cell 2:2:1"
    assert source.skipped == ()


def test_cells_are_numbered_as_ruff_numbers_them(tmp_path: Path) -> None:
    broken = cell("x = (")
    unused = ["import os", "%time f()\nimport re", "!ls\n\nif x:\n    import ast"]
    cells = [cell(MARKDOWN, "markdown"), cell(""), *map(cell, unused), cell(CODE, "raw"), cell("%%bash\nls")]
    (tmp_path / "a.ipynb").write_text(json.dumps(document(*cells, cell("import sys"))))
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--output-format=concise", "--no-cache"]
    run = subprocess.run([*command, "a.ipynb"], cwd=tmp_path, capture_output=True, text=True)
    theirs = re.findall(r"a\.ipynb:(cell \d+:\d+:\d+): F401", run.stdout)

    source = notebook(*cells, cell("import sys"), broken)
    imports = [node for node in ast.walk(ast.parse(source.text)) if isinstance(node, ast.Import)]
    ours = [source.locate(Position(node.lineno, node.col_offset + len("import ") + 1)) for node in imports]
    assert sorted(map(str, ours)) == sorted(theirs)
    assert len(theirs) == 4


@pytest.mark.parametrize(
    "text",
    [
        "x = '%d' % 3",
        "x = (1\n% 2)",
        "s = '''\n%time\n!ls\n'''",
        "x = a \\\n% 2",
        "d = {\n'a': b\n, 'c': d}",
        "x = f'{y!r}'\nx != y",
        "await f()",
        "",
        "\n\n",
    ],
)
def test_python_is_left_alone(text: str) -> None:
    assert (view(text).text, view(text).stand_ins, view(text).error) == (text, (), None)


@pytest.mark.parametrize(
    "line",
    [
        "%matplotlib inline",
        "!pip install torch 'x",
        "cd data/",
        "cd ..",
        "pip install torch",
        "ls -l data  # all",
        "!!ls (",
        "?f",
        "f?",
        "f.g??",
        "%time?",
        "x.y[0]? # help",
        "files = !ls",
        "a, b = %time f()",
        "x[0] = !ls",
        "!ls \\\n  -l \\\n  -a",
        ",f a b",
        "/f 1",
        ";f a b",
        "%",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_of_ipython_get_a_stand_in(line: str, newline: str) -> None:
    for before, indentation in (
        ("x = ('%d'\n% 3)", ""),
        ("if x:", "    "),
        ("'''\n!a'''", ""),
        ("# it's", ""),
    ):
        parts = (before, indentation + line, "y = 1")
        text = newline.join(parts).replace("\r\n", "\n").replace("\n", newline)
        seen = view(text)
        assert seen.error is None
        assert [len(part) for part in split_lines(seen.text)] == [len(part) for part in split_lines(text)]
        ((start, end),) = seen.stand_ins
        assert text[start:end].strip() == line.replace("\n", newline)
        assert seen.text[start:end].strip() == "0"
        assert seen.text[:start] + text[start:end] + seen.text[end:] == text


@pytest.mark.parametrize("magic", ["%%bash", "%%html\n", "\n%%writefile a.py\nx = 1", "%%R -i x\ny <- x"])
def test_cells_in_other_languages_are_blank(magic: str) -> None:
    seen = view(magic)
    assert (seen.text.strip(), seen.error) == ("", None)
    assert len(seen.text) == len(magic)


@pytest.mark.parametrize("magic", ["%%time", "%%timeit -n 3", "%%capture out", "%%prun", "%%debug"])
def test_cell_magics_around_python_keep_it(magic: str) -> None:
    text = f"{magic}\nx = 1\n!ls\ny = 2"
    assert [line.strip() for line in view(text).text.split("\n")] == ["0", "x = 1", "0", "y = 2"]


def test_a_broken_cell_is_left_out_alone() -> None:
    cells = [cell("x = 1"), cell("%time\nif x:\ny = (", id="b"), cell("z = x")]
    source = notebook(cell(MARKDOWN, "markdown"), *cells)
    assert [line.strip() for line in source.lines] == ["x = 1", "", "", "", "z = x"]
    (error,) = source.skipped
    assert source.locate(error.position).cell == 3
    assert source.locate(error.position).line == 3
    assert 0 < source.offset(error.position) < len(source.text)


def test_what_the_user_wrote_is_kept_beside_the_stand_ins() -> None:
    source = notebook(cell("%time\nx = 1"), cell("(\n"), cell("y"))
    assert source.written == ("%time\n", "x = 1\n", "(\n", "y\n")
    assert len("".join(source.written)) == len(source.text)


@pytest.mark.parametrize(
    ("data", "reason", "position"),
    [
        (b"", "not a notebook: Expecting value", Position(1, 1)),
        (b'{\n "cells": [}', "not a notebook: Expecting value", Position(2, 12)),
        (b"[]", "not a notebook of nbformat 4", Position(1, 1)),
        (b'{"worksheets": [], "nbformat": 3}', "not a notebook of nbformat 4", Position(1, 1)),
        (b'{"cells": [1]}', "a cell is no object", Position(1, 1)),
        (b'{"cells": [{"cell_type": "code", "source": [1]}]}', "source of a cell is no text", Position(1, 1)),
        (b'{\n"cells": "\xff"}', "not valid utf-8", Position(2, 11)),
        (b'{"cells": ' + b"[" * 100_000, "nested too deeply", Position(1, 1)),
    ],
    ids=["empty", "no json", "no object", "nbformat 3", "no cell", "no source", "no utf-8", "deep"],
)
def test_what_is_no_notebook_is_named(data: bytes, reason: str, position: Position) -> None:
    with pytest.raises(AnalysisError, match=reason) as caught:
        from_bytes("a.ipynb", data)
    assert caught.value.position == position


SPACED: dict[str, Any] = {"indent": 1, "ensure_ascii": False}
STYLES = [SPACED, {"indent": "\t"}, {}, {"separators": (",", ":")}, {"indent": 4, "sort_keys": True}]


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("end", ["", "\n"])
def test_an_edit_gives_the_document_that_its_writer_would_write(
    style: dict[str, Any], listed: bool, end: str
) -> None:
    def written(code: str) -> bytes:
        source = code.splitlines(keepends=True) if listed else code
        cells = [cell(MARKDOWN, "markdown"), cell("x = 'ü😀\\\\'"), cell(source), cell("!ls\ny = 1")]
        return (json.dumps(document(*cells, author="é"), **style) + end).encode()

    before, after = (
        'if "x":\n    y = f(1)\n# c\u2028d',
        'a = "ä😀\t"\nif "x":\n    y = g(\n        1)\n# c\u2028d',
    )
    source = from_bytes("a.ipynb", written(before))
    edits = [replacement(source, 'if "x"', 'a = "ä😀\t"\nif "x"'), replacement(source, "f(", "g(\n        ")]
    assert source.edited(edits).to_bytes() == written(after)


def test_untouched_escapes_stay_as_they_are() -> None:
    data = rb'{"cells":[{"source":"a = \"\u00E9\ud83d\uDE00\/\" # b","cell_type":"code"}]}'
    source = from_bytes("a.ipynb", data)
    edited = source.edited([replacement(source, "b", 'ö"')])
    assert edited.to_bytes() == data.replace(b"# b", rb"# \u00f6\"")
    assert edited.text == 'a = "é😀/" # ö"\n'


def test_new_letters_are_escaped_only_where_all_letters_are() -> None:
    data = rb'{"cells":[{"source":"x","cell_type":"code"}, {"source":"\u00e9", "cell_type":"raw"}%s]}'
    for more, written in ((b"", rb"'\u00e4'"), (', "ü"'.encode(), "'ä'".encode())):
        source = from_bytes(
            "a.ipynb", data.replace(b"%s", b"").replace(b'{"cells', b'{"a":[0%s],"cells' % more)
        )
        assert source.edited([replacement(source, "x", "'ä'")]).to_bytes() == source.to_bytes().replace(
            b"x", written
        )


@pytest.mark.parametrize("space", [b"", b" "])
def test_a_list_of_one_line_gets_the_separator_of_its_surroundings(space: bytes) -> None:
    data = b'{"cells":[{"cell_type":"code","source":%s["x"]}]}' % space
    source = from_bytes("a.ipynb", data)
    edited = source.edited([replacement(source, "x", "y\nz")])
    assert edited.to_bytes() == data.replace(b'"x"', rb'"y\n",%s"z"' % space)


def test_of_members_with_one_name_the_last_is_edited() -> None:
    data = b'{"cells": 1, "cells": [{"cell_type": "code", "source": ["a"], "source": [ "x" ]}]}'
    source = from_bytes("a.ipynb", data)
    edited = source.edited([replacement(source, "x", "y\nz")])
    assert edited.to_bytes() == data.replace(b'[ "x" ]', rb'[ "y\n", "z" ]')


def test_a_list_that_is_not_split_by_lines_is_split_when_edited() -> None:
    source = notebook(cell(["a = ", "1\nb = 2"]))
    edited = source.edited([replacement(source, "2", "3")])
    assert json.loads(edited.to_bytes())["cells"][0]["source"] == ["a = 1\n", "b = 3"]


def test_a_whole_cell_can_go() -> None:
    source = notebook(cell(["x\n", "y"]), cell("z"))
    edited = source.edited([replacement(source, "x\ny\n", "")])
    assert [each["source"] for each in json.loads(edited.to_bytes())["cells"]] == [[], "z"]


def test_edits_of_several_cells_are_made_together() -> None:
    source = notebook(cell("x = 1"), cell(MARKDOWN, "markdown"), cell("!ls\ny = 2"), cell("z = 3\n"))
    edits = [
        replacement(source, old, new) for old, new in (("3", "33"), ("1", "7\nv"), ("y = 2", "w\ny = 22"))
    ]
    edited = source.edited(edits)
    sources = [each["source"] for each in json.loads(edited.to_bytes())["cells"]]
    assert sources == ["x = 7\nv", MARKDOWN, "!ls\nw\ny = 22", "z = 33\n"]


def test_a_line_can_be_inserted_before_a_magic() -> None:
    source = notebook(cell("x = 1\n%time"))
    edited = source.edited([Edit(Span(Position(2, 1), Position(2, 1)), "y = 2\n")])
    assert json.loads(edited.to_bytes())["cells"][0]["source"] == "x = 1\ny = 2\n%time"


@pytest.mark.parametrize(
    ("start", "end", "text", "reason"),
    [
        pytest.param((1, 1), (1, 2), "1", "changes a line that is not Python", id="a magic"),
        pytest.param((1, 3), (1, 3), "1", "changes a line that is not Python", id="inside a magic"),
        pytest.param((5, 2), (5, 2), "1", "changes a line that is not Python", id="a cell in bash"),
        pytest.param((2, 1), (3, 2), "", "reaches beyond its cell", id="into the next cell"),
        pytest.param((2, 6), (3, 1), "", "cannot be written", id="joining two cells"),
        pytest.param((4, 1), (4, 1), "1", "cannot be written", id="before a cell in bash"),
        pytest.param((2, 1), (2, 2), "(", "cannot be written", id="breaking a cell"),
        pytest.param((2, 5), (2, 6), "'\ud800'", "surrogates not allowed", id="not encodable"),
    ],
)
def test_edits_that_do_not_fit_into_cells_are_refused(
    start: tuple[int, int], end: tuple[int, int], text: str, reason: str
) -> None:
    data = json.dumps(document(cell("%time\nx = 1"), cell("y = 2"), cell("%%bash\n((")), ensure_ascii=False)
    source = from_bytes("a.ipynb", data.encode())
    with pytest.raises(ValueError, match=reason):
        source.edited([Edit(Span(Position(*start), Position(*end)), text)])


def test_a_notebook_without_python_takes_no_edits() -> None:
    with pytest.raises(ValueError, match="no Python cell"):
        notebook().edited([Edit(Span(Position(1, 1), Position(1, 1)), "x")])


@settings(deadline=None)
@given(st.lists(st.text("x=1'\"\\\n\r\t%!?() é😀\u2028"), max_size=4), st.sampled_from(STYLES), st.booleans())
def test_any_cells_have_lines_places_and_bytes(
    sources: list[str], style: dict[str, Any], listed: bool
) -> None:
    cells = [cell(source.splitlines(keepends=True) if listed else source) for source in sources]
    data = json.dumps(document(*cells), **style).encode()
    source = from_bytes("a.ipynb", data)
    parse(source.text)
    assert source.edited([]).to_bytes() == data
    assert len("".join(source.written)) == len(source.text)
    kept = [(number, line) for number, text in enumerate(sources, 1) for line in split_lines(text)]
    assert len(kept) == len(source.lines)
    for line, (number, written) in enumerate(kept, 1):
        assert source.locate(Position(line, 1)).cell == number
        assert source.written[line - 1].rstrip("\r\n") == written.rstrip("\r\n")
