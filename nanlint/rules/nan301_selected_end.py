"""A selected side is singular where its own condition ends, and its gradient is infinite.

## What it does

Looks for selectors that a condition decides (`torch.where`, a mask product, `masked_fill`, `y[mask]`) for
which there is an input that just satisfies the condition and at which the side that is taken has a
finite value and an infinite gradient: `x >= 0` and a root at 0, `abs(x) <= 1` and `acos` at 1.

That the condition ends there is tried out: a step further and the side is not taken any more.

The code is off by default: select it by `extend-select = ["NAN301"]`.

## Why is this bad?

The condition was written to keep the op off its singular point, and lets exactly that point through. The
gradient there is infinite, which clipping turns into nan and the optimizer into weights that are lost.
A second `where` around the argument, which is the remedy for NAN101, does not help: it takes the same
point for a good one.

## Example

```python
import torch


def root(x):
    keep = x >= 0
    return torch.where(keep, torch.where(keep, x, 1.0).sqrt(), 0.0)
```

At `x = 0.0` the value is 0 and the gradient is infinite.

## Use instead

```python
import torch


def root(x):
    keep = x > 0
    return torch.where(keep, torch.where(keep, x, 1.0).sqrt(), 0.0)
```

With the strict comparison the point belongs to the other side. The value is the same here; where it is
not, a margin inside of the op (`x.clamp(min=1e-6).sqrt()`) keeps the gradient finite.

## Fix safety

There is no automatic fix: whether the point may go to the other side is a question of what is meant.

## References

- derivatives.yaml of PyTorch: `where.self` (`where(condition, grad, 0)`), `sqrt`
  (`grad / (2 * result)`), `acos`, `pow.Tensor_Scalar`
- [torch.where leads to unexpected gradients](https://github.com/pytorch/pytorch/issues/52248)
"""

from __future__ import annotations

FAMILY = "any with a condition"
FIXABLE = "never"
