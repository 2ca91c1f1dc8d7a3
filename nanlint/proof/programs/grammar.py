"""Grows random programs: selectors over ops of the catalogue, with conditions that mostly speak of what is below."""

from __future__ import annotations

from random import Random

from nanlint.catalogue import OPS, SELECTORS
from nanlint.catalogue.reductions import ROWS as REDUCTIONS
from nanlint.proof.programs.nodes import (
    CAST,
    COMPARISONS,
    FLAG,
    LEAF,
    MASK_PRODUCT,
    Node,
    nodes,
    number,
    shared,
)

DEEPEST = 4
"""How deeply selectors are nested at most."""
_CONSTANTS = (0.0, 0.0, 1.0, -1.0, 0.5, 2.0, 0.1, -0.5, 3.0, 1e-3, 1e-6, 0.25, 10.0)
_EXPONENTS = (0.5, 0.5, 2.0, 3.0, -1.0, 1.5, -0.5, 0.0, 1.0, 0.25)
_SINGULAR = (
    *("sqrt", "rsqrt", "reciprocal", "log", "log2", "log1p", "log10", "exp", "expm1", "acos", "asin"),
    *("acosh", "atanh", "logit", "cosh", "lgamma", "digamma", "erfinv", "entr"),
)
_NEVER = frozenset({"identity", "float_power", "prelu"})
"""No function of torch, another dtype, or a shape of its own."""
_REDUCTIONS = frozenset(row.name for row in REDUCTIONS)
UNARY = tuple(
    row.name
    for row in OPS.values()
    if row.parameters == ("input",)
    and row.differentiable
    and any(s.startswith("torch.") for s in row.spellings)
    and row.derivative
    and row.name not in _NEVER | _REDUCTIONS | SELECTORS.keys()
)
_OPERATORS = ("add", "sub", "mul", "div")
_BINARY = ("atan2", "hypot", "xlogy", "xlog1py", "logaddexp", "logaddexp2", "remainder", "fmod", "copysign")
_PAIRS = ("maximum", "minimum", "fmax", "fmin")
_SELECTOR_CHOICE = (
    *("where",) * 7,
    *(MASK_PRODUCT,) * 4,
    *("masked_fill",) * 3,
    *("clamp_min", "clamp_max", "clamp", "relu", "nan_to_num"),
    *("hardtanh", "threshold", *_PAIRS),
)


