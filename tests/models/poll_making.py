"""Polls for tests, their choices by number, and members by the hundred."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from models import Models
from models.poll_rules import NewPoll
from models.polls import Poll
from models.users import User
from tests.harness.people import People

COLOURS = ("Red", "绿色", "Blue")


async def colours(models: Models, people: People, **fields: Any) -> Poll:
    return await models.polls.create(NewPoll("Which colour?", COLOURS, **fields), by=people.alice)


def as_it_is(poll: Poll, **fields: Any) -> NewPoll:
    """What an editor's form holds of a poll, some of it changed."""
    same = NewPoll(
        poll.question, tuple(choice.text for choice in poll.choices), poll.kind, poll.results, poll.visitors, poll.opens_at,
        poll.closes_at,
    )  # fmt: skip
    return replace(same, **fields)


def ids(poll: Poll, *places: int) -> list[int]:
    return [poll.choices[place].id for place in places]


def in_hours(n: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=n)


async def set_clock(models: Models, poll: Poll, *, opened: float | None = None, closes: float | None = None) -> None:
    """As if it had opened, or closes, so many hours from now, and the worker had not come yet."""
    async with models.db.connection() as connection:
        for column, hours in (("opens_at", opened), ("closes_at", closes)):
            if hours is not None:
                await connection.execute(f"UPDATE polls SET {column} = %s WHERE id = %s", in_hours(hours), poll.id)  # noqa: S608


async def members(models: Models, count: int) -> list[User]:
    """Made by hand: a thousand by the front door take longer than all that is tested with them."""
    async with models.db.connection() as connection:
        ((role,),) = await connection.fetch("SELECT id FROM roles WHERE name = 'member'")
        first = 1_000_000
        people = [(first + n, f"voter{n}@example.org", f"Voter {n}", datetime.now(UTC)) for n in range(count)]
        marks = ", ".join(["%s"] * count)
        await connection.execute(f"INSERT INTO users (id, email, name, created_at) VALUES {marks}", *people)  # noqa: S608
        given = [(id, role) for id, *_ in people]
        await connection.execute(f"INSERT INTO roles_users (user_id, role_id) VALUES {marks}", *given)  # noqa: S608
        await connection.execute(
            "INSERT INTO tallies (list, day, n) VALUES ('users', %s, %s) ON DUPLICATE KEY UPDATE n = n + VALUES(n)",
            datetime.now(UTC).date(), count,
        )  # fmt: skip
    return await models.users.fresh().many([id for id, *_ in people])
