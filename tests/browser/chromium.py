"""The system's Chromium, and a visitor's window into it that notes everything that must never happen on a page."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
PATIENCE = 20_000  # ms until something that must appear has appeared


class Chromium:
    """The running browser. Playwright's synchronous calls mark its loop as this thread's running one, so that no other could
    run here: outside of `at_work` it is put aside."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self._loop = browser, asyncio._get_running_loop()
        asyncio._set_running_loop(None)

    @contextmanager
    def at_work(self) -> Iterator[Browser]:
        asyncio._set_running_loop(self._loop)
        try:
            yield self.browser
        finally:
            asyncio._set_running_loop(None)


@contextmanager
def run_chromium() -> Iterator[Chromium]:
    playwright = sync_playwright().start()
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    chromium = Chromium(browser)
    try:
        yield chromium
    finally:
        with chromium.at_work():
            browser.close()
            playwright.stop()


class Window:
    """One visitor's browser context. `problems` are what went wrong on its pages, `requests` the addresses asked for."""

    def __init__(self, chromium: Browser, home: str, token: str | None = None, **options: Any) -> None:
        self.home, self.problems, self.requests = home, [], []  # type: tuple[str, list[str], list[str]]
        self.context: BrowserContext = chromium.new_context(base_url=home, **options)
        self.context.set_default_timeout(PATIENCE)
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self.problems.append(f"script: {error.error}"))
        self.context.on("request", self._request)
        self.context.on("requestfailed", self._failed)
        self.context.on("response", self._response)
        if token:
            self.sign_in(token)

    def sign_in(self, token: str) -> None:
        """Hold a session, without the time that a password takes."""
        self.context.add_cookies(
            [{"name": "plaza", "value": token, "url": self.home}, {"name": "member", "value": "1", "url": self.home}]
        )

    def page(self) -> Page:
        return self.context.new_page()

    def drain(self) -> list[str]:
        """The problems since the last time."""
        found = list(self.problems)
        self.problems.clear()
        return found

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium reports a document's own 404 or 422 as an error too; what a page loads is judged in `_response`.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)
        own = (
            "data:",
            "chrome-extension:",
            "chrome:",
        )  # the last two: the browser's viewer of PDF, which is a page itself
        if urlsplit(request.url).netloc != urlsplit(self.home).netloc and not request.url.startswith(own):
            self.problems.append(f"another host: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the visitor went on before it was there
            self.problems.append(f"failed: {request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self.problems.append(f"{response.status}: {response.url}")
