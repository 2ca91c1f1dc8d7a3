"""Determinants and inverses, of matrices of which every part is known, eigenvectors, and the CTC loss."""

from __future__ import annotations

from nanlint import regions as R
from nanlint.catalogue import SELECTORS
from nanlint.graph import ANOTHER, MOST_VALUES, Apply, Kind, Value, closure
from nanlint.lower.call import Call
from nanlint.lower.handlers.handler import Handler
from nanlint.lower.things import Items, Method, Symbol, Thing
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


def _eigenvectors(names: tuple[str, ...]) -> Handler:
    """`eigh` and `svd`: vectors, which are poisoned where two values are equal, and the values themselves."""

    def handler(calls: Values, call: Call) -> Thing | None:
        matrix = call.argument(0, "input", "A", "self")
        if not _is_of_torch(call) or not isinstance(matrix, Value) or not call.frame.grad:
            return None
        if not matrix.grad or _is_changed(matrix):
            return None
        values, gap = _spectrum(calls, call, matrix)
        parts = [values if name in _SPECTRA else _vectors(calls, call, name, matrix, gap) for name in names]
        return Items(tuple(parts), names)

    return handler


_SPECTRA = frozenset({"eigenvalues", "S"})
_OF_TORCH = ("torch.svd", "torch.linalg.svd", "torch.linalg.eigh")


def _is_of_torch(call: Call) -> bool:
    called = call.called
    if isinstance(called, Method):
        return isinstance(called.receiver, Value)
    return isinstance(called, Symbol) and called.name in _OF_TORCH


def _is_changed(matrix: Value) -> bool:
    """Whether a matrix was chosen, or had something added that nobody trains: maybe so that its values differ."""
    return any(
        isinstance(part, Apply)
        and part.grad
        and (part.op in SELECTORS or (part.op in ("add", "sub") and not all(arg.grad for arg in part.args)))
        for part in closure((matrix,), MOST_VALUES)
    )


def _spectrum(calls: Values, call: Call, matrix: Value) -> tuple[Value, Value]:
    """The eigenvalues or singular values of a matrix, and how far one of them is from another one."""
    key = (call.name, "values", matrix.number)
    name = "eigenvalue" if call.name == "eigh" else "singular value"
    leaf = calls.opaque(name, matrix, kind=Kind.TENSOR, node=call.node, key=key)
    values = calls.builder.apply("identity", leaf, node=call.node)  # of which the extremes are two
    return values, calls.builder.apply("sub", values, calls.element(values, ANOTHER), node=call.node)


def _vectors(calls: Values, call: Call, name: str, matrix: Value, gap: Value) -> Value:
    key = (call.name, name, matrix.number)
    vector = calls.result(call, matrix, region=R.interval(-1.0, 1.0), kind=Kind.TENSOR, key=key)
    return calls.apply("eigenvector", (vector, gap), call.node, call.frame)


HANDLERS: dict[str, Handler] = {
    "det": _determinant("det"),
    "logdet": _determinant("logdet"),
    "slogdet": _sign_and_log,
    "inv_ex": _inverse,
    "ctc_loss": _ctc_loss,
    "eigh": _eigenvectors(("eigenvalues", "eigenvectors")),
    "svd": _eigenvectors(("U", "S", "Vh")),
}
