"""Triage: what is passed over holds nothing, and what holds something is not passed over."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from strategies import programs

from nanlint.analysis import analyse
from nanlint.catalogue import OPS, SELECTORS, SPELLINGS
from nanlint.catalogue.selectors import MASK_PRODUCT
from nanlint.catalogue.structure import MODULES
from nanlint.catalogue.structure import SELECTING as NAMES
from nanlint.config import Config
from nanlint.flow import suspects
from nanlint.flow.digest import MODULE, digested, place_of
from nanlint.flow.sources import IMPORTED
from nanlint.lower.between import MASKED
from nanlint.lower.handlers.matrices import HANDLERS as MATRICES
from nanlint.proof.programs.writing import Program
from nanlint.source import AnalysisError, Source
from nanlint.triage import EVERYTHING, examined
from nanlint.words import BOUNDING, LAYERS, PRODUCTS, SELECTING, SINGULAR, WEIGHING

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\nfrom . import helpers\n"


def suspected(text: str, project: str = "helpers") -> list[str]:
    """The names of the functions that are suspected in a file of some package."""
    tree = ast.parse(HEAD + text)
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    names = {MODULE: "module"} | {place_of(node): node.name for node in functions}
    found = suspects(
        digested(tree, "", squares=False),
        lambda tokens, flag: any(token.startswith(IMPORTED + project) for token in tokens),
    )
    return sorted(names[place] for place in found)


def _nothing(tokens: Sequence[str], flag: int) -> bool:
    return False


def function(body: str) -> str:
    """A function of these lines."""
    return "def f(x, y, mask, eps=1e-6):\n" + "".join(f"    {line}\n" for line in body.split("; "))


@pytest.mark.parametrize(
    "body",
    [
        "return x.sqrt()",
        "return torch.where(x > 0, x, 0.0)",
        "return torch.where(x > 0, x, 0.0).log()",
        "return x.clamp(min=eps).log()",
        "return torch.log(torch.relu(x) + 1)",
        "return torch.where(x / y > 0, x, y)",
        "return torch.where(mask, x / 2, x * y ** 2)",
        "return mask * (x - 3.5) / y",
        "norm = x / y; return x.clamp(min=0)",
        "for i in range(3): y = x[i] * y\nreturn y / x",
        "return f'{x / y}' * 3",
        "z = x / y; return z[:, : mask.sum()]",
        "z = {}; z['mask'] = x / y; return z['mask']",
        "z = x / y; z[: mask.sum()] = 0; return z",
        "z = x / y; return z[int(y)]",
        "i = 0; z = x / y; return z[i]",
        "z = {'a': x / (y > 0)}; return {k: z[k] for k, w in z.items()}",
        "z = {'a': x / (y > 0)}; return [z[k] for k in z.keys()]",
        "z = [x / (y > 0)]; return [z[i] for i, w in enumerate(z)]",
        "z = [x / (y > 0)]; return [z[i] for i in range(mask.sum())]",
    ],
)
def test_what_has_no_selector_above_a_singular_op_is_passed_over(body: str) -> None:
    assert suspected(function(body)) == []


@pytest.mark.parametrize(
    "body",
    [
        "return torch.where(x > 0, x.sqrt(), 0.0)",
        "return mask * x.sqrt()",
        "z = x / y; return z[mask]",
        "z = x / y; z[mask] = 0; return z",
        "z = x; z /= y; return z.clamp(min=0)",
        "z = x.clone(); z.sqrt_(); return torch.relu(z)",
        "z = x; z.sqrt_(); return torch.relu(x)",
        "torch.sqrt(x, out=y); return torch.relu(y)",
        "z = [x]; z.append(x.log()); return torch.relu(z[1])",
        "z = {}; z['a'] = x.log(); return torch.relu(z['a'])",
        "z, w = x.log(), y; return torch.relu(w)",
        "return torch.relu(w := x.log()) + w",
        "return [torch.relu(z) for z in (x.log(), y)]",
        "z = y if x.mean() else x.log(); return torch.relu(z)",
        "z = y\n    if x.log():\n        z = x\n    return torch.relu(z)",
        "g = torch.log; return torch.relu(g(x))",
        "g = torch.where; return g(x > 0, x.log(), y)",
        "g = getattr(torch, 'where'); return g(x > 0, x.log(), y)",
        "return torch.relu(getattr(x, 'log')())",
        "g = lambda z: z.log(); return torch.relu(g(x))",
        "return torch.relu(x ** y)",
        "return torch.relu(x ** -1)",
        "return torch.relu(x ** 3)",
        "return torch.relu(x % y)",
        "return torch.relu(1e-9 + x / 1e-12)",
        "return torch.relu(helpers.root(x))",
        "with helpers.scale(x) as z: return torch.relu(z)",
        "return nn.ReLU()(x.log())",
        "mask *= x.log(); return mask",
        "return x.log().mul(mask)",
        "return mask @ x.log()",
        "return torch.einsum('i,i->', mask, x.log())",
        "z = x / y; return z[:, mask]",
        "z = x / y; return z[y > 0]",
        "z = x / y; z[..., ~mask] = 0; return z",
        "z = x / y; return z[torch.nonzero(y)]",
        "z = x / y; return [z[m] for i, m in enumerate([y > 0])]",
        "z = x / y; return [z[m] for k, m in {'a': y > 0}.items()]",
        "return int(y) * x.log()",
    ],
)
def test_a_selector_above_a_singular_op_is_suspected(body: str) -> None:
    assert suspected(function(body)) == ["f"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def root(x):\n    return x.sqrt()\ndef f(x):\n    return torch.relu(root(x))\n", ["f"]),
        ("def f(x):\n    def g(y):\n        return torch.relu(y.log())\n    return g(x)\n", ["f", "g"]),
        (
            "def f(x):\n    z = x.log()\n    def g():\n        return torch.relu(z)\n    return g()\n",
            ["f", "g"],
        ),
        ("def f(x):\n    def g():\n        return x.log()\n    return torch.relu(g())\n", ["f"]),
        ("SCALE = torch.rand(3).log()\ndef f(x):\n    return torch.relu(SCALE * x)\n", ["f"]),
        ("act = F.relu\ndef f(x):\n    return act(x.log())\n", ["f"]),
        ("from torch import where as pick\ndef f(x):\n    return pick(x > 0, x.log(), x)\n", ["f"]),
        ("from torch import sqrt as root\ndef f(x):\n    return torch.relu(root(x))\n", ["f"]),
    ],
)
def test_names_of_the_file_are_followed(text: str, names: list[str]) -> None:
    assert suspected(text) == names


DROPPING = "def mean(v, keep):\n    z = v.clone()\n    return {result}\n"


def test_a_function_that_drops_what_it_is_given_is_a_selector_to_its_callers() -> None:
    call = "def f(x, mask):\n    return mean(x.log(), mask)\n"
    assert suspected(DROPPING.format(result="z[keep].mean()") + call) == ["f"]
    assert suspected(DROPPING.format(result="(keep * z).mean()") + call) == ["f"]
    assert suspected(DROPPING.format(result="z.mean()") + call) == []
    assert suspected(DROPPING.format(result="z[keep].mean()") + call.replace("log", "sin")) == []


@pytest.mark.parametrize(
    ("result", "called", "found"),
    [
        ("z.clamp(min=0.0)", "mean(x.log(), mask)", []),  # no mask decides
        ("z * v", "mean(x.log(), x)", []),  # nor is there any
        ("z * v", "mean(x.log(), x > 0)", ["f"]),
        ("z[k]", "mean(x.log(), x)", []),
        ("z[k]", "mean(x.log(), mask)", ["f"]),
        ("z[:k, torch.nonzero(k)]", "mean(x.log(), x)", ["f"]),
        ("torch.where(k, z, 0.0)", "mean(x.log(), x)", ["f"]),
        ("torch.nan_to_num(z)", "mean(x.log(), x)", ["f"]),
    ],
)
def test_what_a_function_drops_takes_a_mask_that_it_has_or_is_given(
    result: str, called: str, found: list[str]
) -> None:
    text = f"def mean(v, k):\n    z = v.clone()\n    return {result}\ndef f(x, mask):\n    return {called}\n"
    assert suspected(text) == found


HANDING = (
    "class A(helpers.Base):\n    def drop(self, v, keep):\n        return torch.where(keep, v, 0.0)\n"
    "    def f(self, x, keep):\n        return self.run(x.log(), keep)\n"
)
RUNNING = "class Base:\n    def run(self, v, keep):\n        return {}\n"


@pytest.mark.parametrize(("run", "found"), [("self.drop(v, keep)", True), ("self.show(v)", False)])
def test_what_is_inherited_may_call_a_function_that_drops(tmp_path: Path, run: str, found: bool) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "helpers.py").write_text(RUNNING.format(run))
    text = "import torch\nimport helpers\n" + HANDING
    path = tmp_path / "models.py"
    path.write_text(text)
    assert (examined(Source(str(path), text), Config()) is not None) is found


CLASS = (
    "class A({base}):\n    def __init__(self, x):\n        {init}\n    def g(self, x):\n        return {g}\n"
)
METHOD = "    def f(self, x):\n        return {f}\n"


@pytest.mark.parametrize(
    ("base", "init", "g", "f"),
    [
        ("nn.Module", "self.scale = x.exp()", "x", "torch.relu(self.scale)"),
        ("nn.Module", "self.act = nn.ReLU()", "x", "self.act(x.log())"),
        ("nn.Module", "self.part = helpers.Part()", "x", "torch.relu(self.part(x))"),
        ("nn.Module", "pass", "x.log()", "torch.relu(self.g(x))"),
        ("nn.Module", "pass", "torch.where(x > 0, x, 0.0)", "self.g(x.log())"),
        ("helpers.Base", "pass", "x", "torch.relu(self.inherited(x))"),
        ("helpers.Base", "pass", "x", "torch.relu(super().f(x))"),
    ],
)
def test_attributes_are_followed(base: str, init: str, g: str, f: str) -> None:
    text = CLASS.format(base=base, init=init, g=g) + METHOD.format(f=f)
    assert suspected(text) == ["f"]
    assert suspected(text.replace("log()", "sin()").replace("exp", "sin"), "nothing") == []


def test_own_attributes_of_a_class_are_not_taken_for_inherited_ones() -> None:
    text = CLASS.format(base="helpers.Base", init="self.own = x", g="x") + METHOD.format(
        f="torch.relu(self.own)"
    )
    assert suspected(text) == []


def test_statements_outside_of_functions_are_told_apart() -> None:
    assert suspected("x = torch.rand(3)\ny = torch.relu(x.log())\n" + function("return x")) == ["module"]


def test_squares_overflow_in_short_dtypes() -> None:
    tree = ast.parse(HEAD + function("return torch.relu(x ** 2)"))
    found = [suspects(digested(tree, "", squares=squares), _nothing) for squares in (False, True)]
    assert found == [frozenset(), {place_of(tree.body[-1])}]


def test_a_star_import_from_the_project_may_bring_anything() -> None:
    text = "from helpers import *\ndef f(x):\n    return torch.relu(root(x))\n"
    assert suspected(text) == ["f"]
    assert suspected(text, "nothing") == []


# --- the words, against the catalogue


def _short(spellings: tuple[str, ...]) -> set[str]:
    return {spelling.rsplit(".", 1)[-1] for spelling in spellings}


def test_every_spelling_of_a_singular_op_is_known() -> None:
    spelled = {word for row in OPS.values() if row.singular for word in _short(row.spellings)}
    assert spelled - SINGULAR - WEIGHING == set()


def test_every_matrix_function_is_known() -> None:
    assert set(MATRICES) - SINGULAR == set()


def test_every_module_that_is_singular_is_known() -> None:
    singular = {
        name for name, made in MODULES.items() if isinstance(made, str) and made in OPS and OPS[made].singular
    }
    assert singular - SINGULAR - WEIGHING == set()


def test_every_spelling_of_a_selector_is_known() -> None:
    spelled = {word for op in SELECTORS if op in OPS for word in _short(OPS[op].spellings)}
    assert (spelled | NAMES) - SELECTING - PRODUCTS == set()
    assert _short(OPS[MASK_PRODUCT.op].spellings) - PRODUCTS == set()


def test_what_bounds_is_decided_by_no_mask() -> None:
    ops = {op.name for spelling, op in SPELLINGS.items() if spelling.rpartition(".")[2] in BOUNDING}
    assert ops
    assert ops.isdisjoint([*MASKED, "mul", "nan_to_num"])


def test_every_module_that_selects_is_known() -> None:
    spelled = {op: row.name for op, row in SPELLINGS.items()}
    selecting = {name for name, made in MODULES.items() if spelled.get(str(made), made) in SELECTORS}
    assert selecting - LAYERS == set()


# --- against the analysis of everything


@settings(max_examples=150, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
@given(programs())
def test_random_programs_lose_nothing(program: Program) -> None:
    source = Source("program.py", program.text)
    # by their texts, for gradients are nan
    assert repr(analyse(source, Config())) == repr(analyse(source, Config(), worth=EVERYTHING))


@pytest.mark.parametrize(
    "text",
    [
        "import torch\n\n\ndef f(x):\n    return torch.where(x > 0, x, 0.0)\n",
        "from torch import Tensor\nfrom math import pi\n\n\ndef f(x: Tensor):\n    return x.clamp(min=pi)\n",
    ],
)
def test_a_file_without_singular_words_is_told_by_its_text(text: str) -> None:
    assert examined(Source("m.py", text), Config()) is None


@pytest.mark.parametrize("line", ["torch.add(x, 1, out=y)", "y = x / 2 ** x", "y %= x", "y = root(x)"])
def test_what_may_be_singular_is_read(line: str) -> None:
    head = "import torch\nfrom torch import sqrt as root\n\n\n"
    text = f"{head}def f(x, y):\n    {line}\n    return torch.where(x > 0, y, x)\n"
    assert examined(Source("m.py", text), Config()) is not None


def test_a_text_that_is_no_python_is_told_even_so() -> None:
    with pytest.raises(AnalysisError):
        examined(Source("m.py", "import torch\n\ndef f(:\n"), Config())
