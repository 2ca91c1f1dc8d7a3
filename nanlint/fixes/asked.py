"""Questions asked of the argument, not of the result: `where(isfinite(x.rsqrt()), …)` asks for `x > 0` instead.

Whether the result is finite is known before the op: it is where the argument is not poisoned.
"""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue import OPS
from nanlint.facts import Constraint
from nanlint.finding import Edit, Span
from nanlint.fixes.double_where import guarded, inserted, of_its_type, where_spelling
from nanlint.fixes.dropping import Replaced, is_dropped
from nanlint.fixes.guards import Guard, condition_of, keeps_where_true
from nanlint.fixes.own_region import Poisoned, conditions, poisoned, site_sets
from nanlint.fixes.places import Places
from nanlint.fixes.restated import called
from nanlint.fixes.shapes import each_element
from nanlint.graph import Apply, Constant
from nanlint.hazards import Hazard
from nanlint.plausibility import constant_of

_MOST_ARGUMENTS = 2
_OF_BOUNDS = 5
"""The family of the selectors that compare the operand itself with a bound."""
_PLAIN = 1e6
"""A number below this is short enough to be written anew."""


@dataclass(frozen=True)
class _Question:
    """A condition that holds where an argument is not poisoned, and what has to be written to ask it."""

    bad: Poisoned
    text: str
    binding: tuple[Edit, ...]


class Asked(NamedTuple):
    """Edits that guard each poisoned argument by its own values."""

    edits: tuple[Edit, ...]
    told: bool = False
    """Whether they say what the selector gives for the rest, so that a change there is in sight."""
    sure: bool = True
    """Whether the selector drops all that they give another value, infinities too."""
    alone: bool = False
    """Whether the question stays, and may keep an infinity that they take away: no fix unless that never occurs."""


def asked(hazard: Hazard, places: Places, a: Arithmetic) -> Iterator[Asked]:
    """Edits that guard each poisoned argument by its own values, the least intrusive first.

    Alone, where the guarded op gives what the selector puts in place of the rest, or what a bound drops for certain;
    with the selector's condition replaced; with a where around the selector.
    """
    for bad in _poisoned(hazard, a):
        yield from _guarding(bad, hazard, places, a)


def by_own_values(hazard: Hazard, places: Places, a: Arithmetic) -> Iterator[tuple[Edit, ...]]:
    """Edits that guard each poisoned argument by its own values and leave the selector as it is.

    For counts of elements, which have another shape than the selector's condition: `torch.where(n != 0, n, 1.0)`.
    """
    for bad in _poisoned(hazard, a):
        if all(map(_is_count, bad)):
            for questions in itertools.product(*(list(_questions(each, places))[:1] for each in bad)):
                yield _wraps(questions, hazard, places)


def _poisoned(hazard: Hazard, a: Arithmetic) -> Iterator[list[Poisoned]]:
    """Sets of arguments to guard, none of them behind a reduction, whose elements have another shape."""
    for sites in site_sets(hazard) if hazard.selector.node is not None else ():
        bad = poisoned(hazard, sites, a) if each_element(hazard, sites) else []
        if 0 < len(bad) <= _MOST_ARGUMENTS:
            yield bad


def _is_count(bad: Poisoned) -> bool:
    """Whether an argument is a divisor that nothing is learnt through: what is made of it at 0 is nobody's value."""
    return bad.site.op == "div" and bad.index == 1 and not bad.site.args[1].grad


def _guarding(bad: Sequence[Poisoned], hazard: Hazard, places: Places, a: Arithmetic) -> Iterator[Asked]:
    choices = [list(_questions(each, places)) for each in bad]
    alone = all(_may_stand_alone(each, hazard, a) for each in bad)
    sure = hazard.row.family != _OF_BOUNDS or all(_drops_infinities(hazard, each, a) for each in bad)
    overflows = hazard.row.family != _OF_BOUNDS and any(map(_overflows_nearby, bad))
    for questions in itertools.islice(itertools.product(*choices), 4):
        wraps = _wraps(questions, hazard, places)
        if alone and not (overflows and condition_of(hazard) is not None):
            yield Asked(wraps)
        elif alone and _asks_for_nan_alone(hazard):
            yield Asked(wraps, alone=True)
        replaced = _condition_replaced(questions, hazard, places)
        if replaced is not None:
            yield Asked((*wraps, replaced), sure=not overflows)
        around = _where_around(questions, hazard, places, a)
        if around:
            yield Asked((*wraps, *around), told=True, sure=sure)


