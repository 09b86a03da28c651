"""Asks byte for byte, and knows whether the answer is one that had been kept."""

import asyncio
import re

from models import Models
from tests.harness.browser import Browser

INSIDE = "Authorization: none\r\n"  # nobody reads it; with it a question is always the handler's


class Asker:
    """A visitor who sends bytes. `models` are those of the site that answers."""

    def __init__(self, browser: Browser, models: Models) -> None:
        self._browser, self._pages = browser, models.pages
        self.kept = False  # whether the last answer was one that had been kept

    @property
    def times_kept(self) -> int:
        """How often the site has answered anybody with what it had kept."""
        return self._pages.hits + self._pages.confirmed

    async def ask(self, path: str, more: str = "", *, method: str = "GET", version: str = "1.1") -> bytes:
        """All bytes that come back, but for the two values that are each request's own."""
        host, before = self._browser.base_url.removeprefix("http://"), self.times_kept
        close = "" if "Connection:" in more or version == "1.0" else "Connection: close\r\n"
        question = f"{method} {path} HTTP/{version}\r\nHost: {host}\r\n{close}{more}\r\n"
        answer = await self._browser.raw(question.encode(), seconds=5)
        self.kept = self.times_kept > before
        return re.sub(rb"(Date|X-Request-Id): [^\r]+", rb"\1: own", answer)

    async def until_kept(self, path: str, more: str = "") -> bytes:
        """Ask until the answer is one that was kept: it has to be made more than once, and nothing may change meanwhile."""
        for _ in range(20):
            answer = await self.ask(path, more)
            if self.kept:
                return answer
            await asyncio.sleep(0.05)
        raise AssertionError(f"{path} is not kept")
