"""The slow log: which statements are in it, who asked them, and that no secret ever is."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models import Models, slow
from models.errors import Busy
from models.passwords import hash_password
from models.traces import TRACE, Trace
from models.writing import Draft
from tests.harness.people import People

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def slow_file(tmp_path: Path) -> Path:
    path = tmp_path / "slow.jsonl"
    slow.into(path)
    return path


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    """A test's slow log ends with it."""
    yield
    for handler in list(slow.log.handlers):
        slow.log.removeHandler(handler)
        handler.close()
    slow.log.setLevel(logging.NOTSET)


@pytest.fixture
def lines(slow_file: Path) -> Lines:
    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in slow_file.read_text().splitlines()] if slow_file.exists() else []

    return read


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"slow_query": 0.05, "mysql_timeout": 0.5}


async def test_a_statement_that_takes_long_is_in_it_with_the_line_that_asked(models: Models, lines: Lines) -> None:
    await models.db.fetch("SELECT  SLEEP(%s),\n  'x'", 0.06)
    await models.db.fetch("SELECT SLEEP(%s)", 0.0)

    (line,) = lines()
    assert line["slow"] == "query"
    assert line["statement"] == "SELECT SLEEP(%s), 'x'"
    assert line["parameters"] == [0.06]
    assert 60 <= line["ms"] < 500
    file, _, rest = line["caller"].partition(":")
    number, _, name = rest.partition(" ")
    assert file == "tests/models/test_slow.py"
    asking = Path(__file__).read_text().splitlines()[int(number) - 1]
    assert "SLEEP(%s),\\n" in asking
    assert name == test_a_statement_that_takes_long_is_in_it_with_the_line_that_asked.__qualname__


async def test_a_statement_that_is_given_up_is_in_it_too(models: Models, lines: Lines) -> None:
    with pytest.raises(Busy):
        await models.db.fetch("SELECT SLEEP(%s)", 5)

    (line,) = lines()
    assert line["failed"] == "Busy"


async def test_it_names_the_request(models: Models, lines: Lines) -> None:
    TRACE.set(Trace("abcdef0123456789", "front"))
    await models.db.fetch("SELECT SLEEP(%s)", 0.06)

    (line,) = lines()
    assert (line["request"], line["route"]) == ("abcdef0123456789", "front")


@pytest.mark.parametrize("choices", [{"slow_query": 1e-9}])
async def test_what_the_cache_loads_is_told_by_who_asked_the_cache(
    models: Models, people: People, lines: Lines
) -> None:
    post = await models.writing.create(Draft("T", "", "B", ("news",)), by=people.alice, publish=True)
    before = len(lines())

    await models.posts.front(1)
    await models.bodies.one(post.id)

    asked = [line["caller"] for line in lines()[before:]]
    assert asked
    assert any(caller.startswith("models/posts.py:") for caller in asked)
    assert all(caller.startswith(("models/", "tests/models/test_slow.py")) for caller in asked)
    assert not any(caller.startswith(("models/base.py", "models/database.py", "cache/")) for caller in asked)


@pytest.mark.parametrize("choices", [{"slow_query": 1e-9}])
async def test_no_secret_is_ever_in_it(models: Models, people: People, lines: Lines, slow_file: Path) -> None:
    hashed = await hash_password("correct horse battery staple")
    await models.users.register("Eve Example", "eve@example.org", hashed)
    user = await models.users.fresh().by_email("eve@example.org")
    assert user
    token = await models.sessions.start(user.id, days=1, ip=b"\x7f\0\0\1", user_agent="Mozilla")
    assert await models.sessions.fresh().by_token(token)
    await models.users.set_password(user.id, await hash_password("another horse battery"))
    await models.writing.create(Draft("Secret plans", "", "mail me: eve@example.org", ("plans",)), by=people.alice)

    written = slow_file.read_text()
    assert len(lines()) > 10
    for secret in ("eve@example.org", "Eve Example", "argon2", token, hashed, "Secret plans", "Mozilla", "horse"):
        assert secret not in written, secret


@pytest.mark.parametrize("choices", [{"slow_query": 0}])
async def test_zero_seconds_mean_never(models: Models, lines: Lines) -> None:
    await models.db.fetch("SELECT SLEEP(%s)", 0.06)
    assert lines() == []


def test_the_file_is_made_with_its_first_line_and_rotates(tmp_path: Path) -> None:
    path = tmp_path / "log" / "slow-web-0.jsonl"
    slow.into(path, most_bytes=2_000)
    assert not path.exists()

    trace = Trace("0123456789abcdef", "front")
    for _ in range(100):
        slow.request(trace, 1.0, method="GET", path="/", status=200, user=None)

    names = sorted(one.name for one in path.parent.iterdir())
    assert names == ["slow-web-0.jsonl", *(f"slow-web-0.jsonl.{n}" for n in range(1, slow.KEPT + 1))]
    assert all(one.stat().st_size <= 2_000 for one in path.parent.iterdir())


def test_a_command_says_nothing_of_slow_statements(capfd: pytest.CaptureFixture[str]) -> None:
    slow.statement("SELECT 1", (), 0.0, 0.1)
    assert capfd.readouterr() == ("", "")


async def test_in_the_worker_it_names_the_duty(models: Models, lines: Lines) -> None:
    await asyncio.create_task(models.db.fetch("SELECT SLEEP(%s)", 0.06), name="publish")

    (line,) = lines()
    assert line["task"] == "publish"
