"""The pages of files: one for each kind, the latest, one's own; and who sees which button."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from content.previews import MOST
from models import Models
from models.files import PER_PAGE
from models.uploads import Box
from tests.handlers.asking import Asker
from tests.handlers.test_feeds import read
from tests.harness.browser import Browser
from tests.harness.files import PNG, png, stored
from tests.harness.people import People

KINDS = {
    "image": ("picture.png", PNG), "pdf": ("paper.pdf", b"%PDF-1.4\n%%EOF\n"),
    "text": ("a.py", b"print('<b>')\n"), "binary": ("a.bin", bytes(range(256))),
}  # fmt: skip


async def test_a_file_has_a_page_with_all_that_is_known_of_it(models: Models, people: People, visitor: Browser) -> None:
    file = await stored(models, people.bob, "一只猫 <b>.png", PNG)
    page = await visitor.get(f"/p/{file.stored_name}")

    assert page.status == 200
    for part in (
        "一只猫 &lt;b&gt;.png", file.sha256.hex(), file.md5.hex(), f'src="/i/{file.stored_name}"', 'width="3" height="2"',
        f'href="/d/{file.stored_name}"', f'action="/r/{file.stored_name}"', f'href="/user/{people.bob.id}"',
        f"/s/{models.short.encode(file.id)}",
    ):  # fmt: skip
        assert part in page.text, part
    assert f'<meta property="og:image" content="{(await models.sites.now()).url}/i/{file.stored_name}">' in page.text


@pytest.mark.parametrize(
    ("kind", "element", "policy"),
    [
        ("image", "<img", None),
        ("pdf", "<iframe", "frame-src 'self'"),
        ("text", "<pre", None),
        ("binary", "not shown here", None),
    ],
)
async def test_each_kind_is_shown_in_its_own_way(
    models: Models, people: People, visitor: Browser, kind: str, element: str, policy: str | None
) -> None:
    file = await stored(models, people.bob, *KINDS[kind])
    assert file.kind == kind
    page = await visitor.get(f"/p/{file.stored_name}")

    main = page.text.partition("<main")[2]
    assert [each for each in ("<iframe", "<video", "<audio", "<pre", "<img", "not shown here") if each in main] == [
        element
    ]
    csp = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in csp
    assert [part for part in ("frame-src", "media-src") if part in csp] == ([policy.split()[0]] if policy else [])


async def test_a_text_is_coloured_and_its_markup_is_text(models: Models, people: People, visitor: Browser) -> None:
    file = await stored(models, people.bob, "a.py", b"import os\nprint('<script>alert(1)</script>')\n")
    page = await visitor.get(f"/p/{file.stored_name}")

    assert '<span class="kn">import</span>' in page.text
    assert "<script>alert" not in page.text


async def test_the_page_of_a_long_text_shows_the_beginning_and_says_so(
    models: Models, people: People, visitor: Browser
) -> None:
    file = await stored(models, people.bob, "long.txt", b"one line\n" * (MOST // 9 + 1000) + b"THE-END\n")
    page = await visitor.get(f"/p/{file.stored_name}")

    assert page.status == 200
    assert "download the file for the rest" in page.text
    assert "THE-END" not in page.text


@pytest.mark.parametrize("name", ["0" * 32, "0" * 32 + ".png", "x", "0" * 31, "../etc/passwd", "0" * 32 + ".PNG", ""])
async def test_what_is_no_file_is_not_there(visitor: Browser, name: str) -> None:
    assert (await visitor.get(f"/p/{name}")).status == 404


async def test_a_text_whose_bytes_are_gone_is_no_mistake_of_the_page(
    models: Models, people: People, visitor: Browser
) -> None:
    file = await stored(models, people.bob, "lost.txt", b"lost")
    await models.storage.delete(file.sha256, within=5)

    assert (await visitor.get(f"/p/{file.stored_name}")).status == 404


async def test_a_resized_copy_leads_to_what_it_was_made_of(models: Models, people: People, visitor: Browser) -> None:
    original = await stored(models, people.bob, "cat.png", png(40, 40))
    copy = await models.uploads.resized(original, Box(20, 20), by=people.bob)
    page = await visitor.get(f"/p/{copy.stored_name}")

    assert f'A resized copy of <a href="/p/{original.stored_name}">' in page.text
    assert "data-resize" not in page.text
    assert "data-resize" in (await visitor.get(f"/p/{original.stored_name}")).text


async def test_a_deleted_or_expired_file_is_not_there(models: Models, people: People, visitor: Browser) -> None:
    gone = await stored(models, people.bob, "gone.txt", b"gone")
    over = await stored(models, people.bob, "over.txt", b"over", expires=timedelta(microseconds=1))
    await models.files.trash(gone.id, by=people.bob)

    assert [(await visitor.get(f"/p/{file.stored_name}")).status for file in (gone, over)] == [404, 404]


async def test_the_page_of_a_file_that_ends_is_not_remembered_whole(
    models: Models, people: People, asker: Asker
) -> None:
    for_ever = await stored(models, people.bob, "for ever.txt", b"for ever")
    an_hour = await stored(models, people.bob, "an hour.txt", b"an hour", expires=timedelta(hours=1))
    await asker.until_kept(f"/p/{for_ever.stored_name}")
    for _ in range(5):
        answer = await asker.ask(f"/p/{an_hour.stored_name}")

        assert answer.startswith(b"HTTP/1.1 200")
        assert not asker.kept


@pytest.mark.parametrize(
    "path", ["/files", "/files/feed.atom", "/search?q=hour&in=files", "/api/v1/files", "/latest_files"]
)
async def test_no_list_with_a_file_that_ends_is_remembered_whole(
    models: Models, people: People, asker: Asker, path: str
) -> None:
    await stored(models, people.bob, "hour for ever.txt", b"for ever")
    await asker.until_kept(path)
    await stored(models, people.bob, "hour briefly.txt", b"an hour", expires=timedelta(hours=1))
    for _ in range(5):
        assert b"briefly" in await asker.ask(path)
        assert not asker.kept


async def test_the_page_to_upload_shows_the_latest_and_forgets_what_is_deleted(
    models: Models, people: People, visitor: Browser, bob: Browser
) -> None:
    empty = await visitor.get("/files")
    assert "Nobody has uploaded a file yet." in empty.text
    first, second = [await stored(models, people.bob, f"{n}.txt", n.encode()) for n in ("one", "two")]
    page = await visitor.get("/files")
    assert re.findall(r'href="(/p/[^"]+)"', page.text) == [f"/p/{second.stored_name}", f"/p/{first.stored_name}"]
    assert page.body == (await bob.get("/files")).body  # the same bytes for everybody

    await bob.post("/account/files", {"one": f"trash.{second.id}"})

    assert f"/p/{second.stored_name}" not in (await visitor.get("/files")).text


async def test_small_pictures_are_shown_in_lists_and_large_ones_are_not(
    models: Models, people: People, visitor: Browser
) -> None:
    small = await stored(models, people.bob, "small.png", PNG)
    large = await stored(models, people.bob, "large.png", PNG + bytes(300_000))
    page = await visitor.get("/files")

    assert (small.kind, large.kind) == ("image", "image")
    assert f'src="/i/{small.stored_name}"' in page.text
    assert f'src="/i/{large.stored_name}"' not in page.text


async def test_only_who_may_delete_a_file_has_a_link_to_do_so(
    models: Models, people: People, browse: Callable[[], Browser]
) -> None:
    file = await stored(models, people.bob, "mine.txt", b"mine")
    found: dict[str, Any] = {}
    for who in ("visitor", "alice", "bob", "olga"):
        browser = await browse().sign_in(people.named(who))
        mine = (await browser.get(f"/api/v1/me?on=/p/{file.stored_name}")).json()
        found[who] = [link["href"] for link in mine["links"] if link["rel"] == "file"]

    assert found == {"visitor": [], "alice": [], "bob": ["/account/files"], "olga": ["/manage/files"]}


async def test_a_member_deletes_a_file_and_takes_that_back(
    models: Models, people: People, bob: Browser, visitor: Browser
) -> None:
    file = await stored(models, people.bob, "mine.txt", b"mine")
    done = await bob.post("/account/files", {"one": f"trash.{file.id}"}, follow=True)
    assert "“mine.txt” is deleted." in done.text
    assert (await visitor.get(f"/p/{file.stored_name}")).status == 404

    back = await bob.post("/account/files", {"one": f"restore.{file.id}"}, follow=True)

    assert "“mine.txt” is back." in back.text
    assert (await visitor.get(f"/p/{file.stored_name}")).status == 200


async def test_nobody_deletes_or_sees_anothers(models: Models, people: People, bob: Browser, alice: Browser) -> None:
    file = await stored(models, people.bob, "mine.txt", b"mine")
    refused = await alice.post("/account/files", {"one": f"trash.{file.id}"})
    assert refused.status == 403
    await models.files.trash(file.id, by=people.bob)
    assert (await alice.post("/account/files", {"one": f"restore.{file.id}"})).status == 403

    for browser, told in ((bob, True), (alice, False)):
        page = await browser.get(f"/account/files?done=trash&file={file.id}")
        assert ("mine.txt" in page.text) is told


@pytest.mark.parametrize(
    "one", ["", "trash", "trash.", "trash.x", "purge.1", "trash.1234567890123456789", "trash.١", "restore.-1"]
)
async def test_what_no_form_of_ours_sends_is_refused(bob: Browser, one: str) -> None:
    assert (await bob.post("/account/files", {"one": one})).status == 422
    assert (await bob.post("/account/files", {"one": "trash.999999"})).status == 404


async def test_own_files_come_in_parts_with_what_they_take(models: Models, people: People, bob: Browser) -> None:
    files = [await stored(models, people.bob, f"{n}.txt", b"x" * (n + 1)) for n in range(PER_PAGE + 1)]
    used = await models.files.usage(people.bob.id)
    page = await bob.get("/account/files")

    assert f'value="{used.bytes}"' in page.text
    assert used.bytes == sum(file.size for file in files)
    assert "“0.txt”" not in page.text
    older = re.search(r'href="(\?before=[0-9]+)"', page.text)
    assert older
    assert "“0.txt”" in (await bob.get(f"/account/files{older[1]}")).text
    assert (await bob.get("/account/files?before=x")).status == 404


@pytest.mark.parametrize("kind", ["atom", "rss", "json"])
async def test_the_latest_files_are_a_feed(models: Models, people: People, visitor: Browser, kind: str) -> None:
    await stored(models, people.bob, "a <b> & c.txt", b"text")
    picture = await stored(models, people.bob, "猫.png", PNG)
    feed = read(await visitor.get(f"/files/feed.{kind}"))

    home = (await models.sites.now()).url
    assert [entry.title for entry in feed.entries] == ["猫.png", "a <b> & c.txt"]
    assert feed.entries[0].link == f"{home}/p/{picture.stored_name}"
    assert f'src="{home}/i/{picture.stored_name}"' in feed.entries[0].content[0].value
    assert "&lt;b&gt;" in feed.entries[1].content[0].value
