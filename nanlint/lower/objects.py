"""Classes and their instances: constants, `__init__`, fields, parameters, buffers, properties, what is inherited."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from nanlint import regions as R
from nanlint.annotations import class_named, last_name
from nanlint.catalogue.structure import MODULES, OPAQUE
from nanlint.graph import Constant, Kind, Value
from nanlint.lower.assuming import Assuming
from nanlint.lower.call import Call
from nanlint.lower.conventions import Said, annotated, holds_settings, named, named_in, of_each, unparsed
from nanlint.lower.remembered import remembered
from nanlint.lower.scope import Frame, Scope, elsewhere, foreign_call
from nanlint.lower.things import (
    Class,
    Each,
    Function,
    Inherited,
    Instance,
    Items,
    Layer,
    Method,
    Thing,
    is_nothing,
)
from nanlint.regions import Region

_MOST_ANCESTORS = 12
_REGISTERING = ("register_buffer", "register_parameter")


class Objects(Assuming):
    """Attributes of classes and instances, and what names and annotations say of a value."""

    def named_leaf(self, name: str, annotation: ast.expr | None = None, *, key: object = None) -> Thing:
        """An unknown value called `name`, by what its annotation and the naming conventions say."""
        text = unparsed(annotation) if annotation is not None else ""
        each = of_each(text)
        if each is not None and each.kind is not None:
            return Each(self.builder.leaf(name, each.region, grad=False, kind=each.kind, key=key))
        said = annotated(text) or named_in(name, self.text)
        if said is None:
            return self.builder.leaf(name, kind=Kind.UNKNOWN, key=key)
        if said.kind is None:
            return self.foreign
        if said.kind is Kind.TENSOR and said.grad:  # any tensor: its name may say more
            more = named_in(name, self.text)
            if more is not None and more.kind is not None and more.kind is not Kind.NUMBER:
                said = Said(Kind.TENSOR, more.region, more.grad)
        assert said.kind is not None
        return self.builder.leaf(name, said.region, grad=said.grad, kind=said.kind, key=key)

    def named_result(self, name: str) -> tuple[Region, bool]:
        """The region of what something called `name` returns, and whether gradient may flow through it."""
        said = named(name)
        if name in OPAQUE:
            return OPAQUE[name], True
        return (R.FINITE, True) if said is None or said.kind is None else (said.region, said.grad)

    def instance_of(
        self,
        cls: Class,
        name: str = "self",
        call: Call | None = None,
        place: ast.AST | None = None,
        *,
        is_given: bool = False,
    ) -> Instance:
        """An instance with the attributes that `__init__` and the class body give it.

        It is made by a `call` at `place`; without one the parameters' defaults and names are all that is known.
        """
        key = (id(cls.node), name, self.shallow) if call is None else None
        if key in self.instances:
            return self.instances[key].copy(cls)
        instance = Instance(cls, name, is_given=is_given)
        ancestry = self.ancestry(cls)
        declared = [
            _annotated(ancestor.node) for ancestor in reversed(ancestry) if _is_dataclass(ancestor.node)
        ]
        fields = {word: field for of_class in declared for word, field in of_class.items()}
        instance.fields.update({word: self._field_value(field, name, word) for word, field in fields.items()})
        if call is not None:
            instance.fields.update(_given(list(fields), call))
        inits = ((_own_init(ancestor), ancestor) for ancestor in ancestry)
        init, home = next((pair for pair in inits if pair[0] is not None), (None, cls))
        if init is not None and id(init) not in self.initialising:
            function, place = Function(init, home.scope, instance, cls), place or _heading(cls)
            if key is None:
                instance.initialise = partial(self._initialise, function, call, place, shallow=self.shallow)
            else:
                self._initialise(function, call, place, shallow=self.shallow)
                self.instances[key] = instance.copy(cls)
        return instance

    def _initialise(self, init: Function, call: Call | None, place: ast.AST, *, shallow: bool) -> None:
        """Run `__init__` as it would have been where the object was made, unless it runs already."""
        if id(init.node) in self.initialising:
            return
        before, self.shallow = self.shallow, shallow
        self.initialising.add(id(init.node))
        self.initialise(init, call, place)
        self.initialising.discard(id(init.node))
        self.shallow = before

    def initialise(self, init: Function, call: Call | None, place: ast.AST) -> None:
        """Run `__init__` for a call at `place`; its selectors and sinks are not those of the caller."""
        raise NotImplementedError

    def declared_object(self, name: str, annotation: ast.expr | None, scope: Scope) -> Thing | None:
        """What a parameter is that is declared to be of a class of the project; None if it is not, or for a tensor.

        Of what looks up its attributes in a way of its own nothing is known by its class.
        """
        word = None if holds_settings(name) else class_named(annotation)
        cls = None if word is None else self.evaluate(word, elsewhere(scope))
        if word is None or not isinstance(cls, Class):
            return None
        ancestry = self.ancestry(cls)
        if any(_is_opaque(home.node) for home in ancestry):
            return None
        fields = self._record_fields(cls, name)
        if fields is not None:
            return Items(tuple(fields.values()), tuple(fields))
        return self.instance_of(cls, name, place=foreign_call(cls.scope, word), is_given=True)

    def _record_fields(self, cls: Class, name: str) -> dict[str, Thing] | None:
        """The fields of a named tuple of which nothing else is known; None for other classes."""
        if not _is_record(cls.node):
            return None
        fields = _annotated(cls.node)
        return {word: self._field_value(field, name, word) for word, field in fields.items()}

    def record(self, cls: Class, call: Call) -> Items | None:
        """What a call of a named tuple's class makes; None for other classes."""
        things = self._record_fields(cls, cls.name)
        if things is None:
            return None
        things |= _given(list(things), call)
        return Items(tuple(things.values()), tuple(things))

    def _field_value(self, field: ast.AnnAssign, name: str, word: str) -> Thing:
        default = field.value.value if isinstance(field.value, ast.Constant) else None
        if isinstance(default, (int, float)) and not isinstance(default, bool):
            return self.builder.constant(float(default))
        return self.named_leaf(f"{name}.{word}", field.annotation)

    def ancestry(self, cls: Class) -> list[Class]:
        """The class and its known base classes, the nearest first."""
        if cls.node not in self.bases:
            found = [cls]
            for one in found:
                known = {ancestor.node for ancestor in found}
                if len(found) < _MOST_ANCESTORS:
                    found.extend(base for base in self._bases(one) if base.node not in known)
            self.bases[cls.node] = found[1:]
        return [cls, *self.bases[cls.node]]

    def _bases(self, cls: Class) -> list[Class]:
        frame = elsewhere(cls.scope)
        names = [base for base in cls.node.bases if isinstance(base, (ast.Name, ast.Attribute))]
        return [thing for thing in (self.evaluate(name, frame) for name in names) if isinstance(thing, Class)]

    def instance_attribute(self, owner: Instance, node: ast.Attribute, frame: Frame) -> Thing:
        """`owner.attr`: a known field, a method, a property, a class constant, or an unknown value."""
        attr = node.attr
        if attr in owner.fields and not (owner.is_given and is_nothing(owner.fields[attr])):
            return owner.fields[attr]
        found = self.class_attribute(owner.cls, attr, owner, node, frame)
        if found is not None:
            return found
        if attr in _REGISTERING:
            return Method(owner, attr, node)
        if attr[:1].islower() or attr[:1] == "_":
            return self.named_leaf(f"{owner.name}.{attr}", key=("field", id(owner), attr))
        return Method(owner, attr, node)

    def class_attribute(
        self,
        cls: Class,
        attr: str,
        receiver: Instance | None,
        node: ast.expr,
        frame: Frame,
        after: ast.ClassDef | None = None,
    ) -> Thing | None:
        """What the class body (or that of a known base class) says of `attr`; `node` is where it is asked for.

        Only the classes `after` one are looked at, if it is given.
        """
        for home in self._behind(cls, after):
            found = self._bound_in(home.node).get(attr)
            if isinstance(found, ast.FunctionDef):
                function = Function(found, home.scope, _receiver(found, cls, receiver), cls)
                if _is_property(found):
                    return self.call_function(function, Call(function, (), {}, node, frame))
                return function
            if found is not None:
                return self.evaluate(found, elsewhere(home.scope, frame.foreign_call or node))
        return None

    def method_of(self, thing: Thing, name: str, node: ast.expr, frame: Frame) -> Function | None:
        """A method that the class of an object has; None for anything else."""
        if not isinstance(thing, Instance):
            return None
        found = self.class_attribute(thing.cls, name, thing, node, frame)
        return found if isinstance(found, Function) else None

    def _behind(self, cls: Class, after: ast.ClassDef | None) -> list[Class]:
        homes = self.ancestry(cls)
        at = next((index for index, home in enumerate(homes, 1) if home.node is after), 0)
        return homes[at:]

    def completed(
        self, cls: Class, wanted: Callable[[ast.AST], bool]
    ) -> Iterator[tuple[ast.FunctionDef, Scope]]:
        """The `wanted` methods that a class has from others of its file and that ask for what it has itself.

        They are other functions here than in the class that they are written in, which may leave a part to this one.
        """
        nearer: set[str] = set()
        for home in self.ancestry(cls):
            own = home.node.body if home.scope.file() is None and home.node is not cls.node else []
            for method in own:
                if (
                    isinstance(method, ast.FunctionDef)
                    and wanted(method)
                    and method.name not in nearer
                    and not nearer.isdisjoint(asked_of_self(method))
                ):
                    yield method, home.scope
            nearer |= self._bound_in(home.node).keys()

    def inherited(self, unknown: Value, frame: Frame) -> Thing:
        """`super()` in a method: what its first parameter has from the classes behind the method's own."""
        method = frame.calls[-1] if frame.calls else None
        if not isinstance(method, ast.FunctionDef) or not method.args.args:
            return unknown
        receiver = frame.scope.names.get(method.args.args[0].arg)
        if not isinstance(receiver, Instance):
            return unknown
        homes = (home.node for home in self.ancestry(receiver.cls))
        after = next((node for node in homes if any(part is method for part in node.body)), None)
        return unknown if after is None else Inherited(receiver, after, unknown)

    def _bound_in(self, node: ast.ClassDef) -> dict[str, ast.FunctionDef | ast.expr]:
        """What a class body binds at first: methods, and the values of constants."""
        if node not in self.classes:
            bound: dict[str, ast.FunctionDef | ast.expr] = {}
            for statement in node.body:
                for name, value in _bindings(statement):
                    bound.setdefault(name, value)
            self.classes[node] = bound
        return self.classes[node]

    def is_never_differentiated(self, cls: Class) -> bool:
        """Whether a metric's class says that it is not differentiable: its methods run without gradient then."""
        said = (self._bound_in(home.node).get("is_differentiable") for home in self.ancestry(cls))
        nearest = next((value for value in said if value is not None), None)
        return isinstance(nearest, ast.Constant) and nearest.value is False

    def made_by_torch(self, dotted: str, call: Call) -> Thing | None:
        """What calling a class of `torch.nn` makes, if the catalogue knows it."""
        name = dotted.rsplit(".", 1)[-1]
        if dotted == "torch.nn.Sequential" and call.args and call.is_complete:
            return Layer(name, call.args)
        if not dotted.startswith("torch.nn.") or name not in MODULES:
            return None
        if name == "Parameter":
            return self._parameter(call)
        return Layer(name, call.args, call.named)

    def _parameter(self, call: Call) -> Value:
        """`nn.Parameter(data)`: any value; one that needs no gradient holds a setting."""
        needs = call.argument(1, "requires_grad")
        if isinstance(needs, Constant) and not needs.value:
            return self.builder.leaf("self.parameter", grad=False, kind=Kind.TENSOR)
        return self.builder.leaf("parameter", grad=True, kind=Kind.TENSOR)


