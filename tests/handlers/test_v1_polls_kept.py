"""Polls as programs of editors keep them: made, changed, closed, opened again, thrown away; and what is wrong with them."""

from typing import Any

import pytest

from handlers.v1_polls import same_words
from models import Models, audit
from models.polls import Poll, Polls
from tests.handlers.conftest import Town
from tests.handlers.polling import lunch, sent, soon, voted
from tests.handlers.test_v1_polls import token_of
from tests.harness.browser import Browser
from tests.harness.people import People

POLLS = "/api/v1/polls"
NEW = {"question": "Tea or coffee?", "choices": ["Tea", "Coffee"]}


async def test_a_poll_is_made_changed_closed_opened_and_thrown_away(
    models: Models, people: People, alice: Browser, bob: Browser, visitor: Browser
) -> None:
    wanted = {
        **NEW,
        "kind": "multiple",
        "results": "after_vote",
        "visitors": True,
        "closes_at": "2099-01-01T00:00:00+08:00",
    }
    made = await alice.post_json(POLLS, wanted)
    here = made.location
    assert made.status == 201
    assert {name: made.json()[name] for name in ("kind", "results", "visitors", "status")} == {
        "kind": "multiple", "results": "after_vote", "visitors": True, "status": "open",
    }  # fmt: skip
    assert made.json()["closes_at"] == "2098-12-31T16:00:00Z"
    assert [choice["text"] for choice in made.json()["choices"]] == NEW["choices"]

    alone = await visitor.get(f"{here}?results=0")
    assert "voters" not in alone.json()
    words = {"question": "茶还是咖啡? ☕", "choices": ["茶", "咖啡", "水"], "kind": "single", "visitors": None}
    changed = await sent(alice, "PATCH", here, words, if_match=alone.headers["Etag"])
    assert changed.status == 200
    assert (changed.json()["question"], changed.json()["kind"]) == ("茶还是咖啡? ☕", "single")
    assert (changed.json()["results"], changed.json()["visitors"]) == ("after_vote", True)
    assert changed.headers["Etag"] == (await visitor.get(f"{here}?results=0")).headers["Etag"]

    endless = await sent(alice, "PATCH", here, {"closes_at": None}, if_match=changed.headers["Etag"])
    closed = await sent(alice, "PATCH", here, {"status": "closed"}, if_match=endless.headers["Etag"])
    assert (endless.json()["closes_at"], closed.json()["status"]) == (None, "closed")
    again = await sent(alice, "PATCH", here, {"status": "open", "closes_at": "2099-01-01T00:00:00Z"},
                       if_match=closed.headers["Etag"])  # fmt: skip
    assert (again.json()["status"], again.json()["closes_at"]) == ("open", "2099-01-01T00:00:00Z")

    gone = await alice.request("DELETE", here)
    assert (gone.status, gone.body) == (204, b"")
    assert [(await who.get(here)).status for who in (visitor, alice)] == [404, 404]
    assert (await models.polls.fresh().one(made.json()["id"])).status == "trashed"


async def test_a_vote_does_not_change_the_poll_that_if_match_means(
    models: Models, people: People, alice: Browser, bob: Browser
) -> None:
    poll = await lunch(models, people, closes_at=soon())
    here = f"{POLLS}/{poll.id}"
    tag, full = (await bob.get(f"{here}?results=0")).headers["Etag"], (await bob.get(here)).headers["Etag"]
    await voted(bob, poll, 0)

    assert (await bob.get(here)).headers["Etag"] != full
    assert (await sent(alice, "PATCH", here, {"closes_at": None}, if_match=tag)).status == 200
    assert (await sent(alice, "PATCH", here, {"closes_at": None}, if_match=tag)).status == 412
    assert (await sent(alice, "PATCH", here, {"closes_at": None})).status == 428


@pytest.mark.parametrize(
    "change",
    [
        {"question": "Else?"},
        {"choices": ["A", "B"]},
        {"kind": "multiple"},
        {"results": "after_vote"},
        {"visitors": True},
    ],
)
async def test_what_somebody_has_answered_stays(
    models: Models, people: People, alice: Browser, bob: Browser, change: dict[str, Any]
) -> None:
    poll = await lunch(models, people)
    await voted(bob, poll, 0)
    answer = await sent(alice, "PATCH", f"{POLLS}/{poll.id}", change, if_match="*")

    assert answer.status == 422
    assert set(answer.json()["errors"]) == set(change)


