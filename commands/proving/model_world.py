"""What the model knows at one moment: what MySQL has held, what stands in Redis, what each process was answered so far."""

from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

from commands.proving.model_flaws import Flaw

Content = Hashable  # of a row, an index entry or a list; None is "known absent"
View = Callable[[Any], Content]  # what a key would hold, were it read from this state of the database
NOBODY: frozenset[str] = frozenset()


class Value(NamedTuple):
    """V and N: what a reader stored. A list carries the generations of its scopes."""

    content: Content
    stamps: tuple[str | int, ...] = ()
    kind: str = "V"  # told apart from the others by it: named tuples are equal when their fields are

    def __str__(self) -> str:
        return f"{self.content}"


class Lease(NamedTuple):
    """L: one reader may fill; all others wait."""

    token: str
    kind: str = "L"


class Mark(NamedTuple):
    """T, the tombstone: these writers are between `begin` and `end`. `renewed_by` is of the flaw NO_WRITER_DEADLINE alone."""

    writers: frozenset[str]
    renewed_by: str = ""
    kind: str = "T"


class Generation(NamedTuple):
    """G: a list is valid under the generation it was read under; `pending` writers keep new ones from being stored."""

    number: str | int
    pending: frozenset[str] = NOBODY
    kind: str = "G"


Record = Value | Lease | Mark | Generation | None


class Home(NamedTuple):
    """A process with an L1. `pushes` are on their way, True if for longer than the bound of 300 ms: then the fence is closed."""

    entry: Value | None = None
    tickets: frozenset[str] = NOBODY
    pushes: tuple[bool, ...] = ()
    own: int = 0  # the newest state that a write of this very process returned


class Flight(NamedTuple):
    """A load that callers of one process may join. `stage` is what it has sent: "new" (nothing), acquire, SELECT or fill."""

    pilot: str
    stage: str = "new"

    def __str__(self) -> str:
        return (
            f"{self.pilot}'s, which has sent {self.stage}"
            if self.stage != "new"
            else f"{self.pilot}'s, which has sent nothing"
        )


class Broken(Exception):
    """A promise (G1 to G6) does not hold here."""

    def __init__(self, promise: str, why: str) -> None:
        super().__init__(why)
        self.promise = promise


class World:
    """One moment. Steps change a copy; `key` tells moments apart."""

    def __init__(self, state: Content, views: dict[str, View], flaw: Flaw | None = None) -> None:
        self.flaw, self.views = flaw, views
        self.redis: dict[str, Record] = {}
        self.points: list[Any] = []  # of each process: where its program stands
        # MySQL
        self.history: tuple[Content, ...] = (state,)  # every committed state, oldest first: an index into it is an age
        self.committed: tuple[str, ...] = ()  # writer n made state n + 1
        self.open = NOBODY  # transactions that hold their locks
        self.doubt = NOBODY  # of these, whose COMMIT was sent and never answered: the server may still do it
        self.outbox = NOBODY  # writers with a committed outbox row
        # On the way
        self.late: tuple[
            tuple[str, str], ...
        ] = ()  # questions for a lease that were given up and asked again: key, token
        # Time
        self.overdue = NOBODY  # writers whose deadline has passed
        self.crashes = self.restarts = 0  # how many more may happen
        # What may be expected of an answer
        self.returned = 0  # the newest state whose write has returned: no read that begins now may be older
        self.seen = 0  # the newest state that a read was told
        self.settled = 0  # what had returned when the bound of L1 last passed
        self.ended = NOBODY  # writers whose `end` was done
        self.lost = NOBODY  # writers whose mark was lost to eviction or a restart
        self.loads = -1  # SELECTs of readers; counted when not negative
        self.strict = False  # whether G4 is to hold without its one exception
        # Inside processes
        self.homes: dict[str, Home] = {}
        self.flight: Flight | None = None
        self.landed: tuple[tuple[str, Content, str], ...] = ()

    def copy(self) -> "World":
        other = object.__new__(World)
        vars(other).update(vars(self))
        other.redis, other.points, other.homes = self.redis.copy(), self.points.copy(), self.homes.copy()
        return other

    def key(self) -> Hashable:
        """Equal for two moments from which the same can follow."""
        return (
            *self.redis.values(), *self.points, *self.homes.values(), self.history, self.committed, self.open, self.doubt,
            self.outbox, self.late, self.overdue, self.crashes, self.restarts, self.returned, self.seen, self.settled, self.ended,
            self.lost, self.loads, self.flight, self.landed,
        )  # fmt: skip

    def put(self, key: str, record: Record) -> None:
        """Change a key of Redis. Every process with an L1 is pushed its name, some time later."""
        self.redis[key] = record
        for name, home in self.homes.items():
            self.homes[name] = home._replace(pushes=(*home.pushes, False))

    def now(self, key: str) -> Content:
        """What MySQL would answer."""
        return self.views[key](self.history[-1])

    def age(self, key: str, content: Content) -> int:
        """The newest committed state in which this was true; -1 when there is none."""
        view = self.views[key]
        return max((n for n, state in enumerate(self.history) if view(state) == content), default=-1)

    def stamps(self, key: str) -> tuple[str | int, ...]:
        """The generations of a list's scopes now: the one scope `<list>/scope`, where the key is a list."""
        scope = self.redis.get(f"{key}/scope")
        return (scope.number,) if isinstance(scope, Generation) else ()

    def is_list(self, key: str) -> bool:
        return f"{key}/scope" in self.redis

    def hit(self, key: str) -> Value | None:
        """What MGET finds and a reader believes. A list under another generation than the present one is a miss."""
        found = self.redis[key]
        if not isinstance(found, Value):
            return None
        if self.is_list(key) and found.stamps != self.stamps(key) and self.flaw is not Flaw.NO_GENERATION_COMPARE:
            return None
        return found

    def values(self) -> Iterator[tuple[str, Value]]:
        """What a read that begins now would be told by Redis at once."""
        for key in self.redis:
            if found := self.hit(key):
                yield key, found
