"""How a process reads: one key, an early refresh, a unique value with its row."""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from commands.proving import model_scripts as redis
from commands.proving.model_flaws import Flaw
from commands.proving.model_search import BLOCKED, Program, Step, locally, step
from commands.proving.model_world import Broken, Content, Lease, Value, World

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


def reader(flaw: Flaw | None, me: str, key: str, link: bool = True) -> Callable[[], Program]:
    """One read of one key, from Redis or from MySQL. `link`: its way to Redis is sound; else it may break while it asks."""

    def program() -> Program:
        since, content, _ = yield from _read(flaw, me, key, link)
        yield told(key, content, since)

    return program


def _read(flaw: Flaw | None, me: str, key: str, link: bool = True) -> Reading:
    since, found = yield step(f"MGET {key}", lambda world: asked(world, key))
    if isinstance(found, Value):
        return since, found.content, "hit"
    if flaw is Flaw.PLAIN_GET_SET:
        content = yield select(key)
        yield step(f"SET {key}", lambda world: world.put(key, Value(content)))
        return since, content, "stored"
    content, how = yield from load(flaw, me, key, link)
    return since, content, how


def load(flaw: Flaw | None, me: str, key: str, link: bool = True) -> Generator[Step, Any, tuple[Content, str]]:
    """After a miss: the lease, the SELECT on a snapshot opened after it, the fill."""
    early = (yield select(key)) if flaw is Flaw.EARLY_SNAPSHOT else None
    token = "the client" if flaw is Flaw.TOKEN_PER_CLIENT else me
    if not link and (yield _breaks(key, token)) and flaw is not Flaw.TOKEN_PER_QUESTION:
        token = f"{me} again"
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


def asked(world: World, key: str) -> Asked:
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


def _breaks(key: str, token: str) -> Step:
    """Whether the connection breaks under a first `acquire`, which may arrive long after it was asked again on another one."""

    def on_its_way(world: World) -> bool:
        world.late = (*world.late, (key, token))
        return True

    return Step(
        (("finds its connection sound", lambda world: False), (f"acquire {key}, and its connection breaks", on_its_way))
    )


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
        since, found = yield step(f"MGET {key}", lambda world: asked(world, key))
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
        elif flaw in (Flaw.VERIFIED_ONCE, Flaw.TWO_SELECTS):
            yield told(question, (yield from _row_after_number(flaw, me, name)), since)
        else:
            yield told(question, (yield select(question)), since)

    return program


def _row_after_number(flaw: Flaw | None, me: str, name: str) -> Generator[Step, Any, Content]:
    """Of two flaws: the number from MySQL, and then its row."""
    number = yield select(f"name {name}")
    if number is None:
        return None
    if flaw is Flaw.TWO_SELECTS:
        held = yield select(f"row {number}")
        return (number, held) if held == name else None
    _, held, _ = yield from _read(flaw, f"{me}'s other row", f"row {number}")
    return number, held
