"""Voting on the page of a poll, and the private page of one's own vote: kept when refused, counted once when taken."""

import re
from collections.abc import Callable

import pytest

from models import Models
from tests.handlers.polling import lunch
from tests.handlers.test_polls import FORM, bars, cast, ticked
from tests.harness.browser import Browser
from tests.harness.people import People


async def test_the_page_after_a_vote_shows_the_vote_to_everybody(
    models: Models, people: People, bob: Browser, browse: Callable[[], Browser]
) -> None:
    poll = await lunch(models, people)
    for path in ("/polls", f"/polls/{poll.id}"):
        for _ in range(3):  # so often that it is kept
            await browse().get(path)
    answer = await cast(bob, poll, 1, follow=True)

    assert answer.path == f"/polls/{poll.id}/ballot?done=voted"
    for reader in (bob, browse()):
        assert bars(await reader.get(f"/polls/{poll.id}"))[1] == ("1 vote", "100%", "100%")
        assert "1 voter<" in (await reader.get("/polls")).text


async def test_ones_own_page_has_ones_choices_and_nobody_keeps_it(
    models: Models, people: People, bob: Browser, alice: Browser
) -> None:
    poll = await lunch(models, people)
    first = await cast(bob, poll, 1, follow=True)
    other = await cast(bob, poll, 2, follow=True)

    assert (ticked(first), ticked(other)) == ([poll.choices[1].id], [poll.choices[2].id])
    assert "Your vote is counted." in other.text
    assert "Change your vote</span>" in other.text
    assert other.headers["Cache-Control"] == "private, no-store"
    assert [votes for votes, _, _ in bars(other)] == ["0 votes", "0 votes", "1 vote"]
    assert ticked(await alice.get(f"/polls/{poll.id}/ballot")) == []


async def test_who_is_not_signed_in_is_led_there_and_keeps_the_vote(
    models: Models, people: People, visitor: Browser, bob: Browser
) -> None:
    poll = await lunch(models, people)
    refused = await cast(visitor, poll, 2)

    assert refused.status == 401
    assert f'name="choices" value="{poll.choices[2].id}"' in refused.text
    assert 'href="/signin"' in refused.text
    assert visitor.cookies == {}
    assert (await visitor.get(f"/polls/{poll.id}/ballot")).location == f"/signin?next=/polls/{poll.id}/ballot"
    assert (await models.results.one(poll.id)).voters == 0


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("", "Choose an answer."), ("choices={0}&choices={1}", "Choose one answer only."),
        ("choices=0", "This poll has no such choice."), ("choices=x", "This poll has no such choice."),
        ("choices=-1", "This poll has no such choice."), ("choices=" + "9" * 400, "This poll has no such choice."),
        ("choices=%D9%A1", "This poll has no such choice."), ("choices={0}&choices=%00", "This poll has no such choice."),
        ("&".join(f"choices={n}" for n in range(1000)), "This poll has no such choice."), ("choice={0}", "Choose an answer."),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_vote_is_said_beside_it_and_what_was_ticked_stays(
    sent: str, words: str, models: Models, people: People, bob: Browser
) -> None:
    poll = await lunch(models, people)
    ids = [choice.id for choice in poll.choices]
    body = sent.format(*ids).encode()
    page = await bob.request("POST", f"/polls/{poll.id}/ballot", body=body, headers=FORM)
    told = await bob.request(
        "POST", f"/polls/{poll.id}/ballot", body=body, headers={**FORM, "Accept": "application/json"}
    )

    assert (page.status, told.status) == (422, 422)
    assert f'<p class="error" id="page-poll-error">{words}</p>' in page.text
    assert 'aria-describedby="page-poll-error"' in page.text
    assert ticked(page) == [id for id in ids if f"choices={id}&" in f"{body.decode()}&"]
    assert told.json() == {"detail": words}
    assert (await models.results.one(poll.id)).voters == 0


async def test_a_closed_poll_takes_no_vote_and_says_so(models: Models, people: People, bob: Browser) -> None:
    poll = await lunch(models, people)
    await models.polls.close(poll.id, by=people.alice)
    page, told = await cast(bob, poll, 0), await cast(bob, poll, 0, accept="application/json")

    assert (page.status, told.status) == (409, 409)
    assert page.text.count("This poll is closed.") == 2
    assert told.json() == {"detail": "This poll is closed."}


async def test_a_script_is_answered_with_how_it_stands_for_who_voted(
    models: Models, people: People, bob: Browser
) -> None:
    poll = await lunch(models, people, results="after_vote")
    answer = await cast(bob, poll, 0, accept="application/json", accept_language="zh")

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "private, no-store"
    told = answer.json()
    assert not re.search("[a-z]", words := told.pop("words"))
    assert words
    assert told == {
        "status": "open", "choices": [poll.choices[0].id], "voters": 1, "votes": [1, 0, 0], "version": 1,
    }  # fmt: skip


async def test_other_sites_cannot_vote_for_their_readers(models: Models, people: People, bob: Browser) -> None:
    poll = await lunch(models, people, visitors=True)
    refused = await cast(bob, poll, 0, sec_fetch_site="cross-site")

    assert refused.status == 403
    assert (await models.results.one(poll.id)).voters == 0


@pytest.mark.parametrize("choices", [{"votes_per_minute": 2}])
async def test_votes_have_a_limit_by_member_and_by_address_and_the_form_is_kept(
    models: Models, people: People, bob: Browser, alice: Browser, browse: Callable[[], Browser]
) -> None:
    poll = await lunch(models, people, visitors=True)
    members = [await cast(bob, poll, 0) for _ in range(3)]
    strangers = [await cast(browse(), poll, 0) for _ in range(3)]

    assert [answer.status for answer in members] == [303, 303, 429]
    assert [answer.status for answer in strangers] == [303, 303, 429]
    assert members[0].headers["RateLimit-Remaining"] == "1"
    assert f'name="choices" value="{poll.choices[0].id}"' in members[2].text
    assert strangers[2].set_cookies == []
    assert (await cast(alice, poll, 0)).status == 303