LONG = "x" * 301
WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({"question": ""}, {"question"}), ({"question": " \n "}, {"question"}), ({"question": LONG}, {"question"}),
    ({"question": None}, {"question"}), ({"question": 7}, {"question"}), ({"question": ["x"]}, {"question"}),
    ({"choices": []}, {"choices"}), ({"choices": ["One"]}, {"choices"}), ({"choices": [f"{n}" for n in range(21)]}, {"choices"}),
    ({"choices": ["Tea", " tea "]}, {"choices"}), ({"choices": ["Tea", ""]}, {"choices"}),
    ({"choices": ["Tea", LONG]}, {"choices"}),
    ({"choices": "Tea"}, {"choices"}), ({"choices": None}, {"choices"}), ({"choices": ["Tea", 7]}, {"choices.1"}),
    ({"choices": {"a": "Tea"}}, {"choices"}), ({"choices": ["茶", "茶"]}, {"choices"}), ({"choices": ["ß", "SS"]}, {"choices"}),
    ({"kind": "many"}, {"kind"}), ({"kind": None}, {"kind"}), ({"kind": 1}, {"kind"}), ({"results": "never"}, {"results"}),
    ({"visitors": "yes"}, {"visitors"}), ({"visitors": 2}, {"visitors"}), ({"closes_at": "tomorrow"}, {"closes_at"}),
    ({"closes_at": "2099-01-01T00:00:00"}, {"closes_at"}), ({"closes_at": 4102444800}, {"closes_at"}),
    ({"closes_at": "2020-01-01T00:00:00Z"}, {"closes_at"}), ({"closes_at": "9999-12-31T23:59:59-14:00"}, {"closes_at"}),
    ({"closes_at": "0001-01-01T00:00:00+14:00"}, {"closes_at"}), ({"opens_at": "0001-01-01T00:00:00+14:00"}, {"opens_at"}),
    ({"opens_at": "9999-12-31T23:59:59-14:00"}, {"opens_at"}), ({"opens_at": True}, {"opens_at"}),
    ({"opens_at": "2098-01-01T00:00:00Z", "closes_at": "2097-01-01T00:00:00Z"}, {"closes_at"}),
    ({"status": "closed"}, {"status"}), ({"author_id": 1}, {"author_id"}),
    ({"question": "", "choices": []}, {"question", "choices"}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "fields"), WRONG, ids=[str(change)[:60] for change, _ in WRONG])
async def test_a_poll_that_cannot_be_is_refused_by_its_fields(
    people: People, alice: Browser, change: dict[str, Any], fields: set[str]
) -> None:
    answer = await alice.post_json(POLLS, {**NEW, **change})

    assert answer.status == 422
    assert set(answer.json()["errors"]) == fields
    assert (await alice.get(POLLS)).json() == []


MAY_BE_SENT: tuple[dict[str, Any], ...] = ({"question": None}, {"kind": None}, {"status": "closed"})
CHANGES = [(change, fields) for change, fields in WRONG if change not in MAY_BE_SENT]


@pytest.mark.parametrize(("change", "fields"), CHANGES, ids=[str(change)[:60] for change, _ in CHANGES])
async def test_a_change_that_cannot_be_is_refused_by_its_fields(
    town: Town, alice: Browser, change: dict[str, Any], fields: set[str]
) -> None:
    here = f"{POLLS}/{town.poll.id}"
    before = (await alice.get(here)).json()
    answer = await sent(alice, "PATCH", here, change, if_match="*")

    assert answer.status == 422
    assert set(answer.json()["errors"]) == fields
    assert (await alice.get(here)).json() == before


async def test_the_longest_words_and_the_most_choices_are_taken(people: People, alice: Browser) -> None:
    choices = [f"{n:02}" + "🜁" * 198 for n in range(20)]
    made = await alice.post_json(POLLS, {"question": "问" * 300, "choices": choices})

    assert made.status == 201
    told = (await alice.get(made.location)).json()
    assert ([choice["text"] for choice in told["choices"]], told["question"]) == (choices, "问" * 300)


async def test_what_is_done_to_the_status_is_done_alone_and_only_where_it_applies(
    models: Models, people: People, town: Town, alice: Browser
) -> None:
    here, planned = f"{POLLS}/{town.poll.id}", f"{POLLS}/{town.planned.id}"
    tried = [
        await sent(alice, "PATCH", path, change, if_match="*")
        for path, change in (
            (here, {"status": "closed", "question": "Else?"}), (here, {"status": "closed", "closes_at": None}),
            (here, {"status": "scheduled"}), (planned, {"status": "closed"}), (planned, {"status": "open"}),
        )
    ]  # fmt: skip

    assert [answer.status for answer in tried] == [422] * 5
    assert {name for answer in tried for name in answer.json()["errors"]} == {"status"}
    assert (await models.polls.fresh().one(town.poll.id)).status == "open"


