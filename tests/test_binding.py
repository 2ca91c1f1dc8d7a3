"""Further arguments of torch's functions: the rows name them all, and say what the defaults are."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from nanlint.catalogue import OPS, SPELLINGS
from nanlint.catalogue.domains import ALIASES, ANY, INDIFFERENT
from nanlint.proof.asking import resolve

SCHEMAS = {"torch.special.": "special_", "torch.linalg.": "linalg_", "torch.": "", "Tensor.": ""}
"""What torch's own names of overloads begin with, by namespace."""

UNNAMED = {"n", "l", "b", "max_values", "min_indices", "values", "indices"}
"""Names of scalar overloads and of results, which no call can give."""

OTHER_FORMS = {
    "Tensor.max": {"other", "dim", "keepdim", "max"},
    "Tensor.min": {"other", "dim", "keepdim", "min"},
    "torch.max": {"other", "dim", "keepdim", "max"},
    "torch.min": {"other", "dim", "keepdim", "min"},
    "torch.nn.functional.elu_": {"scale", "input_scale"},
}
"""What makes another op of a call, by the name of the function."""

IN_TORCH = sorted(name for name in SPELLINGS if name.startswith(("torch.", "Tensor.")))


def parameters(spelling: str) -> Iterator[tuple[str, Any]]:
    """Names and defaults of the parameters that torch's function has in any of its overloads."""
    function = resolve(spelling)
    try:
        for parameter in inspect.signature(function).parameters.values():
            yield parameter.name, parameter.default
    except ValueError:  # implemented in C++
        prefix = next(prefix for prefix in SCHEMAS if spelling.startswith(prefix))
        short = SCHEMAS[prefix] + spelling.rsplit(".", 1)[-1]
        for schema in torch._C._jit_get_schemas_for_operator(f"aten::{short}"):
            for argument in schema.arguments:
                has = argument.has_default_value()
                yield argument.name, argument.default_value if has else inspect.Parameter.empty


@pytest.mark.parametrize("spelling", IN_TORCH)
def test_a_row_names_what_torch_takes(spelling: str) -> None:
    row = SPELLINGS[spelling]
    known = {*row.parameters, *row.further, *INDIFFERENT, *ALIASES, *UNNAMED}
    names = {name for name, _ in parameters(spelling)}
    assert names - known <= OTHER_FORMS.get(spelling, set())


@pytest.mark.parametrize("name", [name for name, row in OPS.items() if row.further or row.defaults])
def test_what_a_row_takes_for_granted_is_the_default(name: str) -> None:
    row = OPS[name]
    said = {**{word: value for word, value in row.further.items() if value is not ANY}, **row.defaults}
    for spelling in row.spellings:
        defaults = dict(parameters(spelling))
        for word in said.keys() & defaults.keys():
            assert defaults[word] in (said[word], inspect.Parameter.empty), spelling


@pytest.mark.parametrize("alias", ["x", "a", "x1"])
def test_torch_takes_the_other_names_of_the_operand(alias: str) -> None:
    x = torch.tensor([4.0])
    assert ALIASES[alias] == "input"
    assert torch.sqrt(**{alias: x}).item() == 2.0


@pytest.mark.parametrize(("alias", "name"), [("axis", "dim"), ("keepdims", "keepdim")])
def test_torch_takes_the_names_of_numpy(alias: str, name: str) -> None:
    assert ALIASES[alias] == name
    given: dict[str, Any] = {"dim": 0, "keepdim": True}
    given[alias] = given.pop(name)
    assert torch.ones(2, 3).sum(**given).shape == (1, 3)
