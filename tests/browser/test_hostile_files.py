"""Files that would like to run in the reader's browser, on this origin: none does, however it is opened."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from models.file_rows import File
from tests.browser.town import Town
from tests.harness.files import PDF, stored

# Whoever runs one of these leaves a mark that every page of this origin sees.
MARK = "localStorage.setItem('ran', location.href)"
HOSTILE = {
    "a.html": f'<!doctype html><title>t</title><script>{MARK}</script><body onload="{MARK}">',
    "a.svg": f"<svg xmlns='http://www.w3.org/2000/svg' onload=\"{MARK}\"><script>{MARK}</script></svg>",
    "a.xhtml": f"<html xmlns='http://www.w3.org/1999/xhtml'><script>{MARK}</script></html>",
    "a.xml": f"<?xml version='1.0'?><x><script xmlns='http://www.w3.org/1999/xhtml'>{MARK}</script></x>",
    "a.png": f"<html><script>{MARK}</script>",
    "a.txt": f"hello <script>{MARK}</script>",
    "a.js": MARK,
}


@pytest.fixture
def page(chromium: Browser, town: Town) -> Iterator[Page]:
    context = chromium.new_context(base_url=town.url)
    page = context.new_page()
    page.goto("/about")
    yield page
    context.close()


@pytest.fixture(params=list(HOSTILE))
def hostile(request: pytest.FixtureRequest, town: Town) -> Iterator[File]:
    name: str = request.param
    bob = town.users["bob"]
    file = town.do(lambda models: stored(models, bob, name, HOSTILE[name].encode()))
    yield file
    town.do(lambda models: models.files.trash(file.id, by=bob))


def ran(page: Page) -> bool:
    page.goto("/about")
    found: bool = page.evaluate("localStorage.getItem('ran') !== null")
    return found


def opened(page: Page, path: str) -> bool:
    """Go there; whether it was shown rather than saved."""
    saved: list[Download] = []
    page.once("download", lambda download: saved.append(download))
    answer = page.evaluate("path => { location.href = path; }", path)
    assert answer is None
    for _ in range(200):
        page.wait_for_timeout(50)
        if saved or page.url.endswith(path):
            break
    page.wait_for_timeout(300)  # what would run has run by then: nothing tells that nothing happens
    return not saved


def viewer_started(page: Page) -> bool:
    """Within 10 s: the browser's own viewer comes after the page."""
    for _ in range(200):
        if any(frame.url.startswith("chrome-extension://") for frame in page.frames):
            return True
        page.wait_for_timeout(50)
    return False


def test_the_mark_is_seen_when_something_runs(page: Page) -> None:
    page.evaluate(MARK)

    assert ran(page)


def test_nothing_runs_when_a_file_is_opened(page: Page, hostile: File) -> None:
    shown = opened(page, f"/i/{hostile.stored_name}")
    assert not ran(page)
    saved = not opened(page, f"/d/{hostile.stored_name}")
    assert not ran(page)

    assert shown == (hostile.name in ("a.txt", "a.js"))
    assert saved


def test_nothing_runs_when_a_page_of_ours_puts_it_somewhere(page: Page, hostile: File) -> None:
    """As an injected tag would: the site's own pages allow scripts and pictures of this origin."""
    for tag, attribute in (("script", "src"), ("img", "src"), ("iframe", "src"), ("object", "data"), ("embed", "src")):
        page.evaluate(
            """([tag, attribute, path]) => new Promise(done => {
              const element = Object.assign(document.createElement(tag), { onload: done, onerror: done });
              element.setAttribute(attribute, path);
              document.body.append(element);
              setTimeout(done, 500);
            })""",
            [tag, attribute, f"/i/{hostile.stored_name}"],
        )

    assert not ran(page)


def test_a_paper_is_shown(page: Page, town: Town) -> None:
    """By the viewer of the browser, which starts."""
    bob = town.users["bob"]
    file = town.do(lambda models: stored(models, bob, "paper.pdf", PDF + b"%another"))
    answer = page.goto(f"/i/{file.stored_name}")

    assert answer
    assert answer.headers["content-type"] == "application/pdf"
    expect(page.locator("body")).to_be_attached()
    assert viewer_started(page)
    town.do(lambda models: models.files.trash(file.id, by=bob))
