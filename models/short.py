"""Short tokens for ids: no two sites have the same, and nobody who sees one can tell the next."""

import hashlib
import hmac
import string
from functools import cached_property

from sqids import Sqids

from models.errors import NotFound
from settings import Settings

SHORTEST, LONGEST = 6, 20  # characters
_SIGNS = string.ascii_letters + string.digits


class Short:
    """By the site's own order of the signs, which follows from its secret."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def encode(self, id: int) -> str:
        return self._tokens.encode([id])

    def decode(self, token: str) -> int:
        """Raises NotFound. Of the tokens that lead to an id only the one that `encode` gives is a token."""
        numbers = self._tokens.decode(token) if len(token) <= LONGEST else []
        if len(numbers) != 1 or numbers[0] >= 1 << 63 or self.encode(numbers[0]) != token:
            raise NotFound(f"token {token[:LONGEST]!r}")
        return numbers[0]

    @cached_property
    def _tokens(self) -> Sqids:
        key = self._settings.secret_key.encode()
        order = {sign: hmac.digest(key, b"short:" + sign.encode(), hashlib.sha256) for sign in _SIGNS}
        return Sqids("".join(sorted(_SIGNS, key=order.__getitem__)), SHORTEST)
