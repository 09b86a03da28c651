"""What is noted of a run while it runs: counts and histograms, which can be added to those of other processes.

What is due, sent and answered is counted in the second in which that was; how long it took, in the second in which it was to
be sent. So a server that stalls shows where it stalled, and the backlog is the difference of two counts.
"""

from collections import Counter
from typing import Any, Final

from replay.clock import now
from replay.histogram import Histogram
from replay.histogram import of_json as histogram_of
from replay.progress import Glimpse
from replay.wire import Reply

_SECOND: Final = 1_000_000_000
INTERRUPTED: Final = "interrupted"
_COUNTS: Final = ("due", "gone", "sent", "ended", "answered", "failed")


class OfSecond:
    """`due`: were to be sent; `gone`: of those not sent at all, such as unmapped ones; `ended`: of those sent, and of these
    `answered`; `failed`: not answered, or by an error."""

    __slots__ = ("answered", "due", "ended", "failed", "gone", "lag", "response", "sent")

    def __init__(self) -> None:
        self.due = self.gone = self.sent = self.ended = self.answered = self.failed = 0
        self.response, self.lag = Histogram(), Histogram()


class OfRoute:
    __slots__ = ("levels", "outcomes", "response", "service")

    def __init__(self) -> None:
        self.outcomes, self.levels = Counter[str](), Counter[str]()
        self.response, self.service = Histogram(), Histogram()


