"""Findings in functions through which nobody wants a gradient, by their uses in the whole project."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from nanlint.analysis import analyse
from nanlint.config import Config
from nanlint.finding import Confidence
from nanlint.source import from_bytes, read
from nanlint.usage.lookup import MOST_READ
from nanlint.usage.verdict import MOST_DEEP

HELPER = """
import torch


def log(x):
    return torch.where(x > 0, x.log(), x)

"""
HIGH, LOW = Confidence.HIGH, Confidence.LOW


def found(folder: Path, own: str, others: Mapping[str, str] | None = None) -> list[Confidence]:
    """How sure what is found in a file of a project is, next to others."""
    folder /= str(sum(1 for _ in folder.iterdir()))  # what a project holds is looked up once
    folder.mkdir()
    (folder / "pyproject.toml").write_text("")
    for name, text in {"own.py": own, **(others or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    findings = analyse(read(str(folder / "own.py")), Config())
    return [finding.confidence for finding in findings]


def used(folder: Path, use: str) -> list[Confidence]:
    """The same for `log`, used in another file."""
    return found(folder, HELPER, {"other.py": "import torch\nfrom own import log\n\n" + textwrap.dedent(use)})


STAND = [
    "def g(n: int):\n    y = torch.nn.Parameter(torch.ones(n))\n    return log(y)",
    "def g(n: int):\n    net = Net(n)\n    return log(net(1))",
    "def g(n: int, x):\n    return log(x)",
    "def g(n: int):\n    log(known[n])",
    "def g(n):\n    y = leaf(n.shape[0])\n    return log(y)\n\n"
    "def leaf(n):\n    return torch.nn.Parameter(torch.ones(n))",
    "def g(x, leaf):\n    y = leaf(x.detach())\n    return log(y)",
    "def g(x, y):\n    y.data += 1\n    y.rows = log(x)",
    "class Net:\n    def __init__(self):\n        known = {'log': log}\n        self.known = known['log']\n\n"
    "@torch.no_grad()\ndef g(x):\n    return log(x)",
    "def g(x):\n    y = x.detach()\n    y = y * x\n    return log(y)",
    "def g(x):\n    y = x.detach().requires_grad_()\n    return log(y)",
    "def g(x):\n    y = torch.zeros(3, requires_grad=True)\n    return log(y)",
    "def g(x):\n    y = torch.zeros(3)\n    y[0] = x\n    return log(y)",
    "def g(x):\n    y = x.detach()\n    return log(y) + log(x)",
    "def g(xs):\n    for x, y in zip(xs, [1.0, 2.0]):\n        log(x)",
    "",
    "def g(x):\n    return log(x)",
    "y = log(torch.ones(3))",
    "def g(x):\n    return log(x) * 2",
    "def g(x, y):\n    return log(x) + y.detach()",
    "def g(x):\n    return y.mul(log(x)).detach()",
    "@torch.no_grad()\ndef g(x):\n    return map(log, x)",
    "@torch.no_grad()\ndef g(x):\n    return log(x)\n\ntable = {'log': log}\n\ndef h(x):\n    return table['log'](x)",
    "@torch.no_grad()\ndef g(x):\n    return log(x)\n\ndef h(x):\n    return log(x)",
    "@torch.no_grad()\ndef g(x):\n    with torch.enable_grad():\n        return log(x)",
    "def g(x, train):\n    with torch.set_grad_enabled(train):\n        return log(x)",
    "def g(x):\n    with torch.inference_mode(mode=False):\n        return log(x)",
    "@torch.no_grad()\ndef make():\n    def inner(x):\n        return log(x)\n    return inner",
    "@torch.no_grad()\ndef make():\n    return lambda x: log(x)",
    "@torch.no_grad()\ndef g(x):\n    return log(x)\n\n@register\ndef h(x):\n    return log(x)",
    "def g(x):\n    return h(x)\n\ndef h(x):\n    return log(x) + g(x)",
    "class Op(torch.autograd.Function):\n    pass\n\ndef g(x):\n    return log(x)",
    "class Metric:\n    is_differentiable = True\n    def compute(self, x):\n        return log(x)",
    "@torch.no_grad()\ndef g(x):\n    return log(x)\n\ndef h(m, x):\n    return getattr(m, 'log')(x)",
    "from own import log as ln\n\n@torch.no_grad()\ndef g(x):\n    return log(x)\n\ndef h(x):\n    return ln(x)",
    "import own\n\ndef g(x):\n    return own.log(x)",
]


@pytest.mark.parametrize("use", STAND)
def test_what_may_be_differentiated_stands(tmp_path: Path, use: str) -> None:
    assert used(tmp_path, use) == [HIGH]


@pytest.mark.parametrize(
    "other",
    [
        "def log(x):\n    return x\n\n@torch.no_grad()\ndef g(x):\n    return log(x)",
        "from elsewhere import log\n\n@torch.no_grad()\ndef g(x):\n    return log(x)",
        "def g(logger, x):\n    return logger.log(x).item()",
    ],
)
def test_something_else_with_its_name_says_nothing(tmp_path: Path, other: str) -> None:
    assert found(tmp_path, HELPER, {"other.py": "import torch\n\n" + other}) == [HIGH]


@pytest.mark.parametrize(
    ("other", "confidence"),
    [
        ("def log(x):\n    return x\n\ndef g(x):\n    return log(x)", LOW),
        ("def g(x):\n    return torch.log(x)", LOW),
        ("from math import log\n\ndef g(x):\n    return log(x)", LOW),
        ("from elsewhere import log\n\ndef g(x):\n    return log(x)", HIGH),
        ("def g(logger, x):\n    return logger.log(x)", HIGH),
    ],
)
def test_what_may_be_a_use_counts_against_it(tmp_path: Path, other: str, confidence: Confidence) -> None:
    others = {"quiet.py": QUIET, "other.py": "import torch\n\n" + other}
    assert found(tmp_path, HELPER, others) == [confidence]


OFF = [
    "def g(n: int, cutoff: float):\n    return log(torch.cat([made(k) * cutoff for k in range(n)]))",
    "def g(x):\n    y = x.detach()\n    y = unit(y, p=2)\n    return log(y)\n\ndef unit(x, p):\n    return x / p",
    "def g(x):\n    return log(x.grad)",
    "def g(x):\n    x.data = log(x)",
    "def g(x):\n    x.data += 0.5 * log(x)",
    "def g(x):\n    y = x.detach()\n    return log(y * 2 + 1)",
    "def g(x, n: int):\n    for a, b in zip(x.numpy(), [1.0, 2.0]):\n        x = x + log(a / b + n)\n    return x",
    "def g():\n    y = torch.load('y.pt')\n    y[0] = 1.0\n    return log(torch.stack([y, y]).mean(0))",
    "class Net:\n    def __init__(self, x):\n        self.start = log(x)",
    "@torch.no_grad()\ndef g(x):\n    y = retried(log)(x)\n    return y",
    "def g(self, x):\n    return self.log.numpy()\n\n@torch.no_grad()\ndef h(x):\n    return log(x)",
    "@torch.no_grad()\ndef g(x):\n    return log(x)",
    "@torch.inference_mode()\ndef g(x):\n    return log(x)",
    "def g(x):\n    with torch.no_grad():\n        return log(x)",
    "def g(x):\n    with torch.autocast('cpu'), torch.no_grad():\n        return log(x)",
    "def g(x):\n    with torch.set_grad_enabled(False):\n        return log(x)",
    "import own\n\ndef g(x):\n    with torch.no_grad():\n        return own.log(x)",
    "from own import log as ln\n\n@torch.no_grad()\ndef g(x):\n    return ln(x)",
    "class Op(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n        return log(x)",
    "class Op(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x, how):\n"
    "        return {'log': log}[how](x)",
    "@torch.library.custom_op('a::b', mutates_args=())\ndef g(x: torch.Tensor) -> torch.Tensor:\n    return log(x)",
    "op = torch.library.custom_op('a::b', mutates_args=())(log)",
    "class Metric:\n    is_differentiable: bool = False\n    def compute(self, x):\n        return log(x)",
    "def g(x):\n    return between(x)\n\ndef between(x):\n    return log(x)\n\n"
    "@torch.no_grad()\ndef h(x):\n    return g(x)",
    "@torch.no_grad()\ndef g(x):\n    return recursive(x)\n\ndef recursive(x):\n    return recursive(log(x))",
    "TABLE = {'log': log}\n\nclass Op(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x, how):\n"
    "        return TABLE[how](x)",
    "def log(x, y, z):\n    return x\n\ndef g(x):\n    with torch.no_grad():\n        return log(x)",
    *(
        f"def g(x):\n    return {taken}"
        for taken in (
            "log(x).detach()",
            "log(x).mean().item()",
            "(log(x) * 2).cpu().numpy()",
            "log(x)[0].tolist()",
            "log(x).data",
            "log(x).argmax()",
            "float(log(x))",
            "torch.argmax(log(x))",
            "torch.sum(log(x)).item()",
            "log(x) > 0",
            "f'{log(x)}'",
            "1 if log(x) else 2",
        )
    ),
]


@pytest.mark.parametrize("use", OFF)
def test_what_is_used_without_gradients_only_is_unlikely(tmp_path: Path, use: str) -> None:
    assert used(tmp_path, use) == [LOW]


SPENT = """
import torch


