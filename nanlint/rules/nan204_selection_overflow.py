"""An element that a selection leaves behind came from an overflow, and its gradient is nan.

## What it does

Speaks of `f(x)[mask]`, `torch.masked_select(f(x), mask)`, `index_select`, `gather` and `take`:
elements that are left behind after an op that overflows at them. It is the twin of NAN104 for
functions without a singular point.

## Why is this bad?

What is left behind has been computed. In backward each element left behind is given a gradient of
exactly 0, and the op that overflowed multiplies it by its derivative: `0 * inf = nan`. Taking the
elements first and computing afterwards costs less and is right.

Where it begins depends on the dtype: `cosh` overflows at 89.4 in float32, at 11.8 in float16.

## Example

```python
import torch


def energy(x):
    return torch.cosh(x)[x.abs() < 50].sum()
```

At `x = 100.0` the value is 0, since nothing is selected, and the gradient is nan.

## Use instead

```python
import torch


def energy(x):
    return torch.cosh(x[x.abs() < 50]).sum()
```

`cosh` never sees the elements that are left behind; their gradient is 0, as it should be.

## Fix safety

The fix moves the selection in front of the op, `f(x)[m]` to `f(x[m])`, where `f` is elementwise in
one tensor; a largest or smallest element is moved through ops that keep the order only. Otherwise a
`where` with the mask goes around the argument of the op, and the selection stays. Either is offered
only if every selected value, and the gradient wherever it was finite, stay what they are. It is safe
where the shapes certainly fit, and needs `--unsafe-fixes` otherwise.

None is offered where integer indices select from several tensors, or behind a reduction: select from
each of them by hand.

## References

- derivatives.yaml of PyTorch: `index.Tensor`, `masked_select`, `cosh` (`grad * self.sinh()`), `exp`
- [Log and indexing do not commute correctly with respect to gradient](https://github.com/pytorch/pytorch/issues/12986)
"""

from __future__ import annotations

FAMILY = "selection"
FIXABLE = "sometimes"
