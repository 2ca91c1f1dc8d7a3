"""The rules: a module for each code, whose docstring is the page of the rule; discovered, never listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from inspect import cleandoc
from pkgutil import iter_modules
from types import MappingProxyType, ModuleType

from nanlint.config import OFF_BY_DEFAULT

SECTIONS = ("What it does", "Why is this bad?", "Example", "Use instead", "Fix safety", "References")
"""The headings of every rule's docs, in this order."""


@dataclass(frozen=True)
class Rule:
    """What there is to say of one code.

    `docs` is Markdown with the headings of `SECTIONS` at the second level. `family` is the selector that the
    code is about, empty for a code that is about none. `fixable` says how often `--fix` has a repair:
    sometimes or never.
    """

    code: str
    name: str
    summary: str
    docs: str
    family: str
    default: bool
    fixable: str


@cache
def registry() -> Mapping[str, Rule]:
    """All rules by code, in the order of the codes."""
    names = sorted(info.name for info in iter_modules(__path__) if info.name.startswith("nan"))
    rules = [_rule(import_module(f"{__name__}.{name}")) for name in names]
    return MappingProxyType({rule.code: rule for rule in rules})


def _rule(module: ModuleType) -> Rule:
    """The rule of a module such as `nan101_where`; without docs where Python strips docstrings (`-OO`)."""
    code, _, words = module.__name__.rpartition(".")[2].partition("_")
    summary, _, docs = cleandoc(module.__doc__ or "").partition("\n\n")
    return Rule(
        code=code.upper(),
        name=words.replace("_", "-"),
        summary=summary,
        docs=docs,
        family=module.FAMILY,
        default=code.upper() not in OFF_BY_DEFAULT,
        fixable=module.FIXABLE,
    )
