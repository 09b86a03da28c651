"""Which addresses Nginx stores the answers of: made from the routes, so that a new public page needs no line here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tornado.web import RequestHandler

from handlers import routes
from handlers.keeping import Keeping

_PLAIN = re.compile(r"(?:[/\w-]|\\\.)+", re.ASCII)  # a pattern that is one address


@dataclass(frozen=True, slots=True)
class Group:
    """Addresses of which the same `arguments` matter. `exact` are whole addresses, `pattern` a regular expression for the others,
    or ""."""

    number: int
    arguments: tuple[str, ...]
    exact: tuple[str, ...]
    pattern: str

    @property
    def places(self) -> Iterator[str]:
        """What stands after the word `location`, in Nginx's configuration."""
        yield from (f"= {path}" for path in self.exact)
        if self.pattern:
            yield f'~ "{self.pattern}"'


def groups() -> list[Group]:
    """The first for addresses that take no argument."""
    patterns: dict[tuple[str, ...], list[str]] = {(): []}
    for pattern, handler, _ in routes():
        if is_stored(handler):
            patterns.setdefault(handler.arguments, []).append(pattern)
    return [_group(number, arguments, found) for number, (arguments, found) in enumerate(patterns.items())]


def is_stored(handler: type[RequestHandler]) -> bool:
    """Whether its answers to GET may lie in the store."""
    reads = handler.get is not RequestHandler.get
    return issubclass(handler, Keeping) and handler.public and handler.stored and reads


def arguments(found: list[Group]) -> list[str]:
    """All that are known anywhere."""
    return sorted({name for group in found for name in group.arguments})


def _group(number: int, arguments: tuple[str, ...], patterns: list[str]) -> Group:
    plain = [pattern for pattern in patterns if _PLAIN.fullmatch(pattern)]
    others = [pattern.replace("(", "(?:") for pattern in patterns if pattern not in plain]
    exact = tuple(pattern.replace("\\", "") for pattern in plain)
    return Group(number, arguments, exact, f"^(?:{'|'.join(others)})$" if others else "")
