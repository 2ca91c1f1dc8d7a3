"""What of a module is run for its functions: nothing is left out that one of them uses."""

from __future__ import annotations

import ast

import pytest

from nanlint.analysis import analyse
from nanlint.config import Config
from nanlint.lower.needed import needed
from nanlint.source import Source

MAIN = 'if __name__ == "__main__":\n'


def left_out(text: str) -> list[str]:
    """The statements that are not needed."""
    tree = ast.parse(text)
    kept = needed(tree, text)
    return [ast.unparse(statement) for statement in tree.body if statement not in kept]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SCALE = 2.0\n",
        "try:\n    import scipy\nexcept ImportError:\n    scipy = None\n",
        "if DEBUG:\n    scale = 1.0\ndef f(x): return x\n",
        f"{MAIN}    scale = 2.0\ndef f(x): return x * scale\n",
        f"{MAIN}    scale = 2.0\nclass Layer:\n    size = scale\n",
        f"{MAIN}    scale = 2.0\ndef f(x, size=scale): return x\n",
        f"{MAIN}    def scale(x): return x\nf = lambda x: scale(x)\n",
        f"sizes = []\n{MAIN}    sizes.append(3)\ndef f(x): return x * sizes[0]\n",
        f"sizes = [1]\n{MAIN}    sizes[0] = 3\ndef f(x): return x * sizes[0]\n",
        f"config = load()\n{MAIN}    config.size = 3\ndef f(x): return x * config.size\n",
        f"weights = torch.ones(3)\n{MAIN}    weights[0].zero_()\ndef f(x): return x * weights\n",
        f"{MAIN}    base = 2.0\nfor i in range(3):\n    scale = base * i\ndef f(x): return x * scale\n",
    ],
)
def test_what_a_function_uses_is_kept(text: str) -> None:
    assert left_out(text) == []


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (f"def main(): pass\n{MAIN}    main()\n", "if __name__"),
        (
            f"def f(x):\n    scale = 1.0\n    return x * scale\n{MAIN}    scale = 2.0\n    print(f(scale))\n",
            "if __",
        ),
        ("def f(x): return x\nfor step in range(9):\n    loss = f(step)\n", "for step"),
        ("def f(loss): return loss\nwith open('log') as log:\n    loss = f(log)\n", "with open"),
    ],
)
def test_a_scripts_own_doings_are_left_out(text: str, start: str) -> None:
    (statement,) = left_out(text)
    assert statement.startswith(start)


def test_a_hazard_of_a_script_is_found_where_it_stands() -> None:
    body = "    x = load()\n    loss = torch.where(x > 0.5, (x - 0.25).sqrt(), 0.0).sum()\n"
    for text in (f"import torch\n{MAIN}{body}", f"import torch\ndef f(x): return x\n{MAIN}{body}"):
        assert [finding.code for finding in analyse(Source("script.py", text), Config())] == ["NAN101"]
