"""An infinite derivative meets a zero one without any selector, and the gradient is nan.

## What it does

Looks for singular ops for which there is an input where the derivative is infinite and another op, below
or above, has the derivative 0:

- below, in what the op is computed from: `(x ** 2).sum().sqrt()` at 0, `x.abs().sqrt()`, a standard
  deviation by hand;
- above, in what is computed from it: `acos(x) ** 2` at 1, `torch.atan(y / x)` at `x = 0`,
  `1 / (1 + torch.exp(-x))` where the exponential overflows, and `x * x.log()`, whose value is nan too.

What torch rescues is not reported: `norm` and `std` have the gradient 0 where it would be nan, and
`torch.sqrt(torch.relu(x))` is sound, since relu selects in backward and multiplies nothing.

No condition says that the input occurs, so the confidence is medium. It is low where two inputs would
have to come together, where a setting, a count or an exponent would need a certain value, for what layers
compute or what is trained, since such values are never met exactly, and where the gradient would be
infinite without the zero as well.

The code is off by default: select it by `extend-select = ["NAN302"]`.

## Why is this bad?

The chain rule multiplies the two derivatives, and `inf * 0` is nan. The value is mostly fine. The
derivative that is meant would often be finite, 0 for instance, but autograd knows no limits.

## Example

```python
import torch


def length(x):
    return (x**2).sum().sqrt()
```

At `x = 0.0` the value is 0 and the gradient is nan: the derivative of the root is infinite, that of the
square is 0.

## Use instead

```python
import torch


def length(x):
    return torch.linalg.vector_norm(x)
```

Its gradient at 0 is 0. Elsewhere a small number under the root (`(x ** 2).sum() + 1e-12`), a clamp, or a
`torch.where` before the singular op will do.

For entropies neither `torch.xlogy` nor `torch.special.entr` is a remedy: they repair the value, but the
gradient of `xlogy(x, x)` at 0 is nan and that of `entr` is infinite. Give the logarithm another argument
there, `x * torch.where(x == 0, 1.0, x).log()`, or compute it from `log_softmax`.

## Fix safety

`(x ** 2).sum(dim).sqrt()` becomes `torch.linalg.vector_norm(x, dim=dim)`, `1 / (1 + torch.exp(-x))`
becomes `torch.sigmoid(x)`, and the logarithm of `x * x.log()` is given 1 where `x` is 0. The values and
the finite gradients stay what they are, but for rounding, so that all three are safe. Otherwise the
finding says what can be done by hand.

## References

- derivatives.yaml of PyTorch: `sqrt` (`grad / (2 * result)`), `linalg_vector_norm`, `acos`,
  `xlogy.Tensor`, `special_entr`
- [x.grad should be 0 but get NaN after x/0](https://github.com/pytorch/pytorch/issues/4132)
"""

from __future__ import annotations

FAMILY = ""
FIXABLE = "sometimes"