def _may_stand_alone(bad: Poisoned, hazard: Hazard, a: Arithmetic) -> bool:
    """Whether the selector can be left to itself: one that goes by the value has to drop that of the safe argument."""
    if hazard.row.family != _OF_BOUNDS:
        return True
    safe = OPS[bad.site.op].safe[bad.index]
    assert safe is not None
    given = Constraint(bad.site.args[bad.index], R.point(safe))
    return is_dropped([hazard.selector], Replaced(bad.site, given), a)


def _asks_for_nan_alone(hazard: Hazard) -> bool:
    """Whether a selector keeps infinities: `y[y != y] = 0`, `where(isnan(y), 0, y)`."""
    asked = hazard.condition
    while isinstance(asked, Apply) and asked.op in ("not", "identity"):
        asked = asked.args[0]
    if not isinstance(asked, Apply):
        return False
    itself = asked.op in ("ne", "eq") and asked.args[0].number == asked.args[1].number
    return itself or asked.op == "isnan"


def _overflows_nearby(bad: Poisoned) -> bool:
    """Whether the op is infinite next to its pole, too, where the result overflows: to ask for the pole is not enough.

    In half precision 1 / 1e-5 is. A root of a reciprocal never is.
    """
    if bad.site.op == "pow":
        return constant_of(bad.site.args[1]) <= -1.0
    return bad.site.op in ("div", "reciprocal")


def _drops_infinities(hazard: Hazard, bad: Poisoned, a: Arithmetic) -> bool:
    """Whether the selector drops whatever infinity the op gives at its poles: one that is kept is not to be changed."""
    poles = bad.pole.points or ()
    of_any_sign = bad.site.op == "div" and bad.index == 1 and not isinstance(bad.site.args[0], Constant)
    met = bool(bad.poison & R.ZERO) if of_any_sign else False
    infinities = {math.inf, -math.inf} if met else {bad.value_at(pole) for pole in poles}
    return all(
        is_dropped([hazard.selector], Replaced(bad.site, Constraint(bad.site, R.point(value))), a)
        for value in infinities
    )


def _questions(bad: Poisoned, places: Places) -> Iterator[_Question]:
    """Ways to ask whether an argument is poisoned; a costly argument gets a name first."""
    node = bad.node
    if isinstance(node, (ast.Name, ast.Attribute)):
        for condition in conditions(bad, places.text(node)):
            yield _Question(bad, condition, ())
        return
    statement = places.statement(node)
    at = places.line_start(statement) if statement is not None else None
    if at is None or not isinstance(
        statement, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)
    ):
        return
    name = places.fresh(called(bad.site), node)
    text = places.text(node)
    text = f"({text})" if "\n" in text else text
    binding = (Edit(Span(at[0], at[0]), f"{at[1]}{name} = {text}\n"), Edit(places.outer_span(node), name))
    for condition in conditions(bad, name):
        yield _Question(bad, condition, binding)


def _wraps(questions: Sequence[_Question], hazard: Hazard, places: Places) -> tuple[Edit, ...]:
    edits: list[Edit] = []
    selector = hazard.selector.node
    assert selector is not None
    for question in questions:
        safe = OPS[question.bad.site.op].safe[question.bad.index]
        assert safe is not None
        number = of_its_type(safe, question.bad.site.args[question.bad.index])
        wrap = guarded(question.bad.node, Guard(question.text, True, frozenset()), number, selector, places)
        if question.binding:
            bind, use = question.binding
            edits += [bind, Edit(use.span, f"{wrap.prefix}{use.replacement}{wrap.suffix}")]
        else:
            edits += inserted([wrap], places)
    return tuple(edits)


def _all_hold(questions: Sequence[_Question]) -> str:
    if len(questions) == 1:
        return questions[0].text
    return " & ".join(text if text.startswith("(") else f"({text})" for text in (q.text for q in questions))


