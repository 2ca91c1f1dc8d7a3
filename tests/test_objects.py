"""Objects of the analysed code: what their `__init__` gives them is found out when it is asked for, and only then."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nanlint import engine
from nanlint.arithmetic import DTYPES
from nanlint.config import Config
from nanlint.finding import Confidence
from nanlint.graph import Builder
from nanlint.lower import Unit, lower
from nanlint.lower.call import Call
from nanlint.lower.scope import Frame, Scope
from nanlint.lower.things import Class, Instance
from nanlint.source import Source

CLASS = """
import torch


class Scale:
    def __init__(self, power, other=None):
        self.power = power
        self.inner = None if other is None else Scale(other)

    def __call__(self, x):
        return x


def f(x, m):
    scale = Scale(x.sqrt())
    {body}
"""


def unit(body: str) -> Unit:
    """The function of a file with such a class."""
    text = CLASS.format(body=body)
    return next(
        u for u in lower(ast.parse(text), text, DTYPES["float32"]) if getattr(u.node, "name", "") == "f"
    )


@pytest.mark.parametrize(
    "body",
    [
        "return torch.where(m, scale.power, 0.0)",
        "scale.power = scale.power + 1.0; return torch.where(m, scale.power, 0.0)",
        "x = x + 1.0; return torch.where(m, scale.power, 0.0)",
    ],
)
def test_an_attribute_is_what_init_made_of_the_arguments(body: str) -> None:
    (selector,) = unit(body).selectors
    below, stack = set[str](), [selector]
    while stack:
        value = stack.pop()
        below.add(getattr(value, "op", ""))
        stack += getattr(value, "args", ())
    assert "sqrt" in below


def test_init_is_not_run_for_an_object_of_which_nothing_is_asked() -> None:
    seen = unit("return torch.where(m, scale(x), 0.0)")
    scope = seen.lowering.own
    assert scope is not None
    called = scope.names["Scale"]
    node = ast.parse("Scale(x)", mode="eval").body
    call = Call(called, (next(iter(seen.sinks)),), {}, node, Frame(scope))
    instance = seen.lowering.instance_of(called, "scale", call)  # type: ignore[arg-type]
    assert instance.initialise is not None
    assert set(instance.fields) == {"power", "inner"}
    assert instance.initialise is None


CHECKED = """
import torch


class Score:
    def __init__(self, scale):
        {check}
        self.scale = scale

    def forward(self, x):
        return torch.where(self.scale > 1.0, torch.log(self.scale), x)
"""


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("assert (scale > 0).all()", []),
        ("if not bool((scale > 1e-3).all()):\n            raise ValueError(scale)", []),
        ("if (scale <= 0).any().item():\n            raise ValueError(scale)", []),
        ("if (scale < 0).any():\n            raise ValueError(scale)", ["NAN101"]),
        ("if (scale <= 0).any():\n            print(scale)", ["NAN101"]),
    ],
)
def test_what_init_checks_holds_in_methods(check: str, expected: list[str]) -> None:
    text = CHECKED.format(check=check)
    assert [one.code for one in engine.check(Source("score.py", text), Config())] == expected


STORED = """
import torch


def encode(batch: {annotation}):
    {distance} = {position}.square().sum(-1).sqrt()
    {apart} = {distance} > 1e-6
    return batch


def loss(batch: {annotation}):
    batch = encode(batch)
    return torch.where({apart}, {distance}, torch.zeros(()))
"""


@pytest.mark.parametrize("annotation", ["Data", "dict", "dict[str, Any]"])
@pytest.mark.parametrize("spelling", ["batch.{}", 'batch["{}"]'])
def test_what_is_stored_in_an_unknown_object_is_found_there(spelling: str, annotation: str) -> None:
    names = {name: spelling.format(name) for name in ("distance", "apart", "position")}
    found = list(engine.check(Source("m.py", STORED.format(annotation=annotation, **names)), Config()))
    assert [finding.span.start.line for finding in found] == [13]


def test_a_tensor_stays_what_it_is_whatever_its_attributes_are() -> None:
    text = "import torch\n\n\ndef f(x):\n    x.requires_grad = True\n    return torch.where(x > 0, x.log(), 0.0)\n"
    assert len(engine.check(Source("m.py", text), Config())) == 1


MADE = """
import torch
from dataclasses import dataclass
from typing import NamedTuple


{head}
    centre: torch.Tensor
    floor: float = 0.0


def moments(x):
    return Moments({given})


def f(x, m):
    return torch.where(m, moments(x).centre.log() + moments(x).floor, 0.0)
