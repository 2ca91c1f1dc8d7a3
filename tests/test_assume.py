"""Assumptions: how they are written, where they hold, and what is said of wrong and unused ones."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from nanlint.assume import reading
from nanlint.assume.comments import read
from nanlint.assume.conditions import conditions, setting, setting_of
from nanlint.assume.stated import Assumed
from nanlint.config import Config, ConfigError, load
from nanlint.engine import check, fix
from nanlint.finding import Confidence, Finding
from nanlint.source import Source

ROOT = Path(__file__).parents[1]
DEFAULT = Config()
EVERYTHING = Config(confidence=Confidence.LOW)
UNUSED = Config(select=("NAN",))
LOG = "    return torch.where(mask, x.log(), 0.0)\n"


def findings(body: str, config: Config = DEFAULT) -> list[Finding]:
    return check(Source("a.py", f"import torch\n\n\n{dedent(body)}"), config)


def told(body: str, config: Config = DEFAULT) -> list[tuple[int, str]]:
    """Line, counted from that of the body, and code of each finding."""
    return [(finding.span.start.line - 3, finding.code) for finding in findings(body, config)]


def placed(text: str) -> str:
    """The text with its assumptions as statements; the comments are gone."""
    tree = reading(dedent(text)).tree
    for node in ast.walk(tree):
        if isinstance(node, Assumed):
            node.__class__ = ast.Assert  # type: ignore[assignment]
    return ast.unparse(tree)


# What changes nothing


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # assume x > 0\n",
        "x = '# nanlint: assume x > 0'\n",
        '"""\n# nanlint: assume x > 0\n"""\n',
        "x = 1  # nanlint: false alarm, x is never 0\n",
        "x = 1  # nanlint:\n",
    ],
)
def test_what_is_no_assumption(text: str) -> None:
    assert read(text) == ([], [])
    assert not [node for node in ast.walk(reading(text).tree) if isinstance(node, Assumed)]


def test_without_it_the_logarithm_is_reported() -> None:
    assert told(f"def f(x, mask):\n{LOG}") == [(2, "NAN101")]


@pytest.mark.parametrize("condition", ["x >= 0", "x < 5", "y > 0", "x.isfinite()", "mask.any()"])
def test_what_does_not_rule_the_singular_point_out(condition: str) -> None:
    assert told(f"def f(x, mask):\n    # nanlint: assume {condition}\n{LOG}") == [(3, "NAN101")]


def test_an_assumption_in_another_branch() -> None:
    body = """\
        def f(x, mask, flag):
            if flag:
                # nanlint: assume x > 0
                pass
            return torch.where(mask, x.log(), 0.0)
    """
    assert told(body) == [(5, "NAN101")]


