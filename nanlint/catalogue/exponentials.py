"""Logarithms and exponentials, and what is made of both: sigmoid, softplus, x log y, log(e^x + e^y)."""

from __future__ import annotations

import math
from functools import partial

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import Backward, Op, everywhere, pure
from nanlint.catalogue.pieces import Piece, Scalar, image_of
from nanlint.catalogue.rounding import attained, product
from nanlint.catalogue.rows import RISING, fused, fused_backward, of, row, unary
from nanlint.catalogue.special_functions import entropy, log_odds
from nanlint.regions import Region

_LN2 = math.log(2.0)
_LN10 = 2.3025850929940456
_INVERSE_E = math.exp(-1.0)
_NEGATIVE = R.below(0.0)
_LOG = (Piece(0.0, math.inf, True),)
_LOG1P = (Piece(-1.0, math.inf, True),)


# --- sigmoids, each one kernel -------------------------------------------------------------------------------------


def sigmoid(w: Arithmetic, x: float) -> float:
    """1 / (1 + exp(-x)), 0 where the exponential overflows."""
    return w.div(1.0, w.add(1.0, w.of(A.exponential, -x)))


def softplus(w: Arithmetic, x: float) -> float:
    """log(1 + exp(x)), the identity over torch's threshold of 20."""
    return x if x > 20.0 else w.of(math.log1p, w.of(A.exponential, x)) if x == x else x


def _softplus_backward(w: Arithmetic, g: float, y: float, x: float) -> float:
    z = w.of(A.exponential, x)
    return g if x > 20.0 else w.div(w.mul(g, z), w.add(z, 1.0))


def _log_sigmoid(w: Arithmetic, x: float) -> float:
    return w.sub(min(x, 0.0), w.of(math.log1p, w.of(A.exponential, -abs(x)))) if x == x else x


def _log_sigmoid_backward(w: Arithmetic, g: float, y: float, x: float) -> float:
    z = w.of(A.exponential, -abs(x))
    share = w.div(z, w.add(1.0, z))
    return w.mul(g, w.sub(1.0, share) if x < 0.0 else share)


def _logit_backward(w: Arithmetic, g: float, y: float, x: float) -> float:
    if not 0.0 <= x <= 1.0:
        return A.NAN
    if x in (0.0, 1.0):
        return w.mul(g, A.INF)
    return w.div(g, w.mul(x, w.sub(1.0, x)))


# --- x * log(y) ----------------------------------------------------------------------------------------------------


def _xlogy(w: Arithmetic, x: float, y: float) -> float:
    if y != y:
        return y
    return 0.0 if x == 0.0 else w.mul(x, w.of(A.logarithm, y))


def _xlogy_backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
    first = 0.0 if p == 0.0 and q <= 0.0 else a.round(_xlogy(a.wide, g, q))
    return first, a.div(a.mul(g, p), q)


def _xlogy_image(a: Arithmetic, x: Region, y: Region) -> Region:
    return product(x, image_of(a.wide, partial(a.wide.of, A.logarithm), _LOG, y), a) | x & R.ZERO


def _xlog1py(w: Arithmetic, x: float, y: float) -> float:
    if y != y:
        return y
    return 0.0 if x == 0.0 else w.mul(x, w.of(A.logarithm1p, y))


def _xlog1py_backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
    first = 0.0 if p == 0.0 and q <= -1.0 else a.round(_xlog1py(a.wide, g, q))
    return first, a.div(a.mul(g, p), a.add(q, 1.0))


def _xlog1py_image(a: Arithmetic, x: Region, y: Region) -> Region:
    return product(x, image_of(a.wide, partial(a.wide.of, A.logarithm1p), _LOG1P, y), a) | x & R.ZERO


# --- log(e^x + e^y) ------------------------------------------------------------------------------------------------


def _logaddexp(w: Arithmetic, x: float, y: float) -> float:
    if x != x or y != y:
        return A.NAN
    top = max(x, y)
    if x == y and math.isinf(x):
        return x
    return w.add(top, w.of(math.log1p, w.of(A.exponential, -abs(w.sub(x, y)))))


def _logaddexp2(w: Arithmetic, x: float, y: float) -> float:
    if x != x or y != y:
        return A.NAN
    top = max(x, y)
    if x == y and math.isinf(x):
        return x
    return w.add(top, w.mul(w.of(math.log1p, w.of(A.exponential2, -abs(w.sub(x, y)))), 1.0 / _LN2))


def _shares(exponential: Scalar) -> Backward:
    """Each argument's share of the sum of exponentials."""

    def backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
        first, second = a.of(exponential, a.sub(p, q)), a.of(exponential, a.sub(q, p))
        return a.div(g, a.add(1.0, second)), a.div(g, a.add(1.0, first))

    return backward


def _above_both(a: Arithmetic, x: Region, y: Region) -> Region:
    """From the larger argument up to 1 more."""
    if not x or not y:
        return R.EMPTY
    lo, hi = max(x.lo, y.lo), max(x.hi, y.hi)
    return attained(R.interval(lo, hi if math.isinf(hi) else hi + 1.0 + abs(hi) * a.dtype.eps), a)


