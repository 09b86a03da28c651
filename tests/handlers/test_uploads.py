"""Files that are sent: what is kept, how it is answered, and why some are not taken."""

from datetime import timedelta
from typing import Any

import pytest

from handlers.file_addresses import humanize_bytes
from models import Models
from settings import Settings
from tests.content.pictures import bomb, opened, picture
from tests.harness.browser import Answer, Browser
from tests.harness.files import PNG, form, nothing_is_left
from tests.harness.people import People

JSON = {"Accept": "application/json"}
LARGEST = 200_000  # bytes of a file here


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"max_upload": LARGEST, "quota": 300_000, "uploads_per_minute": 40}


async def sent(browser: Browser, path: str, name: str, data: bytes, *, accept: str = "*/*", **fields: str) -> Answer:
    body, headers = form(name, data, **fields)
    return await browser.request("POST", path, body=body, headers={**headers, "Accept": accept})


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (0, "0.00 bytes"), (100, "100.00 bytes"), (1023, "1023.00 bytes"), (1024, "1.00 kB"), (34_500, "33.69 kB"),
        (34_500_000, "32.90 MB"), (1024 * 1024 - 1, "1.00 MB"), (1 << 30, "1.00 GB"), (1 << 50, "1024.00 TB"),
    ],
)  # fmt: skip
def test_sizes_in_words(n: int, words: str) -> None:
    assert humanize_bytes(n) == words


async def test_a_person_is_led_to_the_page_of_the_file(models: Models, bob: Browser, people: People) -> None:
    answer = await sent(bob, "/files", "猫.png", PNG, accept="text/html")
    file = await models.files.named(answer.location.removeprefix("/p/"))

    assert (answer.status, file.name, file.owner_id, file.kind) == (303, "猫.png", people.bob.id, "image")


async def test_a_script_is_told_where_the_file_is(models: Models, bob: Browser, settings: Settings) -> None:
    answer = await sent(bob, "/files", "cat.png", PNG)
    (file,) = await models.files.latest()
    url, name = settings.site_url, file.stored_name

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {
        "url_d": f"{url}/d/{name}", "url_i": f"{url}/i/{name}", "url_s": f"{url}/s/{models.short.encode(file.id)}",
        "url_p": f"{url}/p/{name}", "filename": "cat.png", "size": f"{len(PNG)}.00 bytes", "type": "image",
        "time": file.created_at.isoformat(timespec="seconds"),
        "quoteurl": f"{url}/i/{name}".replace(":", "%3A").replace("/", "%2F"),
    }  # fmt: skip


async def test_j_tells_what_its_scripts_know(models: Models, bob: Browser, settings: Settings) -> None:
    answer = await sent(bob, "/j", "cat.png", picture(60, 40))
    (file,) = await models.files.latest()

    assert answer.status == 200
    assert answer.json() == {
        "url": f"{settings.site_url}/i/{file.stored_name}", "origin_filename": "cat.png", "hash": file.stored_name[:32],
        "short_url": f"{settings.site_url}/s/{models.short.encode(file.id)}", "width": 60, "height": 40,
    }  # fmt: skip


async def test_originals_are_kept_byte_for_byte_and_once(models: Models, bob: Browser, alice: Browser) -> None:
    first = (await sent(bob, "/j", "a.png", PNG)).json()
    again = (await sent(bob, "/j", "b.png", PNG)).json()
    other = (await sent(alice, "/j", "a.png", PNG)).json()
    hers, his = await models.files.latest()

    assert first == again
    assert other["hash"] != first["hash"]
    assert hers.sha256 == his.sha256
    async with models.storage.open(his.sha256) as path:
        assert path.read_bytes() == PNG


async def test_a_picture_is_cropped_on_its_way_in(models: Models, bob: Browser) -> None:
    answer = await sent(bob, "/j", "cat.gif", picture(600, 400, "GIF"), w="50", h="50")
    (file,) = await models.files.latest()

    assert (answer.json()["width"], answer.json()["height"]) == (50, 50)
    assert (file.name, file.mime) == ("cat.png", "image/png")
    async with models.storage.open(file.sha256) as path:
        assert opened(path.read_bytes()).size == (50, 50)