class Measure:
    """`stopped`: why it ended before its time, "" when it did not. `changed`: answers whose status is not the recorded one, as
    "200 > 404". `warm`: what was due in the warm-up, by outcome; nothing else is kept of that. `held`: how many are due, and
    wait for the rate cap; `capped`: how long it made those wait that it held."""

    def __init__(self) -> None:
        self.seconds: dict[int, OfSecond] = {}
        self.routes: dict[str, OfRoute] = {}
        self.connect, self.first_byte, self.capped = Histogram(), Histogram(), Histogram()
        self.changed, self.warm = Counter[str](), Counter[str]()
        self.stopped = ""
        self.held = self._open = 0
        self._seen: Glimpse | None = None  # what happened since somebody looked, None as long as nobody does
        self.began_ns = self.warm_ns = self.last_ns = 0  # T0, the end of the warm-up, the last answer

    def start(self, began_ns: int, warmup: float = 0.0) -> None:
        """`began_ns` is T0, in nanoseconds of the monotonic clock; what is due in the first `warmup` seconds is no part of it."""
        self.began_ns, self.warm_ns = began_ns, began_ns + int(warmup * _SECOND)

    def due(self, intended_ns: int) -> None:
        """It is to be sent; what becomes of it is told later, once."""
        if self._seen is not None:
            self._seen.offered += 1
        if intended_ns >= self.warm_ns:
            self._second(intended_ns).due += 1

    def hold(self, intended_ns: int, ns: int) -> None:
        """The rate cap lets it go so much later."""
        if ns >= 1000 and intended_ns >= self.warm_ns:
            self.capped.add(ns // 1000)

    def skip(self, route: str, intended_ns: int, word: str) -> None:
        """It was due, and is not sent."""
        if intended_ns < self.warm_ns:
            self.warm[word] += 1
            return
        self._second(now()).gone += 1
        self._route(route).outcomes[word] += 1

    def send(self, intended_ns: int) -> None:
        self._open += 1
        if self._seen is not None:
            self._seen.sent += 1
        if intended_ns >= self.warm_ns:
            self._second(now()).sent += 1

    def end(self, route: str, intended_ns: int, ready_ns: int, reply: Reply, recorded: int) -> None:
        """`ready_ns`: when all that it waited for was there, `intended_ns` or later: from then on it is late by our doing.
        `recorded`: the status that it had when it was recorded, 0 for none."""
        self._open -= 1
        word, end_ns = reply.failed or str(reply.status), reply.end_ns
        response, failed, lag = (end_ns - intended_ns) // 1000, is_failure(word), (reply.began_ns - ready_ns) // 1000
        if self._seen is not None:
            self._seen.done += not reply.failed
            self._seen.failed += failed
            self._seen.response.add(response)
            self._seen.lag.add(lag)
        if intended_ns < self.warm_ns:
            self.warm[word] += 1
            return
        self.last_ns = end_ns
        ended = self._second(end_ns)
        ended.ended += 1
        ended.answered += not reply.failed
        ended.failed += failed
        due = self._second(intended_ns)
        due.response.add(response)
        due.lag.add(lag)
        of_route = self._route(route)
        of_route.outcomes[word] += 1
        of_route.response.add(response)
        if reply.sent_ns:
            of_route.service.add((end_ns - reply.sent_ns) // 1000)
            if reply.first_ns:
                self.first_byte.add((reply.first_ns - reply.sent_ns) // 1000)
        if reply.connect_us is not None:
            self.connect.add(reply.connect_us)
        if reply.status and (level := level_of(reply)):
            of_route.levels[level] += 1
        if recorded and reply.status != recorded and not reply.failed:
            self.changed[f"{recorded} > {reply.status}"] += 1

    def glimpse(self) -> Glimpse:
        """What has happened since the last one, the warm-up too. Nothing is kept for the first."""
        seen, self._seen = self._seen or Glimpse(), Glimpse()
        seen.backlog, seen.open = self.held, self._open
        return seen

    def _second(self, ns: int) -> OfSecond:
        second = self.seconds.get(number := (ns - self.began_ns) // _SECOND)
        if second is None:
            second = self.seconds[number] = OfSecond()
        return second

    def _route(self, name: str) -> OfRoute:
        route = self.routes.get(name)
        if route is None:
            route = self.routes[name] = OfRoute()
        return route

    def merge(self, other: "Measure") -> None:
        for number, second in other.seconds.items():
            mine = self.seconds.setdefault(number, OfSecond())
            for name in _COUNTS:
                setattr(mine, name, getattr(mine, name) + getattr(second, name))
            mine.response.merge(second.response)
            mine.lag.merge(second.lag)
        for name, route in other.routes.items():
            own = self._route(name)
            own.outcomes.update(route.outcomes)
            own.levels.update(route.levels)
            own.response.merge(route.response)
            own.service.merge(route.service)
        self.connect.merge(other.connect)
        self.first_byte.merge(other.first_byte)
        self.capped.merge(other.capped)
        self.changed.update(other.changed)
        self.warm.update(other.warm)
        self.stopped = self.stopped or other.stopped
        self.began_ns, self.warm_ns = other.began_ns, other.warm_ns
        self.last_ns = max(self.last_ns, other.last_ns)

    def as_json(self) -> dict[str, Any]:
        return {
            "seconds": {
                number: [[getattr(one, name) for name in _COUNTS], one.response.as_json(), one.lag.as_json()]
                for number, one in self.seconds.items()
            },
            "routes": {
                name: [one.outcomes, one.levels, one.response.as_json(), one.service.as_json()]
                for name, one in self.routes.items()
            },
            "connect": self.connect.as_json(), "first_byte": self.first_byte.as_json(), "capped": self.capped.as_json(),
            "changed": self.changed, "warm": self.warm, "stopped": self.stopped,
            "moments": [self.began_ns, self.warm_ns, self.last_ns],
        }  # fmt: skip


def of_json(told: dict[str, Any]) -> Measure:
    """The other way round. Raises KeyError, TypeError or ValueError."""
    made = Measure()
    for number, (counts, response, lag) in told["seconds"].items():
        second = made.seconds[int(number)] = OfSecond()
        for name, count in zip(_COUNTS, counts, strict=True):
            setattr(second, name, count)
        second.response, second.lag = histogram_of(response), histogram_of(lag)
    for name, (outcomes, levels, response, service) in told["routes"].items():
        route = made.routes[name] = OfRoute()
        route.outcomes, route.levels = Counter(outcomes), Counter(levels)
        route.response, route.service = histogram_of(response), histogram_of(service)
    made.connect, made.first_byte = histogram_of(told["connect"]), histogram_of(told["first_byte"])
    made.capped = histogram_of(told["capped"])
    made.changed, made.warm = Counter(told["changed"]), Counter(told["warm"])
    made.stopped = str(told["stopped"])
    made.began_ns, made.warm_ns, made.last_ns = map(int, told["moments"])
    return made


def is_failure(outcome: str) -> bool:
    """No answer, or one of 500 and above: 404 may be what was recorded."""
    return not outcome.isdigit() or outcome >= "500"


def level_of(reply: Reply) -> str:
    """Which cache gave it, as its header X-Cache says; "" where that is unknown."""
    return reply.header("x-cache") if b"-Cache:" in reply.head or b"-cache:" in reply.head else ""
