"""What the readers of one process share: a load under way (single flight), and L1."""

from collections.abc import Callable, Generator, Hashable
from typing import Any, NamedTuple

from commands.proving import model_scripts as redis
from commands.proving.model_flaws import Flaw
from commands.proving.model_readers import Asked, ask_for_lease, asked, load, told
from commands.proving.model_search import BLOCKED, Program, Step, step
from commands.proving.model_world import Content, Flight, Home, Value, World


class Joined(NamedTuple):
    """The load under way that a caller found; None: it begins one."""

    since: int
    flight: Flight | None

    def __str__(self) -> str:
        return "begins its own" if self.flight is None else f"{self.flight}"


def caller(flaw: Flaw | None, me: str, key: str) -> Callable[[], Program]:
    """One of many in a process that ask for the same key: the first one's load is everybody's, if it is not too old for them."""

    def program() -> Program:
        since = -1
        while True:
            now, flight = yield step("looks for a load under way", lambda world: _join(world, me))
            since = now if since < 0 else since
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
            return asked(world, key)

        since, found = yield step(f"takes a ticket, MGET {key}", ask)
        if isinstance(found, Value):
            yield step("puts it into L1, if its ticket lives", lambda world: _put(world, home, me, found))
            yield told(key, found.content, since)
        else:
            content, how = yield from load(flaw, me, key)
            if flaw is Flaw.UNSTORED_IN_L1 and how == "unstored":
                yield step("puts it into L1, if its ticket lives", lambda world: _put(world, home, me, Value(content)))
            yield told(key, content, since)

    return program


def _put(world: World, name: str, me: str, value: Value) -> None:
    home: Home = world.homes[name]
    if me in home.tickets or world.flaw is Flaw.NO_TICKET:
        world.homes[name] = home._replace(entry=value, tickets=home.tickets - {me})
