"""A value that `nan_to_num` replaces came from a singular op, and its gradient is nan.

## What it does

Looks for `torch.nan_to_num` for which there is an input where it replaces a nan or an infinity that
an op below it has made.

## Why is this bad?

`nan_to_num` repairs the value only. Its backward is `grad * isfinite(input)`, exactly 0 for what
was replaced, and the op that made the nan multiplies that 0 by a derivative that is infinite or nan
as well. The loss is finite, the gradient is not, and no later call of `nan_to_num` on the loss can
change that.

The same holds for every repair by value: `torch.where(torch.isfinite(y), y, 0.0)`, `y[y.isinf()] =
0`, whatever construct selects.

## Example

```python
import torch


def ratio(a, b):
    return torch.nan_to_num(a / b, nan=0.0, posinf=0.0, neginf=0.0)
```

At `a = 0.0`, `b = 0.0` the value is 0 and both gradients are nan.

## Use instead

```python
import torch


def ratio(a, b):
    divisible = b != 0
    return torch.where(divisible, a / torch.where(divisible, b, 1.0), 0.0)
```

Ask the argument, not the result, and keep the op away from what it cannot bear.

## Fix safety

The fix asks the argument instead of the result: `isfinite(x.rsqrt())` becomes `x > 0`, and the op is
guarded by the same condition. A quotient overflows next to its pole, too, so that there the question
is put beside the old one, or the fix is unsafe. It is offered only if every finite value, the replaced ones included,
and the gradient wherever it was finite, stay what they are. Where the values put in place of the
infinite ones would change, such as the largest number that `nan_to_num` has for them by default, it
is unsafe and needs `--unsafe-fixes`.

None is offered behind a reduction, and for conditions that the argument alone does not decide: what
the replaced values stand for, and so the condition to ask for, is the author's to say.

## References

- derivatives.yaml of PyTorch: `nan_to_num` (`grad * at::isfinite(self)`), `div.Tensor`
- [get NaN during backward of nan_to_num](https://github.com/pytorch/pytorch/issues/94700)
"""

from __future__ import annotations

FAMILY = "`nan_to_num`"
FIXABLE = "sometimes"
