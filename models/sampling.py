"""Names to be compared, taken at random from what Redis and the processes hold; no list of all names is ever made."""

import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from cache import Cache
from cache.epochs import bare
from cache.link import SISTER
from cache.slots import FAMILIES, SCOPE, family_of
from models.errors import Busy
from models.levels import AWAY
from models.neighbours import ask_all

AT_ONCE = 200  # names
EMPTY_HANDED = 20  # batches without a new name, after which there are none left to be found


async def names(cache: Cache, redis: Any, run: Path) -> AsyncIterator[list[str]]:
    """Names that were not given before, some at a time, until no more are found. Raises Busy without Redis."""
    known, vain = set[str](), 0
    while vain < EMPTY_HANDED:
        found = [*await _of_redis(cache, redis), *await _of_processes(run)]
        new = [name for name in dict.fromkeys(found) if name not in known and family_of(name) in FAMILIES]
        known.update(new)
        vain = 0 if new else vain + 1
        if new:
            yield new


async def _of_redis(cache: Cache, redis: Any) -> list[str]:
    """RANDOMKEY takes no longer however much there is. Keys of other epochs, other programs and scopes are left out."""
    pipe = redis.pipeline(transaction=False)
    for _ in range(AT_ONCE):
        pipe.randomkey()
    try:
        keys = await pipe.execute()
    except AWAY as error:
        raise Busy(f"Redis does not answer: {error}") from error
    prefix, found = cache.link.full(""), list[str]()
    for key in keys:
        if key and key.startswith(prefix):
            name = bare(key.removeprefix(prefix).decode("utf-8", "surrogatepass"))
            if cache.link.full(name) == key and not name.endswith(SISTER) and not name.startswith(SCOPE):
                found.append(name)
    return found


async def _of_processes(run: Path) -> list[str]:
    return [name for some in (await ask_all(run, ("names", AT_ONCE))).values() for name in some or ()]


def least_true(looked_at: int, old: int) -> float:
    """The share of all that is true, at least, with 95 % certainty, when of `looked_at` so many were `old`.

    The exact bound for none (the "rule of three" is its shorter form), the normal approximation for some.
    """
    if not looked_at:
        return 0.0
    if not old:
        return float(0.05 ** (1 / looked_at))
    share = old / looked_at
    return max(0.0, 1 - share - 1.645 * math.sqrt(share * (1 - share) / looked_at))
