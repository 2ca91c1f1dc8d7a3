"""Concrete runs of a graph on Python floats, forward and backward, as torch runs it on one-element tensors."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from nanlint.arithmetic import NAN, Arithmetic
from nanlint.catalogue import OPS, SELECTORS, Drop
from nanlint.catalogue.emptied import OF_ROWS
from nanlint.catalogue.extremes import UNTAKEN
from nanlint.graph import Apply, Constant, Leaf, Value
from nanlint.regions import Region


def forward(
    order: Sequence[Value], inputs: Mapping[int, float], a: Arithmetic, *, void: bool = False
) -> dict[int, float] | None:
    """The value of everything in `order` (arguments first), by number; see `Tape.forward`."""
    return _tape(order).forward(inputs, a, void=void)


def backward(
    order: Sequence[Value],
    values: Mapping[int, float],
    seed: Mapping[int, float],
    a: Arithmetic,
    *,
    cut: bool = False,
) -> Gradients:
    """Run backward from the upstream gradients in `seed`; see `Tape.backward`."""
    return _tape(order).backward(values, seed, a, cut=cut)


STEADY = frozenset(
    """
    add sub rsub neg mul square abs identity where phi masked_fill masked_select maximum minimum clamp_min clamp_max
    relu sum mean exp tanh sigmoid sin cos norm
    """.split()
)
"""Ops of which a gradient of 0 comes back as 0 for all finite arguments with a finite value."""
_TAPES: OrderedDict[int, Tape] = OrderedDict()
_MOST_TAPES = 8


def _tape(order: Sequence[Value]) -> Tape:
    """The tape of this very list, which is not changed any more: the last few are kept."""
    found = _TAPES.get(id(order))
    if found is None or found.order is not order:
        found = _TAPES[id(order)] = Tape(order)
        while len(_TAPES) > _MOST_TAPES:
            _TAPES.popitem(last=False)
    return found


class Tape:
    """A graph prepared to be run many times: each op with the places of its arguments.

    `order` has arguments before what is computed from them. What lies outside of it is an input like a leaf, but for
    what `after` computes, which is run before.
    """

    def __init__(self, order: Sequence[Value], after: Tape | None = None) -> None:
        self.order = order
        self.inside: set[int] = {value.number for value in order}
        if after is not None:
            self.inside |= after.inside
        self._constants: dict[int, float] = {}
        self._inputs: dict[int, tuple[int, float]] = {}
        self._steps: list[_Step] = []
        self._masks: list[int] = []
        self._rounded: dict[str, dict[int, float]] = {}
        self._backward: dict[frozenset[int], list[_BackwardStep]] = {}
        self._notable: dict[frozenset[int], list[_BackwardStep]] = {}
        for value in order:
            self._add(value)
        self._computed = frozenset(step[0] for step in self._steps)
        self.inputs = frozenset(number for number, _ in self._inputs.values())
        """The numbers of the values that have to be given."""

    def _add(self, value: Value) -> None:
        if isinstance(value, Constant):
            self._constants[value.number] = value.value
        elif isinstance(value, Leaf):
            self._inputs[value.number] = value.number, typical(value.region)
        else:
            first, *rest = [self._place(arg) for arg in value.args]
            function: Callable[..., float] | None = OPS[value.op].value
            if value.op == "masked_select":
                function = _selected
                self._masks.append(rest[0])
            if value.op in _CHOICES:
                function = None
            more = tuple(rest) if len(rest) > 1 else None
            self._steps.append((value.number, function, first, rest[0] if rest else None, more))

    def _place(self, arg: Value) -> int:
        """Where an argument's value is kept: below 0 for what lies outside."""
        if arg.number in self.inside:
            return arg.number
        if isinstance(arg, Constant):
            self._constants[~arg.number] = arg.value
        else:
            self._inputs[~arg.number] = arg.number, 0.0
        return ~arg.number

    def forward(
        self, inputs: Mapping[int, float], a: Arithmetic, *, void: bool = False
    ) -> dict[int, float] | None:
        """The value of everything in the order, by number; what lies outside is kept under other keys.

        `inputs` gives the values of the leaves, of what lies outside and of ops that are not to be computed. None if
        an element that was selected away by a false mask would be needed; with `void` such an element is nan, which
        no mask lets through.
        """
        values = self.start(inputs, a)
        self.run(values, inputs, a)
        return None if not void and any(values[mask] == 0.0 for mask in self._masks) else values

    def start(self, inputs: Mapping[int, float], a: Arithmetic) -> dict[int, float]:
        """The values that nothing is computed for: constants and inputs."""
        values: dict[int, float] = {}
        self._begin(values, inputs, a)
        return values

    def _begin(self, values: dict[int, float], inputs: Mapping[int, float], a: Arithmetic) -> None:
        """Put constants and inputs into `values`."""
        usual = self._rounded.get(a.dtype.name)
        if usual is None:
            usual = {place: a.round(value) for place, value in self._constants.items()}
            usual |= {place: a.round(value) for place, (_, value) in self._inputs.items()}
            self._rounded[a.dtype.name] = usual
        values.update(usual)
        rounded = a.round
        for place, (number, _) in self._inputs.items():
            given = inputs.get(number)
            if given is not None:
                values[place] = rounded(given)

    def more(self, values: dict[int, float], inputs: Mapping[int, float], a: Arithmetic) -> None:
        """Compute all of the order into `values`, which has what was run before."""
        self._begin(values, inputs, a)
        self.run(values, inputs, a)

    def run(self, values: dict[int, float], inputs: Mapping[int, float], a: Arithmetic) -> None:
        """Compute the ops into `values`, which has what they need from outside."""
        if not inputs.keys().isdisjoint(self._computed):
            self._run_but_for(values, inputs, a)
            return
        for number, function, first, second, more in self._steps:
            if second is None:
                values[number] = function(a, values[first])  # type: ignore[misc]
            elif more is None:
                values[number] = function(a, values[first], values[second])  # type: ignore[misc]
            elif function is None:  # written out: in some graphs hardly anything else is computed
                values[number] = values[second if values[first] != 0.0 else more[1]]
            else:
                values[number] = function(a, values[first], *[values[place] for place in more])

    def _run_but_for(self, values: dict[int, float], inputs: Mapping[int, float], a: Arithmetic) -> None:
        """Compute the ops that are not given themselves."""
        for number, function, first, second, more in self._steps:
            if number in inputs:
                values[number] = a.round(inputs[number])
            elif function is None and more is not None and second is not None:
                values[number] = values[second if values[first] != 0.0 else more[1]]
            elif function is not None:
                places = (first,) if second is None else (first, *(more or (second,)))
                values[number] = function(a, *[values[place] for place in places])

    def backward(
        self,
        values: Mapping[int, float],
        seed: Mapping[int, float],
        a: Arithmetic,
        *,
        cut: bool = False,
    ) -> Gradients:
        """Run backward from the upstream gradients in `seed`, after a forward run that gave `values`.

        With `cut` no gradient goes on into what a selector on the way drops: a nan that arises there is that
        selector's.
        """
        grads = dict(seed)
        origin: Apply | None = None
        for value, function, places, flows, untaken, drops in self._steps_back(frozenset(seed)):
            g = grads.get(value.number)
            if g is None:
                continue
            args = [values[place] for place in places]
            made_all = function(a, g, values[value.number], *args)
            dropped: Sequence[int] = ()
            if untaken is not None:
                dropped = (untaken(args),)
            elif cut and drops:
                dropped = [drop.operand for drop in drops if drop.holds(tuple(args))]
            for index, number in flows:
                if index not in dropped:
                    made = made_all[index]
                    if made != made and g == g and origin is None:
                        origin = value
                    grads[number] = a.add(grads[number], made) if number in grads else made
        return Gradients(grads, origin)

    def is_calm(self, values: Mapping[int, float], seeds: frozenset[int], a: Arithmetic) -> bool:
        """Whether gradients of 0 from some seeds certainly remain 0, told sooner than by running backward.

        Where all values are finite, the most usual ops make nothing else of a gradient of 0.
        """
        if not all(map(math.isfinite, values.values())):
            return False
        for value, function, places, *_ in self._unsteady(seeds):
            for made in function(a, 0.0, values[value.number], *[values[place] for place in places]):
                if made != made:
                    return False
        return True

    def _unsteady(self, seeds: frozenset[int]) -> list[_BackwardStep]:
        if seeds not in self._notable:
            self._notable[seeds] = [step for step in self._steps_back(seeds) if step[0].op not in STEADY]
        return self._notable[seeds]

    def _steps_back(self, seeds: frozenset[int]) -> list[_BackwardStep]:
        """The ops that gradient from some seeds can reach, the last one first."""
        if seeds not in self._backward:
            reached, steps = set(seeds), []
            for value in reversed(self.order):
                if value.number in reached and isinstance(value, Apply) and value.grad:
                    flows = tuple((index, arg.number) for index, arg in enumerate(value.args) if arg.grad)
                    reached.update(number for _, number in flows)
                    places = tuple(map(self._place, value.args))
                    row = SELECTORS.get(value.op)
                    drops = () if row is None else tuple(row.drops)
                    function, untaken = OPS[value.op].backward, UNTAKEN.get(value.op)
                    steps.append((value, function, places, flows, untaken, drops))
            self._backward[seeds] = steps
        return self._backward[seeds]


