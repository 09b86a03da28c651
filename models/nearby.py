"""What this process keeps by itself, as it tells the other processes of the host (`neighbours`)."""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cache import Cache, Local, records
from cache.local import now
from cache.pages import Pages
from cache.slots import LIST
from models.neighbours import Question

MOST_HANGING = 20  # lists of one scope
MOST_BYTES = 1 << 24  # of records in one answer; what comes after them is left out


@dataclass(frozen=True, slots=True)
class State:
    """Whether a process may answer by itself at this moment, and how old its proof is that it has heard of all changes (seconds;
    None: it has none). `up`: it asks Redis."""

    open: bool
    fence_age: float | None
    up: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What L1 has under a name, as a record; how old it is, how long it may still be given (seconds), its bytes there."""

    record: bytes
    age: float
    rest: float
    weight: int


class Nearby:
    """The answers to the questions: ("rows", names), ("hanging", names), ("names", most), ("hottest", most), ("page", keys),
    ("forget", keys). Raises ValueError for any other."""

    def __init__(self, cache: Cache, pages: Pages[Any]) -> None:
        self._cache, self._pages, self._local = cache, pages, cache.local

    async def answer(self, question: Question) -> Any:
        """What `neighbours.listening` gives to who asked."""
        match question:
            case ("rows", tuple(names)):
                return asdict(self.state()), {name: asdict(kept) for name, kept in self.rows(names).items()}
            case ("hanging", tuple(names)):
                return [found for name in names for found in self._local.hanging_on(name, MOST_HANGING)]
            case ("names", int(most)):
                return self._some_names(most)
            case ("hottest", int(most)):
                return self._local.heat.hottest(most)
            case ("page", tuple(keys)):
                return {key: found for key in keys if (found := await self._page(key))}
            case ("forget", tuple(keys)):
                return sum(self._pages.forget(key) for key in keys)
        raise ValueError(f"not understood: {question!r:.200}")

    def state(self) -> State:
        local = self._local
        age = local.fence_age
        return State(local.open, age if age < float("inf") else None, self._cache.link.up)

    def rows(self, names: Sequence[str]) -> dict[str, Kept]:
        """What is kept under the names, whether or not it may be answered."""
        found, bytes_ = dict[str, Kept](), 0
        for name in names:
            kept = _kept(self._local, name)
            if kept is not None and (bytes_ := bytes_ + len(kept.record)) <= MOST_BYTES:
                found[name] = kept
        return found

    def _some_names(self, most: int) -> list[str]:
        begin = max(0, self._local.live.count - most)
        return self._local.names(random.randint(0, begin), most)  # noqa: S311 - a sample

    async def _page(self, key: str) -> dict[str, Any] | None:
        """A kept page, and those of the names it was made of whose content is another one now."""
        look = self._pages.look(key)
        if look is None:
            return None
        found = await self._cache.link.get(tuple(look.stamps))
        changed = [] if found is None else [
            name for (name, stamp), data in zip(look.stamps.items(), found, strict=True) if records.stamp(data) != stamp
        ]  # fmt: skip
        return {
            "at_once": look.at_once, "weight": look.weight, "names": list(look.stamps), "changed": changed,
            "asked": found is not None,
        }  # fmt: skip


def _kept(local: Local, name: str) -> Kept | None:
    entry = local.peek(name)
    if entry is None:
        return None
    moment = now()
    return Kept(_record(name, entry.value), moment - entry.since, entry.until - moment, entry.weight)


def _record(name: str, value: Any) -> bytes:
    """An answer of L1 as Redis would hold it."""
    if value is None:
        return records.ABSENT
    if name.startswith(LIST):
        items, stamps = value
        return records.encode_list(stamps, items)
    return records.encode_row(value)
