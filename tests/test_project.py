"""Functions, classes and constants of other files of the project: which are followed, and where their hazards are told.

A helper that nanlint does not follow gives an unknown value. So `GUARD` below is silent only if `positive` is followed
and sound, and `BARE` has a finding only if `root` is followed and unsound.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from nanlint.config import Config
from nanlint.engine import check, check_file, fix
from nanlint.finding import Finding
from nanlint.modules import MOST_BYTES, MOST_KEPT, load
from nanlint.project import Found, Project
from nanlint.source import Source, read

CONFIG = Config()
SOUND = "import torch\n\n\ndef positive(x):\n    return x.clamp(min=1e-6)\n"
UNSOUND = "import torch\n\n\ndef root(x):\n    return x.sqrt()\n"
GUARD = "import torch\n{}\n\n\ndef f(x: torch.Tensor):\n    return torch.where(x > 0, {}(x).sqrt(), 0.0)\n"
BARE = "import torch\n{}\n\n\ndef f(x: torch.Tensor):\n    return torch.where(x > 0, {}(x), 0.0)\n"


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files, each under its path in `folder`; the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def found(folder: Path, name: str) -> list[Finding]:
    return check_file(str(folder / name), CONFIG)


def codes(folder: Path, name: str) -> list[str]:
    return [finding.code for finding in found(folder, name)]


def sites(folder: Path, name: str) -> list[tuple[str, str]]:
    """The ops that are told and the text at their places."""
    source = read(str(folder / name))
    return [(site.op, source.slice(site.span)) for finding in found(folder, name) for site in finding.sites]


def guard(line: str, called: str = "positive") -> str:
    return GUARD.format(line, called)


def bare(line: str, called: str = "root") -> str:
    return BARE.format(line, called)


# What must stay silent, or unknown


def test_a_sound_helper_makes_its_caller_sound(tmp_path: Path) -> None:
    written(tmp_path, {"helper.py": SOUND, "main.py": guard("from helper import positive")})
    assert codes(tmp_path, "main.py") == []


def test_a_helper_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    written(tmp_path, {"a.py": guard("from helper import positive"), "b.py": bare("from helper import root")})
    assert codes(tmp_path, "a.py") == ["NAN101"]
    assert codes(tmp_path, "b.py") == []


@pytest.mark.parametrize("path", ["-", "", "stdin", "gone/main.py"])
def test_nothing_is_followed_from_text_that_is_no_file(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, {"helper.py": SOUND + UNSOUND})
    monkeypatch.chdir(tmp_path)
    assert Project.around(path) == Project()
    assert check(Source(path, bare("from helper import root")), CONFIG) == []
    assert len(check(Source(path, guard("from helper import positive")), CONFIG)) == 1


def test_a_file_called_like_stdin_is_not_what_stdin_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, {"helper.py": UNSOUND, "-": ""})
    monkeypatch.chdir(tmp_path)
    assert check(Source("-", bare("from helper import root")), CONFIG) == []


@pytest.mark.parametrize(
    "helper",
    [
        "def root(x:\n    return x.sqrt()\n",
        UNSOUND + "# " + "x" * MOST_BYTES,
        "# \udcff\n" + UNSOUND,
        UNSOUND + "\0",
        "def root(x):\n    return " + " + ".join(["x"] * 700) + " + x.sqrt()\n",
        "def root(x):\n    yield x.sqrt()\n",
        "def root(x):\n    raise NotImplementedError\n",
        "def root(x):\n    ...\n",
        "import torch\n\n\n@torch.no_grad()\ndef root(x):\n    return x.sqrt()\n",
        "if something:\n    def root(x):\n        return x\nelse:\n    def root(x):\n        return x.sqrt()\n",
        "def root(x):\n    return x.sqrt()\n\n\nroot = wrapped(root)\n",
        "def root(x):\n    return x.sqrt()\n\n\nfor root in roots:\n    pass\n",
        "def root(x):\n    return root(x) + x\n",
    ],
    ids=[
        "broken",
        "huge",
        "undecodable",
        "null",
        "deep",
        "generator",
        "abstract",
        "stub",
        "no_grad",
        "ambiguous",
        "wrapped",
        "loop",
        "recursive",
    ],
)
def test_a_helper_that_cannot_be_followed_is_unknown(helper: str, tmp_path: Path) -> None:
    written(tmp_path, {"main.py": bare("from helper import root")})
    (tmp_path / "helper.py").write_bytes(helper.encode(errors="surrogateescape"))
    assert codes(tmp_path, "main.py") == []


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    written(tmp_path, {"main.py": bare("from helper import root"), "folder.py/x.txt": ""})
    os.mkfifo(tmp_path / "helper.py")  # to read it would block for ever
    assert codes(tmp_path, "main.py") == []
    assert load(str(tmp_path / "helper.py")) is load(str(tmp_path / "folder.py")) is None


@pytest.mark.parametrize(
    "body",
    [
        "def root(x):\n    return x\n\n\n",
        "root = torch.nn.functional.softplus\n\n\n",
        "from elsewhere import root\n\n\n",
    ],
)
def test_a_name_bound_anew_is_no_longer_the_imported_one(body: str, tmp_path: Path) -> None:
    main = bare("from helper import root").replace("def f", body + "def f")
    written(tmp_path, {"helper.py": UNSOUND, "main.py": main})
    assert codes(tmp_path, "main.py") == []


def test_a_parameter_hides_an_import(tmp_path: Path) -> None:
    main = bare("from helper import root").replace("Tensor)", "Tensor, root)")
    written(tmp_path, {"helper.py": UNSOUND, "main.py": main})
    assert codes(tmp_path, "main.py") == []


def test_nothing_outside_the_project_is_followed(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "helper.py": UNSOUND,
            "project/pyproject.toml": "",
            "project/package/__init__.py": "",
            "project/package/main.py": bare("from helper import root"),
            "project/package/up.py": bare("from ...helper import root"),
        },
    )
    assert codes(tmp_path, "project/package/main.py") == []
    assert codes(tmp_path, "project/package/up.py") == []


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    written(tmp_path, {"helper.py": UNSOUND, "project/main.py": bare("from helper import root")})
    (tmp_path / "project/helper.py").symlink_to(tmp_path / "helper.py")
    assert codes(tmp_path, "project/main.py") == []


def test_installed_packages_are_not_followed(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "",
        "helper.py": UNSOUND,
        "site-packages/helper.py": UNSOUND,
        "site-packages/own/__init__.py": "",
        "site-packages/own/inside.py": UNSOUND,
        "site-packages/own/main.py": bare("from helper import root"),
        "site-packages/own/other.py": bare("from own.inside import root"),
        "site-packages/single.py": bare("from helper import root"),
    }
    written(tmp_path, files)
    assert codes(tmp_path, "site-packages/own/main.py") == []
    assert codes(tmp_path, "site-packages/single.py") == []
    assert codes(tmp_path, "site-packages/own/other.py") == ["NAN101"]


@pytest.mark.parametrize("name", ["torch", "numpy", "math"])
def test_a_file_called_like_a_known_library_is_not_that_library(name: str, tmp_path: Path) -> None:
    written(tmp_path, {f"{name}.py": UNSOUND, "main.py": bare(f"from {name} import root")})
    assert codes(tmp_path, "main.py") == []


def test_imports_in_a_circle_end(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "a.py": "from b import nothing, first\n",
            "b.py": "from a import nothing, first\nfrom c import *\n",
            "c.py": "from b import *\n",
            "main.py": guard("from a import nothing, first", "nothing"),
        },
    )
    assert codes(tmp_path, "main.py") == ["NAN101"]
    assert Project.around(str(tmp_path / "main.py")).resolve("c.nothing") == "c.nothing"


def test_functions_of_several_files_that_call_one_another_end(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "a.py": "from b import back\n\n\ndef forth(x):\n    return back(x) + 1\n",
            "b.py": "from main import f\nfrom a import forth\n\n\ndef back(x):\n    return f(x) + forth(x)\n",
            "main.py": bare("from a import forth", "forth"),
        },
    )
    assert codes(tmp_path, "main.py") == []


def test_classes_that_inherit_from_one_another_in_a_circle_end(tmp_path: Path) -> None:
    main = """import torch
