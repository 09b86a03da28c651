"""How a process reads: one key, an early refresh, a unique value with its row, a joined load, and L1."""

from collections.abc import Callable, Generator, Hashable
from typing import Any, NamedTuple

from commands.proving import model_scripts as redis
from commands.proving.model_flaws import Flaw
from commands.proving.model_search import BLOCKED, Program, Step, locally, step
from commands.proving.model_world import Broken, Content, Flight, Home, Lease, Value, World

Reading = Generator[Step, Any, tuple[int, Content, str]]  # asked since, content, how: "hit", "stored", "unstored"


class Asked(NamedTuple):
    """What a read found first. `since`: the newest state that it may not fall behind."""

    since: int
    found: Value | None

    def __str__(self) -> str:
        return "nothing" if self.found is None else f"{self.found}"


class Granted(NamedTuple):
    """What `acquire` answered, and the generations of a list's scopes at that moment."""

    answer: Value | str
    stamps: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return f"{self.answer}"


class Joined(NamedTuple):
    """The load under way that a caller found; None: it begins one."""

    since: int
    flight: Flight | None

    def __str__(self) -> str:
        return "begins its own" if self.flight is None else f"{self.flight}"


def reader(flaw: Flaw | None, me: str, key: str) -> Callable[[], Program]:
    """One read of one key, from Redis or from MySQL."""

    def program() -> Program:
        since, content, _ = yield from _read(flaw, me, key)
        yield told(key, content, since)

    return program


def _read(flaw: Flaw | None, me: str, key: str) -> Reading:
    since, found = yield step(f"MGET {key}", lambda world: _asked(world, key))
    if isinstance(found, Value):
        return since, found.content, "hit"
    if flaw is Flaw.PLAIN_GET_SET:
        content = yield select(key)
        yield step(f"SET {key}", lambda world: world.put(key, Value(content)))
        return since, content, "stored"
    content, how = yield from _load(flaw, me, key)
    return since, content, how


def _load(flaw: Flaw | None, me: str, key: str) -> Generator[Step, Any, tuple[Content, str]]:
    """After a miss: the lease, the SELECT on a snapshot opened after it, the fill."""
    early = (yield select(key)) if flaw is Flaw.EARLY_SNAPSHOT else None
    token = "the client" if flaw is Flaw.TOKEN_PER_CLIENT else me
    answer, stamps = yield ask_for_lease(key, token)
    if isinstance(answer, Value):
        return answer.content, "hit"
    content = early if flaw is Flaw.EARLY_SNAPSHOT else (yield select(key))
    if answer != "lease":
        return content, "unstored"
    if flaw is Flaw.STAMPS_AFTER_SELECT:
        stamps = yield step(f"GET {key}/scope", lambda world: world.stamps(key))
    done = yield step(f"fill {key}", lambda world: redis.fill(world, key, token, Value(content, stamps)))
    return content, "stored" if done == "stored" else "unstored"


def _asked(world: World, key: str) -> Asked:
    """A read begins: what has returned by now is what it may not fall behind."""
    return Asked(max(world.returned, world.seen), world.hit(key))


def ask_for_lease(key: str, token: str, begun: Callable[[World], None] = lambda world: None) -> Step:
    """`acquire`. Who is told "busy" waits, and after a while reads MySQL without storing."""

    def acquire(world: World) -> Any:
        begun(world)
        answer = redis.acquire(world, key, token)
        return BLOCKED if answer == "busy" else Granted(answer, world.stamps(key))

    def give_up(world: World) -> Any:
        begun(world)
        lease = world.redis[key]
        waits = isinstance(lease, Lease) and lease.token != token and world.loads < 0
        return Granted("reads without storing") if waits else BLOCKED

    return Step(((f"acquire {key}", acquire), (f"waited long enough for {key}", give_up)))


def select(key: str) -> Step:
    def run(world: World) -> Content:
        if world.loads >= 0:
            world.loads += 1
        return world.now(key)

    return step(f"SELECT {key}", run)


def told(key: str, content: Content, since: int) -> Step:
    """The answer: it must have been true at some time since the question was asked."""

    def answer(world: World) -> None:
        age = world.age(key, content)
        if age < 0:
            raise Broken("G5", f"{key} was answered with {content}, which was never committed")
        if age < since:
            raise Broken(
                "G1", f"{key} was answered with {content}; {world.views[key](world.history[since])} was known before"
            )
        if world.seen >= 0:
            world.seen = max(world.seen, age)

    return locally(answer)


def refresher(flaw: Flaw | None, me: str, key: str) -> Callable[[], Program]:
    """XFetch: the reader of an ageing value answers at once and, if elected, loads it anew."""

    def program() -> Program:
        since, found = yield step(f"MGET {key}", lambda world: _asked(world, key))
        if not isinstance(found, Value):
            return
        yield told(key, found.content, since)
        if (yield step(f"acquire {key}, nominated", lambda world: redis.nominate(world, key, me))) != "refresh":
            return
        content = yield select(key)
        if flaw is Flaw.REFRESH_UNLEASED:
            yield step(f"SET {key} XX", lambda world: redis.refresh_unleased(world, key, content))
        else:
            yield step(f"fill {key}", lambda world: redis.fill(world, key, me, Value(content)))

    return program