def test_importing_nothing_where_the_words_are_absent() -> None:
    code = (
        "from nanlint.assume import reading; import sys; reading('x = 1'); "
        "print(*sorted(name for name in sys.modules if name.startswith('nanlint.assume')))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["nanlint.assume"]


# How it is written


def test_several_conditions_and_what_is_meant_for_the_reader() -> None:
    stated, unreadable = read("x = 1  # nanlint: assume x > 0, 0 <= y <= 1  # from the loader\n")
    assert [one.condition.text for one in stated] == ["x > 0", "0 <= y <= 1"]
    assert unreadable == []


def test_the_places_of_the_conditions() -> None:
    source = Source("a.py", "ä = 1  # nanlint: assume ä > 0 and ä < 3, f(ä) > 0\n")
    stated, _ = read(source.text)
    assert [source.slice(one.span) for one in stated if one.span] == ["ä > 0 and ä < 3", "f(ä) > 0"]


@pytest.mark.parametrize(
    ("text", "target", "region"),
    [
        ("x > 0", "x", "(0, inf]"),
        ("0 < x", "x", "(0, inf]"),
        ("0 <= self.p < 1", "self.p", "[0, 1)"),
        ("x > -1 and x != 0", "x", "(-1, 0) | (0, inf]"),
        ("x == 2", "x", "{2}"),
        ("gate() <= 1", "gate", "[-inf, 1]"),
    ],
)
def test_ranges(text: str, target: str, region: str) -> None:
    (condition,) = conditions(text)
    assert condition.plain is not None
    assert (condition.plain.target, str(condition.plain.region)) == (target, region)
    assert condition.plain.is_call == text.startswith("gate")


@pytest.mark.parametrize(
    "text", ["x > y", "f(x) > 0", "x > 0 and y > 0", "x > 0 or x < -1", "x.isfinite()", "x.norm() > 0"]
)
def test_conditions_that_are_no_range(text: str) -> None:
    (condition,) = conditions(text)
    assert condition.plain is None


@pytest.mark.parametrize(
    "text", ["", "x >", "x", "-x", "x = 1", "x: int", "1", "x > 0 because", "x.isfinite"]
)
def test_what_is_no_condition_is_reported(text: str) -> None:
    (found,) = findings(f"x = 1  # nanlint: assume {text}\n")
    assert found.code == "NAN902"
    assert found.confidence is Confidence.HIGH
    assert found.message.startswith("this comment is not understood: ")


def test_a_slip_in_the_word_is_reported() -> None:
    (found,) = findings("x = 1  # nanlint: asume x > 0\n")
    assert "the word is assume" in found.message
    assert (found.span.start.column, found.span.end.column) == (8, 30)


# Where it is put


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = f()  # nanlint: assume x > 0\ny = 1\n", "x = f()\nassert x > 0\ny = 1"),
        ("y = x.log()  # nanlint: assume x > 0\n", "assert x > 0\ny = x.log()"),
        ("y = x.log()  # nanlint: assume x > 0, y < 3\n", "assert x > 0\ny = x.log()\nassert y < 3"),
        ("y = f(\n    x,  # nanlint: assume x > 0\n)\n", "assert x > 0\ny = f(x)"),
        ("self.p = f()  # nanlint: assume self.p > 0\n", "self.p = f()\nassert self.p > 0"),
        ("a, b = f()  # nanlint: assume b > 0\n", "a, b = f()\nassert b > 0"),
        ("f(b := g())  # nanlint: assume b > 0\n", "f((b := g()))\nassert b > 0"),
        ("a = 1; b = 2  # nanlint: assume b > 0\n", "a = 1\nb = 2\nassert b > 0"),
        ("# nanlint: assume x > 0, y > 0\nz = 1\n", "assert x > 0\nassert y > 0\nz = 1"),
        ("z = 1\n# nanlint: assume x > 0\n", "z = 1\nassert x > 0"),
        ("# nanlint: assume x > 0\n", "assert x > 0"),
    ],
)
def test_in_a_plain_block(text: str, expected: str) -> None:
    assert placed(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(x):  # nanlint: assume x > 0\n    return x\n", "def f(x):\n    assert x > 0\n    return x"),
        (
            "def f(\n    x,  # nanlint: assume x > 0\n):\n    return x\n",
            "def f(x):\n    assert x > 0\n    return x",
        ),
        (
            "def f(x):\n    # nanlint: assume x > 0\n    return x\n",
            "def f(x):\n    assert x > 0\n    return x",
        ),
        (
            "for x in y:\n    z = x\n    # nanlint: assume z > 0\nw = 1\n",
            "for x in y:\n    z = x\n    assert z > 0\nw = 1",
        ),
        (
            "for x in y:\n    z = x\n# nanlint: assume z > 0\nw = 1\n",
            "for x in y:\n    z = x\nassert z > 0\nw = 1",
        ),
        (
            "if a:\n    b = 1\n    # nanlint: assume b > 0\nelse:\n    # nanlint: assume c > 0\n    c = 1\n",
            "if a:\n    b = 1\n    assert b > 0\nelse:\n    assert c > 0\n    c = 1",
        ),
        (
            "if a:\n    b = 1\n    # nanlint: assume b > 0\nelif d:  # nanlint: assume c > 0\n    c = 1\n",
            "if a:\n    b = 1\n    assert b > 0\nelif d:\n    assert c > 0\n    c = 1",
        ),
        (
            "try:\n    a = 1\nexcept E:\n    # nanlint: assume b > 0\n    b = 1\n"
            "finally:  # nanlint: assume c > 0\n    c = 1\n",
            "try:\n    a = 1\nexcept E:\n    assert b > 0\n    b = 1\nfinally:\n    assert c > 0\n    c = 1",
        ),
        (
            "match a:\n    case 1:\n        # nanlint: assume b > 0\n        b = 1\n"
            "    case _:\n        # nanlint: assume c > 0\n"
            "        c = 1\n",
            "match a:\n    case 1:\n        assert b > 0\n        b = 1\n"
            "    case _:\n        assert c > 0\n        c = 1",
        ),
        ("if a: b = 1  # nanlint: assume b > 0\n", "if a:\n    b = 1\n    assert b > 0"),
        ("@g\n# nanlint: assume a > 0\ndef f(): pass\n", "@g\ndef f():\n    assert a > 0\n    pass"),
    ],
)
def test_in_blocks(text: str, expected: str) -> None:
    assert placed(text) == expected


