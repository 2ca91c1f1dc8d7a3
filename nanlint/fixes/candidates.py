"""What to try for a finding: each style of repair, and the order in which the styles are tried."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue import OPS
from nanlint.config import LEAST_INTRUSIVE
from nanlint.facts import Constraint, Network
from nanlint.finding import Edit
from nanlint.fixes.asked import asked, by_own_values
from nanlint.fixes.bounded import bounded
from nanlint.fixes.double_where import Spelling, double_where
from nanlint.fixes.dropping import Replaced
from nanlint.fixes.elsewhere import rebuilt
from nanlint.fixes.filled import filled
from nanlint.fixes.guards import guard_of, guards_of, keeps_where_true
from nanlint.fixes.handed import NUMBERS, handed
from nanlint.fixes.index_first import index_first
from nanlint.fixes.indexed import indexed
from nanlint.fixes.kept import kept
from nanlint.fixes.library import library
from nanlint.fixes.places import Places
from nanlint.fixes.recomputed import recomputed
from nanlint.fixes.restated import restated
from nanlint.fixes.shapes import fits, is_wider, may_fit
from nanlint.graph import MOST_VALUES, Apply, Constant, Kind, Leaf, Value, closure
from nanlint.hazards import Hazard

Sites: TypeAlias = list[tuple[Apply, int]]
"""Singular ops and the indices of the arguments to guard."""


_OTHERS = (1.0, -1.0)
"""Numbers that are tried where that which is safe for an op alone is not safe for what is made of it."""


@dataclass(frozen=True)
class Candidate:
    """Edits to try, in which style, and whether what they insert certainly fits, in shape and in size."""

    style: str
    edits: tuple[Edit, ...] | None
    fits: bool
    lenient: bool = False
    """Whether what the selector drops may get another value; then it is never safe."""
    moves: bool = False
    """Whether the selector is given another operand."""
    told: bool = False
    """Whether the edits say what the selector gives for what was infinite."""
    only_safe: bool = False
    """Whether they are nothing to offer where they are not shown to be safe: others are closer to what was there."""
    replaced: tuple[Replaced, ...] = ()
    """The arguments that are given other values where the selector drops what comes of them."""

    @property
    def guards(self) -> bool:
        """Whether nothing is to change but what the selector drops."""
        return self.style in ("double-where", "masked-fill", "index-fill")


@dataclass(frozen=True)
class Task:
    """One finding: its hazards, the selectors of the whole function, and where its code stands."""

    found: Sequence[Hazard]
    selectors: Sequence[Apply]
    places: Places
    a: Arithmetic

    @property
    def first(self) -> Hazard:
        """The hazard that is told in full."""
        return self.found[0]


def candidates(task: Task, wanted: str) -> Iterator[Candidate]:
    """What to try, in the `wanted` style first, then in all others, the least intrusive first."""
    order = _ORDERS.get(task.first.row.family, _USUAL)
    alternatives = (*order, *_ALTERNATIVES) if wanted != LEAST_INTRUSIVE else order
    first = [style for style in alternatives if style == wanted]
    for style in dict.fromkeys((*first, *order)):
        yield from _STYLES[style](task)


def _library(task: Task) -> Iterator[Candidate]:
    yield Candidate("library", library(task.first, task.places), True)


def _indexed(task: Task) -> Iterator[Candidate]:
    yield Candidate("indexed", indexed(task.first, task.places), True)


def _index_first(task: Task) -> Iterator[Candidate]:
    # an op may round two numbers to the same one: then the extremes of the results share their gradient
    sure = task.first.selector.op not in ("largest", "smallest")
    for edits in index_first(task.first, task.places):
        yield Candidate("index-first", edits, sure, moves=True)


def _bound_first(task: Task) -> Iterator[Candidate]:
    for edits, replaced in bounded(task.found, task.selectors, task.places, task.a):
        sure = not any(one.usually for one in replaced)
        yield Candidate("bound-first", edits, sure, replaced=replaced)


def _ask_first(task: Task) -> Iterator[Candidate]:
    lenient = task.first.row.family == 6
    for edits, told, sure, alone in asked(task.first, task.places, task.a):
        yield Candidate("ask-first", edits, sure, told and lenient, told=told, only_safe=alone)


def _ask_finite(task: Task) -> Iterator[Candidate]:
    """What is asked of the argument in place of the result, then the same question sooner, then one around both."""
    made = list(_ask_first(task))
    yield from (one for one in made if one.fits and not one.lenient)
    yield from _double_where(task)
    if len(task.found) == 1:
        for (own,) in _site_sets(task):
            sooner = restated(task.first, own, task.places)
            if sooner is not None:
                yield Candidate("double-where", sooner.edits, sooner.fits)
    yield from (one for one in made if one.lenient or not one.fits)


def _index_fill(task: Task) -> Iterator[Candidate]:
    if len(task.found) == 1:
        for (own,) in _site_sets(task):
            yield Candidate("index-fill", filled(task.first, own, task.places), True)


def _double_where(task: Task) -> Iterator[Candidate]:
    yield from _guarded(task, "double-where", Spelling.WHERE)
    if len(task.found) == 1:
        yield from _elsewhere(task)
    for numbers, sites in itertools.product(NUMBERS, list(_site_sets(task))):
        for one in handed(task.found, sites, task.places, numbers):
            yield Candidate("double-where", one.edits, one.fits)


def _masked_fill(task: Task) -> Iterator[Candidate]:
    return _guarded(task, "masked-fill", Spelling.FILL)


def _guarded(task: Task, style: str, spelling: Spelling) -> Iterator[Candidate]:
    """Guards around the arguments of the singular ops, in one spelling or another."""
    found, places = task.found, task.places
    for sites in _site_sets(task):
        if any(_is_part(hazard, own) for hazard, own in zip(found, sites, strict=True)):
            continue
        if any(_is_count(hazard, own, places) for hazard, own in zip(found, sites, strict=True)):
            if len(found) == 1 and spelling is Spelling.WHERE:
                yield from (
                    Candidate(style, edits, True) for edits in by_own_values(task.first, places, task.a)
                )
            continue
        for guards in zip(*(list(guards_of(hazard, places)) for hazard in found), strict=False):
            guarded = list(zip(found, sites, guards, strict=True))
            sure = fits(guarded, places)
            if sure or (not any(guard.through for guard in guards) and may_fit(guarded, places)):
                pairs = list(zip(found, sites, strict=True))
                for number in _numbers(task, sites):
                    yield Candidate(style, double_where(pairs, guards, places, spelling, number), sure)


def _numbers(task: Task, sites: Sequence[Sites]) -> Iterator[float | None]:
    """What to put in the place of dropped arguments: what is safe for their ops, then for what is made of a single one.

    `log1p(-exp(x))` is singular where the exponential is given the 0 that is best for it alone. Other numbers have to
    be such that the condition keeps them: what is made of them is then in its own range.
    """
    yield None
    if len(sites) == 1 and len(sites[0]) == 1:
        ((site, index),) = sites[0]
        others = (number for number in _OTHERS if number != OPS[site.op].safe[index])
        yield from (number for number in others if _keeps(task.first, site.args[index], number, task.a))


def _keeps(hazard: Hazard, arg: Value, number: float, a: Arithmetic) -> bool:
    """Whether the condition may keep what is made of a number in the place of an argument."""
    region = R.NONZERO if hazard.drop is None or keeps_where_true(hazard) else R.ZERO
    network = Network(closure((hazard.selector, hazard.condition), MOST_VALUES), a)
    kept = [Constraint(hazard.condition, region), Constraint(arg, R.point(number))]
    return network.solve(kept) is not None


def _elsewhere(task: Task) -> Iterator[Candidate]:
    hazard, places = task.first, task.places
    for (own,) in _site_sets(task):
        if _is_count(hazard, own, places):
            continue
        made = rebuilt(hazard, own, places) or recomputed(hazard, own, places)
        if made is not None:
            yield Candidate("double-where", made.edits, made.fits)
        for one in kept(hazard, own, places):
            yield Candidate("double-where", one.edits, one.fits)


_STYLES: Mapping[str, Callable[[Task], Iterator[Candidate]]] = {
    "library": _library,
    "indexed": _indexed,
    "index-first": _index_first,
    "bound-first": _bound_first,
    "ask-first": _ask_first,
    "ask-finite": _ask_finite,
    "index-fill": _index_fill,
    "double-where": _double_where,
    "masked-fill": _masked_fill,
}
_USUAL = ("library", "double-where")
_ORDERS: Mapping[int, tuple[str, ...]] = {
    3: ("library", "index-fill", "double-where"),
    4: ("index-first", "double-where"),
    5: ("bound-first", "ask-first"),
    6: ("ask-finite",),
}
"""The styles of each family of selectors, the least intrusive first."""
_ALTERNATIVES = ("masked-fill", "indexed")
"""Styles that are tried where they are asked for only."""


def _is_count(hazard: Hazard, own: Sites, places: Places) -> bool:
    """Whether an argument to guard counts the very elements that the guard speaks of."""
    guard = guard_of(hazard, places)
    return guard is not None and any(is_wider(guard, *pair, places) for pair in own)


def _is_part(hazard: Hazard, own: Sites) -> bool:
    """Whether an argument to guard has fewer elements than the guard: those that another mask has selected."""
    whole = {value.number for value in closure((hazard.condition,), MOST_VALUES)}
    below = closure([site.args[index] for site, index in own], MOST_VALUES)
    return any(
        isinstance(value, Apply) and value.op == "masked_select" and value.number not in whole
        for value in below
    )


def _site_sets(task: Task) -> Iterator[list[Sites]]:
    """The ops to guard, for each hazard: those with a proof, or all that have a pole, or all that may overflow, too.

    Of each the innermost ones come first: their safe values may be enough for what is computed from them.
    """
    tried: list[list[Sites]] = []
    for look in (_proven, partial(_with_pole, task.a), _singular_below):
        every = [look(hazard) for hazard in task.found]
        for ops in (map(_innermost, every), every):
            sites = list(map(_poisoned, ops))
            if all(sites) and sites not in tried:
                tried.append(sites)
                yield sites


def _poisoned(sites: Iterable[Apply]) -> Sites:
    return list(itertools.chain.from_iterable(map(_arguments, sites)))


def _arguments(site: Apply) -> Sites:
    """The arguments of an op that a safe value can take the place of: a number of Python is none."""
    row = OPS[site.op]
    return [
        (site, index)
        for index, (arg, safe) in enumerate(zip(site.args, row.safe, strict=True))
        if safe is not None
        and row.is_replaceable
        and arg.kind is not Kind.NUMBER
        and not _is_named_number(arg)
    ]


def _is_named_number(arg: Value) -> bool:
    """`xp.pi`, of whatever library it is."""
    return isinstance(arg, Leaf) and arg.name.rpartition(".")[2] in (
        "pi",
        "e",
        "tau",
        "inf",
        "nan",
        "eps",
        "tiny",
    )


def _proven(hazard: Hazard) -> list[Apply]:
    return [proof.site for proof in hazard.proofs]


def _innermost(ops: list[Apply]) -> list[Apply]:
    """The ops with no other one of them below."""
    return [op for op in ops if not any(other in ops for other in closure(op.args, MOST_VALUES))]


_USUAL_NUMBERS = R.interval(-1e6, 1e6)


def _with_pole(a: Arithmetic, hazard: Hazard) -> list[Apply]:
    """The ops below that are singular at a number that people have: `x ** 2` is not, nor `exp`."""
    return [op for op in _singular_below(hazard) if not OPS[op.op].overflows and _has_pole(op, a)]


def _has_pole(op: Apply, a: Arithmetic) -> bool:
    regions = [R.point(arg.value) if isinstance(arg, Constant) else R.FINITE for arg in op.args]
    return any(poison & _USUAL_NUMBERS for poison in OPS[op.op].poison(a, *regions))


def _singular_below(hazard: Hazard) -> list[Apply]:
    order = closure((hazard.operand,), MOST_VALUES)
    return [value for value in order if isinstance(value, Apply) and OPS[value.op].singular]
