"""Rankings in Redis: sorted sets that follow what MySQL holds, whoever is killed and in whatever order the news come.

Everybody who has changed a row of MySQL applies it after COMMIT, and what was not applied is applied again later. Redis
keeps, beside the sorted set, the version of each subject's row that it knows: older news are no news. So a ranking may be
built from MySQL, in chunks, while others apply what changes meanwhile.

Points are whole numbers below 2^53, the smaller the better. Of equal points the earlier stands first, though they rank equal.
"""

import secrets
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from cache.link import Link
from cache.local import LONGEST, Local
from cache.reading import READING
from cache.records import GENERATION, stamp
from cache.scripts import (
    BOARDS_APPLY,
    BOARDS_CLAIM,
    BOARDS_FORGET,
    BOARDS_LOOK,
    BOARDS_PART,
    BOARDS_REACHED,
    BOARDS_WANTED,
)
from cache.slots import SCOPE

MOST_POINTS = 2**53 - 1  # above and below zero: a double holds no larger whole number exactly
LEASE = 5.0  # s that a builder may be silent
PART = 5_000  # members of one question, where all are asked for
WANTED, REACHED = "boards.wanted", "boards.reached"

ENTRY = struct.Struct(">QQQq")  # subject, version, moment (us since 1970), points
_MEMBER = struct.Struct(">QQ")  # moment, subject
NO_POINTS = -(2**63)

Missing = Literal["building", "absent"]


class Ranking(NamedTuple):
    """One sorted set: its name, and when its window ends (None: never). After that it is a ranking of the past."""

    name: str
    ends: datetime | None = None

    @property
    def keys(self) -> tuple[str, str, str]:
        return f"board:{self.name}", f"board:{self.name}:at", f"{SCOPE}board:{self.name}"

    @property
    def ends_ms(self) -> int:
        return int(self.ends.timestamp() * 1000) if self.ends else 0


class Entry(NamedTuple):
    """What MySQL holds of one subject, at `version` of its row. `moment`: us since 1970. Points None: nothing any more."""

    subject: int
    version: int
    moment: int
    points: int | None


class Placed(NamedTuple):
    """One of a ranking: `rank` from 1, equal points equal ranks (1, 2, 2, 4)."""

    rank: int
    subject: int
    points: int
    moment: int


@dataclass(frozen=True, slots=True)
class Mine:
    """Where one subject stands: how many have better and worse points, and its neighbours, itself among them."""

    points: int
    better: int
    worse: int
    around: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A ranking at one moment: how many are in it, the first of them, and the subject that was asked for, if it is among
    them."""

    members: int
    first: tuple[Placed, ...]
    mine: Mine | None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to build a ranking, from the subject after `after` on."""

    ranking: Ranking
    token: bytes
    after: int


