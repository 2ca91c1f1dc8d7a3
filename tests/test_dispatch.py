"""Functions as values: picked from tables and by branches, handed over, and called with some arguments given before."""

from __future__ import annotations

import pytest

from nanlint import engine
from nanlint.config import Config
from nanlint.finding import Confidence, Finding
from nanlint.source import Source

HEAD = """
import functools
import torch
import torch.nn.functional as F

ROOTS = {"root": torch.sqrt, "log": torch.log, "linear": torch.abs}
CALM = {"soft": F.softplus, "bent": torch.tanh}

def above(function, x, table=None):
    return torch.where(x > 0, function(x), 0.0)

def guarded(function, x):
    return torch.where(x > 0, function(torch.where(x > 0, x, 1.0)), 0.0)

def named(name, x):
    return torch.where(x > 0, getattr(torch, name)(x), 0.0)

def handed_on(function, x):
    return above(function, x) + 1.0

"""


def found(*lines: str) -> list[Finding]:
    """All findings, low ones too, behind a few helpers in a function of `x` and `name` with these statements."""
    text = f"{HEAD}def f(x, name, flag):\n" + "".join(f"    {line}\n" for line in lines)
    findings = engine.check(Source("curves.py", text), Config(confidence=Confidence.LOW))
    return [finding for finding in findings if finding.code == "NAN101"]


def expressions(*lines: str) -> list[str]:
    """The singular expressions that are told, each once."""
    return sorted({site.expression for finding in found(*lines) for site in finding.sites})


@pytest.mark.parametrize(
    "body",
    [
        "return torch.where(x > 0, CALM[name](x), 0.0)",
        "return torch.where(x > 0, CALM.get(name, torch.abs)(x), 0.0)",
        "curve = torch.tanh if flag else torch.abs; return torch.where(x > 0, curve(x), 0.0)",
        "return above(torch.tanh, x)",
        "return above(lambda y: y + 1.0, x)",
        "return guarded(torch.log, x)",
        "return functools.partial(guarded, torch.log)(x)",
        "return named('tanh', x)",
        "return named(name, x)",
        "return named(f'{name}', x)",
        "return torch.where(x > 0, ROOTS['linear'](x), 0.0)",
    ],
)
def test_what_is_harmless_stays_so(body: str) -> None:
    assert expressions(*body.split("; ")) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return torch.where(x > 0, ROOTS[name](x + 0), 0.0)", "ROOTS[name](x + 0)"),
        ("return torch.where(x > 0, ROOTS['root'](x), 0.0)", "ROOTS['root'](x)"),
        ("return torch.where(x > 0, ROOTS.get(name, torch.abs)(x), 0.0)", "ROOTS.get(name, torch.abs)(x)"),
        ("curve = torch.log if flag else torch.abs; return torch.where(x > 0, curve(x), 0.0)", "curve(x)"),
        ("curve = [torch.log, torch.abs][flag]; return torch.where(x > 0, curve(x), 0.0)", "curve(x)"),
        ("return above(torch.log, x)", "function(x)"),
        ("return above(function=torch.log, x=x)", "function(x)"),
        ("return above(lambda y: y**0.5, x)", "y**0.5"),
        ("return functools.partial(above, torch.log)(x)", "function(x)"),
        ("return functools.partial(above, x=x)(torch.log)", "function(x)"),
        ("positive = functools.partial(above, torch.log); return positive(x)", "function(x)"),
        ("curve = {'root': lambda y: y.sqrt()}[name]; return torch.where(x > 0, curve(x), 0.0)", "y.sqrt()"),
        ("return handed_on(torch.log, x)", "function(x)"),
        ("return named('sqrt', x)", "getattr(torch, name)(x)"),
        ("root = getattr(torch, 'sqrt'); return torch.where(x > 0, root(x), 0.0)", "root(x)"),
    ],
)
def test_a_singular_one_is_found(body: str, told: str) -> None:
    assert expressions(*body.split("; ")) == [told]


def test_of_too_many_functions_nothing_is_known() -> None:
    table = ", ".join(f"'{index}': torch.log" for index in range(2)) + ", 'last': torch.sqrt"
    assert expressions(f"table = {{{table}}}", "return torch.where(x > 0, table[name](x), 0.0)")
    many = ", ".join(f"'{index}': lambda y: y.abs() + {index}" for index in range(9)) + ", 'last': torch.sqrt"
    assert not expressions(f"table = {{{many}}}", "return torch.where(x > 0, table[name](x), 0.0)")


ASKING = """
import torch


def where_above(value, asked, bound=0.0):
    return torch.where(asked > bound, value, torch.zeros_like(value))


def f(x, y):
    size = x.square().sum(-1)
    return where_above({value}, {asked})
"""


@pytest.mark.parametrize(
    ("value", "asked", "is_found"),
    [
        # it asks about what the root is of
        ("size.sqrt()", "size", True),
        ("(y / size.sqrt())", "size.sqrt()", True),
        # it asks about something else, or about what is never there
        ("size.sqrt()", "y", False),
        ("(size + 1.0).sqrt()", "size", False),
    ],
)
def test_a_helper_that_asks_about_what_its_argument_is_made_of_drops_it(
    value: str, asked: str, is_found: bool
) -> None:
    text = ASKING.replace("{value}", value).replace("{asked}", asked)
    found = engine.check(Source("m.py", text), Config(confidence=Confidence.LOW))
    assert bool(found) is is_found
