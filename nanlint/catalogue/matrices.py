"""Functions of matrices, seen from a matrix of one element, and of sequences, seen from one element of them.

All that torch computes of a matrix of one element is a function of that element. Where this is 0 the matrix is
singular, and what backward does there it does at every singular matrix. An element of a larger matrix cannot be
replaced on its own, so these ops are not repaired. They have no spellings, since only calls with operands that are
fully known are lowered to them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import Op
from nanlint.catalogue.pieces import poison_of
from nanlint.catalogue.rows import RISING, VALLEY, of, row, unary
from nanlint.regions import Region

_BRANCHES = ((-math.inf, -0.0, False), (0.0, math.inf, False))


def _log_gradient(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    """By way of the inverse, which overflows next to 0."""
    return (a.mul(g, a.div(1.0, x)),)


def _logdet_gradient(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    """A negative determinant has nan for its logarithm, by way of a `where` that stops gradients."""
    return _log_gradient(a, 0.0 if x < 0.0 else g, y, x)


def _inverse_gradient(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    return (a.mul(-y, a.mul(g, y)),)


_TOO_MANY = R.above(1.0, closed=True)
"""How many targets there are beyond the steps is a whole number."""


def _ctc(a: Arithmetic, log_probs: float, surplus: float) -> float:
    """Of one step: infinite if there are more targets than steps, else the label's own log probability."""
    if surplus >= 1.0:
        return math.inf
    return -log_probs if log_probs < math.inf else A.NAN


def _ctc_gradient(a: Arithmetic, g: float, y: float, log_probs: float, surplus: float) -> tuple[float, ...]:
    """The probability of the label less its posterior one, which there is none of if the loss is infinite.

    The posterior is the product of the probabilities of what leads to the label and of what follows, each of them with
    the label's own, by the one of all.
    """
    both = a.add(log_probs, log_probs)
    posterior = a.of(A.exponential, a.sub(a.add(both, y), log_probs)) if math.isfinite(y) else A.NAN
    return a.mul(g, a.sub(a.of(A.exponential, log_probs), posterior)), 0.0


def _ctc_image(a: Arithmetic, log_probs: Region, surplus: Region) -> Region:
    possible = R.neg(log_probs) if surplus & R.below(1.0) else R.EMPTY
    return possible | R.point(math.inf) if surplus & _TOO_MANY and log_probs else possible


def _ctc_poison(a: Arithmetic, log_probs: Region, surplus: Region) -> tuple[Region, ...]:
    overflows = poison_of(
        a, lambda b, x: _ctc(b, x, 0.0), lambda b, g, y, x: _ctc_gradient(b, g, y, x, 0.0)[:1], ()
    )
    return overflows, _TOO_MANY & R.FINITE


def _eigenvector_gradient(a: Arithmetic, g: float, y: float, vector: float, gap: float) -> tuple[float, ...]:
    """What comes of one vector is divided by how far its eigenvalue is from another one, though it be 0."""
    turned = a.mul(g, vector)
    return g, a.mul(turned, 0.0) if abs(gap) > 0.0 else A.NAN


def _eigenvector_poison(a: Arithmetic, vector: Region, gap: Region) -> tuple[Region, ...]:
    return R.EMPTY, R.ZERO


ROWS: tuple[Op, ...] = tuple(
    replace(made, is_replaceable=False)
    for made in (
        unary(
            "det",
            of(lambda x: x),
            lambda a, g, y, x: (g,),
            RISING,
            derivative="_linalg_det: linalg_det_backward(grad, result, self, LU, pivots)",
            spellings=(),
        ),
        unary(
            "logdet",
            of(A.logarithm),
            _logdet_gradient,
            ((0.0, math.inf, True),),
            undefined=R.below(0.0),
            cuts=(0.0,),
            safe=1.0,
            derivative="logdet (composite): slogdet and where",
            spellings=(),
        ),
        unary(
            "logabsdet",
            of(lambda x: A.logarithm(abs(x))),
            _log_gradient,
            VALLEY,
            cuts=(0.0,),
            safe=1.0,
            derivative="_linalg_slogdet: slogdet_backward(grad_sign, grad_logabsdet, self, sign, LU, pivots)",
            spellings=(),
        ),
        unary(
            "inverse",
            of(partial(A.divide, 1.0)),
            _inverse_gradient,
            _BRANCHES,
            cuts=(0.0,),
            safe=1.0,
            derivative="linalg_inv_ex: -at::matmul(inverse.mH(), at::matmul(grad, inverse.mH()))",
            spellings=(),
        ),
        row(
            "eigenvector",
            lambda a, vector, gap: vector,
            _eigenvector_gradient,
            lambda a, vector, gap: vector,
            lambda a, out, vector, gap: (vector & out, gap),
            parameters=("vector", "gap"),
            poison=_eigenvector_poison,
            safe=(None, 1.0),
            derivative="_linalg_eigh: linalg_eig_backward(grads[0], grads[1], eigenvalues, eigenvectors, true, ...)",
            spellings=(),
        ),
        row(
            "ctc_loss",
            _ctc,
            _ctc_gradient,
            _ctc_image,
            parameters=("log_probs", "surplus"),
            undefined=lambda log_probs, surplus: math.inf in log_probs,
            poison=_ctc_poison,
            safe=(None, 0.0),
            derivative="_ctc_loss: _ctc_loss_backward(grad, log_probs, targets, ..., zero_infinity)",
            spellings=(),
        ),
    )
)
