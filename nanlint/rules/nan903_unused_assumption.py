"""A `# nanlint: assume` comment changes nothing of the findings.

## What it does

Leaves each assumption out once, and reports those without which the findings of the file, their
messages and their fixes stay the same. If a name of the condition occurs nowhere in the function, the
message says so.

Only the file itself is looked at. An assumption in a helper that makes callers in other files sound is
reported as well; exempt it with `# noqa: NAN903` behind it. Entries of `[tool.nanlint.assume]` are
never reported.

## Why is this bad?

Whoever reads the code takes the comment for a condition that something depends on. As code changes,
what is left behind goes on to hide findings of new code below it.

## Example

```python
import torch


def decay(rate, t):
    # nanlint: assume rate > 0
    return torch.exp(rate * t)
```

The exponential is regular for every rate.

## Use instead

```python
import torch


def decay(rate, t):
    return torch.exp(rate * t)
```

## Fix safety

There is no automatic fix: an assumption may be meant for the reader.

## References

- [Configuration: assumptions](configuration.md#assumptions)
- [ruff: unused-noqa (RUF100)](https://docs.astral.sh/ruff/rules/unused-noqa/)
"""

from __future__ import annotations

FAMILY = ""
FIXABLE = "never"
