"""Unary ops: roots, logarithms, exponentials, trigonometry and what else works on one element."""

from __future__ import annotations

import math
from math import inf

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import Op, spelled, unary

_RISING = ((-inf, inf, True),)
_VALLEY = ((-inf, 0.0, False), (0.0, inf, True))
_OUTSIDE_UNIT = R.below(-1.0) | R.above(1.0)


def _sign(x: float) -> float:
    return math.copysign(1.0, x) if x else 0.0


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + A.exponential(-x)) if x >= 0 else A.exponential(x) / (1.0 + A.exponential(x))


def _softplus(x: float) -> float:
    return x if x > 20.0 else math.log1p(A.exponential(x))


def _log_sigmoid(x: float) -> float:
    return -(math.log1p(A.exponential(-abs(x))) - min(x, 0.0))


def _inner_root(a: Arithmetic, x: float, sign: float) -> float:
    """`rsqrt(1 + sign * x ** 2)`, the derivative that the inverse trigonometric functions share."""
    return a.div(1.0, a.of(A.root, a.add(a.mul(sign * x, x), 1.0)))


def _chain(g: float, slope: float) -> tuple[float, ...]:
    return (g * slope,)


ROWS: tuple[Op, ...] = (
    unary(
        "identity",
        lambda x: x,
        lambda a, g, y, x: (g,),
        _RISING,
        derivative="alias: grad",
        spellings=(),
    ),
    unary(
        "sqrt",
        A.root,
        lambda a, g, y, x: (a.div(g, a.mul(2.0, y)),),
        ((0.0, inf, True),),
        undefined=R.below(0.0),
        cuts=(0.0,),
        safe=1.0,
        derivative="sqrt: grad / (2 * result)",
    ),
    unary(
        "rsqrt",
        lambda x: A.divide(1.0, A.root(x)),
        lambda a, g, y, x: (a.mul(a.mul(-0.5, g), a.pow(y, 3.0)),),
        ((0.0, inf, False),),
        undefined=R.below(0.0),
        cuts=(0.0,),
        safe=1.0,
        derivative="rsqrt: -0.5 * grad * result.pow(3)",
    ),
    unary(
        "reciprocal",
        lambda x: A.divide(1.0, x),
        lambda a, g, y, x: (a.mul(-g, a.mul(y, y)),),
        ((-inf, -0.0, False), (0.0, inf, False)),
        cuts=(0.0,),
        safe=1.0,
        derivative="reciprocal: -grad * (result * result)",
    ),
    unary(
        "log",
        A.logarithm,
        lambda a, g, y, x: (a.div(g, x),),
        ((0.0, inf, True),),
        undefined=R.below(0.0),
        cuts=(0.0,),
        safe=1.0,
        derivative="log: grad.div(self)",
    ),
    unary(
        "log2",
        lambda x: math.log2(x) if x > 0.0 else A.logarithm(x),
        lambda a, g, y, x: (a.div(g, a.mul(x, 0.6931471805599453)),),
        ((0.0, inf, True),),
        undefined=R.below(0.0),
        cuts=(0.0,),
        safe=1.0,
        derivative="log2: grad / (self * 0.6931471805599453)",
    ),
    unary(
        "log10",
        lambda x: math.log10(x) if x > 0.0 else A.logarithm(x),
        lambda a, g, y, x: (a.div(g, a.mul(x, 2.3025850929940456)),),
        ((0.0, inf, True),),
        undefined=R.below(0.0),
        cuts=(0.0,),
        safe=1.0,
        derivative="log10: grad / (self * 2.3025850929940456)",
    ),
    unary(
        "log1p",
        A.logarithm1p,
        lambda a, g, y, x: (a.div(g, a.add(x, 1.0)),),
        ((-1.0, inf, True),),
        undefined=R.below(-1.0),
        cuts=(-1.0,),
        safe=1.0,
        derivative="log1p: grad / (self + 1)",
        spellings=spelled("log1p", "torch.special.log1p"),
    ),
    unary(
        "exp",
        A.exponential,
        lambda a, g, y, x: (a.mul(g, y),),
        _RISING,
        safe=0.0,
        derivative="exp: grad * result",
    ),
    unary(
        "exp2",
        A.exponential2,
        lambda a, g, y, x: (a.mul(a.mul(g, y), math.log(2.0)),),
        _RISING,
        safe=0.0,
        derivative="exp2: grad * result * M_LN2",
        spellings=spelled("exp2", "torch.special.exp2"),
    ),
    unary(
        "expm1",
        A.exponential1,
        lambda a, g, y, x: (a.mul(g, a.add(y, 1.0)),),
        _RISING,
        safe=0.0,
        derivative="expm1: grad * (result + 1)",
        spellings=spelled("expm1", "torch.special.expm1"),
    ),
    unary(
        "sinh",
        A.hyperbolic_sine,
        lambda a, g, y, x: (a.mul(g, a.of(A.hyperbolic_cosine, x)),),
        _RISING,
        safe=0.0,
        derivative="sinh: grad * self.cosh()",
    ),
    unary(
        "cosh",
        A.hyperbolic_cosine,
        lambda a, g, y, x: (a.mul(g, a.of(A.hyperbolic_sine, x)),),
        _VALLEY,
        safe=0.0,
        derivative="cosh: grad * self.sinh()",
    ),
    unary(
        "tanh",
        math.tanh,
        lambda a, g, y, x: (a.mul(g, a.sub(1.0, a.mul(y, y))),),
        _RISING,
        derivative="tanh: tanh_backward(grad, result)",
        spellings=spelled("tanh", "torch.nn.functional.tanh"),
    ),
    unary(
        "sigmoid",
        _sigmoid,
        lambda a, g, y, x: (a.mul(a.mul(g, a.sub(1.0, y)), y),),
        _RISING,
        derivative="sigmoid: sigmoid_backward(grad, result)",
        spellings=spelled("sigmoid", "torch.nn.functional.sigmoid", "torch.special.expit"),
    ),
    unary(
        "softplus",
        _softplus,
        lambda a, g, y, x: (a.mul(g, _sigmoid(x)),),
        _RISING,
        derivative="softplus: softplus_backward(grad, self, beta, threshold)",
        spellings=("torch.nn.functional.softplus",),
    ),
    unary(
        "logsigmoid",
        _log_sigmoid,
        lambda a, g, y, x: (a.mul(g, _sigmoid(-x)),),
        _RISING,
        derivative="log_sigmoid_forward: log_sigmoid_backward(grad, self, buffer)",
        spellings=("torch.nn.functional.logsigmoid",),
    ),
    unary(
        "sin",
        A.total(math.sin),
        lambda a, g, y, x: (a.mul(g, a.of(A.total(math.cos), x)),),
        bounds=R.interval(-1.0, 1.0),
        derivative="sin: grad * self.cos()",
    ),
    unary(
        "cos",
        A.total(math.cos),
        lambda a, g, y, x: (a.mul(g, -a.of(A.total(math.sin), x)),),
        bounds=R.interval(-1.0, 1.0),
        derivative="cos: grad * -self.sin()",
    ),
    unary(
        "tan",
        A.total(math.tan),
        lambda a, g, y, x: (a.mul(g, a.add(1.0, a.mul(y, y))),),
        bounds=R.FINITE,
        derivative="tan: grad * (1 + result.pow(2))",
    ),
    unary(
        "sinc",
        lambda x: 1.0 if x == 0.0 else A.total(math.sin)(math.pi * x) / (math.pi * x),
        lambda a, g, y, x: (a.mul(g, 0.0 if x == 0.0 else _sinc_slope(x)),),
        bounds=R.interval(-0.25, 1.0),
        derivative="sinc: sinc_backward(grad, self)",
        spellings=spelled("sinc", "torch.special.sinc"),
    ),
    unary(
        "asin",
        lambda x: math.asin(x) if abs(x) <= 1.0 else A.NAN,
        lambda a, g, y, x: (a.mul(g, _inner_root(a, x, -1.0)),),
        ((-1.0, 1.0, True),),
        undefined=_OUTSIDE_UNIT,
        cuts=(-1.0, 1.0),
        safe=0.0,
        derivative="asin: grad * (-self * self + 1).rsqrt()",
        spellings=spelled("asin") + spelled("arcsin"),
    ),
    unary(
        "acos",
        lambda x: math.acos(x) if abs(x) <= 1.0 else A.NAN,
        lambda a, g, y, x: (a.mul(g, -_inner_root(a, x, -1.0)),),
        ((-1.0, 1.0, False),),
        undefined=_OUTSIDE_UNIT,
        cuts=(-1.0, 1.0),
        safe=0.0,
        derivative="acos: grad * -((-self * self + 1).rsqrt())",
        spellings=spelled("acos") + spelled("arccos"),
    ),
    unary(
        "atan",
        math.atan,
        lambda a, g, y, x: (a.div(g, a.add(a.mul(x, x), 1.0)),),
        _RISING,
        derivative="atan: grad / (self * self + 1)",
        spellings=spelled("atan") + spelled("arctan"),
    ),
    unary(
        "asinh",
        math.asinh,
        lambda a, g, y, x: (a.mul(g, _inner_root(a, x, 1.0)),),
        _RISING,
        derivative="asinh: grad * (self.pow(2) + 1).rsqrt()",
        spellings=spelled("asinh") + spelled("arcsinh"),
    ),
    unary(
        "acosh",
        lambda x: math.acosh(x) if x >= 1.0 else A.NAN,
        lambda a, g, y, x: (a.mul(g, a.div(1.0, a.of(A.root, a.sub(a.mul(x, x), 1.0)))),),
        ((1.0, inf, True),),
        undefined=R.below(1.0),
        cuts=(-1.0, 1.0),
        safe=2.0,
        derivative="acosh: grad * (self.pow(2) - 1).rsqrt()",
        spellings=spelled("acosh") + spelled("arccosh"),
    ),
    unary(
        "atanh",
        A.inverse_tanh,
        lambda a, g, y, x: (a.mul(g, a.div(1.0, a.sub(1.0, a.mul(x, x)))),),
        ((-1.0, 1.0, True),),
        undefined=_OUTSIDE_UNIT,
        cuts=(-1.0, 1.0),
        safe=0.0,
        derivative="atanh: grad * 1 / (1 - self.pow(2))",
        spellings=spelled("atanh") + spelled("arctanh"),
    ),
    unary(
        "logit",
        lambda x: A.logarithm(A.divide(x, 1.0 - x)) if 0.0 <= x <= 1.0 else A.NAN,
        lambda a, g, y, x: (a.div(g, a.mul(x, a.sub(1.0, x))) if 0.0 < x < 1.0 else A.NAN,),
        ((0.0, 1.0, True),),
        undefined=R.below(0.0) | R.above(1.0),
        cuts=(0.0, 1.0),
        safe=0.5,
        derivative="logit: logit_backward(grad, self, eps)",
        spellings=spelled("logit", "torch.special.logit"),
    ),
    unary(
        "erf",
        math.erf,
        lambda a, g, y, x: (a.mul(a.mul(2.0 / math.sqrt(math.pi), A.exponential(-a.mul(x, x))), g),),
        _RISING,
        derivative="erf: 2.0 / sqrt(M_PI) * exp(-(self.pow(2))) * grad",
        spellings=spelled("erf", "torch.special.erf"),
    ),
    unary(
        "erfc",
        math.erfc,
        lambda a, g, y, x: (a.mul(a.mul(-2.0 / math.sqrt(math.pi), A.exponential(-a.mul(x, x))), g),),
        ((-inf, inf, False),),
        derivative="erfc: -2.0 / sqrt(M_PI) * exp(-(self.pow(2))) * grad",
        spellings=spelled("erfc", "torch.special.erfc"),
    ),
    unary(
        "abs",
        abs,
        lambda a, g, y, x: _chain(g, _sign(x)),
        _VALLEY,
        derivative="abs: grad * self.sgn()",
        spellings=spelled("abs") + spelled("absolute") + ("builtins.abs", "math.fabs"),
    ),
    unary(
        "neg",
        lambda x: -x,
        lambda a, g, y, x: (-g,),
        ((-inf, inf, False),),
        derivative="neg: grad.neg()",
        spellings=spelled("neg") + spelled("negative"),
    ),
    unary(
        "square",
        lambda x: x * x,
        lambda a, g, y, x: (a.mul(g, a.mul(2.0, x)),),
        _VALLEY,
        derivative="square (composite): grad * 2 * self",
    ),
    unary(
        "deg2rad",
        math.radians,
        lambda a, g, y, x: (a.mul(g, math.pi / 180.0),),
        _RISING,
        derivative="deg2rad: deg2rad_backward(grad)",
    ),
    unary(
        "rad2deg",
        math.degrees,
        lambda a, g, y, x: (a.mul(g, 180.0 / math.pi),),
        _RISING,
        derivative="rad2deg: rad2deg_backward(grad)",
    ),
    unary(
        "relu",
        lambda x: max(x, 0.0),
        lambda a, g, y, x: (g if y > 0.0 else 0.0,),
        ((-inf, 0.0, True), (0.0, inf, True)),
        derivative="relu: threshold_backward(grad, result, 0)",
        spellings=spelled("relu", "torch.nn.functional.relu", "torch.nn.functional.relu_"),
    ),
    unary(
        "relu6",
        lambda x: min(max(x, 0.0), 6.0),
        lambda a, g, y, x: (g if 0.0 < x < 6.0 else 0.0,),
        ((-inf, 0.0, True), (0.0, 6.0, True), (6.0, inf, True)),
        derivative="hardtanh: hardtanh_backward(grad, self, 0, 6)",
        spellings=("torch.nn.functional.relu6",),
    ),
    unary(
        "sign",
        _sign,
        lambda a, g, y, x: (0.0,),
        ((-inf, 0.0, True), (0.0, 0.0, True), (0.0, inf, True)),
        derivative="sign: zeros_like(grad)",
        spellings=spelled("sign") + spelled("sgn"),
        differentiable=False,
    ),
    *(
        unary(
            name,
            A.total(function),
            lambda a, g, y, x: (0.0,),
            _RISING,
            derivative=f"{name}: zeros_like(grad)",
            spellings=spelled(name),
            differentiable=False,
        )
        for name, function in (
            ("floor", lambda x: float(math.floor(x)) if math.isfinite(x) else x),
            ("ceil", lambda x: float(math.ceil(x)) if math.isfinite(x) else x),
            ("round", lambda x: float(round(x)) if math.isfinite(x) else x),
            ("trunc", lambda x: float(math.trunc(x)) if math.isfinite(x) else x),
        )
    ),
)


def _sinc_slope(x: float) -> float:
    angle = math.pi * x
    return (angle * math.cos(angle) - math.sin(angle)) / (angle * x)