# Where it holds


@pytest.mark.parametrize(
    "body",
    [
        f"def f(x, mask):  # nanlint: assume x > 0\n{LOG}",
        f"def f(x, mask):\n    # nanlint: assume x > 0\n{LOG}",
        f"def f(x, mask):\n{LOG.rstrip()}  # nanlint: assume x > 0\n",
        "def f(x, mask):\n    y = g(x)  # nanlint: assume y > 0\n    return torch.where(mask, y.log(), 0.0)\n",
        "def f(x, mask):\n    # nanlint: assume g() > 0\n    return torch.where(mask, g(x).log(), 0.0)\n",
        "def f(x, mask):\n    return torch.where(mask, nn.g(x).log(), 0.0)  # nanlint: assume g() > 0\n",
        "def f(x, y, mask):\n    # nanlint: assume x > y\n    return torch.where(mask, (x - y).log(), 0.0)\n",
        "def f(x, mask):\n    # nanlint: assume x.abs() > 0\n    return torch.where(mask, x.abs().log(), 0.0)\n",
        "def f(x, mask):\n    # nanlint: assume not x <= 0\n    return torch.where(mask, x.log(), 0.0)\n",
        "def f(xs, mask):\n    for x in xs:  # nanlint: assume x > 0\n        mask = torch.where(mask, x.log(), 0.0)\n"
        "    return mask\n",
        "f = lambda x, mask: torch.where(mask, g(x).log(), 0.0)  # nanlint: assume g() > 0\n",
    ],
)
def test_the_logarithm_is_sound(body: str) -> None:
    assert told(body) == []


def test_what_a_helper_assumes_holds_at_its_caller() -> None:
    body = """\
        def safe_log(x):
            # nanlint: assume x > 0
            return x.log()

        def f(x, mask):
            return torch.where(mask, safe_log(x), 0.0)
    """
    assert told(body) == []


def test_what_a_helper_assumes_behind_another_return_does_not() -> None:
    body = """\
        def some_log(x, flag):
            if flag:
                return x.log()
            # nanlint: assume x > 0
            return x.log() + 1

        def f(x, flag, mask):
            return torch.where(mask, some_log(x, flag), 0.0)
    """
    assert [code for _, code in told(body)] == ["NAN101"]


def test_a_helper_in_another_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    helper = "def safe_log(x):\n    # nanlint: assume x > 0\n    return x.log()\n"
    (tmp_path / "helper.py").write_text(helper, encoding="utf-8")
    caller = (
        "import torch\nfrom helper import safe_log\n\n\n"
        "def f(x, mask):\n    return torch.where(mask, safe_log(x), 0.0)\n"
    )
    path = tmp_path / "caller.py"
    path.write_text(caller, encoding="utf-8")
    assert check(Source(str(path), caller), Config()) == []
    (tmp_path / "helper.py").write_text("def safe_log(x):\n    return x.log() + 0\n", encoding="utf-8")
    assert [finding.code for finding in check(Source(str(path), caller), Config())] == ["NAN101"]


CLASS = """\
class Gate(torch.nn.Module):
    {body}
    def __init__(self, scale):
        super().__init__()
        self.scale = torch.nn.Parameter(scale)
        {init}

    def forward(self, mask):
        return torch.where(mask, self.scale.log(), 0.0)
"""


@pytest.mark.parametrize(
    ("body", "init", "codes"),
    [
        ("", "", ["NAN101"]),
        ("# nanlint: assume self.scale > 0", "", []),
        ("scale: torch.Tensor  # nanlint: assume scale > 0", "", []),
        ("", "# nanlint: assume self.scale > 0", []),
        ("", "# nanlint: assume scale > 0", ["NAN101"]),
    ],
)
def test_what_a_class_states_holds_in_its_methods(body: str, init: str, codes: list[str]) -> None:
    assert [code for _, code in told(CLASS.format(body=body, init=init))] == codes


