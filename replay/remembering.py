"""What redaction made of a text is remembered, but never for longer than it would make the same of it again.

What it makes depends on the secrets that are known by then. So what could hold one of them is looked at anew whenever one has
come to be known or has been forgotten. Nothing long is remembered, since what strangers send must not fill the memory.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from replay.leaks import may_hold_random

MOST: Final = 8192  # texts
LONGEST: Final = 1024  # characters of one
_MOST_KNOWN: Final = 200_000  # secrets that are looked for in texts


class Secrets:
    """Those that look random, each with its placeholder, by which they are found in whatever text. Who came first is forgotten
    first. `changes` counts what has come, with what went for it."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self.changes = 0
        self.get = self._known.get

    def add(self, value: str, placeholder: str) -> None:
        if len(self._known) >= _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[value] = placeholder
        self.changes += 1


class Remembering:
    """`redact` (what the text is, text), which depends on these secrets and on nothing else that changes."""

    def __init__(self, redact: Callable[[str, str], str], secrets: Secrets) -> None:
        self._redact, self._secrets = redact, secrets
        self._made = lru_cache(MOST)(self._make)
        self._may_hold_secret = lru_cache(MOST)(may_hold_random)

    def __call__(self, what: str, text: str) -> str:
        if len(text) > LONGEST:
            return self._redact(what, text)
        return self._made(what, text, self._secrets.changes if self._may_hold_secret(text) else 0)

    def _make(self, what: str, text: str, _: int) -> str:
        """The number is in the memory's key alone: under another one nothing is found."""
        return self._redact(what, text)