@pytest.mark.parametrize(("expires", "hours"), [("1h", 1), ("1d", 24), ("7d", 168), ("30d", 720), ("", None)])
async def test_a_file_may_have_an_end(models: Models, bob: Browser, expires: str, hours: int | None) -> None:
    await sent(bob, "/j", "a.txt", b"words", expires=expires)
    (file,) = await models.files.latest()

    assert (file.expires_at - file.created_at if file.expires_at else None) == (hours and timedelta(hours=hours))


@pytest.mark.parametrize(
    "name", ["猫.png", "قطة صغيرة.pdf", "🐈‍⬛ cat.gif", "a'b;c,d=e.txt", "100% «ü».csv", "no suffix"]
)
async def test_names_in_any_language_come_back_unchanged(bob: Browser, name: str) -> None:
    assert (await sent(bob, "/j", name, b"words of " + name.encode())).json()["origin_filename"] == name


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../x.txt", "x.txt"), ("C:\\me\\x.txt", "x.txt"), ("..", "file"), ("字" * 300 + ".txt", "字" * 251 + ".txt")],
)
async def test_a_path_is_no_part_of_a_name(bob: Browser, name: str, kept: str) -> None:
    assert (await sent(bob, "/j", name, b"words")).json()["origin_filename"] == kept


def part(head: str, value: bytes = b"words") -> bytes:
    return f"--x-y-z\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n"


FILE, END = part('name="file"; filename="a.txt"'), b"--x-y-z--\r\n"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (END, 422, "file"),
        (b"", 400, None),
        (part('name="w"', b"1") + END, 422, "file"),
        (part('name="file"') + END, 422, "file"),
        (part('name="file"; filename=""', b"") + END, 422, "file"),
        (part('name="file"; filename="a.txt"', b"") + END, 422, "file"),
        (FILE + FILE + END, 422, "file"),
        (FILE + part('name="other"; filename="b.txt"') + END, 422, "other"),
        (FILE + part('name="other"') + END, 422, "other"),
        (FILE + part('name="w"', b"x" * 2000) + END, 422, "w"),
        (FILE + b"".join(part(f'name="f{n}"') for n in range(50)) + END, 422, "file"),
        (FILE, 400, None),
        (FILE[:-10], 400, None),
        (b"garbage" * 100, 400, None),
        (FILE.replace(b"\r\n\r\n", b"\n\n") + END, 400, None),
        (FILE.replace(b"a.txt", b"\xff\xfe.txt") + END, 400, None),
        (b"--x-y-z\r\n" + b"X-Long: " + b"x" * 10_000 + b"\r\n\r\n" + END, 400, None),
        (FILE.replace(b"form-data", b"attachment") + END, 400, None),
    ],
)
async def test_forms_that_are_not_taken(
    bob: Browser, settings: Settings, models: Models, body: bytes, status: int, field: str | None
) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=x-y-z"}
    answer = await bob.request("POST", "/j", body=body, headers=kind)

    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert field is None or field in answer.json()["errors"]
    assert await nothing_is_left(settings.var / "files")
    assert await models.files.latest() == []


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/json", "multipart/form-data", "multipart/mixed; boundary=x-y-z", "x" * 2000]
)
async def test_what_is_no_form_with_files_is_415(bob: Browser, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}

    assert (await bob.request("POST", "/files", body=FILE + END, headers=headers)).status == 415


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"w": "50"}, "h"), ({"h": "50"}, "w"), ({"w": "0", "h": "50"}, "w"), ({"w": "-1", "h": "50"}, "w"),
        ({"w": "50", "h": "4097"}, "h"), ({"w": "9" * 400, "h": "50"}, "w"), ({"w": "٥", "h": "x"}, "h"),
        ({"expires": "2h"}, "expires"), ({"expires": "never"}, "expires"),
    ],
)  # fmt: skip
async def test_fields_that_are_not_taken(bob: Browser, models: Models, fields: dict[str, str], field: str) -> None:
    answer = await sent(bob, "/j", "a.png", PNG, **fields)

    assert answer.status == 422
    assert field in answer.json()["errors"]
    assert await models.files.latest() == []


