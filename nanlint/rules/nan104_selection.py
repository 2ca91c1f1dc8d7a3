"""An element that a selection leaves behind came from a singular op, and its gradient is nan.

## What it does

Speaks of `f(x)[mask]`, `torch.masked_select(f(x), mask)`, `index_select`, `gather`, `take` and
`f(x)[rows, columns]`, and of the largest, smallest or middle elements (`max`, `topk`, `median`):
elements that are left behind after an op that is singular at them. What
slices, integers and single index tensors leave behind (`f(x)[1:]`) has
low confidence, and is looked for where that is asked for.

## Why is this bad?

What is left behind has been computed. In backward the selection puts the gradients of the elements
that were picked into a tensor of zeros, so that each element left behind is given a gradient of
exactly 0. The op below multiplies it by its derivative, and `0 * inf = nan`. Taking the elements
first and computing afterwards costs less and is right.

## Example

```python
import torch


def log_likelihood(p):
    return p.log()[p > 0].sum()
```

At `p = 0.0` the value is 0, since nothing is selected, and the gradient is nan.

## Use instead

```python
import torch


def log_likelihood(p):
    return p[p > 0].log().sum()
```

The logarithm never sees the elements that are left behind; their gradient is 0, as it should be.

## Fix safety

The fix moves the selection in front of the op, `f(x)[m]` to `f(x[m])`, where `f` is elementwise in
one tensor; a largest or smallest element is moved through ops that keep the order only. Otherwise a
`where` with the mask goes around the argument of the op, and the selection stays. Either is offered
only if every selected value, and the gradient wherever it was finite, stay what they are. It is safe
where the shapes certainly fit, and needs `--unsafe-fixes` otherwise.

None is offered where integer indices select from several tensors, or behind a reduction: select from
each of them by hand.

## References

- derivatives.yaml of PyTorch: `index.Tensor`, `masked_select`, `index_select`, `gather`, `log`
  (`grad.div(self)`)
- [Log and indexing do not commute correctly with respect to gradient](https://github.com/pytorch/pytorch/issues/12986)
- [Incorrect Gradient Computation in torch.log1p](https://github.com/pytorch/pytorch/issues/152088)
- [nan propagates through backward pass even when not accessed](https://github.com/pytorch/pytorch/issues/15506)
"""

from __future__ import annotations

FAMILY = "selection"
FIXABLE = "sometimes"
