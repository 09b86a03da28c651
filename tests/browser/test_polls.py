"""Polls in the browser: votes that leave the page where it is, bars that move for others, keyboards, no script, failures."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import Window
from tests.browser.conftest import Visit
from tests.browser.polling import asked, cast, figures
from tests.browser.test_language import TEXTS, english
from tests.browser.town import Town


def test_who_has_the_page_open_sees_the_bar_move(visit: Visit, town: Town) -> None:
    poll = asked(town)
    reader, bob = visit(), visit("bob")
    for page in (reader, bob):
        page.goto(f"/polls/{poll.id}", wait_until="networkidle")
        page.evaluate("window.sameDocument = true")
    bob.get_by_label("To the right").check()
    bob.get_by_role("button", name="Vote", exact=True).click()

    figures(bob, "0 votes 0%", "1 vote 100%", "0 votes 0%")
    expect(bob.get_by_role("status")).to_have_text("Your vote is counted.")
    expect(bob.get_by_role("button", name="Change your vote")).to_be_visible()
    figures(reader, "0 votes 0%", "1 vote 100%", "0 votes 0%")
    expect(reader.locator("rect").nth(1)).to_have_attribute("width", "100%")
    expect(reader.get_by_text("1 voter", exact=True)).to_be_visible()
    for page in (reader, bob):
        assert page.evaluate("window.sameDocument") is True


def test_news_comes_from_other_processes_too_and_the_close_ends_the_voting(visit: Visit, town: Town) -> None:
    poll = asked(town)
    page = visit("bob")
    page.goto(f"/polls/{poll.id}", wait_until="networkidle")
    cast(town, poll, "olga", 2)
    figures(page, "0 votes 0%", "0 votes 0%", "1 vote 100%")
    town.do(lambda models: models.polls.close(poll.id, by=town.users["alice"]))

    expect(page.get_by_text("This poll is closed.")).to_be_visible()
    expect(page.get_by_role("radio")).to_have_count(0)
    expect(page.get_by_role("button", name="Vote")).to_have_count(0)


def test_results_come_with_ones_own_vote(visit: Visit, town: Town) -> None:
    poll = asked(town, results="after_vote", kind="multiple")
    page = visit("bob")
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(f"/polls/{poll.id}", wait_until="networkidle")
    expect(page.get_by_text("Who has voted sees the results.")).to_be_visible()
    assert sockets == []
    for label in ("To the left", "Straight on"):
        page.get_by_label(label).check()
    page.get_by_role("button", name="Vote", exact=True).click()

    figures(page, "1 vote 100%", "0 votes 0%", "1 vote 100%")
    expect(page.get_by_text("Who has voted sees the results.")).to_be_hidden()
    cast(town, poll, "olga", 1)
    figures(page, "1 vote 50%", "1 vote 50%", "1 vote 50%")
    assert len(sockets) == 1


def test_results_that_come_with_the_close_come_then(visit: Visit, town: Town) -> None:
    poll = asked(town, results="after_close")
    page = visit()
    page.goto(f"/polls/{poll.id}", wait_until="networkidle")
    cast(town, poll, "bob", 0)
    expect(page.locator(".figures").first).to_be_hidden()
    town.do(lambda models: models.polls.close(poll.id, by=town.users["alice"]))

    figures(page, "1 vote 100%", "0 votes 0%", "0 votes 0%")
    expect(page.locator(".figures").first).to_be_visible()


def test_a_link_in_a_text_is_the_poll_when_one_comes_to_it(visit: Visit, town: Town) -> None:
    poll = asked(town)
    filler = "\n\n".join(["Words."] * 80)
    post = town.publish("Two ways", f"{filler}\n\n{{{{poll:{poll.id}}}}}\n\n{filler}")
    reader, bob = visit(), visit("bob")
    for page in (reader, bob):
        page.goto(f"/blog/{post.id}-{post.slug}", wait_until="networkidle")
        expect(page.locator(".poll-box")).to_have_count(0)
        page.get_by_role("link", name=f"Poll {poll.id} · 投票 {poll.id}").scroll_into_view_if_needed()
        expect(page.get_by_role("link", name="Which way?")).to_have_attribute("href", re.compile(f"/polls/{poll.id}$"))
    bob.get_by_label("To the left").check()
    bob.get_by_role("button", name="Vote", exact=True).click()

    figures(reader, "1 vote 100%", "0 votes 0%", "0 votes 0%")
    expect(reader.get_by_text("Sign in to vote.")).to_be_visible()
    expect(reader.get_by_role("radio")).to_have_count(0)
    expect(bob.get_by_text("Your choice")).to_have_count(3)
    expect(bob.get_by_text("Your choice").first).to_be_visible()
    bob.reload()  # to the same place
    expect(bob.get_by_label("To the left")).to_be_checked()


def test_a_poll_that_is_gone_stays_a_link(chromium: Browser, town: Town) -> None:
    poll = asked(town)
    post = town.publish("Gone", f"{{{{poll:{poll.id}}}}}")
    town.do(lambda models: models.polls.trash(poll.id, by=town.users["alice"]))
    window = Window(chromium, town.url, extra_http_headers=town.anew)
    page = window.page()
    page.goto(f"/blog/{post.id}-{post.slug}", wait_until="networkidle")

    expect(page.get_by_role("link", name=f"Poll {poll.id}")).to_be_visible()
    assert window.drain() == [f"404: {town.url}/api/v1/polls/{poll.id}"]
    window.context.close()


def test_a_post_without_a_poll_loads_nothing_for_polls(visit: Visit, town: Town) -> None:
    page = visit()
    page.goto(town.path("quiet"))

    assert not re.search(r"/static/polls?\.", page.content())


def test_a_vote_by_keyboard_alone(visit: Visit, town: Town) -> None:
    poll = asked(town)
    page = visit("bob")
    page.goto(f"/polls/{poll.id}", wait_until="networkidle")
    page.get_by_role("link", name="All polls").focus()
    for key in ("Tab", "Space", "ArrowDown", "Tab", "Enter"):
        page.keyboard.press(key)

    figures(page, "0 votes 0%", "1 vote 100%", "0 votes 0%")
    expect(page.get_by_role("group", name="Which way?")).to_be_visible()
    assert page.evaluate("document.activeElement.localName") == "button"


@pytest.mark.parametrize("who", ["bob", None])
def test_without_script_one_votes_and_changes_the_vote(visit: Visit, town: Town, who: str | None) -> None:
    poll = asked(town, visitors=who is None, results="after_vote")
    page = visit(who, java_script_enabled=False)
    page.goto(f"/polls/{poll.id}")
    page.get_by_label("To the left").check()
    page.get_by_role("button", name="Vote", exact=True).click()
    expect(page.get_by_role("status").first).to_have_text("Your vote is counted.")
    figures(page, "1 vote 100%", "0 votes 0%", "0 votes 0%")
    page.get_by_label("Straight on").check()
    page.get_by_role("button", name="Change your vote").click()

    figures(page, "0 votes 0%", "0 votes 0%", "1 vote 100%")
    page.get_by_role("link", name="To the poll").click()
    page.goto(f"/polls/{poll.id}/ballot")
    expect(page.get_by_label("Straight on")).to_be_checked()


def test_a_stranger_votes_where_strangers_may_and_is_known_again(visit: Visit, town: Town) -> None:
    poll = asked(town, visitors=True)
    page = visit()
    page.goto(f"/polls/{poll.id}", wait_until="networkidle")
    page.get_by_label("To the right").check()
    page.get_by_role("button", name="Vote", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Your vote is counted.")
    page.reload(wait_until="networkidle")

    expect(page.get_by_label("To the right")).to_be_checked()
    expect(page.get_by_text("a browser's, not a person's")).to_be_visible()
    assert "voter=" not in page.evaluate("document.cookie")


def test_a_vote_that_does_not_get_through_says_so_and_can_be_sent_again(chromium: Browser, town: Town) -> None:
    poll = asked(town)
    window = Window(chromium, town.url, town.token("bob"), extra_http_headers=town.anew)
    page = window.page()
    page.goto(f"/polls/{poll.id}", wait_until="networkidle")
    page.route("**/ballot", lambda route: route.abort(), times=1)
    page.get_by_role("button", name="Vote", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Your vote did not get through. Try again.")
    page.get_by_role("button", name="Vote", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Choose an answer.")
    page.get_by_label("To the left").check()
    cast(town, poll, "olga", 1)  # news that comes while somebody chooses
    figures(page, "0 votes 0%", "1 vote 100%", "0 votes 0%")
    expect(page.get_by_label("To the left")).to_be_checked()
    page.get_by_role("button", name="Vote", exact=True).click()

    figures(page, "1 vote 50%", "1 vote 50%", "0 votes 0%")
    assert [problem.partition(":")[0] for problem in window.drain()] == ["failed", "422"]
    window.context.close()


def test_a_poll_speaks_chinese_after_a_vote_too(visit: Visit, town: Town) -> None:
    poll = asked(town, results="after_vote", kind="multiple", visitors=True)
    page = visit("bob", locale="zh-CN")
    page.goto(f"/polls/{poll.id}", wait_until="networkidle")
    page.locator(".poll-box input").first.check()
    page.locator(".poll-box button").click()
    expect(page.locator("[data-told]")).not_to_be_empty()

    assert [text for text in page.evaluate(TEXTS) if english().fullmatch(text)] == []
    expect(page.locator(".figures").first).to_have_text(re.compile("^1 *票"))
