"""What a web process does when it is asked from inside: reads and writes by the models, counted and timed."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from cache import records
from cache.boards import Ranking, View
from commands.benchmarks.asked import Asked
from models import Models, bodies, posts

WRITES = 20  # of each kind
ABSENT = 10**12  # ids from here on are nobody's
TOGETHER = 1_000  # keys in one call
AGAIN = 10  # one batch in so many is read twice, as the second read is what the process may remember
AT_ONCE = 100  # calls of a timed batch, after each of which the loop turns


async def asked(models: Models, asked: Asked) -> dict[str, list[str]]:
    """What was asked of the servers since the last call."""
    found = {"statements": list(asked.statements), "trips": list(asked.trips)}
    asked.clear()
    return found


async def rows(
    models: Models, asked: Asked, ids: Sequence[int], seconds: float, fresh: bool = False
) -> dict[str, float]:
    """Microseconds of `one`, and of `many` for all the ids, when they have been read often; `fresh`: from MySQL."""
    turn = iter(range(10**9))
    table = models.posts.fresh() if fresh else models.posts

    async def one() -> None:
        await table.one(ids[next(turn) % len(ids)])

    async def many() -> None:
        await table.many(ids)

    for _ in range(3):
        await many()
        for _ in ids:
            await one()
    return {"one": await _microseconds(one, seconds), "many": await _microseconds(many, seconds)}


async def decoding(models: Models, asked: Asked, ids: Sequence[int], seconds: float) -> dict[str, float]:
    """Microseconds to make a row of its record, the median over these posts, their bodies, authors and comments."""
    found = await models.posts.many(ids)
    comments = [thread.comment for id in ids for thread in (await models.comments.discussion(id)).threads]
    kinds: dict[str, Sequence[Any]] = {
        "Post": found,
        "Body": await models.bodies.many(ids),
        "User": await models.users.many(tuple({post.author_id for post in found})),
        "Comment": comments,
    }
    return {name: _decoding(rows, seconds / len(kinds)) for name, rows in kinds.items()}


def _decoding(rows: Sequence[Any], seconds: float) -> float:
    cls, data = type(rows[0]), [records.encode_row(row) for row in rows]
    took: dict[int, float] = {}
    until = time.monotonic() + seconds
    while time.monotonic() < until or not took:
        for number, one in enumerate(data):
            began = time.perf_counter()
            for _ in range(10):
                records.decode_row(cls, one)
            # The fastest time of each record: what it costs when nothing else wants the core.
            took[number] = min(took.get(number, 1.0), (time.perf_counter() - began) / 10)
    return statistics.median(took.values()) * 1e6


async def herd(models: Models, asked: Asked, id: int, times: int, at: float) -> int:
    """From that moment on (of the clock on the wall) as many tasks read the same row; how many SELECTs were sent for it."""
    asked.clear()
    await asyncio.sleep(at - time.time())
    found = await asyncio.gather(*(models.posts.one(id) for _ in range(times)))
    assert {post.id for post in found} == {id}
    return sum("FROM posts p WHERE p.id IN" in sql for sql in asked.statements)


async def writes(models: Models, asked: Asked, id: int) -> dict[str, float]:
    """A strict write beside the same statements in a bare transaction: trips, statements and microseconds of each."""
    read, change = posts.Posts.rows_sql + " FOR UPDATE", "UPDATE posts SET version = version + 1 WHERE id = %s"

    async def strict() -> None:
        async with models.posts.write() as w:
            old = await w.locked(models.posts.make, read, (id,))
            await w.execute(change, id)
            w.touch(*posts.shown_in(old), *bodies.shown_in(id))

    async def bare() -> None:
        async with models.db.transaction() as connection:
            models.posts.make(*(await connection.fetch(read, (id,)))[0])
            await connection.execute(change, id)
            await connection.commit()

    found: dict[str, float] = {}
    for name, write in (("strict", strict), ("bare", bare)):
        await write()
        samples = [await _counted(asked, write) for _ in range(WRITES)]
        for number, what in enumerate(("trips", "statements", "time")):
            found[f"{name}_{what}"] = statistics.median(sample[number] for sample in samples)
    return found


async def kept(models: Models, asked: Asked) -> float:
    """What the process keeps of rows, lists and pages, in MiB as it weighs them itself."""
    local = models.cache.local
    return (local.live.weight + local.spare.weight) / (1 << 20)


async def absent(models: Models, asked: Asked, first: int, count: int) -> float:
    """Read `count` keys that nobody has read before, and that have no row, from the `first` on; seconds."""
    began = time.monotonic()
    for start in range(first, first + count, TOGETHER):
        ids = range(ABSENT + start, ABSENT + min(start + TOGETHER, first + count))
        for _ in range(2 if start // TOGETHER % AGAIN == 0 else 1):
            found = await models.posts.many(ids)
            assert not found
        asked.clear()  # what is counted would grow
    return time.monotonic() - began


async def memory(models: Models, asked: Asked, megabytes: int) -> None:
    """Let Redis have at least as much."""
    have = int((await models.redis.config_get("maxmemory"))["maxmemory"] or 0)
    if have and have < megabytes << 20:
        await models.redis.config_set("maxmemory", megabytes << 20)


async def build(models: Models, asked: Asked, board: int, name: str) -> dict[str, float]:
    """Build the ranking of a board from nothing, as the worker does; seconds, and bytes of Redis for each member."""
    ranking, rankings = Ranking(f"{board}:{name}"), models.standings.rankings
    assert await rankings.forget([ranking])
    began = time.monotonic()
    assert await models.reapplying.build_one(ranking.name)
    took = time.monotonic() - began
    keys = [models.cache.link.full(name) for name in ranking.keys]
    used = sum([await models.redis.memory_usage(key, samples=1000) or 0 for key in keys])
    view = await rankings.look(ranking)
    assert isinstance(view, View)
    return {"build": took, "bytes": used / view.members}


async def ranks(models: Models, asked: Asked, board: int, members: int, samples: int) -> dict[str, float]:
    """Milliseconds (p50, p99) of the first ten, of a random member's rank, and of that with neighbours, one after another."""
    there, dice = await models.boards.one(board), random.Random(samples)  # noqa: S311 - no secret
    everybody = [dice.randrange(1, members + 1) for _ in range(samples)]
    asks: dict[str, Callable[[int], Awaitable[Any]]] = {
        "top": lambda _: models.standings.top(there, "ever"),
        "rank": lambda who: models.standings.place(there, "ever", who),
        "around": lambda who: models.standings.place(there, "ever", who, neighbours=5),
    }
    found: dict[str, float] = {}
    for name, ask in asks.items():
        took = []
        for id in everybody:
            began = time.perf_counter()
            answer = await ask(id)
            took.append((time.perf_counter() - began) * 1000)
            assert answer.players == members
        cuts = statistics.quantiles(took, n=100)
        found |= {f"{name}_p50": cuts[49], f"{name}_p99": cuts[98]}
    asked.clear()
    return found


async def _counted(asked: Asked, call: Callable[[], Awaitable[None]]) -> tuple[float, float, float]:
    asked.clear()
    began = time.perf_counter()
    await call()
    took = time.perf_counter() - began
    return len(asked.trips), len(asked.statements), took * 1e6


async def _microseconds(call: Callable[[], Awaitable[None]], seconds: float) -> float:
    """The median of batches of calls, in microseconds for one."""
    took: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until or len(took) < 5:
        calls = 0
        began = time.perf_counter()
        while calls < AT_ONCE and (calls < 5 or time.perf_counter() - began < 0.02):
            await call()
            calls += 1
        took.append((time.perf_counter() - began) / calls)
        await asyncio.sleep(0)
    return statistics.median(took) * 1e6


TASKS: dict[str, Callable[..., Awaitable[Any]]] = {
    "asked": asked,
    "rows": rows,
    "decoding": decoding,
    "herd": herd,
    "writes": writes,
    "kept": kept,
    "absent": absent,
    "memory": memory,
    "build": build,
    "ranks": ranks,
}