def test_what_a_base_class_states_holds_too() -> None:
    text = CLASS.format(body="# nanlint: assume self.scale > 0", init="")
    text += "\n\nclass Wide(Gate):\n    def wide(self, mask):\n"
    text += "        return torch.where(mask, self.scale.sqrt(), 0.0)\n"
    assert told(text) == []


# Against names, defaults and sizes


@pytest.mark.parametrize(
    ("assumption", "codes"),
    [("", []), ("gamma >= 2", []), ("gamma >= 0.2", ["NAN101"]), ("gamma > 3", ["NAN902"])],
)
def test_a_default_is_one_value_of_many(assumption: str, codes: list[str]) -> None:
    comment = f"# nanlint: assume {assumption}" if assumption else ""
    body = (
        f"def f(p, gamma=2.0):\n    {comment}\n    return torch.where(p > 0, p.clamp(min=0) ** gamma, 0.0)\n"
    )
    assert [code for _, code in told(body)] == codes


def test_a_name_is_no_contradiction() -> None:
    assert (
        told("def f(x, eps):\n    # nanlint: assume eps > 10\n    return torch.where(x > 0, x, eps)\n") == []
    )


def test_an_unusual_size_is_no_contradiction() -> None:
    body = "def f(n, mask):\n    # nanlint: assume n > 20000\n    return torch.where(mask, (n - {}).sqrt(), 0.0)\n"
    assert told(body.format(10000)) == []
    assert [code for _, code in told(body.format(20001), EVERYTHING)] == ["NAN101"]


# Wrong ones


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("def f(x):\n    y = x.clamp(max=0)  # nanlint: assume y > 0\n    return y\n", "`y` is in (-inf, 0]"),
        ("def f(x):\n    y = 3  # nanlint: assume y > 4\n    return y\n", "`y` is 3.0"),
        ("def f(x):\n    # nanlint: assume x > 0\n    # nanlint: assume x < 0\n    return x\n", "`x` is in (0, inf)"),
        ("def f(x):\n    if x < 0:  # nanlint: assume x > 1\n        return x\n", "`x` is in (-inf, 0)"),
        ("def f(x):\n    # nanlint: assume x.exp() < 0\n    return x\n", "the code contradicts it"),
        ("def f(x):\n    y = g(x.exp())\n    return y\n\ndef g(x):\n    # nanlint: assume x < 0\n    return x\n",
         "`x` is in [0, inf) in a call of `g`"),
    ],
)  # fmt: skip
def test_what_the_code_contradicts(body: str, reason: str) -> None:
    (found,) = findings(body)
    assert found.code == "NAN902"
    assert found.message.endswith(f"is assumed, but {reason}")


def test_a_wrong_one_hides_nothing() -> None:
    body = """\
        def f(x):
            y = x.clamp(min=0, max=1)  # nanlint: assume y > 1
            return torch.where(y > 0.5, y.sqrt(), 0.0)
    """
    assert told(body) == [(2, "NAN902"), (3, "NAN101")]


def test_code_that_is_never_reached_contradicts_nothing() -> None:
    body = "def f(x):\n    if x.exp() < 0:\n        # nanlint: assume x > 1\n        return x\n    return x\n"
    assert told(body) == []


def test_noqa_holds_for_it() -> None:
    assert told("def f(x):\n    y = -x.exp()  # nanlint: assume y > 0  # noqa: NAN902\n    return y\n") == []


# Unused ones


def test_unused_ones_are_off_by_default() -> None:
    assert told("def f(x, mask):\n    # nanlint: assume x > 1, mask > 0\n    return x\n") == []


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("x < 5", "nothing changes without it"),
        ("z > 0", "there is no `z` here"),
        ("gate() > 0", "there is no `gate()` here"),
        ("x.isfinite()", "nothing changes without it"),
    ],
)
def test_one_that_changes_nothing(condition: str, reason: str) -> None:
    used, unused = findings(f"def f(x, mask):\n    # nanlint: assume {condition}\n{LOG}", UNUSED)
    assert (used.code, unused.code) == ("NAN903", "NAN101")
    assert used.message == f"`{condition}` is assumed for nothing: {reason}"