def f(x, y, rows):
    z = torch.where(x > 0, x.log(), x)
    {use}


def g(x, y):
    return f(x, y, [])
"""


@pytest.mark.parametrize(
    ("use", "is_shown"),
    [
        ("return torch.topk(z, 3).indices", False),
        ("return z.argmax()", False),
        ("_, best = torch.max(z, dim=0); return best", False),
        ("return torch.sort(z)[1]", False),
        ("keys = [0.0]; keys.append(z.sum()); print(keys); return y", False),
        ("keys = [y]; keys.append(z.sum()); return torch.stack(keys)", True),
        ("z.mul_(2); y = y[z > 3]; return y", False),
        ("return y if z.sum() > 3 else -y", False),
        ("total = 0\n    for one in z: total += one.item()\n    return y * total", False),
        ("total = 0\n    for one in z: total += one\n    return y * total", True),
        ("best, _ = torch.max(z, dim=0); return best", True),
        ("return torch.sort(z)[0]", True),
        ("return z", True),
        ("rows.append(z)", True),
        ("y.z = z", True),
        ("z.sum().backward()", True),
        ("keep(z); return y", True),
        ("return [one * y for one in z]", True),
        ("return y[[k for k in range(3) if z[k] > 0]]", False),
        ("global kept; kept = z", True),
        ("return (w := z) + y", True),
    ],
)
def test_what_is_only_compared_or_ranked_sends_no_gradient(tmp_path: Path, use: str, is_shown: bool) -> None:
    assert (HIGH in found(tmp_path, SPENT.format(use=use))) is is_shown


def test_a_script_finds_packages_in_its_own_folder(tmp_path: Path) -> None:
    script = "import torch\nfrom model.rays import log\n\nwith torch.no_grad():\n    y = log(torch.ones(3))\n"
    (tmp_path / "code" / "model").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "code" / "train.py").write_text(script)
    own = tmp_path / "code" / "model" / "rays.py"
    own.write_text(HELPER)
    assert [finding.confidence for finding in analyse(read(str(own)), Config())] == [LOW]


APART = "from own import log\n\n\ndef {function}(x):\n    return log(x)\n"


@pytest.mark.parametrize(
    ("file", "function", "confidence"),
    [
        ("other.py", "validation_step", LOW),
        ("other.py", "_init_weights", LOW),
        ("other.py", "training_step", HIGH),
        ("other.py", "__init__", HIGH),
        ("data/pairs.py", "collate", LOW),
        ("metrics/overlap.py", "overlap", LOW),
        ("losses/overlap.py", "overlap", HIGH),
    ],
)
def test_a_use_in_code_that_nothing_is_trained_through_is_one_without_gradients(
    tmp_path: Path, file: str, function: str, confidence: Confidence
) -> None:
    assert found(tmp_path, HELPER, {file: APART.format(function=function)}) == [confidence]


QUIET = "import torch\nfrom own import log\n\n@torch.no_grad()\ndef g(x):\n    return log(x)\n"
LOUD = "from own import log\n\ndef h(x):\n    return log(x)\n"


@pytest.mark.parametrize("name", ["tests/a.py", "test_a.py", "a_test.py", "conftest.py"])
def test_tests_differentiate_what_they_test(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, HELPER, {"other.py": QUIET, name: LOUD}) == [LOW]
    assert found(tmp_path, HELPER, {"other.py": QUIET, "more.py": LOUD}) == [HIGH]


def test_a_use_in_tests_alone_is_none(tmp_path: Path) -> None:
    assert found(tmp_path, HELPER, {"tests/a.py": QUIET}) == [HIGH]


def test_importing_is_no_use(tmp_path: Path) -> None:
    others = {"other.py": QUIET, "package/__init__.py": "from own import log\n\n__all__ = ['log']\n"}
    assert found(tmp_path, HELPER, others) == [LOW]


def test_the_uses_in_the_file_itself_count(tmp_path: Path) -> None:
    assert found(tmp_path, HELPER + "def g(x):\n    return log(x).item()\n") == [LOW]
    assert found(tmp_path, HELPER + "def g(x):\n    return log(x)\n", {"other.py": QUIET}) == [HIGH]


def test_what_asks_for_gradients_itself_stands(tmp_path: Path) -> None:
    own = HELPER.replace("return", "x.requires_grad_()\n    return")
    assert found(tmp_path, own, {"other.py": QUIET}) == [HIGH]


def test_what_is_registered_stands(tmp_path: Path) -> None:
    own = HELPER.replace("def log", "@register\ndef log")
    assert HIGH in found(tmp_path, own, {"other.py": QUIET})


def test_a_name_that_half_the_project_has_is_not_followed(tmp_path: Path) -> None:
    others = {f"n{number}.py": QUIET for number in range(MOST_READ)}
    assert found(tmp_path, HELPER, others) == [LOW]
    assert found(tmp_path, HELPER, {**others, "one.py": QUIET}) == [HIGH]


@pytest.mark.parametrize(("between", "confidence"), [(MOST_DEEP - 1, LOW), (MOST_DEEP, HIGH)])
def test_callers_are_followed_so_far(tmp_path: Path, between: int, confidence: Confidence) -> None:
    text = "import torch\nfrom own import log as f0\n\n"
    text += "".join(f"def f{n + 1}(x):\n    return f{n}(x)\n\n" for n in range(between))
    text += f"@torch.no_grad()\ndef g(x):\n    return f{between}(x)\n"
    assert found(tmp_path, HELPER, {"other.py": text}) == [confidence]


METHOD = """
import torch
{imports}


