"""A factor that a mask multiplies by 0 is singular there, and its gradient is nan.

## What it does

Looks for products with a mask, `mask * f(x)` and `(1 - mask) * f(x)` in any spelling, for which
there is an input where the mask is 0 and an op below the other factor is singular. A mask is what
is 0 or one other number by way of a comparison, or an input without gradient that is called a mask,
or a sign: in `x.sign() * x.abs().sqrt()` the root is infinitely steep just where the sign is 0.

## Why is this bad?

Multiplying by 0 drops nothing. In backward the factor is given the gradient `grad * mask`, which is
exactly 0 where the mask is, and that 0 is multiplied by the local derivative of each op below.
Where the derivative is infinite the product is `0 * inf = nan`, although the value is fine.

Where the factor itself is infinite or nan, as `log` is at 0, the product is nan in forward already.

A mask product stops no nan that comes from above either: `0 * nan` is nan. A `where` does stop it.

## Example

```python
import torch


def falloff(r):
    inside = (r < 1).float()
    return inside * (1 - r).clamp(min=0).sqrt()
```

At `r = 1.0` the value is 0 and the gradient is nan: the root is taken of exactly 0.

## Use instead

```python
import torch


def falloff(r):
    inside = r < 1
    return torch.where(inside, torch.where(inside, 1 - r, 1.0).sqrt(), 0.0)
```

The inner `where` keeps the root away from 0. The outer one is a matter of taste once the factor is
finite: `inside * ...` gives the same value and the same gradient.

## Fix safety

The fix puts `torch.where(mask != 0, argument, safe)`, or for a sign `torch.where(x != 0, argument,
safe)`, around the argument of each singular op and leaves the product as it is. It is offered only
if the value of every selected element, and the gradient wherever it was finite, stay what they are;
both are checked on the input of the finding and on sample points of either side. A value that was
nan already becomes finite. The fix is safe where everything between the singular op and the product
is elementwise; otherwise it is unsafe and needs `--unsafe-fixes`. With `--fix-style indexed` a blend
`mask * a + (1 - mask) * b` becomes two indexed assignments, where all shapes are provably the
mask's.

## References

- derivatives.yaml of PyTorch: `mul.Tensor` (`mul_tensor_backward(grad, other,
  self.scalar_type())`), `sqrt` (`grad / (2 * result)`)
- [x.grad should be 0 but get NaN after x/0](https://github.com/pytorch/pytorch/issues/4132)
- [JAX FAQ: gradients contain NaN where using where](https://docs.jax.dev/en/latest/faq.html#gradients-contain-nan-where-using-where)
"""

from __future__ import annotations

FAMILY = "mask product"
FIXABLE = "sometimes"