async def test_what_is_no_picture_cannot_be_cropped(bob: Browser, models: Models, settings: Settings) -> None:
    text = await sent(bob, "/j", "a.png", b"words", w="50", h="50")
    broken = await sent(bob, "/j", "a.jpg", picture(600, 400, "JPEG")[:700], w="50", h="50")

    assert (text.status, broken.status) == (415, 415)
    assert "no picture" in text.json()["errors"]["file"]
    assert await models.files.latest() == []
    assert await nothing_is_left(settings.var / "files")


@pytest.mark.parametrize("where", ["Incoming._finish", "Folder._keep"])
async def test_a_disk_that_is_full_is_told_for_small_files_too(
    bob: Browser, settings: Settings, models: Models, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"content.storage.{where}", full)
        answers = [await sent(bob, "/j", "a.png", PNG), await sent(bob, "/j", "a.png", PNG, w="2", h="2")]
    (await sent(bob, "/j", "a.png", PNG)).json()
    (original,) = await models.files.latest()
    with monkeypatch.context() as patch:
        patch.setattr(f"content.storage.{where}", full)
        answers.append(await bob.get(f"/r/{original.stored_name}?w=2&h=2"))

    assert [(answer.status, answer.headers["Retry-After"]) for answer in answers] == [(503, "60")] * 3
    assert await nothing_is_left(settings.var / "files")


async def test_a_bomb_is_refused(bob: Browser, settings: Settings) -> None:
    answer = await sent(bob, "/j", "a.png", bomb())

    assert answer.status == 422
    assert "too many pixels" in answer.json()["errors"]["file"]
    assert await nothing_is_left(settings.var / "files")


async def test_a_file_has_a_largest_size_whether_it_is_told_before_or_not(
    bob: Browser, alice: Browser, settings: Settings, models: Models
) -> None:
    largest = await sent(alice, "/j", "a", b"\0" * LARGEST)
    larger = await sent(bob, "/j", "a", b"\0" * (LARGEST + 1))
    far_larger = await sent(bob, "/j", "a", b"\0" * (LARGEST + 200_000))

    assert (largest.status, larger.status, far_larger.status) == (200, 413, 413)
    assert "too large" in larger.json()["errors"]["file"]
    assert len(await models.files.latest()) == 1
    assert await nothing_is_left(settings.var / "files")


async def test_a_member_has_so_much_room(bob: Browser, alice: Browser, settings: Settings) -> None:
    statuses = [(await sent(bob, "/j", "a", bytes([n]) * 150_000)).status for n in range(3)]
    answer = await sent(bob, "/j", "a", b"x" * 200)

    assert statuses == [200, 200, 413]
    assert answer.status == 413
    assert "no room" in answer.json()["errors"]["file"]
    assert (await sent(alice, "/j", "a", bytes(1000))).status == 200
    assert await nothing_is_left(settings.var / "files")


async def test_uploads_are_counted(bob: Browser, alice: Browser) -> None:
    statuses = [(await sent(bob, "/j", "a", b"words")).status for _ in range(41)]
    refused = await sent(bob, "/j", "a", b"words")

    assert statuses == [200] * 40 + [429]
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["RateLimit-Limit"] == "40"
    assert (await sent(alice, "/j", "a", b"words")).status == 200


async def test_people_get_pages_of_what_is_wrong(bob: Browser, visitor: Browser) -> None:
    for browser, name, status in ((visitor, "a.txt", 401), (bob, "", 422)):
        answer = await sent(browser, "/files", name, b"", accept="text/html")

        assert answer.status == status
        assert answer.headers["Content-Type"].startswith("text/html")