ROWS: tuple[Op, ...] = (
    unary(
        "log",
        of(A.logarithm),
        lambda a, g, y, x: (a.div(g, x),),
        _LOG,
        undefined=_NEGATIVE,
        cuts=(0.0,),
        safe=1.0,
        derivative="log: grad.div(self.conj())",
        spellings=everywhere("log"),
    ),
    unary(
        "log2",
        of(lambda x: math.log2(x) if x > 0.0 else A.logarithm(x)),
        lambda a, g, y, x: (a.div(g, a.times(x, _LN2)),),
        _LOG,
        undefined=_NEGATIVE,
        cuts=(0.0,),
        safe=1.0,
        derivative="log2: grad / (self.conj() * 0.6931471805599453)",
        spellings=everywhere("log2"),
    ),
    unary(
        "log10",
        of(lambda x: math.log10(x) if x > 0.0 else A.logarithm(x)),
        lambda a, g, y, x: (a.div(g, a.times(x, _LN10)),),
        _LOG,
        undefined=_NEGATIVE,
        cuts=(0.0,),
        safe=1.0,
        derivative="log10: grad / (self.conj() * 2.3025850929940456)",
        spellings=everywhere("log10"),
    ),
    unary(
        "log1p",
        of(A.logarithm1p),
        lambda a, g, y, x: (a.div(g, a.add(x, 1.0)),),
        _LOG1P,
        undefined=R.below(-1.0),
        cuts=(-1.0,),
        safe=1.0,
        derivative="log1p: log1p_backward(grad, self)",
        spellings=everywhere("log1p", "torch.special.log1p"),
    ),
    unary(
        "exp",
        of(A.exponential),
        lambda a, g, y, x: (a.mul(g, y),),
        RISING,
        safe=0.0,
        derivative="exp: grad * result.conj()",
        spellings=everywhere("exp"),
    ),
    unary(
        "exp2",
        of(A.exponential2),
        lambda a, g, y, x: (a.times(a.mul(g, y), _LN2),),
        RISING,
        safe=0.0,
        derivative="exp2: grad * result.conj() * M_LN2",
        spellings=everywhere("exp2", "torch.special.exp2"),
    ),
    unary(
        "expm1",
        of(A.exponential1),
        lambda a, g, y, x: (a.mul(g, a.add(y, 1.0)),),
        RISING,
        safe=0.0,
        derivative="expm1: grad * (result.conj() + 1)",
        spellings=everywhere("expm1", "torch.special.expm1"),
    ),
    unary(
        "sigmoid",
        fused(sigmoid),
        fused_backward(lambda w, g, y, x: w.mul(w.mul(g, w.sub(1.0, y)), y)),
        RISING,
        derivative="sigmoid: sigmoid_backward(grad, result)",
        spellings=everywhere("sigmoid", "torch.nn.functional.sigmoid", "torch.special.expit"),
    ),
    unary(
        "softplus",
        fused(softplus),
        fused_backward(_softplus_backward),
        ((-math.inf, 20.0, True), (math.nextafter(20.0, 21.0), math.inf, True)),
        cuts=(20.0,),
        derivative="softplus: softplus_backward(grad, self, beta, threshold)",
        spellings=("torch.nn.functional.softplus",),
        further={"beta": 1, "threshold": 20},
    ),
    unary(
        "logsigmoid",
        fused(_log_sigmoid),
        fused_backward(_log_sigmoid_backward),
        RISING,
        wobble=4.0,
        derivative="log_sigmoid_forward: log_sigmoid_backward(grad, self, buffer)",
        spellings=("torch.nn.functional.logsigmoid",),
    ),
    unary(
        "logit",
        of(log_odds),
        fused_backward(_logit_backward),
        ((0.0, 1.0, True),),
        undefined=_NEGATIVE | R.above(1.0),
        cuts=(0.0, 1.0),
        safe=0.5,
        derivative="logit: logit_backward(grad, self, eps)",
        spellings=everywhere("logit", "torch.special.logit"),
        further={"eps": None},
    ),
    unary(
        "entr",
        of(entropy),
        lambda a, g, y, x: (a.mul(g, -a.add(1.0, a.of(A.logarithm, x))),),
        ((-math.inf, -5e-324, True), (0.0, _INVERSE_E, True), (_INVERSE_E, math.inf, False)),
        wobble=4.0,
        cuts=(0.0,),
        safe=1.0,
        derivative="special_entr: grad * (-(1 + self.log()))",
        spellings=("torch.special.entr",),
    ),
    row(
        "xlogy",
        fused(_xlogy),
        _xlogy_backward,
        _xlogy_image,
        undefined=lambda x, y: bool(y & _NEGATIVE) or (bool(x & R.INFINITIES) and 1.0 in y),
        poison=lambda a, x, y: (R.EMPTY, R.ZERO),
        safe=(None, 1.0),
        derivative="xlogy.Tensor: at::xlogy(grad, other).masked_fill((self == 0.) & (other <= 0.), 0.), "
        "grad * self / other",
        spellings=everywhere("xlogy", "torch.special.xlogy"),
        landmarks=(0.0,),
    ),
    row(
        "xlog1py",
        fused(_xlog1py),
        _xlog1py_backward,
        _xlog1py_image,
        undefined=lambda x, y: bool(y & R.below(-1.0)) or (bool(x & R.INFINITIES) and 0.0 in y),
        poison=lambda a, x, y: (R.EMPTY, R.point(-1.0)),
        safe=(None, 1.0),
        derivative="special_xlog1py: at::special_xlog1py(grad, other).masked_fill((self == 0.) & (other <= -1.), 0.), "
        "grad * self / (other + 1)",
        spellings=("torch.special.xlog1py",),
        landmarks=(-1.0,),
    ),
    row(
        "logaddexp",
        fused(_logaddexp),
        _shares(A.exponential),
        _above_both,
        derivative="logaddexp: grad / (1 + exp(other - self)).conj(), grad / (1 + exp(self - other)).conj()",
        spellings=pure("logaddexp"),
    ),
    row(
        "logaddexp2",
        fused(_logaddexp2),
        _shares(A.exponential2),
        _above_both,
        derivative="logaddexp2: grad / (1 + pow(2, other - self)), grad / (1 + pow(2, self - other))",
        spellings=pure("logaddexp2"),
    ),
)
