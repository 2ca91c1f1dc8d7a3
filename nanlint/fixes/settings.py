"""Whether what a bound drops is known from settings only: a caller may have given them other values.

The default of a parameter, what a constructor is given and `finfo` of the analysed dtype are believed where hazards are
looked for. A fix that moves a bound must be right for all the others as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nanlint.fixes.places import Places
from nanlint.hazards import Hazard
from nanlint.sites import argument_node, called_name

_NO_NUMBERS = frozenset({"dtype", "device", "shape"})
_NUMERIC = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop)


def rests_on_settings(hazard: Hazard, places: Places, *, told: bool = False) -> bool:
    """Whether a setting stands between the poisoned arguments and what the selector makes of them.

    `told` is for a fix that gives the selector's own bound, by its name, for what was infinite.
    """
    selector = hazard.selector.node
    below: set[ast.AST] = set()
    if told and isinstance(selector, ast.Call):
        given = [*selector.args, *(word.value for word in selector.keywords)]
        below = {node for node in given if isinstance(node, (ast.Name, ast.Attribute))}
    for proof in hazard.proofs:
        for index in range(len(proof.site.args)):
            node = argument_node(proof.site.node, index, proof.site.op)
            if node is not None and proof.site.args[index].grad:
                below |= set(ast.walk(node))
    return selector is not None and any(
        _is_setting(leaf, places) for leaf in _leaves(selector, below, places)
    )


def _leaves(node: ast.AST, below: set[ast.AST], places: Places) -> Iterator[ast.expr]:
    """The names and attributes that an expression is made of, those behind its local names too."""
    pending, seen = [node], set(below)
    while pending:
        part = pending.pop()
        if part in seen:
            continue
        seen.add(part)
        if isinstance(part, ast.Call):
            pending += [*part.args, *(word.value for word in part.keywords)]
            pending += [part.func.value] if isinstance(part.func, ast.Attribute) else []
            if called_name(part) == "finfo":
                yield part
        elif isinstance(part, ast.Attribute) and not isinstance(part.value, ast.Call):
            yield part
        elif isinstance(part, ast.Name):
            yield part
            pending += _values(part, places)
        else:
            pending += ast.iter_child_nodes(part)


def _values(name: ast.Name, places: Places) -> list[ast.AST]:
    """Whatever a name is bound to in its function."""
    statements = (
        node for node in ast.walk(places.function(name)) if isinstance(node, (ast.Assign, ast.AnnAssign))
    )
    found: list[ast.AST] = []
    for statement in statements:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
        if name.id in names and statement.value is not None:
            found.append(statement.value)
    return found


def _is_setting(leaf: ast.expr, places: Places) -> bool:
    if isinstance(leaf, ast.Name):
        return any(_has_default(leaf.id, function) for function in _functions(leaf, places))
    if isinstance(leaf, ast.Attribute):
        apart = leaf.attr in _NO_NUMBERS or _is_of_module(leaf, places)
        return not apart and not _is_written_down(leaf, places)
    return True


def _functions(node: ast.AST, places: Places) -> Iterator[ast.AST]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return (around for around in places.ancestors(node) if isinstance(around, kinds))


def _has_default(name: str, function: ast.AST) -> bool:
    """Whether a function has a parameter of this name that need not be given."""
    assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    args = function.args
    positional = [*args.posonlyargs, *args.args]
    given = [one.arg for one in positional[len(positional) - len(args.defaults) :]]
    given += [
        one.arg for one, default in zip(args.kwonlyargs, args.kw_defaults, strict=True) if default is not None
    ]
    return name in given


def _is_of_module(leaf: ast.Attribute, places: Places) -> bool:
    """`math.pi`, `constants.EPS`."""
    root: ast.expr = leaf
    while isinstance(root, ast.Attribute):
        root = root.value
    return places.is_module(root)


def _is_written_down(leaf: ast.Attribute, places: Places) -> bool:
    """Whether an object of a class in sight keeps a number that its class writes down, wherever it is bound."""
    around = next((one for one in places.ancestors(leaf) if isinstance(one, ast.ClassDef)), None)
    bound = [
        node.value
        for node in (ast.walk(around) if around is not None else ())
        if isinstance(node, ast.Assign)
        and any(getattr(target, "attr", getattr(target, "id", "")) == leaf.attr for target in node.targets)
    ]
    return bool(bound) and all(_is_number(value) for value in bound)


def _is_number(node: ast.expr) -> bool:
    return all(isinstance(part, _NUMERIC) for part in ast.walk(node))
