"""The walk through torch's namespaces: it really calls them, and finds nothing that the catalogue does not know."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

import pytest
import torch
from torch import Tensor

from nanlint.catalogue import OPS
from nanlint.catalogue.structure import DEGENERATE
from nanlint.proof.sweep import EXEMPT, FORMS, NAMESPACES, NOT_CALLED, Sweep, is_covered, sweep, tried

State: TypeAlias = tuple[torch.dtype, bool, list[int]]

FEWEST_CALLED = {
    "torch": 320,
    "Tensor": 320,
    "torch.nn.functional": 88,
    "torch.linalg": 33,
    "torch.special": 29,
}
"""A little less than what was measured with torch 2.13.0: 336, 339, 93, 35 and 30."""

NOT_REACHED = {
    "log_ndtr": "its overflow lies where its own rounding errors do",
    "gammainc": "torch refuses the derivative of its first argument",
    "gammaincc": "torch refuses the derivative of its first argument",
    "logsumexp": "it takes a row of nothing but minus infinity",
}


@dataclass(frozen=True)
class Walk:
    """A sweep, and torch's state before and after."""

    found: Sweep
    states: tuple[State, State]


def state() -> State:
    return torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_rng_state().tolist()


@pytest.fixture(scope="module")
def walk() -> Walk:
    before = state()
    return Walk(sweep(), (before, state()))


@pytest.fixture(scope="module")
def walked(walk: Walk) -> Sweep:
    return walk.found


def shortened(names: list[str]) -> set[str]:
    """Names without namespace and without the underscore of the form in place."""
    return {name.removesuffix("_").rsplit(".", 1)[-1] for name in names}


# --- what stays as it was ------------------------------------------------------------------------------------------


def test_the_walk_leaves_torch_as_it_was(walk: Walk) -> None:
    before, after = walk.states
    assert before == after


def test_a_regular_function_is_not_reported() -> None:
    for form in ("a vector", "two vectors"):
        assert tried("f", lambda x, y=1.0: x * y, FORMS[form]) == (True, None)


def test_a_function_that_takes_nothing_is_not_called() -> None:
    assert tried("f", lambda: None, FORMS["a vector"]) == (False, None)


def test_a_result_without_gradient_is_no_call() -> None:
    assert tried("f", lambda x: x.detach(), FORMS["a vector"]) == (False, None)


@pytest.mark.parametrize(
    "name", ["set_default_dtype", "manual_seed", "rand_like", "save", "compile", "normal_"]
)
def test_what_changes_state_or_is_random_is_not_called(name: str) -> None:
    assert NOT_CALLED.match(name)


@pytest.mark.parametrize(
    "name", ["sqrt", "normalize", "poisson_nll_loss", "cond", "logsumexp", "std", "addcdiv"]
)
def test_what_is_neither_is_called(name: str) -> None:
    assert not NOT_CALLED.match(name)


# --- torch ---------------------------------------------------------------------------------------------------------


def test_every_function_that_poisons_is_in_the_catalogue(walked: Sweep) -> None:
    assert not walked.uncovered, "\n".join(map(str, walked.uncovered))


def test_the_walk_calls_what_there_is(walked: Sweep) -> None:
    called = Counter(name.rsplit(".", 1)[0] for name in walked.called)
    assert set(called) == set(NAMESPACES)
    for namespace, fewest in FEWEST_CALLED.items():
        assert called[namespace] >= fewest


@pytest.mark.parametrize(
    "name", ["torch.where", "torch.matmul", "Tensor.sum", "torch.linalg.inv", "torch.cat"]
)
def test_functions_of_each_form_are_called(walked: Sweep, name: str) -> None:
    assert name in walked.called
    assert name not in {found.name for found in walked.poisoned}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_is_accepted_by_something(form: str) -> None:
    examples = {
        "a matrix and an order": torch.linalg.matrix_norm,
        "two matrices": torch.linalg.solve,
        "a matrix and a vector": torch.linalg.solve,
        "two batches and signs": torch.nn.functional.cosine_embedding_loss,
        "three batches": torch.nn.functional.triplet_margin_loss,
        "three vectors": torch.lerp,
        "a batch and labels": torch.nn.functional.cross_entropy,
        "a batch and a shape": torch.nn.functional.layer_norm,
        "a batch and three numbers": torch.renorm,
        "three matrices": torch.addmm,
        "two stacks of matrices": torch.bmm,
        "a mask and two vectors": torch.where,
        "a vector, a mask and a number": torch.masked_fill,
        "a vector and a mask": torch.masked_select,
        "a vector, a dimension and indices": torch.index_select,
        "a vector, a dimension, indices and a vector": torch.index_add,
        "a number and a vector": torch.polygamma,
        "a vector and two numbers": torch.nn.functional.threshold,
        "a signal and two numbers": torch.nn.functional.lp_pool1d,
        "an image and two numbers": torch.nn.functional.lp_pool2d,
        "a volume and two numbers": torch.nn.functional.lp_pool3d,
        "a signal and a size": torch.nn.functional.avg_pool1d,
        "an image and a size": torch.nn.functional.avg_pool2d,
        "a volume and a size": torch.nn.functional.avg_pool3d,
        "a list of vectors": torch.cat,
        "a list of matrices": torch.linalg.multi_dot,
        "a formula and vectors": torch.einsum,
        "sequences and targets": torch.nn.functional.ctc_loss,
        "a batch and a number": torch.nn.functional.normalize,
        "two batches": torch.cdist,
        "two vectors": torch.atan2,
        "a vector and a number": torch.pow,
    }
    taken, _ = tried("f", examples.get(form, torch.abs), FORMS[form])
    assert taken


def test_every_singular_row_is_found_by_the_walk(walked: Sweep) -> None:
    found = shortened([poisoned.name for poisoned in walked.poisoned])
    spelled = [row for row in OPS.values() if row.singular and row.spellings]
    missed = {row.name for row in spelled if not found & shortened(list(row.spellings))}
    assert missed == set(NOT_REACHED)


def test_every_entry_of_the_tables_is_found_by_the_walk(walked: Sweep) -> None:
    found = shortened([poisoned.name for poisoned in walked.poisoned])
    assert set(DEGENERATE) <= found
    assert set(EXEMPT) <= found


def test_every_exemption_has_a_reason() -> None:
    assert all(len(reason) > 10 for reason in EXEMPT.values())
    assert not set(EXEMPT) & set(DEGENERATE)


# --- what is found -------------------------------------------------------------------------------------------------


def test_a_poisoned_function_is_found_with_its_arguments() -> None:
    taken, found = tried("mine.root", torch.sqrt, FORMS["a vector"])
    assert taken
    assert found is not None
    assert str(found) == "mine.root([0.0, 0.0])"


def test_a_poisoned_function_of_matrices_is_found() -> None:
    _, found = tried("mine.volume", torch.logdet, FORMS["a matrix"])
    assert found is not None
    assert str(found) == "mine.volume([[0.0, 0.0], [0.0, 0.0]])"


def test_a_function_in_place_is_given_a_copy() -> None:
    taken, found = tried("Tensor.log_", Tensor.log_, FORMS["a vector"])
    assert taken
    assert found is not None


def test_a_function_that_no_table_has_is_not_covered() -> None:
    assert not is_covered("torch.no_such_function")
    assert not is_covered("torch.atan2")  # it has a row, but a harmless one
    assert is_covered("torch.sqrt")
    assert is_covered("Tensor.sqrt_")
    assert is_covered("torch.linalg.svd")
    assert is_covered("torch.addcdiv")
