"""The connections of a run: a request goes down one of its session that is free, else down a new one."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from replay.clock import Clock, now
from replay.deadlines import Deadlines
from replay.planning import SAFE
from replay.plans import Step
from replay.sessions import Live
from replay.targets import Target
from replay.wire import Reply, Wire

_PATIENCE: Final = 5.0  # s, for sockets to be closed


@dataclass(slots=True)
class Sent:
    """A request under way. `before`: what became of it the first time, when it is asked again since a kept connection turned out
    to be closed."""

    live: Live
    step: Step
    intended_ns: int
    ready_ns: int  # when all that it waited for was there
    data: bytes
    wants_body: bool
    before: Reply | None = None


class Connections:
    """At most so many. `on_done` hears once of each request that was sent."""

    def __init__(
        self, target: Target, clock: Clock, timeout: float, most: int, on_done: Callable[[Sent, Reply], None]
    ) -> None:
        self._target, self._clock, self._most, self._on_done = target, clock, most, on_done
        self._deadlines = Deadlines(clock, timeout)
        self._under_way: dict[Wire, Sent] = {}
        self._open = 0
        self._one_less = asyncio.Event()
        self._over = False

    def send(self, sent: Sent) -> bool:
        """False when there is no connection for it."""
        wire = sent.live.wire()
        if wire is None:
            if self._open >= self._most:
                return False
            target = self._target
            wire = Wire(target.address, target.port, target.tls, self._done, target.host, self._lost)
            self._open += 1
        wire.send(sent.data, sent.wants_body)
        self._under_way[wire] = sent
        self._deadlines.add(wire, now())
        return True

    def let_go(self, wire: Wire, *, at_once: bool) -> None:
        """Of one that is free. `at_once`: whoever comes next may need its place; else what is due goes first, for to close one
        takes as long as to send."""
        if at_once:
            wire.close()
        else:
            asyncio.get_running_loop().call_soon(self._close, wire)

    def _close(self, wire: Wire) -> None:
        self._clock.catch_up()
        wire.close()

    async def hang_up(self, word: str) -> None:
        """What is under way ends with this word. Sessions have closed those that are free."""
        self._over = True
        for wire in list(self._under_way):
            wire.fail(word)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while self._open:
                    self._one_less.clear()
                    await self._one_less.wait()

    def _done(self, wire: Wire, reply: Reply) -> None:
        sent = self._under_way.pop(wire)
        if wire.alive:
            sent.live.idle.append(wire)
        elif not self._over and _may_ask_again(sent, reply):
            sent.before = reply
            if self.send(sent):
                return
        if sent.before is not None:
            _count_from(sent.before, reply)
        self._on_done(sent, reply)

    def _lost(self, wire: Wire) -> None:
        self._open -= 1
        self._one_less.set()


def _may_ask_again(sent: Sent, reply: Reply) -> bool:
    """A kept connection that was closed before a byte came: browsers ask again, once, for what changes nothing."""
    kept = reply.connect_us is None and not reply.first_ns and sent.before is None
    return kept and reply.failed in ("closed", "reset") and sent.step.request.method in SAFE


def _count_from(before: Reply, reply: Reply) -> None:
    """It went when it went first: for how long the site then kept silent is the site's time, and no lateness of ours."""
    reply.began_ns, reply.sent_ns = before.began_ns, before.sent_ns or reply.sent_ns
