"""Polls for programs: what everybody is told of them, how one votes, and whose eyes the votes are for."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from models import Models
from models.poll_rules import NewPoll
from models.polls import Poll, Polls
from tests.handlers.asking import Asker
from tests.handlers.conftest import Town
from tests.handlers.polling import lunch, sent, soon, voted
from tests.harness.browser import Answer, Browser
from tests.harness.people import People


def votes(answer: Answer) -> list[int | None]:
    return [choice["votes"] for choice in answer.json()["choices"]]


async def token_of(models: Models, user_id: int, *scopes: Any) -> str:
    secret = await models.sessions.start(user_id, days=1, ip=b"\x7f\0\0\1", user_agent="tests")
    session, user = await models.sessions.by_token(secret), await models.users.one(user_id)
    assert session
    _, token = await models.tokens.create("Polls", scopes, days=None, by=user, session=session)
    return token


async def test_a_poll_and_how_it_stands(models: Models, people: People, bob: Browser, visitor: Browser) -> None:
    poll = await lunch(models, people, kind="multiple", closes_at=soon())
    await voted(bob, poll, 0, 2)
    answer = (await visitor.get(f"/api/v1/polls/{poll.id}")).json()
    opens_at, closes_at = answer.pop("opens_at"), answer.pop("closes_at")

    assert opens_at == answer.pop("created_at")
    assert opens_at < closes_at
    assert closes_at.endswith("Z")
    assert answer == {
        "id": poll.id, "question": "Where shall we eat?", "kind": "multiple", "results": "always", "visitors": False,
        "status": "open", "author": {"id": people.alice.id, "name": "Alice", "url": f"/user/{people.alice.id}"},
        "choices": [{"id": choice.id, "text": choice.text, "votes": n}
                    for choice, n in zip(poll.choices, (1, 0, 1), strict=True)],
        "voters": 1, "url": f"/api/v1/polls/{poll.id}",
    }  # fmt: skip


async def test_polls_come_twenty_at_a_time(models: Models, people: People, visitor: Browser) -> None:
    made = [await lunch(models, people) for _ in range(42)]
    await models.polls.close(made[0].id, by=people.alice)
    told, path = list[int](), "/api/v1/polls"
    while path:
        answer = await visitor.get(path)
        assert len(answer.json()) <= 20
        told += [poll["id"] for poll in answer.json()]
        path = answer.headers.get("Link", "").partition("<")[2].partition(">")[0]

    assert told == [poll.id for poll in made[:0:-1]]
    closed = (await visitor.get("/api/v1/polls?status=closed")).json()
    assert [poll["id"] for poll in closed] == [made[0].id]


async def test_a_vote_is_taken_and_changed(models: Models, people: People, bob: Browser, visitor: Browser) -> None:
    poll = await lunch(models, people)
    here = f"/api/v1/polls/{poll.id}/ballot"
    assert (await bob.get(here)).status == 404

    first = await voted(bob, poll, 0)
    again = await voted(bob, poll, 0)
    other = await voted(bob, poll, 2)

    assert [answer.status for answer in (first, again, other)] == [201, 200, 200]
    assert [votes(answer) for answer in (first, again, other)] == [[1, 0, 0], [1, 0, 0], [0, 0, 1]]
    own = await bob.get(here)
    assert own.json() == {"choices": [poll.choices[2].id], "voters": 1, "votes": [0, 0, 1]}
    assert own.headers["Cache-Control"] == "private, no-store"
    assert votes(await visitor.get(f"/api/v1/polls/{poll.id}")) == [0, 0, 1]


async def test_fifty_requests_at_once_are_one_ballot(models: Models, people: People, bob: Browser) -> None:
    poll = await lunch(models, people)
    answers = await asyncio.gather(*(voted(bob, poll, n % 3) for n in range(50)))

    assert sorted(answer.status for answer in answers) == [200] * 49 + [201]
    result = await models.results.fresh().one(poll.id)
    assert (result.voters, sum(result.votes)) == (1, 1)


@pytest.mark.parametrize(
    ("rule", "before", "after", "closed"),
    [
        ("always", [0, 1, 0], [0, 1, 0], [0, 1, 0]), ("after_vote", [None] * 3, [0, 1, 0], [0, 1, 0]),
        ("after_close", [None] * 3, [None] * 3, [0, 1, 0]),
    ],
)  # fmt: skip
async def test_the_votes_are_told_to_whom_they_are_for(
    models: Models, people: People, bob: Browser, visitor: Browser, rule: Any, before: Any, after: Any, closed: Any
) -> None:
    """Who has voted learns it by the answer to the vote and by the ballot; the poll's own address says the same to all."""
    poll = await lunch(models, people, results=rule)
    here = f"/api/v1/polls/{poll.id}"
    vote = await voted(bob, poll, 1)

    for who in (visitor, bob):
        assert votes(await who.get(here)) == before
        assert [choice["votes"] for choice in (await who.get("/api/v1/polls")).json()[0]["choices"]] == before
        assert [choice["votes"] for choice in (await who.get(f"/questions/{poll.id}/choice")).json()] == before
    assert votes(vote) == after
    assert (await bob.get(f"{here}/ballot")).json()["votes"] == (None if None in after else after)
    assert vote.json()["voters"] == (await visitor.get(here)).json()["voters"] == 1

    await models.polls.close(poll.id, by=people.alice)

    assert votes(await visitor.get(here)) == votes(await bob.get(here)) == closed
    assert (await bob.get(f"{here}/ballot")).json()["votes"] == closed


