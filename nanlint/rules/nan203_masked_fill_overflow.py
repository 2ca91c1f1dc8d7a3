"""An element that `masked_fill` overwrites came from an overflow, and its gradient is nan.

## What it does

Looks for `y.masked_fill(mask, value)`, `y.masked_scatter(mask, source)` and `y[mask] = value` for
which there is an input where the element is overwritten and an op below `y` overflows. It is the
twin of NAN103 for functions without a singular point.

## Why is this bad?

Overwriting an infinite value after the computation repairs the value only. In backward the
overwritten element is given a gradient of exactly 0, which the op that overflowed multiplies by its
derivative: for `exp` that is its own value, inf, and `0 * inf = nan`.

Where it begins depends on the dtype: `exp` overflows at 88.7 in float32 and in bfloat16, at 11.1 in
float16.

## Example

```python
import torch


def weights(score):
    return score.exp().masked_fill(score > 50, 0.0)
```

At `score = 100.0` the value is 0 and the gradient is nan.

## Use instead

```python
import torch


def weights(score):
    outlier = score > 50
    return score.masked_fill(outlier, 0.0).exp().masked_fill(outlier, 0.0)
```

Fill before the op with a value that it can bear, and after it with the value that is wanted.

## Fix safety

The fix puts a `where` with the mask of the fill around the argument of each singular op, above the
fill, which stays. It is offered only if every selected value, and the gradient wherever it was
finite, stay what they are; that is checked on the input of the finding, on the ends of the poison
set and next to them, and on sample points of either side. It is safe where everything between the
op and the fill is elementwise, and, for an index assignment, where the mask is made of what it
guards; otherwise the new `where` may not have a shape that fits, and `--unsafe-fixes` is needed.

## References

- derivatives.yaml of PyTorch: `masked_fill.Scalar` (`grad.masked_fill(mask, 0)`), `index_put`,
  `exp` (`grad * result`)
- [NaN gradients not properly masked](https://github.com/pytorch/pytorch/issues/17455)
"""

from __future__ import annotations

FAMILY = "`masked_fill`"
FIXABLE = "sometimes"
