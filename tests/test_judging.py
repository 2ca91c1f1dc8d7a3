"""What speaks against a witness: findings that are there but not shown, and their likes that are."""

from __future__ import annotations

import textwrap

import pytest

from nanlint.analysis import analyse
from nanlint.config import Config
from nanlint.finding import Confidence
from nanlint.source import from_bytes

HEAD = "import torch\nimport torch.nn.functional as F\nimport numpy as np\n"


def shown(body: str) -> list[Confidence]:
    """The confidences of the findings in a module, the most certain first."""
    text = HEAD + textwrap.dedent(body)
    return sorted(
        (f.confidence for f in analyse(from_bytes("m.py", text.encode()), Config())), key=lambda c: c.rank
    )


def is_shown(body: str) -> bool:
    """Whether anything is shown by default."""
    return any(confidence is not Confidence.LOW for confidence in shown(body))


SIGN = """
    def f(x, side):
        root = x.sqrt()
        return torch.where(side < 0, {taken}, root)
"""


@pytest.mark.parametrize("taken", ["-root", "root", "-(-root)", "root.neg()"])
def test_a_value_that_is_taken_with_either_sign_is_not_dropped(taken: str) -> None:
    assert shown(SIGN.format(taken=taken)) == []


def test_a_value_that_something_else_replaces_is_dropped() -> None:
    assert is_shown("def f(x):\n    root = x.sqrt()\n    return torch.where(x <= 0, -x, root)")


ROUNDED = """
    def f(area, aspect):
        side = (area / aspect).sqrt(){rounded}
        return torch.where(area > 0, side, torch.ones_like(side))
"""


@pytest.mark.parametrize("rounded", [".round()", ".floor()", ".sign()", ".round().clamp(max=9)"])
def test_what_only_rounding_leads_to_is_trained_by_nobody(rounded: str) -> None:
    found = shown(ROUNDED.format(rounded=rounded))
    assert set(found) == {Confidence.LOW}


def test_without_rounding_it_is_shown() -> None:
    assert is_shown(ROUNDED.format(rounded=""))


def test_a_path_that_does_not_round_counts() -> None:
    assert is_shown("def f(x):\n    r = 1 / x\n    return torch.where(x > 0, r.round() + r, 0.0)")


USED_TWICE = """
    def f(x, width):
        position = x / width
        bent = torch.where(position > 0.5, position ** 2, position)
        return bent{also}
"""


def test_a_value_that_is_broken_without_the_selector_is_no_witness() -> None:
    found = shown(USED_TWICE.format(also=" + position"))
    assert set(found) <= {Confidence.LOW}


GUARDED_ELSEWHERE = """
    def f(x, y):
        inverse = 1 / x
        small = torch.where(x > 0, inverse, 0.0)
        return small + {other}
"""


def test_a_second_selector_repairs_the_value_there() -> None:
    assert is_shown(GUARDED_ELSEWHERE.format(other="torch.where(x > 0, y * inverse, y)"))


def test_the_other_use_counts_only_if_it_is_broken() -> None:
    assert is_shown(GUARDED_ELSEWHERE.format(other="torch.tanh(inverse)"))
    assert not is_shown(GUARDED_ELSEWHERE.format(other="inverse * 2"))


def test_the_other_use_counts_only_where_it_is_reached() -> None:
    body = """
        def f(x, y, flag: bool):
            inverse = 1 / x
            if flag:
                return inverse
            return torch.where(x > 0, inverse, y)
    """
    assert is_shown(body)
