"""Calls of functions of the analysed code, which are followed into their bodies, and of its classes and objects."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from nanlint import regions as R
from nanlint.graph import Assumption, Constant, Kind, Leaf, Value, closure
from nanlint.lower.between import singular_among
from nanlint.lower.call import Call
from nanlint.lower.conventions import is_beside_prediction, may_be_number
from nanlint.lower.demand import demanded
from nanlint.lower.dispatch import deciding
from nanlint.lower.distributions import comparisons, declared
from nanlint.lower.given import calls_in, numbers_given
from nanlint.lower.infinite import asked_about
from nanlint.lower.lowering import MOST_INLINED
from nanlint.lower.methods import Methods
from nanlint.lower.remembered import remembered
from nanlint.lower.scope import Frame, Returned, Scope, elsewhere, foreign_call
from nanlint.lower.sized import SIZE, sizes_in
from nanlint.lower.things import Class, Each, Function, Instance, Items, Mapped, Text, Thing, values_in

_DEEPEST_CALL = 5


_MOST_CHECKS, _MOST_OF_A_CHECK = 8, 8
"""How many checks of `__init__` are known in methods, and of how many values each."""


class Functions(Methods):
    """Follows calls."""

    def call_function(self, function: Function, call: Call) -> Thing:
        """Follow a call into its body; recursion and long chains of calls are opaque."""
        self.collected.inlined += 1
        frame = call.frame
        if not self._may_follow(function, frame):
            return self.unknown_call(call.of(function))
        handed = [*call.values, *_kept(function)]
        inner = Frame(
            Scope({}, function.scope),
            depth=frame.depth + 1,
            grad=frame.grad,
            path=frame.path,
            owner=function.owner,
            calls=(*frame.calls, function.node),
            foreign_call=foreign_call(function.scope, frame.foreign_call or call.node),
            handed={value.number for value in handed},
            handed_singular=frame.handed_singular if frame.depth else singular_among(handed),
            handed_still=frame.handed_still if frame.depth else self._still_among(handed),
            deciding=deciding(call.things, frame.deciding if frame.depth else None),
        )
        if function.node in self.inside:
            self.collected.entered.add(function.node)
        receiver = () if function.receiver is None else (function.receiver,)
        self.bind_parameters(function, (*receiver, *call.args), call.named, inner, complete=call.is_complete)
        known = len(self.collected.within)
        given = dict(inner.scope.names)
        made = self.body(function, inner)
        self._changed_by(inner, given, frame)
        if frame.depth == 0 and len(self.collected.within) > known:
            self._keep_returned(made, known)
        frame.take(inner)
        return self.without_gradient(made) if not receiver and call.is_of_arrays else made

    def _still_among(self, values: Iterable[Value]) -> frozenset[int]:
        """The numbers of the values that no gradient flows to, and of what an input is that is taken for a mask."""
        masks = (
            self.as_truth(value) if isinstance(value, Leaf) and value.grad else value for value in values
        )
        return frozenset(mask.number for mask in masks if not mask.grad)

    def _keep_returned(self, made: Thing, known: int) -> None:
        """Of the selectors of a called function, those that its result is made of: others log, or measure."""
        within = self.collected.within
        wanted = demanded(values_in(made), self.wholes)
        within[known:] = [selector for selector in within[known:] if selector.number in wanted]

    def _may_follow(self, function: Function, frame: Frame) -> bool:
        """Whether a call from `frame` is followed: there is a body to run, no recursion, and no long chain of calls."""
        node = function.node
        if frame.depth >= _DEEPEST_CALL or self.collected.inlined > MOST_INLINED or node in frame.calls:
            return False
        if node not in self.bodies:
            self.bodies[node] = not (self._may_yield(function) and is_generator(node)) and not is_stub(node)
        return self.bodies[node]

    def _may_yield(self, function: Function) -> bool:
        """Whether the text of a function's file has any generator: in most there is none to look for."""
        file = function.scope.file()
        return "yield" in self.text if file is None else file.yields

    def body(self, function: Function, frame: Frame) -> Thing:
        """The result of running a function's body in `frame`."""
        node = function.node
        if isinstance(node, ast.Lambda):
            return self.evaluate(node.body, frame)
        if self.stops_gradient(node.decorator_list, frame):
            frame.grad = False
        self.assume_of_objects(function.owner, frame)
        if function.owner is not None and node.args.args:
            receiver = frame.scope.names.get(node.args.args[0].arg)
            self._assume_declared(receiver, frame)
            self._assume_ensured(receiver, frame)
        before = len(frame.path)
        self.run(node.body, frame)
        return self._joined(frame.returned, before)

    def _assume_declared(self, owner: Thing | None, frame: Frame) -> None:
        """In a method of a distribution, and behind it, its parameters are what their constraints say."""
        if not isinstance(owner, Instance):
            return
        before = len(frame.path)
        for name, region in declared(self.ancestry(owner.cls)).items():
            value = owner.fields.get(name)
            if isinstance(value, Value) and not isinstance(value, Constant):
                for comparison, number in comparisons(region):
                    bound = self.builder.constant(number)
                    frame.assume(self.builder.apply(comparison, value, bound), True)
        frame.given.extend(frame.path[before:])

    def _assume_ensured(self, owner: Thing | None, frame: Frame) -> None:
        """In a method, what `__init__` raises an error for otherwise holds of the values that it keeps."""
        if not isinstance(owner, Instance) or not any(_checks(cls.node) for cls in self.ancestry(owner.cls)):
            return
        before = len(frame.path)
        if owner.fields:
            for ensured in owner.ensured:
                frame.assume(ensured.condition, ensured.truth)
        frame.given.extend(frame.path[before:])

    def _joined(self, returned: Sequence[Returned], before: int) -> Thing:
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
        self,
        function: Function,
        args: Sequence[Thing],
        named: Mapping[str, Thing],
        frame: Frame,
        prefix: str = "",
        *,
        complete: bool = False,
    ) -> None:
        """Bind a function's parameters to the arguments of a call, or to their defaults, or to unknown values.

        The names of unknown values that may be numbers begin with `prefix`. Flags that are not among the arguments
        have their defaults if these are `complete`; a function by itself may be called with others.
        """
        parameters = function.node.args
        positional = [*parameters.posonlyargs, *parameters.args]
        defaults = dict(zip([p.arg for p in positional[::-1]], parameters.defaults[::-1], strict=False))
        keyword = zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
        defaults |= {p.arg: d for p, d in keyword if d}
        names = frame.scope.names
        for index, parameter in enumerate([*positional, *parameters.kwonlyargs]):
            word = parameter.arg
            if index < len(positional) and index < len(args):
                names[word] = args[index]
            elif word in named:
                names[word] = named[word]
            else:
                names[word] = self._default(parameter, defaults.get(word), function, prefix, complete)
            self._assume_sized(function, word, frame)
        if parameters.vararg is not None:
            rest = args[len(positional) :]
            names[parameters.vararg.arg] = Items(tuple(rest)) if rest else Each(self.opaque("argument"))
        if parameters.kwarg is not None:
            names[parameters.kwarg.arg] = Mapped(dict(named))

    def _assume_sized(self, function: Function, word: str, frame: Frame) -> None:
        """A parameter that a function makes something of that size with is an integer."""
        given = frame.scope.names[word]
        if isinstance(given, Leaf) and given.grad and word in sizes_in(function.node):
            key = ("size", given.number)
            frame.scope.names[word] = self.builder.leaf(
                given.name, SIZE, grad=False, kind=given.kind, key=key
            )

    def _default(
        self, parameter: ast.arg, default: ast.expr | None, function: Function, prefix: str, complete: bool
    ) -> Thing:
        """A parameter that no argument is known for: its default if that is of numbers, else what its name says."""
        if default is not None:
            thing = self.evaluate(default, elsewhere(function.scope))
            if isinstance(thing, Constant) and not (complete or _is_flag(default)):
                thing = self._as_given(parameter.arg, thing, function)
            if _is_of_numbers(thing) and (complete or not _is_flag(default)):
                return thing
            if _is_flag(default):
                return self.builder.leaf(parameter.arg, R.TRUTH, grad=False, kind=Kind.NUMBER)
        declared = self.declared_object(parameter.arg, parameter.annotation, function.scope)
        if declared is not None:
            return declared
        name = prefix + parameter.arg if may_be_number(parameter.annotation) else parameter.arg
        thing = self.named_leaf(name, parameter.annotation)
        if isinstance(thing, Leaf) and thing.grad and is_beside_prediction(parameter.arg, _names(function)):
            return self.builder.leaf(name, thing.region, grad=False, kind=thing.kind)
        beyond = asked_about(function.node).get(parameter.arg) if "inf" in self.text else None
        if isinstance(thing, Leaf) and beyond is not None:
            return self.builder.leaf(name, thing.region | beyond, grad=thing.grad, kind=thing.kind)
        return thing

    def _changed_by(self, inner: Frame, given: Mapping[str, Thing], frame: Frame) -> None:
        """What a function has stored in what it was given is there for its caller, too."""
        for word, old in given.items():
            new = inner.scope.names.get(word)
            if not (isinstance(old, Value) and isinstance(new, Value)) or new.number == old.number:
                continue
            before: Value = new
            while before.number in self.overwritten and before.number != old.number:
                before = self.overwritten[before.number].before
            if before.number == old.number:
                self.rebind(old, new, frame)

    def _as_given(self, parameter: str, default: Constant, function: Function) -> Value:
        """The default of a parameter, or one of the numbers that it is given in the file."""
        name = getattr(function.node, "name", "")
        called = name if function.owner is None else f".{name}"
        calls = calls_in(self.tree).get(called, ()) if self.tree and name else ()
        places = [one.arg for one in (*function.node.args.posonlyargs, *function.node.args.args)]
        bound = function.owner is not None and not _is_static(function.node)
        index = places.index(parameter) - bound if parameter in places else None
        numbers = numbers_given(calls, parameter, index, default.value) if calls else ()
        if not numbers:
            return default
        return self.builder.leaf(parameter, R.point(*numbers), grad=False, kind=Kind.NUMBER)

    def construct(self, cls: Class, call: Call) -> Thing:
        """An object of a class of the analysed code."""
        self.sink(*call.things)
        place = call.frame.foreign_call or call.node
        record = self.record(cls, call) if call.is_complete else None
        return record or self.instance_of(cls, cls.name, call if call.args or call.named else None, place)

    def initialise(self, init: Function, call: Call | None, place: ast.AST) -> None:
        """Run `__init__` for its effect on the instance; long chains of them are cut as those of calls are."""
        self.collected.inlined += 1
        if len(self.initialising) > _DEEPEST_CALL or self.collected.inlined > MOST_INLINED:
            return
        mark = self.collected.mark()
        frame = elsewhere(init.scope, place)
        frame.depth, frame.owner, frame.calls = 1, init.owner, (init.node,)
        receiver = () if init.receiver is None else (init.receiver,)
        # what an object is made with is a setting, as other attributes that nothing is known of
        args, named = ((), {}) if call is None else (call.args, call.named)
        made = init.receiver
        prefix = f"{made.name}." if isinstance(made, Instance) and made.is_given else "self."
        self.bind_parameters(init, (*receiver, *args), named, frame, prefix=prefix)
        self.body(init, frame)
        if isinstance(init.receiver, Instance):
            init.receiver.ensured = _about(init.receiver, frame.path)
        self.collected.cut(mark)

    def call_instance(self, called: Instance, call: Call) -> Thing:
        """The result of an object's `__call__` or `forward`."""
        for name in ("__call__", "forward"):
            method = self.class_attribute(called.cls, name, called, call.node, call.frame)
            if isinstance(method, Function):
                return self.call_function(method, call)
        return self.unknown_call(call)


