"""A branch that `torch.where` drops overflows there, and its gradient is nan.

## What it does

Looks for `torch.where` and `Tensor.where` for which there is an input where one branch is dropped
and an op below that branch overflows: `exp`, `cosh`, a high power. It is the twin of NAN101 for
functions without a singular point: in exact arithmetic, or in a wider dtype, nothing would be
wrong.

## Why is this bad?

Two formulas with a `where` between them are the usual way to keep a function in range: the plain
formula where it is exact, the asymptotic one where the plain one overflows. The value is right. But
both are computed, and in backward the dropped one is given a gradient of exactly 0, which is
multiplied by its derivative. Where that has overflowed to inf, the product is `0 * inf = nan`.

Where it begins depends on the dtype: `exp` overflows at 88.7 in float32 and in bfloat16, at 11.1 in
float16. nanlint assumes float32 unless the setting `dtype` says otherwise, and numbers of at most a
million in the inputs.

## Example

```python
import torch


def softplus(x):
    return torch.where(x > 20, x, torch.log1p(torch.exp(x)))
```

At `x = 100.0` the value is 100 and the gradient is nan, where it should be 1.

## Use instead

```python
import torch


def softplus(x):
    large = x > 20
    return torch.where(large, x, torch.log1p(torch.exp(torch.where(large, 0.0, x))))
```

Or a function of torch that is built for it: `torch.nn.functional.softplus`, `torch.logaddexp`,
`torch.expm1`.

## Fix safety

The fix puts a second `where` around the argument of each op that overflows, with the conditions of
NAN101: it is offered only if no selected value and no finite gradient changes, it is safe where
everything between the op and the `where` is elementwise, and unsafe otherwise.

## References

- derivatives.yaml of PyTorch: `where.self` (`where(condition, grad, 0)`), `exp` (`grad * result`),
  `cosh`, `pow.Tensor_Scalar`
- [torch.where produces nan in backward pass for differentiable forward pass](https://github.com/pytorch/pytorch/issues/68425)
- [torch.where() can produce nan values for unselected branch during backward](https://github.com/pytorch/pytorch/issues/156212)
"""

from __future__ import annotations

FAMILY = "`torch.where`"
FIXABLE = "sometimes"
