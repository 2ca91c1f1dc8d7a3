"""Calls: which op a call is, what its arguments are, and bodies of the analysed code that are followed."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nanlint import regions as R
from nanlint.catalogue import OPS, SELECTORS, SPELLINGS
from nanlint.catalogue.structure import (
    COUNTS,
    DETACHED,
    FILLED,
    LOGGING,
    OPAQUE,
    PICKING,
    PYTHON_RESULTS,
    SAME_ELEMENTS,
)
from nanlint.graph import Apply, Constant, Kind, Leaf, Value
from nanlint.lower.conventions import counts_something
from nanlint.lower.lowering import MOST_INLINED, values_in
from nanlint.lower.objects import Objects
from nanlint.lower.scope import Frame, Returned, Scope, elsewhere, foreign_call
from nanlint.lower.special import SPECIAL
from nanlint.lower.things import (
    Class,
    Each,
    Foreign,
    Function,
    Instance,
    Items,
    Layer,
    Mapped,
    Method,
    Symbol,
    Text,
    Thing,
)
from nanlint.names import canonical, is_foreign

_DEEPEST_CALL = 5
_TO_FLOAT = frozenset({"float", "double", "half", "bfloat16", "to", "type", "type_as"})
_MATH = ("math.", "cmath.")
_TORCH = ("torch.", "Tensor.")


class Calls(Objects):
    """Evaluates calls abstractly in a frame."""

    package = ""

    def knows(self, dotted: str) -> bool:
        """Whether the catalogue has something to say about the torch name `dotted`."""
        name = canonical(dotted)
        short = name.rsplit(".", 1)[-1]
        return (
            name in SPELLINGS
            or short in SPECIAL
            or short in FILLED
            or short in OPAQUE
            or short in SAME_ELEMENTS
        )

    # --- values

    def apply(self, op: str, args: Sequence[Value], node: ast.AST, frame: Frame) -> Value:
        """`op` of `args` where `frame` is; a selector is remembered if the analysed function holds it."""
        if op == "pow" and isinstance(args[0], Constant) and args[0].value > 0.0:
            op, args = self._exponential(args[0].value, args[1])
        made = self.builder.apply(
            op, *args, node=frame.foreign_call or node, grad=frame.grad, path=frame.path
        )
        if isinstance(made, Apply) and frame.depth == 0 and (op in SELECTORS or op == "mul"):
            self.collected.selectors.append(made)
        return made

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
            made = self.named_leaf(
                f"{_called(owner)}.{thing.name}", key=("attribute", owner.number, thing.name)
            )
            return made if isinstance(made, Value) else self.opaque(thing.name, grad=False)
        return self.opaque(thing.name, owner)

    def detached(self, value: Value) -> Value:
        """The same value without its gradient."""
        if not value.grad:
            return value
        return self.builder.apply("identity", value, node=value.node, grad=False, kind=value.kind)

    def select(self, value: Value, mask: Value, node: ast.AST, frame: Frame) -> Value:
        """The elements of `value` under `mask`."""
        return self.apply("masked_select", (value, mask), node, frame)

    def store_masked(self, old: Value, mask: Value, new: Value, node: ast.AST, frame: Frame) -> Value:
        """`old[mask] = new`."""
        return self.apply("masked_fill", (old, mask, new), node, frame)

    def inner(self, frame: Frame) -> Frame:
        """A frame for a scope inside an expression: what it binds does not come out."""
        scope = Scope({}, frame.scope)
        return replace(frame, scope=scope, alive=True, returned=[], left=[])

    # --- calls

    def _Call(self, node: ast.Call, frame: Frame) -> Thing:
        called = self.evaluate(node.func, frame)
        args = self._arguments(node, frame)
        named = {word.arg: self.evaluate(word.value, frame) for word in node.keywords if word.arg}
        for word in node.keywords:
            if word.arg is None:
                self.evaluate(word.value, frame)
        return self.call(called, args, named, node, frame)

    def _arguments(self, node: ast.Call, frame: Frame) -> tuple[Thing, ...]:
        things: list[Thing] = []
        for arg in node.args:
            thing = self.evaluate(arg, frame)
            if isinstance(arg, ast.Starred) and isinstance(thing, Items):
                things.extend(thing.things)
            else:
                things.append(thing)
        return tuple(things)

    def call(
        self, called: Thing, args: tuple[Thing, ...], named: Mapping[str, Thing], node: ast.Call, frame: Frame
    ) -> Thing:
        """The result of a call."""
        if isinstance(called, Symbol):
            return self._call_symbol(called, args, named, node, frame)
        if isinstance(called, Method):
            return self._call_method(called, args, named, node, frame)
        if isinstance(called, Function):
            return self.call_function(called, args, named, node, frame)
        if isinstance(called, Class):
            return self._construct(called, args, named, node, frame)
        if isinstance(called, Instance):
            return self._call_instance(called, args, named, node, frame)
        if isinstance(called, Layer) and args and isinstance(args[0], Value):
            return self.called_layer(called, args[0], node, frame)
        if isinstance(called, Foreign):
            return called
        return self.unknown_call(called, args, named, node)

    def unknown_call(
        self, called: Thing, args: Sequence[Thing], named: Mapping[str, Thing], node: ast.AST
    ) -> Thing:
        """Something that is not followed: gradient may come back through it to its arguments."""
        self.sink(*args, *named.values())
        region, grad = self.named_result(_last_name(called))
        if _is_top_level(called):
            grad = grad and self._may_have_gradient(args, named)
        return self.opaque(
            self.source(node), called, *args, *named.values(), region=region, grad=grad, node=node
        )

    def _may_have_gradient(self, args: Sequence[Thing], named: Mapping[str, Thing]) -> bool:
        """Whether a function without parameters of its own can return a gradient: only if it is given one."""
        values = [value for thing in (*args, *named.values()) for value in values_in(thing)]
        tensors = [value for value in values if value.kind is not Kind.NUMBER]
        return not tensors or any(value.grad for value in tensors)

    def _call_symbol(
        self,
        called: Symbol,
        args: tuple[Thing, ...],
        named: Mapping[str, Thing],
        node: ast.Call,
        frame: Frame,
    ) -> Thing:
        dotted = canonical(called.name)
        short = dotted.rsplit(".", 1)[-1]
        if is_foreign(dotted):
            return Foreign()
        if dotted.startswith(_MATH):
            return self._math(short, args, node, frame)
        if dotted.startswith("torch."):
            return self._call_torch(dotted, short, args, named, node, frame)
        handler = SPECIAL.get(short) if dotted.startswith("builtins.") else None
        if handler is not None:
            found = handler(self, args, named, node, frame)
            if found is not None:
                return found
        row = SPELLINGS.get(dotted)
        if row is not None and len(args) == 1 and isinstance(args[0], Value):
            return self.apply(row.name, (args[0],), node, frame)
        if short in LOGGING:
            return Text("")
        followed = self.follow(dotted)
        outside = isinstance(followed, Symbol) and not followed.name.startswith(("torch.", "math."))
        if followed is not None and not outside:
            return self.call(followed, args, named, node, frame)
        return self.unknown_call(called, args, named, node)

    def follow(self, dotted: str) -> Thing | None:
        """What `dotted` names in another file of the same project, if it can be had."""
        return None

    def followed(self, thing: Thing) -> Thing:
        """What a name stands for: an imported one, if it can be had, for what it names."""
        return (self.follow(thing.name) or thing) if isinstance(thing, Symbol) else thing

    def _math(self, short: str, args: tuple[Thing, ...], node: ast.Call, frame: Frame) -> Thing:
        row = SPELLINGS.get(f"torch.{short}")
        values = [arg for arg in args if isinstance(arg, Value)]
        if row is not None and len(values) == len(args) == len(row.parameters):
            return self.builder.apply(row.name, *values, node=node, grad=False, kind=Kind.NUMBER)
        return self.opaque(self.source(node), *args, grad=False, kind=Kind.NUMBER, node=node)

    def _call_torch(
        self,
        dotted: str,
        short: str,
        args: tuple[Thing, ...],
        named: Mapping[str, Thing],
        node: ast.Call,
        frame: Frame,
    ) -> Thing:
        made = self.made_by_torch(dotted, args)
        if made is not None:
            return made
        found = self._torch_op(dotted, short, args, named, node, frame)
        if found is not None:
            return found
        if dotted.startswith(("torch.nn.", "torch.optim.", "torch.utils.", "torch.distributed.")):
            return self.unknown_call(Symbol(dotted), args, named, node)
        return self._regular(short, args, named, node)

    def _torch_op(
        self,
        dotted: str,
        short: str,
        args: tuple[Thing, ...],
        named: Mapping[str, Thing],
        node: ast.Call,
        frame: Frame,
    ) -> Thing | None:
        """A call of a torch function, or of a Tensor method with its receiver first; None if no table has it."""
        args = tuple(self.as_value(arg) if isinstance(arg, Method) else arg for arg in args)
        handler = SPECIAL.get(short)
        if handler is not None:
            found = handler(self, args, named, node, frame)
            if found is not None:
                return found
        row = SPELLINGS.get(dotted)
        if row is not None:
            values = self._bound(row.parameters, args, named)
            if values is not None:
                return self._out(self.apply(row.name, values, node, frame), node, frame)
        if short in SAME_ELEMENTS and args:
            return self._same(short, args[0])
        if short in DETACHED and args:
            return self.detached(self.as_value(args[0]))
        if short in PICKING and args and isinstance(args[0], Value):
            return self.picked_by_index(args[0], args[1:], node, frame)
        if short in FILLED:
            return self._filled(short, args, node)
        if short in COUNTS:
            return self._counted(short, args, node)
        if short in PYTHON_RESULTS:
            return self.opaque(self.source(node), *args[:1], grad=False, kind=Kind.NUMBER, node=node)
        return self._opaque_result(short, args, named, node) if short in OPAQUE else None

    def _same(self, short: str, thing: Thing) -> Thing:
        value = self.as_value(thing)
        counted = isinstance(value, Leaf) and counts_something(value.name.rsplit(".", 1)[-1])
        return self.detached(value) if counted and short in _TO_FLOAT else value

    def picked_by_index(self, value: Value, keys: Sequence[Thing], node: ast.AST, frame: Frame) -> Value:
        """Some elements by their indices: any other element is dropped."""
        if not value.grad or isinstance(value, Leaf):
            return self.element(value, self.source(node))
        return self.select(value, self.any_element(*keys), node, frame)

    def any_element(self, *keys: Thing) -> Leaf:
        """A mask of which nothing is known: whether an element is one of those that indices name."""
        return self.opaque("picked", *keys, region=R.TRUTH, grad=False, kind=Kind.TENSOR)

    def is_logical(self, value: Value) -> bool:
        """Whether a value is a boolean or a mask."""
        if isinstance(value, Leaf):
            return value.region <= R.TRUTH
        return isinstance(value, Apply) and OPS[value.op].boolean

    def _filled(self, short: str, args: Sequence[Thing], node: ast.AST) -> Value:
        points = FILLED[short].points
        if points is not None and len(points) == 1:
            return self.builder.constant(points[0], node, Kind.TENSOR)
        name = self.source(node)
        return self.builder.leaf(name, FILLED[short], grad=False, kind=Kind.TENSOR, node=node)

    def _counted(self, short: str, args: Sequence[Thing], node: ast.AST) -> Thing:
        value = args[0] if args else None
        if short in ("long", "int", "short", "byte", "char") and isinstance(value, Value):
            return self.builder.apply("trunc", value, node=node, grad=False, kind=Kind.TENSOR)
        region = (
            R.interval(1.0, 1e6)
            if short in ("numel", "size", "dim", "nelement")
            else R.NONNEGATIVE & R.FINITE
        )
        kind = Kind.NUMBER if short in ("numel", "size", "dim", "ndimension", "nelement") else Kind.TENSOR
        key = (
            None
            if value is None or not isinstance(value, Value)
            else ("count", value.number, self.source(node))
        )
        return self.opaque(
            self.source(node), *args[:1], region=region, grad=False, kind=kind, node=node, key=key
        )

    def _opaque_result(
        self, short: str, args: Sequence[Thing], named: Mapping[str, Thing], node: ast.AST
    ) -> Thing:
        values = [value for thing in (*args, *named.values()) for value in values_in(thing)]
        grad = any(value.grad for value in values)
        key = ("opaque", short, *(value.number for value in values))
        return self.opaque(
            self.source(node), *values, region=OPAQUE[short], grad=grad, kind=Kind.TENSOR, node=node, key=key
        )

    def _regular(self, short: str, args: Sequence[Thing], named: Mapping[str, Thing], node: ast.AST) -> Thing:
        """A torch function that no table has: regular, any value, gradient as its arguments have it."""
        values = [value for thing in (*args, *named.values()) for value in values_in(thing)]
        return self.opaque(
            self.source(node), *values, grad=any(value.grad for value in values), kind=Kind.TENSOR, node=node
        )

    def _bound(
        self, parameters: Sequence[str], args: Sequence[Thing], named: Mapping[str, Thing]
    ) -> list[Value] | None:
        """The op's arguments in order; None if one is missing or is no value."""
        words = dict(named)
        if "self" in words:
            words["input"] = words.pop("self")
        bound: list[Value] = []
        for index, parameter in enumerate(parameters):
            thing = args[index] if index < len(args) else words.get(parameter)
            if thing is None or isinstance(thing, (Text, Function, Class, Items, Mapped)):
                return None
            bound.append(self.as_value(thing))
        return bound

    def _out(self, value: Value, node: ast.Call, frame: Frame) -> Value:
        """`out=y` binds the result to `y` too."""
        for word in node.keywords:
            if word.arg == "out" and isinstance(word.value, ast.Name):
                frame.scope.names[word.value.id] = value
        return value

    # --- methods

    def _call_method(
        self,
        called: Method,
        args: tuple[Thing, ...],
        named: Mapping[str, Thing],
        node: ast.Call,
        frame: Frame,
    ) -> Thing:
        receiver = called.receiver
        if isinstance(receiver, Method):
            receiver = self.as_value(receiver)
        if isinstance(receiver, Value):
            return self._call_tensor_method(receiver, called, args, named, node, frame)
        if isinstance(receiver, (Items, Each)):
            return self._call_list_method(receiver, called, args, node, frame)
        if isinstance(receiver, Mapped):
            return self._call_dict_method(receiver, called, args)
        if called.name in LOGGING:
            return Text("")
        handler = SPECIAL.get(called.name) if isinstance(receiver, Instance) else None
        if handler is not None and (found := handler(self, args, named, node, frame)) is not None:
            return found
        return self.unknown_call(called, args, named, node)

    def _call_tensor_method(
        self,
        receiver: Value,
        called: Method,
        args: tuple[Thing, ...],
        named: Mapping[str, Thing],
        node: ast.Call,
        frame: Frame,
    ) -> Thing:
        name = called.name
        logged = name in LOGGING and name not in SAME_ELEMENTS and (args or name != "log")
        if receiver.kind is not Kind.TENSOR and logged:
            return Text("")
        if receiver.kind is Kind.UNKNOWN and not _fits(name, args):
            return self.unknown_call(called, args, named, node)
        in_place = name.endswith("_") and not name.endswith("__")
        found = self._torch_op(f"Tensor.{name}", name, (receiver, *args), named, node, frame)
        if found is None and in_place:
            found = self._torch_op(f"Tensor.{name[:-1]}", name[:-1], (receiver, *args), named, node, frame)
        if found is None:
            return self._unknown_method(receiver, called, args, named, node)
        if in_place and isinstance(found, Value):
            self.rebind(receiver, found, frame)
        return found

    def _unknown_method(
        self,
        receiver: Value,
        called: Method,
        args: tuple[Thing, ...],
        named: Mapping[str, Thing],
        node: ast.Call,
    ) -> Thing:
        values = [value for thing in (*args, *named.values()) for value in values_in(thing)]
        if receiver.kind is not Kind.TENSOR:  # a method of some object may do anything with them
            self.sink(receiver, *values)
        region, regular = self.named_result(called.name)
        grad = regular and (receiver.grad or any(value.grad for value in values))
        key = None if args or named else ("method", receiver.number, called.name)
        return self.opaque(self.source(node), receiver, *values, region=region, grad=grad, node=node, key=key)

    def _call_list_method(
        self, receiver: Items | Each, called: Method, args: tuple[Thing, ...], node: ast.Call, frame: Frame
    ) -> Thing:
        target = called.node.value
        if called.name in ("append", "insert") and args and isinstance(target, ast.Name):
            self._append(receiver, args[-1], target.id, frame)
            return Text(None)
        self.sink(*args)
        return (
            receiver if called.name in ("copy", "values") else self.opaque(self.source(node), receiver, *args)
        )

    def _append(self, receiver: Items | Each, thing: Thing, name: str, frame: Frame) -> None:
        """A list that grows is one of elements that are all alike."""
        if isinstance(receiver, Items) and not frame.loops:
            frame.scope.names[name] = Items((*receiver.things, thing))
            return
        old = (
            receiver.thing if isinstance(receiver, Each) else receiver.things[0] if receiver.things else thing
        )
        frame.scope.names[name] = Each(self.choose(None, old, thing))

    def _call_dict_method(self, receiver: Mapped, called: Method, args: tuple[Thing, ...]) -> Thing:
        if called.name == "get" and args and isinstance(args[0], Text) and isinstance(args[0].value, str):
            found = receiver.things.get(args[0].value)
            if found is not None:
                return found
        self.sink(*args)
        return self.opaque(called.name, receiver, *args)

    def rebind(self, old: Value, new: Value, frame: Frame) -> None:
        """After an in-place op every name of `old` has the new value."""
        raise NotImplementedError

    # --- functions and classes of the analysed code

    def call_function(
        self,
        function: Function,
        args: tuple[Thing, ...],
        named: Mapping[str, Thing],
        node: ast.AST,
        frame: Frame,
    ) -> Thing:
        """Follow a call into its body; recursion and long chains of calls are opaque."""
        self.collected.inlined += 1
        if not self.may_follow(function, frame):
            return self.unknown_call(function, args, named, node)
        inner = Frame(
            Scope({}, function.scope),
            depth=frame.depth + 1,
            grad=frame.grad,
            path=frame.path,
            owner=function.owner,
            calls=(*frame.calls, function.node),
            foreign_call=foreign_call(function.scope, frame.foreign_call or node),
        )
        receiver = () if function.receiver is None else (function.receiver,)
        self.bind_parameters(function, (*receiver, *args), named, inner)
        return self.body(function, inner)

    def may_follow(self, function: Function, frame: Frame) -> bool:
        """Whether a call from `frame` is followed: there is a body to run, no recursion, and no long chain of calls."""
        node = function.node
        if frame.depth >= _DEEPEST_CALL or self.collected.inlined > MOST_INLINED or node in frame.calls:
            return False
        if node not in self.bodies:
            self.bodies[node] = not (is_generator(node) or is_stub(node))
        return self.bodies[node]

    def body(self, function: Function, frame: Frame) -> Thing:
        """The result of running a function's body in `frame`."""
        node = function.node
        if isinstance(node, ast.Lambda):
            return self.evaluate(node.body, frame)
        if self.stops_gradient(node.decorator_list, frame):
            frame.grad = False
        before = len(frame.path)
        self.run(node.body, frame)
        return self.joined(frame.returned, before)

    def joined(self, returned: Sequence[Returned], before: int) -> Thing:
        """The value of a call whose body returns in several places; `before` assumptions are the caller's own."""
        if not returned:
            return Text(None)
        joined = returned[-1].thing
        for one in reversed(returned[:-1]):
            condition = self._single(one, before)
            joined = self.choose(condition, one.thing, joined)
        return joined

    def _single(self, returned: Returned, before: int) -> Value | None:
        own = returned.path[before:]
        if len(own) != 1:
            return None
        condition = own[0].condition
        return condition if own[0].truth else self.builder.apply("not", condition)

    def bind_parameters(
        self, function: Function, args: Sequence[Thing], named: Mapping[str, Thing], frame: Frame
    ) -> None:
        """Bind a function's parameters to the arguments of a call, or to their defaults, or to unknown values."""
        parameters = function.node.args
        positional = [*parameters.posonlyargs, *parameters.args]
        defaults = dict(zip([p.arg for p in positional[::-1]], parameters.defaults[::-1], strict=False))
        defaults |= {
            p.arg: d for p, d in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True) if d
        }
        names = frame.scope.names
        for index, parameter in enumerate([*positional, *parameters.kwonlyargs]):
            word = parameter.arg
            if index < len(positional) and index < len(args):
                names[word] = args[index]
            elif word in named:
                names[word] = named[word]
            else:
                names[word] = self.default(parameter, defaults.get(word), function)
        if parameters.vararg is not None:
            rest = args[len(positional) :]
            names[parameters.vararg.arg] = Items(tuple(rest)) if rest else Each(self.opaque("argument"))
        if parameters.kwarg is not None:
            names[parameters.kwarg.arg] = Mapped(dict(named))

    def default(self, parameter: ast.arg, default: ast.expr | None, function: Function) -> Thing:
        """A parameter that no argument is known for: its default if that is a number, else what its name says."""
        if default is not None:
            thing = self.evaluate(default, elsewhere(function.scope))
            if isinstance(thing, Constant) and not _is_flag(default):
                return thing
            if _is_flag(default):
                return self.builder.leaf(parameter.arg, R.TRUTH, grad=False, kind=Kind.NUMBER)
        return self.named_leaf(parameter.arg, parameter.annotation)

    def _construct(
        self, cls: Class, args: tuple[Thing, ...], named: Mapping[str, Thing], node: ast.Call, frame: Frame
    ) -> Thing:
        self.sink(*args, *named.values())
        place = frame.foreign_call or node
        if named and not args:
            return self.instance_of(cls, cls.name, place=place)
        return self.instance_of(cls, cls.name, args or None, place)

    def initialise(self, init: Function, args: tuple[Thing, ...] | None, place: ast.AST) -> None:
        """Run `__init__` for its effect on the instance; long chains of them are cut as those of calls are."""
        self.collected.inlined += 1
        if len(self.initialising) > _DEEPEST_CALL or self.collected.inlined > MOST_INLINED:
            return
        kept = len(self.collected.selectors), len(self.collected.sinks)
        frame = elsewhere(init.scope, place)
        frame.depth, frame.owner, frame.calls = 1, init.owner, (init.node,)
        receiver = () if init.receiver is None else (init.receiver,)
        self.bind_parameters(init, (*receiver, *(args or ())), {}, frame)
        self.body(init, frame)
        del self.collected.selectors[kept[0] :], self.collected.sinks[kept[1] :]

    def _call_instance(
        self,
        called: Instance,
        args: tuple[Thing, ...],
        named: Mapping[str, Thing],
        node: ast.Call,
        frame: Frame,
    ) -> Thing:
        for name in ("__call__", "forward"):
            method = self.class_attribute(called.cls, name, called, node, frame)
            if isinstance(method, Function):
                return self.call_function(method, args, named, node, frame)
        return self.unknown_call(called, args, named, node)


