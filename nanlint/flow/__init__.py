"""Which functions of a syntax tree may hold a selector above a singular op, told by the syntax alone.

Lowering finds this out exactly; this costs a small part of that, and errs on one side only. A name stands for
everything that is bound to it anywhere in a function and the functions inside of it, an attribute for everything that
is bound to it anywhere in the file, a call for its function and all of its arguments. What is imported from other files
of the project is looked up there in the same way, and only where a selector depends on it.

- `sources`, `bindings`, `operators`, `expressions`, `statements`: the reader of a tree
- `spread`: what names are made of; `digest`: what is kept of a file
- `elsewhere`: the digests of other files
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nanlint.flow.digest import Digest, Place
from nanlint.flow.sources import DROPPING, MASK, PICKING, SELECTING, SINGULAR

May = Callable[[Sequence[str], int], bool]
"""Whether what some tokens of a file stand for may have one of the flags."""


def suspects(digest: Digest, may: May) -> frozenset[Place]:
    """The places of the functions that may hold a selector above a singular op.

    With each of them those around it; the module itself is among them for statements outside of functions.
    """
    answers: dict[tuple[int, int], bool] = {}

    def has(bits: int, flag: int) -> bool:
        if bits & flag:
            return True
        if (bits, flag) not in answers:
            answers[bits, flag] = may([*digest.tokens_in(bits)], flag)
        return answers[bits, flag]

    found: set[Place] = set()
    for operands, mask, flag, around in digest.selectors:
        if not found.issuperset(around) and has(operands, SINGULAR) and (mask is None or has(mask, flag)):
            found.update(around)
    for arguments, called, around in digest.calls:
        if found.issuperset(around) or not has(arguments, SINGULAR):
            continue
        picks = called & PICKING and has(called | arguments, MASK)
        if picks or has(called, DROPPING) or has(called, SELECTING):
            found.update(around)
    return frozenset(found)
