"""The scripts that run inside Redis, each one atomic: acquire, fill, begin, end, as they are in cache/scripts.

Time is modelled as what may have happened: a lease may run out at any moment, a writer's deadline once its transaction is over.
"""

from collections.abc import Iterable

from commands.proving.model_flaws import Flaw
from commands.proving.model_world import NOBODY, Content, Generation, Lease, Mark, Value, World

SISTER = "~"  # a key's second key, which holds the lease of an early refresh while the value stays


def blocks(world: World, record: object) -> bool:
    """Whether a writer that may still commit stands in a mark or a generation."""
    if isinstance(record, Mark):
        if world.flaw is Flaw.NO_WRITER_DEADLINE:
            return record.renewed_by not in world.overdue
        return bool(record.writers - world.overdue)
    return isinstance(record, Generation) and bool(record.pending - world.overdue)


def acquire(world: World, key: str, token: str) -> Value | str:
    """A value; "lease": load and fill; "busy": another does; "bypass": a write is in progress, read MySQL and store nothing."""
    if (found := world.hit(key)) is not None:
        return found
    if world.is_list(key):
        scope = world.redis[f"{key}/scope"]
        if blocks(world, scope):
            return "bypass"
        if scope is None:
            world.put(f"{key}/scope", Generation(_renewed(world, scope, token)))
    record = world.redis[key]
    if blocks(world, record):
        return "bypass"
    if isinstance(record, Lease) and record.token != token:
        return "busy"
    world.put(key, Lease(token))
    return "lease"


def nominate(world: World, key: str, token: str) -> str:
    """Ask to refresh a value before it is too old. One reader is elected ("refresh"); the value stays meanwhile."""
    if world.hit(key) is None or world.redis[key + SISTER] not in (None, Lease(token)):
        return "another does"
    world.put(key + SISTER, Lease(token))
    return "refresh"


def fill(world: World, key: str, token: str, value: Value) -> str:
    """Store what was loaded, if no writer has come in between: then the lease of this very load still stands."""
    standing = world.redis[key]
    elected = isinstance(standing, Value) and world.redis.get(key + SISTER) == Lease(token)
    if standing != Lease(token) and not elected:
        return "superseded"
    if world.is_list(key) and (value.stamps != world.stamps(key) or blocks(world, world.redis[f"{key}/scope"])):
        world.put(key, None)
        return "invalidated"
    world.put(key, value)
    if key + SISTER in world.redis:
        world.put(key + SISTER, None)
    return "stored"


def begin(world: World, writer: str, records: Iterable[str], scopes: Iterable[str]) -> None:
    """Just before COMMIT: no value, no lease and no list of before survives, and none is stored until `end` or the deadline."""
    for key in records:
        found = world.redis[key]
        writers = found.writers - world.overdue if isinstance(found, Mark) else NOBODY
        if world.flaw is Flaw.NO_WRITER_DEADLINE and isinstance(found, Mark):
            writers = found.writers
        world.put(key, Mark(writers | {writer}, writer if world.flaw is Flaw.NO_WRITER_DEADLINE else ""))
        if key + SISTER in world.redis:
            world.put(key + SISTER, None)
    for key in scopes:
        found = world.redis[key]
        pending = found.pending - world.overdue if isinstance(found, Generation) else NOBODY
        if world.flaw is not Flaw.NO_PENDING_WRITERS:
            pending |= {writer}
        world.put(key, Generation(_renewed(world, found, f"{writer} begins"), pending))


def end(world: World, writer: str, records: Iterable[str], scopes: Iterable[str], call: str) -> None:
    """After COMMIT or ROLLBACK. The last writer takes away whatever stands: a mark may have been lost and a value stored."""
    for key in records:
        found = world.redis[key]
        if isinstance(found, Mark):
            left = found.writers - {writer}
            if world.flaw is not Flaw.NO_WRITER_DEADLINE:
                left -= world.overdue
            world.put(key, found._replace(writers=left) if left and world.flaw is not Flaw.SINGLE_FLAG else None)
        elif found is not None and world.flaw is not Flaw.END_KEEPS_VALUES:
            world.put(key, None)
        if key + SISTER in world.redis:
            world.put(key + SISTER, None)
    for key in scopes:
        found = world.redis[key]
        pending = found.pending - {writer} - world.overdue if isinstance(found, Generation) else NOBODY
        number = _renewed(world, found, f"{writer} {call}")
        if world.flaw is Flaw.END_KEEPS_GENERATIONS and isinstance(found, Generation):
            number = found.number
        world.put(key, Generation(number, pending))
    world.ended |= {writer}


def refresh_unleased(world: World, key: str, content: Content) -> str:
    """Of the flaw REFRESH_UNLEASED: what an early refresh would be with SET ... XX."""
    if not isinstance(world.redis[key], Value):
        return "superseded"
    world.put(key, Value(content))
    return "stored"


def _renewed(world: World, found: object, name: str) -> str | int:
    """A generation that never was before: random in truth, here named after the call that made it."""
    if world.flaw is Flaw.COUNTED_GENERATIONS:
        number = found.number if isinstance(found, Generation) else 0
        return number + 1 if isinstance(number, int) else 1
    return name