from other import B


class A(B):
    def f(self, x):
        return torch.where(x > 0, self.root(x), 0.0)
"""
    other = "from main import A\n\n\nclass B(A):\n    def root(self, x):\n        return x.sqrt()\n"
    written(tmp_path, {"main.py": main, "other.py": other})
    assert sites(tmp_path, "main.py") == [("sqrt", "self.root(x)")]


def test_selectors_of_a_followed_file_are_not_reported_in_its_caller(tmp_path: Path) -> None:
    helper = "import torch\n\n\ndef half(x):\n    return torch.where(x > 0, x.sqrt(), 0.0)\n"
    written(
        tmp_path, {"helper.py": helper, "main.py": "import torch\nfrom helper import half\n\n\ny = half(1)\n"}
    )
    assert codes(tmp_path, "helper.py") == ["NAN101"]
    assert codes(tmp_path, "main.py") == []


# Which file an import names


@pytest.mark.parametrize(
    ("line", "called"),
    [
        ("from helper import root", "root"),
        ("from helper import root as r", "r"),
        ("import helper", "helper.root"),
        ("import helper as h", "h.root"),
        ("from helper import *", "root"),
        ("from package import root", "root"),
        ("from package import renamed", "renamed"),
        ("from package import module", "module.root"),
        ("from package import other_name", "other_name.root"),
        ("import package.module", "package.module.root"),
        ("import package.inner.deep as d", "d.root"),
        ("from package.inner.deep import root", "root"),
        ("from package.starred import root", "root"),
        ("from spread.module import root", "root"),
        ("from package.attempts import root", "root"),
        ("from package.pairs import root", "root"),
        ("from package.pairs import typed", "typed"),
        ("from package.pairs import short", "short"),
        ("from package.module import same", "same"),
        ("from package import same", "same"),
    ],
)
def test_every_way_to_name_a_helper(line: str, called: str, tmp_path: Path) -> None:
    star = "from .module import *\n"
    attempt = "try:\n    from .module import root\nexcept ImportError:\n    root = None\n"
    pairs = "(root, other), typed = (r, 1), 2\ntyped: object = r\nshort = lambda x: r(x)\n"
    written(
        tmp_path,
        {
            "helper.py": UNSOUND,
            "package/__init__.py": "from .module import root, root as renamed\nfrom . import module as other_name\n"
            "from .same import same\n",
            "package/module.py": UNSOUND + "\n\nfrom .same import same\n",
            "package/same.py": "def same(x):\n    return x.sqrt()\n",
            "package/inner/__init__.py": "",
            "package/inner/deep.py": "from ..module import root\n",
            "package/starred.py": star,
            "package/attempts.py": attempt,
            "package/pairs.py": f"from .module import root as r\n{pairs}",
            "spread/module.py": UNSOUND,
            "main.py": bare(line, called),
        },
    )
    assert sites(tmp_path, "main.py") == [("sqrt", f"{called}(x)")]


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("package/main.py", "from .module import root"),
        ("package/main.py", "from package.module import root"),
        ("package/inner/main.py", "from ..module import root"),
        ("package/inner/main.py", "from .. import module; root = module.root"),
        ("package/inner/__init__.py", "from ..module import root"),
        ("package/inner/deeper/main.py", "from ...module import root"),
        ("package/inner/main.py", "from tools.helper import root"),
        ("checks/main.py", "from package.module import root"),
        ("checks/main.py", "from tools.helper import root"),
        ("checks/main.py", "from .beside import root"),
        ("checks/main.py", "from beside import root"),
    ],
)
@pytest.mark.parametrize("src", ["", "src/"])
@pytest.mark.parametrize("marker", ["pyproject.toml", "setup.py", ".git/HEAD"])
def test_packages_are_found_from_inside_and_outside(
    place: str, line: str, src: str, marker: str, tmp_path: Path
) -> None:
    place = place if place.startswith("checks/") else src + place
    written(
        tmp_path,
        {
            marker: "",
            f"{src}package/__init__.py": "",
            f"{src}package/module.py": UNSOUND,
            f"{src}package/inner/__init__.py": "",
            f"{src}package/inner/deeper/__init__.py": "",
            "tools/helper.py": UNSOUND,
            "checks/package/module.py": "def root(x):\n    return x\n",  # no package: the real one comes first
            "checks/beside.py": UNSOUND,
            place: bare(line),
        },
    )
    assert codes(tmp_path, place) == ["NAN101"]


def test_a_package_without_a_project_around_it_finds_itself(tmp_path: Path) -> None:
    written(
        tmp_path,
        {"p/__init__.py": "", "p/module.py": UNSOUND, "p/main.py": bare("from p.module import root")},
    )
    assert codes(tmp_path, "p/main.py") == ["NAN101"]


def test_paths_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(
        tmp_path, {"p/__init__.py": "", "p/module.py": UNSOUND, "p/main.py": bare("from .module import root")}
    )
    monkeypatch.chdir(tmp_path / "p")
    assert len(check_file("main.py", CONFIG)) == len(check_file("../p/main.py", CONFIG)) == 1


def test_an_import_inside_a_followed_function_is_from_its_own_package(tmp_path: Path) -> None:
    helper = "def late(x):\n    from .module import root\n    return root(x)\n"
    written(
        tmp_path,
        {
            "p/__init__.py": "",
            "p/module.py": UNSOUND,
            "p/helper.py": helper,
            "module.py": "def root(x):\n    return x\n",
            "main.py": bare("from p.helper import late", "late"),
        },
    )
    assert sites(tmp_path, "main.py") == [("sqrt", "late(x)")]


def test_names_of_torch_may_come_by_way_of_the_project(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "compat.py": "import torch\nfrom torch import where as pick\nimport torch.nn.functional as F\n",
            "main.py": "from compat import torch as t, pick\n\n\ndef f(x):\n    return pick(x > 0, t.sqrt(x), 0.0)\n",
        },
    )
    assert sites(tmp_path, "main.py") == [("sqrt", "t.sqrt(x)")]


def test_a_file_is_read_anew_when_it_has_changed(tmp_path: Path) -> None:
    written(tmp_path, {"helper.py": SOUND, "main.py": guard("from helper import positive")})
    assert codes(tmp_path, "main.py") == []
    written(tmp_path, {"helper.py": "def positive(x):\n    return x.clamp(min=0.0)\n"})
    assert codes(tmp_path, "main.py") == ["NAN101"]


def test_an_unchanged_file_is_parsed_once(tmp_path: Path) -> None:
    written(tmp_path, {"helper.py": SOUND})
    assert load(str(tmp_path / "helper.py")) is load(str(tmp_path / "helper.py")) is not None


def test_the_files_that_are_kept_have_a_bound(tmp_path: Path) -> None:
    large = "# " + "x" * (MOST_BYTES - 10) + "\na = 1\n"
    count = MOST_KEPT // len(large) + 2
    written(tmp_path, {f"m{index}.py": large for index in range(count)})
    modules = [load(str(tmp_path / f"m{index}.py")) for index in range(count)]
    assert all(module is not None and set(module.bound) == {"a"} for module in modules)
    assert load(str(tmp_path / "m0.py")) is not modules[0]
    assert load(str(tmp_path / f"m{count - 1}.py")) is modules[-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\n", Found),
        ("a = 1\na: int\n", Found),
        ("import a\n", str),
        ("b = 1\n", str),
        ("a = 1\ndel a\n", type(None)),
        ("a = 1\na += 1\n", type(None)),
        ("a = 1\nif b:\n    a = 2\n", type(None)),
        ("if b:\n    a = 1\n", Found),
        ("if b:\n    a = 1\nelif c:\n    a = 2\n", type(None)),
        ("if b:\n    a = 1\na = 2\n", Found),
        ("try:\n    a = 1\nexcept E:\n    a = 2\n", Found),
        ("try:\n    pass\nexcept E:\n    a = 2\n", Found),
        ("with b:\n    a = 1\n", Found),
        ("while b:\n    a = 1\n", type(None)),
        ("a, *c = b\n", type(None)),
        ("match b:\n    case 1:\n        a = 1\n", type(None)),
    ],
)
def test_what_a_file_binds_for_certain(text: str, expected: type, tmp_path: Path) -> None:
    written(tmp_path, {"m.py": text, "main.py": ""})
    resolved = Project.around(str(tmp_path / "main.py")).resolve("m.a")
    module = load(str(tmp_path / "m.py"))
    assert module is not None
    is_bound = isinstance(resolved, Found)
    assert is_bound == (expected is not str)
    # bound, but to what cannot be told
    assert is_bound == ("a" in module.bound and not isinstance(module.bound["a"], str))
    assert expected is not type(None) or module.bound["a"] is None
    assert expected is not Found or module.bound["a"] is not None


# What is followed, and where it is told


def test_an_unsafe_helper_two_files_away_is_told_at_the_call(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "far.py": UNSOUND,
            "near.py": "from far import root\n\n\ndef twice(x):\n    return 2 * root(x)\n",
            "main.py": "# a line more than in the others\n" * 20 + bare("from near import twice", "twice"),
        },
    )
    (finding,) = found(tmp_path, "main.py")
    source = read(str(tmp_path / "main.py"))
    (site,) = finding.sites
    assert source.slice(site.span) == "twice(x)" == site.expression
    assert source.slice(finding.span) == "torch.where(x > 0, twice(x), 0.0)"
    assert "`twice(x)`" in finding.message
    assert finding.witness is not None
    assert finding.witness.inputs == {"x": 0.0}


def test_each_call_is_a_place_of_its_own(tmp_path: Path) -> None:
    main = """import torch
