"""Votes without an account: a signed cookie that only a vote sets, and that is worth what it is said to be worth."""

import re
from collections.abc import Callable

import pytest
from tornado.web import create_signed_value

from handlers.base import FRESH
from handlers.voters import COOKIE, TOLD
from models import Models
from models.polls import Poll
from settings import Settings
from tests.handlers.polling import lunch
from tests.handlers.test_polls import bars, cast, ticked
from tests.harness.browser import Browser
from tests.harness.people import People


async def mine(browser: Browser, poll: Poll) -> list[int] | None:
    told = (await browser.get(f"/api/v1/me?on=/polls/{poll.id}")).json()
    assert told["user"] is None
    choices: list[int] | None = told["polls"].get(str(poll.id), {}).get("choices")
    return choices


async def test_a_visitor_votes_and_changes_the_vote_with_one_ballot(
    models: Models, people: People, visitor: Browser, browse: Callable[[], Browser]
) -> None:
    poll = await lunch(models, people, visitors=True, results="after_vote")
    first = await cast(visitor, poll, 0, follow=True)
    other = await cast(visitor, poll, 1, follow=True)

    assert first.path == f"/polls/{poll.id}/ballot?done=voted"
    assert (ticked(first), ticked(other)) == ([poll.choices[0].id], [poll.choices[1].id])
    assert [votes for votes, _, _ in bars(other)] == ["0 votes", "1 vote", "0 votes"]
    assert await mine(visitor, poll) == [poll.choices[1].id]
    stranger = browse()
    await cast(stranger, poll, 1)
    assert (await models.results.one(poll.id)).votes == (0, 2, 0)
    assert await mine(browse(), poll) is None


async def test_only_a_vote_sets_the_cookies_and_they_are_as_safe_as_they_can_be(
    models: Models, people: People, visitor: Browser
) -> None:
    poll = await lunch(models, people, visitors=True)
    for path in ("/polls", f"/polls/{poll.id}", f"/polls/{poll.id}/ballot", f"/api/v1/me?on=/polls/{poll.id}"):
        assert (await visitor.get(path)).set_cookies == [], path
    refused, taken = await cast(visitor, poll), await cast(visitor, poll, 0)

    assert (refused.status, refused.set_cookies) == (422, [])
    lines = {line.partition("=")[0]: line.partition(";")[2].lower() for line in taken.set_cookies}
    assert set(lines) == {COOKIE, TOLD, FRESH}
    assert "httponly" in lines[COOKIE]
    assert "httponly" not in lines[TOLD]
    assert all("samesite=lax" in line and "path=/" in line for line in lines.values())
    assert visitor.cookies[TOLD] == "1"


async def test_over_https_the_cookies_are_secure(
    models: Models, people: People, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = await lunch(models, people, visitors=True)
    monkeypatch.setattr("handlers.origin.scheme", lambda request, settings: "https")
    taken = await cast(visitor, poll, 0)

    assert [("Secure" in line) for line in taken.set_cookies] == [True] * 3


@pytest.mark.parametrize(
    "forged", ["", "x", "0" * 32, "2|1:0|10:1700000000|5:voter|44:MDAw|" + "0" * 64, "%00", "日本", "=;=", "a" * 3000]
)
async def test_a_cookie_that_we_have_not_signed_is_nobodys(
    forged: str, models: Models, people: People, visitor: Browser
) -> None:
    poll = await lunch(models, people, visitors=True)
    visitor.cookies = {COOKIE: forged.encode().decode("latin-1")}

    assert await mine(visitor, poll) is None
    assert (await visitor.get(f"/polls/{poll.id}/ballot")).status == 200
    assert (await cast(visitor, poll, 0)).status == 303
    assert (await models.results.one(poll.id)).voters == 1


@pytest.mark.parametrize("name", ["u1", "0" * 31, "G" * 32, "0" * 33, ""])
async def test_a_signed_name_of_another_form_is_nobodys(
    name: str, models: Models, people: People, visitor: Browser, settings: Settings
) -> None:
    """A stamp of another form is signed by the same key."""
    poll = await lunch(models, people, visitors=True)
    visitor.cookies = {COOKIE: create_signed_value(settings.secret_key, COOKIE, name).decode()}
    assert await mine(visitor, poll) is None
    visitor.cookies = {COOKIE: create_signed_value(settings.secret_key, "stamp", "0" * 32).decode()}
    assert await mine(visitor, poll) is None


async def test_a_browser_that_voted_has_no_vote_where_members_vote(
    models: Models, people: People, visitor: Browser
) -> None:
    everybody, members = await lunch(models, people, visitors=True), await lunch(models, people)
    await cast(visitor, everybody, 0)

    assert (await cast(visitor, members, 0)).status == 401
    assert await mine(visitor, members) is None
    assert (await visitor.get(f"/polls/{members.id}/ballot")).status == 302


async def test_a_member_votes_as_a_member_whatever_the_browser_did_before(
    models: Models, people: People, bob: Browser, visitor: Browser
) -> None:
    poll = await lunch(models, people, visitors=True)
    await cast(visitor, poll, 0)
    bob.cookies |= visitor.cookies
    before = ticked(await bob.get(f"/polls/{poll.id}/ballot"))
    voted = await cast(bob, poll, 1)

    assert before == []
    assert [line.partition("=")[0] for line in voted.set_cookies] == [FRESH]
    assert await models.ballots.of(poll.id, people.bob) == (poll.choices[1].id,)
    assert (await models.results.one(poll.id)).votes == (1, 1, 0)


async def test_the_page_says_that_such_a_vote_is_a_browsers(models: Models, people: People, visitor: Browser) -> None:
    everybody, members = await lunch(models, people, visitors=True), await lunch(models, people)
    words = r'data-if="visitors"( hidden)?>[^<]*a browser'

    for poll, hidden in ((everybody, False), (members, True)):
        found = re.search(words, (await visitor.get(f"/polls/{poll.id}")).text)
        assert found
        assert bool(found[1]) is hidden


async def test_a_page_is_kept_for_who_has_voted_as_for_anybody(
    models: Models, people: People, visitor: Browser
) -> None:
    poll = await lunch(models, people, visitors=True)
    await cast(visitor, poll, 0)
    pages = models.pages
    before = pages.hits + pages.confirmed
    for _ in range(4):
        await visitor.get(f"/polls/{poll.id}")

    assert pages.hits + pages.confirmed > before
