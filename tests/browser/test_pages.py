"""What holds for every page: everybody can use it, at every width, by day and by night, and nothing goes wrong on it."""

import asyncio
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from models import Models
from tests.browser.chromium import Window
from tests.browser.stops import STOPS, Stop
from tests.browser.town import Town

GRAVE = ("serious", "critical")
# What is there again and again is looked at a few times.
MANY = (".thread:nth-child(n+5)", "tbody tr:nth-child(n+6)", ".own > li:nth-child(n+5)", ".lines > li:nth-child(n+6)")
WHERE = {"exclude": [[selector] for selector in MANY]}
EVERY_RULE = {"resultTypes": ["violations"], "preload": False}
COLOURS = {**EVERY_RULE, "runOnly": ["color-contrast"]}
SIDEWAYS = """() => {
  const root = document.scrollingElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > root.clientWidth + 1)
    .slice(-3).map(e => `${e.localName}.${e.className} reaches ${Math.round(e.getBoundingClientRect().right)}`)
}"""

Key = tuple[bool, str | None]


@pytest.fixture(scope="module")
def pages() -> Iterator[dict[Key, tuple[Window, Page]]]:
    """A page for each person at each site, shared by these tests: they only look. Closed with the browser."""
    found: dict[Key, tuple[Window, Page]] = {}
    yield found
    found.clear()


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.name)
def test_a_page_is_sound(
    stop: Stop, chromium: Browser, town: Town, village: Town, pages: dict[Key, tuple[Window, Page]]
) -> None:
    place, key = (village if stop.empty else town), (stop.empty, stop.who)
    if key not in pages:
        made = Window(chromium, place.url, place.token(stop.who) if stop.who else None, extra_http_headers=place.anew)
        pages[key] = made, made.page()
    window, page = pages[key]

    stop.go(page, place)
    found = look(page)
    if stop.spoils:
        window.context.close()
        del pages[key]

    assert window.drain() + found == []


def look(page: Page) -> list[str]:
    """What is wrong with how the page stands there."""
    page.evaluate(Axe().axe_script)
    wrong: list[str] = []
    for width, colours, rules in (
        (320, "light", None), (2560, "dark", None), (360, "dark", COLOURS), (1280, "light", EVERY_RULE),
    ):  # fmt: skip
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
        wrong += [f"{width}: sideways: {element}" for element in page.evaluate(SIDEWAYS)]
        wrong += [f"{width}, {colours}: {issue}" for issue in (grave(page, rules) if rules else ())]
    return wrong


def grave(page: Page, rules: dict[str, Any]) -> list[str]:
    """What axe calls serious or critical."""
    violations = page.evaluate(
        "([where, rules]) => axe.run(where, rules).then(({ violations }) => violations)", [WHERE, rules]
    )
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
        if violation["impact"] in GRAVE
    ]


@pytest.mark.parametrize(
    ("status", "spoil"), [(500, "RENAME TABLE posts TO posts_away"), (503, "LOCK TABLES posts WRITE")]
)
def test_the_page_of_a_fault_of_ours_is_sound(chromium: Browser, village: Town, status: int, spoil: str) -> None:
    async def spoiled(models: Models) -> None:
        async with models.db.connection() as connection:
            await connection.execute(spoil)
            broken.set()
            await asyncio.to_thread(visited.wait, 10)
            await connection.execute("RENAME TABLE posts_away TO posts" if status == 500 else "UNLOCK TABLES")

    broken, visited = Event(), Event()
    window = Window(chromium, village.url, extra_http_headers=village.anew)
    page = window.page()
    over = village.begin(spoiled)
    try:
        broken.wait(5)
        answer = page.goto(f"/blog/{status}")
    finally:
        visited.set()
        over.result(10)

    assert answer
    assert answer.status == status
    expect(page.locator("main .aside")).to_have_text(str(status))
    assert window.drain() + look(page) == []
    window.context.close()
