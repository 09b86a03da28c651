"""The pages of polls: the same for everybody, true at once, and each poll's results only to whom its rule shows them."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from models import Models
from models.errors import NotFound
from models.poll_rules import NewPoll
from models.polls import PER_PAGE, Poll
from tests.handlers.conftest import Town
from tests.handlers.polling import lunch, soon, voted
from tests.harness.browser import Answer, Browser
from tests.harness.people import People

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def bars(page: Answer) -> list[tuple[str, str, str]]:
    """(votes in words, share in words, width) of each choice; none where they are not shown."""
    found = re.findall(
        r'<p class="figures" data-if="counted"( hidden)?><span data-count>(.*?)</span> <b data-share>(.*?)</b></p>'
        r'\s*<svg class="share"[^>]*><rect width="(.*?)"',
        page.text,
    )
    assert len(found) == page.text.count("data-choice=")
    return [(votes, share, width) for hidden, votes, share, width in found if not hidden]


def state(page: Answer) -> dict[str, Any]:
    """What the script is told."""
    found = re.search(r"data-state='([^']*)'", page.text)
    assert found
    told: dict[str, Any] = json.loads(found[1])
    return told


def ticked(page: Answer) -> list[int]:
    return [int(id) for id in re.findall(r'name="choices" value="(\d+)" checked', page.text)]


async def cast(browser: Browser, poll: Poll, *places: int, follow: bool = False, **headers: str) -> Answer:
    """The form of the page, as a browser sends it."""
    body = urlencode([("choices", poll.choices[place].id) for place in places]).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return await browser.request("POST", f"/polls/{poll.id}/ballot", body=body, headers=FORM | named, follow=follow)


async def test_a_poll_shows_its_votes_in_numbers_words_and_bars(
    models: Models, people: People, bob: Browser, alice: Browser, olga: Browser, visitor: Browser
) -> None:
    poll = await lunch(models, people, kind="multiple")
    for browser, places in ((bob, (0, 1)), (alice, (0,)), (olga, (0,))):
        await voted(browser, poll, *places)
    page = await visitor.get(f"/polls/{poll.id}")

    assert bars(page) == [("3 votes", "100%", "100%"), ("1 vote", "33%", "33%"), ("0 votes", "0%", "0%")]
    assert "3 voters" in page.text
    assert "Percentages are of those who voted" in page.text
    assert page.text.count('type="checkbox"') == 3
    assert '<legend class="unseen"' in page.text


async def test_a_page_of_polls_is_the_same_for_everybody_and_kept(
    models: Models, people: People, visitor: Browser, bob: Browser, alice: Browser
) -> None:
    poll = await lunch(models, people)
    await voted(bob, poll, 0)
    for path in ("/polls", "/polls?status=closed", f"/polls/{poll.id}"):
        bodies = {(await who.get(path)).body for who in (visitor, bob, alice, visitor)}

        assert len(bodies) == 1
        answer = await visitor.get(path)
        assert answer.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
        assert answer.set_cookies == []
        assert (await visitor.get(path, if_none_match=answer.headers["Etag"])).status == 304


@pytest.mark.parametrize(
    ("rule", "everybody", "voters", "words"),
    [
        ("always", True, True, ""),
        ("after_vote", False, True, "Who has voted sees the results."),
        ("after_close", False, False, "The results are shown when the poll closes."),
    ],
)
async def test_results_are_shown_to_whom_the_poll_shows_them(
    rule: str, everybody: bool, voters: bool, words: str, models: Models, people: People, bob: Browser, alice: Browser
) -> None:
    poll = await lunch(models, people, results=rule)
    own = await cast(bob, poll, 0, follow=True)
    page, before = await alice.get(f"/polls/{poll.id}"), await alice.get(f"/polls/{poll.id}/ballot")

    assert (bool(bars(page)), bool(bars(before)), bool(bars(own))) == (everybody, everybody, voters)
    assert ("100%</b>" in page.text, "upvoteCount" in page.text) == (everybody, everybody)
    assert state(page)["votes"] == ([1, 0, 0] if everybody else None)
    shown = [text for hidden, text in re.findall(r'data-if="after_\w+"( hidden)?>(.*?)</p>', page.text) if not hidden]
    assert shown == ([words] if words else [])
    mine = (await alice.get(f"/api/v1/me?on=/polls/{poll.id}")).json()["polls"][str(poll.id)]
    assert mine["votes"] == ([1, 0, 0] if everybody else None)
    mine = (await bob.get(f"/api/v1/me?on=/polls/{poll.id}")).json()["polls"][str(poll.id)]
    assert (mine["votes"], mine["choices"]) == ([1, 0, 0] if voters else None, [poll.choices[0].id])
    await models.polls.close(poll.id, by=people.alice)
    closed = await alice.get(f"/polls/{poll.id}")
    assert [votes for votes, _, _ in bars(closed)] == ["1 vote", "0 votes", "0 votes"]
    assert "This poll is closed." in closed.text


async def test_polls_are_listed_open_or_closed_and_the_others_nowhere(
    models: Models, people: People, town: Town, visitor: Browser, ada: Browser
) -> None:
    over, gone = await lunch(models, people, closes_at=soon()), await lunch(models, people)
    await models.polls.close(over.id, by=people.alice)
    await models.polls.trash(gone.id, by=people.alice)
    listed = {
        status: re.findall(r'class="card-title"[^>]*><a href="/polls/(\d+)"', (await visitor.get(path)).text)
        for status, path in (("open", "/polls"), ("closed", "/polls?status=closed"))
    }

    assert listed == {"open": [str(town.poll.id)], "closed": [str(over.id)]}
    for id in (gone.id, town.planned.id):
        for path in (f"/polls/{id}", f"/polls/{id}/ballot"):
            assert (await ada.get(path)).status == 404, path
        assert (await ada.get(f"/api/v1/me?on=/polls/{id}")).json()["polls"] == {}
        assert (await ada.post(f"/polls/{id}/ballot", {"choices": "1"})).status == 404
    for path in ("/polls", "/polls/feed.json", "/sitemap-site.xml"):
        assert "PLANNED-WORDS" not in (await visitor.get(path)).text


async def test_older_polls_are_a_link_away(models: Models, people: People, visitor: Browser) -> None:
    made = [await lunch(models, people) for _ in range(PER_PAGE + 1)]
    page = (await visitor.get("/polls")).text
    older = re.search(r'href="(\?status=open&amp;after=\d+)"', page)

    assert older
    assert f'href="/polls/{made[0].id}"' not in page
    rest = (await visitor.get(f"/polls{older[1].replace('&amp;', '&')}")).text
    assert f'href="/polls/{made[0].id}"' in rest
    assert "Older polls" not in rest


@pytest.mark.parametrize(
    "path",
    [
        "/polls?status=scheduled", "/polls?status=", "/polls?after=x", "/polls/0", "/polls/x", "/polls/999999999999999999",
        "/polls/1/", "/polls/0/ballot", "/polls/feed.xml",
    ],
)  # fmt: skip
async def test_an_address_that_nothing_stands_at_is_404(town: Town, bob: Browser, path: str) -> None:
    assert (await bob.get(path)).status == 404


async def test_what_a_poll_tells_programs(models: Models, people: People, bob: Browser, visitor: Browser) -> None:
    poll = await lunch(models, people)
    await voted(bob, poll, 2)
    page = (await visitor.get(f"/polls/{poll.id}")).text
    facts = json.loads(page.partition('<script type="application/ld+json">')[2].partition("</script>")[0])

    assert (facts["@type"], facts["name"]) == ("Question", poll.question)
    assert [(answer["text"], answer["upvoteCount"]) for answer in facts["suggestedAnswer"]] == [
        ("By the sea", 0), ("In the park", 0), ("在家 🏠", 1),
    ]  # fmt: skip
    assert 'rel="canonical"' in page
    sitemap = (await visitor.get("/sitemap-site.xml")).text
    assert f"/polls/{poll.id}</loc>" in sitemap
    assert "/polls</loc>" in sitemap
    assert 'lang="zh-CN" dir="auto" data-text>在家' in page


async def test_the_feed_has_the_newest_polls_and_no_vote_changes_it(
    models: Models, people: People, bob: Browser, visitor: Browser
) -> None:
    first, second = await lunch(models, people), await lunch(models, people)
    await models.polls.close(second.id, by=people.alice)
    before = await visitor.get("/polls/feed.json")
    await voted(bob, first, 0)
    feed = before.json()

    assert [item["url"] for item in feed["items"]] == [f"{feed['home_page_url']}/{poll.id}" for poll in (second, first)]
    assert "<li>By the sea</li>" in feed["items"][0]["content_html"]
    assert feed["items"][0]["authors"][0]["name"] == "Alice"
    assert (await visitor.get("/polls/feed.json")).body == before.body
    for kind in ("atom", "rss"):
        assert "Where shall we eat?" in (await visitor.get(f"/polls/feed.{kind}")).text
        assert f'href="/polls/feed.{kind}"' in (await visitor.get("/polls")).text


async def test_hostile_words_are_words(models: Models, people: People, visitor: Browser) -> None:
    nasty = "</script><b title='x\"'>&{{7*7}}"
    poll = await lunch(models, people)
    poll = await models.polls.edit(poll.id, _reworded(poll, nasty), by=people.alice)
    for path in (f"/polls/{poll.id}", "/polls", "/polls/feed.atom", "/polls/feed.rss"):
        page = (await visitor.get(path)).text
        assert "<b title=" not in page, path
        assert page.count("</script>") == page.count("<script"), path


def _reworded(poll: Poll, words: str) -> NewPoll:
    return NewPoll(words, (words, "Other"), opens_at=poll.opens_at)


async def test_an_editor_finds_the_way_to_edit_and_ones_own_polls(
    models: Models, people: People, alice: Browser, bob: Browser
) -> None:
    poll = await lunch(models, people)
    links = {who: (await who.get(f"/api/v1/me?on=/polls/{poll.id}")).json()["links"] for who in (alice, bob)}

    assert [link["href"] for link in links[alice] if link["rel"] == "edit"] == [f"/manage/polls/{poll.id}"]
    assert [link for link in links[bob] if link["rel"] == "edit"] == []
    assert f'href="/manage/polls/{poll.id}"' in (await alice.get("/account")).text
    assert "Your polls" not in (await bob.get("/account")).text


async def test_choices_that_an_editor_is_just_changing_are_no_fault(
    models: Models, people: People, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poll was read before the change, its result after it: three choices, two numbers."""
    poll = await lunch(models, people)
    await models.polls.edit(poll.id, _reworded(poll, "Else?"), by=people.alice)

    async def older(_: object, id: int) -> Poll:
        if id != poll.id:
            raise NotFound("another")
        return poll

    monkeypatch.setattr(type(models.polls), "seen", older)
    page = await visitor.get(f"/polls/{poll.id}")
    assert [votes for votes, _, _ in bars(page)] == ["0 votes"] * 3
