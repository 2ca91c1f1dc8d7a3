"""Which functions of a syntax tree may hold a selector above a singular op, told by the syntax alone.

Lowering finds this out exactly; this costs a small part of that, and errs on one side only. A name stands for
everything that is bound to it anywhere in a function and the functions inside of it, an attribute for everything that
is bound to it anywhere in the file, a call for its function and all of its arguments. What is imported from other files
of the project may compute anything.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cached_property

from nanlint.flow.sources import IMPORTED, Call, Source, Unit
from nanlint.flow.spread import Spread
from nanlint.flow.statements import Statements


def _never(dotted: str) -> bool:
    return False


def suspects(
    tree: ast.Module,
    is_followed: Callable[[str], bool] = _never,
    may_select: Callable[[str], bool] = _never,
    package: str = "",
    *,
    squares: bool = True,
) -> frozenset[ast.AST] | None:
    """The functions that may hold a selector above a singular op; None for all of them.

    With each of them those around it; the module itself is among them for statements outside of functions.
    `is_followed` says of an imported dotted name whether it is of the project, `may_select` whether such a name may be
    a selector by another name; `package` is that of the file. A square is singular only where it overflows, and with
    `squares=False` nowhere. Raises RecursionError for a tree nested too deeply.
    """
    reader = Statements(tree, package, squares=squares)
    reader.block(tree.body)
    if any(map(is_followed, reader.stars)):
        return None
    return _Answer(reader, is_followed, may_select).suspects()


class _Answer:
    """What follows from all that was read in a file."""

    def __init__(
        self, reader: Statements, is_followed: Callable[[str], bool], may_select: Callable[[str], bool]
    ) -> None:
        self.reader = reader
        self.is_followed, self.may_select = is_followed, may_select
        self._inherit()
        dotted_names = set().union(*reader.imports.values())
        self.foreign = {f"{IMPORTED}{dotted}" for dotted in dotted_names if is_followed(dotted)}

    def _inherit(self) -> None:
        """An attribute that nothing in the file binds may come from a base class."""
        bound = {name for unit in self.reader.units for name, _ in unit.exported}
        for owner, attribute in self.reader.inherited:
            if attribute not in bound:
                self.reader.module.exported.append((f"{owner}{attribute}", Source([f"{owner}()"])))

    @cached_property
    def singular(self) -> Spread:
        """What something singular is below of."""
        return Spread(self.reader.units, lambda source: source.singular, self.foreign)

    @cached_property
    def selecting(self) -> Spread:
        """What is a selector by another name."""
        return Spread(self.reader.units, lambda source: source.selecting, ())

    @cached_property
    def masking(self) -> Spread:
        """What may be 0 for some elements only."""
        return Spread(self.reader.units, lambda source: source.masking, self.foreign)

    def suspects(self) -> frozenset[ast.AST]:
        """The functions around the selectors above something singular."""
        return frozenset(node for unit in self.reader.units for node in self._in(unit))

    def _in(self, unit: Unit) -> Iterator[ast.AST]:
        for operands, mask, around in unit.selectors:
            if self.singular.reaches(operands, unit) and (mask is None or self.masking.reaches(mask, unit)):
                yield from around or (self.reader.tree,)
        for call in unit.calls:
            if self.singular.reaches(call.arguments, unit) and self._selects(call, unit):
                yield from call.around or (self.reader.tree,)

    def _selects(self, call: Call, unit: Unit) -> bool:
        """Whether a call may be one of a selector by another name."""
        root, _, rest = call.dotted.partition(".")
        imports = (f"{dotted}.{rest}" if rest else dotted for dotted in self.reader.imports.get(root, ()))
        return (
            self.selecting.reaches(call.called, unit)
            or call.inherited in self.singular.known
            or any(self.is_followed(dotted) and self.may_select(dotted) for dotted in imports)
        )
