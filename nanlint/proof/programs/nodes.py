"""The expressions that random programs are made of: graphs of nodes that may share their parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

LEAF, FLAG, NUMBER, CAST = "leaf", "flag", "number", "cast"
"""A float input, a bool input, a constant, and the float 0 or 1 of a bool."""

COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
CONNECTIVES = ("and", "or", "not")
MASK_PRODUCT = "mask_product"
"""`mul` with a float mask as its first argument."""
SELECTORS = frozenset(
    {
        *("where", "masked_fill", "masked_select", MASK_PRODUCT, "nan_to_num"),
        *("clamp_min", "clamp_max", "clamp", "relu", "hardtanh", "threshold"),
        *("maximum", "minimum", "fmax", "fmin"),
    }
)


@dataclass(frozen=True, eq=False)
class Node:
    """One value: `op` of `args`. The same object is the same value. Inputs have a name, numbers a value."""

    op: str
    args: tuple[Node, ...] = ()
    name: str = ""
    value: float = 0.0

    def __str__(self) -> str:
        if self.op in (LEAF, FLAG):
            return self.name
        return f"{self.value}" if self.op == NUMBER else f"{self.op}({', '.join(map(str, self.args))})"

    @property
    def is_number(self) -> bool:
        """Whether this is a constant."""
        return self.op == NUMBER

    @property
    def is_bool(self) -> bool:
        """Whether its values are True and False."""
        return self.op == FLAG or self.op in COMPARISONS or self.op in CONNECTIVES


def number(value: float) -> Node:
    """A constant."""
    return Node(NUMBER, value=value)


def nodes(root: Node, given: Collection[Node] = ()) -> list[Node]:
    """`root` and all that it is made of, each once, arguments first; what is `given` needs no arguments."""
    found: dict[Node, None] = {}

    def visit(node: Node) -> None:
        if node not in found:
            for arg in () if node in given else node.args:
                visit(arg)
            found[node] = None

    visit(root)
    return list(found)


def selectors(root: Node) -> list[Node]:
    """The selectors in a graph, inner ones first."""
    return [node for node in nodes(root) if node.op in SELECTORS]


def depth(root: Node) -> int:
    """How deeply selectors are nested."""
    deep: dict[Node, int] = {}
    for node in nodes(root):
        below = max((deep[arg] for arg in node.args), default=0)
        deep[node] = below + (node.op in SELECTORS)
    return deep[root]


def uses(root: Node) -> dict[Node, int]:
    """How often each node is an argument of another one."""
    counts = dict.fromkeys(nodes(root), 0)
    for node in counts:
        for arg in node.args:
            counts[arg] += 1
    return counts


def rebuilt(root: Node, change: Callable[[Node, tuple[Node, ...]], Node]) -> Node:
    """The graph in which each node is what `change` makes of it and of its new arguments."""
    made: dict[Node, Node] = {}
    for node in nodes(root):
        made[node] = change(node, tuple(made[arg] for arg in node.args))
    return made[root]


def shared(root: Node) -> Node:
    """The graph in which what is computed alike is one node, as nanlint takes it."""
    known: dict[tuple[object, ...], Node] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        key = (node.op, node.name, str(node.value), *map(id, args))
        return known.setdefault(key, replace(node, args=args))

    return rebuilt(root, change)


def inputs(roots: Sequence[Node]) -> Iterator[Node]:
    """The inputs below `roots`, by name."""
    found = {node.name: node for root in roots for node in nodes(root) if node.op in (LEAF, FLAG)}
    return (found[name] for name in sorted(found))
