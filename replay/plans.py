"""What is going to be sent and when: a record file, a pace, and what was asked to be left out or rewritten."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from replay.paces import Pace, moments
from replay.records import Request
from replay.sharing import shares


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a session. It waits for the answer to `after` (the `i` of one before it in the session, None for none) and
    goes `think_us` later; without one, `think_us` after the session's start. `needs`: placeholders that answers to others
    tell, for which it waits too; `makes`: those that its own answer tells. `held`: why it is not sent, "" when it is.
    `status`: of the recorded answer, 0 where this one may have another."""

    request: Request
    route: str
    after: int | None = None
    think_us: int = 0
    needs: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    held: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True)
class Script:
    """What one session does, in its order. `start_us`: since the start of the plan, at replay speed."""

    session: str
    start_us: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Arrival:
    """`script` of `Plan.scripts` begins, or in a pace that arrives its next request does, `us` after T0."""

    us: float
    script: int
    loop: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`order`: for each arrival of one pass through the file, by whom it is; -1 for one that belongs to another process' part.
    `offsets`: when it is, where that was recorded. `period_us`: from one pass to the next. `loops`: passes, None for as many as
    `limit_us` holds; `limit_us`: after which nothing is sent, None for no limit. `seconds` is how long sending will take,
    `highest_rate` requests in the busiest second (0 for closed: nobody knows), `requests` how many, all as planned.
    `knows_cookies`: the record tells which cookies went with a request; an access log does not. `host_only`: cookies that have
    the prefix __Host- under https, and none in records."""

    scripts: tuple[Script, ...]
    pace: Pace
    order: tuple[int, ...]
    offsets: tuple[int, ...]
    period_us: float
    loops: int | None
    limit_us: float | None
    seconds: float
    highest_rate: float
    requests: int
    seed: int = 0
    speed: float = 1.0
    recorded_at: str = ""
    knows_cookies: bool = True
    host_only: frozenset[str] = frozenset()

    def arrivals(self) -> Iterator[Arrival]:
        """All, in their order; of a closed pace in the order in which users take them, without a time."""
        loop = 0
        times = moments(self.pace, self.seconds, self.seed) if self.pace.arrives and self.pace.is_made else None
        while self.order and (self.loops is None or loop < self.loops):
            start = loop * self.period_us
            for place, script in enumerate(self.order):
                us = (
                    0.0
                    if self.pace.kind == "closed"
                    else start + self.offsets[place]
                    if times is None
                    else next(times, -1.0)
                )
                if us < 0 or (self.limit_us is not None and us >= self.limit_us):
                    return
                if script >= 0:
                    yield Arrival(us, script, loop)
            loop += 1

    def split(self, n: int) -> list["Plan"]:
        """For so many processes, or for fewer when there is not something to send for each; sessions that need each other's
        placeholders stay together. Users of a closed pace are shared out; of arrivals each part has its own, at their moments."""
        users = int(self.pace.rates[0]) if self.pace.kind == "closed" else n
        sizes = [len(one.steps) for one in self.scripts]
        words = [{word for step in one.steps for word in (*step.needs, *step.makes)} for one in self.scripts]
        shared = [part for part in shares(sizes, words, min(n, users)) if part]
        parts = []
        for number, part in enumerate(shared):
            places = {old: new for new, old in enumerate(sorted(part))}
            share = sum(sizes[old] for old in part) / sum(sizes)
            pace = self.pace
            if pace.kind == "closed":
                pace = replace(pace, rates=(users // len(shared) + (number < users % len(shared)),))
            parts.append(
                replace(
                    self,
                    scripts=tuple(self.scripts[old] for old in places),
                    order=tuple(places.get(old, -1) for old in self.order),
                    pace=pace,
                    highest_rate=self.highest_rate * share,
                    requests=round(self.requests * share),
                )
            )
        return parts
