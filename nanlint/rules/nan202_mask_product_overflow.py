"""A factor that a mask multiplies by 0 overflows there, and its gradient is nan.

## What it does

Looks for products with a mask, `mask * f(x)` and `(1 - mask) * f(x)` in any spelling, for which
there is an input where the mask is 0 and an op below the other factor overflows. It is the twin of
NAN102 for functions without a singular point.

## Why is this bad?

In backward the factor is given the gradient `grad * mask`, which is exactly 0 where the mask is,
and each op below multiplies that by its derivative. Where the derivative has overflowed to inf, the
product is `0 * inf = nan`. The value can be fine: `1 / cosh(t)` is simply 0 for a large `t`. Where
the factor itself overflows, as `exp` does, the value is nan in forward already.

Where it begins depends on the dtype: `cosh` overflows at 89.4 in float32, at 11.8 in float16.

## Example

```python
import torch


def pulse(t):
    inside = (t.abs() < 20).float()
    return inside * (1 / torch.cosh(t))
```

At `t = 100.0` the value is 0 and the gradient is nan.

## Use instead

```python
import torch


def pulse(t):
    inside = t.abs() < 20
    return torch.where(inside, 1 / torch.cosh(torch.where(inside, t, 0.0)), 0.0)
```

Or a form that cannot overflow: `2 * torch.exp(-t.abs()) / (1 + torch.exp(-2 * t.abs()))`.

## Fix safety

The fix puts `torch.where(mask != 0, argument, safe)` around the argument of each op that overflows,
with the conditions of NAN102: it is offered only if no selected value and no finite gradient
changes, it is safe where everything between the op and the product is elementwise, and unsafe
otherwise.

## References

- derivatives.yaml of PyTorch: `mul.Tensor`, `cosh` (`grad * self.sinh()`), `exp` (`grad * result`)
- [NaN gradients not properly masked](https://github.com/pytorch/pytorch/issues/17455)
"""

from __future__ import annotations

FAMILY = "mask product"
FIXABLE = "sometimes"
