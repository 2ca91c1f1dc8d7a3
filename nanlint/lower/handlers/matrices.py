"""Determinants and inverses, of matrices of which every part is known, and the CTC loss."""

from __future__ import annotations

from nanlint import regions as R
from nanlint.graph import Value
from nanlint.lower.call import Call
from nanlint.lower.handlers.handler import Handler
from nanlint.lower.things import Items, Thing
from nanlint.lower.values import Values


def _determinant(op: str) -> Handler:
    """`det` and `logdet`."""

    def handler(calls: Values, call: Call) -> Thing | None:
        matrix = _matrix(calls, call)
        return None if matrix is None else calls.apply(op, (matrix,), call.node, call.frame)

    return handler


def _sign_and_log(calls: Values, call: Call) -> Thing | None:
    """`slogdet`: the sign is not differentiated."""
    matrix = _matrix(calls, call)
    if matrix is None:
        return None
    sign = calls.detached(calls.apply("sign", (matrix,), call.node, call.frame))
    return Items((sign, calls.apply("logabsdet", (matrix,), call.node, call.frame)), ("sign", "logabsdet"))


def _inverse(calls: Values, call: Call) -> Thing | None:
    """`inv_ex` does not raise at a singular matrix, as `inv` does, unless it is told to."""
    matrix = _matrix(calls, call)
    if matrix is None or len(call.things) > 1:
        return None
    made = calls.apply("inverse", (matrix,), call.node, call.frame)
    info = calls.apply("eq", (matrix, calls.builder.constant(0.0)), call.node, call.frame)
    return Items((made, info), ("inverse", "info"))


def _matrix(calls: Values, call: Call) -> Value | None:
    """The operand as an element of the diagonal; None if anything that it is made of is unknown."""
    matrix = call.argument(0, "input", "A", "self")
    return calls.on_diagonal(matrix) if isinstance(matrix, Value) else None


def _ctc_loss(calls: Values, call: Call) -> Thing | None:
    """The loss of a target longer than its input is infinite, unless infinities are made zeros."""
    log_probs = call.argument(0, "log_probs")
    lengths = call.argument(3, "target_lengths"), call.argument(2, "input_lengths")
    has_default = call.argument(6, "zero_infinity") is None
    if not isinstance(log_probs, Value) or None in lengths or not has_default:
        return None
    surplus = calls.builder.leaf("targets beyond the input", R.FINITE, grad=False, key=("surplus", call.node))
    return calls.apply("ctc_loss", (log_probs, surplus), call.node, call.frame)


HANDLERS: dict[str, Handler] = {
    "det": _determinant("det"),
    "logdet": _determinant("logdet"),
    "slogdet": _sign_and_log,
    "inv_ex": _inverse,
    "ctc_loss": _ctc_loss,
}