def _last_name(called: Thing) -> str:
    """The name under which something unknown is called."""
    if isinstance(called, Symbol):
        return called.name.rsplit(".", 1)[-1]
    if isinstance(called, Method):
        return called.name
    if isinstance(called, Function) and not isinstance(called.node, ast.Lambda):
        return called.node.name
    return called.name.rsplit(".", 1)[-1] if isinstance(called, Leaf) else ""


def _is_top_level(called: Thing) -> bool:
    """Whether something called is a function of some module, which has no tensors of its own."""
    if isinstance(called, Function):
        return called.receiver is None and called.scope.parent is None
    return isinstance(called, Symbol) and not called.name.startswith("builtins.")


def _is_flag(default: ast.expr) -> bool:
    return isinstance(default, ast.Constant) and isinstance(default.value, bool)


def _called(value: Value) -> str:
    return value.name if isinstance(value, Leaf) else "value"


def _fits(name: str, args: Sequence[Thing]) -> bool:
    """Whether a call on something that may be no tensor looks like the Tensor method of that name."""
    row = SPELLINGS.get(f"Tensor.{name}")
    if row is None or name in SELECTORS:
        return True
    return len(row.parameters) > 1 or not any(
        isinstance(arg, Text) and isinstance(arg.value, str) for arg in args
    )


def is_generator(node: ast.AST) -> bool:
    """Whether a function yields."""
    body = getattr(node, "body", [])
    statements = body if isinstance(body, list) else []
    return any(isinstance(part, (ast.Yield, ast.YieldFrom)) for s in statements for part in ast.walk(s))


def is_stub(node: ast.AST) -> bool:
    """Whether a function has no body to follow: an abstract method, a declaration."""
    body = getattr(node, "body", None)
    return isinstance(body, list) and all(map(_does_nothing, body))


def _does_nothing(statement: ast.stmt) -> bool:
    literal = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return literal or isinstance(statement, (ast.Pass, ast.Raise))


__all__ = ["OPS", "Calls", "is_generator", "is_stub"]
