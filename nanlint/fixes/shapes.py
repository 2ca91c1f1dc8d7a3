"""Whether a guard has a shape that fits: from the singular op up to the selector everything must be elementwise."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nanlint.catalogue import SPELLINGS
from nanlint.catalogue.reductions import ROWS as REDUCTIONS
from nanlint.fixes.guards import Guard
from nanlint.fixes.places import Places, binding
from nanlint.fixes.reshaping import RESHAPING, reshape
from nanlint.fixes.scalars import may_be_single
from nanlint.graph import MOST_VALUES, Apply, Leaf, Value, closure
from nanlint.hazards import Hazard
from nanlint.lower.keys import reshapes
from nanlint.plausibility import is_behind_rounding
from nanlint.sites import argument_node, called_name

_REDUCTIONS = frozenset(row.name for row in REDUCTIONS)
_REDUCING = frozenset(spelling.rsplit(".", 1)[-1] for row in REDUCTIONS for spelling in row.spellings)
_ELEMENTWISE = frozenset(spelling.rsplit(".", 1)[-1] for spelling in SPELLINGS) - _REDUCING - {
    "masked_select"
} | frozenset(
    """
    where clamp clip clamp_ clip_ nan_to_num float double half to type_as contiguous clone relu hardtanh
    addcmul addcdiv logit softplus
    """.split()
)


def fits(guarded: Sequence[tuple[Hazard, Sequence[tuple[Apply, int]], Guard]], places: Places) -> bool:
    """Whether guards certainly have shapes that fit."""
    return all(
        _fits(hazard, site, index, guard, places) for hazard, sites, guard in guarded for site, index in sites
    )


def may_fit(guarded: Sequence[tuple[Hazard, Sequence[tuple[Apply, int]], Guard]], places: Places) -> bool:
    """Whether guards may have shapes that fit: nothing reduces or reshapes what they guard on its way to the mask."""
    return all(
        _is_made_of(guard, site, index, places)
        or (
            isinstance(site.node, ast.AST)
            and hazard.selector.node is not None
            and elementwise_path(site.node, hazard.selector.node, places)
        )
        for hazard, sites, guard in guarded
        for site, index in sites
    )


def _fits(hazard: Hazard, site: Apply, index: int, guard: Guard, places: Places) -> bool:
    """Whether a guard is made of what it guards, or everything is elementwise up to the selector, its mask too.

    What an index assignment or a boolean index says of the shape of its mask is less than what a where needs.
    """
    selector = hazard.selector.node
    if not isinstance(site.node, ast.AST) or selector is None:
        return False
    made_of = _is_made_of(guard, site, index, places) and each_element(hazard, [site])
    argument = argument_node(site.node, index, site.op)
    single = argument is not None and may_be_single(argument, guard.condition or guard.factor, places)
    if not made_of and (single or _may_be_setting(site.args[index])):
        return False  # it may be a tensor without dimensions, of another type than what it is applied to
    if is_trained_factor(hazard):
        return False
    if guard.through:
        return made_of and elementwise_path(site.node, selector, places, through=guard.through)
    return made_of or (elementwise_path(site.node, selector, places) and not indexes(selector))


def _may_be_setting(value: Value) -> bool:
    """Whether a value without gradient is made of anything but what a function is given by name."""
    leaves = (leaf for leaf in closure((value,), MOST_VALUES) if isinstance(leaf, Leaf))
    return not value.grad and any(not leaf.name.isidentifier() for leaf in leaves)


def is_trained_factor(hazard: Hazard) -> bool:
    """Whether the mask of a product has a gradient: that is the other factor, also where the mask is 0."""
    mask = hazard.condition
    return hazard.drop is None and mask.grad and not is_behind_rounding(mask, None)


def is_of_shape(condition: ast.expr | None, name: str, value: ast.expr, places: Places) -> bool:
    """Whether a condition is computed elementwise from what a name is bound to, or from what that is made of."""
    told = places.spelled_out(condition) if condition is not None else None
    return told is not None and elementwise(told) and names_in(told) <= {name, *names_in(value)}


def indexes(selector: ast.AST) -> bool:
    """Whether a selector takes its mask as an index: `y[m]`, `index_put`."""
    return isinstance(selector, ast.Subscript) or called_name(selector).startswith("index_put")


def _is_made_of(guard: Guard, site: Apply, index: int, places: Places) -> bool:
    """Whether the guard's condition has the shape of what is guarded."""
    condition = None if guard.condition is None else places.spelled_out(guard.condition)
    argument = argument_node(site.node, index, site.op)
    return (
        condition is not None
        and argument is not None
        and narrower(condition, within_shape(argument, condition))
    )


