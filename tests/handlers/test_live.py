"""Live results: who may listen, what they hear, and when they are let go."""

import asyncio

import pytest
from tornado.httpclient import HTTPClientError

from models import Models
from models.poll_rules import NewPoll
from models.polls import Poll
from tests.harness.browser import Browser
from tests.harness.listeners import Listener, listen
from tests.harness.people import People


async def colours(models: Models, people: People, **fields: object) -> Poll:
    return await models.polls.create(NewPoll("Which colour?", ("Red", "绿"), **fields), by=people.alice)  # type: ignore[arg-type]


async def test_who_listens_is_sent_the_result_and_each_change(models: Models, people: People, visitor: Browser) -> None:
    poll = await colours(models, people)
    listener = await listen(visitor.base_url, poll.id)

    assert await listener.next() == {"id": poll.id, "status": "open", "voters": 0, "votes": [0, 0], "version": 0}

    cast = await models.ballots.cast(poll, [poll.choices[1].id], voter=people.bob)
    said = await listener.next()

    assert said == {"id": poll.id, "status": "open", "voters": 1, "votes": [0, 1], "version": cast.result.version}

    await models.polls.close(poll.id, by=people.alice)
    said = await listener.next()

    assert said
    assert said["status"] == "closed"
