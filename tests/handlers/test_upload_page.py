"""The plain form of the page of files: what it takes, and how it tells what is wrong."""

import re

import pytest

from models import Models
from tests.harness.browser import Answer, Browser
from tests.harness.files import PNG, form, png
from tests.harness.people import People


async def sent(browser: Browser, name: str = "a.txt", data: bytes = b"words", **fields: str) -> Answer:
    body, headers = form(name, data, **fields)
    return await browser.request("POST", "/files", body=body, headers=headers)


async def test_the_form_leads_to_the_page_of_the_file(models: Models, people: People, bob: Browser) -> None:
    answer = await sent(bob, "notes.txt", w="", h="", expires="")

    assert answer.status == 303
    assert re.fullmatch(r"/p/[0-9a-f]{32}\.txt", answer.location)
    file = await models.files.named(answer.location.removeprefix("/p/"))
    assert (file.name, file.owner_id, file.expires_at) == ("notes.txt", people.bob.id, None)
    assert (await sent(bob, "again.txt")).location == answer.location  # the same bytes are the same file


async def test_a_picture_is_cut_and_a_file_ends_if_that_is_wanted(models: Models, people: People, bob: Browser) -> None:
    answer = await sent(bob, "wide.png", png(400, 100), w="50", h="50", expires="1d")
    file = await models.files.named(answer.location.removeprefix("/p/"))

    assert (file.width, file.height) == (50, 50)
    assert file.expires_at
    assert (file.expires_at - file.created_at).days == 1


@pytest.mark.parametrize(
    ("field", "data", "fields"),
    [
        ("w", PNG, {"w": "0", "h": "5"}), ("h", PNG, {"w": "5", "h": "5000"}), ("w", PNG, {"w": "-1", "h": "5"}),
        ("h", PNG, {"w": "5"}), ("w", PNG, {"h": "5"}), ("w", PNG, {"w": "wide", "h": "5"}),
        ("expires", PNG, {"expires": "never"}), ("file", b"words", {"w": "5", "h": "5"}),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_beside_its_field_and_the_rest_stays(
    models: Models, people: People, bob: Browser, field: str, data: bytes, fields: dict[str, str]
) -> None:
    answer = await sent(bob, "a.png", data, **fields)

    assert 400 <= answer.status < 500
    assert f'id="page-{field}-error"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    kept = [value for name, value in fields.items() if name in ("w", "h")]
    assert [value for value in kept if f'value="{value}"' not in answer.text] == []
    assert await models.files.of_owner(people.bob.id) == []


async def test_no_file_at_all_is_told_beside_the_field(bob: Browser) -> None:
    answer = await sent(bob, "", b"")

    assert answer.status == 422
    assert 'id="page-file-error"' in answer.text


async def test_a_script_is_told_in_json(bob: Browser, visitor: Browser) -> None:
    body, headers = form("a.txt", b"words", w="0", h="1")
    headers = {**headers, "Accept": "application/json"}
    answer = await bob.request("POST", "/files", body=body, headers=headers)
    assert answer.status == 422
    assert list(answer.json()["errors"]) == ["w"]
    assert (await visitor.request("POST", "/files", body=body, headers=headers)).status == 401


async def test_a_visitor_keeps_nothing_here(models: Models, people: People, visitor: Browser) -> None:
    answer = await sent(visitor)

    assert answer.status == 401
    assert await models.files.latest() == []