def is_wider(guard: Guard, site: Apply, index: int, places: Places) -> bool:
    """Whether an argument is a sum over what a guard is made of, as a count of the elements that it keeps.

    With the guard around it the count would have the shape of the elements.
    """
    argument = argument_node(site.node, index, site.op)
    names = guard.names if guard.condition is None else names_in(guard.condition)
    if argument is None or site.args[index].grad:
        return False
    return any(
        called_name(part) in _REDUCING and isinstance(part, ast.expr) and bool(names & names_in(part))
        for part in ast.walk(places.spelled_out(argument))
    )


def lacks_dimension(guard: Guard, argument: ast.expr, places: Places) -> bool:
    """Whether a guard's condition is of rows of what it guards, of which it has lost the last dimension.

    `(x * x).sum(dim=-1) > 1.0` is a condition for each row of `x`, and no mask for its elements.
    """
    if guard.condition is None:
        return False
    own = names_in(argument)
    names = [node for node in ast.walk(guard.condition) if isinstance(node, ast.Name)]
    calls = (
        part
        for told in (guard.condition, *map(places.spelled_out, names))
        for part in ast.walk(told)
        if isinstance(part, ast.Call) and called_name(part) in _REDUCING
    )
    return any(_is_by_row(call) and own & names_in(call) for call in calls)


def _is_by_row(call: ast.Call) -> bool:
    """Whether a reduction runs along some dimension, and does not keep it."""
    words = {word.arg: word.value for word in call.keywords}
    function = isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "torch"
    along = "dim" in words or len(call.args) > function
    keeps = words.get("keepdim")
    return along and not (isinstance(keeps, ast.Constant) and keeps.value is True)


def each_element(hazard: Hazard, ops: Sequence[Apply] | None = None) -> bool:
    """Whether the selector decides for each element alone: no reduction lies between it and some ops below.

    `ops` are those that are poisoned, if no others are given.
    """
    poisoned = [proof.site for proof in hazard.proofs] if ops is None else ops
    sites = {site.number for site in poisoned}
    order = closure((hazard.operand,), MOST_VALUES)
    above: set[int] = set()
    for value in order:
        if isinstance(value, Apply) and any(arg.number in sites | above for arg in value.args):
            above.add(value.number)
            if value.op in _REDUCTIONS and value.number not in sites:
                return False
    return True


def elementwise_path(
    site: ast.AST,
    selector: ast.AST,
    places: Places,
    seen: frozenset[ast.AST] = frozenset(),
    through: str = "",
) -> bool:
    """Whether the value of `site` reaches `selector` through elementwise ops only, so that shapes broadcast alike.

    `seen` are the assignments that the path has come through: a value that feeds itself leads nowhere new. `through`
    is another shape that the value is given on each way, once.
    """
    node = site
    while node is not selector:
        parent = places.parents.get(node)
        if parent is None:
            return False
        if isinstance(parent, (ast.Assign, ast.AnnAssign)):
            return parent not in seen and _every_use_fits(parent, selector, places, seen | {parent}, through)
        if through and isinstance(parent, ast.expr) and reshape(parent) == through:
            through = ""
        elif parent is not selector and not hands_on(parent, selector, places):
            # the receiver of a method is looked at with its call
            call = places.parents.get(parent)
            if not (through and isinstance(call, ast.expr) and reshape(call) == through):
                return False
            through, parent = "", call
        node = parent
    return not through


def makes(value: ast.expr, site: ast.AST, places: Places) -> bool:
    """Whether an expression is made elementwise of a part of it."""
    if site is value:
        return True
    return elementwise_path(site, value, places) and hands_on(value, value, places)


def hands_on(parent: ast.AST, selector: ast.AST, places: Places) -> bool:
    """Whether what is around an expression is elementwise, so that it has the shape of the expression at least."""
    if isinstance(parent, (ast.BinOp, ast.UnaryOp)):
        return not (isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult))
    if isinstance(parent, ast.Attribute):
        called = places.parents.get(parent)
        if not isinstance(called, ast.Call) or called.func is not parent:
            return False
        return called is selector or hands_on(called, selector, places)
    if isinstance(parent, ast.keyword):
        return True
    if isinstance(parent, ast.Call):
        name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
        return name in _ELEMENTWISE or name.endswith("where")
    return False


def is_elementwise_name(name: str) -> bool:
    """Whether a function or method of this name is elementwise, or a reduction: it hands nothing on."""
    return name in _ELEMENTWISE or name in _REDUCING


def elementwise(node: ast.expr) -> bool:
    """Whether an expression is made of elementwise ops, names and numbers alone."""
    return _is_made_by(node, _ELEMENTWISE)


