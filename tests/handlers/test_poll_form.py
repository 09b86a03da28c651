"""The form of a poll when several things are wrong with it, and when somebody votes while it is filled in."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from handlers.zones import local_text
from models import Models
from tests.handlers.polling import lunch, voted
from tests.handlers.test_manage_polls import FORM, TOKYO
from tests.harness.browser import Browser
from tests.harness.people import People


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"time_zone": TOKYO}


async def test_all_that_is_wrong_is_told_at_once(people: People, models: Models, alice: Browser) -> None:
    poll = await lunch(models, people)
    for path in ("/manage/polls/create", f"/manage/polls/{poll.id}"):
        for end in ("2020-01-01T00:00", "soon"):
            wrong = {"question": "", "choices": "One", "closes_at": end, "version": str(poll.version)}
            assert (await alice.post(path, {**FORM, **wrong})).text.count('class="error"') == 3


async def test_the_form_of_a_page_from_before_the_first_vote_is_refused_by_what_cannot_change_any_more(
    models: Models, people: People, alice: Browser, bob: Browser
) -> None:
    poll = await lunch(models, people)
    await voted(bob, poll, 1)
    end = local_text(datetime.now(ZoneInfo(TOKYO)) + timedelta(days=1), TOKYO)
    choices = "\n".join(choice.text for choice in poll.choices)
    as_before = {
        "question": poll.question, "choices": choices, "kind": "single", "results": "always", "closes_at": end,
        "opens_at": local_text(poll.opens_at, TOKYO), "version": str(poll.version),
    }  # fmt: skip
    refused = await alice.post(f"/manage/polls/{poll.id}", {**as_before, "question": "Tea?", "visitors": "1"})

    assert refused.status == 422
    told = re.findall(r'class="error"><strong>(.*?)</strong> This cannot change any more', refused.text)
    assert told == ["Question", "Visitors may vote"]
    assert f'value="{end}"' in refused.text
    assert await models.polls.fresh().one(poll.id) == poll
    assert (await alice.post(f"/manage/polls/{poll.id}", as_before)).status == 303
    became = await models.polls.fresh().one(poll.id)
    assert became.closes_at
    assert (became.question, local_text(became.closes_at, TOKYO)) == (poll.question, end)