from helper import root


def f(x: torch.Tensor):
    return torch.where(x > 0, root(x), 0.0) + torch.where(x > 0, 2.0 * root( x), 0.0)
"""
    written(tmp_path, {"helper.py": UNSOUND, "main.py": main})
    assert sites(tmp_path, "main.py") == [("sqrt", "root(x)"), ("sqrt", "root( x)")]


def test_only_the_caller_whose_argument_reaches_the_poison_is_told(tmp_path: Path) -> None:
    main = """import torch
from helper import root


def good(x: torch.Tensor):
    return torch.where(x > 0, root(x * x + 1.0), 0.0)


def bad(x: torch.Tensor):
    return torch.where(x > 0, root(x * x), 0.0)
"""
    written(tmp_path, {"helper.py": UNSOUND, "main.py": main})
    assert sites(tmp_path, "main.py") == [("sqrt", "root(x * x)")]


VALUE = {
    "constant": ("FLOOR = {}\n", "from helper import FLOOR", "FLOOR"),
    "calculated": ("import math\nHALF = {}\nFLOOR = -2 * -HALF\n", "from helper import FLOOR", "FLOOR"),
    "of torch": ("import torch\nFLOOR = torch.tensor({})\n", "from helper import FLOOR", "FLOOR"),
    "of the module": ("FLOOR = {}\n", "import helper", "helper.FLOOR"),
    "annotated": ("FLOOR: float = {}\n", "from helper import FLOOR", "FLOOR"),
    "dictionary": ("import torch\nT = {{'a': {}}}\n", "from helper import T", "T['a']"),
    "of a class": ("class C:\n    FLOOR = {}\n", "from helper import C", "C.FLOOR"),
    "of a base class": (
        "class B:\n    FLOOR = {}\nclass C(B):\n    pass\n",
        "from helper import C",
        "C().FLOOR",
    ),
    "field": (
        "class C:\n    def __init__(self):\n        self.floor = {}\n",
        "from helper import C",
        "C().floor",
    ),
    "dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass C:\n    floor: float = {}\n",
        "from helper import C",
        "C().floor",
    ),
    "default": ("def g(floor={}):\n    return floor\n", "from helper import g", "g()"),
    "property": (
        "class C:\n    @property\n    def floor(self):\n        return {}\n",
        "from helper import C",
        "C().floor",
    ),
    "class method": (
        "class C:\n    FLOOR = {}\n    @classmethod\n    def g(cls, y):\n        return y * cls.FLOOR\n",
        "from helper import C",
        "C.g(1.0)",
    ),
    "static method": (
        "class C:\n    @staticmethod\n    def g(y):\n        return y * {}\n",
        "from helper import C",
        "C.g(1.0)",
    ),
    "method": (
        "class C:\n    def g(self, y):\n        return y * {}\n",
        "from helper import C",
        "C().g(1.0)",
    ),
    "called": (
        "class C:\n    def forward(self, y):\n        return y * {}\n",
        "from helper import C",
        "C()(1.0)",
    ),
    "decorated": (
        "import functools\n@functools.cache\ndef g():\n    return {}\n",
        "from helper import g",
        "g()",
    ),
    "lambda": ("g = lambda: {}\n", "from helper import g", "g()"),
}


@pytest.mark.parametrize("kind", VALUE)
@pytest.mark.parametrize(("number", "expected"), [("0.5", []), ("0.0", ["NAN101"])])
def test_values_of_other_files_count(kind: str, number: str, expected: list[str], tmp_path: Path) -> None:
    helper, line, used = VALUE[kind]
    main = guard(line, "").replace("x > 0, (x).sqrt()", f"x != 0, (x.abs() + {used}).log()")
    written(tmp_path, {"helper.py": helper.format(number), "main.py": main})
    assert codes(tmp_path, "main.py") == expected


PARENT = """import torch