def repeatable(node: ast.expr) -> bool:
    """Whether an expression can be computed twice: of elementwise ops, reductions, indices, names and numbers."""
    return _is_made_by(node, _ELEMENTWISE | _REDUCING, indexed=True)


_KEYS = (ast.Name, ast.Constant, ast.Slice, ast.Tuple, ast.UnaryOp, ast.unaryop, ast.expr_context)


def _is_made_by(node: ast.expr, calls: frozenset[str], *, indexed: bool = False) -> bool:
    if isinstance(node, (ast.Name, ast.Constant)):
        return True
    if isinstance(node, ast.Subscript) and indexed:
        plain = all(isinstance(part, _KEYS) for part in ast.walk(node.slice))
        return plain and _is_made_by(node.value, calls, indexed=True)
    if isinstance(node, ast.BinOp):
        matrices = isinstance(node.op, ast.MatMult)
        return (
            not matrices
            and _is_made_by(node.left, calls, indexed=indexed)
            and _is_made_by(node.right, calls, indexed=indexed)
        )
    if isinstance(node, ast.UnaryOp):
        return _is_made_by(node.operand, calls, indexed=indexed)
    if isinstance(node, ast.Compare):
        return len(node.ops) == 1 and all(
            _is_made_by(side, calls, indexed=indexed) for side in (node.left, node.comparators[0])
        )
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in calls and all(
            _is_made_by(one, calls, indexed=indexed) for one in (node.func.value, *node.args)
        )
    return False


def _every_use_fits(
    statement: ast.Assign | ast.AnnAssign,
    selector: ast.AST,
    places: Places,
    seen: frozenset[ast.AST],
    through: str,
) -> bool:
    """Whether every read of the assigned name lies below the selector or leads there elementwise."""
    made = binding(statement)
    if made is None:
        return False
    reads = [
        node
        for node in places.named(made[0].id, selector)
        if isinstance(node.ctx, ast.Load) and not reads_later(node, selector, statement, places)
    ]
    return bool(reads) and all(
        is_shape_only(read, places) or elementwise_path(read, selector, places, seen, through)
        for read in reads
    )


def reads_later(read: ast.Name, selector: ast.AST, definition: ast.stmt, places: Places) -> bool:
    """Whether a read comes after the selector has given the name a new value, in the block of its definition."""
    there = places.statement(selector)
    if there is None or places.parents.get(there) is not places.parents.get(definition):
        return False
    stores = [
        node for node in ast.walk(there) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    in_place = isinstance(selector, ast.Subscript) and isinstance(selector.ctx, ast.Store)
    in_place = in_place or called_name(selector).endswith("_")
    gives = read.id in {node.id for node in stores} or (in_place and read.id in _names_in(selector))
    return gives and (read.lineno, read.col_offset) > (there.end_lineno or 0, there.end_col_offset or 0)


def _names_in(selector: ast.AST) -> set[str]:
    """The name that an in-place selector changes."""
    changed = selector.value if isinstance(selector, ast.Subscript) else getattr(selector, "func", None)
    changed = changed.value if isinstance(changed, ast.Attribute) else changed
    return {changed.id} if isinstance(changed, ast.Name) else set()


def is_shape_only(read: ast.AST, places: Places) -> bool:
    """`torch.zeros_like(y)` and `y.dtype` ask for no element of `y`; what has its shape broadcasts with it."""
    parent = places.parents.get(read)
    if isinstance(parent, ast.Attribute) and parent.attr in ("dtype", "device", "shape", "ndim"):
        return True
    if not isinstance(parent, ast.Call):
        return False
    name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
    return name.endswith("_like")


def narrower(condition: ast.expr, argument: ast.expr) -> bool:
    """Whether a condition is computed elementwise from names that the argument has too: then it cannot be larger."""
    return elementwise(condition) and elementwise(argument) and names_in(condition) <= names_in(argument)


def names_in(node: ast.expr) -> set[str]:
    """The names that may be tensors: those in capitals are constants by convention."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and not part.id.isupper()}


def within_shape(argument: ast.expr, condition: ast.expr) -> ast.expr:
    """What of an argument has the condition's shape: `x` of `x.unsqueeze(-1)` under `x > 0`."""
    names = names_in(condition)
    current = argument
    while elementwise(condition) and names_in(current) == names:
        if (
            isinstance(current, ast.Call)
            and isinstance(current.func, ast.Attribute)
            and called_name(current) in RESHAPING
        ):
            current = current.func.value
        elif isinstance(current, ast.Subscript) and reshapes(current.slice):
            current = current.value
        else:
            break
    return current if not elementwise(argument) and elementwise(current) else argument
