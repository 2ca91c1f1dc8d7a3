"""What turns gradients off, takes a value out of the graph, or asks for gradients; by the syntax alone."""

from __future__ import annotations

import ast

from nanlint.lower.uses import Function, turns_off

TAKES_OUT = frozenset(
    "detach detach_ numpy item tolist data int long short byte bool argmax argmin argsort nonzero isnan isinf"
    " isfinite shape size ndim numel dim dtype device".split()
)
"""Attributes of a tensor that no gradient comes back from."""
NUMBERS = frozenset("float int bool complex str repr len print round type range".split())
"""Functions of Python that make of a tensor what is none."""
WITHOUT_TENSORS = frozenset({"numpy", "math"})
"""Packages whose functions make numbers and arrays."""
LIBRARIES = frozenset({"torch", "numpy", "math", "scipy"})
"""Packages whose functions are not those of a project, whatever they are called."""
PLAIN = frozenset("int float bool str".split())
"""The types of Python's numbers, and of names."""
_TRAINING = frozenset("self nn optim parameters step zero_grad loss".split())
_OPS = frozenset("custom_op triton_op register_fake register_kernel once_differentiable".split())
"""Of torch.library and autograd: what runs in a function decorated so is not recorded."""
_TRANSPARENT = frozenset(
    "staticmethod classmethod abstractmethod override overload final deprecated contextmanager wraps cache lru_cache"
    " script export ignore unused script_if_tracing script_method compile autocast custom_fwd custom_bwd".split()
)
"""Decorators after which nothing but its name leads to a function."""
ASKS = frozenset(
    "backward enable_grad requires_grad requires_grad_ gradcheck autograd vjp jvp jacrev jacfwd".split()
)
"""Names by which a function asks for gradients itself, whatever becomes of its result."""


def is_off_by(node: ast.expr) -> bool:
    """Whether a context or a decorator turns gradients off, or runs what it decorates without them."""
    if ending(node) in _OPS:
        return True
    if not isinstance(node, ast.Call):
        return turns_off(node)
    if ending(node) == "set_grad_enabled":
        return any(map(is_false, [*node.args, *(word.value for word in node.keywords)]))
    return turns_off(node) and not node.keywords


def may_turn_on(node: ast.expr) -> bool:
    """Whether a context may turn gradients on again."""
    return ending(node) in ("enable_grad", "set_grad_enabled")


def is_transparent(node: ast.expr) -> bool:
    """Whether a decorator leaves a function what it is for its callers, as one does that compiles it."""
    name = ending(node)
    return name in _TRANSPARENT or "jit" in name.split("_") or is_off_by(node)


def makes_constants(node: Function) -> bool:
    """Whether a function is given nothing but Python numbers and makes no parameters, models or graphs of them."""
    args = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    plain = [arg for arg in args if isinstance(arg.annotation, ast.Name) and arg.annotation.id in PLAIN]
    if not args or len(plain) < len(args) or node.args.vararg or node.args.kwarg:
        return False
    for part in ast.walk(node):
        name = part.id if isinstance(part, ast.Name) else part.attr if isinstance(part, ast.Attribute) else ""
        if name in ASKS or name in _TRAINING:
            return False
        if isinstance(part, ast.Call) and ending(part)[:1].isupper() and not ending(part).endswith("Tensor"):
            return False
    return any(isinstance(part, ast.Return) and part.value is not None for part in ast.walk(node))


def declares_no_gradient(node: ast.ClassDef) -> bool:
    """Whether a class declares, as metrics do, that nobody differentiates it."""
    for statement in node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
        named = any(isinstance(target, ast.Name) and target.id == "is_differentiable" for target in targets)
        if named and isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            return is_false(statement.value)
    return False


def is_false(node: ast.expr) -> bool:
    """`False` itself."""
    return isinstance(node, ast.Constant) and node.value is False


def ending(node: ast.expr) -> str:
    """The last name of what is called, or of a name with its dots; "" for anything else."""
    called = node.func if isinstance(node, ast.Call) else node
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""
