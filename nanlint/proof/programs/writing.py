"""Writes a program as Python source, in one of the many ways in which a person could."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from nanlint.catalogue import OPS
from nanlint.proof.programs.nodes import (
    CAST,
    COMPARISONS,
    FLAG,
    LEAF,
    MASK_PRODUCT,
    NUMBER,
    SELECTORS,
    Node,
    inputs,
    uses,
)

ENTRY = "f"
_OPEN, _CLOSE = "\x01", "\x02"
_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", MASK_PRODUCT: "*"} | dict(
    zip((*COMPARISONS, "and", "or"), ("<", "<=", ">", ">=", "==", "!=", "&", "|"), strict=True)
)
_ATOM = re.compile(r"[\w.]+|\x01?[\w.]+\([^()]*\)\x02?")
_SAVES_NOTHING = ("add", "sub")
"""Ops whose result may be changed in place: their backward does not need it."""
_COMMENTS = ("", "", "", "  # keep", "  # 0 * inf?", "  # TODO: tune")
_NOT_IN_PLACE = frozenset({"acosh", "asinh", "atanh"})
"""What torch has no derivative of in place."""


@dataclass(frozen=True)
class Program:
    """A program and its text.

    `spans` are the offsets at which each selector or product is written, `functions` the nodes that the parameters of
    each function stand for, `homes` the functions that the selectors stand in.
    """

    root: Node
    text: str
    spans: Mapping[Node, tuple[tuple[int, int], ...]]
    functions: Mapping[str, Mapping[str, Node]]
    homes: Mapping[Node, str] = field(default_factory=dict)


@dataclass
class _Function:
    """A function that is being written."""

    name: str
    names: dict[Node, str]
    lines: list[str] = field(default_factory=list)


def written(root: Node, random: Random) -> Program:
    """`root` as source, in a style made of the choices of `random`."""
    return _Writer(root, random).program()


class _Writer:
    def __init__(self, root: Node, random: Random) -> None:
        self.root = root
        self.random = random
        self.uses = uses(root)
        self.torch = random.choice(("torch", "torch", "torch", "th"))
        self.marks: list[Node] = []
        self.done: list[_Function] = []
        self.functions: dict[str, dict[str, Node]] = {}
        self.homes: dict[Node, str] = {}
        self.counter = 0

    def program(self) -> Program:
        """The whole file."""
        names = {node: node.name for node in inputs([self.root])}
        main = _Function(ENTRY, names)
        self.functions[ENTRY] = {name: node for node, name in names.items()}
        main.lines.append(f"return {self.expression(self.root, main)}")
        self.done.append(main)
        torch = "import torch" if self.torch == "torch" else f"import torch as {self.torch}"
        head = [torch, "import torch.nn.functional as F", ""]
        body = [line for function in self.done for line in self._function(function)]
        return self._program("\n".join([*head, *body]) + "\n")

    def _program(self, marked: str) -> Program:
        """Take the marks out of a text; the text before the line ends are chosen decides the offsets."""
        if self.random.random() < 0.1:
            marked = marked.replace("\n", "\r\n")
        text: list[str] = []
        spans: dict[Node, list[tuple[int, int]]] = {}
        stack: list[tuple[Node, int]] = []
        offset, opened = 0, iter(re.findall(r"\x01(\d+);", marked))
        for piece in re.split(r"(\x01\d+;|\x02)", marked):
            if piece == _CLOSE:
                node, start = stack.pop()
                spans.setdefault(node, []).append((start, offset))
            elif piece.startswith(_OPEN):
                stack.append((self.marks[int(next(opened))], offset))
            else:
                text.append(piece)
                offset += len(piece)
        kept = {node: tuple(where) for node, where in spans.items()}
        return Program(self.root, "".join(text), kept, self.functions, self.homes)

    def _function(self, function: _Function) -> list[str]:
        annotation = f": {self.torch}.Tensor" if self.random.random() < 0.4 else ""
        parameters = ", ".join(f"{name}{annotation}" for name in self.functions[function.name])
        indent = self.random.choice(("    ", "    ", "    ", "  ", "\t"))
        body = [f"{indent}{line}{self.random.choice(_COMMENTS)}" for line in function.lines]
        return ["", f"def {function.name}({parameters}):", *body, ""]

    # --- expressions -----------------------------------------------------------------------------------------------

    def expression(self, node: Node, function: _Function) -> str:
        """The text of a node, without parentheses around it; statements it needs are added to the function."""
        if node in function.names:
            return function.names[node]
        if node.op == NUMBER:
            return _number(node.value)
        if self._is_helper(node):
            return self._named(node, self._helper(node, function), function)
        in_place = self._in_place(node, function)
        if in_place is not None:
            return in_place
        text = self._marked(node, self._plain(node, function), function)
        shared = self.uses[node] > 1
        if node is not self.root and (shared or self.random.random() < 0.25):
            return self._named(node, text, function)
        return text

    def _named(self, node: Node, text: str, function: _Function) -> str:
        if node is self.root:
            return text
        name = self._fresh("keep" if node.is_bool else "m" if node.op == CAST else "t")
        function.lines.append(f"{name} = {text}")
        function.names[node] = name
        return name

    def _fresh(self, stem: str) -> str:
        self.counter += 1
        return f"{stem}{self.counter}"

    def _marked(self, node: Node, text: str, function: _Function) -> str:
        if node.op not in SELECTORS and node.op != "mul":
            return text
        self.homes[node] = function.name
        self.marks.append(node)
        return f"{_OPEN}{len(self.marks) - 1};{text}{_CLOSE}"

    def _is_helper(self, node: Node) -> bool:
        return not node.is_bool and node.op not in (CAST, "full") and self.random.random() < 0.07

    def _helper(self, node: Node, function: _Function) -> str:
        """Write a function that computes `node`, and give its call."""
        name = self._fresh("helper")
        frontier = self._frontier(node, function)
        arguments = ", ".join(self.expression(part, function) for part in frontier)
        stems = ["mask" if part.is_bool else "m" if part.op == CAST else "a" for part in frontier]
        names = {part: f"{stem}{i}" for i, (part, stem) in enumerate(zip(frontier, stems, strict=True))}
        inner = _Function(name, names)
        self.functions[name] = {text: part for part, text in names.items()}
        text = self._marked(node, self._plain(node, inner), inner)
        inner.lines.append(f"return {text}")
        self.done.append(inner)
        return f"{name}({arguments})"

    def _frontier(self, root: Node, function: _Function) -> list[Node]:
        """Where the body of a helper for `root` begins: at inputs, and at what is used elsewhere too."""
        found: dict[Node, None] = {}

        def visit(node: Node) -> None:
            for arg in node.args:
                if arg in function.names or (self.uses[arg] > 1 and arg.op != NUMBER):
                    found[arg] = None
                else:
                    visit(arg)

        visit(root)
        return list(found)

    # --- statements ------------------------------------------------------------------------------------------------

    def _in_place(self, node: Node, function: _Function) -> str | None:
        """The name of what is computed by changing a copy; None where that is not the way taken."""
        if node is self.root or not node.args or self.random.random() > 0.15:
            return None
        if node.op == "masked_fill":
            return self._changed(node, node.args[0], function)
        unary = (
            node.op not in _NOT_IN_PLACE
            and len(node.args) == 1
            and f"Tensor.{node.op}_" in getattr(OPS.get(node.op), "spellings", ())
        )
        if unary or node.op in ("clamp_min", "clamp_max", "clamp", MASK_PRODUCT):
            return self._changed(node, node.args[-1 if node.op == MASK_PRODUCT else 0], function)
        return None

    def _changed(self, node: Node, changed: Node, function: _Function) -> str:
        rest = [self.operand(arg, function) for arg in node.args if arg is not changed]
        start = self.operand(changed, function)
        name = self._fresh("t")
        bare = changed.op in _SAVES_NOTHING and self.uses[changed] == 1 and changed not in function.names
        function.lines.append(f"{name} = {start}" if bare else f"{name} = {start}.clone()")
        function.lines.append(self._change(node, name, rest, function))
        function.names[node] = name
        return name

    def _change(self, node: Node, name: str, rest: list[str], function: _Function) -> str:
        """The statement; what is assigned by an index is found at the index."""
        if node.op == "masked_fill" and self._coin():
            return f"{self._marked(node, f'{name}[{_bare(rest[0])}]', function)} = {rest[1]}"
        if node.op == MASK_PRODUCT and self._coin():
            return self._marked(node, f"{name} *= {_bare(rest[0])}", function)
        method = "mul" if node.op == MASK_PRODUCT else node.op
        return self._marked(node, f"{name}.{method}_({', '.join(map(_bare, rest))})", function)

    # --- spellings -------------------------------------------------------------------------------------------------

    def operand(self, node: Node, function: _Function) -> str:
        """The text of a node as an operand of an operator or before a dot."""
        text = self.expression(node, function)
        return text if _ATOM.fullmatch(re.sub(r"\x01\d+;", "", text).replace(_CLOSE, "")) else f"({text})"

    def _plain(self, node: Node, function: _Function) -> str:
        if node.op == CAST:
            return self._cast(self.operand(node.args[0], function))
        if node.op == "not":
            return f"~{self.operand(node.args[0], function)}"
        if node.op == "full":
            like = self.expression(node.args[0], function)
            return f"{self.torch}.full_like({like}, {_number(node.args[1].value)})"
        if node.op == "masked_select":
            return f"{self.operand(node.args[0], function)}[{self.expression(node.args[1], function)}]"
        # `torch.div(2, x)` squares another number in backward than `2 / x`, which is a reciprocal to torch
        must = node.op == "pow" or (node.op in _OPERATORS and self.random.random() < 0.85)
        if must or (node.op == "div" and node.args[0].is_number):
            return self._operator(node, function)
        return self._call(node, function)

    def _cast(self, text: str) -> str:
        return (
            f"{text}.{self.random.choice(('float()', 'to(torch.float32)'))}"
            if self.torch == "torch"
            else (f"{text}.float()")
        )

    def _operator(self, node: Node, function: _Function) -> str:
        x, y = (self.operand(arg, function) for arg in node.args)
        if node.op == MASK_PRODUCT and self._coin():
            x, y = y, x
        return f"{x} {_OPERATORS[node.op]} {y}"

    def _call(self, node: Node, function: _Function) -> str:
        spelling = self._spelling(node)
        if spelling.startswith("Tensor."):
            first, *rest = node.args
            return f"{self.operand(first, function)}.{spelling[7:]}({self._arguments(node, rest, function)})"
        name = spelling.replace("torch.nn.functional.", "F.").removeprefix("builtins.")
        if name.startswith("torch."):
            name = f"{self.torch}{name[5:]}"
        return f"{name}({self._arguments(node, list(node.args), function)})"

    def _arguments(self, node: Node, args: list[Node], function: _Function) -> str:
        texts = [self.expression(arg, function) for arg in args]
        if node.op in ("clamp", "nan_to_num"):
            words = ("min", "max") if node.op == "clamp" else ("nan", "posinf", "neginf")
            texts[-len(words) :] = [f"{w}={t}" for w, t in zip(words, texts[-len(words) :], strict=True)]
        return f",\n{' ' * 8}".join(texts) if self.random.random() < 0.03 else ", ".join(texts)

    def _spelling(self, node: Node) -> str:
        """One of the spellings of a node; only tensors have methods."""
        given = {"clamp": ("torch.clamp", "Tensor.clamp"), "hardtanh": ("torch.nn.functional.hardtanh",)}
        name = "mul" if node.op == MASK_PRODUCT else node.op
        names = given.get(name) or tuple(s for s in OPS[name].spellings if self._allowed(s, node))
        return self.random.choice(names)

    def _allowed(self, spelling: str, node: Node) -> bool:
        if (
            spelling.endswith("_")
            or "bitwise" in spelling
            or "math." in spelling
            or "masked_scatter" in spelling
        ):
            return False
        if node.args[0].is_number:
            return spelling.startswith("torch.") and node.op not in COMPARISONS
        return True

    def _coin(self) -> bool:
        return self.random.random() < 0.5


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) and value != 0.0 else repr(value)


def _bare(text: str) -> str:
    """A text without the parentheses around the whole of it, where that is certain."""
    inner = text[1:-1]
    return inner if text.startswith("(") and text.endswith(")") and not set(inner) & set("()") else text


__all__ = ["ENTRY", "FLAG", "LEAF", "Program", "written"]
