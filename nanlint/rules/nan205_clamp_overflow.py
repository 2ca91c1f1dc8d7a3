"""A value that `clamp` cuts off came from an overflow, and its gradient is nan.

## What it does

Looks for `clamp`, `clip`, `hardtanh`, `relu`, `threshold`, `maximum`, `minimum` and the
two-argument `max` and `min` for which there is an input where the value is cut off and an op below
it overflows. It is the twin of NAN105 for functions without a singular point.

## Why is this bad?

A clamp bounds the value after it has been computed. In backward what was cut off is given a
gradient of exactly 0. The derivative of `exp` is its own value, so that where it has overflowed the
product is `0 * inf = nan`. A bound on the argument keeps both the value and the derivative in
range.

Where it begins depends on the dtype: `exp` overflows at 88.7 in float32 and in bfloat16, at 11.1 in
float16.

## Example

```python
import torch


def scale(log_scale):
    return log_scale.exp().clamp(max=100.0)
```

At `log_scale = 100.0` the value is 100 and the gradient is nan.

## Use instead

```python
import math

import torch


def scale(log_scale):
    return log_scale.clamp(max=math.log(100.0)).exp()
```

For a monotone op the bound moves to its argument.

## Fix safety

The fix bounds the argument of the op below its overflow and leaves the outer bound where it is:
`x.clamp(max=80).exp().clamp(max=1e3)`. The inner bound changes only what the outer one cuts off
anyway; that is checked where the op overflows, at the new bound, next to both, and with the other
inputs at the ends of what is usual.

None is offered where the same result is used without the outer bound as well, or behind a reduction:
there every inner bound changes some value.

## References

- derivatives.yaml of PyTorch: `clamp_max`, `minimum`, `exp` (`grad * result`)
- [Gradient of clamp is nan for inf inputs](https://github.com/pytorch/pytorch/issues/10729)
"""

from __future__ import annotations

FAMILY = "`clamp`"
FIXABLE = "sometimes"
