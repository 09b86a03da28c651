"""The queue of comments by keys alone, and without script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from models import Models
from tests.browser.conftest import Visit
from tests.browser.town import Town


@pytest.fixture
def waiting(town: Town) -> Iterator[list[int]]:
    """Three comments that wait, the newest first; they are gone afterwards."""
    post = town.publish("A post that is talked about", "Words.")
    bob, alice = town.users["bob"], town.users["alice"]

    async def talk(models: Models) -> list[int]:
        ids = [(await models.comments.create(post.id, f"Waiting {number}", by=bob)).id for number in range(3)]
        await models.moderation.act("hold", ids, by=alice)
        return ids[::-1]

    ids = town.do(talk)
    yield ids
    town.do(lambda m: m.moderation.act("trash", ids, by=alice))
    town.do(lambda m: m.publishing.trash(post.id, by=alice))


def item(page: Page, id: int) -> str:
    return f"#comment-{id}"


def test_the_queue_is_worked_through_by_keys(visit: Visit, waiting: list[int]) -> None:
    page = visit("alice")
    page.goto("/manage/comments?status=held")
    page.keyboard.press("j")
    expect(page.locator(item(page, waiting[0]))).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    with page.expect_navigation():
        page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("1 comment is shown.")
    expect(page.locator(item(page, waiting[1]))).to_be_focused()  # the list goes on where one was
    with page.expect_navigation():
        page.keyboard.press("t")
    expect(page.locator(item(page, waiting[1]))).to_have_count(0)
    with page.expect_navigation():
        page.keyboard.press("u")

    expect(page.locator(item(page, waiting[1]))).to_be_visible()
    expect(page.locator(item(page, waiting[0]))).to_have_count(0)


def test_keys_are_letters_while_one_writes_and_when_they_are_off(visit: Visit, waiting: list[int]) -> None:
    page = visit("alice")
    page.goto("/manage/comments?status=held")
    page.get_by_label("Reason, for the author").press_sequentially("just a test")
    expect(page.get_by_label("Reason, for the author")).to_have_value("just a test")
    page.locator("[data-keys] input").uncheck()
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("t")

    expect(page.locator("[data-queue] > li:focus")).to_have_count(0)
    expect(page.locator(item(page, waiting[0]))).to_be_visible()


def test_the_queue_works_without_script(visit: Visit, town: Town, waiting: list[int]) -> None:
    page = visit("alice", java_script_enabled=False)
    page.goto("/manage/comments?status=held")
    for id in waiting:
        page.locator(f"{item(page, id)} [name=ids]").check()
    page.get_by_label("Reason, for the author").fill("Not here")
    page.locator(".list-bar").get_by_role("button", name="To the trash").click()
    expect(page.get_by_role("status")).to_contain_text("3 comments are in the trash.")
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("status")).to_contain_text("Undone: 3 are as they were before.")
