"""Form bodies with nested names, as Stripe's clients send them, and what a route accepts of them."""

import re
from typing import Any
from urllib.parse import parse_qsl

from embedded.payments.errors import ProviderError

Params = dict[str, Any]
_PART = re.compile(r"\[([^\]]*)\]")


def decode(text: str) -> Params:
    """Return a form as nested dicts and lists.

    >>> decode("amount=5&metadata[op]=a&expand[0]=x&types[]=y")
    {'amount': '5', 'metadata': {'op': 'a'}, 'expand': ['x'], 'types': ['y']}
    """
    tree: Params = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head = name.split("[", 1)[0]
        _put(tree, [head, *_PART.findall(name)], value)
    return {name: _lists(value) for name, value in tree.items()}


def _put(tree: Params, path: list[str], value: str) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1] or str(len(tree))] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _lists(inner) for name, inner in value.items()}


def check(params: Params, allowed: frozenset[str], required: tuple[str, ...]) -> None:
    """Refuse names a route does not know and bodies that lack what it needs.

    Raises
    ------
    ProviderError
        400 ``parameter_unknown`` or ``parameter_missing``, naming the parameter.
    """
    for name in params:
        if name not in allowed:
            raise ProviderError(
                400, "invalid_request_error", f"Received unknown parameter: {name}", "parameter_unknown"
            )
    for name in required:
        if params.get(name) in (None, ""):
            raise ProviderError(400, "invalid_request_error", f"Missing required param: {name}.", "parameter_missing")


def amount_of(params: Params, name: str = "amount") -> int:
    """Return a positive whole amount, or refuse.

    Raises
    ------
    ProviderError
        400 ``parameter_invalid_integer`` or ``amount_too_large``.
    """
    text = str(params[name])
    if not text.isdigit() or int(text) == 0:
        raise ProviderError(
            400, "invalid_request_error", f"Invalid positive integer: {text}", "parameter_invalid_integer"
        )
    if int(text) > 99_999_999:
        raise ProviderError(400, "invalid_request_error", "Amount must be no more than 99999999.", "amount_too_large")
    return int(text)


def is_true(value: object) -> bool:
    """Return whether a form says yes.

    >>> is_true("true"), is_true("false"), is_true(None)
    (True, False, False)
    """
    return value in ("true", "1", True)