_Step: TypeAlias = "tuple[int, Callable[..., float] | None, int, int | None, tuple[int, ...] | None]"
"""An op's number, its value (None for a choice of the second or third argument by the first), the places of its first
and second argument; of all but the first, if these are more."""
_CHOICES = frozenset({"where", "phi"})
_BackwardStep: TypeAlias = tuple[
    Apply,
    Callable[..., tuple[float, ...]],
    tuple[int, ...],
    tuple[tuple[int, int], ...],
    "Callable[[Sequence[float]], int] | None",
    tuple[Drop, ...],
]
"""An op, its backward, the places of its arguments, index and number of those that gradient flows to, which one no
gradient goes on into where Python left it out, and what a selector drops."""


def _selected(a: Arithmetic, x: float, mask: float) -> float:
    return NAN if mask == 0.0 else x


def typical(region: Region) -> float:
    """A member of a region for a value that nobody asks about."""
    return next((value for value in (0.0, 1.0, region.lo, region.hi) if value in region), 0.0)


@dataclass(frozen=True)
class Gradients:
    """What backward gave: each value's gradient by number, and the op that first made a nan of a number."""

    by_number: Mapping[int, float]
    origin: Apply | None


def culprit(origin: Apply, values: Mapping[int, float]) -> Apply:
    """The op to blame for a nan that arose at `origin`.

    A product or a sum only passes on what an argument brings: then it is the op that made a nan or an infinity of
    finite arguments.
    """
    blamed = origin
    while not _is_site(blamed, values):
        broken = [
            arg for arg in blamed.args if isinstance(arg, Apply) and not math.isfinite(values[arg.number])
        ]
        if not broken:
            return origin
        blamed = broken[0]
    return blamed


def _is_site(value: Apply, values: Mapping[int, float]) -> bool:
    given = [values.get(arg.number, 0.0) for arg in value.args]
    undefined = math.isnan(values[value.number]) and not any(map(math.isnan, given))  # inf / inf
    emptied = value.op in OF_ROWS and given[0] == -math.inf
    return OPS[value.op].singular and (all(map(math.isfinite, given)) or undefined or emptied)
