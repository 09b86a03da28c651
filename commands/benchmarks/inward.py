"""What a page costs inside: trips to Redis, statements when nothing is remembered, rows one by one and many at once."""

import http.client
from collections.abc import Mapping
from contextlib import closing
from itertools import count
from time import perf_counter
from typing import Any

import redis

from commands.benchmarks.laboratory import Laboratory
from commands.benchmarks.lanes import Benchmark, Figure, Subject
from commands.benchmarks.pages import PATHS, typical
from commands.console import Trouble

REQUESTS = 300  # of each page, one after another, for a mean
# What the processes ask of Redis to know that it is there; no page waits for these.
_HOUSEKEEPING = ("ping", "time", "info", "hello", "config", "client", "select", "auth", "acl", "command")
MANY = 50
_FRESH = count()


def _trips(laboratory: Laboratory) -> Subject:
    """Counted by Redis itself, while one process whose own memory is off answers one request after another."""
    web = laboratory.web(l1_memory="0")
    paths = {name: path(laboratory) for name, path in PATHS.items()}
    titles = {"front": "front page", "post": "a post", "api": "JSON of a post"}
    figures = tuple(Figure(name, f"{titles[name]}, the process's own memory off", "trips", most=1) for name in paths)

    def probe() -> Mapping[str, float]:
        found: dict[str, float] = {}
        for name, path in paths.items():
            _ask(web.address, path, 20)  # what was not remembered is now
            before = _commands(laboratory)
            _ask(web.address, path, REQUESTS)
            found[name] = round((_commands(laboratory) - before) / REQUESTS, 2)
        return found

    return Subject("Redis trips of a page", {"paths": paths}, figures=figures, probe=probe)


def _commands(laboratory: Laboratory) -> int:
    """Commands that clients have sent for pages. One inside a script counts with it, so this is never too low."""
    with redis.Redis.from_url(laboratory.settings.redis, protocol=3) as client:
        told: dict[str, Any] = client.info("commandstats")
    names = {name: name.removeprefix("cmdstat_").partition("|")[0] for name in told}
    return sum(int(told[name]["calls"]) for name, plain in names.items() if plain not in _HOUSEKEEPING)


def _ask(address: str, path: str, times: int) -> None:
    """GETs over one connection. Raises Trouble for anything but 200."""
    with closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)) as connection:
        for _ in range(times):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise Trouble(f"{address}{path} answers {answer.status}")


def _cold(laboratory: Laboratory) -> Subject:
    """In each round a new process, under a namespace of its own: neither it nor Redis remembers anything."""
    path = PATHS["front"](laboratory)
    facts: dict[str, Any] = {"path": path}
    figures = (
        Figure("statements", "SQL statements of the front page", "", most=4, worst=True),
        Figure("trips", "its trips to Redis", ""),
        Figure("ms", "its time", "ms"),
    )

    def probe() -> Mapping[str, float]:
        name = f"cold-{next(_FRESH)}"
        with laboratory.fresh_door(name, namespace=name) as door:
            began = perf_counter()
            _ask(door.address, path, 1)
            took = perf_counter() - began
            facts.update(door.ask("asked"))
        if not facts["statements"]:
            raise Trouble("a page was made of nothing: the statements are not counted any more")
        return {"statements": len(facts["statements"]), "trips": len(facts["trips"]), "ms": took * 1000}

    return Subject("front page, nothing remembered", facts, figures=figures, probe=probe)


def _rows(laboratory: Laboratory) -> Subject:
    """Two processes, one of which remembers nothing itself; the models are called from inside."""
    own, bare = laboratory.door("inside"), laboratory.door("inside-redis", l1_memory="0")
    ids = [post.id for post in laboratory.posts[-MANY:]]
    figures = (
        Figure("hit", "a row from the process's own memory", "µs", most=5),
        Figure("own_ratio", f"{len(ids)} rows from there, against one", "×"),
        Figure("trip", "a row from Redis", "µs"),
        Figure("ratio", f"{len(ids)} rows from Redis, against one", "×", most=1.5),
        Figure("mysql", "a row from MySQL", "µs"),
        Figure("mysql_ratio", f"{len(ids)} rows from MySQL, against one", "×"),
        *(Figure(name, f"decoding a {name}", "µs", most=10) for name in ("Post", "Body", "User", "Comment")),
    )

    def probe() -> Mapping[str, float]:
        near, far = (door.ask("rows", ids=ids, seconds=1.0) for door in (own, bare))
        mysql = bare.ask("rows", ids=ids, seconds=0.5, fresh=True)
        found = {name: told["one"] for name, told in (("hit", near), ("trip", far), ("mysql", mysql))}
        ratios = (("own_ratio", near), ("ratio", far), ("mysql_ratio", mysql))
        found |= {name: told["many"] / told["one"] for name, told in ratios}
        return found | own.ask("decoding", ids=ids, seconds=1.0)  # type: ignore[no-any-return]

    return Subject("rows inside one process", {"rows": len(ids)}, figures=figures, probe=probe)


def _writes(laboratory: Laboratory) -> Subject:
    """A post's version is raised by `Table.write`, and by the same statements in a bare transaction."""
    door = laboratory.door("inside")
    id = typical(laboratory).id
    figures = (
        Figure("trips", "extra trips to Redis", "", most=2),
        Figure("statements", "extra SQL statements", "", most=0),
        Figure("time", "its time", "µs"),
        Figure("ratio", "against the bare transaction", "×"),
    )

    def probe() -> Mapping[str, float]:
        found = door.ask("writes", id=id)
        return {
            "trips": found["strict_trips"] - found["bare_trips"],
            "statements": found["strict_statements"] - found["bare_statements"],
            "time": found["strict_time"],
            "ratio": found["strict_time"] / found["bare_time"],
        }

    return Subject("a strict write", {"post": id}, figures=figures, probe=probe)


INWARD = (
    Benchmark("trips", "Redis trips of a page", _trips),
    Benchmark("cold", "Everything cold", _cold),
    Benchmark("rows", "Rows", _rows),
    Benchmark("writes", "Writes", _writes),
)
