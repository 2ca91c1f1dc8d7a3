"""Softmax of scores that may be minus infinity: where all of a row are, it is nan, and so is what is made of that."""

from __future__ import annotations

from nanlint import regions as R
from nanlint.catalogue.emptied import LEFT
from nanlint.catalogue.structure import OPAQUE
from nanlint.graph import Kind, Value, closure
from nanlint.leftovers import is_given_infinity
from nanlint.lower.call import Call
from nanlint.lower.handlers.handler import Handler
from nanlint.lower.things import Thing
from nanlint.lower.values import MOST_BELOW, Values


def _softmax(name: str) -> Handler:
    """The weights of a row, or their logarithms; None where no score is an infinity that the code itself puts there."""

    def handler(calls: Values, call: Call) -> Thing | None:
        scores = call.first
        if not isinstance(scores, Value) or not _may_be_emptied(scores):
            return None
        weight = calls.result(call, scores, region=OPAQUE[name], grad=call.grad, kind=Kind.TENSOR)
        emptied = calls.apply("softmax", (scores, weight), call.node, call.frame)
        row = calls.builder.leaf("row", R.TRUTH, grad=False, kind=Kind.NUMBER)
        return calls.choose(row, calls.apply(LEFT[name], (scores, weight), call.node, call.frame), emptied)

    return handler


def _may_be_emptied(scores: Value) -> bool:
    """Whether some scores may be minus infinity: by a number in the code, or as what the code asks about."""
    return any(map(is_given_infinity, closure((scores,), MOST_BELOW)))


def _dropout(calls: Values, call: Call) -> Thing | None:
    """What is kept of a nan is nan."""
    first = call.first
    return first if isinstance(first, Value) and calls.may_be_of_nothing(first) else None


HANDLERS: dict[str, Handler] = {
    "softmax": _softmax("softmax"),
    "log_softmax": _softmax("log_softmax"),
    "dropout": _dropout,
}
