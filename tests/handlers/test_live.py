"""Live results: who may listen, what they hear, and when they are let go."""

import time

import pytest
from tornado.httpclient import HTTPClientError
from tornado.web import create_signed_value

from handlers import live as handler
from models import Models, live
from models.counts import COUNTS
from settings import Settings
from tests.cache.steps import until
from tests.handlers.watching import Hear, closed, colours, heard, vote
from tests.harness.browser import Browser
from tests.harness.people import People

VISITOR = "a1" * 16


async def test_who_listens_is_sent_the_result_and_each_change(
    models: Models, other_models: Models, people: People, hear: Hear
) -> None:
    poll = await colours(models, people)
    listener = await hear(poll.id)

    assert await listener.next() == {"id": poll.id, "status": "open", "voters": 0, "votes": [0, 0], "version": 0}

    cast = await other_models.ballots.cast(poll, [poll.choices[1].id], voter=people.bob)
    said = await listener.next()

    assert said == {"id": poll.id, "status": "open", "voters": 1, "votes": [0, 1], "version": cast.result.version}

    await other_models.polls.close(poll.id, by=people.alice)
    said = await listener.next()

    assert said
    assert said["status"] == "closed"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_strangers_are_refused(
    headers: dict[str, str], status: int, models: Models, people: People, hear: Hear
) -> None:
    poll = await colours(models, people)

    with pytest.raises(HTTPClientError) as refused:
        await hear(poll.id, **headers)
    assert refused.value.code == status


async def test_a_page_of_our_own_is_let_in(models: Models, people: People, hear: Hear, visitor: Browser) -> None:
    poll = await colours(models, people)

    assert await (await hear(poll.id, Origin=visitor.base_url)).next()
    assert await (await hear(poll.id, Sec_Fetch_Site="same-origin")).next()


async def test_only_polls_that_readers_see_are_listened_to(models: Models, people: People, hear: Hear) -> None:
    trashed = await colours(models, people)
    await models.polls.trash(trashed.id, by=people.alice)

    for id in (trashed.id, 999_999, 10**18 - 1):
        with pytest.raises(HTTPClientError) as refused:
            await hear(id)
        assert refused.value.code == 404


async def test_who_is_no_websocket_is_told_so(models: Models, people: People, visitor: Browser) -> None:
    poll = await colours(models, people)
    answer = await visitor.get(f"/polls/{poll.id}/live")
    broken = await visitor.get(f"/polls/{poll.id}/live", upgrade="websocket", connection="upgrade")

    assert (answer.status, answer.headers["Upgrade"]) == (426, "websocket")
    assert answer.json()["message"] == "This address is for WebSockets."
    assert broken.status == 426


async def test_results_after_the_vote_are_for_voters(
    models: Models, people: People, settings: Settings, hear: Hear, bob: Browser, alice: Browser
) -> None:
    poll = await colours(models, people, results="after_vote", visitors=True)
    await models.ballots.cast(poll, [poll.choices[0].id], voter=people.bob)
    await models.ballots.cast(poll, [poll.choices[0].id], voter=VISITOR)
    signed = create_signed_value(settings.secret_key, "voter", VISITOR).decode()

    for cookies in ({}, alice.cookies, {"voter": "forged"}):
        listener = await hear(poll.id, cookies=cookies)
        assert await listener.next() is None
        assert listener.code == 4403
    for cookies in (bob.cookies, {"voter": signed}):
        said = await (await hear(poll.id, cookies=cookies)).next()
        assert said
        assert said["votes"] == [2, 0]


async def test_who_has_not_voted_is_let_go_when_a_poll_is_opened_again(
    models: Models, people: People, hear: Hear, bob: Browser
) -> None:
    poll = await colours(models, people, results="after_vote")
    await models.ballots.cast(poll, [poll.choices[0].id], voter=people.bob)
    await models.polls.close(poll.id, by=people.alice)
    voter, other = await hear(poll.id, cookies=bob.cookies), await hear(poll.id)
    assert await voter.next() == await other.next()
    await models.polls.reopen(poll.id, by=people.alice)

    assert await closed(other) == 4403
    said = await voter.next()
    assert said
    assert said["status"] == "open"


async def test_results_after_the_close_are_told_then_and_not_before(models: Models, people: People, hear: Hear) -> None:
    poll = await colours(models, people, results="after_close")
    listener = await hear(poll.id)
    await vote(models, poll, 1)
    await until(lambda: models.live._rooms[poll.id].sent)  # there was something to tell
    await models.polls.close(poll.id, by=people.alice)

    said = await listener.next()
    assert said
    assert (said["status"], said["votes"]) == ("closed", [0, 1])


async def test_a_poll_in_the_trash_has_no_listeners(models: Models, people: People, hear: Hear) -> None:
    poll = await colours(models, people)
    listener = await hear(poll.id)
    await models.polls.trash(poll.id, by=people.alice)

    assert await closed(listener) == 4403
    await until(lambda: len(models.live) == 0)


async def test_many_votes_are_few_messages_and_the_last_is_told(
    models: Models, people: People, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BEAT", 1.0)
    poll = await colours(models, people)
    listener = await hear(poll.id)
    assert await listener.next()
    began, before = time.monotonic(), COUNTS["live.sent"]
    for number in range(30):
        await vote(models, poll, number)
    await heard(listener, 30)

    assert COUNTS["live.sent"] - before <= time.monotonic() - began + 2


async def test_who_listens_hears_at_once(
    models: Models, other_models: Models, people: People, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "NET", 1000)
    poll = await colours(models, people)
    listener = await hear(poll.id)
    assert await listener.next()
    await vote(other_models, poll, 1)
    await heard(listener, 1)  # it may be that only now all polls were read, because news could first be heard
    await vote(other_models, poll, 2)

    await heard(listener, 2)


@pytest.mark.parametrize(("said", "code"), [("hello", 1008), ("x" * 2000, 1009)])
async def test_who_speaks_is_sent_away(said: str, code: int, models: Models, people: People, hear: Hear) -> None:
    poll = await colours(models, people)
    listener = await hear(poll.id)
    await listener.connection.write_message(said)

    assert await closed(listener) == code
    await until(lambda: len(models.live) == 0)


async def test_there_is_room_for_so_many_and_no_more(
    models: Models, people: People, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "MOST_LISTENERS", 1)
    poll = await colours(models, people)
    await hear(poll.id)

    with pytest.raises(HTTPClientError) as refused:
        await hear(poll.id)
    assert refused.value.code == 503
    assert refused.value.response
    assert int(refused.value.response.headers["Retry-After"]) > 0


async def test_an_address_has_room_for_so_many_until_they_leave(
    models: Models, people: People, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_FROM", 1)
    poll = await colours(models, people)
    first = await hear(poll.id)

    with pytest.raises(HTTPClientError) as refused:
        await hear(poll.id)
    assert refused.value.code == 503
    first.connection.close()
    await until(lambda: len(models.live) == 0)
    assert await (await hear(poll.id)).next()


async def test_it_is_seen_how_many_listen(models: Models, people: People, hear: Hear) -> None:
    poll = await colours(models, people)
    await hear(poll.id)

    assert models.figures.seen[live.LISTENERS] == 1
