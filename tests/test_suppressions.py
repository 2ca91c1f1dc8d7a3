"""`# noqa` as flake8 has it: every claim is checked against the installed flake8."""

from __future__ import annotations

import argparse
import linecache
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from flake8.processor import FileProcessor  # type: ignore[import-untyped]
from flake8.violation import Violation  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from nanlint.source import from_bytes, split_lines
from nanlint.suppressions import Suppressions, suppressions

CODES = ["NAN101", "NAN102", "E501", "F401", "nan101"]

OPTIONS = argparse.Namespace(
    disable_noqa=False,
    hang_closing=False,
    indent_size=4,
    max_doc_length=None,
    max_line_length=79,
    stdin_display_name="stdin",
    verbose=0,
)

COMMENTS = [
    "# noqa",
    "#noqa",
    "#  noqa",
    "# NOQA",
    "# NoQa: nan101",
    "# noqa:NAN101",
    "# noqa: NAN101",
    "# noqa:  NAN101",
    "# noqa : NAN101",
    "# noqa:\tNAN101",
    "# noqa: NAN",
    "# noqa: NAN1",
    "# noqa: N",
    "# noqa: NAN1011",
    "# noqa: E501",
    "# noqa: E501,NAN101",
    "# noqa: E501, NAN101",
    "# noqa: E501 NAN101",
    "# noqa: E501 , NAN101",
    "# noqa: E501,,NAN101",
    "# noqa: E501;NAN101",
    "# noqa: E501NAN101",
    "# noqa: E501 because NAN101",
    "# noqa: E501 # noqa: NAN101",
    "# noqa E501",
    "# noqa, E501",
    "# noqa:E501:NAN101",
    "# noqa: because",
    "# noqa:",
    "# noqa-NAN101",
    "# noqanan",
    "# a comment # noqa",
    "# a comment, noqa",
    "#: noqa",
    "# type: ignore # noqa: E501",
    "# noqa: NAN101\xa0E501",
    "# noqa: \u017f101",
    "# noqa: E501,\x0cNAN101",
    "# flake8: noqa",
    "# flake8:noqa",
    "# FLAKE8= NOQA",
    "# flake8: noqa: E501",
    "# flake8: noqa because",
    "#flake8: noqa",
    "# flake8 noqa",
    "# nanlint: noqa",
]

LAYOUTS = {
    "after a statement": "import a\nx = 1  {0}\ny = 2\n",
    "on a line of its own": "x = 1\n{0}\ny = 2\n",
    "indented": "if x:\n    {0}\n    y = 2\n",
    "at the end without newline": "x = 1\ny = 2  {0}",
    "in brackets": "x = f(\n    1,  {0}\n    2,\n)\ny = 2\n",
    "behind brackets": "x = f(\n    1,\n    2,\n)  {0}\ny = 2\n",
    "behind a multi-line string": "x = 1\ny = '''\na\n'''  {0}\nz = 2\n",
    "in a multi-line string": "x = 1\ny = '''\n{0}\n''' + f(\n1)\nz = 2\n",
    "across the lines of a string": "y = '''{0}\nNAN101, E501\n'''\n",
    "behind joined lines": "x = 1 + \\\n    2 + \\\n    3  {0}\ny = 2\n",
    "in an f-string": "y = f'''{{x}}\n{0}\n{{y}}'''\nz = 1\n",
    "in a string in brackets": "f(\n'''\n''', 1, {0}\n2)\n",
    "in a decorated function": "@f\ndef g(\n    a,\n):  {0}\n    return 1\n",
    "behind a form feed": "x = 1\n\x0cy = 2  {0}\n",
    "in what does not tokenize": "x = '''{0}\ny = 1  {0}\nz = (\n",
    "in what is dedented badly": "if x:\n        y  {0}\n    z\n",
    "in what is not closed": "x = (\n1,  {0}\ny = 2\n",
    "alone": "{0}",
    "in a string that ends the file": "x = 1  {0}\n'''{0}\n#'''",
    "alone, indented": "  {0}\n",
}


