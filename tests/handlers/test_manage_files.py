"""Files as operators keep them: found by kind, owner and words, taken away, given back, and all of it undone."""

import re

import pytest

from models import Models
from tests.handlers.test_manage_people import batch
from tests.harness.browser import Browser
from tests.harness.files import PNG, stored
from tests.harness.people import People


def names(text: str) -> list[str]:
    return re.findall(r'aria-label="Select “([^”]+)”"', text)


async def test_an_operator_takes_files_away_and_undoes_it(
    models: Models, people: People, olga: Browser, visitor: Browser
) -> None:
    one, two = [await stored(models, people.bob, f"{name}.txt", name.encode()) for name in ("one", "two")]
    done = await olga.request("POST", "/manage/files", body=f"action=trash&ids={one.id}&ids={two.id}".encode(),
                              headers={"Content-Type": "application/x-www-form-urlencoded"}, follow=True)  # fmt: skip
    assert "2 files are in the trash." in done.text
    assert [(await visitor.get(f"/p/{file.stored_name}")).status for file in (one, two)] == [404, 404]

    back = await olga.post(done.path, {"undo": batch(done)}, follow=True)

    assert "Undone: 2 are as they were before." in back.text
    assert [(await visitor.get(f"/p/{file.stored_name}")).status for file in (one, two)] == [200, 200]
    log = await olga.get("/manage/audit?action=file.trash")
    assert "put a file in the trash" in log.text
    assert f"file {one.id}" in log.text


async def test_what_an_operator_took_away_its_owner_does_not_bring_back(
    models: Models, people: People, olga: Browser, bob: Browser
) -> None:
    file = await stored(models, people.bob, "bad.txt", b"bad")
    await olga.post("/manage/files", {"one": f"trash.{file.id}"})
    assert (await bob.post("/account/files", {"one": f"restore.{file.id}"})).status == 403

    trash = await olga.get("/manage/files?status=trashed")
    assert names(trash.text) == ["bad.txt"]
    assert f"/p/{file.stored_name}" not in trash.text
    done = await olga.post("/manage/files?status=trashed", {"one": f"restore.{file.id}"}, follow=True)
    assert "1 file is shown again." in done.text


async def test_files_are_found_by_kind_owner_and_words(models: Models, people: People, olga: Browser) -> None:
    await stored(models, people.bob, "holiday photo.png", PNG)
    await stored(models, people.bob, "holiday notes.txt", b"notes")
    await stored(models, people.alice, "minutes.txt", b"minutes")
    for query, expected in (
        ("", ["minutes.txt", "holiday notes.txt", "holiday photo.png"]), ("kind=text", ["minutes.txt", "holiday notes.txt"]),
        ("owner=bob@example.org", ["holiday notes.txt", "holiday photo.png"]), (f"owner={people.alice.id}", ["minutes.txt"]),
        ("owner=nobody@example.org", []), ("kind=image&owner=bob@example.org", ["holiday photo.png"]),
        ("q=holiday&kind=text", ["holiday notes.txt"]), ("q=nothing", []), ("status=trashed", []),
    ):  # fmt: skip
        page = await olga.get(f"/manage/files?{query}")
        assert page.status == 200
        assert names(page.text) == expected, query


@pytest.mark.parametrize("query", ["status=hidden", "kind=movie", "after=x", "before=1.2.3"])
async def test_filters_that_do_not_exist_are_not_found(olga: Browser, query: str) -> None:
    assert (await olga.get(f"/manage/files?{query}")).status == 404


@pytest.mark.parametrize(
    "form", [{"one": "purge.1"}, {"action": "trash", "ids": "x"}, {"one": "trash.1234567890123456789"}]
)
async def test_an_action_that_no_form_of_ours_has_is_refused(olga: Browser, form: dict[str, str]) -> None:
    assert (await olga.post("/manage/files", form)).status == 422
