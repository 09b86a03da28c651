"""What the laboratory has to know of a site: the names of its routes, what an answer made, which words are secret.

Any HTTP site can be replayed as an `AnySite`. What is special to Plaza stands in plaza.py, and nowhere else.
"""

import re
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from replay.records import Made


class Site(Protocol):
    """`name` stands in results. `secret_fields` are names of form and JSON fields whose values are never written, with the kind
    of their placeholder; `secret_cookies` names of cookies likewise, by the first of which, as they are sorted, its visitor is
    known; `host_only_cookies` those that have the prefix __Host- under https. In a path a secret follows each of
    `secret_segments`. `left_out`: paths that are not recorded, since machines ask for them and nobody else."""

    name: str
    secret_fields: dict[str, str]
    secret_cookies: frozenset[str]
    host_only_cookies: frozenset[str]
    secret_segments: frozenset[str]
    left_out: frozenset[str]

    def route(self, method: str, target: str) -> str:
        """A name for all addresses of one kind, for the results: short, the same for the same handler."""
        ...

    def made(
        self, method: str, target: str, status: int, headers: Sequence[tuple[str, str]], body: bytes
    ) -> list[Made]:
        """What this answer says is new, its ids as placeholders such as {{post:812}}."""
        ...

    def identified(self, method: str, target: str, body: bytes, made: dict[str, str]) -> tuple[str, bytes]:
        """The request with a placeholder for each id that was made before: `made` is placeholder by `kind:id`."""
        ...

    def stable_secret(self, kind: str, value: str) -> str:
        """What the placeholder of a cookie or a token is derived from: something that the target's database knows too."""
        ...


_NUMBER = re.compile(r"(?<=/)\d+(?=[/.?-]|$)")
_SLUG = re.compile(r"(?<=<n>-)[^/.]+")


class AnySite:
    """A site of which nothing is known: numbers in a path are ids, what stands behind them is a slug, and nothing is made."""

    name = "any"
    secret_fields: dict[str, str] = {
        "password": "password", "passwd": "password", "pass": "password", "new_password": "password",
        "token": "token", "access_token": "token", "secret": "secret", "email": "email", "mail": "email",
    }  # fmt: skip
    secret_cookies: frozenset[str] = frozenset()  # besides, all that are not on the list of what may be kept
    host_only_cookies: frozenset[str] = frozenset()
    secret_segments: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()

    def route(self, method: str, target: str) -> str:
        path = urlsplit(target).path
        return f"{method} " + _SLUG.sub("<slug>", _NUMBER.sub("<n>", path))

    def made(
        self, method: str, target: str, status: int, headers: Sequence[tuple[str, str]], body: bytes
    ) -> list[Made]:
        return []

    def identified(self, method: str, target: str, body: bytes, made: dict[str, str]) -> tuple[str, bytes]:
        return target, body

    def stable_secret(self, kind: str, value: str) -> str:
        return value