def flake8_covers(path: Path) -> list[tuple[str, int]]:
    """Code and line of all violations of a file that flake8 itself would suppress."""
    processor = FileProcessor(str(path), OPTIONS)
    linecache.checkcache(str(path))
    whole_file = processor.should_ignore_file()
    return [
        (code, line)
        for line in range(1, len(processor.lines) + 1)
        for code in CODES
        if whole_file
        or Violation(code, str(path), line, 1, "", processor.noqa_line_for(line)).is_inline_ignored(False)
    ]


def we_cover(path: Path) -> list[tuple[str, int]]:
    """The same of ours."""
    text = from_bytes(str(path), path.read_bytes()).text
    comments = suppressions(text)
    lines = range(1, len(split_lines(text)) + 1)
    return [(code, line) for line in lines for code in CODES if comments.cover(code, line)]


@pytest.mark.parametrize(
    "text", ["", "x = 1\n", "# not quite: no qa\n", "x = (\n", "# n\u043eqa in Cyrillic\n"]
)
def test_nothing_is_suppressed_without_a_comment(text: str) -> None:
    assert suppressions(text) == Suppressions()
    assert not suppressions(text).cover("NAN101", 1)


def test_a_comment_covers_its_line_only() -> None:
    comments = suppressions("x = 1\ny = 2  # noqa\nz = 3  # noqa: NAN1\n")
    assert [comments.cover("NAN101", line) for line in (1, 2, 3, 4)] == [False, True, True, False]
    assert [comments.cover("E501", line) for line in (1, 2, 3, 4)] == [False, True, False, False]


def test_a_comment_covers_the_whole_string_before_it() -> None:
    comments = suppressions("x = '''\na\n''' + f(\n    y  # noqa\n)\n")
    assert [line for line in range(1, 6) if comments.cover("NAN101", line)] == [4]
    comments = suppressions("x = '''\na\n'''  # noqa\n")
    assert [line for line in range(1, 4) if comments.cover("NAN101", line)] == [1, 2, 3]


def test_a_file_can_be_suppressed_whole() -> None:
    assert suppressions("x = 1\n  # flake8: noqa\n").cover("NAN101", 1)
    assert not suppressions("x = 1  # flake8: noqa\n").cover("NAN101", 1)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_comment_in_every_place_means_what_it_means_to_flake8(
    tmp_path: Path, layout: str, newline: str
) -> None:
    path = tmp_path / "a.py"
    suppressed = 0
    for comment in COMMENTS:
        path.write_text(LAYOUTS[layout].format(comment), encoding="utf-8", newline=newline)
        expected = flake8_covers(path)
        assert we_cover(path) == expected, comment
        suppressed += len(expected)
    assert suppressed > 0


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *COMMENTS,
            *"()'\"\\ ",
            "\n",
            "\n",
            "\r\n",
            "'''",
            '"""',
            "x",
            "x = 1",
            "    ",
            "f'",
            "{",
            "}",
            "NAN101",
        ]
    ),
    max_size=14,
)


@settings(deadline=None, max_examples=400)
@given(FRAGMENTS, st.booleans())
def test_any_text_means_what_it_means_to_flake8(fragments: list[str], byte_order_mark: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.py")
        path.write_bytes("".join(fragments).encode("utf-8-sig" if byte_order_mark else "utf-8"))
        assert we_cover(path) == flake8_covers(path)


def test_a_run_of_flake8_suppresses_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    lines = [f"import m{number}  {comment}" for number, comment in enumerate(COMMENTS)]
    own_lines = [
        f"import m{number}_\n{comment}"
        for number, comment in enumerate(COMMENTS)
        if "flake8" not in comment.lower()
    ]
    path.write_text("\n".join([*lines, *own_lines, "'''\n''' + x  # noqa\n"]), encoding="utf-8")
    everything, shown = unused_imports(path, "--disable-noqa"), unused_imports(path)
    comments = suppressions(path.read_text(encoding="utf-8"))
    assert shown == [line for line in everything if not comments.cover("F401", line)]
    assert 0 < len(shown) < len(everything)


def unused_imports(path: Path, *arguments: str) -> list[int]:
    command = [sys.executable, "-m", "flake8", "--isolated", "--select=F401,F821", *arguments, path.name]
    run = subprocess.run(command, cwd=path.parent, capture_output=True, text=True)
    return [int(line) for line in re.findall(r"^a\.py:(\d+):", run.stdout, re.MULTILINE)]
