"""A reply is written below what it answers where there is script, and on a page of its own where there is none."""

import re
from functools import partial
from itertools import count

from playwright.sync_api import Dialog, Page, expect

from models import Models
from models.users import User
from tests.browser.conftest import Visit
from tests.browser.test_files import bring
from tests.browser.town import Town
from tests.harness.files import PNG

_numbers = count(1)


def talked_about(town: Town, *comments: str) -> str:
    """The path of a new post with these comments of Alice's."""
    post = town.publish(f"Before the reply {next(_numbers)}", "Say something.")
    for text in comments:
        town.do(partial(_comment, post.id, text, town.users["alice"]))
    return f"/blog/{post.id}-{post.slug}"


async def _comment(post_id: int, text: str, by: User, models: Models) -> None:
    await models.comments.create(post_id, text, by=by)


def reply_to(page: Page, text: str) -> None:
    page.locator(".thread").filter(has_text=text).get_by_role("link", name="Reply").click()


def test_each_thread_keeps_the_reply_that_is_written_in_it(visit: Visit, town: Town) -> None:
    page = visit("bob")
    page.goto(talked_about(town, "One", "Two"))
    first, second = page.locator(".thread").all()
    link = first.get_by_role("link", name="Reply")
    expect(link).to_have_attribute("aria-expanded", "false")

    link.focus()
    page.keyboard.press("Enter")
    expect(first.get_by_label("Your reply")).to_be_focused()
    expect(link).to_have_attribute("aria-expanded", "true")
    page.keyboard.type("To the first.")
    first.get_by_role("button", name="Cancel").click()
    expect(first.get_by_label("Your reply")).to_be_hidden()
    expect(link).to_be_focused()
    reply_to(page, "Two")
    expect(second.get_by_label("Your reply")).to_be_empty()
    second.get_by_label("Your reply").fill("To the second.")
    link.click()
    expect(first.get_by_label("Your reply")).to_have_value("To the first.")
    second.get_by_role("button", name="Send the reply").click()

    expect(page).to_have_url(re.compile(r"#comment-\d+$"))
    expect(second.locator(".replies .comment")).to_contain_text("To the second.")
    expect(first.locator(".replies")).to_have_count(0)


def test_a_reply_that_is_refused_is_kept_with_what_it_answers(visit: Visit, town: Town) -> None:
    page = visit("bob")
    path = talked_about(town, "One", "Two")
    page.goto(path)
    reply_to(page, "Two")
    long = "x" * 10_001
    page.get_by_label("Your reply").fill(long)
    page.get_by_role("button", name="Send the reply").click()
    expect(page.get_by_label("Your reply")).to_have_value(long)
    page.get_by_label("Your reply").fill("Shorter.")
    page.get_by_role("button", name="Send the reply").click()

    expect(page).to_have_url(re.compile(rf"{path}#comment-\d+$"))
    expect(page.locator(".thread").nth(1).locator(".replies")).to_contain_text("Shorter.")


def test_a_file_that_is_dropped_into_a_reply_is_linked_there(visit: Visit, town: Town) -> None:
    page = visit("bob")
    page.on("dialog", Dialog.accept)
    with page.expect_response(re.compile("files-insert")):
        page.goto(talked_about(town, "One"))
    reply_to(page, "One")
    bring(page, "drop", ("cat.png", "image/png", PNG), at="[name=body][id^=reply]")

    expect(page.get_by_label("Your reply")).to_have_value(re.compile(r"^\[cat\.png\]\(/p/[0-9a-f]{32}\.png\)$"))


def test_a_reply_opens_in_a_tab_of_its_own_where_that_is_asked_for(visit: Visit, town: Town) -> None:
    page = visit("bob")
    page.goto(talked_about(town, "One"))
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Reply").click(modifiers=["ControlOrMeta"])
    other = opened.value

    expect(other.get_by_role("heading", level=1)).to_have_text("Reply to a comment")
    expect(page.get_by_label("Your reply")).to_have_count(0)


def test_without_script_a_reply_has_a_page_with_what_it_answers(visit: Visit, town: Town) -> None:
    page = visit("bob", java_script_enabled=False)
    path = talked_about(town, "One", "Two")
    page.goto(path)
    reply_to(page, "Two")
    expect(page).to_have_url(re.compile(r"/comments/\d+/reply$"))
    expect(page.locator(".comment")).to_contain_text("Two")
    page.get_by_label("Your reply").fill("To the second.")
    page.get_by_role("button", name="Send the reply").click()

    expect(page).to_have_url(re.compile(rf"{path}#comment-\d+$"))
    expect(page.locator(".thread").nth(1).locator(".replies")).to_contain_text("To the second.")
    assert "To the second." not in page.locator(".thread").first.inner_text()


def test_a_stranger_is_asked_to_sign_in_before_a_reply_is_typed(visit: Visit, town: Town) -> None:
    path = talked_about(town, "One")
    plain, page = visit(java_script_enabled=False), visit()
    plain.goto(path)
    reply_to(plain, "One")
    page.goto(path)

    expect(plain).to_have_url(re.compile(r"/signin\?next=/comments/\d+/reply$"))
    expect(page.get_by_role("link", name="Reply")).to_be_hidden()