async def test_an_end_that_is_sent_with_open_is_taken_by_an_open_poll_too(
    models: Models, people: People, alice: Browser, bob: Browser
) -> None:
    poll, end = await lunch(models, people, closes_at=soon()), soon(days=2)
    await voted(bob, poll, 0)
    here, told = f"{POLLS}/{poll.id}", []
    for change in ({"status": "open"}, {"status": "open", "closes_at": end.isoformat()}, {"status": "open"},
                   {"status": "open", "closes_at": None}, {"status": "open", "closes_at": "2020-01-01T00:00:00Z"}):  # fmt: skip
        answer = await sent(alice, "PATCH", here, change, if_match="*")
        told.append((answer.status, (await models.polls.fresh().one(poll.id)).closes_at))

    assert told == [(200, poll.closes_at), (200, end), (200, end), (200, None), (422, None)]
    log = [entry.action for entry in await audit.entries(models.db, target=f"poll {poll.id}")]
    assert log == ["poll.edit", "poll.edit", "poll.create"]


@pytest.mark.parametrize(("method", "status", "stays"), [("close", "closed", "open"), ("reopen", "open", "closed")])
async def test_what_if_match_promised_holds_for_the_status_too(
    models: Models,
    people: People,
    alice: Browser,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    status: str,
    stays: str,
) -> None:
    """Somebody edits the poll after it was compared with the ETag, and before it is changed."""
    poll = await lunch(models, people)
    if stays == "closed":
        await models.polls.close(poll.id, by=people.alice)
    step = getattr(Polls, method)

    async def after_an_edit(table: Polls, id: int, **more: Any) -> Poll:
        was = await table.fresh().one(id)
        await table.edit(id, same_words(was, question="Dinner?"), by=people.olga)
        changed: Poll = await step(table, id, **more)
        return changed

    monkeypatch.setattr(Polls, method, after_an_edit)
    tag = (await alice.get(f"{POLLS}/{poll.id}?results=0")).headers["Etag"]
    answer = await sent(alice, "PATCH", f"{POLLS}/{poll.id}", {"status": status}, if_match=tag)

    assert answer.status == 412
    became = await models.polls.fresh().one(poll.id)
    assert (became.question, became.status) == ("Dinner?", stays)


async def test_an_editors_token_sees_what_is_yet_to_open(
    models: Models, people: People, town: Town, visitor: Browser, alice: Browser
) -> None:
    here, seen = f"{POLLS}/{town.planned.id}", {}
    for name, scope in (("alice", "read"), ("alice", "scores"), ("bob", "read")):
        user = people.named(name)
        assert user
        visitor.headers["Authorization"] = f"Bearer {await token_of(models, user.id, scope)}"
        answer = await visitor.get(here)
        assert answer.headers["Cache-Control"].endswith("no-store")
        seen[name, scope] = answer.status

    assert seen == {("alice", "read"): 200, ("alice", "scores"): 404, ("bob", "read"): 404}
    visitor.headers["Authorization"] = f"Bearer {await token_of(models, people.alice.id, 'read', 'write')}"
    tag = (await visitor.get(f"{here}?results=0")).headers["Etag"]
    opened = await sent(visitor, "PATCH", here, {"opens_at": "2020-01-01T00:00:00Z"}, if_match=tag)
    assert (opened.status, opened.json()["status"]) == (200, "open")
    await models.polls.trash(town.planned.id, by=people.alice)
    assert (await visitor.get(here)).status == 404
    assert (await sent(visitor, "PATCH", here, {"question": "Q"}, if_match="*")).status == 404


async def test_a_member_makes_and_changes_none(town: Town, bob: Browser) -> None:
    made = await bob.post_json(POLLS, NEW)
    changed = await sent(bob, "PATCH", f"{POLLS}/{town.poll.id}", {"question": "Mine?"}, if_match="*")
    gone = await bob.request("DELETE", f"{POLLS}/{town.poll.id}")

    assert (made.status, changed.status, gone.status) == (403, 403, 403)


async def test_deleting_twice_is_as_once_and_what_is_not_there_is_404(town: Town, alice: Browser) -> None:
    tried = [await alice.request("DELETE", f"{POLLS}/{id}") for id in (town.poll.id, town.poll.id, 10**17)]

    assert [answer.status for answer in tried] == [204, 204, 404]
