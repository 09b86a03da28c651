"""How many bytes of memory a kept value takes, near enough for a bound on the process."""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from sys import getsizeof
from typing import Any

_OWN = 16  # B an allocation wastes on the average: rounding, and the holes that are left


def weigh(value: Any) -> int:
    """The bytes of a row, a tuple, or a plain value, with all that hangs on it. What is shared (None, small ints) is nothing."""
    kind = type(value)
    if value is None or kind is bool or (kind is int and -5 <= value <= 256):
        return 0
    own = getsizeof(value) + _OWN
    if kind is str or kind is bytes or kind is int or kind is datetime:
        return own
    if isinstance(value, tuple | list | frozenset):
        return own + sum(map(weigh, value))
    if isinstance(value, dict):
        return own + sum(weigh(key) + weigh(inner) for key, inner in value.items())
    if dataclasses.is_dataclass(value):
        return own + sum(map(weigh, _fields(value)))
    return own


_getters: dict[type[Any], Callable[[Any], tuple[Any, ...]]] = {}


def _fields(row: Any) -> tuple[Any, ...]:
    """All fields of a row."""
    kind = type(row)
    if kind not in _getters:
        names = [field.name for field in dataclasses.fields(kind)]
        _getters[kind] = attrgetter(*names) if len(names) > 1 else lambda row: (getattr(row, names[0]),)
    return _getters[kind](row)