def test_one_that_is_needed_is_not_unused() -> None:
    assert told(f"def f(x, mask):\n    # nanlint: assume x > 0\n{LOG}", UNUSED) == []


def test_one_of_two_is_unused() -> None:
    (found,) = findings(f"def f(x, mask):\n    # nanlint: assume x > 0, x < 5\n{LOG}", UNUSED)
    assert (found.code, found.span.start.column) == ("NAN903", 30)


def test_a_wrong_one_is_not_told_twice() -> None:
    body = "def f(x):\n    y = x.clamp(max=0)  # nanlint: assume y > 0\n    return y\n"
    assert told(body, UNUSED) == [(2, "NAN902")]


# Fixes


def test_a_fix_is_judged_under_what_is_assumed() -> None:
    text = "import torch\n\n\ndef f(x):\n    # nanlint: assume x >= 0\n    return torch.where(x > 0, x.sqrt(), 0.0)\n"
    fixed = fix(Source("a.py", text), Config())
    assert (fixed.fixed, fixed.remaining) == (1, [])
    assert "# nanlint: assume x >= 0\n" in fixed.source.text


def test_a_fix_is_made_although_it_leaves_an_assumption_unused() -> None:
    text = (
        "import torch\n\n\ndef f(x):\n    y = x.relu()  # nanlint: assume y < 2\n"
        "    return torch.where(x > 1, (2 - y).sqrt() * x.sqrt(), 0.0)\n"
    )
    fixed = fix(Source("a.py", text), UNUSED)
    assert fixed.fixed == 1
    assert [finding.code for finding in fixed.remaining] in ([], ["NAN903"])


def test_wrong_ones_of_edited_text_are_told_once() -> None:
    body = """\
        def f(x):
            y = x.clamp(max=0.0)  # nanlint: assume y > 0
            return torch.where(x > 1, x.sqrt(), 0.0) + y
    """
    assert told(body) == [(2, "NAN902"), (3, "NAN101")]


# The configuration


@pytest.mark.parametrize(
    ("target", "region", "text"),
    [
        ("x", "> 0", "x > 0"),
        ("self.scale", ">=1e-3", "self.scale >=1e-3"),
        ("softclamp()", "0 .. 1", "0 <= softclamp() <= 1"),
        ("p", "> 0, <= 1", "p > 0 and p <= 1"),
        ("p", "-1..1", "-1 <= p <= 1"),
        ("p", "!= 0", "p != 0"),
    ],
)
def test_entries(target: str, region: str, text: str) -> None:
    assert setting(target, region) == text
    assert setting_of(text).plain is not None


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("assume = 1", "assume: expected a table from names to ranges, not 1"),
        ('assume = {x = 1}', "x: expected a string such as"),
        ('assume = {x = "positive"}', "x: 'positive' is no range; write one such as"),
        ('assume = {x = "> y"}', "x: '> y' is no range"),
        ('assume = {x = "2 .. 1"}', "x: no number is in '2 .. 1'"),
        ('assume = {"x + 1" = "> 0"}', "'x + 1' is no name such as x, self.scale or softclamp()"),
        ('assume = {"f(x)" = "> 0"}', "'f(x)' is no name such as x, self.scale or softclamp()"),
    ],
)  # fmt: skip
def test_entries_that_cannot_be_used(tmp_path: Path, table: str, complaint: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.nanlint]\n{table}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(str(tmp_path))
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "body"),
    [
        ("x > 0", f"def f(x, mask):\n{LOG}"),
        ("y > 0", "def f(x, mask):\n    y = g(x)\n    return torch.where(mask, y.log(), 0.0)\n"),
        ("y > 0", "def f(x, mask):\n    a, y = g(x)\n    return torch.where(mask, y.log(), 0.0)\n"),
        ("y > 0", "def f(xs, m):\n    for y in xs:\n        m = torch.where(m, y.log(), 0.0)\n    return m\n"),
        ("self.scale > 0", CLASS.format(body="", init="")),
        ("cfg.scale > 0", "def f(cfg, mask, x):\n    return torch.where(mask, (cfg.scale * x.exp()).log(), 0.0)\n"),
        ("softclamp() > 0", "def f(x, mask):\n    return torch.where(mask, softclamp(x, 1).log(), 0.0)\n"),
        ("softclamp() > 0", "def f(x, mask):\n    return torch.where(mask, ops.softclamp(x).log(), 0.0)\n"),
        ("softclamp() > 0",
         "def softclamp(x):\n    return x - 1\n\n"
         "def f(x, mask):\n    return torch.where(mask, softclamp(x).log(), 0.0)\n"),
    ],
)  # fmt: skip
def test_what_is_configured_holds_everywhere(setting: str, body: str) -> None:
    assert [code for _, code in told(body, EVERYTHING)] == ["NAN101"]
    assumed = told(body, Config(assume=(setting,), confidence=Confidence.LOW))
    assert "NAN101" not in {code for _, code in assumed}