class C:
    def __init__(self, x: torch.Tensor):
        self.x = x
        self.root = x.sqrt()
"""
CHILD = """import torch
from helper import C


class D(C):
    def f(self):
        return torch.where(self.x > 0, self.root, 0.0)
"""


def test_methods_of_a_base_class_in_another_file_use_the_names_of_that_file(tmp_path: Path) -> None:
    base = """import torch
FLOOR = 0.5


class Base(torch.nn.Module):
    def __init__(self, x: torch.Tensor):
        self.x = x
        self.scale = 2.0 * FLOOR

    @property
    def rooted(self):
        return self.x.sqrt()

    def shifted(self, x):
        return self.scale * x.abs() + FLOOR
"""
    main = """import torch
import base
FLOOR = 0.0


class Own(base.Base):
    def good(self, x):
        return torch.where(x > 0, self.shifted(x).log(), 0.0)

    def bad(self, x):
        return torch.where(self.x > 0, self.rooted, 0.0)
"""
    written(tmp_path, {"base.py": base, "main.py": main})
    assert sites(tmp_path, "main.py") == [("sqrt", "self.rooted")]


def test_what_the_constructor_of_another_file_computes_is_told_where_it_is_called(tmp_path: Path) -> None:
    helper = "class C:\n    def __init__(self, x):\n        self.root = x.sqrt()\n"
    main = bare("from helper import C", "C").replace("C(x),", "C(x).root,")
    written(tmp_path, {"helper.py": helper, "main.py": main})
    assert sites(tmp_path, "main.py") == [("sqrt", "C(x)")]


def test_what_an_inherited_constructor_computes_is_told_where_the_class_inherits(tmp_path: Path) -> None:
    written(tmp_path, {"helper.py": PARENT, "main.py": CHILD})
    assert sites(tmp_path, "main.py") == [("sqrt", "C")]


def test_a_function_of_this_file_that_another_file_calls_keeps_its_places(tmp_path: Path) -> None:
    helper = "def mapped(function, x):\n    return function(x)\n"
    main = bare("from helper import mapped", "mapped").replace("mapped(x)", "mapped(lambda v: v.sqrt(), x)")
    written(tmp_path, {"helper.py": helper, "main.py": main})
    assert sites(tmp_path, "main.py") == [("sqrt", "v.sqrt()")]


def test_a_product_that_a_helper_makes_is_not_taken_apart(tmp_path: Path) -> None:
    """`gate(x) * y` has two factors however many the helper multiplies."""
    helper = "import torch\n\n\ndef gated(x):\n    return (x > 0).float() * x.sqrt()\n"
    main = """import torch
