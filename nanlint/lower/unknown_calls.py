"""Calls of something that is not followed and in no table."""

from __future__ import annotations

from nanlint.graph import Kind
from nanlint.lower.call import Call
from nanlint.lower.conventions import measures
from nanlint.lower.things import Function, Symbol, Thing
from nanlint.lower.values import Values


class UnknownCalls(Values):
    """The results of unknown calls."""

    def unknown_call(self, call: Call) -> Thing:
        """Something that is not followed: gradient may come back through it to its arguments."""
        if not measures(call.name):
            self.sink(*call.things)
        region, grad = self.named_result(call.name)
        if _is_top_level(call.called):
            grad = grad and _may_have_gradient(call)
        return self.result(call, call.called, *call.things, region=region, grad=grad)


def _may_have_gradient(call: Call) -> bool:
    """Whether a function without parameters of its own can return a gradient: only if it is given one."""
    tensors = [value for value in call.values if value.kind is not Kind.NUMBER]
    return not tensors or any(value.grad for value in tensors)


def _is_top_level(called: Thing) -> bool:
    """Whether something called is a function of some module, which has no tensors of its own."""
    if isinstance(called, Function):
        return called.receiver is None and called.scope.parent is None
    return isinstance(called, Symbol) and not called.name.startswith("builtins.")
