"""A file, or a cell of a notebook, could not be analysed.

## What it does

Reports a file that cannot be read, decoded or parsed, with the reason and, where there is one, the
place. The other files are checked all the same. Of a notebook, each cell that cannot be parsed is
reported by itself and the other cells are checked. Cells in another language (`%%bash`) are left
out without a word.

A file that does not mention torch is not parsed at all, and so not reported if it does not parse.

A function on which more work would have to be spent than any code is worth that people write, such as
many loops inside one another, is reported as well. What is found in the other functions is not lost.

## Why is this bad?

A file that was not analysed looks like one in which nothing was found. For this reason NAN901 is
shown whatever is selected; only `ignore`, a per-file ignore or a `# noqa` can hide it.

## Example

```python
import torch


def encode(x):
    return torch.where(x < 0.003, 12.9 * x, x ** 0.5
```

Without the closing bracket the file is no Python, and nothing can be said of it.

## Use instead

```python
import torch


def double(x):
    return torch.where(x < 0.003, 12.9 * x, 2.0 * x)
```

Files that are not meant to be Python are best left out: `exclude = ["templates/"]` in
`[tool.nanlint]`.

## Fix safety

There is no automatic fix.

## References

- [Configuration: exclude and per-file-ignores](configuration.md)
"""

from __future__ import annotations

FAMILY = ""
FIXABLE = "never"