from helper import gated


def f(x: torch.Tensor, y: torch.Tensor):
    return y * gated(x)
"""
    written(tmp_path, {"helper.py": helper, "main.py": main})
    assert codes(tmp_path, "main.py") == []
    assert codes(tmp_path, "helper.py") == ["NAN102"]


def test_a_long_computation_is_known_by_its_region_alone(tmp_path: Path) -> None:
    """No search finds the numbers at which a sum of waves is exactly 0; that it may be 0 is known all the same."""
    steps = "".join(f"    y = y + torch.sin(x * {n}.5) ** 2\n" for n in range(60))
    helper = f"import torch\n\n\ndef waves(x):\n    y = x.abs() + 1.0\n{steps}    return y\n"
    main = bare("from helper import waves", "waves").replace(
        "x > 0, waves(x)", "waves(x) > 0, 1.0 / waves(x)"
    )
    written(tmp_path, {"helper.py": helper, "main.py": main})
    assert codes(tmp_path, "main.py") == []
    written(tmp_path, {"helper.py": helper.replace("return y", "return y - 3.0")})
    assert sites(tmp_path, "main.py") == [("reciprocal", "1.0 / waves(x)")]


# What follows from a call into another file only by and by

LATER = {
    "a mask that selects": (
        "def above(x):\n    return x > 0\n",
        "above",
        "return x.sqrt()[above(x)]",
        "NAN104",
    ),
    "a mask that stores": (
        "def above(x):\n    return x > 0\n",
        "above",
        "y = x.sqrt()\n    y[above(-x)] = 0.0\n    return y",
        "NAN103",
    ),
    "a factor": (
        "def gate(x):\n    return (x > 0).float()\n",
        "gate",
        "return 2.0 * x.sqrt() * gate(x)",
        "NAN102",
    ),
    "an attribute": (
        "class C:\n    def __init__(self, x):\n        self.root = x.sqrt()\ndef made(x):\n    return C(x)\n",
        "made",
        "both = made(x)\n    return torch.where(x > 0, both.root, 0.0)",
        "NAN101",
    ),
    "an item": (
        "def made(x):\n    return {'root': x.sqrt()}\n",
        "made",
        "both = made(x)\n    return torch.where(x > 0, both['root'], 0.0)",
        "NAN101",
    ),
    "a part": (
        "def made(x):\n    return x, x.sqrt()\n",
        "made",
        "_, root = made(x)\n    return torch.where(x > 0, root, 0.0)",
        "NAN101",
    ),
    "a captured name": (
        UNSOUND,
        "root",
        "y = root(x)\n    def g():\n        return torch.where(x > 0, y, 0.0)\n    return g",
        "NAN101",
    ),
    "a named mask that lets nothing bad through": (
        "def pick(x):\n    return x < -1.0\n",
        "pick",
        "mask = pick(x)\n    return torch.where(mask, (x + 2.0).sqrt(), 0.0)",
        "",
    ),
    "a result that no gradient comes back to": (
        "def shown(y):\n    print(y.mean().item())\n",
        "shown",
        "shown(torch.where(x > 0, x.sqrt(), 0.0))",
        "",
    ),
    "a guard": (
        "def check(x):\n    return (x > 0.5).all()\n",
        "check",
        "assert check(x)\n    return torch.where(x > 1, x.sqrt(), 0.0)",
        "",
    ),
}


@pytest.mark.parametrize("kind", LATER)
def test_what_comes_of_a_followed_call_counts(kind: str, tmp_path: Path) -> None:
    helper, name, body, code = LATER[kind]
    main = f"import torch\nfrom helper import {name}\n\n\ndef f(x: torch.Tensor):\n    {body}\n"
    written(tmp_path, {"helper.py": helper, "main.py": main})
    assert codes(tmp_path, "main.py") == [code] * bool(code)


def test_what_a_constructor_of_this_file_calls_in_another_one_counts_in_every_method(tmp_path: Path) -> None:
    main = """import torch
