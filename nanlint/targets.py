"""The abstract half of a search: what would poison which op of a dropped value, as far as the facts allow it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

from nanlint import regions as R
from nanlint.cases import Case, Place, place_of
from nanlint.catalogue import OPS
from nanlint.catalogue.emptied import EMPTIED
from nanlint.facts import Constraint, Facts, Network
from nanlint.graph import Apply, Value
from nanlint.leftovers import is_given_infinity
from nanlint.search import inside, outlet, route


class Targets:
    """The singular points of one case that nothing known of it rules out.

    `below` are the numbers of what the dropped operand is made of; `known` is what holds where it is dropped.
    """

    def __init__(
        self, case: Case, network: Network, below: Collection[int], known: Sequence[Constraint]
    ) -> None:
        self.case = case
        self.network = network
        self.order = network.order
        self.below = below
        self.known = known

    @cached_property
    def base(self) -> Facts | None:
        """All that is known where the selector drops; None if it never does."""
        drop, facts = self.case.drop, self.network.solve(self.known)
        if drop is None or facts is None:
            return facts
        args = self.case.selector.args
        region = drop.where(tuple(facts.of(arg) for arg in args))
        return self.network.solve([*self.known, Constraint(args[drop.by], region, nan=drop.by_nan)])

    def each(self, base: Facts) -> Iterator[tuple[Apply, Constraint]]:
        """What would poison which op: an argument in its op's poison set, or where the op's value is nan."""
        for value in self.order:
            if value.number not in self.below or not isinstance(value, Apply):
                continue
            row = OPS[value.op]
            if not row.singular or (value.op in EMPTIED and not self._is_given_infinity):
                continue
            regions = tuple(base.of(arg) for arg in value.args)
            for arg, poison in zip(value.args, row.poison(self.network.a, *regions), strict=True):
                met = base.of(arg) & poison
                if met and value.op == "div" and arg is value.args[1] and not arg.grad:
                    met &= R.ZERO  # all other divisors poison nothing but their own gradient
                if met and (value.grad or self._may_break(value, arg, met, base)):
                    yield value, Constraint(arg, met)
                    yield from ((value, Constraint(arg, R.point(at))) for at in inside(row.landmarks, met))

    def reached(self, base: Facts, target: Constraint) -> Iterator[Facts]:
        """What holds where a target is met, for each way in which the facts leave that possible.

        Where the nan only goes down from the target, the bounds on its way have to let it through.
        """
        way = route(self.case.operand, target.value, self.order)
        further = outlet(target.value)
        for constraints in (way, [*way, *further]) if further else (way,):
            facts = self.network.solve((target, *constraints), base)
            if facts is not None:
                yield facts

    def are_open(self, places: Collection[Place]) -> bool:
        """Whether the facts leave it possible that an op at one of some places is poisoned."""
        return self.base is not None and any(
            place_of(site) in places and any(True for _ in self.reached(self.base, target))
            for site, target in self.each(self.base)
        )

    def may_be_nan(self, base: Facts) -> bool:
        """Whether an op below may give nan of numbers: then nan, not a singular point, poisons the ops above it."""
        return any(value.number in base.nans for value in self.order if value.number in self.below)

    def _may_break(self, value: Apply, arg: Value, met: R.Region, base: Facts) -> bool:
        """Whether a value that no gradient flows through is no number there: else it poisons nothing."""
        row = OPS[value.op]
        regions = [met if other is arg else base.of(other) for other in value.args]
        return bool(row.image(self.network.a, *regions) & R.INFINITIES) or row.undefined(*regions)

    @cached_property
    def _is_given_infinity(self) -> bool:
        """Whether any row may be one of nothing but minus infinity, otherwise than by overflow."""
        return any(map(is_given_infinity, self.order))
