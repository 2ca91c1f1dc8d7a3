"""What nanlint finds in a program, selector by selector."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from nanlint.arithmetic import ARITHMETIC, DTYPES
from nanlint.config import Config
from nanlint.engine import FixResult, fix
from nanlint.finding import Confidence
from nanlint.hazards import Hazard, hazards
from nanlint.lower import Unit, lower
from nanlint.proof.programs.nodes import MASK_PRODUCT, Node
from nanlint.proof.programs.writing import ENTRY, Program
from nanlint.source import Source, from_bytes, parse


@dataclass(frozen=True)
class Found:
    """A hazard of one function of a program, and the selector that it is about."""

    hazard: Hazard
    function: str
    node: Node | None
    """None where there is no selector at that place: a bug of nanlint or of the writer."""


@dataclass(frozen=True)
class Study:
    """All that nanlint says of a program."""

    program: Program
    dtype: str = "float32"

    @cached_property
    def source(self) -> Source:
        """The text as a file."""
        return from_bytes("program.py", self.program.text.encode())

    @cached_property
    def units(self) -> list[Unit]:
        """The functions, lowered."""
        text = self.source.text
        return list(lower(parse(text), text, DTYPES[self.dtype]))

    @cached_property
    def found(self) -> list[Found]:
        """The hazards of every confidence."""
        return [
            Found(hazard, _name(unit), self._node_of(hazard))
            for unit in self.units
            for selector in (*unit.selectors, *unit.within)
            for hazard in hazards(selector, ARITHMETIC[self.dtype])
        ]

    @property
    def entry(self) -> Unit | None:
        """The unit of the function that is run; None where nanlint passes it by."""
        return next((unit for unit in self.units if _name(unit) == ENTRY), None)

    def fixed(self, style: str) -> FixResult:
        """The source after all safe fixes of a style."""
        return fix(self.source, Config(dtype=self.dtype, fix_style=style))

    @property
    def clean(self) -> bool:
        """Whether nothing is found, of whatever confidence."""
        return not self.found

    def covers(self, node: Node, least: Confidence = Confidence.LOW) -> bool:
        """Whether anything of that confidence or more is found at a selector."""
        return any(
            found.node is not None and node in _factors(found.node)
            for found in self.found
            if found.hazard.confidence.rank <= least.rank
        )

    def _node_of(self, hazard: Hazard) -> Node | None:
        syntax = hazard.selector.node
        assert isinstance(syntax, (ast.expr, ast.stmt))
        span = self.source.span(syntax)
        place = self.source.offset(span.start), self.source.offset(span.end)
        exact = [node for node, spans in self.program.spans.items() if place in spans]
        return exact[0] if exact else None


def _name(unit: Unit) -> str:
    return unit.node.name if isinstance(unit.node, (ast.FunctionDef, ast.AsyncFunctionDef)) else ""


def _factors(node: Node) -> Iterator[Node]:
    """A selector; a product with the products that it consists of, which nanlint takes for one selector."""
    yield node
    if node.op in ("mul", MASK_PRODUCT):
        for arg in node.args:
            if arg.op in ("mul", MASK_PRODUCT):
                yield from _factors(arg)
