"""Polls under the addresses and in the words of the tutorials."""

import pytest

from models import Models
from tests.handlers.conftest import Town
from tests.handlers.polling import lunch, voted
from tests.harness.browser import Browser
from tests.harness.people import People


async def test_questions_and_their_choices(models: Models, people: People, bob: Browser, visitor: Browser) -> None:
    poll = await lunch(models, people)
    await voted(bob, poll, 1)
    made = poll.created_at.timestamp()

    assert (await visitor.get("/questions")).json() == [
        {"id": poll.id, "question_text": "Where shall we eat?", "kind": "single", "status": "open", "create_time": made}
    ]
    assert (await visitor.get(f"/questions/{poll.id}/choice")).json() == [
        {"id": choice.id, "choice_text": choice.text, "votes": n, "question_id": poll.id, "create_time": made}
        for choice, n in zip(poll.choices, (0, 1, 0), strict=True)
    ]


async def test_the_newest_come_first_open_or_closed_and_some_may_be_chosen(
    models: Models, people: People, town: Town, visitor: Browser
) -> None:
    made = [await lunch(models, people) for _ in range(24)]
    for poll in made[::3]:
        await models.polls.close(poll.id, by=people.alice)
    newest = [poll.id for poll in made[::-1]]

    async def told(query: str) -> list[int]:
        return [question["id"] for question in (await visitor.get(f"/questions{query}")).json()]

    assert await told("") == newest[:20]
    assert await told("?limit=3") == newest[:3]
    assert await told("?start=2&limit=3") == newest[2:5]
    assert await told("?start=18") == newest[18:20]
    assert await told("?start=20") == await told("?limit=0") == []


@pytest.mark.parametrize(
    "query", ["start=x", "start=-1", "start=21", "limit=21", "limit=", "limit=²", "start=" + "9" * 400]
)
async def test_what_cannot_be_asked_is_told_by_its_name(visitor: Browser, query: str) -> None:
    answer = await visitor.get(f"/questions?{query}")

    assert answer.status == 422
    assert answer.json()["data"] == query.partition("=")[0]


async def test_what_is_not_seen_is_not_told(models: Models, people: People, town: Town, visitor: Browser) -> None:
    gone = await lunch(models, people)
    await models.polls.trash(gone.id, by=people.alice)

    for id in (gone.id, town.planned.id, 10**17):
        answer = await visitor.get(f"/questions/{id}/choice")
        assert (answer.status, answer.json()["error"]) == (404, "value:notfound")
    assert "PLANNED" not in (await visitor.get("/questions")).text
