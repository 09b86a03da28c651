"""The form of registration tells programs from people, and no person is turned away for good."""

import re
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from handlers import doorman
from tests.harness.browser import Browser

BROWSERS = {"Sec-Fetch-Site": "same-origin"}
FORM = {"name": "Nina", "email": "nina@example.org", "password": "correct horse battery"}


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"form_seconds": 2.0}


def stamp_in(text: str) -> str:
    found = re.search(r'name="stamp" value="([^"]+)"', text)
    assert found
    return found[1]


async def opened(visitor: Browser, ago: float) -> str:
    """The stamp of a form that was opened so many seconds ago."""
    now = time.time()
    with mock.patch.object(doorman, "time") as clock:
        clock.time.return_value = now - ago
        return stamp_in((await visitor.get("/register")).text)


async def test_who_takes_their_time_is_a_member(visitor: Browser) -> None:
    stamp = await opened(visitor, 3)

    assert (await visitor.post("/register", {**FORM, "stamp": stamp}, headers=BROWSERS)).status == 303


async def test_who_is_too_quick_is_asked_to_send_it_again_and_then_counts_from_the_first_opening(
    visitor: Browser,
) -> None:
    stamp = await opened(visitor, 0)

    quick = await visitor.post("/register", {**FORM, "stamp": stamp}, headers=BROWSERS)

    assert quick.status == 422
    assert "That was very quick." in quick.text
    assert 'value="nina@example.org"' in quick.text
    assert stamp_in(quick.text) == stamp


@pytest.mark.parametrize("stamp", ["", "2|1:0|10:1|5:stamp|4:MTIz|beef", "x" * 5000, "\u4e2d"])
async def test_a_browser_that_brings_no_good_stamp_gets_a_fresh_one(visitor: Browser, stamp: str) -> None:
    answer = await visitor.post("/register", {**FORM, "stamp": stamp}, headers=BROWSERS)

    assert answer.status == 422
    assert stamp_in(answer.text) != stamp


async def test_a_program_that_fills_in_everything_is_stopped(visitor: Browser) -> None:
    stamp = await opened(visitor, 3)

    answer = await visitor.post("/register", {**FORM, "stamp": stamp, "homepage": "https://spam.example"})

    assert answer.status == 422
    assert "https://spam.example" not in answer.text


async def test_a_script_without_a_form_is_held_to_the_limits_alone(browse: Callable[[], Browser]) -> None:
    assert (await browse().post("/register", FORM)).status == 303


async def test_the_trap_is_out_of_sight_and_reach(visitor: Browser) -> None:
    text = (await visitor.get("/register")).text

    assert re.search(r'<p class="unseen" aria-hidden="true"><label>[^<]+<input name="homepage" tabindex="-1"', text)
