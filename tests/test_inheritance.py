"""What classes have from one another: `super()`, and base classes that leave a part to their subclasses."""

from __future__ import annotations

import textwrap

import pytest

from nanlint.analysis import analyse
from nanlint.config import Config
from nanlint.finding import Confidence
from nanlint.source import from_bytes


def found_at(body: str) -> set[int]:
    """The lines of what is shown of a module."""
    text = "import torch\n" + textwrap.dedent(body)
    findings = analyse(from_bytes("m.py", text.encode()), Config())
    return {f.span.start.line for f in findings if f.confidence is not Confidence.LOW}


GUARDED = """
    class Base:
        def __init__(self, least):
            self.least = least

    class Log(Base):
        def __init__(self):
            super({named}).__init__({least})

        def __call__(self, x):
            return torch.where(x > 0.5, x.clamp(min=self.least).log(), 0.0)
"""


@pytest.mark.parametrize("named", ["", "Log, self"])
def test_attributes_are_those_that_the_init_of_the_base_class_makes(named: str) -> None:
    assert found_at(GUARDED.format(named=named, least="0.0")) == {12}
    assert found_at(GUARDED.format(named=named, least="0.1")) == set()


CHAIN = """
    class First:
        def made(self, x):
            return x.sqrt()

    class Second(First):
        def made(self, x):
            return super().made(x) + 1.0

    class Third(Second):
        def made(self, x):
            return {call}

    def f(x, mask):
        return torch.where(mask, Third().made(x), 0.0)
"""


def test_each_method_goes_on_behind_the_class_that_it_is_written_in() -> None:
    assert found_at(CHAIN.format(call="super().made(x)")) == {16}
    assert found_at(CHAIN.format(call="super().made(x.sigmoid() + 1.0)")) == set()


def test_what_is_asked_of_a_class_of_another_library_is_unknown() -> None:
    assert not found_at("""
        class Own(Elsewhere):
            def forward(self, x, mask):
                return torch.where(mask, super().forward(x), 0.0)
    """)


TEMPLATE = """
    class Template:
        least = 0.0

        def masked(self, x, mask):
            return torch.where(mask, self.{asked}(x), 0.0)

        def made(self, x):
            return x + 1.0

        def other(self, x):
            return x - 1.0

    class Completed(Template):
        def made(self, x):
            return x.sqrt()
"""


def test_a_base_class_drops_what_a_subclass_computes() -> None:
    assert found_at(TEMPLATE.format(asked="made")) == {7}


def test_a_base_class_that_asks_for_nothing_of_the_subclass_is_not_run_again() -> None:
    assert found_at(TEMPLATE.format(asked="other")) == set()


def test_a_method_that_the_subclass_has_itself_is_not_taken_from_the_base_class() -> None:
    own = TEMPLATE.format(asked="made") + (
        "\n        def masked(self, x, mask):\n            return torch.where(mask, x, 0.0)\n"
    )
    assert found_at(own) == set()
