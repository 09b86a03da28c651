"""What processes tell each other of pages in Nginx's store: of what each was made, and what writes have made of that."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from math import inf
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from cache.slots import is_scope
from commands.stored import is_stored
from handlers import routes
from handlers.storing import Storing, labels
from models import Models
from models.edge_news import surrogate_key
from models.writing import Draft
from server import Running
from settings import Settings
from tests.cache.steps import until
from tests.handlers.conftest import Town
from tests.handlers.test_remembered import public_paths
from tests.harness.browser import Answer, Browser
from tests.harness.files import stored
from tests.harness.people import People
from tests.harness.wires import Wire

EDGE = {"X-Plaza-Edge": "1"}


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"trusted_proxies": ("127.0.0.0/8",)}


class Heard:
    """The news of the site, as another process hears them."""

    def __init__(self) -> None:
        self.entries: list[list[Any]] = []
        self.gaps = 0

    def __call__(self, entries: list[list[Any]] | None) -> None:
        self.gaps += entries is None
        self.entries += entries or []

    def made(self, key: str) -> list[tuple[float, set[str]]]:
        """(begun, names) of each time that a page was handed over."""
        return [(entry[2], set(entry[3])) for entry in self.entries if entry[:2] == ["made", key]]

    def last_write(self, names: set[str]) -> float:
        """When a write of one of these names last ended; 0 when none did."""
        return max(
            (at for what, at, *rest in self.entries if what == "wrote" and names.intersection(rest[0])), default=0
        )

    @property
    def wrote(self) -> bool:
        return any(entry[0] == "wrote" for entry in self.entries)


@pytest.fixture
def heard(io_loop: IOLoop, other_models: Models) -> Iterator[Heard]:
    news = Heard()
    task = io_loop.asyncio_loop.create_task(other_models.edge_news.hear(news))  # type: ignore[attr-defined]
    io_loop.run_sync(lambda: until(lambda: news.gaps))
    yield news
    task.cancel()
    io_loop.run_sync(lambda: asyncio.wait((task,)))


def some_settings(page_ttl: int, **choices: Any) -> Settings:
    return Settings(page_ttl=page_ttl, **choices)


async def handed_over(visitor: Browser, heard: Heard, path: str, variant: str = "") -> tuple[Answer, float, set[str]]:
    """The answer as it goes to Nginx, when it was begun, and the names that are told of it."""
    before = len(heard.made(f"{variant} {path}"))
    language, _, form = variant.partition("-")
    headers = EDGE | ({"Accept-Language": language} if language else {}) | ({"X-Plaza-Edge": form} if form else {})
    answer = await visitor.request("GET", path, headers=headers)
    await until(lambda: len(heard.made(f"{variant} {path}")) > before)
    return answer, *heard.made(f"{variant} {path}")[-1]


@pytest.mark.parametrize(("variant", "form"), [("", None), ("-gzip", "gzip"), ("zh-gzip", "gzip")])
async def test_a_page_is_told_with_its_names_whoever_makes_it(
    visitor: Browser, town: Town, heard: Heard, site: Running, variant: str, form: str | None
) -> None:
    first, begun, names = await handed_over(visitor, heard, town.path, variant)
    for _ in range(3):
        kept, later, same = await handed_over(visitor, heard, town.path, variant)

    assert site.models.pages.confirmed + site.models.pages.hits  # the last was given at the door
    assert names == same >= {f"post:{town.post.id}", f"user:{town.post.author_id}", f"comment:{town.talk.id}"}
    assert first.body == kept.body
    assert first.headers.get("Content-Encoding") == kept.headers.get("Content-Encoding") == form
    assert first.headers["Etag"] == kept.headers["Etag"]
    for answer, at in ((first, begun), (kept, later)):
        assert answer.headers["X-Accel-Expires"] == f"@{int(at) + 9}"
    assert begun < later


async def test_that_there_is_nothing_is_told_too(visitor: Browser, town: Town, heard: Heard) -> None:
    missing, _, names = await handed_over(visitor, heard, "/blog/999-nothing", "zh")
    moved, _, others = await handed_over(visitor, heard, f"/blog/{town.post.id}")

    assert (missing.status, moved.status) == (404, 301)
    assert "post:999" in names
    assert f"post:{town.post.id}" in others
    assert missing.headers["X-Accel-Expires"]
    assert moved.headers["X-Accel-Expires"]


async def test_what_is_being_written_is_among_the_names(
    visitor: Browser, models: Models, town: Town, heard: Heard, people: People
) -> None:
    """It is read around the cache; and the page that is made of it now is over when the write ends."""
    _, _, usual = await handed_over(visitor, heard, town.path)
    scopes = [name for name in usual if is_scope(name)]
    assert await models.cache.link.begin(list(usual.difference(scopes)), scopes, b"x" * 16, 5000)
    _, _, meanwhile = await handed_over(visitor, heard, town.path)

    assert scopes
    assert meanwhile >= usual


async def test_a_page_with_a_file_whose_time_will_be_over_is_over_with_it(
    visitor: Browser, models: Models, people: People, heard: Heard
) -> None:
    file = await stored(models, people.bob, "a.txt", b"words", timedelta(hours=1))
    path = f"/p/{file.stored_name}"
    _, begun, _ = await handed_over(visitor, heard, path)
    page, begun, names = await handed_over(visitor, heard, path)
    latest, _, _ = await handed_over(visitor, heard, "/latest_files")

    assert f"file:{file.id}" in names
    assert page.headers["X-Accel-Expires"] == f"@{int(begun) + 9}"
    assert latest.json()[0]["filename"] == "a.txt"
    assert file.expires_at
    soon = dict(
        labels(Storing(file.expires_at.timestamp() - 3), [], some_settings(10), until=file.expires_at.timestamp())
    )
    assert soon["X-Accel-Expires"] == f"@{int(file.expires_at.timestamp()) - 1}"


async def test_a_page_knows_when_what_it_is_made_of_ends(models: Models, people: People, town: Town) -> None:
    file = await stored(models, people.bob, "a.txt", b"words", timedelta(hours=1))
    with models.pages.reading() as whole:
        await models.standings.top(town.board, "ever")
    with models.pages.reading() as daily:
        await models.standings.top(town.board, "day")
        await models.standings.top(town.board, "week")

    end = models.standings.current("day").ends
    assert end
    assert (whole.until, daily.until) == (inf, end.timestamp())
    assert file.expires_at


@pytest.mark.parametrize("changed", [False, True])
async def test_a_cdn_keeps_nothing_that_is_over(changed: bool) -> None:
    settings = some_settings(10, purge_command="true")
    said = dict(labels(Storing(1000.7), ["post:1"], settings, until=1004.2, changed=changed))

    assert said["X-Accel-Expires"] == ("@999" if changed else "@1003")
    assert said["CDN-Cache-Control"] == said["Surrogate-Control"] == ("max-age=0" if changed else "max-age=4")
    assert ("X-Plaza-Again" in said) is changed


async def test_what_is_made_without_mysql_takes_no_place_and_is_asked_for_again(
    mysql_wire: Wire, redis_wire: Wire, visitor: Browser
) -> None:
    await mysql_wire.cut()
    await redis_wire.cut()
    about = await visitor.request("GET", "/about", headers=EDGE)
    await redis_wire.mend()
    await mysql_wire.mend()

    assert about.status == 200
    assert about.headers["X-Plaza-Again"] == "1"
    assert "X-Accel-Expires" not in about.headers


@pytest.mark.parametrize(
    ("choices", "headers"),
    [
        ({"trusted_proxies": ()}, EDGE),
        ({"trusted_proxies": ("127.0.0.0/8",)}, {}),
        ({"trusted_proxies": ("127.0.0.0/8",)}, {**EDGE, "Cookie": "lang=zh"}),
        ({"trusted_proxies": ("127.0.0.0/8",)}, {**EDGE, "Authorization": "Basic x"}),
        ({"trusted_proxies": ("127.0.0.0/8",)}, {**EDGE, "X-Plaza-Timing": "1"}),
    ],
)
async def test_nothing_is_handed_over_but_to_nginx_and_of_nobody(visitor: Browser, headers: dict[str, str]) -> None:
    answers = [
        await visitor.request("GET", path, headers=headers) for path in ("/about", "/about", "/about", "/blog/999-x")
    ]

    assert [answer.status for answer in answers] == [200, 200, 200, 404]
    assert not any({"X-Accel-Expires", "Content-Encoding"} & set(answer.headers) for answer in answers)


Act = Callable[[Models, People, Town], Awaitable[Any]]
WRITES: dict[str, Act] = {
    "comment": lambda m, p, t: m.comments.create(t.post.id, "MORE", by=p.bob),
    "comment edited": lambda m, p, t: m.comments.edit(t.talk.id, "OTHER", by=p.bob),
    "comment trashed": lambda m, p, t: m.comments.trash(t.talk.id, by=p.bob),
    "published": lambda m, p, t: m.publishing.publish(t.draft.id, by=p.alice),
    "created": lambda m, p, t: m.writing.create(Draft("MORE", "", "MORE", ("news", "more")), by=p.alice, publish=True),
    "edited": lambda m, p, t: m.writing.edit(t.post.id, Draft("OTHER", "", "OTHER", ("other",)), by=p.alice),
    "trashed": lambda m, p, t: m.publishing.trash(t.post.id, by=p.alice),
    "author renamed": lambda m, p, t: m.users.rename(p.alice.id, "OTHER NAME"),
    "site renamed": lambda m, p, t: m.sites.edit({"title": "OTHER TITLE"}, by=p.ada),
    "voted": lambda m, p, t: m.ballots.cast(t.poll, [t.poll.choices[0].id], voter=p.bob),
    "poll closed": lambda m, p, t: m.polls.close(t.poll.id, by=p.alice, version=t.poll.version),
    "board hidden": lambda m, p, t: m.boards.set_status(t.board.id, "hidden", by=p.ada),
    "score sent": lambda m, p, t: m.scores.submit(t.board, 99, "second", by=p.alice),
    "file trashed": lambda m, p, t: m.files.trash(t.file.id, by=p.bob),
}  # fmt: skip
STORED = {name for _, handler, name in routes() if is_stored(handler)}


SHORT = ("comment", "author renamed", "score sent")


@pytest.mark.parametrize(
    "write", [pytest.param(name, marks=() if name in SHORT else pytest.mark.long) for name in WRITES]
)
async def test_each_page_that_a_write_changes_hangs_on_what_it_tells(
    visitor: Browser, models: Models, town: Town, heard: Heard, people: People, write: str
) -> None:
    paths = {path for name, path in public_paths(town, people) if name in STORED}
    before = {path: await handed_over(visitor, heard, path) for path in sorted(paths)}
    heard.entries.clear()
    await WRITES[write](models, people, town)
    await until(lambda: heard.wrote)
    changed, left = list[str](), list[str]()
    for path, (answer, begun, names) in before.items():
        now = await visitor.request("GET", path, headers=EDGE)
        if (now.status, now.body) != (answer.status, answer.body):
            (changed if heard.last_write(names) > begun else left).append(path)

    assert len(paths) > 25
    assert changed
    assert left == []


async def test_the_keys_of_a_cdn_are_short_and_differ() -> None:
    keys = {surrogate_key(f"post:{n}") for n in range(10_000)}

    assert len(keys) == 10_000
    assert {len(key) for key in keys} == {8}
    assert surrogate_key("post:1") == surrogate_key("post:1")
