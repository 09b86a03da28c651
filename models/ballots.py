"""Ballots: one for each voter and poll, which can be changed until the poll closes; and the counts that follow from them."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple

from models import choices, contributions, results
from models.base import Write
from models.contributions import Contribution
from models.counts import COUNTS
from models.errors import Closed, Forbidden, Invalid, ModelError, NotFound
from models.gathering import Gathering
from models.poll_rules import MOST_CHOICES, status_at
from models.polls import Poll, Polls
from models.results import Result, Results
from models.retrying import retried
from models.roles import LOGIN, who_has
from models.users import User

Voter = User | str  # a member; or a visitor, by the 32 hexadecimal digits of the cookie
_VISITOR = re.compile(r"[0-9a-f]{32}")
COUNTS.update({"polls.ballots": 0, "polls.changed": 0, "polls.commits": 0})


class Cast(NamedTuple):
    """What became of a vote: the counts with it. `created`: it is this voter's first here; `changed`: it changed the counts."""

    result: Result
    created: bool
    changed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """A vote that is to be taken. `key`: the poll, and the name of the voter; `member_id` None: a visitor."""

    key: tuple[int, str]
    member_id: int | None
    choices: frozenset[int]

    @property
    def poll_id(self) -> int:
        return self.key[0]


Standing = Mapping[tuple[int, str], frozenset[int]]  # what each voter has chosen in each poll


def name_of(voter: Voter) -> str:
    """As ballots know a voter. Raises Forbidden for what is no visitor."""
    if isinstance(voter, User):
        return f"u{voter.id}"
    if not _VISITOR.fullmatch(voter):
        raise Forbidden("no visitor has such a name")
    return f"v{voter}"


def visible(poll: Poll, voted: bool) -> bool:
    """Whether its results may be shown to somebody who has, or has not, voted."""
    return poll.status == "closed" or poll.results == "always" or (voted and poll.results == "after_vote")


class Ballots:
    """The tables `ballots` and `selections`. Nothing of them is cached: what one voter alone asks for, by primary key, would cost
    Redis more than it saves MySQL."""

    def __init__(self, polls: Polls, table: Results) -> None:
        self.polls, self.results, self.db = polls, table, polls.db
        self._gathering = Gathering[Wish, Cast](self._settle, polls.own, line=attrgetter("poll_id"))

    async def cast(self, poll: Poll, choices: Collection[int], *, voter: Voter) -> Cast:
        """Vote, or vote otherwise than before; the same vote again changes nothing.

        Raises Invalid({"choices"}); Closed when it is not open at this moment; Forbidden, NotFound, Busy.
        """
        if len(choices) > MOST_CHOICES:
            raise Invalid({"choices": "This poll has no such choice."})
        member_id = voter.id if isinstance(voter, User) else None
        return await self._gathering.take(Wish((poll.id, name_of(voter)), member_id, frozenset(choices)))

    async def of(self, poll_id: int, voter: Voter) -> tuple[int, ...]:
        """The ids of what the voter has chosen; none without a ballot."""
        sql = "SELECT choice_id FROM selections WHERE poll_id = %s AND voter = %s ORDER BY choice_id"
        return tuple(row[0] for row in await self.db.fetch(sql, poll_id, name_of(voter)))

    async def has_voted(self, poll_id: int, voter: Voter) -> bool:
        sql = "SELECT poll_id FROM ballots WHERE poll_id = %s AND voter = %s"
        return bool(await self.db.fetch(sql, poll_id, name_of(voter)))

    @retried
    async def _settle(self, wishes: Sequence[Wish]) -> list[Cast | ModelError]:
        async with self.polls.write() as w:
            # The lock on a poll is that of all its ballots and counts: other processes' votes wait here.
            polls = {poll.id: poll for poll in await self.polls.locked(w, sorted({wish.poll_id for wish in wishes}))}
            may = await who_has(w, {wish.member_id for wish in wishes if wish.member_id}, LOGIN)
            now = datetime.now(UTC)
            refused = {wish: error for wish in wishes if (error := _refused(wish, polls.get(wish.poll_id), may, now))}
            allowed = [wish for wish in wishes if wish not in refused]
            before = await _standing(w, {wish.key for wish in allowed})
            after, outcomes = dict(before), dict[Wish, tuple[bool, bool]]()
            for wish in allowed:  # several of one voter: one after the other
                outcomes[wish] = wish.key not in after, after.get(wish.key) != wish.choices
                after[wish.key] = wish.choices
            changed = {key: chosen for key, chosen in after.items() if before.get(key) != chosen}
            await _write(w, before, changed, now)
            counted = await w.fetch(self.results.rows_sql, tuple(polls)) if polls else ()
            found = {result.poll_id: result for result in (self.results.make(*row) for row in counted)}
        COUNTS["polls.commits"] += 1
        COUNTS["polls.ballots"] += sum(key not in before for key in changed)
        COUNTS["polls.changed"] += sum(key in before for key in changed)
        return [refused.get(wish) or Cast(found[wish.poll_id], *outcomes[wish]) for wish in wishes]