def _kept(function: Function) -> list[Value]:
    """What a method finds in its object, besides what it is handed."""
    return function.receiver.stored if isinstance(function.receiver, Instance) else []


def _about(made: Instance, path: Sequence[Assumption]) -> list[Assumption]:
    """What of a path is short and says something of the values that an object keeps."""
    kept = {value.number for thing in made.fields.values() for value in values_in(thing)}
    found = []
    for one in path:
        parts = closure((one.condition,), _MOST_OF_A_CHECK)
        if len(parts) < _MOST_OF_A_CHECK and any(part.number in kept for part in parts):
            found.append(one)
    return found[:_MOST_CHECKS]


@remembered
def _checks(cls: ast.ClassDef) -> bool:
    """Whether the `__init__` of a class may raise an error."""
    inits = (one for one in cls.body if isinstance(one, ast.FunctionDef) and one.name == "__init__")
    parts = (part for init in inits for part in ast.walk(init))
    return any(isinstance(part, (ast.Raise, ast.Assert)) for part in parts)


def _is_of_numbers(thing: Thing) -> bool:
    """Whether a thing is a number, one of some, or a tuple or list of numbers."""
    if isinstance(thing, Items):
        return bool(thing.things) and all(isinstance(item, Constant) for item in thing.things)
    return isinstance(thing, Constant) or (isinstance(thing, Leaf) and thing.region.points is not None)


def _is_static(node: ast.AST) -> bool:
    return any(getattr(one, "id", "") == "staticmethod" for one in getattr(node, "decorator_list", ()))


def _names(function: Function) -> list[str]:
    parameters = function.node.args
    return [p.arg for p in (*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs)]


def _is_flag(default: ast.expr) -> bool:
    return isinstance(default, ast.Constant) and isinstance(default.value, bool)


@remembered
def is_generator(node: ast.AST) -> bool:
    """Whether a function yields."""
    body = getattr(node, "body", [])
    statements = body if isinstance(body, list) else []
    parts = (part for statement in statements for part in ast.walk(statement))
    return any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in parts)


def is_stub(node: ast.AST) -> bool:
    """Whether a function has no body to follow: an abstract method, a declaration."""
    body = getattr(node, "body", None)
    return isinstance(body, list) and all(map(_does_nothing, body))


def _does_nothing(statement: ast.stmt) -> bool:
    literal = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return literal or isinstance(statement, (ast.Pass, ast.Raise))
