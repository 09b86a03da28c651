"""Polls that a test makes for itself, votes in them from elsewhere, and what a page shows of that."""

from typing import Any

from playwright.sync_api import Page, expect

from models.poll_rules import NewPoll
from models.polls import Poll
from tests.browser.town import Town


def asked(town: Town, **rules: Any) -> Poll:
    new = NewPoll("Which way?", ("To the left", "To the right", "Straight on"), **rules)
    return town.do(lambda models: models.polls.create(new, by=town.users["alice"]))


def cast(town: Town, poll: Poll, who: str, place: int) -> None:
    """Another process's vote."""
    town.do(lambda models: models.ballots.cast(poll, [poll.choices[place].id], voter=town.users[who]))


def figures(page: Page, *votes: str) -> None:
    """Wait until the choices of the page's poll have these numbers."""
    expect(page.locator(".poll-box .figures")).to_have_text(list(votes))
