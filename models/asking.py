"""One slot asked of MySQL by its name alone: methods say which lists and indexes they answer, and are called by the values."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import date
from inspect import signature
from typing import Any, TypeVar, get_type_hints

from cache.slots import Index, List

Method = TypeVar("Method", bound=Callable[..., Awaitable[Any]])

# The name of the slot that is asked for. While it is set every table reads from MySQL, and the answer under that name is raised.
WANTED: ContextVar[str] = ContextVar("wanted", default="")


class Answered(Exception):
    """What MySQL holds for the slot that was asked for. The method that was called for it need not go on."""

    def __init__(self, answer: Any) -> None:
        super().__init__("answered")
        self.answer = answer


METHODS: dict[str, Callable[..., Awaitable[Any]]] = {}  # by the family that each answers


def answers(family: List | Index) -> Callable[[Method], Method]:
    """The method answers what is remembered in this family; its parameters are the values of a slot, in their order."""

    def remember(method: Method) -> Method:
        METHODS[family.family] = method
        return method

    return remember


def arguments(method: Callable[..., Any], values: tuple[str, ...]) -> dict[str, Any]:
    """The values of a slot as the parameters of the method that answers it. Raises ValueError for what is none."""
    hints, names = get_type_hints(method), [*signature(method).parameters][1:]
    return {name: _read(hints[name], value) for name, value in zip(names, values, strict=True)}


def _read(kind: Any, value: str) -> Any:
    if kind is date:
        return date.fromisoformat(f"{value}-01")  # a month, as all dates in names are
    return bytes.fromhex(value) if kind is bytes else kind(value)
