"""The bytes of files, as this process sends them itself; short addresses; pictures in other sizes."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.sending import Part, part_of
from models import Models, file_rows
from models.file_rows import File
from models.uploads import Box
from tests.content.pictures import opened, picture
from tests.handlers.test_tokens import bearer, token
from tests.harness.browser import Answer, Browser
from tests.harness.files import PDF, PNG, form, stored
from tests.harness.people import People

TEXT = bytes(range(48, 58)) * 100_000  # 1 MB of digits


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"uploads_per_minute": 1000}


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("", Part(0, 100)), ("bytes=0-", Part(0, 100)), ("bytes=1-1", Part(1, 2)), ("bytes=90-", Part(90, 100)),
        ("bytes=-10", Part(90, 100)), ("bytes=-1000", Part(0, 100)), ("bytes=90-1000", Part(90, 100)), ("bytes=100-", None),
        ("bytes=-0", None), ("bytes=5-4", Part(0, 100)), ("bytes=1-2,4-5", Part(0, 100)), ("lines=1-2", Part(0, 100)),
        ("bytes=-", Part(0, 100)), ("bytes=a-b", Part(0, 100)), ("bytes=1", Part(0, 100)),
        ("bytes=" + "9" * 400 + "-", Part(0, 100)), ("bytes=--5", Part(0, 100)), ("bytes=²-", Part(0, 100)),
        ("bytes=", Part(0, 100)),
    ],
)  # fmt: skip
def test_what_a_range_asks_for(asked: str, part: Part | None) -> None:
    assert part_of(asked, 100) == part


async def asked(browser: Browser, path: str, method: str = "GET", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await browser.request(method, path, headers=named)


async def test_a_file_is_shown_or_saved_under_its_own_name(models: Models, people: People, visitor: Browser) -> None:
    file = await stored(models, people.bob, "猫.png", PNG)
    shown, saved = await visitor.get(f"/i/{file.stored_name}"), await visitor.get(f"/d/{file.stored_name}")

    assert shown.body == saved.body == PNG
    assert shown.headers["Content-Type"] == saved.headers["Content-Type"] == "image/png"
    name = "filename=\"_.png\"; filename*=UTF-8''%E7%8C%AB.png"
    assert shown.headers["Content-Disposition"] == f"inline; {name}"
    assert saved.headers["Content-Disposition"] == f"attachment; {name}"
    assert shown.headers["Cache-Control"] == saved.headers["Cache-Control"] == "public, max-age=2592000"
    assert "Set-Cookie" not in shown.headers


SAFE = "default-src 'none'; sandbox"
FRAMED = "default-src 'none'; frame-ancestors 'self'"


@pytest.mark.parametrize(
    ("name", "data", "kind", "how", "policy"),
    [
        ("a.png", PNG, "image/png", "inline", SAFE),
        ("a.txt", b"words", "text/plain; charset=utf-8", "inline", SAFE),
        ("a.js", b"alert(1)", "text/plain; charset=utf-8", "inline", SAFE),
        ("a.pdf", PDF, "application/pdf", "inline", FRAMED),
        ("a.html", b"<script>alert(1)</script>", "application/octet-stream", "attachment", SAFE),
        ("a.svg", b"<svg onload='alert(1)'/>", "application/octet-stream", "attachment", SAFE),
        ("a.png", b"<html><script>alert(1)</script>", "application/octet-stream", "attachment", SAFE),
        ("a.xml", b"<?xml version='1.0'?><a/>", "application/octet-stream", "attachment", SAFE),
        ("a.exe", b"MZ\x90\0\x03" + bytes(90), "application/octet-stream", "attachment", SAFE),
    ],
)
async def test_only_what_browsers_merely_show_is_shown(
    models: Models, people: People, visitor: Browser, name: str, data: bytes, kind: str, how: str, policy: str
) -> None:
    file = await stored(models, people.bob, name, data)
    for path in ("/i", "/d"):
        answer = await visitor.get(f"{path}/{file.stored_name}")

        assert answer.body == data
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Content-Disposition"].startswith(how if path == "/i" else "attachment")
        assert answer.headers["Content-Security-Policy"] == policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        shared = "cross-origin" if how == "inline" else "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == shared


async def test_a_part_of_a_file(models: Models, people: People, visitor: Browser) -> None:
    file = await stored(models, people.bob, "digits.txt", TEXT)
    path = f"/i/{file.stored_name}"
    part, end = await asked(visitor, path, Range="bytes=5-9"), await asked(visitor, path, Range="bytes=-3")
    beyond, whole = (
        await asked(visitor, path, Range="bytes=1000000-"),
        await asked(visitor, path, Range="bytes=0-999999"),
    )

    assert (part.status, part.body, part.headers["Content-Range"]) == (206, b"56789", "bytes 5-9/1000000")
    assert (end.status, end.body) == (206, b"789")
    assert (beyond.status, beyond.body, beyond.headers["Content-Range"]) == (416, b"", "bytes */1000000")
    assert (whole.status, whole.body) == (200, TEXT)
    assert whole.headers["Accept-Ranges"] == "bytes"


async def test_a_part_only_of_the_same_bytes(models: Models, people: People, visitor: Browser) -> None:
    file = await stored(models, people.bob, "digits.txt", TEXT)
    path = f"/i/{file.stored_name}"
    etag, modified = (await visitor.get(path)).headers["Etag"], (await visitor.get(path)).headers["Last-Modified"]

    for known, status in ((etag, 206), (modified, 206), ('"other"', 200), ("Mon, 01 Jan 2001 00:00:00 GMT", 200)):
        assert (await asked(visitor, path, Range="bytes=5-9", If_Range=known)).status == status
    assert (await asked(visitor, path, If_None_Match=etag)).status == 304
    assert (await asked(visitor, path, If_None_Match='"other"')).status == 200


async def test_the_head_of_a_file_has_its_size(models: Models, people: People, visitor: Browser) -> None:
    file = await stored(models, people.bob, "digits.txt", TEXT)
    head = await asked(visitor, f"/d/{file.stored_name}", "HEAD")

    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "1000000")


async def test_behind_nginx_it_is_only_said_where_the_bytes_lie(
    models: Models, people: People, visitor: Browser
) -> None:
    file = await stored(models, people.bob, "a.png", PNG)
    for _ in range(3):
        there = await asked(visitor, f"/i/{file.stored_name}", X_Plaza_Sends="files")
        here = await visitor.get(f"/i/{file.stored_name}")

        assert there.headers["X-Accel-Redirect"] == models.storage.internal(file.sha256)
        assert there.body == b""
        assert there.headers["Content-Disposition"] == 'inline; filename="a.png"'
        assert "Etag" not in there.headers
        assert here.body == PNG
        assert "X-Accel-Redirect" not in here.headers


async def ended(models: Models, file: File, at: datetime) -> None:
    async with models.files.write() as w:
        await file_rows.prolong(w, file, at)


async def test_a_file_is_gone_at_its_time_and_never_remembered_beyond_it(
    models: Models, people: People, visitor: Browser
) -> None:
    file = await stored(models, people.bob, "a.png", picture(60, 40), timedelta(hours=1))
    await models.uploads.resized(file, Box(10, 10), by=people.bob)
    token = models.short.encode(file.id)
    paths = (
        f"/i/{file.stored_name}", f"/d/{file.stored_name}", f"/s/{token}", f"/r/{file.stored_name}?w=10&h=10",
        f"/api/v1/files/{file.stored_name}",
    )  # fmt: skip
    before = [[(await visitor.get(path)).status for path in paths] for _ in range(3)]
    age = int((await visitor.get(paths[0])).headers["Cache-Control"].partition("max-age=")[2])
    end = datetime.now(UTC) + timedelta(seconds=3)
    await ended(models, file, end)
    soon = await visitor.get(paths[0])
    for _ in range(3):  # what may be remembered is now: nothing is written when the time comes
        assert [(await visitor.get(path)).status for path in paths] == [200, 200, 302, 200, 200]
    await asyncio.sleep((end - datetime.now(UTC)).total_seconds() + 0.05)

    assert before == [[200, 200, 302, 200, 200]] * 3
    assert 3500 < age <= 3600
    assert int(soon.headers["Cache-Control"].partition("max-age=")[2]) <= 3
    assert [(await visitor.get(path)).status for path in paths] == [404] * 5
    assert (await visitor.get("/latest_files")).json() == []


async def test_a_file_that_is_deleted_is_gone_everywhere(models: Models, people: People, visitor: Browser) -> None:
    file = await stored(models, people.bob, "a.png", PNG)
    paths = (f"/i/{file.stored_name}", f"/d/{file.stored_name}", f"/s/{models.short.encode(file.id)}")
    for path in paths:
        await visitor.get(path)
    await models.files.trash(file.id, by=people.bob)

    assert [(await visitor.get(path)).status for path in paths] == [404] * 3
    assert (await visitor.get("/latest_files")).json() == []


@pytest.mark.parametrize(
    "path", ["/i/", "/d/", "/i/" + "0" * 32, "/d/" + "0" * 32 + ".png", "/i/..%2f..%2fsecrets", "/r/x?w=1&h=1"]
)
async def test_there_is_nothing_at_other_names(visitor: Browser, path: str) -> None:
    assert (await visitor.get(path)).status == 404


async def test_a_row_whose_bytes_are_gone_is_no_error_of_ours(
    models: Models, people: People, visitor: Browser, bob: Browser
) -> None:
    file = await stored(models, people.bob, "a.png", PNG)
    await models.storage.delete(file.sha256, within=5)

    assert (await visitor.get(f"/i/{file.stored_name}")).status == 404
    assert (await bob.get(f"/r/{file.stored_name}?w=1&h=1")).status == 404


async def test_a_short_address_leads_to_the_page(models: Models, people: People, visitor: Browser) -> None:
    file = await stored(models, people.bob, "a.png", PNG)
    token = models.short.encode(file.id)
    answer = await visitor.get(f"/s/{token}")

    assert (answer.status, answer.location) == (302, f"/p/{file.stored_name}")
    for wrong in (token + "a", token[:-1], models.short.encode(file.id + 1), "1", "0" * 20, "%00", "x" * 500):
        assert (await visitor.get(f"/s/{wrong}")).status == 404


async def test_a_picture_in_another_size(models: Models, people: People, bob: Browser, visitor: Browser) -> None:
    file = await stored(models, people.bob, "a.png", picture(600, 400))
    path = f"/r/{file.stored_name}?w=50&h=50"
    stranger = await visitor.get(path)
    made = await bob.get(path)
    again, known = await bob.get(path), await visitor.get(path)
    copy = await visitor.get("/i/" + made.text.partition("/i/")[2])

    assert stranger.status == 401
    assert (made.status, made.headers["Content-Type"]) == (200, "text/plain; charset=UTF-8")
    assert made.text == again.text == known.text
    assert opened(copy.body).size == (50, 50)
    assert made.headers["Cache-Control"] == "private, no-store"
    assert "a-50x50.png" in copy.headers["Content-Disposition"]
    assert (await models.files.usage(people.bob.id)).files == 2
    assert (await bob.get("/r/" + copy.path.removeprefix("/i/") + "?w=50&h=50")).text == made.text


@pytest.mark.parametrize(
    "query",
    [
        "", "?w=50", "?h=50", "?w=0&h=50", "?w=50&h=4097", "?w=-1&h=1", "?w=a&h=b", "?w=1.5&h=1", "?w=&h=", "?w=50&h=50&x=1",
        "?w=" + "9" * 200 + "&h=1", "?w=%00&h=1", "?w=%ff&h=1",
    ],
)  # fmt: skip
async def test_a_size_that_is_none_is_400(models: Models, people: People, bob: Browser, query: str) -> None:
    file = await stored(models, people.bob, "a.png", PNG)

    assert (await bob.get(f"/r/{file.stored_name}{query}")).status == 400


async def test_only_pictures_have_sizes(models: Models, people: People, bob: Browser) -> None:
    text = await stored(models, people.bob, "a.txt", b"words")
    broken = await stored(models, people.bob, "a.jpg", picture(600, 400, "JPEG")[:700])
    pages = [await bob.get(f"/r/{file.stored_name}?w=5&h=5") for file in (text, broken)]

    assert [page.status for page in pages] == [415, 415]
    assert "no picture" in pages[0].json()["errors"]["file"]
    assert (await bob.get(f"/r/{text.stored_name}?w=5&h=5", accept="text/html")).text.startswith("<!doctype")


async def test_a_file_has_at_most_twenty_sizes(models: Models, people: People, bob: Browser) -> None:
    file = await stored(models, people.bob, "a.png", picture(60, 40))
    statuses = [(await bob.get(f"/r/{file.stored_name}?w={n}&h=1")).status for n in range(1, 22)]

    assert statuses == [200] * 20 + [422]
    assert (await bob.get(f"/r/{file.stored_name}?w=20&h=1")).status == 200


async def test_a_page_of_another_site_makes_nobody_write(models: Models, people: People, bob: Browser) -> None:
    file = await stored(models, people.bob, "a.png", picture(60, 40))
    path = f"/r/{file.stored_name}?w=5&h=5"

    assert (await asked(bob, path, Sec_Fetch_Site="cross-site")).status == 403
    assert (await asked(bob, path, Sec_Fetch_Site="same-origin")).status == 200
    assert (await asked(bob, path, Sec_Fetch_Site="cross-site")).status == 200  # there it is only read


async def test_many_who_ask_for_one_size_get_one_copy(models: Models, people: People, bob: Browser) -> None:
    file = await stored(models, people.bob, "a.png", picture(600, 400))
    answers = await asyncio.gather(*(bob.get(f"/r/{file.stored_name}?w=50&h=50") for _ in range(8)))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert (await models.files.usage(people.bob.id)).files == 2


async def test_a_token_may_upload_and_ask_for_sizes_if_it_may_write(
    models: Models, people: People, bob: Browser, visitor: Browser
) -> None:
    file = await stored(models, people.bob, "a.png", picture(60, 40))
    writer, reader = (await token(bob, "write"))["token"], (await token(bob, "read"))["token"]
    path = f"/r/{file.stored_name}?w=5&h=5"
    body, headers = form("a.txt", b"words")

    for secret, statuses in ((reader, (403, 403, 403)), (writer, (200, 200, 200))):
        by = {**bearer(secret), "Sec-Fetch-Site": "cross-site"}
        sent = [
            (await visitor.request("POST", path, body=body, headers={**headers, "Accept": "*/*", **by})).status
            for path in ("/j", "/files")
        ]
        assert (*sent, (await visitor.request("GET", path, headers=by)).status) == statuses
    page = await visitor.request("GET", "/account/files", headers=bearer(writer))
    assert page.status == 302  # no token is heard there