class Layer({base}):
    def {name}(self, x, y):
        return torch.where(x > 0, x.log(), y)


"""
CALLS = """
import torch
from own import Layer

class Net:
    def __init__(self):
        self.layer = Layer()

    @torch.no_grad()
    def evaluate(self, x):
        return self.layer{call}(x, x)
"""


@pytest.mark.parametrize(("name", "call"), [("energy", ".energy"), ("forward", ""), ("__call__", "")])
def test_a_method_is_found_by_its_name_or_by_the_objects_of_its_class(
    tmp_path: Path, name: str, call: str
) -> None:
    own = METHOD.format(imports="", base="torch.nn.Module", name=name)
    other = CALLS.format(call=call)
    assert found(tmp_path, own, {"other.py": other}) == [LOW]
    more = f"def g(net, x):\n    return net.layer{call}(x, y=x)\n"
    assert found(tmp_path, own, {"other.py": other, "more.py": more}) == [HIGH]


def test_a_call_with_other_arguments_is_of_another_method(tmp_path: Path) -> None:
    own = METHOD.format(imports="", base="object", name="compute")
    more = (
        "def g(metric, x):\n    return metric.compute() + metric.compute(x) + metric.compute(1, 2, 3, 4, 5)\n"
    )
    others = {"other.py": CALLS.format(call=".compute"), "more.py": more}
    assert found(tmp_path, own, others) == [LOW]


@pytest.mark.parametrize(
    "use",
    ["net = torch.nn.Sequential(Layer())", "class Other(Layer):\n    pass", "def g(n):\n    return n.layer"],
)
def test_objects_that_are_handed_on_may_be_called_by_anyone(tmp_path: Path, use: str) -> None:
    own = METHOD.format(imports="", base="torch.nn.Module", name="forward")
    more = "import torch\nfrom own import Layer\n\n" + use
    assert found(tmp_path, own, {"other.py": CALLS.format(call=""), "more.py": more}) == [HIGH]


@pytest.mark.parametrize(
    ("made", "call"),
    [
        ("Layer()", ".forward"),
        ("Layer().to('cpu').eval()", ""),
        ("torch.nn.Sequential(Layer())", ""),
    ],
)
def test_objects_are_found_where_they_are_kept(tmp_path: Path, made: str, call: str) -> None:
    own = METHOD.format(imports="", base="torch.nn.Module", name="forward").replace("y):", "y=0):")
    own += "    def __init__(self):\n        super(Layer, self).__init__()\n"
    other = CALLS.format(call=call).replace("= Layer()", f"= {made}").replace("(x, x)", "(x)")
    assert found(tmp_path, own, {"other.py": other}) == [LOW]
    more = f"def g(net, x):\n    return net.layer{call}(x)\n"
    assert found(tmp_path, own, {"other.py": other, "more.py": more}) == [HIGH]


@pytest.mark.parametrize(
    ("name", "call", "confidence"),
    [
        ("sampled_output", "model.sampled_output(x, x)", LOW),
        ("sampled_output", "model.sampled_output(x, x) + other.sampled(x)", LOW),
        ("sampled", "model.sampled(x, x)", HIGH),
        ("compute_loss", "model.compute_loss(x, x)", HIGH),
        ("training_step", "model.training_step(x, x)", HIGH),
        ("sampled_output", "self.sampled_output(x, x)", HIGH),
    ],
)
def test_what_a_project_calls_itself_is_no_hook_of_a_framework(
    tmp_path: Path, name: str, call: str, confidence: Confidence
) -> None:
    own = METHOD.format(imports="from transformers import Trainer", base="Trainer", name=name)
    use = f"import torch\n\n@torch.no_grad()\ndef g(self, model, other, x):\n    return {call}\n"
    assert found(tmp_path, own, {"other.py": use}) == [confidence]
    tests = {"tests/test_own.py": f"def test(model, x):\n    model.{name}(x, x)\n"}
    assert found(tmp_path, own, tests) == [HIGH]


def test_a_class_from_elsewhere_calls_what_it_asks_for(tmp_path: Path) -> None:
    others = {
        "other.py": CALLS.format(call=".compute_loss"),
        "base.py": "import torch\nfrom transformers import Trainer\n\nclass Base(Trainer):\n    pass\n",
        "plain.py": "class Base:\n    pass\n",
    }
    own = METHOD.format(imports="from plain import Base", base="Base", name="compute_loss")
    assert found(tmp_path, own, others) == [LOW]
    own = METHOD.format(imports="from base import Base", base="Base", name="compute_loss")
    assert found(tmp_path, own, others) == [HIGH]


def test_but_not_what_is_private(tmp_path: Path) -> None:
    others = {"other.py": CALLS.format(call="._compute_loss")}
    own = METHOD.format(imports="from transformers import Trainer", base="Trainer", name="_compute_loss")
    assert found(tmp_path, own, others) == [LOW]


METRIC = """
import torch
from own import _compute

