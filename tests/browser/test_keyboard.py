"""Who has no mouse, or is made dizzy by movement, uses the whole site too."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.stops import resolved
from tests.browser.town import Town

# Press Tab until the focus comes round; what had it, and whether one could see that.
FOCUSED = """() => {
  const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
  element.dataset.visited = '';
  return { what: element.localName + ' ' + (element.textContent || element.name || '').trim().slice(0, 30),
    // Inside a date's field the browser rings the part that has the focus, which a page cannot see.
    ring: element.type === 'datetime-local' || style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1,
    inside: box.bottom > 0 && box.top < innerHeight && box.width > 0 && box.height > 0 };
}"""
UNREACHED = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), textarea, select, summary')]
  .filter(element => element.checkVisibility({ visibilityProperty: true }) && element.tabIndex >= 0 && !element.disabled)
  .filter(element => !('visited' in element.dataset)).map(element => element.outerHTML.slice(0, 120))"""
MOVING = """() => [...document.querySelectorAll('*')].filter(element => {
  const style = getComputedStyle(element);
  const long = text => text.split(',').some(part => parseFloat(part) * (part.includes('ms') ? 1 : 1000) > 10);
  return long(style.transitionDuration) && style.transitionProperty !== 'none' || long(style.animationDuration)
    && style.animationName !== 'none' || style.scrollBehavior === 'smooth';
}).map(element => element.localName + '.' + element.className)"""


def test_the_skip_link_comes_first_and_leads_to_the_content(visit: Visit) -> None:
    page = visit()
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")

    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize(
    ("who", "path"),
    [
        (None, "/"),
        ("bob", "post:quiet"),
        ("olga", "/account"),
        ("alice", "/manage/blogs/edit?id={draft}"),
        ("ada", "/manage/users/{bob.user}"),
        (None, "/play"),
        ("bob", "/boards/hostile?window=week"),
        ("bob", "/files"),
        ("bob", "/p/{picture.file}"),
        ("bob", "/account/files"),
        ("olga", "/manage/boards/create"),
        ("olga", "/manage/files"),
        ("olga", "/manage/boards/{hostile.board}/scores"),
    ],
)
def test_the_keyboard_reaches_everything_and_one_sees_where_one_is(
    visit: Visit, town: Town, who: str | None, path: str
) -> None:
    page = visit(who, reduced_motion="reduce")
    page.goto(resolved(path, town), wait_until="networkidle")
    seen: list[dict[str, Any]] = []
    for _ in range(120):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUSED))
        if seen[-1]["what"].startswith("body"):
            break

    stops = [stop for stop in seen if not stop["what"].startswith("body")]
    assert [stop["what"] for stop in stops if not (stop["ring"] and stop["inside"])] == []
    assert page.evaluate(UNREACHED) == []


@pytest.mark.parametrize("path", ["/", "/archive", "post:quiet", "/boards", "/play", "/polls/{plain.poll}"])
def test_nothing_moves_for_who_asks_for_rest(visit: Visit, town: Town, path: str) -> None:
    page = visit(reduced_motion="reduce")
    page.goto(resolved(path, town))

    assert page.evaluate(MOVING) == []
