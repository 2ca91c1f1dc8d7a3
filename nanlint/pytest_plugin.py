"""The pytest plugin: `assert_finite_gradients` as a fixture, and `--watch-gradients` for a whole test run.

It is loaded in every run of pytest where nanlint is installed, so it imports nothing before it is asked to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare `--watch-gradients`."""
    parser.getgroup("nanlint").addoption(
        "--watch-gradients",
        action="store_true",
        help="fail a test at the first backward pass that leaves nan or inf in a gradient (needs torch)",
    )


@pytest.fixture
def assert_finite_gradients() -> Callable[..., None]:
    """`nanlint.proof.assert_finite_gradients`; skipping nothing, it raises ImportError without torch."""
    from nanlint.proof import assert_finite_gradients

    return assert_finite_gradients


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Run the test under `nanlint.proof.watch` where that is asked for."""
    if not item.config.getoption("--watch-gradients"):
        return (yield)
    from nanlint.proof import watch

    with watch():
        return (yield)