def _refused(wish: Wish, poll: Poll | None, may: set[int], now: datetime) -> ModelError | None:
    """Why a vote is not taken. The time decides, whatever the worker has done until now."""
    if poll is None or poll.status == "trashed":
        return NotFound(f"poll {wish.poll_id}")
    status = "closed" if poll.status == "closed" else status_at(now, poll.opens_at, poll.closes_at)
    if status == "scheduled":
        return NotFound(f"poll {poll.id}")
    if status == "closed":
        return Closed("This poll is closed.")
    if not (poll.visitors if wish.member_id is None else wish.member_id in may):
        return Forbidden(f"poll {poll.id} takes no vote of {wish.key[1]}")
    if not wish.choices:
        return Invalid({"choices": "Choose an answer."})
    if not wish.choices <= {choice.id for choice in poll.choices}:
        return Invalid({"choices": "This poll has no such choice."})
    if poll.kind == "single" and len(wish.choices) > 1:
        return Invalid({"choices": "Choose one answer only."})
    return None


async def _standing(w: Write, keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], frozenset[int]]:
    """The ballots that there are of some (poll, voter)."""
    if not keys:
        return {}
    rows = await w.fetch(
        "SELECT b.poll_id, b.voter, s.choice_id FROM ballots b LEFT JOIN selections s "
        "ON s.poll_id = b.poll_id AND s.voter = b.voter WHERE (b.poll_id, b.voter) IN %s",
        tuple(sorted(keys)),
    )
    found: dict[tuple[int, str], frozenset[int]] = {}
    for poll_id, voter, choice_id in rows:
        found[poll_id, voter] = found.get((poll_id, voter), frozenset()) | ({choice_id} - {None})
    return found


async def _write(w: Write, before: Standing, changed: Standing, now: datetime) -> None:
    """Make the ballots, and all that is counted of them, what `changed` says. Statements for all of them, not for each."""
    if not changed:
        return
    new = [key for key in sorted(changed) if key not in before]
    await _insert(w, "ballots (poll_id, voter, at)", [(*key, now) for key in new])
    await contributions.change(w, Counter(), Counter(_contributed(new, now)))
    lost = [(*key, id) for key in changed for id in before.get(key, frozenset()) - changed[key]]
    won = [(*key, id) for key in changed for id in changed[key] - before.get(key, frozenset())]
    if lost:
        await w.execute("DELETE FROM selections WHERE (poll_id, voter, choice_id) IN %s", tuple(sorted(lost)))
    await _insert(w, "selections (poll_id, voter, choice_id)", sorted(won))
    votes = Counter(id for _, _, id in won)
    votes.subtract(id for _, _, id in lost)
    await choices.count(w, votes)
    voters = Counter(dict.fromkeys((poll_id for poll_id, _ in changed), 0))
    voters.update(poll_id for poll_id, _ in new)
    await results.count(w, voters)


def _contributed(new: Iterable[tuple[int, str]], now: datetime) -> list[Contribution]:
    """What first ballots count on the built-in boards; visitors stand on none."""
    return [contributions.of_vote(int(voter[1:]), now) for _, voter in new if voter.startswith("u")]


async def _insert(w: Write, into: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        marks = ", ".join(["%s"] * len(rows))
        await w.execute(f"INSERT INTO {into} VALUES {marks}", *rows)  # noqa: S608 - literals from above
