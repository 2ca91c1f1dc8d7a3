"""Activation functions of `torch.nn.functional`."""

from __future__ import annotations

import math

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.catalogue.domains import ANY, Op, everywhere
from nanlint.catalogue.exponentials import sigmoid
from nanlint.catalogue.rounding import product
from nanlint.catalogue.rows import RISING, fused, fused_backward, row, unary
from nanlint.regions import Region

_ROOT_HALF = math.sqrt(0.5)
_SIXTH = ARITHMETIC["float32"].round(1.0 / 6.0)
"""The slope of hardsigmoid: float32's in float64 too."""
_NO_SCALE = R.interval(-1e-37, 1e-37)
"""Values of which the inverse overflows in some dtype."""
_FUNCTIONAL = "torch.nn.functional."
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def _functional(name: str) -> tuple[str, ...]:
    return (_FUNCTIONAL + name,)


def _in_place(name: str) -> tuple[str, ...]:
    return (_FUNCTIONAL + name, _FUNCTIONAL + name + "_")


# --- exponential below zero ----------------------------------------------------------------------------------------


def _elu(w: Arithmetic, x: float, alpha: float, scale: float, input_scale: float) -> float:
    if not x <= 0.0:
        return w.mul(x, scale)
    return w.mul(w.of(A.exponential1, w.mul(x, input_scale)), w.mul(alpha, scale))


def _elu_slope(w: Arithmetic, x: float, alpha: float, scale: float, input_scale: float) -> float:
    if not x <= 0.0:
        return scale
    return w.mul(w.mul(input_scale, w.mul(alpha, scale)), w.of(A.exponential, w.mul(x, input_scale)))


def _elu_image(a: Arithmetic, x: Region, alpha: Region) -> Region:
    """Down to -alpha where that is positive."""
    if not alpha <= R.NONNEGATIVE:
        return R.ALL
    return x & R.NONNEGATIVE | (R.interval(-alpha.hi, 0.0) if x & R.below(0.0) else R.EMPTY)


def _elu_backward(a: Arithmetic, g: float, y: float, x: float, alpha: float) -> tuple[float, ...]:
    return a.round(a.wide.mul(g, _elu_slope(a.wide, x, alpha, 1.0, 1.0))), 0.0


def _celu_backward(a: Arithmetic, g: float, y: float, x: float, alpha: float) -> tuple[float, ...]:
    return a.round(a.wide.mul(g, _elu_slope(a.wide, x, alpha, 1.0, a.wide.div(1.0, alpha)))), 0.0


def _infinite_scale(x: Region, scale: Region) -> bool:
    return bool(scale & R.INFINITIES)


def _scaled_undefined(x: Region, scale: Region) -> bool:
    return (-math.inf in x and 0.0 in scale) or _infinite_scale(x, scale)


def _leaky(w: Arithmetic, x: float, slope: float) -> float:
    return x if not x <= 0.0 else w.mul(x, slope)


def _leaky_backward(a: Arithmetic, g: float, y: float, x: float, slope: float) -> tuple[float, ...]:
    return (g if x > 0.0 else a.round(a.wide.mul(g, slope))), 0.0


def _leaky_image(a: Arithmetic, x: Region, slope: Region) -> Region:
    return x & R.NONNEGATIVE | product(x & R.below(0.0), slope, a)


def _prelu_backward(a: Arithmetic, g: float, y: float, x: float, weight: float) -> tuple[float, ...]:
    if x > 0.0:
        return g, 0.0
    return a.mul(weight, g), a.mul(x, g)


# --- smooth ones ---------------------------------------------------------------------------------------------------


def _silu(w: Arithmetic, x: float) -> float:
    return w.div(x, w.add(1.0, w.of(A.exponential, -x)))


def _silu_backward(w: Arithmetic, g: float, y: float, x: float) -> float:
    share = sigmoid(w, x)
    return w.mul(w.mul(g, share), w.add(1.0, w.mul(x, w.sub(1.0, share))))


def _normal(w: Arithmetic, x: float) -> float:
    """The normal distribution function, with no digit left far below 0."""
    return w.mul(0.5, w.add(1.0, w.of(math.erf, w.mul(x, _ROOT_HALF))))


def _gelu(w: Arithmetic, x: float) -> float:
    return w.mul(x, _normal(w, x))


def _gelu_backward(w: Arithmetic, g: float, y: float, x: float) -> float:
    density = w.mul(w.of(A.exponential, w.mul(w.mul(-0.5, x), x)), 1.0 / math.sqrt(2.0 * math.pi))
    return w.mul(g, w.add(_normal(w, x), w.mul(x, density)))