async def test_the_public_addresses_are_the_same_bytes_for_everybody_and_are_kept(
    models: Models, people: People, bob: Browser, asker: Asker, browse: Callable[[], Browser]
) -> None:
    poll = await lunch(models, people, results="after_vote")
    await voted(bob, poll, 0)
    for path in (f"/api/v1/polls/{poll.id}", "/api/v1/polls", "/questions", f"/questions/{poll.id}/choice"):
        answer = await bob.get(path)
        assert answer.headers["Cache-Control"].startswith("public")
        assert (await browse().get(path)).body == answer.body
        await asker.until_kept(path)


async def test_a_vote_ends_what_was_kept_of_the_poll(
    models: Models, people: People, bob: Browser, asker: Asker
) -> None:
    poll = await lunch(models, people)
    paths = (f"/api/v1/polls/{poll.id}", "/api/v1/polls", f"/questions/{poll.id}/choice")
    for path in paths:
        assert b'"votes":1' not in await asker.until_kept(path)
    await voted(bob, poll, 0)

    for path in paths:
        assert b'"votes":1' in await asker.ask(path), path


WRONG: list[tuple[Any, int, set[str]]] = [
    ({"choices": []}, 422, {"choices"}), ({"choices": [0]}, 422, {"choices"}), ({"choices": [-1]}, 422, {"choices"}),
    ({"choices": [10**18]}, 422, {"choices"}), ({"choices": [10**30]}, 422, {"choices"}), ({"choices": 1}, 422, {"choices"}),
    ({"choices": ["1"]}, 422, {"choices.0"}), ({"choices": [None]}, 422, {"choices.0"}), ({"choices": [1.5]}, 422, {"choices.0"}),
    ({"choices": [True]}, 422, {"choices.0"}), ({"choices": None}, 422, {"choices"}), ({}, 422, {"choices"}),
    ({"choices": list(range(21))}, 422, {"choices"}), ({"choices": [1], "voter": "v1"}, 422, {"voter"}), ([1], 400, set()),
    ("x", 400, set()), (None, 400, set()),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "fields"), WRONG, ids=[str(body)[:40] for body, _, _ in WRONG])
async def test_a_ballot_that_cannot_be_is_refused(
    town: Town, models: Models, bob: Browser, body: Any, status: int, fields: set[str]
) -> None:
    answer = await sent(bob, "PUT", f"/api/v1/polls/{town.poll.id}/ballot", body)

    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert set(answer.json().get("errors", {})) == fields
    assert (await models.results.fresh().one(town.poll.id)).voters == 0


