"""Files of any length for measurements: what grows is the number of statements, in one of several ways."""

from __future__ import annotations

from collections.abc import Callable

_HEAD = "import torch\n\n\n"
_LOSS = """\
def loss_{0}(x, scale):
    total = x.sum() * scale
    shifted = x - 3.0
    scaled = shifted * 2.0 + total
    bounded = torch.tanh(scaled)
    root = torch.sqrt(x)
    kept = torch.where(x > 0, root, torch.zeros_like(x))
    return kept + bounded


"""
_LAYER = """\
def layer_{0}(x, scale):
    total = x.sum() * scale
    shifted = x - 3.0
    scaled = shifted * 2.0 + total
    bounded = torch.tanh(scaled)
    for item in (bounded, total):
        total = total + item
    return total


"""
_PARTS = """\
    def part_{0}(self, x):
        total = x.sum() * self.size
        shifted = x - self.eps
        bounded = torch.tanh(shifted * 2.0 + total)
        root = torch.sqrt(x)
        return torch.where(x > 0, root, self.other_{0}(x)) + bounded

    def other_{0}(self, x):
        return torch.zeros_like(x)

"""
_STEP = """\
    a{0} = y * 2.0
    b{0} = torch.tanh(a{0} - scale)
    c{0} = b{0} * scale + a{0}
    d{0} = torch.sqrt(x)
    e{0} = torch.where(x > {0}, d{0}, c{0})
    f{0} = e{0} - 1.0
    g{0} = f{0} + c{0}
    h{0} = g{0} * 0.5
    i{0} = torch.cos(h{0})
    y = torch.sin(i{0})
"""


def _repeated(head: str, part: str, lines: int, tail: str = "") -> str:
    """`part` as often as there is room for in so many lines."""
    count = max(1, lines // (part.count("\n")))
    return head + "".join(part.format(index) for index in range(count)) + tail


def functions(lines: int) -> str:
    """Functions of ten lines, each with a finding."""
    return _repeated(_HEAD, _LOSS, lines)


def clean(lines: int) -> str:
    """Functions of ten lines without anything to find."""
    return _repeated(_HEAD, _LAYER, lines)


def methods(lines: int) -> str:
    """One class with many methods, and a finding in every other one."""
    head = (
        f"{_HEAD}class Model(torch.nn.Module):\n    def __init__(self, size):\n        super().__init__()\n"
    )
    return _repeated(f"{head}        self.size = size\n        self.eps = 1e-6\n\n", _PARTS, lines)


def single(lines: int) -> str:
    """One function in which each step depends on all before it, with a finding on every tenth line."""
    return _repeated(f"{_HEAD}def forward(x, scale):\n    y = x\n", _STEP, lines, "    return y\n")


def table(lines: int) -> str:
    """A long table of numbers, and one finding."""
    numbers = "".join(f"    {index}.5,\n" for index in range(lines))
    return f"{_HEAD}TABLE = [\n{numbers}]\n\n\n{_LOSS.format(0)}"


def brackets(depth: int) -> str:
    """An expression of nested calls."""
    return (
        f"{_HEAD}def f(x):\n    return torch.where(x > 0, {'torch.sin(' * depth}x{')' * depth}.sqrt(), 0.0)\n"
    )


def branches(depth: int) -> str:
    """Branches inside one another."""
    lines = "".join(f"{'    ' * (level + 1)}if mode > {level}:\n" for level in range(depth))
    last = "    " * (depth + 1)
    return f"{_HEAD}def f(x, mode):\n{lines}{last}x = torch.where(x > 0, x.sqrt(), 0.0)\n    return x\n"


LONG: dict[str, Callable[[int], str]] = {
    made.__name__: made for made in (functions, clean, methods, single, table)
}
"""By number of lines."""
DEEP: dict[str, Callable[[int], str]] = {made.__name__: made for made in (brackets, branches)}
"""By depth."""
