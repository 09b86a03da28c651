"""A scenario: the processes of a small world, and what may befall them at any moment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from commands.proving.model_flaws import Flaw
from commands.proving.model_promises import check
from commands.proving.model_scripts import acquire
from commands.proving.model_search import ENDED, Do, Found, Point, Program, search
from commands.proving.model_world import NOBODY, Content, Generation, Home, Lease, Mark, Record, View, World
from commands.proving.model_writers import Plan, commits, sweep, writer

Reader = Callable[[Flaw | None, str], Callable[[], Program]]
Fate = Iterator[tuple[str, Do]]


@dataclass(frozen=True)
class Scenario:
    """Readers and writers over one database and one Redis. `crashes` and `restarts` are how many there may be in one run."""

    name: str
    readers: tuple[Reader, ...]
    writers: tuple[Plan, ...]
    state: Content = "old"
    views: dict[str, View] = field(default_factory=lambda: {"post": lambda state: state})
    redis: dict[str, Record] = field(default_factory=lambda: dict[str, Record]({"post": None}))
    homes: tuple[str, ...] = ()  # processes with an L1
    crashes: int = 1
    restarts: int = 0
    evicts: bool = False
    expires: bool = True  # leases and deadlines
    monotonic: bool = True  # no read falls behind what an earlier read was told, either
    strict: bool = False  # without the one exception of G4
    counts_loads: bool = False

    def explore(self, flaw: Flaw | None, most: int) -> Found:
        """Every order of every step; with a flaw, until it shows."""
        names = (*(f"reader {n + 1}" for n in range(len(self.readers))), *self._writer_names())
        return search(self._start(flaw, names), names, lambda world: self._befalls(world, names), check, most)

    def _writer_names(self) -> Iterator[str]:
        return (f"writer {n + 1}" for n in range(len(self.writers)))

    def _start(self, flaw: Flaw | None, names: tuple[str, ...]) -> World:
        world = World(self.state, self.views, flaw)
        world.redis = dict(self.redis)
        world.homes = {name: Home() for name in self.homes}
        world.crashes, world.restarts = self.crashes, self.restarts
        world.seen = 0 if self.monotonic else -1
        world.loads, world.strict = 0 if self.counts_loads else -1, self.strict
        world.points = [Point(make(flaw, name)) for make, name in zip(self.readers, names, strict=False)]
        world.points += [Point(writer(flaw, *one)) for one in zip(self._writer_names(), self.writers, strict=True)]
        return world

    def _befalls(self, world: World, names: tuple[str, ...]) -> Fate:
        if self.expires:
            yield from _time(world)
        if self.evicts:
            for key, record in world.redis.items():
                if record is not None and not isinstance(record, Lease):
                    yield f"Redis evicts {key}", partial(_lose, keys=(key,))
        if world.restarts:
            yield "Redis restarts", self._restart
        if world.crashes:
            for index, point in enumerate(world.points):
                if point.step is not None:
                    yield f"{names[index]} is killed", partial(_kill, index=index, name=names[index])
        for key, token in world.late:
            yield f"an acquire of {key} arrives late", partial(_arrive, key=key, token=token)
        if world.doubt or world.outbox:
            yield from self._left_to_others(world)
        for name, home in world.homes.items():
            yield from _pushes(name, home, world.settled < world.returned)

    def _left_to_others(self, world: World) -> Fate:
        for name, plan in zip(self._writer_names(), self.writers, strict=True):
            if name in world.doubt:
                yield f"the server commits for {name}", partial(commits, me=name, plan=plan)
                yield f"the server rolls back {name}", partial(_roll_back, name=name)
            if name in world.outbox:
                yield f"the worker sweeps what {name} left", partial(sweep, me=name, plan=plan)

    def _restart(self, world: World) -> None:
        """A new epoch: nothing of the old one can be reached any more, whatever the dump has brought back."""
        world.restarts -= 1
        _lose(world, tuple(world.redis))
        if world.flaw is Flaw.OLD_DUMP_BELIEVED:
            world.redis.update(self.redis)


def _time(world: World) -> Fate:
    standing = set[str]()
    for key, record in world.redis.items():
        if isinstance(record, Lease):
            yield f"the lease of {key} runs out", partial(_lose, keys=(key,))
        elif isinstance(record, Mark):
            standing |= record.writers | ({record.renewed_by} - {""})
        elif isinstance(record, Generation):
            standing |= record.pending
    # The rule that everything rests on: a transaction is over before its mark is.
    unfinished = NOBODY if world.flaw is Flaw.HOLD_TOO_SHORT else world.open
    for name in sorted(standing - world.overdue - unfinished):
        yield f"the deadline of {name} passes", partial(_pass_deadline, name=name)


def _pass_deadline(world: World, name: str) -> None:
    world.overdue |= {name}


def _lose(world: World, keys: tuple[str, ...]) -> None:
    for key in keys:
        record = world.redis[key]
        if isinstance(record, Mark):
            world.lost |= record.writers
        elif isinstance(record, Generation):
            world.lost |= record.pending
        world.put(key, None)


def _arrive(world: World, key: str, token: str) -> None:
    world.late = tuple(one for one in world.late if one != (key, token))
    acquire(world, key, token)


def _kill(world: World, index: int, name: str) -> None:
    """The server rolls back what the process had open, unless its COMMIT is on the way already."""
    world.crashes -= 1
    world.points[index] = ENDED
    world.open -= {name} - world.doubt


def _roll_back(world: World, name: str) -> None:
    world.open -= {name}
    world.doubt -= {name}


def _pushes(name: str, home: Home, behind: bool) -> Fate:
    """Of the connection on which Redis tells a process what has changed: in order, and some time later."""

    def deliver(world: World) -> None:
        there = world.homes[name]
        world.homes[name] = there._replace(entry=None, tickets=NOBODY, pushes=there.pushes[1:])

    def connect_anew(world: World) -> None:
        there = world.homes[name]._replace(pushes=())
        world.homes[name] = there if world.flaw is Flaw.NO_FLUSH else there._replace(entry=None, tickets=NOBODY)

    def pass_bound(world: World) -> None:
        there = world.homes[name]
        world.settled = world.returned
        world.homes[name] = there._replace(pushes=(True,) * len(there.pushes))

    if home.pushes:
        yield f"a push reaches {name}", deliver
        yield f"{name} connects anew for its pushes", connect_anew
    if behind or not all(home.pushes):
        yield "0.3 s pass", pass_bound