def _condition_replaced(questions: Sequence[_Question], hazard: Hazard, places: Places) -> Edit | None:
    """The selector's condition, or what its name is bound to, replaced by the one on the arguments."""
    condition = condition_of(hazard) if hazard.drop is not None else None
    if condition is None:
        return None
    keeps = keeps_where_true(hazard)
    defined = places.definition(condition) if isinstance(condition, ast.Name) else None
    target = defined if defined is not None else condition
    while isinstance(target, ast.UnaryOp) and isinstance(target.op, ast.Invert):
        target, keeps = target.operand, not keeps
    outer = places.outer_span(target)
    text = _all_hold(questions)
    parent = places.parents.get(target)
    inverted = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Invert)
    if inverted:
        assert isinstance(parent, ast.UnaryOp)
        outer, keeps = places.source.span(parent), not keeps
    return Edit(outer, text if keeps else _negated(text))


_NEGATIONS = {" != ": " == ", " == ": " != ", " > ": " <= ", " >= ": " < ", " < ": " >= ", " <= ": " > "}


def _negated(text: str) -> str:
    """The opposite of a condition; of nan neither holds, which the evidence finds out."""
    operators = [operator for operator in _NEGATIONS if operator in text]
    if len(operators) == 1 and text.count(operators[0]) == 1 and "&" not in text:
        return text.replace(operators[0], _NEGATIONS[operators[0]])
    return f"~({text})"


def _where_around(
    questions: Sequence[_Question], hazard: Hazard, places: Places, a: Arithmetic
) -> tuple[Edit, ...]:
    """A where around the selector that gives its value at the witness, if that is a constant which can be written."""
    node, spelling = hazard.selector.node, None
    if isinstance(node, ast.Call) and not isinstance(places.parents.get(node), ast.Expr):
        spelling = where_spelling(node, places)
    if spelling is None or not isinstance(node, ast.Call) or hazard.selector.op == "masked_select":
        return ()
    value = _given(node, hazard, places, a) or _largest(questions[0], hazard, spelling, a)
    if value is None:
        return ()
    span = places.source.span(node)
    return (
        Edit(Span(span.start, span.start), f"{spelling}({_all_hold(questions)}, "),
        Edit(Span(span.end, span.end), f", {_as_float(value)})"),
    )


def _given(call: ast.Call, hazard: Hazard, places: Places, a: Arithmetic) -> str | None:
    """The constant that is the selector's value at the witness, as it is written; None if it is none, or is not.

    Only a plain number may be written where the call has none: not the largest one of a dtype.
    """
    selector, value = hazard.selector, hazard.proofs[0].value
    constants = {at: arg.value for at, arg in enumerate(selector.args) if isinstance(arg, Constant)}
    equal = [at for at, number in constants.items() if a.round(number) == value]
    if not equal:
        return None
    number, words = constants[equal[0]], {word.arg: word.value for word in call.keywords}
    own = words.get(OPS[selector.op].parameters[equal[0]])
    if isinstance(own, (ast.Name, ast.Attribute)):
        return places.text(own)
    given = [*(call.args if places.is_method(call) else call.args[1:]), *words.values()]
    texts = [places.text(node) for node in given if _number(node) == number]
    if texts:
        return texts[0]
    named = [node for node in given if isinstance(node, (ast.Name, ast.Attribute))]
    if len(constants) == len(named) == 1:
        return places.text(named[0])
    plain = not named and abs(number) < _PLAIN and number == float(f"{number:.7g}")
    return f"{number:.7g}" if plain else None


def _largest(question: _Question, hazard: Hazard, spelling: str, a: Arithmetic) -> str | None:
    """The largest number of the dtype, or the lowest one, asked of torch: another dtype has another one."""
    value, argument = hazard.proofs[0].value, question.bad.node
    if abs(value) != a.largest or not spelling.endswith(".where") or question.binding:
        return None
    if not isinstance(argument, ast.Name):
        return None
    return f"{spelling.removesuffix('.where')}.finfo({argument.id}.dtype).{'max' if value > 0.0 else 'min'}"


def _number(node: ast.expr) -> float | None:
    """The number that a literal is, with its sign; None for anything else."""
    sign = 1.0
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1.0
    value = node.value if isinstance(node, ast.Constant) else None
    return sign * value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _as_float(text: str) -> str:
    return f"{text}.0" if text.lstrip("-").isdigit() else text
