"""How a process writes: one transaction, with `begin` before its COMMIT and `end` after the server has answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from commands.proving import model_scripts as redis
from commands.proving.model_flaws import Flaw
from commands.proving.model_search import BLOCKED, Program, Step, locally, step
from commands.proving.model_world import Content, Home, Lease, Value, World


@dataclass(frozen=True)
class Plan:
    """What a writer changes. `change` gives the next state of the database, or None where a unique key forbids it."""

    change: Callable[[Any], Content]
    records: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    lock: bool = True  # its row is locked: one such writer at a time
    critical: bool = False  # always with an outbox row
    link: bool = True  # its way to Redis is sound; else `begin` and `end` may fail, or their answer be lost
    doubt: bool = False  # COMMIT may stay without an answer
    rolls_back: bool = True
    home: str = ""  # the process it runs in, where that one has an L1


def writer(flaw: Flaw | None, me: str, plan: Plan) -> Callable[[], Program]:
    def program() -> Program:
        if not (yield step("locks the row", lambda world: _lock(world, me, plan))):
            return
        if flaw is Flaw.FILLS_INSIDE:
            yield step("fills with its own, uncommitted row", lambda world: _fill_inside(world, me, plan))
        confirmed = True
        if flaw is Flaw.FORGET_BEFORE_COMMIT:
            yield step("DEL", lambda world: _delete(world, plan))
        elif flaw not in (Flaw.PLAIN_GET_SET, Flaw.NO_BEGIN):
            confirmed = yield _sent(plan, "begin", lambda world: redis.begin(world, me, plan.records, plan.scopes))
        epoch = yield locally(lambda world: world.restarts)
        rowed = (plan.critical or not confirmed) and flaw is not Flaw.NO_OUTBOX
        answer = yield _commit(me, plan, rowed)
        if answer == "no answer" and flaw is not Flaw.END_IN_DOUBT:
            # The server may still do it. When the connection is known to be gone there, or the deadline has passed, it is over.
            yield step("end, once the server is through", lambda world: _end_late(world, me, plan))
            return
        if flaw is Flaw.FORGET_BEFORE_COMMIT:
            confirmed = True
        elif flaw is Flaw.PLAIN_GET_SET:
            yield step("DEL", lambda world: _delete(world, plan))
        else:
            confirmed = yield _sent(plan, "end", lambda world: _end(world, me, plan, epoch))
        if not (confirmed or rowed or flaw is Flaw.NO_OUTBOX):
            yield step("INSERT INTO outbox", lambda world: _insert(world, me))
        yield locally(lambda world: _return(world, me, plan, confirmed or flaw is Flaw.NO_OUTBOX, answer))

    return program


def _lock(world: World, me: str, plan: Plan) -> Any:
    if plan.lock and world.open:
        return BLOCKED
    if plan.change(world.history[-1]) is None:
        return False  # another row has this name
    world.open |= {me}
    return True


def _sent(plan: Plan, name: str, do: Callable[[World], None]) -> Step:
    """A script called over the network. True when its answer came."""

    def done(world: World) -> bool:
        do(world)
        return True

    def unheard(world: World) -> bool:
        do(world)
        return False

    sound = ((name, done),)
    return Step(
        sound if plan.link else (*sound, (f"{name}, its answer is lost", unheard), (f"{name} is lost", lambda _: False))
    )


def _commit(me: str, plan: Plan, rowed: bool) -> Step:
    def commit(world: World) -> str:
        commits(world, me, plan, rowed)
        return "done"

    def roll_back(world: World) -> str:
        world.open -= {me}
        return "rolled back"

    def doubt(world: World) -> str:
        world.doubt |= {me}
        return "no answer"

    return Step((
        ("COMMIT", commit),
        *((("ROLLBACK", roll_back),) if plan.rolls_back else ()),
        *((("COMMIT", doubt),) if plan.doubt else ()),
    ))  # fmt: skip


def commits(world: World, me: str, plan: Plan, rowed: bool = False) -> None:
    """The server does it: the change, and the outbox row that goes with it."""
    world.history = (*world.history, plan.change(world.history[-1]))
    world.committed = (*world.committed, me)
    world.open -= {me}
    world.doubt -= {me}
    if rowed:
        world.outbox |= {me}


def _end(world: World, me: str, plan: Plan, epoch: int) -> None:
    if world.flaw is Flaw.END_UNDER_OLD_EPOCH and world.restarts != epoch:
        world.ended |= {me}  # it deletes names that nobody reads any more
    else:
        redis.end(world, me, plan.records, plan.scopes, "ends")


def _end_late(world: World, me: str, plan: Plan) -> Any:
    if me in world.doubt:
        return BLOCKED
    redis.end(world, me, plan.records, plan.scopes, "ends late")
    return None


def sweep(world: World, me: str, plan: Plan) -> None:
    """The worker: `end` for an outbox row, then the row goes."""
    redis.end(world, me, plan.records, plan.scopes, "is swept")
    world.outbox -= {me}
    world.returned = max(world.returned, _state_of(world, me))


def _insert(world: World, me: str) -> None:
    world.outbox |= {me}


def _return(world: World, me: str, plan: Plan, confirmed: bool, answer: str) -> None:
    """The write returns: who asks from now on must see it. (Where Redis was out of reach: once the outbox was swept, G3.)"""
    if answer == "done" and confirmed:
        world.returned = max(world.returned, _state_of(world, me))
        if plan.home:
            home: Home = world.homes[plan.home]._replace(own=world.returned)
            dropped = home if world.flaw is Flaw.NO_OWN_DROP else home._replace(entry=None, tickets=frozenset())
            world.homes[plan.home] = dropped


def _state_of(world: World, me: str) -> int:
    return world.committed.index(me) + 1 if me in world.committed else 0


def _delete(world: World, plan: Plan) -> None:
    for key in plan.records:
        world.put(key, None)


def _fill_inside(world: World, me: str, plan: Plan) -> None:
    for key in plan.records:
        if world.redis[key] is None or isinstance(world.redis[key], Lease):
            world.put(key, Value(world.views[key](plan.change(world.history[-1]))))