"""


@pytest.mark.parametrize("head", ["class Moments(NamedTuple):", "@dataclass\nclass Moments:"])
@pytest.mark.parametrize(
    ("given", "is_found"),
    [("x * x", True), ("x * x + 1.0", False), ("floor=0.1, centre=x.sigmoid() + 1.0", False)],
)
def test_records_have_what_they_are_made_with(head: str, given: str, is_found: bool) -> None:
    text = MADE.format(head=head, given=given)
    found = list(engine.check(Source("m.py", text), Config(confidence=Confidence.LOW)))
    assert bool(found) is is_found


@pytest.mark.parametrize(
    ("modules", "is_found"),
    [
        ("nn.Linear(2, 2), nn.Softplus()", False),
        ("nn.Linear(2, 2), nn.Linear(2, 2)", True),
        ("*layers", True),
    ],
)
def test_modules_in_turn_end_with_the_last_one(modules: str, is_found: bool) -> None:
    text = (
        "import torch\nfrom torch import nn\n\n\nclass Rate(nn.Module):\n    def __init__(self, layers):\n"
        f"        super().__init__()\n        self.body = nn.Sequential({modules})\n\n"
        "    def forward(self, x, mask):\n        return torch.where(mask, torch.log(self.body(x) + 1e-3), 0.0)\n"
    )
    found = list(engine.check(Source("m.py", text), Config(confidence=Confidence.LOW)))
    assert bool(found) is is_found


EITHER = 'if flag:\n        batch["d"] = x * x + 1.0\n    else:\n        batch["d"] = {}'
KEPT = """
import torch
from dataclasses import dataclass


@dataclass
class Record:
    d: torch.Tensor

    def __post_init__(self):
        self.d = self.d {after}


def over(b):
    b["d"] = {stored}


def f(x, batch, flag):
    {body}
    return torch.where(x != 0, {read}.sqrt(), torch.zeros(()))
"""


@pytest.mark.parametrize(
    ("body", "read", "is_found"),
    [
        # what either of two branches stores
        (
            'if flag:\n        batch["d"] = x * x + 1.0\n    else:\n        batch["d"] = x * x + 2.0',
            'batch["d"]',
            False,
        ),
        (
            'if flag:\n        batch["d"] = x * x + 1.0\n    else:\n        batch["d"] = x * x',
            'batch["d"]',
            True,
        ),
        # what a function stores in what it is given
        ('batch["d"] = x * x\n    over(batch)', 'batch["d"]', False),
        # what a data class does in the end
        ("r = Record(x * x + 1.0)", "r.d", False),
        ("r = Record(x * x)", "r.d", True),
        # a loop may have no rounds
        ("r = Record(x * x)\n    for k in range(flag):\n        r.d = r.d + 1.0", "r.d", True),
    ],
)
def test_what_is_kept_is_what_it_was_last(body: str, read: str, is_found: bool) -> None:
    text = KEPT.format(after="* 1.0", stored="batch_of_ones() * 0.0 + 1.0", body=body, read=read)
    found = list(engine.check(Source("m.py", text), Config()))
    assert bool(found) is is_found


DECLARED = """
from __future__ import annotations

import torch
from dataclasses import dataclass
from typing import NamedTuple, Optional


@dataclass
class Complex:
    re: torch.Tensor
    im: torch.Tensor

    def size(self):
        return (self.re**2 + self.im**2).sqrt()

    def safe(self):
        return (self.re**2 + self.im**2 + 1.0).sqrt()

    @property
    def part(self):
        return self.re.log()

    def __truediv__(self, other):
        return Complex(self.re / other, self.im / other)

    def __rmul__(self, other):
        return Complex(other * self.re, other * self.im)

    def __getitem__(self, index):
        return self.re.sqrt()


class Pair(NamedTuple):
    first: torch.Tensor
    second: torch.Tensor


class Stored:
    def __init__(self, x, mask=None):
        self.x = x
        self.mask = mask
        self.later = None


class Anything:
    def __init__(self, x):
        self.x = x + 1.0

    def __getattr__(self, name):
        return torch.ones(())


class Wrapped(torch.Tensor):
    def sqrt(self):
        return self


def f(z: {annotation}, x, m):
    return torch.where(m, {body}, torch.zeros(()))
