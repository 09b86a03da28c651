"""One Chromium for all these tests, one site with something in it and one without; a fresh context for each visitor."""

from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import Chromium, Window, run_chromium
from tests.browser.town import Town, run_town, settle
from tests.harness.servers import Databases


class Visit(Protocol):
    """`visit("bob")` is a page of a new window in which Bob is signed in; `visit()` is a stranger's."""

    def __call__(self, who: str | None = None, *, at: Town | None = None, **options: Any) -> Page: ...


@pytest.fixture(scope="session")
def session_chromium() -> Iterator[Chromium]:
    with run_chromium() as running:
        yield running


@pytest.fixture
def chromium(session_chromium: Chromium) -> Iterator[Browser]:
    with session_chromium.at_work() as browser:
        yield browser


@pytest.fixture(scope="session")
def town(databases: Databases) -> Iterator[Town]:
    """The full site. A test leaves what it did not make itself as it found it."""
    mail = {
        "smtp_url": "smtp://localhost:9",
        "mail_from": "Plaza <plaza@example.org>",
    }  # no worker runs, so none is sent
    with run_town(databases, **mail) as town:
        settle(town)
        yield town


@pytest.fixture(scope="session")
def village(databases: Databases) -> Iterator[Town]:
    """A site where nothing was written yet; it approves its members, and its limits are narrow."""
    choices = {"registration": "approve", "signin_failures_account": 1, "comments_per_minute": 1, "max_body": 65536}
    with run_town(databases, **choices, mysql_timeout=1.0, tagline="") as village:
        yield village


@pytest.fixture
def visit(chromium: Browser, town: Town) -> Iterator[Visit]:
    """Makes windows; at the end nothing may have gone wrong in any of them."""
    windows: list[Window] = []

    def open_window(who: str | None = None, *, at: Town | None = None, **options: Any) -> Page:
        place = at or town
        options = {"extra_http_headers": place.anew, **options}
        windows.append(Window(chromium, place.url, place.token(who) if who else None, **options))
        return windows[-1].page()

    yield open_window
    problems = [problem for window in windows for problem in window.drain()]
    for window in windows:
        window.context.close()
    assert problems == []


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def script(request: pytest.FixtureRequest) -> bool:
    """Whether the visitor's browser runs scripts."""
    runs: bool = request.param
    return runs
