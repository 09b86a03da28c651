"""Files for programs: sent, listed, described and deleted."""

from typing import Any

import pytest

from models import Models
from models.files import LATEST, PER_PAGE
from tests.harness.browser import Browser
from tests.harness.files import PNG, form, stored
from tests.harness.people import People

FILES = "/api/v1/files"


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"uploads_per_minute": 1000}


async def test_a_file_is_sent_and_described(people: People, bob: Browser, visitor: Browser) -> None:
    body, headers = form("cat.png", PNG)
    headers["Accept"] = "application/json"
    made = await bob.request("POST", FILES, body=body, headers=headers)
    again = await bob.request("POST", FILES, body=body, headers=headers)
    found = await visitor.get(made.location)

    assert (made.status, again.status) == (201, 200)
    assert made.json() == again.json() == found.json()
    told = found.json()
    assert told["url"] == made.location == again.location
    assert told["owner"] == {"id": people.bob.id, "name": "Bob", "url": f"/user/{people.bob.id}"}
    assert (told["filename"], told["kind"], told["mime"], told["size"]) == ("cat.png", "image", "image/png", len(PNG))
    assert (told["width"], told["height"], told["expires_at"]) == (3, 2, None)
    assert len(told["sha256"]) == 64
    assert (await visitor.get(told["url_i"].partition("localhost")[2].partition("/")[2].join(("/", "")))).body == PNG
    etag = found.headers["Etag"]
    assert (await visitor.request("GET", made.location, headers={"If-None-Match": etag})).status == 304


async def test_errors_are_problems(bob: Browser, visitor: Browser) -> None:
    body, headers = form("cat.png", PNG, w="0", h="5", other="x")
    answer = await bob.request("POST", FILES, body=body, headers={**headers, "Accept": "application/json"})
    html = await bob.request("POST", FILES, body=body, headers={**headers, "Accept": "text/html"})
    stranger = await visitor.request("POST", FILES, body=body, headers={**headers, "Accept": "*/*"})
    json = await bob.post_json(FILES, {"file": "x"})

    assert (answer.status, set(answer.json()["errors"])) == (422, {"w", "other"})
    assert html.status == 406
    assert (stranger.status, stranger.headers["WWW-Authenticate"]) == (401, 'Bearer realm="Plaza"')
    assert json.status == 415


async def test_the_latest_come_in_their_order(models: Models, people: People, visitor: Browser) -> None:
    files = [await stored(models, people.bob, f"{n}.txt", b"%d" % n) for n in range(5)]
    names = [file.name for file in reversed(files)]

    assert [one["filename"] for one in (await visitor.get(FILES)).json()] == names
    assert [one["filename"] for one in (await visitor.get(f"{FILES}?start=1&limit=2")).json()] == names[1:3]
    latest = (await visitor.get("/latest_files?start=1&limit=2")).json()
    assert latest == [{"id": file.id, "filename": file.name} for file in reversed(files[2:4])]
    assert (await visitor.get("/latest_files?start=50")).json() == []


@pytest.mark.parametrize("query", ["start=-1", "limit=-1", "start=x", "limit=1.5", "start=" + "9" * 400, "other=1"])
async def test_what_is_no_part_of_the_latest_is_told(visitor: Browser, query: str) -> None:
    for path in ("/latest_files", FILES):
        answer = await visitor.get(f"{path}?{query}")

        assert answer.status == 422, path
        assert answer.headers["Content-Type"].startswith("application/")


async def test_never_more_than_the_latest_fifty(models: Models, people: People, visitor: Browser) -> None:
    for n in range(LATEST + 2):
        await stored(models, people.bob, f"{n}.txt", b"%d" % n)

    assert len((await visitor.get("/latest_files?limit=1000")).json()) == LATEST
    assert len((await visitor.get(f"{FILES}?limit={LATEST}")).json()) == LATEST
    assert (await visitor.get(f"{FILES}?limit={LATEST + 1}")).status == 422


async def test_ones_own_are_all_there(models: Models, people: People, bob: Browser, visitor: Browser) -> None:
    await stored(models, people.alice, "hers.txt", b"hers")
    for n in range(PER_PAGE + 1):
        await stored(models, people.bob, f"{n}.txt", b"%d" % n)
    first = await bob.get(f"{FILES}?mine=true")
    rest = await bob.get(first.headers["Link"].partition("<")[2].partition(">")[0])

    assert [one["filename"] for one in (*first.json(), *rest.json())] == [
        f"{n}.txt" for n in reversed(range(PER_PAGE + 1))
    ]
    assert first.headers["Cache-Control"] == "private, no-store"
    assert "Link" not in rest.headers
    assert (await visitor.get(f"{FILES}?mine=true")).status == 401


async def test_its_owner_and_operators_delete_a_file(
    models: Models, people: People, bob: Browser, alice: Browser, olga: Browser, visitor: Browser
) -> None:
    his, other = await stored(models, people.bob, "a.txt", b"a"), await stored(models, people.bob, "b.txt", b"b")
    path = f"{FILES}/{his.stored_name}"

    # Who may has done it already, when it is sent a second time; to the others it is not there.
    for browser, status in ((visitor, 401), (alice, 403), (bob, 204), (bob, 204), (alice, 404), (visitor, 401)):
        assert (await browser.request("DELETE", path)).status == status
    for _ in range(2):
        assert (await olga.request("DELETE", f"{FILES}/{other.stored_name}")).status == 204
    assert (await bob.request("DELETE", f"{FILES}/nothing.txt")).status == 404
    assert (await visitor.get(path)).status == 404


async def test_the_description_has_the_form(visitor: Browser) -> None:
    told = (await visitor.get("/api/v1/openapi.json")).json()
    body = told["paths"][FILES]["post"]["requestBody"]["content"]

    assert list(body) == ["multipart/form-data"]
    shape = told["components"]["schemas"][body["multipart/form-data"]["schema"]["$ref"].rpartition("/")[2]]
    assert shape["properties"]["file"]["format"] == "binary"
    assert shape["required"] == ["file"]
    assert set(shape["properties"]) == {"file", "w", "h", "expires"}
