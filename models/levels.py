"""What Redis holds under some names, and what that means: whether a reader would be answered with it, and why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

from redis.exceptions import RedisError

from cache import Cache, Slot, records
from cache.link import SISTER
from cache.loading import EARLY
from cache.slots import FAMILIES, Index, Key, List, family_of
from models.base import Pointer

Kind = Literal["value", "absent", "lease", "tombstone", "generation", "nothing", "unreadable"]
NAMES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Held:
    """What a level has under a name. `served`: a reader would be given it; `why` says in words (a gettext id) why, or why not.

    `facts` are numbers and names beside it: seconds end in `_s`. `value` is a row, None, or a tuple; `readable`: it is known.
    """

    kind: Kind
    served: bool
    why: str
    facts: dict[str, Any]
    value: Any = None

    @property
    def readable(self) -> bool:
        return self.kind in ("value", "absent")


VALUE_SERVED = "The value is good, and is given to whoever asks."
LIST_SERVED = "The list is good: nothing in its scopes has changed since it was read."
POINTER_SERVED = "It leads to a row, which is read and compared before it is believed."
ABSENT_SERVED = "It is remembered that there is nothing."
SCOPE_CHANGED = "Something in a scope of this list has changed since it was read: the next reader reads it anew."
LEASED = "Somebody is reading it from MySQL at this moment; others wait for that."
WRITTEN = "A write is under way: readers ask MySQL, and nothing is stored."
OVERDUE = "A writer was killed here; its time is over, and the next reader reads the row anew."
SCOPE = "This says which lists of the scope are still good; it is no answer itself."
SCOPE_WRITTEN = "A write in this scope is under way: its lists are read from MySQL, and not stored."
NOTHING = "Nothing is remembered: the next reader asks MySQL."
UNREADABLE = "Another version of Plaza, or another program, has written this: it is taken for nothing."


class Far:
    """Redis, looked at past the breaker, so that it can be said what stands there while nobody asks it."""

    def __init__(self, cache: Cache, redis: Any) -> None:
        self._cache, self._redis = cache, redis

    async def look(self, slot: Slot) -> Held:
        """All that can be said of a name. Raises RedisError, OSError."""
        full = self._cache.link.full
        pipe = self._redis.pipeline(transaction=False)
        pipe.time().get(full(slot.name)).pttl(full(slot.name)).exists(full(slot.name + SISTER))
        for scope in slot.scopes:
            pipe.get(full(scope.name))
        (seconds, micros), data, rest, refreshing, *scopes = await pipe.execute()
        now = seconds * 1000 + micros // 1000
        held = judge(slot.name, data, [records.generation(one) for one in scopes], now)
        facts: dict[str, Any] = {"key": full(slot.name).decode(errors="replace")}
        if data is not None:
            facts |= {"bytes": len(data), "ttl_s": max(0, rest) / 1000}
            facts |= _ages(data, now, rest)
        if refreshing:
            facts["refreshing"] = True
        return Held(held.kind, held.served, held.why, facts | held.facts, held.value)

    async def values(self, slots: Sequence[Slot]) -> dict[str, Any]:
        """The values that a reader would be given, by name; what would not be given is left out. Raises RedisError, OSError."""
        found: dict[str, Any] = {}
        for at in range(0, len(slots), NAMES_AT_ONCE):
            some = slots[at : at + NAMES_AT_ONCE]
            names = list(
                dict.fromkeys(name for slot in some for name in (slot.name, *(one.name for one in slot.scopes)))
            )
            data = dict(
                zip(names, await self._redis.mget([self._cache.link.full(name) for name in names]), strict=True)
            )
            for slot in some:
                held = judge(slot.name, data[slot.name], [records.generation(data[one.name]) for one in slot.scopes])
                if held.served:
                    found[slot.name] = held.value
        return found


def judge(name: str, data: bytes | None, generations: Sequence[bytes | None], now: int = 0) -> Held:
    """What bytes under a name mean, given the generations of its scopes and Redis' clock in ms (for overdue writers)."""
    match records.kind(data), data:
        case records.VALUE, bytes(data):
            return _value(name, data, tuple(generations))
        case records.ABSENT, _:
            return Held("absent", True, ABSENT_SERVED, {})
        case records.LEASE, _:
            return Held("lease", False, LEASED, {})
        case records.TOMBSTONE, bytes(data):
            left = _pending(data, now)
            return Held("tombstone", False, WRITTEN if left else OVERDUE, {"writers": left})
        case records.GENERATION, bytes(data):
            left = _pending(data, now)
            facts = {"generation": data[1:9].hex(), "writers": left}
            return Held("generation", False, SCOPE_WRITTEN if left else SCOPE, facts)
    return Held("unreadable", False, UNREADABLE, {}) if data else Held("nothing", False, NOTHING, {})


def _value(name: str, data: bytes, generations: tuple[bytes | None, ...]) -> Held:
    family = FAMILIES.get(family_of(name))
    try:
        head = records.head(data)
        facts: dict[str, Any] = {"schema": head.schema, "version": head.version}
        match family:
            case List():
                stamps, items = records.decode_list(data)
                good = stamps == generations
                facts["generations"] = [stamp.hex() for stamp in stamps]
                return Held("value", good, LIST_SERVED if good else SCOPE_CHANGED, facts, items)
            case Index():
                return Held("value", True, POINTER_SERVED, facts, records.decode_row(Pointer, data))
            case Key():
                return Held("value", True, VALUE_SERVED, facts, records.decode_row(family.row, data))
    except records.Unreadable:
        pass
    return Held("unreadable", False, UNREADABLE, {})


def _pending(data: bytes, now: int) -> list[tuple[str, float]]:
    """(writer, seconds to its deadline) of those that are not overdue."""
    return [(writer.hex(), (due - now) / 1000) for writer, due in records.writers(data) if due > now]


def _ages(data: bytes, now: int, rest: int) -> dict[str, float]:
    """How old a value is, and when it may be read anew early: its soft expiry lies at a known part of its life."""
    if records.kind(data) != records.VALUE:
        return {}
    try:
        soft, cost = records.expiry(data)
    except records.Unreadable:
        return {}
    facts = {"cost_s": cost / 1_000_000}
    if soft and rest > 0:
        life = (now + rest - soft) / (1 - EARLY)
        facts |= {"age_s": max(0.0, (life - rest) / 1000), "soft_s": (soft - now) / 1000}
    return facts


def values_of(name: str) -> tuple[str, ...]:
    """The values in a slot's name, without their quotes."""
    return tuple(map(unquote, name.removeprefix(family_of(name)).split(":")[1:]))


def slot_of(name: str) -> Slot | None:
    """The slot of a name, with its scopes; None for a name of no family, or with another number of values."""
    family, values = FAMILIES.get(family_of(name)), values_of(name)
    return family(*values) if family is not None and len(values) == len(family.by) else None


AWAY = (RedisError, OSError)  # what looking at Redis may raise
