"""Sends a plan at its moments, whatever the answers do, and has each answer measured."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from replay.cap import MOST_HELD, TOO_MANY, Cap
from replay.clock import AT_ONCE, Clock, now
from replay.connections import Connections, Sent
from replay.drafts import Drafts
from replay.giving_up import Patience
from replay.machine import MAX_OPEN
from replay.measuring import INTERRUPTED, Measure
from replay.plans import Arrival, Plan, Step
from replay.sessions import Board, Live
from replay.targets import Target
from replay.values import Unmapped, told
from replay.wire import Reply

_SECOND: Final = 1_000_000_000
UNMAPPED: Final = "unmapped"
TOO_LATE: Final = "too late"  # when the time was over, what it waited for was not there
BEHIND_NS: Final = 10 * _SECOND  # no run goes on that is so late


@dataclass(frozen=True, slots=True)
class Options:
    """`values` by placeholder. `max_rate`: requests a second, 0 for any; what is over that goes later, which is no lag."""

    run_id: str
    timeout: float = 30.0  # s, from the sending
    warmup: float = 0.0  # s
    max_rate: float = 0.0
    max_open: int = 10_000  # connections
    stop_on_errors: float = 0.0  # share of the last ones, 0 for never
    values: dict[str, str] = field(default_factory=dict)


class Runner:
    """`on_answer` gets every answer with its body, which is else not kept."""

    def __init__(
        self, plan: Plan, target: Target, options: Options, measure: Measure,
        on_answer: Callable[[Step, Reply], None] | None = None,
    ) -> None:  # fmt: skip
        self.plan, self.target, self.options, self.measure, self.on_answer = plan, target, options, measure, on_answer
        self._arrives, self._closed = plan.pace.arrives, plan.pace.kind == "closed"
        self._arrivals = plan.arrivals()
        self._next: Arrival | None = next(self._arrivals, None)
        self._drafts = Drafts(plan, target, options.run_id, reads_all=on_answer is not None)
        self._boards: dict[int, Board] = {}  # by pass
        self._live: dict[tuple[int, int], Live] = {}  # by pass and script
        self._patience = Patience(options.stop_on_errors)
        self._held: dict[tuple[int, int], Sent] = {}  # by the rate cap
        self._cap = Cap(options.max_rate) if options.max_rate else None
        self._error: BaseException | None = None

    async def run(self, began_ns: int, stop: asyncio.Event) -> None:
        """Until all is answered, timed out, or `stop` is set. `began_ns` is T0, in nanoseconds of the monotonic clock."""
        loop = asyncio.get_running_loop()
        self._began_ns, self._loop, self._ending = began_ns, loop, False
        limit = self.plan.limit_us
        self._end_ns = None if limit is None else began_ns + int(limit * 1000)
        self._over, self._clock = asyncio.Event(), Clock()
        given = self.options
        self._connections = Connections(self.target, self._clock, given.timeout, given.max_open, self._done)
        before = loop.get_exception_handler()
        loop.set_exception_handler(self._broke)
        self.measure.start(began_ns, self.options.warmup)
        waiting = [asyncio.create_task(one.wait()) for one in (stop, self._over)]
        try:
            self._clock.at(began_ns, self._begin)
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if self._error is not None:
                raise self._error
        finally:
            for task in waiting:
                task.cancel()
            if not self._ending and not stop.is_set() and (why := self._patience.at_end()):
                self.measure.stopped = why
            if stop.is_set() or self.measure.stopped:
                self.measure.last_ns = now()
            await self._hang_up()
            self._clock.close()
            loop.set_exception_handler(before)

    def _broke(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback failed: that is the end of the run, and whoever called it hears why."""
        self._error = self._error or context.get("exception") or RuntimeError(context["message"])
        self._over.set()

    def _begin(self) -> None:
        if self._closed:
            for user in range(int(self.plan.pace.rates[0])):
                self._take_next(user)
        else:
            self._arrive()
        if self._end_ns is not None:
            self._clock.at(self._end_ns, self._cut_off)

    def _arrive(self) -> None:
        """What is due arrives, and the clock calls for the next; who is behind lets the answers in between."""
        for _ in range(AT_ONCE):
            arrival = self._next
            if arrival is None or self._ending:
                break
            due = self._began_ns + int(arrival.us * 1000)
            if due > now():
                self._clock.at(due, self._arrive)
                return
            self._next = next(self._arrivals, None)
            live = self._session(arrival, due)
            if self._arrives:
                live.due.append(due)
            self._advance(live)
        else:
            self._loop.call_soon(self._arrive)
            return
        if self._arrives:
            for live in list(self._live.values()):
                self._end_if_done(live)
        self._cut_off()
        self._look_whether_over()

    def _cut_off(self) -> None:
        """Nothing is due any more from the end on: nobody waits for what will not be told."""
        if self._end_ns is not None and now() >= self._end_ns and (self._closed or self._next is None):
            for live in list(self._live.values()):
                if not live.timed:
                    while live.due and (step := live.step) is not None:  # it was due, and what it needs never came
                        live.next += 1
                        self.measure.due(live.due[0])
                        self._skip(live, step, live.due.popleft(), TOO_LATE)
                    self._abandon(live)
                    self._end_if_done(live)

    def _take_next(self, user: int) -> None:
        """A user of a closed pace begins with the next session."""
        arrival, self._next = self._next, next(self._arrivals, None)
        if arrival is not None and not self._ending and (self._end_ns is None or now() < self._end_ns):
            self._advance(self._session(arrival, now(), user))
        self._look_whether_over()

    def _session(self, arrival: Arrival, due: int, user: int = -1) -> Live:
        key = arrival.loop, arrival.script
        live = self._live.get(key)
        if live is None:
            board = self._boards.get(arrival.loop)
            if board is None:
                board = self._boards[arrival.loop] = Board(len(self.plan.scripts))
            live = self._live[key] = Live(self.plan.scripts[arrival.script], key, board, due, user)
        return live

    def _advance(self, live: Live) -> None:
        """Send what is due of this session, and have the clock call when the next one is."""
        while not live.timed and not self._ending and (step := live.step) is not None:
            ready = live.ready(step, arrives=self._arrives)
            if ready is None:
                break  # an answer, or an arrival, calls again
            if not self._arrives and self._end_ns is not None and ready >= self._end_ns:
                self._abandon(live)
                break
            if ready > now():
                live.timed = True
                self._clock.at(ready, partial(self._rung, live))
                break
            live.next += 1
            live.last_ns = ready
            # Where requests arrive, a visitor was there from that moment on, whatever the site was still busy with.
            self._offer(live, step, live.due.popleft() if self._arrives else ready, ready)
        self._end_if_done(live)

    def _rung(self, live: Live) -> None:
        live.timed = False
        self._advance(live)

    def _offer(self, live: Live, step: Step, intended_ns: int, ready_ns: int) -> None:
        self.measure.due(intended_ns)
        if step.held:
            self._skip(live, step, intended_ns, step.held)
            return
        try:
            data = self._drafts.ready(step, live.jar, partial(self._value, live.board))
        except Unmapped:
            self._skip(live, step, intended_ns, UNMAPPED)
            return
        sent = Sent(live, step, intended_ns, ready_ns, data, self._drafts.reads(step))
        live.open += 1
        if self._cap:
            sent.ready_ns, moment = self._cap.lets_go(ready_ns)
            self.measure.hold(intended_ns, sent.ready_ns - ready_ns)
            if moment > now():
                self._held[step.request.i, live.key[0]] = sent
                self.measure.held = len(self._held)
                if len(self._held) > MOST_HELD:
                    self._stop(TOO_MANY)
                self._clock.at(moment, partial(self._let_go, sent))
                return
        self._send(sent)

    def _let_go(self, sent: Sent) -> None:
        """The rate cap lets it go."""
        if self._ending:
            return
        del self._held[sent.step.request.i, sent.live.key[0]]
        self.measure.held = len(self._held)
        self._send(sent)
        self._advance(sent.live)

    def _value(self, board: Board, placeholder: str) -> str:
        told_here = board.told.get(placeholder)
        value = (told_here and told_here[0]) or self.options.values.get(placeholder)
        if value is None:
            raise Unmapped(placeholder)
        return value

    def _send(self, sent: Sent) -> None:
        began = now()
        if not self._connections.send(sent):
            sent.live.open -= 1
            self._skip(sent.live, sent.step, sent.intended_ns, MAX_OPEN)
            return
        self.measure.send(sent.intended_ns)
        if began - sent.ready_ns > BEHIND_NS:
            self._stop(f"requests go {BEHIND_NS // _SECOND} s late: this machine cannot send them that fast")

    def _done(self, sent: Sent, reply: Reply) -> None:
        """What follows from the answer goes first, with what is due meanwhile; to count it can wait."""
        live, step = sent.live, sent.step
        live.open -= 1
        if why := self._patience.heard(reply):
            self._stop(why)
        live.jar.take(reply.head)
        live.ended[step.request.i] = reply.end_ns
        for made in step.request.answer.made:
            self._tell(live.board, made.placeholder, None if reply.failed else told(made, reply), reply.end_ns)
        self._advance(live)
        self._clock.catch_up()
        self.measure.end(step.route, sent.intended_ns, sent.ready_ns, reply, step.status)
        if self.on_answer is not None:
            self.on_answer(step, reply)

    def _stop(self, why: str) -> None:
        if not self._ending:
            self.measure.stopped = why
            self._ending = True
            self._over.set()

    def _skip(self, live: Live, step: Step, intended_ns: int, word: str) -> None:
        """It does not go; what comes after it goes as if it had taken the time that it took when it was recorded."""
        self.measure.skip(step.route, intended_ns, word)
        took = int(step.request.answer.total_us * 1000 / self.plan.speed)
        live.ended[step.request.i] = intended_ns + (0 if self._closed else took)
        for placeholder in step.makes:
            self._tell(live.board, placeholder, None, now())

    def _tell(self, board: Board, placeholder: str, value: str | None, ns: int) -> None:
        if value is not None or placeholder not in board.told:
            board.told[placeholder] = (value, ns)
        for live in board.waiting.pop(placeholder, ()):
            self._loop.call_soon(self._advance, live)

    def _end_if_done(self, live: Live) -> None:
        arrives_no_more = self._arrives and self._next is None and not live.due
        if live.open or live.over or (live.step is not None and not arrives_no_more):
            return
        live.over = True
        del self._live[live.key]
        for wire in live.idle:
            self._connections.let_go(wire, at_once=self._closed)
        self._abandon(live)
        live.board.left -= 1
        if not live.board.left:
            del self._boards[live.key[0]]
        if self._closed:
            self._loop.call_soon(self._take_next, live.user)
        self._look_whether_over()

    def _abandon(self, live: Live) -> None:
        """The rest of it will not come to pass, and nobody need wait for what it would have told."""
        for step in live.script.steps[live.next :]:
            for placeholder in step.makes:
                self._tell(live.board, placeholder, None, now())
        live.next = len(live.script.steps)

    def _look_whether_over(self) -> None:
        more = self._next is not None and not (self._closed and self._end_ns is not None and now() >= self._end_ns)
        if not more and not self._live:
            self._over.set()

    async def _hang_up(self) -> None:
        self._ending = True
        for live in self._live.values():
            for wire in live.idle:
                wire.close()
        await self._connections.hang_up(INTERRUPTED)
        for sent in self._held.values():
            self.measure.skip(sent.step.route, sent.intended_ns, INTERRUPTED)
