"""A branch that `torch.where` drops is singular there, and its gradient is nan.

## What it does

Looks for `torch.where(condition, a, b)` and `a.where(condition, b)` for which there is an input
where one branch is dropped and an op below that branch is singular: a root at 0, a logarithm at 0,
a quotient by 0, `acos` at 1. The finding names the op and such an input.

## Why is this bad?

`torch.where` computes both branches for every element and picks afterwards. In backward the dropped
branch is given a gradient of exactly 0, which is multiplied by the local derivative of each op
below. Where that derivative is infinite the product is `0 * inf = nan`. The value of the forward
pass and the loss are fine, so that nothing is seen until the optimizer has written nan into every
weight that the gradient reaches.

The condition does not help: it guards the value, not the computation.

## Example

```python
import torch


def encode(x):
    return torch.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
```

At `x = 0.0` the value is 0 and the gradient is nan, because the derivative of `x ** (1 / 2.4)` is
infinite there.

## Use instead

```python
import torch


def encode(x):
    low = x <= 0.0031308
    curve = 1.055 * torch.where(low, 1.0, x) ** (1 / 2.4) - 0.055
    return torch.where(low, 12.92 * x, curve)
```

The inner `where` gives the root an argument that it can bear wherever its result is not used. What
it drops gets a gradient of 0 by selection, not by multiplication.

A clamp inside the op (`x.clamp(min=1e-6) ** (1 / 2.4)`) does the same where the bound is off the
singular point.

## Fix safety

The fix puts the second `where` around the argument of each singular op. It is offered only if the
value of every selected element, and the gradient wherever it was finite, stay what they are; both
are checked on the input of the finding and on sample points of either side. It is safe where
everything between the singular op and the `where` is elementwise, so that the new `where` certainly
has a shape that fits; otherwise it is unsafe and needs `--unsafe-fixes`. With `--fix-style indexed`
each branch is computed for its own elements only, where all shapes are provably the condition's.

## References

- derivatives.yaml of PyTorch: `where.self` (`where(condition, grad, 0)`), `pow.Tensor_Scalar`,
  `sqrt`, `log`, `div.Tensor`
- [torch.where leads to unexpected gradients](https://github.com/pytorch/pytorch/issues/52248)
- [torch.where backward propagates NaN gradient from inactive sqrt branch](https://github.com/pytorch/pytorch/issues/187297)
- [JAX FAQ: gradients contain NaN where using where](https://docs.jax.dev/en/latest/faq.html#gradients-contain-nan-where-using-where)
"""

from __future__ import annotations

FAMILY = "`torch.where`"
FIXABLE = "sometimes"