"""


@pytest.mark.parametrize(
    ("annotation", "body", "is_found"),
    [
        # what methods and properties compute of what the object has
        ("Complex", "z.size()", True),
        ("Complex", "z.safe()", False),
        ("Complex", "z.part", True),
        ('"Complex"', "z.size()", True),
        ("Optional[Complex]", "z.size()", True),
        ("Complex | None", "z.size()", True),
        ("torch.Tensor | Complex", "z.size()", False),
        # operators of its own
        ("Complex", "(z / x).re", True),
        ("Complex", "(z / (x * x + 1.0)).re", False),
        ("Complex", "(x.log() * z).im", True),
        ("Complex", "z[0]", True),
        # fields by their names
        ("Pair", "(z.first / z.second)", True),
        ("Pair", "z[1].log()", True),
        # an attribute that is None at first is anything later on
        ("Stored", "z.x.log()", True),
        ("Stored", "z.later.log()", True),
        # what answers for its attributes itself, and what is a tensor
        ("Anything", "z.x.log()", True),
        ("Wrapped", "z.sqrt()", True),
    ],
)
def test_a_parameter_is_an_object_of_the_class_that_it_is_declared_to_be(
    annotation: str, body: str, is_found: bool
) -> None:
    text = DECLARED.replace("{annotation}", annotation).replace("{body}", body)
    found = list(engine.check(Source("m.py", text), Config(confidence=Confidence.LOW)))
    assert bool(found) is is_found, found


def test_what_a_function_is_handed_is_no_setting_for_being_an_attribute() -> None:
    text = DECLARED.replace("{annotation}", "Stored").replace("{body}", "(x / z.x)")
    assert [one.confidence for one in engine.check(Source("m.py", text), Config())] == [Confidence.MEDIUM]


OTHER_FILE = """
import torch


class Box:
    def __init__(self, corners):
        self.sides = corners[..., 2:] - corners[..., :2]
        self.share = self.sides[..., 0] / self.sides[..., 1]


{lines}
"""


def test_an_object_of_another_file_is_told_where_it_is_declared(tmp_path: Path) -> None:
    (tmp_path / "boxes.py").write_text(OTHER_FILE.format(lines="# a long file\n" * 50), encoding="utf-8")
    user = tmp_path / "user.py"
    user.write_text(
        "import torch\nfrom boxes import Box\n\n\ndef f(box: Box, m):\n    return torch.where(m, box.share, 0.0)\n",
        encoding="utf-8",
    )
    (finding,) = engine.check_file(str(user), Config())
    assert finding.span.start.line == 6
    assert "`Box`" in finding.message


OPTIONAL = """
import torch


def f(x, m, flag):
    {first}
    if flag:
        {second}
    return torch.where(m, {third}, torch.zeros(()))
"""


@pytest.mark.parametrize(
    ("first", "second", "third", "is_found"),
    [
        ("y = None", "y = x.square().sqrt()", "y", True),
        ("y = None", "y = x.square() + 1.0", "y.sqrt()", False),
        ('o = {"y": None}', 'o["y"] = x.square().sqrt()', 'o["y"]', True),
        ('o = {"y": None}', 'o["y"] = x.square() + 1.0', 'o["y"].log()', False),
        ('o = {"y": None}', "for k in flag:\n            o[k] = x.square()", 'o["y"].log()', True),
        (
            'o = {"y": x.square() + 1.0}',
            "for k in flag:\n            o[k] = x.square()",
            'o["y"].log()',
            False,
        ),
    ],
)
def test_what_may_be_none_is_otherwise_what_it_is(
    first: str, second: str, third: str, is_found: bool
) -> None:
    text = OPTIONAL.replace("{first}", first).replace("{second}", second).replace("{third}", third)
    found = list(engine.check(Source("m.py", text), Config()))
    assert bool(found) is is_found, found


def test_what_may_be_none_decides_no_test() -> None:
    text = (
        "import torch\n\n\ndef root(x, y):\n    if y is not None:\n        return x + 1.0\n    return x.sqrt()\n\n\n"
        "def f(x, m, flag):\n    y = None\n    if flag:\n        y = x.square()\n"
        "    return torch.where(m, root(x * x, y), torch.zeros(()))\n"
    )
    assert len(engine.check(Source("m.py", text), Config())) == 1


def test_an_object_that_may_have_been_made_in_two_ways_has_what_both_have() -> None:
    text = DECLARED.replace("{annotation}", "Stored").replace("{body}", "w.x.log()")
    either = text.replace(
        "    return torch.where(m,", "    w = z if m.any() else Stored({})\n    return torch.where(m,"
    )
    found = [
        engine.check(Source("m.py", either.replace("{}", made)), Config()) for made in ("x", "x.exp() + 1.0")
    ]
    assert [len(findings) for findings in found] == [1, 1]
    both = either.replace("w = z if", "w = Stored(x * x + 2.0) if")
    assert not engine.check(Source("m.py", both.replace("{}", "x.exp() + 1.0")), Config())


KEPT_FOR_LATER = """
import torch
from torch import nn