class Rankings:
    """All rankings of the site. Redis away is never an error: None, False, or "absent".

    Those in `ended` hear which rankings have changed, by the names that pages hang on.
    """

    def __init__(self, link: Link, local: Local) -> None:
        self._link, self._local = link, local
        self.ended = list[Callable[[Sequence[str]], None]]()

    async def look(
        self, ranking: Ranking, *, first: int = 10, subject: int | None = None, neighbours: int = 0
    ) -> View | Missing:
        """One trip. What is not "done" cannot be answered from here, and the worker is asked to build it (`wanted`).

        A page that is made of it is right until the ranking changes, or its window ends: in the last minute before that, while a
        process might go on to answer with a page of a day that is over, pages are not kept.
        """
        reading, scope = READING.get(), ranking.keys[2]
        ticket = self._local.ticket(scope)
        who = b"" if subject is None else subject.to_bytes(8, "big")
        answer = await self._link.run(
            BOARDS_LOOK, (*ranking.keys, WANTED),
            (secrets.token_bytes(8), ranking.ends_ms, first, who, neighbours, ranking.name.encode()),
        )  # fmt: skip
        if reading is not None and ranking.ends is not None:
            reading.ends_at(ranking.ends.timestamp())
        if answer is None or answer[0] != b"done":
            if reading is not None:
                reading.taint(f"ranking {ranking.name} is not there")
                reading.saw(scope, None, False)
            return "building" if answer and answer[0] == b"building" else "absent"
        _, generation, members, top, mine = answer
        if reading is not None:
            lasting = generation and (
                ranking.ends is None or ranking.ends - datetime.now(UTC) > timedelta(seconds=LONGEST)
            )
            reading.saw(scope, stamp(GENERATION + generation) if lasting else None, ticket.alive)
        return View(members, _placed(top), _mine(mine))

    async def apply(self, news: Sequence[tuple[Ranking, Sequence[Entry]]]) -> bool:
        """Bring rankings up to these rows. False: Redis has not confirmed it."""
        return await self._apply([(ranking, pack(entries), b"", 0, b"") for ranking, entries in news]) is not None

    async def claim(self, ranking: Ranking) -> Claim | None:
        """The right to build it; None when it is there, when somebody is building it, or while Redis cannot be asked."""
        token = secrets.token_bytes(16)
        answer = await self._link.run(BOARDS_CLAIM, ranking.keys, (token, int(LEASE * 1000), ranking.ends_ms))
        if answer is None or answer[0] != b"claim":
            return None
        return Claim(ranking, token, int.from_bytes(answer[1], "big"))

    async def build(self, claim: Claim, entries: bytes, *, done: bool) -> bool:
        """The next entries (`pack`), by rising subject; none only when it is `done`. False: the right was lost, or Redis is;
        whoever has it then goes on."""
        come_to = b"" if done else entries[-ENTRY.size :][:8]
        answers = await self._apply([(claim.ranking, entries, claim.token, int(LEASE * 1000), come_to)])
        return answers == [b"applied"]

    async def wanted(self) -> str | None:
        """The name of a ranking that a reader has missed; it is taken off the list, for whoever misses it again puts it
        there."""
        name = await self._link.run(BOARDS_WANTED, (WANTED,), ())
        return name.decode() if name else None

    async def forget(self, rankings: Iterable[Ranking]) -> bool:
        """Take them away: they are built again when a reader wants them. False: Redis has not confirmed it."""
        names = [key for ranking in rankings for key in ranking.keys]
        return not names or await self._link.run(BOARDS_FORGET, names, ()) is not None

    async def reached(self, score_id: int | None = None) -> int | None:
        """Up to which score all have been applied, as the worker last noted, or notes now; 0: nobody knows. None: no answer."""
        answer = await self._link.run(BOARDS_REACHED, (REACHED,), (b"" if score_id is None else score_id,))
        return None if answer is None else int(answer or 0)

    async def everything(self, ranking: Ranking) -> dict[int, tuple[int, int]] | None:
        """Subject -> (points, moment) of a whole ranking, for comparing it with MySQL; None when it is not there."""
        found: dict[int, tuple[int, int]] = {}
        while True:
            pairs = await self._link.run(BOARDS_PART, ranking.keys[:2], (len(found), len(found) + PART - 1))
            if pairs is None:
                return None
            for moment, subject, points in _members(pairs):
                found[subject] = points, moment
            if len(pairs) < 2 * PART:
                return found

    async def _apply(self, news: Sequence[tuple[Ranking, bytes, bytes, int, bytes]]) -> list[bytes] | None:
        names: list[str] = []
        args: list[bytes | int] = [secrets.token_bytes(8)]
        for ranking, entries, token, lease_ms, come_to in news:
            names += ranking.keys
            args += (ranking.ends_ms, entries, token, lease_ms, come_to)
        if not names:
            return []
        answers: list[bytes] | None = await self._link.run(BOARDS_APPLY, names, args)
        changed = list(dict.fromkeys(ranking.keys[2] for ranking, *_ in news))
        for heard in self.ended:
            heard(changed)
        return answers


def pack(entries: Iterable[Entry]) -> bytes:
    """Entries as they go to Redis: 32 bytes each."""
    return b"".join(
        ENTRY.pack(subject, version, moment, NO_POINTS if points is None else points)
        for subject, version, moment, points in entries
    )


def unpack(packed: bytes) -> list[Entry]:
    return [
        Entry(subject, version, moment, None if points == NO_POINTS else points)
        for subject, version, moment, points in ENTRY.iter_unpack(packed)
    ]


def ranks(points: Sequence[int], *, place: int = 0, better: int = 0) -> list[int]:
    """The ranks of some that follow each other from `place` (from 0) on; `better` have better points than the first of them."""
    found: list[int] = []
    for n, mine in enumerate(points):
        if n == 0:
            found.append(better + 1)
        else:
            found.append(found[-1] if mine == points[n - 1] else place + n + 1)
    return found


def _members(pairs: Sequence[bytes]) -> list[tuple[int, int, int]]:
    """(moment, subject, points) of members and points in turn."""
    return [
        (*_MEMBER.unpack(member), int(float(points))) for member, points in zip(pairs[::2], pairs[1::2], strict=True)
    ]


def _placed(pairs: Sequence[bytes], *, place: int = 0, better: int = 0) -> tuple[Placed, ...]:
    members = _members(pairs)
    known = ranks([points for _, _, points in members], place=place, better=better)
    return tuple(
        Placed(rank, subject, points, moment) for rank, (moment, subject, points) in zip(known, members, strict=True)
    )


def _mine(answer: Sequence[Any]) -> Mine | None:
    if not answer:
        return None
    points, better, worse, place, better_than_first, around = answer
    return Mine(int(float(points)), better, worse, _placed(around, place=place, better=better_than_first))
