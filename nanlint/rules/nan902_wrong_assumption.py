"""A `# nanlint: assume` comment contradicts the code, or cannot be understood.

## What it does

Looks for assumptions that cannot be true where they stand: after everything that the code says of the
values, by ops, constants, bounds, branches and other assumptions, no value is left for which the
condition holds. What only a name, an annotation or the usual size of numbers suggests is no
contradiction; there the assumption is believed. A default of a parameter is one.

Comments that begin with `# nanlint:` and cannot be read are reported too, and so is an entry of
`[tool.nanlint.assume]`, at the statement that contradicts it.

## Why is this bad?

An assumption is believed without proof and hides findings. One that is false says that its author has
another picture of the values than the code gives. It is left out of account, so that what it was meant
to silence is still reported.

## Example

```python
import torch


def decay(rate, t):
    rate = torch.clamp(rate, max=0.0)  # nanlint: assume rate > 0
    return torch.exp(rate * t)
```

The clamp leaves nothing above 0, the comment nothing else.

## Use instead

```python
import torch


def decay(rate, t):
    rate = torch.clamp(rate, max=0.0)
    return torch.exp(rate * t)
```

## Fix safety

There is no automatic fix.

## References

- [Configuration: assumptions](configuration.md#assumptions)
"""

from __future__ import annotations

FAMILY = ""
FIXABLE = "never"
