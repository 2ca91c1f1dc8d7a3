"""An element that `masked_fill` overwrites came from a singular op, and its gradient is nan.

## What it does

Looks for `y.masked_fill(mask, value)`, `y.masked_scatter(mask, source)` and `y[mask] = value` for
which there is an input where the element is overwritten and an op below `y` is singular; `triu` and
`tril` overwrite what is on one side of a diagonal, `fill_diagonal_`, `diagonal_scatter` and
`y.diagonal().fill_(value)` the diagonal, `y.scatter(dim, index, value)` what is indexed.
With other indices (`y[:, 0] = value`) it has low confidence, and is looked for where that is asked
for.

## Why is this bad?

Overwriting comes after the computation. In backward `y` is given the gradient
`grad.masked_fill(mask, 0)`: exactly 0 for what was overwritten. That 0 goes on down to the op that
made the inf in the first place and is multiplied by its derivative there: `0 * inf = nan`. The
value looks repaired, the gradient is not.

The inverse square root of node degrees, with isolated nodes set to 0 afterwards, is the usual case.

## Example

```python
import torch


def normalise(degree):
    weight = degree**-0.5
    return weight.masked_fill(degree == 0, 0.0)
```

At `degree = 0.0` the value is 0 and the gradient is nan.

## Use instead

```python
import torch


def normalise(degree):
    isolated = degree == 0
    weight = degree.masked_fill(isolated, 1.0) ** -0.5
    return weight.masked_fill(isolated, 0.0)
```

Fill before the singular op with a value that it can bear, and after it with the value that is
wanted. Where the filling after the op was there for inf and nan alone, filling before it may be all
that is needed.

## Fix safety

The fix puts a `where` with the mask of the fill around the argument of each singular op, above the
fill, which stays. It is offered only if every selected value, and the gradient wherever it was
finite, stay what they are; that is checked on the input of the finding, on the ends of the poison
set and next to them, and on sample points of either side. It is safe where everything between the
op and the fill is elementwise, and, for an index assignment, where the mask is made of what it
guards; otherwise the new `where` may not have a shape that fits, and `--unsafe-fixes` is needed.

None is offered for stores at integer indices and slices: there is no mask to guard with. Store a
harmless value at the same place before the op.

## References

- derivatives.yaml of PyTorch: `masked_fill.Scalar` (`grad.masked_fill(mask, 0)`), `masked_scatter`,
  `index_put`, `pow.Tensor_Scalar`
- [Pruning off NaN values in the gradient graph still produces NaN gradients](https://github.com/pytorch/pytorch/issues/23156)
- [x.grad should be 0 but get NaN after x/0](https://github.com/pytorch/pytorch/issues/4132)
"""

from __future__ import annotations

FAMILY = "`masked_fill`"
FIXABLE = "sometimes"
