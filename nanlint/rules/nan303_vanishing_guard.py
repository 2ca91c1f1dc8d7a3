"""A small number that guards a singular op is lost in the rounding of the dtype.

## What it does

Looks for a small number in a sum, a product, a `clamp`, `maximum` or `where` below a singular op for
which there is an input where, in the configured dtype, the number makes no difference and the op is
singular: `x + 1e-8` in float16, where 1e-8 is 0, `1 - 1e-9` in float32, where it is 1, `1 + d + 1e-9`,
where it is lost next to 1.

The number is to blame for certain: in float64 value and gradient are finite at the same input, and in
the dtype they are with a larger number in its place.

The dtype is that of `dtype` in the configuration, float32 by default. A function that mentions a wider
one (`.float()`, `torch.float64`) is reported with low confidence.

The code is off by default: select it by `extend-select = ["NAN303"]`.

## Why is this bad?

The guard is there because the point occurs. In the dtype that it was not tried in, it does nothing, and
the gradient, often the value too, is infinite or nan.

## Example

```python
import torch


def angle(cosine):
    return torch.acos(cosine.clamp(-1 + 1e-9, 1 - 1e-9))
```

At `cosine = 1.0` the value is 0 and the gradient is infinite: in float32 the bound is 1 itself.

## Use instead

```python
import torch


def angle(cosine):
    return torch.acos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))
```

In float16 a guard of 1e-4 is mostly large enough for a root or a logarithm, but 1e-2 is needed for a
quotient, whose derivative has the square of it below. `torch.finfo(x.dtype).eps` is a guard in every
dtype next to 1, and for logarithms and roots next to 0. Or compute this part in float32.

## Fix safety

The fix puts the smallest power of ten that holds in the dtype in place of the number, where the number
stands in the guard itself. It moves the values near the point, so that it is unsafe and needs
`--unsafe-fixes`. Where the number has a name, the finding says how large it has to be.

## References

- derivatives.yaml of PyTorch: `acos`, `log`, `sqrt` (`grad / (2 * result)`), `clamp`
- [torch.finfo](https://docs.pytorch.org/docs/stable/type_info.html#torch.torch.finfo)
"""

from __future__ import annotations

FAMILY = ""
FIXABLE = "sometimes"