def by_name(flaw: Flaw | None, me: str, name: str) -> Callable[[], Program]:
    """The row that has this name: its number from the index, then the row, which must still have the name."""
    question = f"who is {name}"

    def program() -> Program:
        since, number, _ = yield from _read(flaw, me, f"name {name}")
        if number is None:
            yield told(question, None, since)
            return
        _, held, _ = yield from _read(flaw, f"{me}'s row", f"row {number}")
        if held == name or flaw is Flaw.NO_VERIFICATION:
            yield told(question, (number, held), since)
        elif flaw is Flaw.VERIFIED_ONCE:
            number = yield select(f"name {name}")
            if number is None:
                yield told(question, None, since)
            else:
                _, held, _ = yield from _read(flaw, f"{me}'s other row", f"row {number}")
                yield told(question, (number, held), since)
        else:
            yield told(question, (yield select(question)), since)

    return program


def caller(flaw: Flaw | None, me: str, key: str) -> Callable[[], Program]:
    """One of many in a process that ask for the same key: the first one's load is everybody's, if it is not too old for them."""

    def program() -> Program:
        since = -1
        while True:
            asked, flight = yield step("looks for a load under way", lambda world: _join(world, me))
            since = asked if since < 0 else since
            if flight is None:
                content = yield from _fly(flaw, me, key)
                yield told(key, content, since)
                return
            content, how = yield step(f"waits for {flight.pilot}", lambda world, f=flight: _landed(world, f))  # type: ignore[misc]
            if flight.stage in _early_enough(flaw, how):
                yield told(key, content, since)
                return

    return program


def _early_enough(flaw: Flaw | None, how: str) -> tuple[str, ...]:
    """The join rule: who came before a question was sent that vouches for the answer may have it.

    A hit is vouched for by `acquire`; what was loaded by its SELECT, and by `fill` if it was stored: no write came in between.
    """
    if flaw is Flaw.FREE_JOINING:
        return "new", "acquire", "SELECT", "fill"
    if how == "hit":
        return ("new", "acquire") if flaw is Flaw.JOINED_BEFORE_SELECT else ("new",)
    if how == "stored":
        return ("new", "acquire", "SELECT", "fill") if flaw is Flaw.JOINED_AFTER_FILL else ("new", "acquire", "SELECT")
    return "new", "acquire"


def _join(world: World, me: str) -> Joined:
    flight = world.flight
    if flight is None:
        world.flight = Flight(me)
    return Joined(max(world.returned, world.seen), flight)


def _fly(flaw: Flaw | None, me: str, key: str) -> Generator[Step, Any, Content]:
    def stage(name: str) -> Callable[[World], None]:
        def reached(world: World) -> None:
            world.flight = Flight(me, name)

        return reached

    def sent(world: World) -> Content:
        stage("SELECT")(world)
        return world.now(key)

    def filled(world: World) -> str:
        stage("fill")(world)
        return redis.fill(world, key, me, Value(content, stamps))

    answer, stamps = yield ask_for_lease(key, me, stage("acquire"))
    if isinstance(answer, Value):
        content, how = answer.content, "hit"
    else:
        content, how = (yield step(f"SELECT {key}", sent)), "unstored"
        if answer == "lease":
            how = yield step(f"fill {key}", filled)
    yield step("hands its answer round", lambda world: _land(world, me, content, how))
    return content


def _land(world: World, me: str, content: Content, how: str) -> None:
    world.flight, world.landed = None, (*world.landed, (me, content, how))


def _landed(world: World, flight: Flight) -> Hashable:
    return next(((content, how) for pilot, content, how in world.landed if pilot == flight.pilot), BLOCKED)


def at_home(flaw: Flaw | None, me: str, key: str, home: str) -> Callable[[], Program]:
    """A read that leaves what it found in L1, unless a push has come between question and answer: the ticket."""

    def program() -> Program:
        def ask(world: World) -> Asked:
            there = world.homes[home]
            world.homes[home] = there._replace(tickets=there.tickets | {me})
            return _asked(world, key)

        since, found = yield step(f"takes a ticket, MGET {key}", ask)
        if isinstance(found, Value):
            yield step("puts it into L1, if its ticket lives", lambda world: _put(world, home, me, found))
            yield told(key, found.content, since)
        else:
            content, how = yield from _load(flaw, me, key)
            if flaw is Flaw.UNSTORED_IN_L1 and how == "unstored":
                yield step("puts it into L1, if its ticket lives", lambda world: _put(world, home, me, Value(content)))
            yield told(key, content, since)

    return program


def _put(world: World, name: str, me: str, value: Value) -> None:
    home: Home = world.homes[name]
    if me in home.tickets or world.flaw is Flaw.NO_TICKET:
        world.homes[name] = home._replace(entry=value, tickets=home.tickets - {me})
