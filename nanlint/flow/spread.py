"""How what is true of some expressions spreads to others, by way of the names that are bound to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from nanlint.flow.sources import Source, Unit


class Spread:
    """How a property of sources spreads from name to name, through the file and through each unit."""

    def __init__(self, units: Sequence[Unit], has: Callable[[Source], bool], known: Iterable[str]) -> None:
        self.has = has
        self.known = set(known)
        self.inside: dict[Unit, set[str]] = {unit: set() for unit in units}
        mentioned = {unit: _mentioned(unit, has) for unit in units}
        before = -1
        while len(self.known) > before:
            before = len(self.known)
            for unit in units:
                names = mentioned[unit]
                if names is None or not names.isdisjoint(self.known):
                    self._within(unit)

    def reaches(self, source: Source, unit: Unit) -> bool:
        """Whether a source in a unit has the property, by way of names or by itself."""
        names = source.names
        inside = self.inside[unit]
        return self.has(source) or not (names.isdisjoint(self.known) and names.isdisjoint(inside))

    def _within(self, unit: Unit) -> None:
        """Spread from name to name in a unit, and to the file."""
        inside = self.inside[unit]
        pending, before = unit.bindings, -1
        while len(pending) != before:
            before = len(pending)
            left = []
            for name, source in pending:
                if self.reaches(source, unit):
                    inside.add(name)
                else:
                    left.append((name, source))
            pending = left
        self.known.update(name for name, source in unit.exported if self.reaches(source, unit))


def _mentioned(unit: Unit, has: Callable[[Source], bool]) -> set[str] | None:
    """The names that the bindings of a unit are made of; None if one of them has the property by itself."""
    names: set[str] = set()
    for _, source in (*unit.bindings, *unit.exported):
        if has(source):
            return None
        names |= source.names
    return names
