"""Inputs at which programs are likely to go wrong: zeros, tiny and large numbers, thresholds, ties."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from random import Random
from typing import TypeAlias

from nanlint.arithmetic import ARITHMETIC
from nanlint.proof.programs.nodes import FLAG, NUMBER, Node, inputs, nodes

Point: TypeAlias = Mapping[Node, float]
"""A number for each input; 0 or 1 for a bool."""

_EVERYWHERE = (0.0, -0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 10.0, 100.0, 1000.0, 6000.0, 0.1, 1e-3, 1e-6, 1e-12)
_UNUSUAL = (1e-30, 1e10, 1e20, 3e38)
SMALLEST, LARGEST = 1e-15, 7000.0
"""What inputs of usual size lie between, apart from 0."""
_STEPS = (-1e-3, -(2.0**-23), 2.0**-23, 1e-3)
_MOST = 240


def points(root: Node, random: Random) -> list[dict[Node, float]]:
    """Inputs for a program: all that are interesting of one input, ties and random choices of several."""
    names = list(inputs([root]))
    floats = [node for node in names if node.op != FLAG]
    pool = values(root)
    ties = [dict.fromkeys(floats, value) for value in pool]
    mixed: list[dict[Node, float]] = []
    if len(floats) > 1:
        mixed = [{node: random.choice(pool) for node in floats} for _ in range(_MOST - len(ties))]
    flags = [node for node in names if node.op == FLAG]
    return [
        point | dict(zip(flags, bits, strict=True))
        for point in [*ties, *mixed]
        for bits in itertools.product((0.0, 1.0), repeat=len(flags))
    ]


def values(root: Node) -> list[float]:
    """Numbers that matter to a program: usual and unusual ones, and its own constants with their neighbours."""
    round_ = ARITHMETIC["float32"].round
    own = {node.value for node in nodes(root) if node.op == NUMBER}
    near = [c + step * max(1.0, abs(c)) for c in (*own, 0.0, 1.0) for step in (0.0, *_STEPS)]
    made = [*_EVERYWHERE, *near, *_UNUSUAL]
    return list({str(v): v for v in (round_(sign * x) for x in made for sign in (1.0, -1.0))}.values())


def is_usual(point: Point) -> bool:
    """Whether no input is beyond what nanlint takes for plausible, nor a negative zero."""
    return all(SMALLEST <= abs(x) <= LARGEST or str(x) == "0.0" for x in point.values())