class Grower:
    """Grows the nodes of one program from the choices of `random`."""

    def __init__(self, random: Random) -> None:
        self.random = random
        names = ["x", "y", "z"][: random.choice((1, 1, 2, 2, 3))]
        self.leaves = [Node(LEAF, name=name) for name in names]
        self.flag = Node(FLAG, name="mask")
        self.pool: list[Node] = []
        """What has been grown so far, to be shared."""

    def program(self) -> Node:
        """A program: its root is a selector, or a few ops over one."""
        root = self.selector(self.random.choice((1, 1, 2, 2, 3, DEEPEST)))
        if self._chance(0.08):
            root = Node("masked_select", (self.plain(root, 1), self.condition([root])))
        while self._chance(0.35):
            root = self._on_top(root)
        return root

    def value(self, depth: int, size: int) -> Node:
        """A float value with at most `depth` selectors above one another, of about `size` ops."""
        if self.pool and self._chance(0.15):
            return self.random.choice(self.pool)
        if size <= 0:
            return self.random.choice(self.leaves)
        kind = self.random.random()
        if depth > 0 and kind < 0.35:
            made = self.selector(depth)
        elif kind < 0.7:
            made = self.unary(self.value(depth, size - 1))
        else:
            made = self.binary(depth, size - 1)
        self.pool.append(made)
        return made

    def unary(self, x: Node) -> Node:
        """One op on `x`, half of the time a singular one."""
        if self._chance(0.12):
            return Node("pow", (x, number(self.random.choice(_EXPONENTS))))
        if self._chance(0.08):
            return Node("exp2", (x,))
        return Node(self.random.choice(_SINGULAR if self._chance(0.55) else UNARY), (x,))

    def binary(self, depth: int, size: int) -> Node:
        """One op on two values, or on a value and a constant."""
        x = self.value(depth, size)
        if self._chance(0.25):
            return Node(self.random.choice(_BINARY), (x, self.value(depth, size - 1)))
        op = self.random.choice(_OPERATORS)
        other = self.constant() if self._chance(0.5) else self.value(depth, size - 1)
        if other.is_number and op == "div" and other.value == 0.0:
            other = number(2.0)
        return Node(op, (x, other) if self._chance(0.6) else (other, x))

    def plain(self, x: Node, size: int) -> Node:
        """`x` with a few unary ops on top."""
        for _ in range(size):
            x = self.unary(x)
        return x

    def selector(self, depth: int) -> Node:
        """A selector with at most `depth - 1` others below it."""
        kind = self.random.choice(_SELECTOR_CHOICE)
        size = self.random.choice((1, 1, 2, 2, 3))
        operand = self.value(depth - 1, size)
        if operand.op in (LEAF, FLAG):
            operand = self.unary(operand)
        return getattr(self, f"_{kind}", self._bounded)(kind, operand, depth - 1)

    def condition(self, about: list[Node]) -> Node:
        """A bool, mostly one that speaks of what is below `about`."""
        kind = self.random.random()
        if kind < 0.08:
            return self.flag
        if kind < 0.2:
            return Node("not", (self.condition(about),))
        if kind < 0.3:
            return Node(self.random.choice(("and", "or")), (self.condition(about), self.condition(about)))
        return self._comparison(about)

    def constant(self) -> Node:
        """A number."""
        return number(self.random.choice(_CONSTANTS))

    def _comparison(self, about: list[Node]) -> Node:
        below = [node for root in about for node in nodes(root) if not node.is_bool and not node.is_number]
        x = self.random.choice(below if self._chance(0.85) else self.leaves)
        if self._chance(0.15):
            x = Node("abs", (x,))
        other = self.random.choice(self.leaves) if self._chance(0.15) else self.constant()
        return Node(self.random.choice(COMPARISONS[:4] * 3 + COMPARISONS), (x, other))

    def _where(self, kind: str, operand: Node, depth: int) -> Node:
        other = self.constant() if self._chance(0.5) else self.value(depth, 1)
        sides = (operand, other) if self._chance(0.6) else (other, operand)
        return Node(kind, (self.condition([operand]), *sides))

    def _masked_fill(self, kind: str, operand: Node, depth: int) -> Node:
        return Node(kind, (operand, self.condition([operand]), self.constant()))

    def _mask_product(self, kind: str, operand: Node, depth: int) -> Node:
        mask = Node(CAST, (self.condition([operand]),))
        if self._chance(0.25):
            mask = Node("sub", (number(1.0), mask))
        return Node(kind, (mask, operand))

    def _nan_to_num(self, kind: str, operand: Node, depth: int) -> Node:
        return Node(kind, (operand, self.constant(), number(0.0), number(0.0)))

    def _bounded(self, kind: str, operand: Node, depth: int) -> Node:
        """The selectors that compare the operand itself with a bound."""
        if kind == "relu":
            return Node(kind, (operand,))
        if kind in _PAIRS:
            other = (
                Node("full", (self.leaves[0], self.constant())) if self._chance(0.4) else self.value(depth, 1)
            )
            return Node(kind, (operand, other) if self._chance(0.5) else (other, operand))
        lo, hi = sorted((self.constant().value, self.constant().value))
        if kind == "clamp":
            return Node(kind, (operand, number(lo), number(hi)))
        if kind == "hardtanh":
            return Node(kind, (operand, number(lo), number(hi if hi > lo else lo + 1.0)))
        if kind == "threshold":
            return Node(kind, (operand, number(lo), number(hi)))
        return Node(kind, (operand, number(lo)))

    def _on_top(self, root: Node) -> Node:
        if self._chance(0.5):
            return self.unary(root)
        return Node(self.random.choice(_OPERATORS[:3]), (root, self.constant()))

    def _chance(self, p: float) -> bool:
        return self.random.random() < p


def grown(random: Random) -> Node:
    """A random program."""
    return shared(Grower(random).program())
