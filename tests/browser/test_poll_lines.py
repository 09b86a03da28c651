"""The live line of a poll's page, with the server's end in the hands of the test: what is old, what breaks, who is refused."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from models.polls import Poll
from tests.browser.conftest import Visit
from tests.browser.polling import asked, figures
from tests.browser.town import Town


class Line:
    """The server's end of the live results, in the hands of the test."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.calls: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("/live$"), lambda call: self.calls.append(call))

    def wait(self, calls: int) -> None:
        """Until the browser has called so often; it is told of here a little later."""
        for _ in range(200):
            if len(self.calls) >= calls:
                break
            self._page.wait_for_timeout(25)
        assert len(self.calls) == calls

    def say(self, **news: Any) -> None:
        self.calls[-1].send(json.dumps(news))

    def end(self, code: int) -> None:
        self.calls[-1].close(code=code)


@pytest.fixture
def line(visit: Visit, town: Town) -> tuple[Page, Line, Poll]:
    """A page that has just connected; its clock goes when the test says so."""
    poll, page = asked(town), visit()
    line = Line(page)
    page.clock.install()
    page.goto(f"/polls/{poll.id}")
    line.wait(1)
    return page, line, poll


def test_what_is_older_than_what_is_shown_is_passed_over(line: tuple[Page, Line, Poll]) -> None:
    page, server, poll = line
    server.say(id=poll.id, status="open", voters=1200, votes=[1000, 200, 0], version=9)
    figures(page, "1,000 votes 83%", "200 votes 17%", "0 votes 0%")
    server.say(id=poll.id, status="open", voters=1, votes=[1, 0, 0], version=8)
    server.say(id=poll.id, status="open", voters=3, votes=[1, 2], version=10)  # of other choices than the page has
    server.say(id=poll.id, status="closed", voters=1200, version=9)

    expect(page.get_by_text("This poll is closed.")).to_be_visible()
    figures(page, "1,000 votes 83%", "200 votes 17%", "0 votes 0%")


def test_a_line_that_breaks_is_taken_up_again_after_pauses_that_grow(line: tuple[Page, Line, Poll]) -> None:
    page, server, _ = line
    for n, (too_early, late_enough) in enumerate([(240, 520), (490, 1020), (990, 2020)], start=2):
        server.end(1012)
        page.clock.run_for(too_early)
        assert len(server.calls) == n - 1
        page.clock.run_for(late_enough)
        server.wait(n)


def test_who_is_refused_the_results_does_not_ask_again(line: tuple[Page, Line, Poll]) -> None:
    page, server, _ = line
    server.end(4403)
    page.clock.run_for(120_000)

    assert len(server.calls) == 1


def test_a_page_that_nobody_looks_at_does_not_ask(line: tuple[Page, Line, Poll]) -> None:
    page, server, _ = line
    look = "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); "
    page.evaluate(look + "document.dispatchEvent(new Event('visibilitychange')) }", True)
    server.end(1012)
    page.clock.run_for(120_000)
    assert len(server.calls) == 1
    page.evaluate(look + "document.dispatchEvent(new Event('visibilitychange')) }", False)
    page.clock.run_for(10)

    server.wait(2)