def _mish(w: Arithmetic, x: float) -> float:
    return w.mul(x, w.of(math.tanh, w.of(math.log1p, w.of(A.exponential, x))))


def _mish_backward(w: Arithmetic, g: float, y: float, x: float) -> float:
    share, bent = sigmoid(w, x), w.of(math.tanh, w.of(math.log1p, w.of(A.exponential, x)))
    return w.mul(g, w.add(bent, w.mul(w.mul(x, share), w.sub(1.0, w.mul(bent, bent)))))


def _softsign_backward(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    """By way of `x / (abs(x) + 1)`."""
    below = a.add(abs(x), 1.0)
    through_abs = a.mul(a.mul(-g, a.div(a.div(x, below), below)), math.copysign(1.0, x) if x else 0.0)
    return (a.add(a.div(g, below), through_abs),)


def _tanhshrink_backward(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    bent = a.of(math.tanh, x)
    return (a.sub(g, a.round(a.wide.mul(g, (1.0 - bent) * (1.0 + bent)))),)


# --- piecewise linear ones -----------------------------------------------------------------------------------------


def _cap(x: float) -> float:
    return x if x != x else min(max(x, 0.0), 6.0)


def _hardsigmoid(w: Arithmetic, x: float) -> float:
    return w.mul(_cap(w.add(x, 3.0)), 1.0 / 6.0)


def _hardswish(w: Arithmetic, x: float) -> float:
    return w.mul(w.mul(x, _cap(w.add(x, 3.0))), 1.0 / 6.0)


def _hardswish_slope(w: Arithmetic, x: float) -> float:
    return w.add(w.mul(x, 1.0 / 3.0), 0.5) if x < 3.0 else 1.0


ROWS: tuple[Op, ...] = (
    unary(
        "relu",
        lambda a, x: x if x != x else max(x, 0.0),
        lambda a, g, y, x: (0.0 if y <= 0.0 else g,),
        ((-math.inf, 0.0, True), (0.0, math.inf, True)),
        derivative="relu: threshold_backward(grad, result, 0)",
        spellings=everywhere("relu", *_in_place("relu")),
        further={"inplace": ANY},
    ),
    unary(
        "relu6",
        lambda a, x: _cap(x),
        lambda a, g, y, x: (0.0 if x <= 0.0 or x >= 6.0 else g,),
        ((-math.inf, 0.0, True), (0.0, 6.0, True), (6.0, math.inf, True)),
        derivative="hardtanh: hardtanh_backward(grad, self, 0, 6)",
        spellings=_functional("relu6"),
        further={"inplace": ANY},
    ),
    unary(
        "hardsigmoid",
        fused(_hardsigmoid),
        lambda a, g, y, x: (a.mul(g, _SIXTH) if -3.0 < x < 3.0 else 0.0,),
        ((-math.inf, -3.0, True), (-3.0, 3.0, True), (3.0, math.inf, True)),
        derivative="hardsigmoid: hardsigmoid_backward(grad, self)",
        spellings=_functional("hardsigmoid"),
        further={"inplace": ANY},
    ),
    unary(
        "hardswish",
        fused(_hardswish),
        fused_backward(lambda w, g, y, x: 0.0 if x <= -3.0 else w.mul(g, _hardswish_slope(w, x))),
        ((-1.5, math.inf, True),),
        bounds=R.interval(-0.4, 0.0),
        undefined=R.point(-math.inf),
        wobble=4.0,
        derivative="hardswish: hardswish_backward(grad, self)",
        spellings=_functional("hardswish"),
        further={"inplace": ANY},
    ),
    unary(
        "hardshrink",
        lambda a, x: 0.0 if abs(x) <= 0.5 else x,
        lambda a, g, y, x: (0.0 if abs(x) <= 0.5 else g,),
        ((-math.inf, -0.5, True), (-0.5, 0.5, True), (0.5, math.inf, True)),
        derivative="hardshrink: hardshrink_backward(grad, self, lambd)",
        spellings=("torch.hardshrink", "Tensor.hardshrink", *_functional("hardshrink")),
        further={"lambd": 0.5},
    ),
    unary(
        "softshrink",
        fused(lambda w, x: w.sub(x, 0.5) if x > 0.5 else w.add(x, 0.5) if x < -0.5 else x * 0.0),
        lambda a, g, y, x: (0.0 if abs(x) <= 0.5 else g,),
        ((-math.inf, -0.5, True), (-0.5, 0.5, True), (0.5, math.inf, True)),
        derivative="softshrink: softshrink_backward(grad, self, lambd)",
        spellings=_functional("softshrink"),
        further={"lambd": 0.5},
    ),
    unary(
        "selu",
        fused(lambda w, x: _elu(w, x, _SELU_ALPHA, _SELU_SCALE, 1.0)),
        fused_backward(lambda w, g, y, x: w.mul(g, _elu_slope(w, x, _SELU_ALPHA, _SELU_SCALE, 1.0))),
        RISING,
        derivative="elu: elu_backward(grad, alpha, scale, input_scale, false, self)",
        spellings=("torch.selu", "torch.selu_", *_in_place("selu")),
        further={"inplace": ANY},
    ),
    unary(
        "silu",
        fused(_silu),
        fused_backward(_silu_backward),
        ((-1.2784, math.inf, True),),
        bounds=R.interval(-0.2785, 0.0),
        undefined=R.point(-math.inf),
        wobble=8.0,
        derivative="silu: silu_backward(grad, self)",
        spellings=_functional("silu"),
        further={"inplace": ANY},
    ),
    unary(
        "gelu",
        fused(_gelu),
        fused_backward(_gelu_backward),
        ((-0.7517, math.inf, True),),
        bounds=R.interval(-0.1701, 0.0),
        undefined=R.point(-math.inf),
        wobble=8.0,
        derivative="gelu: gelu_backward(grad, self, approximate)",
        spellings=_functional("gelu"),
        further={"approximate": "none"},
    ),
    unary(
        "mish",
        fused(_mish),
        fused_backward(_mish_backward),
        ((-1.1924, math.inf, True),),
        bounds=R.interval(-0.309, 0.0),
        undefined=R.point(-math.inf),
        wobble=8.0,
        derivative="mish: mish_backward(grad, self)",
        spellings=_functional("mish"),
        further={"inplace": ANY},
    ),
    unary(
        "softsign",
        lambda a, x: a.div(x, a.add(abs(x), 1.0)),
        _softsign_backward,
        bounds=R.interval(-1.0, 1.0),
        undefined=R.INFINITIES,
        derivative="softsign (composite): div and abs",
        spellings=_functional("softsign"),
    ),
    unary(
        "tanhshrink",
        lambda a, x: a.sub(x, a.of(math.tanh, x)),
        _tanhshrink_backward,
        derivative="tanhshrink (composite): sub and tanh",
        spellings=_functional("tanhshrink"),
    ),
    row(
        "elu",
        fused(lambda w, x, alpha: _elu(w, x, alpha, 1.0, 1.0)),
        _elu_backward,
        _elu_image,
        parameters=("input", "alpha"),
        defaults={"alpha": 1.0},
        undefined=_infinite_scale,
        derivative="elu: elu_backward(grad, alpha, scale, input_scale, false, self)",
        spellings=_in_place("elu"),
        further={"inplace": ANY},
    ),
    row(
        "celu",
        fused(lambda w, x, alpha: _elu(w, x, alpha, 1.0, w.div(1.0, alpha))),
        _celu_backward,
        _elu_image,
        parameters=("input", "alpha"),
        defaults={"alpha": 1.0},
        undefined=lambda x, alpha: bool(alpha & _NO_SCALE) or _infinite_scale(x, alpha),
        poison=lambda a, x, alpha: (R.EMPTY, R.below(_NO_SCALE.hi, closed=True)),
        derivative="celu: elu_backward(grad, alpha, 1, 1.0/alpha.toFloat(), false, self)",
        spellings=("torch.celu", "torch.celu_", *_in_place("celu")),
        further={"inplace": ANY},
    ),
    row(
        "leaky_relu",
        fused(_leaky),
        _leaky_backward,
        _leaky_image,
        parameters=("input", "negative_slope"),
        defaults={"negative_slope": 0.01},
        undefined=_scaled_undefined,
        derivative="leaky_relu: leaky_relu_backward(grad, self, negative_slope, false)",
        spellings=_in_place("leaky_relu"),
        further={"inplace": ANY},
    ),
    row(
        "prelu",
        fused(lambda w, x, weight: x if x > 0.0 else w.mul(x, weight)),
        _prelu_backward,
        _leaky_image,
        parameters=("input", "weight"),
        undefined=_scaled_undefined,
        derivative="_prelu_kernel: _prelu_kernel_backward(grad, self, weight)",
        spellings=("torch.prelu", "Tensor.prelu", *_functional("prelu")),
    ),
)
