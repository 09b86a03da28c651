"""The staff's timing badge on a page that is the same for everybody, and on one that is not."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.town import Town

BADGE = re.compile("^[0-9]+ ms$")


@pytest.mark.parametrize("path", ["post:quiet", "/account", "/nothing-here"])
def test_staff_see_how_long_a_page_takes_and_what_it_waited_for(visit: Visit, town: Town, path: str) -> None:
    page = visit("alice")
    page.goto(town.path("quiet") if path == "post:quiet" else path)
    badge = page.get_by_role("complementary", name="The time of this page")

    summary = badge.get_by_text(BADGE)
    expect(summary).to_have_class(re.compile("^(fast|middling|slow)$"))
    expect(badge.get_by_role("table")).to_be_hidden()
    summary.focus()
    page.keyboard.press("Enter")
    expect(badge.get_by_role("table")).to_be_visible()
    expect(badge).to_contain_text("rows and lists were in the cache")
    expect(badge.get_by_role("row").filter(has_text=".html").first).to_contain_text("Template")

    assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []
    page.keyboard.press("Escape")
    expect(badge.get_by_role("table")).to_be_hidden()
    expect(summary).to_be_focused()


def test_in_chinese_it_speaks_chinese(visit: Visit, town: Town) -> None:
    page = visit("olga", locale="zh-CN")
    page.goto(town.path("quiet"))
    badge = page.get_by_role("complementary", name="为您重新生成本页所用的时间")
    badge.get_by_text(BADGE).click()

    expect(badge.get_by_role("columnheader")).to_have_text(["开始（毫秒）", "用时（毫秒）", "类型", "详情"])


@pytest.mark.parametrize("who", [None, "bob"])
def test_nobody_else_is_bothered_with_it(visit: Visit, town: Town, who: str | None) -> None:
    page = visit(who)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(town.path("quiet"), wait_until="networkidle")

    expect(page.get_by_role("complementary", name="The time of this page")).to_have_count(0)
    assert not any("timing" in url for url in asked)
    assert sum(town.posts["quiet"].slug in url and "me?on=" not in url for url in asked) == 1