_UNKNOWABLE = frozenset({"__getattr__", "__getattribute__", "__torch_function__", "__torch_dispatch__"})
"""Methods by which a class answers for its attributes, or its operators, in a way of its own."""


def _is_opaque(node: ast.ClassDef) -> bool:
    """Whether a class is a tensor's, or says itself what its attributes are."""
    bases = (last_name(base) for base in node.bases)
    methods = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    return any(base.endswith(("Tensor", "Enum", "Protocol")) for base in bases) or bool(methods & _UNKNOWABLE)


def _is_record(node: ast.ClassDef) -> bool:
    """Whether a class is a named tuple with nothing but fields."""
    bases = {last_name(base) for base in node.bases}
    return bases == {"NamedTuple"} and not any(isinstance(one, ast.FunctionDef) for one in node.body)


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def _annotated(node: ast.ClassDef) -> dict[str, ast.AnnAssign]:
    """The fields that the body of a class declares, by their names."""
    fields = (statement for statement in node.body if isinstance(statement, ast.AnnAssign))
    return {field.target.id: field for field in fields if isinstance(field.target, ast.Name)}


def _given(names: Sequence[str], call: Call) -> dict[str, Thing]:
    """The fields that a call gives values to."""
    named = {name: thing for name, thing in call.named.items() if name in names}
    return dict(zip(names, call.args, strict=False)) | named