class Metric:
    is_differentiable = {declared}

    def compute(self):
        return _compute(self.x)
"""
FUNCTIONAL = """
import torch


def _compute(x):
    return {compute}


def metric(x):
    y = _compute(x)
    return {metric}
"""
HAZARD = "torch.where(x > 0, x.log(), x)"


@pytest.mark.parametrize(("compute", "metric"), [(HAZARD, "y"), ("x * 2", HAZARD)])
def test_the_function_of_a_metric_is_what_the_metric_declares(
    tmp_path: Path, compute: str, metric: str
) -> None:
    own = FUNCTIONAL.format(compute=compute, metric=metric)
    assert found(tmp_path, own, {"other.py": METRIC.format(declared=False)}) == [LOW]
    assert found(tmp_path, own, {"other.py": METRIC.format(declared=True)}) == [HIGH]


def test_what_a_function_gives_away_is_called_elsewhere(tmp_path: Path) -> None:
    own = """
        import torch

        def log():
            def inner(x):
                return torch.where(x > 0, x.log(), x)
            return inner
    """
    other = QUIET.replace("log(x)", "log()")
    assert found(tmp_path, textwrap.dedent(own), {"other.py": other}) == [HIGH]


def test_a_result_that_is_kept_may_be_found_elsewhere(tmp_path: Path) -> None:
    own = """
        import torch

        class Loss:
            def energy(self, x):
                self.last = torch.where(x > 0, x.log(), x)
                return self.last
    """
    other = "def g(loss, x):\n    return loss.energy(x).item()\n"
    assert found(tmp_path, own, {"other.py": other}) == [HIGH]


def test_a_notebook_uses_its_functions_itself() -> None:
    def shown(use: str) -> list[Confidence]:
        cells = [{"cell_type": "code", "source": text, "metadata": {}} for text in (HELPER, use)]
        data = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
        return [finding.confidence for finding in analyse(from_bytes("n.ipynb", data), Config())]

    assert shown("y = log(torch.ones(3)).numpy()") == [LOW]
    assert shown("y = log(torch.ones(3))") == [HIGH]


def test_unreadable_files_are_not_guessed_at(tmp_path: Path) -> None:
    assert found(tmp_path, HELPER, {"other.py": QUIET, "old.py": "print log\n"}) == [HIGH]


def test_a_script_outside_of_any_project_has_the_files_next_to_it(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(HELPER)
    (tmp_path / "other.py").write_text(QUIET)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "far.py").write_text(LOUD)
    findings = analyse(read(str(tmp_path / "own.py")), Config())
    assert [finding.confidence for finding in findings] == [LOW]


@pytest.mark.parametrize(("decorator", "confidence"), [("project_jit_script()", LOW), ("register()", HIGH)])
def test_what_compiles_a_function_leaves_it_what_it_is(
    tmp_path: Path, decorator: str, confidence: Confidence
) -> None:
    own = HELPER.replace("def log", f"@{decorator}\ndef log")
    use = "import torch\nfrom own import log\n\n@torch.no_grad()\ndef g(x):\n    return log(x)\n"
    assert found(tmp_path, own, {"other.py": use}) == [confidence]


@pytest.mark.parametrize(("declared", "confidence"), [("solve", LOW), ("prepare", HIGH)])
def test_the_file_of_a_base_class_calls_the_method_that_it_declares(
    tmp_path: Path, declared: str, confidence: Confidence
) -> None:
    base = (
        f"import torch\n\nclass Problem:\n    def {declared}(self, x):\n        raise NotImplementedError\n\n"
        "@torch.no_grad()\ndef minimise(problem, x):\n    return problem.solve(x)\n"
    )
    own = (
        "import torch\nfrom base import Problem\n\nclass Exact(Problem):\n    def solve(self, x):\n"
        "        return torch.where(x > 0, x.log(), x)\n"
    )
    assert found(tmp_path, own, {"base.py": base}) == [confidence]
