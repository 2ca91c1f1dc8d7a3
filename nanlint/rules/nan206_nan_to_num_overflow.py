"""A value that `nan_to_num` replaces came from an overflow, and its gradient is nan.

## What it does

Looks for `torch.nan_to_num` for which there is an input where it replaces an infinity that an op
below it has made by overflow. It is the twin of NAN106 for functions without a singular point.

## Why is this bad?

`nan_to_num` repairs the value only. Its backward is `grad * isfinite(input)`, exactly 0 for what
was replaced. The derivative of `exp` is its own value, inf, and `0 * inf = nan`.

Where it begins depends on the dtype: `exp` overflows at 88.7 in float32 and in bfloat16, at 11.1 in
float16.

## Example

```python
import torch


def rate(x):
    y = torch.exp(x)
    return torch.where(torch.isinf(y), 1e6, y)
```

At `x = 100.0` the value is a million and the gradient is nan.

## Use instead

```python
import math

import torch


def rate(x):
    return torch.exp(x.clamp(max=math.log(1e6)))
```

A bound on the argument keeps both the value and the derivative in range. It also makes the function
continuous: `nan_to_num` lets values far above its replacement through, up to the largest number of
the dtype.

## Fix safety

The fix computes the value anew with the op guarded by the very condition that repairs it, so that
every value stays what it is. It needs such a condition: `torch.where(y.isinf(), c, y)`.

None is offered for `nan_to_num` and for repairs in place, and none behind a reduction: a bound on
the argument changes the values between it and the overflow, and where it should be is the author's
to say.

## References

- derivatives.yaml of PyTorch: `nan_to_num` (`grad * at::isfinite(self)`), `exp` (`grad * result`)
- [get NaN during backward of nan_to_num](https://github.com/pytorch/pytorch/issues/94700)
"""

from __future__ import annotations

FAMILY = "`nan_to_num`"
FIXABLE = "sometimes"
