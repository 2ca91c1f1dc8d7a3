"""Questions asked of the argument, not of the result: `where(isfinite(1 / x), 1 / x, 0)` asks for `x != 0` instead.

Whether the result is finite is known before the op: it is where the argument is not poisoned.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nanlint.arithmetic import Arithmetic
from nanlint.catalogue import OPS
from nanlint.finding import Edit, Span
from nanlint.fixes.double_where import guarded, inserted, where_spelling
from nanlint.fixes.guards import Guard, condition_of, keeps_where_true
from nanlint.fixes.own_region import Poisoned, conditions, poisoned, site_sets
from nanlint.fixes.places import Places
from nanlint.fixes.shapes import each_element
from nanlint.graph import Constant
from nanlint.hazards import Hazard

_MOST_ARGUMENTS = 2
_CALLED = {"div": "denominator", "sqrt": "radicand", "rsqrt": "radicand", "pow": "base"}
"""What the argument of an op is called where it has to be given a name."""


@dataclass(frozen=True)
class _Question:
    """A condition that holds where an argument is not poisoned, and what has to be written to ask it."""

    bad: Poisoned
    text: str
    binding: tuple[Edit, ...]


def asked(hazard: Hazard, places: Places, a: Arithmetic) -> Iterator[tuple[tuple[Edit, ...], bool]]:
    """Edits that guard each poisoned argument by its own values, the least intrusive first.

    With each, whether it says by itself what the selector gives for the rest, so that a change there is in sight.

    Alone, where the guarded op gives what the selector puts in place of the rest; with the selector's condition
    replaced; with a where around the selector.
    """
    if hazard.selector.node is None or not each_element(hazard):
        return
    for sites in site_sets(hazard):
        bad = poisoned(hazard, sites, a)
        if 0 < len(bad) <= _MOST_ARGUMENTS:
            yield from _guarding(bad, hazard, places)


def _guarding(
    bad: Sequence[Poisoned], hazard: Hazard, places: Places
) -> Iterator[tuple[tuple[Edit, ...], bool]]:
    choices = [list(_questions(each, places)) for each in bad]
    for questions in itertools.islice(itertools.product(*choices), 4):
        wraps = _wraps(questions, hazard, places)
        yield wraps, False
        replaced = _condition_replaced(questions, hazard, places)
        if replaced is not None:
            yield (*wraps, replaced), False
        around = _where_around(questions, hazard, places)
        if around:
            yield (*wraps, *around), True


def _questions(bad: Poisoned, places: Places) -> Iterator[_Question]:
    """Ways to ask whether an argument is poisoned; a costly argument gets a name first."""
    node = bad.node
    if isinstance(node, (ast.Name, ast.Attribute)):
        for condition in conditions(bad, places.text(node)):
            yield _Question(bad, condition, ())
        return
    statement = places.statement(node)
    at = places.line_start(statement) if statement is not None else None
    if at is None or not isinstance(statement, (ast.Assign, ast.AugAssign, ast.Return, ast.Expr)):
        return
    name = places.fresh(_CALLED.get(bad.site.op, "argument"))
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
        wrap = guarded(question.bad.node, Guard(question.text, True, frozenset()), safe, selector, places)
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


def _where_around(questions: Sequence[_Question], hazard: Hazard, places: Places) -> tuple[Edit, ...]:
    """A where around the selector that gives its value at the witness, if the selector is an expression."""
    node, spelling = hazard.selector.node, None
    if isinstance(node, ast.Call):
        spelling = where_spelling(node, places)
    if spelling is None or not isinstance(node, ast.Call) or hazard.selector.op == "masked_select":
        return ()
    span = places.source.span(node)
    value = _given(node, hazard) or f"{hazard.proofs[0].value:.7g}"
    return (
        Edit(Span(span.start, span.start), f"{spelling}({_all_hold(questions)}, "),
        Edit(Span(span.end, span.end), f", {_as_float(value)})"),
    )


def _given(call: ast.Call, hazard: Hazard) -> str:
    """The bound of a clamp by its name, if it is the value that the selector has at the witness."""
    bounds = [arg for arg in hazard.selector.args if isinstance(arg, Constant)]
    names = [word.value.id for word in call.keywords if isinstance(word.value, ast.Name)]
    is_bound = len(bounds) == 1 and bounds[0].value == hazard.proofs[0].value
    return names[0] if is_bound and len(names) == 1 else ""


def _as_float(text: str) -> str:
    return f"{text}.0" if text.lstrip("-").isdigit() else text
