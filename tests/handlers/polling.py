"""A poll to vote in, and what programs send about it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from models import Models
from models.poll_rules import NewPoll
from models.polls import Poll
from tests.harness.browser import Answer, Browser
from tests.harness.people import People


async def lunch(models: Models, people: People, **rules: Any) -> Poll:
    """Three choices, by Alice."""
    new = NewPoll("Where shall we eat?", ("By the sea", "In the park", "在家 🏠"), **rules)
    return await models.polls.create(new, by=people.alice)


def soon(**more: float) -> datetime:
    """A moment so much later, an hour unless said otherwise."""
    return datetime.now(UTC) + timedelta(**(more or {"hours": 1}))


async def sent(browser: Browser, method: str, path: str, value: Any, **headers: str) -> Answer:
    """A body of JSON. Headers by keyword: `if_match="..."`."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return await browser.request(
        method, path, body=json.dumps(value).encode(), headers={"Content-Type": "application/json", **named}
    )


async def voted(browser: Browser, poll: Poll, *places: int) -> Answer:
    """A ballot for the choices at these places of the poll."""
    chosen = [poll.choices[place].id for place in places]
    return await sent(browser, "PUT", f"/api/v1/polls/{poll.id}/ballot", {"choices": chosen})