@remembered
def asked_of_self(method: ast.FunctionDef) -> frozenset[str]:
    """The attributes of its first parameter that a method names."""
    own = method.args.args[0].arg if method.args.args else ""
    return frozenset(
        part.attr
        for part in ast.walk(method)
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == own
    )


def _own_init(cls: Class) -> ast.FunctionDef | None:
    """What a class runs when an object of it is made; of a data class that is what it runs in the end."""
    defined = {one.name: one for one in cls.node.body if isinstance(one, ast.FunctionDef)}
    return defined.get("__init__") or defined.get("__post_init__")


def _heading(cls: Class) -> ast.AST:
    """Where a class says what it inherits from."""
    return cls.node.bases[0] if cls.node.bases else cls.node


def _receiver(method: ast.FunctionDef, cls: Class, receiver: Instance | None) -> Thing | None:
    """What a method's first parameter is: the instance, the class, or nothing for a static method."""
    decorators = {decorator.id for decorator in method.decorator_list if isinstance(decorator, ast.Name)}
    if "staticmethod" in decorators:
        return None
    return cls if "classmethod" in decorators else receiver


def _is_property(node: ast.FunctionDef) -> bool:
    names = {d.id if isinstance(d, ast.Name) else getattr(d, "attr", "") for d in node.decorator_list}
    return bool(names & {"property", "cached_property", "lazy_property"})


def _bindings(statement: ast.stmt) -> Iterator[tuple[str, ast.FunctionDef | ast.expr]]:
    if isinstance(statement, ast.FunctionDef):
        yield statement.name, statement
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _pairs(target, statement.value)
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        yield statement.target.id, statement.value


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """The names in a target with their values: `low, high = 0.0, 1.0` too."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif (
        isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts)
    ):
        for one, its in zip(target.elts, value.elts, strict=True):
            yield from _pairs(one, its)


__all__ = ["Objects"]