def test_what_is_configured_holds_for_that_name_only() -> None:
    body = f"def f(x, mask):\n{LOG}"
    for other in ("y > 0", "self.x > 0", "x() > 0", "my.x() > 0"):
        assert told(body, Config(assume=(other,))) == [(2, "NAN101")]


def test_what_is_configured_can_be_contradicted() -> None:
    body = "def f(x):\n    scale = -x.exp()\n    return scale\n"
    (found,) = findings(body, Config(assume=("scale > 0",)))
    assert (found.code, found.span.start.line) == ("NAN902", 5)
    assert found.message == "`scale > 0` is assumed, but `scale` is in (-inf, 0] (tool.nanlint.assume)"


# End to end

FILE = (
    f"import torch\n\n\ndef f(x, mask):\n    # nanlint: assume x > 0, x < 9\n{LOG}\n\ndef g(x, mask):\n{LOG}"
)


def run(tool: str, *arguments: str, folder: Path) -> str:
    command = [sys.executable, "-m", tool, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text(FILE, encoding="utf-8")
    return tmp_path


def lines(output: str) -> list[str]:
    """Path, line and code of each line that has one."""
    found = re.findall(r"^(?:\./)?([^\s:]+:\d+):\d+: (NAN\d+)", output, re.MULTILINE)
    return [f"{place} {code}" for place, code in found]


def test_the_command_line(project: Path) -> None:
    assert lines(run("nanlint", "--output-format=concise", folder=project)) == ["a.py:10 NAN101"]
    shown = run("nanlint", "--output-format=concise", "--select=NAN", folder=project)
    assert lines(shown) == ["a.py:5 NAN903", "a.py:10 NAN101"]


def test_the_command_line_with_a_configuration(project: Path) -> None:
    config = '[tool.nanlint.assume]\nx = "> 0"\n'
    (project / "pyproject.toml").write_text(config, encoding="utf-8")
    assert lines(run("nanlint", "--output-format=concise", folder=project)) == []
    (project / "pyproject.toml").write_text(config.replace("> 0", "0"), encoding="utf-8")
    assert "assume: x: '0' is no range" in run("nanlint", folder=project)


def test_flake8(project: Path) -> None:
    assert lines(
        run("flake8", "--isolated", "--select=NAN1,NAN9", "--extend-ignore=NAN903", folder=project)
    ) == ["a.py:10 NAN101"]
    assert lines(run("flake8", "--isolated", "--select=NAN1,NAN903", folder=project)) == [
        "a.py:5 NAN903",
        "a.py:10 NAN101",
    ]
    assert (
        lines(run("flake8", "--isolated", "--select=NAN1", "--nanlint-assume=x > 0, y > 0", folder=project))
        == []
    )
    refused = run("flake8", "--isolated", "--nanlint-assume=x > y", folder=project)
    assert "nanlint-assume: 'x > y' is no range of one name" in refused


def test_a_notebook(tmp_path: Path) -> None:
    cells = [
        "import torch\n",
        f"%time 1\ndef f(x, mask):\n    # nanlint: assume x > 0\n{LOG}",
        "y = 3  # nanlint: assume y > 4\n",
    ]
    document = {
        "cells": [{"cell_type": "code", "source": cell} for cell in cells],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "a.ipynb").write_text(json.dumps(document), encoding="utf-8")
    shown = run("nanlint", "--output-format=concise", folder=tmp_path).splitlines()[0]
    assert shown == "a.ipynb:cell 3:1:26: NAN902 `y > 4` is assumed, but `y` is 3.0"
