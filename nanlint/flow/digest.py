"""What triage keeps of a file when its tree is gone: what its names and its selectors are made of, in bits."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from nanlint.flow.bindings import Bindings
from nanlint.flow.sources import ATTRIBUTE, CLASS, OTHERWISE, OWN, PARTIAL, SELECTING, SINGULAR, Source
from nanlint.flow.spread import FIRST, Spread
from nanlint.flow.statements import Statements
from nanlint.names import may_be_of_project

Place: TypeAlias = "tuple[int, int]"
"""Line and column of a function."""
_Selector: TypeAlias = "tuple[int, int | None, int, tuple[Place, ...]]"
MODULE: Place = (0, 0)
"""The place of the statements outside of all functions."""


@dataclass(frozen=True)
class Digest:
    """A file, as far as triage is concerned with it.

    What a name or an operand is made of is an integer: flags, and a bit for each of the `tokens`, which only other
    files can tell. `selectors` are operands, mask (None where none is needed), the flag that makes it one and the
    functions around, `calls` are arguments, what is called and the functions around.
    """

    tokens: Sequence[str]
    names: Mapping[str, int]
    selecting: frozenset[str]
    """Attributes that may be selectors."""
    selectors: frozenset[_Selector]
    calls: frozenset[tuple[int, int, tuple[Place, ...]]]
    attributes: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    """Attributes that are asked for."""
    dropping: frozenset[str] = frozenset()
    """Attributes that may be functions which drop what they are given."""

    def tokens_in(self, bits: int) -> Iterator[str]:
        """The tokens among some bits."""
        bits >>= FIRST
        for token in self.tokens:
            if bits & 1:
                yield token
            bits >>= 1
            if not bits:
                return


EMPTY = Digest((), {}, frozenset(), frozenset(), frozenset())


def place_of(node: ast.AST) -> Place:
    """The place of a function or a module."""
    return MODULE if isinstance(node, ast.Module) else (node.lineno, node.col_offset)  # type: ignore[attr-defined]


def at(places: Collection[Place], tree: ast.Module) -> set[ast.AST]:
    """The functions of a tree that stand at some places, and the tree itself if the module is among them."""
    found: set[ast.AST] = {tree} if MODULE in places else set()
    found.update(node for node in _definitions(tree) if place_of(node) in places)
    if len(found) < len(places):
        lambdas = (node for node in ast.walk(tree) if isinstance(node, ast.Lambda))
        found.update(node for node in lambdas if place_of(node) in places)
    return found


def _definitions(node: ast.AST) -> Iterator[ast.AST]:
    """The functions among the statements of a tree."""
    for block in ("body", "orelse", "handlers", "finalbody", "cases"):
        for statement in getattr(node, block, ()):
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield statement
            yield from _definitions(statement)


def digested(
    tree: ast.Module, package: str, *, squares: bool, infinities: bool = False, positions: bool = False
) -> Digest:
    """Read a file of some package.

    A square is singular only where it overflows, and without `squares` nowhere; a softmax only where the code writes
    `infinities`. With `positions` any subscript may be a selector. Raises RecursionError for a tree nested too deeply.
    """
    reader = Statements(tree, package, squares=squares, infinities=infinities, positions=positions)
    reader.block(tree.body)
    _inherit(reader)
    _bind_otherwise(reader)
    exported = {name for unit in reader.units for name, _ in unit.exported}
    foreign = {f"{owner}{attribute}" for owner, attribute in reader.inherited}
    foreign |= {name for name in exported if name.endswith(".*")}
    spread = Spread(reader.units, [*filter(may_be_of_project, reader.stars)], foreign)
    return Digest(
        tuple(spread.tokens),
        {name: spread.known.get(name, 0) for name in exported if name[0] != "."},
        frozenset(name for name in exported if name[0] == "." and spread.known.get(name, 0) & SELECTING),
        frozenset(_selectors(reader, spread)),
        frozenset(_calls(reader, spread)),
        _attributes(exported),
        _attributes(spread.mentioned),
        frozenset(name for name, bits in spread.known.items() if name[0] == "." and bits & OWN),
    )


def _attributes(names: Iterable[str]) -> frozenset[str]:
    """The attributes among some names; they are much the same in all files, and kept once."""
    return frozenset(sys.intern(name) for name in names if name[0] == ".")


def _inherit(reader: Bindings) -> None:
    """An attribute that nothing in the file binds may come from a base class."""
    bound = {name for unit in reader.units for name, _ in unit.exported}
    for owner, attribute in reader.inherited:
        if attribute not in bound:
            tokens = f"{CLASS}{owner}", f"{ATTRIBUTE}{attribute}"
            made = Source([f"{owner}()", f"{owner}.*", *tokens])
            reader.module.exported.append((f"{owner}{attribute}", made))


def _bind_otherwise(reader: Bindings) -> None:
    """What else is bound to a name that is an import's."""
    imports = {id(source) for _, source in reader.imports}
    for unit in reader.units:
        for bindings in (unit.bindings, unit.exported):
            bindings += [
                (f"{name}{OTHERWISE}", source)
                for name, source in bindings
                if name in reader.followed and id(source) not in imports
            ]


def _selectors(reader: Bindings, spread: Spread) -> Iterator[_Selector]:
    for unit in reader.units:
        for operands, mask, around, flag, _ in unit.selectors:
            made = spread.of(operands, unit)
            if made & _DECISIVE:
                by = None if mask is None else spread.of(mask, unit)
                yield made, by, flag, tuple(map(place_of, around)) or (MODULE,)


def _calls(reader: Bindings, spread: Spread) -> Iterator[tuple[int, int, tuple[Place, ...]]]:
    for unit in reader.units:
        for called, arguments, around in unit.calls:
            given, by = spread.of(arguments, unit), spread.of(called, unit)
            given |= by if by & PARTIAL else 0
            if given & _DECISIVE and by:
                yield given, by, tuple(map(place_of, around)) or (MODULE,)


_DECISIVE = ~0 << FIRST | SINGULAR
"""Of all that something may be made of, what may be singular."""
