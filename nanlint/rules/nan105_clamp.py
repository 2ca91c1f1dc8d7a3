"""A value that `clamp` cuts off came from a singular op, and its gradient is nan.

## What it does

Looks for `clamp`, `clip`, `hardtanh`, `relu`, `threshold`, `maximum`, `minimum` and the
two-argument `max` and `min` for which there is an input where the value is cut off and an op below
it is singular.

## Why is this bad?

A clamp bounds the value after it has been computed. In backward what was cut off is given a
gradient of exactly 0, and the op below multiplies that by its derivative: `0 * inf = nan`. Bounding
the argument before the op bounds the derivative too.

A bound that ends exactly on the singular point is no guard: `x.clamp(min=0).sqrt()` still takes the
root of 0, and `clamp` passes the gradient on at its own bound.

## Example

```python
import torch


def log_probability(p):
    return p.log().clamp(min=-10.0)
```

At `p = 0.0` the value is -10 and the gradient is nan.

## Use instead

```python
import math

import torch


def log_probability(p):
    return p.clamp(min=math.exp(-10.0)).log()
```

For a monotone op the bound moves to its argument: `x.sqrt().clamp(min=a)` is
`x.clamp(min=a**2).sqrt()` for `a > 0`.

## Fix safety

The fix bounds the argument of the op just outside of its singular point, and leaves the outer bound
where it is: `x.clamp(min=1e-8).log().clamp(min=-10)`. The inner bound changes only what the outer one
cuts off anyway; that is checked on the ends of the poison set, at the new bound, next to both, and
with the other inputs at the ends of what is usual. So no value changes and no gradient, not even at
the outer bound. Where no such bound exists a `where` on the argument itself is tried.

None is offered where the outer bound is a tensor of any value, or behind a reduction: every inner
bound would change some selected value. Choose one that your data never reaches.

## References

- derivatives.yaml of PyTorch: `clamp_min`, `clamp_max`, `maximum`, `minimum`, `relu`, `log`
  (`grad.div(self)`)
- [Gradient of clamp is nan for inf inputs](https://github.com/pytorch/pytorch/issues/10729)
"""

from __future__ import annotations

FAMILY = "`clamp`"
FIXABLE = "sometimes"