class Loss(nn.Module):
    def __init__(self):
        super().__init__()
        self.cache = {}

    def forward(self, x, mask):
        {stored}
        self.mask = mask
        return self.reduce()

    def reduce(self):
        return torch.where(self.mask, {read}, torch.zeros(())).mean()
"""


@pytest.mark.parametrize(
    ("stored", "read", "is_found"),
    [
        ("self.size = x.square().sum(-1).sqrt()", "self.size", True),
        ("self.size = (x.square().sum(-1) + 1.0).sqrt()", "self.size", False),
        ('self.cache["size"] = x.square().sum(-1).sqrt()', 'self.cache["size"]', True),
        ('self.cache["size"] = x.square().sum(-1)', '(self.cache["size"] + 1.0).sqrt()', False),
    ],
)
def test_what_a_method_keeps_in_its_object_is_dropped_by_another_one(
    stored: str, read: str, is_found: bool
) -> None:
    text = KEPT_FOR_LATER.replace("{stored}", stored).replace("{read}", read)
    found = list(engine.check(Source("m.py", text), Config()))
    assert bool(found) is is_found, found


def test_what_could_not_be_imported_is_what_stands_in_for_it() -> None:
    text = (
        "import torch\n\ntry:\n    from fast_roots import root\nexcept ImportError:\n\n    def root(x):\n"
        "        return x.sqrt()\n\n\ndef f(x):\n    return torch.where(x > 0, root(x), torch.zeros(()))\n"
    )
    assert len(engine.check(Source("m.py", text), Config())) == 1


REPLACED = """
import dataclasses
import torch
from dataclasses import dataclass
from typing import NamedTuple


{head}
    mean: torch.Tensor
    root: torch.Tensor


def bounded(q: Moments):
    return {replaced}


def f(x):
    return bounded(Moments(x, x.sqrt())).root
"""


@pytest.mark.parametrize(
    ("head", "replaced"),
    [
        ("class Moments(NamedTuple):", "q._replace(root=torch.where(q.mean > 0, q.root, 0.0))"),
        ("@dataclass\nclass Moments:", "dataclasses.replace(q, root=torch.where(q.mean > 0, q.root, 0.0))"),
    ],
)
def test_a_record_with_another_field_has_that_one(head: str, replaced: str) -> None:
    text = REPLACED.replace("{head}", head).replace("{replaced}", replaced)
    assert len(engine.check(Source("m.py", text), Config())) == 1
    made = "root=torch.where(q.mean > 0, q.root, 0.0)"
    after = text.replace(
        "bounded(Moments(x, x.sqrt())).root", "torch.where(x > 0, bounded(Moments(x, x)).root.log(), 0.0)"
    )
    kept, safe = (after.replace(made, f"root={root}") for root in ("q.root * 1.0", "q.root.square() + 1.0"))
    assert [len(engine.check(Source("m.py", one), Config())) for one in (kept, safe)] == [1, 0]


def test_what_an_object_is_made_with_is_not_what_its_methods_have_stored() -> None:
    builder = Builder()
    text = "class Block:\n    pass\n"
    (node,) = ast.parse(text).body
    assert isinstance(node, ast.ClassDef)
    block = Instance(Class(node, Scope(), "Block"), "self")
    scale, size = builder.leaf("scale"), builder.leaf("size")
    block.store("scale", scale, is_made=False)
    block.store("size", size, is_made=True)
    assert block.stored == [size]
    assert block.fields == {"scale": scale, "size": size}


@pytest.mark.parametrize("otherwise", ["", "    else:\n        options['other'] = {0}\n"])
def test_what_many_branches_store_is_asked_of_each_once(otherwise: str) -> None:
    """Sixty branches are more ways than can be followed: this ends only if what is known of one is remembered."""
    branches = "".join(
        f"    if flags[{i}]:\n        options['scale'] = {i}\n{otherwise.format(i)}" for i in range(60)
    )
    text = (
        "import torch\n\n\ndef f(x, options, flags):\n"
        f"{branches}    return torch.where(x > 0, torch.sqrt(x) * options['bias'], 0.0)\n"
    )
    assert len(engine.check(Source("m.py", text), Config())) == 1
