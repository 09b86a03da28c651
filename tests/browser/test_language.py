"""English and Chinese: chosen by the browser or by a link, the same on every page, nothing left untranslated."""

import re
from functools import cache

import pytest
from babel.messages.pofile import read_po
from playwright.sync_api import expect

from settings import ROOT
from tests.browser.acts import press
from tests.browser.conftest import Visit
from tests.browser.stops import Stop
from tests.browser.town import Town

# The texts of the interface: not what people wrote, nor what says that it is in another language.
TEXTS = """() => {
  const foreign = ':is([lang=en], [lang=ja], .prose, .card-title, .summary, .person, .tags, .brand, .own p, '
    + 'textarea, ins, del, script, template)';
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [document.title];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest(foreign)) found.push(walker.currentNode.data);
  for (const element of document.querySelectorAll('[aria-label], [title], [placeholder]'))
    for (const name of ['aria-label', 'title', 'placeholder']) found.push(element.getAttribute(name) ?? '');
  return found.map(text => text.replace(/\\s+/g, ' ').trim()).filter(text => text);
}"""
MAIN = (
    Stop("front", "/"),
    Stop("post", "post:quiet", "bob"),
    Stop("archive", "/archive"),
    Stop("month", "/archive/2019-05"),
    Stop("user", "/user/{ada.user}"),
    Stop("polls", "/polls"),
    Stop("polls-empty", "/polls?status=closed&after=1"),
    Stop("poll", "/polls/{hostile.poll}"),
    Stop("poll-late", "/polls/{late.poll}"),
    Stop("ballot", "/polls/{plain.poll}/ballot?done=voted", "bob"),
    Stop("search-polls", "/search?in=polls&q=nothinglikethis"),
    Stop("register", "/register", act=press("注册", name="x", email="x", password="x")),
    Stop("signin", "/signin", act=press("登录", email="a@b.c", password="x")),
    Stop("account", "/account", "olga"),
    Stop("manage", "/manage/blogs", "alice"),
    Stop("edit", "/manage/blogs/create", "alice", press("立即发布", title="", body="")),
    Stop("files", "/files", "bob"),
    Stop("file", "/p/{picture.file}", "bob"),
    Stop("own-files", "/account/files", "bob"),
    Stop("manage-files", "/manage/files", "olga"),
    Stop("manage-home", "/manage/", "ada"),
    Stop("manage-comments", "/manage/comments", "alice"),
    Stop("manage-polls", "/manage/polls?done=close&n=2&left=1&batch=1", "alice"),
    Stop("manage-poll", "/manage/polls/create", "alice", press("新建投票", question="", choices="")),
    Stop("manage-poll-voted", "/manage/polls/{secret.poll}", "alice"),
    Stop("manage-users", "/manage/users", "ada"),
    Stop("manage-user", "/manage/users/{bob.user}", "ada"),
    Stop("manage-roles", "/manage/roles", "ada"),
    Stop("manage-role", "/manage/roles/1", "ada"),
    Stop("manage-site", "/manage/site", "ada"),
    Stop("manage-audit", "/manage/audit", "ada"),
    Stop("missing", "/nowhere"),
    Stop("forbidden", "/manage/blogs", "bob"),
)


@cache
def english() -> re.Pattern[str]:
    """The texts whose translation is another text, as they look when drawn."""
    with (ROOT / "locale/zh/LC_MESSAGES/plaza.po").open("rb") as file:
        catalog = read_po(file, locale="zh")
    texts: set[str] = set()
    for message in catalog:
        ids = [message.id] if isinstance(message.id, str) else list(message.id or ())
        strings = [message.string] if isinstance(message.string, str) else list(message.string or ())
        texts |= {text for text in ids if text and text not in strings}
    parts = [re.split(r"%\(\w+\)s|<[^>]+>", text) for text in sorted(texts)]
    shapes = (".+?".join(map(re.escape, part)) for part in parts if re.search("[A-Za-z]{2}", "".join(part)))
    return re.compile("|".join(shapes))


@pytest.mark.parametrize("stop", MAIN, ids=lambda stop: stop.name)
def test_a_chinese_page_has_no_english_left(visit: Visit, town: Town, stop: Stop) -> None:
    page = visit(stop.who, locale="zh-CN")
    stop.go(page, town)
    texts = page.evaluate(TEXTS)

    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert any(re.search("[一-鿿]", text) for text in texts)
    assert [text for text in texts if english().fullmatch(text)] == []


def test_the_language_link_switches_and_stays(visit: Visit) -> None:
    page = visit()
    page.goto("/archive")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("link", name="中文").click()

    expect(page).to_have_url("/archive")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", level=1)).to_have_text("归档")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_a_text_in_the_other_language_says_so(visit: Visit, town: Town) -> None:
    page = visit()
    page.goto(town.path("chinese"))

    expect(page.get_by_role("heading", level=1)).to_have_attribute("lang", "zh-CN")
    expect(page.locator("article .prose")).to_have_attribute("lang", "zh-CN")
