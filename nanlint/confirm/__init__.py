"""`--confirm`: the graph of each finding as a program of catalogue ops, run by torch in a process of its own.

Nothing here imports torch, and nothing of an analysed file is ever imported or run: a program is made of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from nanlint.confirm.verdict import Judged, judged
from nanlint.confirm.worker import Worker
from nanlint.finding import Finding

_Item = TypeVar("_Item")


def confirmed(
    items: Iterable[_Item], findings: Callable[[_Item], Sequence[Finding]]
) -> Iterator[tuple[_Item, tuple[list[Finding], list[str]]]]:
    """Each item with its findings after torch was asked, and the bugs of nanlint that came to light."""
    with Worker() as worker:
        for item in items:
            told: list[Judged] = [judged(finding, worker) for finding in findings(item)]
            yield item, ([one.finding for one in told], [bug for one in told for bug in one.bugs])