from helper import level


class C:
    def __init__(self):
        self.height = level()

    def f(self, x):
        return torch.where(x != 0, (x.abs() + self.height).log(), 0.0)

    def g(self, x):
        return torch.where(x != 0, (x.abs() + self.height).sqrt(), 0.0)
"""
    written(tmp_path, {"helper.py": "def level():\n    return 0.5\n", "main.py": main})
    assert codes(tmp_path, "main.py") == []
    written(tmp_path, {"helper.py": "def level():\n    return 0\n"})
    assert codes(tmp_path, "main.py") == ["NAN101", "NAN101"]


# Fixes


def test_a_fix_leaves_the_other_file_alone(tmp_path: Path) -> None:
    written(tmp_path, {"helper.py": UNSOUND, "main.py": bare("from helper import root")})
    result = fix(read(str(tmp_path / "main.py")), Config(unsafe_fixes=True))
    assert "root(torch.where(x > 0, x, 1.0))" in result.source.text
    assert result.remaining == []
    assert (tmp_path / "helper.py").read_text() == UNSOUND


def test_there_is_no_fix_for_an_op_that_no_argument_leads_to(tmp_path: Path) -> None:
    written(tmp_path, {"helper.py": PARENT, "main.py": CHILD})
    (finding,) = found(tmp_path, "main.py")
    assert finding.fix is None


def test_a_fix_may_be_for_an_op_of_this_file_below_a_helper(tmp_path: Path) -> None:
    main = bare("from helper import positive", "positive").replace("positive(x)", "positive(x.sqrt() * 2)")
    written(tmp_path, {"helper.py": SOUND, "main.py": main})
    result = fix(read(str(tmp_path / "main.py")), Config(unsafe_fixes=True))
    assert "positive(torch.where(x > 0, x, 1.0).sqrt() * 2)" in result.source.text
    assert result.remaining == []


def test_a_name_that_only_leads_back_to_itself_is_unknown(tmp_path: Path) -> None:
    user = "import torch\nfrom . import lost\n\n\ndef f(x):\n    return torch.where(lost(x), x.sqrt() / lost(x), 0.0)\n"
    folder = written(tmp_path, {"pkg/__init__.py": "from .user import lost\n", "pkg/user.py": user})
    assert "NAN901" not in codes(folder, "pkg/user.py")
