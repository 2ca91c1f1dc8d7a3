"""Triage across files: what an imported name stands for is looked up in the project, and loses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from nanlint.analysis import analyse
from nanlint.config import Config
from nanlint.source import read
from nanlint.triage import EVERYTHING, examined

MAIN = "import torch\nfrom torch import nn\n{}\n\n\ndef f(x: torch.Tensor, mask):\n    return {}\n"


def is_suspected(folder: Path, files: Mapping[str, str], lines: str, returned: str) -> bool:
    """Whether triage leaves anything of a file with these imports that returns something, amid other files."""
    for name, text in {**files, "main.py": MAIN.format(lines, returned)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    source = read(str(folder / "main.py"))
    worth = examined(source, Config())
    everything = analyse(source, Config(), worth=EVERYTHING)
    assert repr(analyse(source, Config())) == repr(everything)  # by their texts, for gradients are nan
    assert worth is not None or everything == []
    return worth is not None


HARMLESS = {
    "helper.py": """import torch
import main
from torch import nn
import numpy as np
from other import *
SCALE = 2.0
def double(x):
    return x * SCALE
def mean(values):
    "Values / count, and a percent sign: %"
    return sum(values) / 2
def around(x):
    return main.f(around(x))
class Part(nn.Module):
    def forward(self, x):
        return self.inner(x)
    def inner(self, x):
        return double(x)
class Ratio:
    def __init__(self, x):
        self.x = x
    def divided(self, by):
        return self.x / by
try:
    from fast import tried
except ImportError:
    def tried(x):
        return x.log()
""",
    "other.py": "from helper import double\ndef twice(x):\n    return double(double(x))\n",
}


@pytest.mark.parametrize(
    ("lines", "returned"),
    [
        ("from helper import double", "torch.relu(double(x))"),
        ("import helper", "torch.relu(helper.double(x))"),
        ("import helper as h", "torch.where(mask, h.double(x), h.SCALE)"),
        ("from helper import mean", "torch.relu(mean(x))"),
        ("from helper import around", "torch.relu(around(x))"),
        ("from helper import Part", "torch.relu(Part()(x))"),
        ("from helper import twice", "torch.relu(twice(x))"),
        ("from helper import *", "torch.relu(twice(x))"),
        ("from helper import tried", "torch.relu(tried(x))"),
        ("from helper import gone", "torch.relu(gone(x))"),
        ("from gone import double", "torch.relu(double(x))"),
        ("from helper import np", "torch.relu(np.double(x))"),
        ("from helper import double, mean", "double(x).log() + double(mean)(x / x)"),
        ("import helper", "x / x * helper.mean(x)"),
    ],
)
def test_what_other_files_do_harmlessly_is_passed_over(tmp_path: Path, lines: str, returned: str) -> None:
    assert not is_suspected(tmp_path, HARMLESS, lines, returned)


HARMFUL = {
    "helper.py": """import torch
from torch import nn
from torch import where as choose
import torch.nn.functional as F
from package import deep, Deep, deeper as renamed
from package.inner import *
INVERSE = 1 / torch.rand(3)
ONES = torch.rand(3) > 0.5
clip = F.relu
def root(x):
    return x.sqrt()
def again(x, n=3):
    return x if n == 0 else once_more(x, n - 1)
def once_more(x, n):
    return root(again(x, n))
def kept(x):
    return x > 0
def made():
    class Inside(nn.Module):
        def forward(self, x):
            return root(x)
    return Inside()
class Part(nn.Module):
    def __init__(self):
        super().__init__()
        self.act = nn.ReLU()
        self.table = 1 / torch.rand(3)
    def forward(self, x):
        return self.inner(x)
    def inner(self, x):
        return root(x)
class Child(Part):
    pass
def build():
    return Part()
PART = Part()
""",
    "package/__init__.py": "from .inner import deep, Deep\nfrom . import inner\nfrom .inner import deep as deeper\n",
    "package/inner.py": """import helper
def deep(x):
    return helper.root(x)
def starred(x):
    return deep(x)
class Deep:
    scale = 1.0
    def part(self, x):
        return deep(x)
""",
}


@pytest.mark.parametrize(
    ("lines", "returned"),
    [
        ("from helper import root", "torch.relu(root(x))"),
        ("import helper", "torch.relu(helper.root(x))"),
        ("import helper\nh = helper", "torch.relu(h.root(x))"),
        ("from helper import again", "torch.relu(again(x))"),
        ("from helper import INVERSE", "torch.relu(INVERSE * x)"),
        ("from helper import Part", "torch.relu(Part()(x))"),
        ("from helper import Part", "torch.relu(Part().inner(x))"),
        ("from helper import Part", "torch.relu(Part().table)"),
        ("from helper import Child", "torch.relu(Child().table)"),
        ("from helper import PART", "torch.relu(PART.table)"),
        ("from helper import build", "torch.relu(build().table)"),
        ("from helper import made", "torch.relu(made()(x))"),
        ("from helper import renamed", "torch.relu(renamed(x))"),
        ("from helper import starred", "torch.relu(starred(x))"),
        ("from helper import *", "torch.relu(starred(x))"),
        ("from package import inner", "torch.relu(inner.deep(x))"),
        ("import package.inner", "torch.relu(package.inner.Deep().part(x))"),
        ("from package import Deep", "torch.relu(Deep.part(None, x))"),
        ("from helper import clip", "clip(x.log())"),
        ("from helper import choose", "choose(x > 0, x.log(), 0.0)"),
        ("import helper", "helper.choose(x > 0, x.log(), 0.0)"),
        ("from helper import *", "choose(x > 0, x.log(), 0.0)"),
        ("from helper import kept", "kept(x) * x.log()"),
        ("from helper import ONES", "ONES * x.log()"),
        ("from helper import Part\nclass C(Part):\n    def f(self, x): return self.act(x.log())", "x"),
        ("import helper\nclass C(helper.Child):\n    def f(self, x): return self.act(x.log())", "x"),
        ("from helper import Child\nclass C(Child):\n    def f(self, x): return torch.relu(self.table)", "x"),
        (
            "from helper import Child\nclass C(Child):\n    def f(self, x): return torch.relu(super().inner(x))",
            "x",
        ),
        ("from helper import root\nroot = root", "torch.relu(root(x))"),
        ("import helper\nif helper:\n    helper = None", "torch.relu(helper.root(x))"),
    ],
)
def test_what_other_files_do_is_suspected(tmp_path: Path, lines: str, returned: str) -> None:
    assert is_suspected(tmp_path, HARMFUL, lines, returned)


def test_a_parameter_is_not_what_is_imported_under_its_name(tmp_path: Path) -> None:
    assert not is_suspected(tmp_path, HARMFUL, "import helper as mask", "torch.relu(x * mask.root)")


def test_what_changes_is_read_anew(tmp_path: Path) -> None:
    call = "from helper import root", "torch.relu(root(x))"
    assert is_suspected(tmp_path, HARMFUL, *call)
    assert not is_suspected(tmp_path, {"helper.py": "def root(x):\n    return x\n"}, *call)


@pytest.mark.parametrize("helper", ["def root(x):\n    return " + "-" * 2000 + "x\n", "def root(x:\n", "\0"])
def test_what_cannot_be_read_is_followed_by_nobody(tmp_path: Path, helper: str) -> None:
    is_suspected(tmp_path, {"helper.py": helper}, "from helper import root", "torch.relu(root(x))")
