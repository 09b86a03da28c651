"""The comforts that scripts add; without them every page serves as well."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.conftest import Visit
from tests.browser.town import Town


@pytest.mark.parametrize(
    ("locale", "after", "words"),
    [
        ("en-GB", timedelta(seconds=20), "just now"),
        ("en-GB", timedelta(minutes=5, seconds=1), "5 minutes ago"),
        ("zh-CN", timedelta(seconds=20), "刚刚"),
        ("zh-CN", timedelta(hours=3, seconds=1), "3小时前"),
        ("en-GB", timedelta(days=9), None),
    ],
)
def test_a_moment_is_told_as_people_tell_it(
    visit: Visit, town: Town, locale: str, after: timedelta, words: str | None
) -> None:
    published = town.posts["quiet"].published_at
    assert published
    page = visit(locale=locale)
    page.clock.set_fixed_time(published + after)
    page.goto(town.path("quiet"))

    moment = page.locator(".facts time")
    full = f"{published.day} {published:%B %Y}" if locale == "en-GB" else f"{published.year}年"
    expect(moment).to_have_text(words or full)
    expect(moment).to_have_attribute("title", re.compile(full))


def test_a_member_finds_name_and_links_on_the_page_that_is_the_same_for_everybody(visit: Visit, town: Town) -> None:
    stranger, alice = visit(), visit("alice")
    for page in (stranger, alice):
        page.goto(town.path("quiet"))
    you = alice.get_by_role("navigation", name="You")
    expect(you.get_by_role("link", name="Alice")).to_have_attribute("href", "/account")
    expect(you.get_by_role("link", name="Manage")).to_be_visible()
    expect(you.get_by_role("link", name="Sign in")).to_have_count(0)
    expect(alice.locator("article").get_by_role("link", name="Edit")).to_be_visible()
    expect(alice.get_by_label("Your comment")).to_be_visible()

    expect(stranger.get_by_role("link", name="Sign in").first).to_be_visible()
    expect(stranger.get_by_label("Your comment")).to_be_hidden()
    expect(stranger.locator("article").get_by_role("link", name="Edit")).to_have_count(0)
    same = [page.request.get(town.path("quiet")).text() for page in (stranger, alice)]
    assert same[0] == same[1]


def test_a_stranger_asks_nothing_beyond_the_page(visit: Visit, town: Town) -> None:
    page = visit()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(town.path("hostile"), wait_until="networkidle")

    assert [url for url in asked if "/api/" in url] == []
    assert page.context.cookies() == []


def test_tools_stand_under_ones_own_comments_alone(visit: Visit, town: Town) -> None:
    page = visit("bob")
    page.goto(town.path("hostile"))

    own = page.locator(f"#comment-{town.comments['bob']}")
    expect(own.get_by_role("link", name="Edit")).to_have_attribute("href", f"/comments/{town.comments['bob']}/edit")
    expect(own.get_by_role("button", name="Delete")).to_be_visible()
    expect(page.locator(".comment .tools a")).to_have_count(1)
    expect(page.locator(".comment .tools button")).to_have_count(1)


def test_an_editor_may_delete_what_others_said_but_not_change_it(visit: Visit, town: Town) -> None:
    page = visit("alice")
    page.goto(town.path("hostile"))

    others = page.locator(f"#comment-{town.comments['bob']}")
    expect(others.get_by_role("button", name="Delete")).to_be_visible()
    expect(others.get_by_role("link", name="Edit")).to_have_count(0)


def test_deleting_asks_first_and_does_nothing_when_told_no(visit: Visit, town: Town) -> None:
    page = visit("bob")
    asked = answers_no(page)
    page.goto(town.path("hostile"))
    own = page.locator(f"#comment-{town.comments['bob']}")
    own.get_by_role("button", name="Delete").click()

    assert [question.message for question in asked] == ["Delete this comment?"]
    page.reload()
    expect(own).to_contain_text("Mine, all mine.")


def test_ctrl_enter_sends_a_comment(visit: Visit, town: Town) -> None:
    post = town.publish("Quick answers", "Answer quickly.")
    page = visit("bob")
    page.goto(f"/blog/{post.id}-{post.slug}")
    page.get_by_label("Your comment").fill("Done.")
    page.get_by_label("Your comment").press("Control+Enter")

    expect(page.locator(".comment")).to_contain_text("Done.")


def test_ctrl_enter_saves_a_draft_and_does_not_publish_it(visit: Visit) -> None:
    page = visit("alice")
    page.goto("/manage/blogs/create")
    page.get_by_label("Title").fill("Saved by a key")
    page.get_by_label("Text").fill("Not for everybody yet.")
    page.get_by_label("Text").press("Control+Enter")

    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    expect(page.locator(".work-head")).to_contain_text("Draft")


def answers_no(page: Page) -> list[Dialog]:
    """The questions that the page asks from here on."""
    asked: list[Dialog] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog)
        dialog.dismiss()

    page.on("dialog", answer)
    return asked


def test_leaving_text_that_was_not_sent_asks_first(visit: Visit, town: Town) -> None:
    page = visit("bob")
    page.goto(town.path("quiet"))
    page.get_by_label("Your comment").click()
    page.keyboard.type("Half a thou")

    asked = answers_no(page)
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Archive").first.click(no_wait_after=True)
    assert [question.type for question in asked] == ["beforeunload"]
    expect(page.get_by_label("Your comment")).to_have_value("Half a thou")


def test_leaving_a_page_on_which_nothing_was_typed_asks_nothing(visit: Visit, town: Town) -> None:
    page = visit("bob")
    page.goto(town.path("quiet"))
    page.get_by_label("Your comment").click()
    asked = answers_no(page)
    page.get_by_role("link", name="Archive").first.click()

    expect(page).to_have_url("/archive")
    assert asked == []


def test_code_is_copied_by_its_button(visit: Visit, town: Town) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.goto(town.path("quiet"))
    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "print(1)\n"


def test_a_form_sent_twice_by_an_impatient_hand_writes_once(visit: Visit, town: Town) -> None:
    post = town.publish("Patience", "Wait.")
    page = visit("bob")
    page.goto(f"/blog/{post.id}-{post.slug}")
    page.get_by_label("Your comment").fill("Once.")
    page.get_by_role("button", name="Send the comment").dblclick()

    expect(page.locator(".comment")).to_have_count(1)
    assert town.do(lambda models: models.comments.fresh().discussion(post.id)).count == 1


def test_an_ended_session_turns_the_page_back_into_a_strangers(visit: Visit, town: Town) -> None:
    page = visit("bob")
    page.context.clear_cookies(name="plaza")
    page.goto(town.path("quiet"))

    expect(page.get_by_text("to take part in the conversation")).to_be_visible()
    assert page.context.cookies() == []
