"""Live results: who watches a poll is sent its result whenever that changes.

A process has one task that reads and one that pings, however many watch. It reads at most every BEAT, in one trip all polls of
which there is news, and past L1: so what it sends is never older than the write that the news was of. News can be lost; so what
is watched is read every NET as well. While nobody watches, nothing is read.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextvars import Context
from time import monotonic
from typing import Any, Protocol

from cache.reading import LOAD, READING
from models.ballots import visible
from models.counts import COUNTS
from models.errors import Busy
from models.figures import Figures
from models.news import News
from models.polls import Poll, Polls
from models.results import Result, Results

log = logging.getLogger("plaza.live")

MOST_LISTENERS = 10_000  # of a process
MOST_FROM = 100  # of them from one address
BEAT, NET = 0.1, 5.0  # s
TROUBLED = 1.0  # s until the next try when the polls could not be read
PING, TICK = 25.0, 1.0  # s between two pings of a listener, and between two looks at whose turn it is
AT_ONCE = 100  # listeners that are sent something in one turn of the loop
POLLS_AT_ONCE = 500  # that are read in one trip
GOODBYE = 0.5  # s that listeners have to hang up when the process ends
RESTART, NOT_FOR_YOU = 1012, 4403  # codes of closing: come again, to another process; do not come again
COUNTS.update({"live.sent": 0, "live.dropped": 0, "live.lost": 0})
LISTENERS = ("plaza_live_listeners",)


class Listener(Protocol):
    """Somebody at the other end of a connection. `voted`: they had a ballot when they came. `answered`: since the last ping.
    `came_from`: their address."""

    came_from: str
    voted: bool
    answered: bool

    def send(self, message: bytes) -> bool:
        """False: what was sent before has not been read yet, and is too much to wait for."""

    def look_after(self) -> None:
        """Ping them; they have not answered yet."""

    def send_away(self, code: int) -> None:
        """Close in the way of the protocol. They still count as listeners until they have hung up, and are sent nothing more."""

    def drop(self) -> None:
        """Close at once."""


class Room:
    """Those who watch one poll. `newcomers` have been sent nothing yet; `sent` is what all others have."""

    def __init__(self) -> None:
        self.listeners, self.newcomers = set[Listener](), set[Listener]()
        self.sent = b""


class Live:
    """Who watches what in this process. Its tasks begin with the first listener; `close` ends them."""

    def __init__(self, polls: Polls, results: Results, news: News, figures: Figures) -> None:
        self._polls, self._results, self._news, self._figures = polls, results, news, figures
        self._rooms: dict[int, Room] = {}
        self._pinged: dict[Listener, float] = {}  # all listeners, with the time of their last ping, the oldest first
        self._from = Counter[str]()
        self._due: set[int] = set()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.ending = False
        self._counted()

    def __len__(self) -> int:
        return len(self._pinged)

    def crowded(self, address: str) -> bool:
        """Whether so many watch from there that no more are let in."""
        return self._from[address] >= MOST_FROM

    def join(self, poll_id: int, listener: Listener) -> None:
        """They are sent the result as it is now, and whenever it is another one, as far as they may see it. Raises Busy."""
        if len(self) >= MOST_LISTENERS:
            raise Busy("too many watch already", retry_after=30)
        room = self._rooms.setdefault(poll_id, Room())
        room.listeners.add(listener)
        room.newcomers.add(listener)
        self._pinged[listener] = monotonic()
        self._from[listener.came_from] += 1
        self._counted()
        self._heard((poll_id,))
        if not self._tasks:
            self._tasks = [_alone(work) for work in (self._read(), self._ping(), self._news.hear(self._heard))]

    def leave(self, poll_id: int, listener: Listener) -> None:
        """They have hung up. It may be called again."""
        if self._pinged.pop(listener, None) is not None:
            self._from[listener.came_from] -= 1
            if not self._from[listener.came_from]:
                del self._from[listener.came_from]
        self._counted()
        if room := self._rooms.get(poll_id):
            room.listeners.discard(listener)
            room.newcomers.discard(listener)
            if not room.listeners:
                del self._rooms[poll_id]

    async def send_all_away(self) -> None:
        """Before the process ends: they shall go to another one. Who does not hang up is cut off."""
        self.ending = True
        await _in_turns(tuple(self._pinged), lambda listener: listener.send_away(RESTART))
        until = monotonic() + GOODBYE
        while self._pinged and monotonic() < until:  # noqa: ASYNC110 - the last tells nobody that it was the last
            await asyncio.sleep(0.01)
        await _in_turns(tuple(self._pinged), lambda listener: listener.drop())

    async def close(self) -> None:
        # Told until they listen: redis-py connects by asyncio.wait_for, which in Python 3.11 can swallow it.
        while tasks := [task for task in self._tasks if not task.done()]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=0.1)

    def _counted(self) -> None:
        self._figures.seen[LISTENERS] = len(self)

    def _heard(self, poll_ids: Collection[int] | None) -> None:
        self._due.update(self._rooms if poll_ids is None else self._rooms.keys() & poll_ids)
        if self._due:
            self._wake.set()

    async def _read(self) -> None:
        READING.set(LOAD)
        cast = monotonic()
        while True:
            if monotonic() >= cast + NET:
                cast = monotonic()
                self._heard(None)
            if await _came(self._wake, cast + NET - monotonic() if self._rooms else None):
                began, due, self._due = monotonic(), tuple(self._due), set()
                self._wake.clear()
                try:
                    for at in range(0, len(due), POLLS_AT_ONCE):
                        await self._show(due[at : at + POLLS_AT_ONCE])
                    rest = BEAT
                except Exception as error:
                    self._heard(due)
                    log.warning("live results could not be read", exc_info=None if isinstance(error, Busy) else error)
                    rest = TROUBLED
                await asyncio.sleep(began + rest - monotonic())

    async def _show(self, poll_ids: Sequence[int]) -> None:
        polls, results = await asyncio.gather(self._polls.many(poll_ids), self._results.many(poll_ids))
        counted = {result.poll_id: result for result in results}
        known = {poll.id: poll for poll in polls if poll.id in counted and poll.status in ("open", "closed")}
        for poll_id in poll_ids:
            if room := self._rooms.get(poll_id):
                if poll := known.get(poll_id):
                    await _tell(room, poll, message(poll, counted[poll_id]))
                else:
                    await _in_turns(tuple(room.listeners), lambda listener: listener.send_away(NOT_FOR_YOU))

    async def _ping(self) -> None:
        """Each listener in turn, so that they do not all answer in one moment."""
        while True:
            await asyncio.sleep(TICK)
            before = monotonic() - PING
            due = []
            for listener, pinged in self._pinged.items():
                if pinged > before:
                    break
                due.append(listener)
            await _in_turns(due, self._ping_one)

    def _ping_one(self, listener: Listener) -> None:
        if self._pinged.pop(listener, None) is None:
            return  # gone meanwhile
        self._pinged[listener] = monotonic()
        if listener.answered:
            listener.look_after()
        else:
            COUNTS["live.lost"] += 1
            listener.drop()


def message(poll: Poll, result: Result) -> bytes:
    """A result as the page's script reads it; the votes are in the order of the choices."""
    told = {
        "id": poll.id, "status": poll.status, "voters": result.voters, "votes": result.votes, "version": result.version
    }  # fmt: skip
    return json.dumps(told, separators=(",", ":")).encode()


async def _tell(room: Room, poll: Poll, message: bytes) -> None:
    """All who may see it and have not got it. An end of the voting can be taken back, and who could see the result then cannot
    now."""

    def tell(listener: Listener) -> None:
        if visible(poll, listener.voted):
            room.newcomers.discard(listener)
            sent = listener.send(message)
            COUNTS["live.sent" if sent else "live.dropped"] += 1
            if not sent:
                listener.drop()
        elif poll.results == "after_vote":
            listener.send_away(NOT_FOR_YOU)

    whom = room.newcomers if message == room.sent else room.listeners
    room.sent = message
    await _in_turns(tuple(whom), tell)


async def _in_turns(listeners: Collection[Listener], act: Callable[[Listener], None]) -> None:
    for number, listener in enumerate(listeners, 1):
        act(listener)
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)


async def _came(event: asyncio.Event, seconds: float | None) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _alone(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """A task that is no part of the request which happens to begin it."""
    return asyncio.get_running_loop().create_task(work, context=Context())
