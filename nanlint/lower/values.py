"""Graph values of things, and the selectors that lowering makes itself: picking and storing elements."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Sequence

from nanlint import regions as R
from nanlint.cases import may_be_poisoned
from nanlint.catalogue import OPS, SELECTORS
from nanlint.catalogue.structure import COVERING
from nanlint.graph import ANOTHER, DIAGONALS, PART, PICKED, Apply, Constant, Kind, Leaf, Value, closure
from nanlint.lower.between import drops_handed, singular_among
from nanlint.lower.call import Call
from nanlint.lower.conventions import is_in_settings, named, number_by_default
from nanlint.lower.objects import Objects
from nanlint.lower.scope import Frame
from nanlint.lower.things import Each, Foreign, Items, Mapped, Method, Symbol, Thing, only_index, values_in
from nanlint.pairs import differs_from_itself
from nanlint.regions import Region
from nanlint.sites import called_name

_MASK_ARGUMENT = {"where": 0, "masked_fill": 1, "masked_select": 1}
"""Arguments that torch takes for masks only."""
_LARGEST_INTEGER = 2.0**31
MOST_BELOW = 100


_MOST_FACTORS = 40
"""Values that a factor of a matrix product is made of, if what is singular among them is followed through it."""


class Values(Objects):
    """Makes graph values, and remembers those that are selectors."""

    def apply(
        self, op: str, args: Sequence[Value], node: ast.AST, frame: Frame, kind: Kind | None = None
    ) -> Value:
        """`op` of `args` where `frame` is; a selector is remembered if the analysed function holds it.

        It is of the `kind` of its arguments if that is not given.
        """
        if op == "pow" and isinstance(args[0], Constant):
            if args[0].value < 0.0 and not isinstance(args[1], Constant):
                return self._alternating(args[0].value, args[1], node)
            if args[0].value > 0.0:
                op, args = self._exponential(args[0].value, args[1])
        if op in _MASK_ARGUMENT:
            args = [self.as_mask(arg) if i == _MASK_ARGUMENT[op] else arg for i, arg in enumerate(args)]
        made = self.builder.apply(
            op, *args, node=frame.foreign_call or node, grad=frame.grad, kind=kind, path=frame.path
        )
        if isinstance(made, Apply) and (op in SELECTORS or op == "mul"):
            if self.counts(frame):
                self.collected.selectors.append(made)
            elif (
                (frame.handed_singular or self.dispatched)
                and frame.foreign_call is None
                and drops_handed(made, frame, self.dispatched)
            ):
                self.collected.within.append(made)
        return made

    def counts(self, frame: Frame) -> bool:
        """Whether the selectors of `frame` are those of the function at hand."""
        return frame.depth == 0 or (bool(self.inside) and frame.calls[-1] in self.inside)

    def new_tensor(self, call: Call, region: Region) -> Leaf:
        """A tensor that a call makes of numbers in a region: it has no gradient."""
        return self.builder.leaf(
            self.source(call.node),
            region,
            grad=False,
            kind=Kind.TENSOR,
            node=call.node,
            feeds=tuple(call.values),
        )

    def _alternating(self, base: float, exponent: Value, node: ast.AST) -> Value:
        """`(-1) ** k`: only an integer has such a power, and no gradient."""
        region = R.point(-1.0, 1.0) if base == -1.0 else R.FINITE
        kind = exponent.kind
        return self.builder.leaf(
            self.source(node), region, grad=False, kind=kind, node=node, feeds=(exponent,)
        )

    def _exponential(self, base: float, exponent: Value) -> tuple[str, tuple[Value, ...]]:
        """`2 ** x` and `10 ** x` are exponentials: they overflow, and have no singular point."""
        if base == 2.0:
            return "exp2", (exponent,)
        return "exp", (self.builder.apply("mul", self.builder.constant(math.log(base)), exponent),)

    def as_value(self, thing: Thing) -> Value:
        """A thing as a graph value; what is none is an unknown number or tensor."""
        if isinstance(thing, Value):
            return thing
        if isinstance(thing, Foreign):
            return self.opaque("value", grad=False)
        if isinstance(thing, Method):
            return self._unknown_attribute(thing)
        if isinstance(thing, Symbol) and thing.name.endswith((".pi", ".PI")):
            return self.builder.constant(math.pi)
        if isinstance(thing, Symbol):
            said = self.named_leaf(thing.name.rsplit(".", 1)[-1], key=("symbol", thing.name))
            return said if isinstance(said, Value) else self.opaque("value", grad=False)
        values = values_in(thing)
        if isinstance(thing, Items) and len(values) == 1:
            return values[0]
        return self.opaque("value", *values, grad=any(value.grad for value in values) or not values)

    def _unknown_attribute(self, thing: Method) -> Value:
        owner = thing.receiver
        if isinstance(owner, Value):
            made = self._part(
                f"{_called(owner)}.{thing.name}", owner, ("attribute", owner.number, thing.name)
            )
            return made if isinstance(made, Value) else self.opaque(thing.name, grad=False)
        return self.opaque(thing.name, owner)

    def _part(self, name: str, owner: Value, key: object) -> Thing:
        """An attribute or item of something unknown: a number if it is one of settings, by what its name says."""
        if is_in_settings(name) and not named(name) and owner.kind is not Kind.TENSOR:
            return self.builder.leaf(name, grad=False, kind=Kind.NUMBER, key=key)
        return self.named_leaf(name, key=key)

    def item(self, owner: Value | Mapped, key: str, place: ast.AST) -> Thing:
        """`owner["key"]` of a mapping of which nothing is known, written at `place`."""
        if isinstance(owner, Value):
            name = key if _called(owner) == "value" else f'{_called(owner)}["{key}"]'
            return self._part(name, owner, ("item", owner.number, key))
        return self.named_leaf(f'{self.source(place)}["{key}"]')

    def or_default(self, found: Thing, default: Thing | None) -> Thing:
        """What is looked up under a name with a default: of the default's kind if that is a number."""
        if not isinstance(found, Leaf) or not isinstance(default, Constant) or named(found.name):
            return found
        given = default.node.value if isinstance(default.node, ast.Constant) else default.value
        said = number_by_default(given if isinstance(given, bool) else default.value)
        key = ("default", found.number, default.value)
        return self.builder.leaf(found.name, said.region, grad=False, kind=Kind.NUMBER, key=key)

    def detached(self, value: Value) -> Value:
        """The same value without its gradient."""
        if not value.grad:
            return value
        return self.builder.apply("identity", value, node=value.node, grad=False, kind=value.kind)

    def trained(self, value: Value) -> Value:
        """The same value as a leaf of autograd's, which gradient comes back to."""
        if value.grad:
            return value
        name = _called(value) if value.node is None else self.source(value.node)
        region = value.region if isinstance(value, Leaf) else R.FINITE
        return self.builder.leaf(
            name, region, kind=Kind.TENSOR, node=value.node, key=("trained", value.number)
        )

    def integer(self, value: Value, node: ast.AST) -> Value:
        """`value` as integers, which have no gradient; nan and the infinities become some integer too."""
        whole = self.builder.apply("trunc", value, node=node, grad=False, kind=Kind.TENSOR)
        if isinstance(whole, Apply) and not (isinstance(value, Apply) and OPS[value.op].boolean):
            ends = (self.builder.constant(number) for number in (0.0, _LARGEST_INTEGER, -_LARGEST_INTEGER))
            return self.builder.apply("nan_to_num", whole, *ends, node=node, grad=False, kind=Kind.TENSOR)
        return whole

    def without_gradient(self, thing: Thing) -> Thing:
        """A thing as it comes out of a call where gradients are off."""
        if isinstance(thing, Value):
            return self.detached(thing)
        if isinstance(thing, Items):
            return Items(tuple(map(self.without_gradient, thing.things)))
        if isinstance(thing, Mapped):
            known = {key: self.without_gradient(part) for key, part in thing.things.items()}
            return Mapped(known, tuple(map(self.without_gradient, thing.others)))
        return Each(self.without_gradient(thing.thing)) if isinstance(thing, Each) else thing

    def select(self, value: Value, mask: Value, node: ast.AST, frame: Frame) -> Value:
        """The elements of `value` under `mask`."""
        return self.apply("masked_select", (value, mask), node, frame)

    def store_masked(self, old: Value, mask: Value, new: Value, node: ast.AST, frame: Frame) -> Value:
        """`old[mask] = new`."""
        return self.apply("masked_fill", (old, mask, new), node, frame)

    def contracted(self, factors: Sequence[Value], node: ast.AST, frame: Frame) -> list[Value]:
        """The products that a matrix product sums up: of all that gradient flows to, by each factor that may be a mask.

        They are selectors as other products are, and nothing is computed from them: the sum is an unknown value.
        """
        flowing = [factor for factor in factors if factor.grad]
        if all(isinstance(factor, Leaf) or _is_contraction(factor) for factor in flowing):
            return []  # what a product of several drops is told of its first
        place = frame.foreign_call or node
        product = functools.reduce(lambda x, y: self.builder.apply("mul", x, y, node=place), flowing)
        masks = [factor for factor in factors if not factor.grad and not _covers(factor)]
        return [self.apply("mul", (mask, product), node, frame) for mask in masks]

    def contraction(self, total: Leaf, factors: Sequence[Value], node: ast.AST, frame: Frame) -> Value:
        """The unknown sum of products `total`, which gradient comes back through to a factor that may be singular."""
        small = [factor for factor in factors if len(closure((factor,), _MOST_FACTORS)) < _MOST_FACTORS]
        if len(factors) != 2 or not (singular_among(small) or any(map(self.may_be_of_nothing, factors))):
            return total
        return self.apply("contraction", (*factors, total), node, frame)

    def may_be_of_nothing(self, value: Value) -> bool:
        """Whether a value is made of a softmax that may be one of no element."""
        return any(isinstance(one, Apply) and one.op == "softmax" for one in closure((value,), MOST_BELOW))

    def as_mask(self, value: Value) -> Value:
        """A value that torch takes for a mask: whatever it is called, it is true or false."""
        if not isinstance(value, Leaf) or value.region <= R.TRUTH:
            return value
        return self.as_truth(value)

    def picked_by_index(self, value: Value, keys: Sequence[Thing], node: ast.AST, frame: Frame) -> Value:
        """Some elements by their indices: any other element is dropped."""
        own = self._own_extreme(value, keys, node, frame)
        if own is not None:
            return own
        if not value.grad or isinstance(value, Leaf) or any(map(self._is_whole_order, keys)):
            return self.element(value, self.source(node), only_index(keys))
        return self.select(value, self.any_element(*keys), node, frame)

    def _own_extreme(self, value: Value, keys: Sequence[Thing], node: ast.AST, frame: Frame) -> Value | None:
        """The largest of tensors that were stacked, by the indices of just these: `gather(s, s.argmax())`.

        None where that is not what is picked, or where it matters what is dropped.
        """
        parts, _ = self.stacked.get(value.number, ((), 0.0))
        mask = self.only_mask(keys) if parts else None
        if not isinstance(mask, Apply) or mask.number not in self.rankings or may_be_poisoned(value):
            return None
        if mask.args[0].number != value.number:
            return None
        op = "maximum" if mask.op == "ge" else "minimum"
        return functools.reduce(lambda one, other: self.apply(op, (one, other), node, frame), parts)

    def _is_whole_order(self, key: Thing) -> bool:
        """Whether indices name all elements, in some order."""
        return isinstance(key, Value) and key.number in self.orders

    def extreme(self, op: str, value: Value, node: ast.AST, frame: Frame) -> Value:
        """The largest or smallest element of a tensor: of any two elements, one is dropped."""
        if not value.grad or isinstance(value, Leaf):
            return value
        another = self.beside_diagonal(value) if differs_from_itself(value) else value
        another = self.element(value, ANOTHER) if another.number == value.number else another
        return self.apply(op, (value, another), node, frame)

    def one_of(self, value: Value, node: ast.AST, frame: Frame) -> Value:
        """The element of a certain rank: smaller ones are dropped, which matters if they may be poisoned."""
        return self.extreme("largest", value, node, frame) if may_be_poisoned(value) else value

    def extreme_of_group(self, value: Value) -> Value:
        """The extremum of a group of elements, which stays that of an element's own group however it is picked."""
        inner = self.builder.apply("identity", value, node=value.node, grad=value.grad, kind=value.kind)
        made = self.builder.apply("identity", inner, node=value.node, grad=value.grad, kind=value.kind)
        self.extremes.add(made.number)
        return made

    def which_part(self) -> Leaf:
        """A condition of which nothing is known: whether an element is one of the first part, of several joined."""
        return self.builder.leaf(PART, R.TRUTH, grad=False, kind=Kind.NUMBER)

    def any_element(self, *keys: Thing, key: object = None) -> Value:
        """Whether an element is one of those that indices name; nothing is known of that, unless a mask gave them.

        Where `key` is the same, so is what is picked.
        """
        mask = self.only_mask(keys)
        if mask is not None:
            return mask
        return self.opaque(PICKED, *keys, region=R.TRUTH, grad=False, kind=Kind.TENSOR, key=key)

    def only_mask(self, keys: Sequence[Thing]) -> Value | None:
        """The one mask that there is among parts of a subscript; indices along several dimensions may come of one."""
        masks = {mask.number: mask for key in keys if (mask := self.mask_of(key)) is not None}
        return next(iter(masks.values())) if len(masks) == 1 else None

    def diagonal(self, of: Value) -> Leaf:
        """The mask of the elements of a matrix that have one index twice."""
        return self.opaque(
            DIAGONALS[0], region=R.TRUTH, grad=False, kind=Kind.TENSOR, key=("diagonal", of.number)
        )

    def found_where(self, value: Value, indices: Value) -> None:
        """Remember that some indices are those of the elements of a value that are not 0."""
        logical = self.is_logical(value)
        mask = value if logical else self.builder.apply("ne", value, self.builder.constant(0.0))
        self.positions[indices.number] = mask

    def found_extremes(self, value: Value, indices: Value, *, largest: bool) -> None:
        """Remember that some indices are those of the `largest` elements of a value, or of the smallest ones."""
        another = self.element(value, ANOTHER)
        if another.number != value.number:
            ranking = self.builder.apply("ge" if largest else "le", value, another)
            self.positions[indices.number] = ranking
            self.rankings.add(ranking.number)

    def mask_of(self, thing: Thing) -> Value | None:
        """The mask that a subscript is, or that its indices come from."""
        if not isinstance(thing, Value):
            return None
        return thing if self.is_logical(thing) else self.positions.get(thing.number)

    def is_logical(self, value: Value) -> bool:
        """Whether a value is a boolean or a mask; a comparison of known numbers has become a number."""
        if isinstance(value, Constant):
            inverted = isinstance(value.node, ast.UnaryOp) and isinstance(value.node.op, ast.Invert)
            return (inverted or isinstance(value.node, ast.Compare)) and value.value in (0.0, 1.0)
        if isinstance(value, Leaf):
            return value.region <= R.TRUTH
        return isinstance(value, Apply) and OPS[value.op].boolean

    def result(
        self,
        call: Call,
        *feeds: Thing,
        region: Region = R.FINITE,
        grad: bool = True,
        kind: Kind = Kind.UNKNOWN,
        key: object = None,
    ) -> Leaf:
        """An unknown value, called as the call is written; it depends on `feeds`."""
        name, grad = self.source(call.node), grad and call.frame.grad
        return self.opaque(name, *feeds, region=region, grad=grad, kind=kind, node=call.node, key=key)


def _is_contraction(value: Value) -> bool:
    return isinstance(value, Apply) and value.op == "contraction"


def _covers(factor: Value) -> bool:
    """Whether a factor is known to have something for each element; a number is no mask, either."""
    if isinstance(factor, Constant):
        return True
    leaves = (value for value in closure((factor,), MOST_BELOW) if isinstance(value, Leaf))
    return any(called_name(leaf.node) in COVERING for leaf in leaves)


def _called(value: Value) -> str:
    """The name of a value; of one or the other thing that of the first that has one."""
    while isinstance(value, Apply) and value.op == "phi":
        value = next((arg for arg in value.args[1:] if isinstance(arg, Leaf)), value.args[1])
    return value.name if isinstance(value, Leaf) else "value"
