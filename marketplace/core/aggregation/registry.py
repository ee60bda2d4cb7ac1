"""Truth-inference methods by name; the contract test covers whatever is registered."""

from collections.abc import Callable
from typing import Protocol

from marketplace.core.aggregation.answers import Answers
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Aggregation


class Method(Protocol):
    """Turns answers and what else is known into an aggregation."""

    def __call__(self, answers: Answers, known: Known) -> Aggregation:
        """Run the method."""


_methods: dict[str, Method] = {}


def register(name: str) -> Callable[[Method], Method]:
    """Return a decorator that registers a method; ValueError when the name is taken."""

    def add(method: Method) -> Method:
        if name in _methods:
            raise ValueError(f"method {name!r} is registered already")
        _methods[name] = method
        return method

    return add


def get(name: str) -> Method:
    """Return the method of that name; ValueError lists the names there are."""
    if name not in _methods:
        raise ValueError(f"unknown method {name!r}; there are {', '.join(names())}")
    return _methods[name]


def names() -> tuple[str, ...]:
    """Return all registered names in order."""
    return tuple(sorted(_methods))