async def test_a_single_poll_takes_one_choice_and_only_its_own(
    models: Models, people: People, town: Town, bob: Browser
) -> None:
    poll = await lunch(models, people)
    both = await voted(bob, poll, 0, 1)
    foreign = await sent(bob, "PUT", f"/api/v1/polls/{poll.id}/ballot", {"choices": [town.poll.choices[0].id]})
    same = await voted(bob, poll, 1, 1)

    assert (both.status, foreign.status, same.status) == (422, 422, 201)
    assert set(both.json()["errors"]) == set(foreign.json()["errors"]) == {"choices"}


async def test_a_form_votes_as_well_as_json(models: Models, people: People, bob: Browser) -> None:
    poll = await lunch(models, people, kind="multiple")
    body = f"choices={poll.choices[0].id}&choices={poll.choices[2].id}".encode()
    answer = await bob.request("PUT", f"/api/v1/polls/{poll.id}/ballot", body=body,
                               headers={"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip

    assert (answer.status, votes(answer)) == (201, [1, 0, 1])


async def test_a_poll_that_is_over_not_yet_open_or_gone_takes_no_vote(
    models: Models, people: People, town: Town, bob: Browser
) -> None:
    over, gone = await lunch(models, people), await lunch(models, people)
    await models.polls.close(over.id, by=people.alice)
    await models.polls.trash(gone.id, by=people.alice)
    answers = [await voted(bob, poll, 0) for poll in (over, gone, town.planned)]
    nowhere = await sent(bob, "PUT", "/api/v1/polls/999999999999999999/ballot", {"choices": [1]})

    assert [answer.status for answer in (*answers, nowhere)] == [409, 404, 404, 404]
    assert answers[0].json()["detail"] == "This poll is closed."


async def test_who_has_no_account_votes_on_the_page_and_not_here(
    models: Models, people: People, visitor: Browser
) -> None:
    poll = await lunch(models, people, visitors=True)

    assert (await voted(visitor, poll, 0)).status == 401
    assert (await visitor.get(f"/api/v1/polls/{poll.id}/ballot")).status == 401


async def test_a_vote_needs_the_scope_write_and_the_ballot_read(
    models: Models, people: People, visitor: Browser
) -> None:
    poll = await lunch(models, people)
    tried = {}
    for scope in ("scores", "write", "read"):
        visitor.headers["Authorization"] = f"Bearer {await token_of(models, people.bob.id, scope)}"
        vote, ballot = await voted(visitor, poll, 0), await visitor.get(f"/api/v1/polls/{poll.id}/ballot")
        tried[scope] = (vote.status, ballot.status)

    assert tried == {"scores": (403, 403), "write": (201, 403), "read": (403, 200)}


async def test_a_page_of_another_site_casts_no_vote(models: Models, people: People, bob: Browser) -> None:
    poll = await lunch(models, people)
    bob.headers["Sec-Fetch-Site"] = "cross-site"

    assert (await voted(bob, poll, 0)).status == 403
    assert (await models.results.fresh().one(poll.id)).voters == 0


async def test_who_votes_too_often_is_told_when_to_come_back(models: Models, people: People, bob: Browser) -> None:
    poll = await lunch(models, people)
    answers = [await voted(bob, poll, n % 3) for n in range(61)]

    assert [answer.status for answer in answers] == [201] + [200] * 59 + [429]
    assert answers[0].headers["RateLimit-Remaining"] == "59"
    assert int(answers[60].headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["?status=scheduled", "?status=trashed", "?after=x", "?after=-1", "?after=" + "9" * 19, "?x=1",
                                  "/1?results=2", "/1?results=x", "/1?n=0"])  # fmt: skip
async def test_a_query_that_cannot_be_is_422(visitor: Browser, path: str) -> None:
    assert (await visitor.get(f"/api/v1/polls{path}")).status == 422


async def test_choices_that_are_rewritten_meanwhile_do_not_break_the_answer(
    models: Models, people: People, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poll and its counts are two answers of the cache, and one may be a moment older."""
    poll = await lunch(models, people)
    edited = NewPoll("Where shall we eat?", ("Here", "There"))
    await models.polls.edit(poll.id, edited, by=people.alice)

    async def older(_: Any, id: int) -> Poll:
        assert id == poll.id
        return poll

    monkeypatch.setattr(Polls, "seen", older)

    assert votes(await visitor.get(f"/api/v1/polls/{poll.id}")) == [0, 0, 0]
