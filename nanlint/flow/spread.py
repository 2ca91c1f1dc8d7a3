"""How what is true of some expressions spreads to others, by way of the names that are bound to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from nanlint.flow.sources import ALL, DROPPING, IMPORTED, LOGICAL, OWN, TOKENS, Source, Unit

FIRST = ALL.bit_length()
"""The bit of the first token, above the flags."""
_MAY_BE_MASK = ~0 << FIRST | LOGICAL
"""Of all that an index may be made of, what may be a mask."""


class _Binding(NamedTuple):
    """A name that a source is bound to in one of the units, for all of the file if it is `exported`."""

    at: int
    name: str
    source: Source
    exported: bool


class Spread:
    """What the names of a file are made of: flags, and a bit for each token.

    Tokens are the names that are decided on elsewhere: what is imported, and the attributes of a class. Any name may
    come from one of the `stars`, modules of the project from which all is imported. The `foreign` names may be made of
    anything of a class, and are no functions of the file.
    """

    def __init__(
        self, units: Sequence[Unit], stars: Sequence[str] = (), foreign: Collection[str] = ()
    ) -> None:
        self.tokens: dict[str, int] = {}
        """The bit of each token."""
        self.known: dict[str, int] = {}
        """What the names are made of that the whole file knows."""
        self.inside: dict[Unit, dict[str, int]] = {unit: {} for unit in units}
        """The same for the names of each unit."""
        self._units, self._foreign = units, foreign
        self._inside_users: list[dict[str, list[_Binding]]] = [{} for _ in units]
        self._users: dict[str, list[_Binding]] = {}
        self.mentioned = set().union(*map(_mentioned, units))
        for name in self.mentioned:
            if name.startswith(TOKENS):
                self.known[name] = self._bit(name)
        for star in stars:
            for name in filter(str.isidentifier, self.mentioned):
                self.known[name] = self.known.get(name, 0) | self._bit(f"{IMPORTED}{star}.{name}")
        bindings = [*self._bindings()]
        self._run(bindings)
        self._pick(bindings)

    def of(self, source: Source, unit: Unit) -> int:
        """What a source in a unit is made of."""
        made = source.flags
        known, inside, hidden = self.known, self.inside[unit], unit.parameters
        for name in source.names:
            if name in known and name not in hidden:
                made |= known[name]
            if name in inside:
                made |= inside[name]
        return made

    def _pick(self, bindings: Iterable[_Binding]) -> None:
        """A function that picks by a mask of its own drops what it is given, whatever else that is."""
        changed = set[int]()
        for unit in self._units:
            for results, mask in unit.picking:
                if not results.flags & DROPPING and self.of(mask, unit) & _MAY_BE_MASK:
                    results.flags |= DROPPING
                    changed.add(id(results))
        self._run([binding for binding in bindings if id(binding.source) in changed])

    def _bit(self, token: str) -> int:
        return self.tokens.setdefault(token, 1 << (FIRST + len(self.tokens)))

    def _bindings(self) -> Iterator[_Binding]:
        """All bindings, each noted with the names that it depends on."""
        exported = {name for unit in self._units for name, _ in unit.exported}
        for at, unit in enumerate(self._units):
            users, own = self._inside_users[at], {name for name, _ in unit.bindings}
            for bindings, is_exported in ((unit.bindings, False), (unit.exported, True)):
                for name, source in bindings:
                    binding = _Binding(at, name, source, is_exported)
                    for used in source.names & own:
                        users.setdefault(used, []).append(binding)
                    for used in source.names & exported:
                        self._users.setdefault(used, []).append(binding)
                    yield binding

    def _run(self, pending: Iterable[_Binding]) -> None:
        """Spread until nothing changes."""
        while pending:
            further: dict[_Binding, None] = {}
            for binding in pending:
                at, name, source, exported = binding
                unit = self._units[at]
                names = self.known if exported else self.inside[unit]
                before = names.get(name, 0)
                made = self.of(source, unit)
                made = before | (made & ~OWN if name in self._foreign else made)
                if made != before:
                    names[name] = made
                    users = self._users if exported else self._inside_users[at]
                    further.update(dict.fromkeys(users.get(name, ())))
            pending = [*further]


def _mentioned(unit: Unit) -> set[str]:
    """The names that a unit mentions."""
    names: set[str] = set()
    for _, source in (*unit.bindings, *unit.exported):
        names |= source.names
    for selection in unit.selectors:
        names |= selection.operands.names
        names |= selection.mask.names if selection.mask is not None else frozenset()
    for call in unit.calls:
        names |= call.called.names
        names |= call.arguments.names
    return names
