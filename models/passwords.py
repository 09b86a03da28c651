"""Passwords: argon2id off the event loop, and the rule of what is accepted (NIST SP 800-63B, section 5.1.1.2)."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

SHORTEST, LONGEST = 10, 200
_COMMON = frozenset(FREQUENCY_LISTS["passwords"])

_hasher = PasswordHasher()  # argon2id with RFC 9106's low-memory parameters: 64 MiB, 3 passes, 4 lanes
# Two at a time: a burst of sign-ins costs memory for two hashes (128 MiB), and the rest wait their turn.
_threads = ThreadPoolExecutor(2, thread_name_prefix="argon2")


async def hash_password(password: str) -> str:
    """The argon2id hash, parameters included."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, _plain(password))


async def verify(password: str, known: str | None) -> bool:
    """Whether the password is the one hashed as `known`. With None it takes the same time and says no, so that nothing tells
    an unknown e-mail from a wrong password."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, _verify, _plain(password), known)


def _plain(password: str) -> str:
    """One spelling for what looks the same, whatever keyboard typed it (NIST SP 800-63B, section 5.1.1.2: NFKC)."""
    return unicodedata.normalize("NFKC", password)


def _verify(password: str, known: str | None) -> bool:
    decoy = _decoy()  # made once, at the first try of either kind
    try:
        _hasher.verify(known or decoy, password)
    except (VerificationError, InvalidHashError):
        return False
    return known is not None


@lru_cache
def _decoy() -> str:
    return _hasher.hash("nobody has this password")


def is_common(password: str) -> bool:
    """Whether it is among the 30,000 most used ones (zxcvbn's list), or one of them with a few digits behind it."""
    plain = password.lower()
    return plain in _COMMON or plain.rstrip("0123456789!.?") in _COMMON or len(set(plain)) <= 2


def problem(password: str) -> str | None:
    """What is wrong with a new password, as a gettext id; None when it is accepted."""
    if len(password) < SHORTEST:
        return "A password has at least 10 characters. A few words in a row are easy to remember."
    if len(password) > LONGEST:
        return "A password has at most 200 characters."
    if is_common(password):
        return "This password is one of the first that an attacker tries. Choose another."
    return None
