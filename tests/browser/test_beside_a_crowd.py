"""An editor and a reader beside a crowd that reads the front page: what the one changes the other sees at the next reload."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from models import connected
from models.posts import Post
from models.writing import Draft
from tests.browser.chromium import Window
from tests.commands.instances import Instance, free_port
from tests.harness.load import Ask, reading

TTL = 60  # s; what is seen sooner was not waited for
CHANGES = 4
PATIENCE = 20_000  # ms; the machine has much else to do


@dataclass(frozen=True, slots=True)
class Crowded:
    """A whole site, worker included, with one post; `token` is a session of its editor."""

    instance: Instance
    post: Post
    token: str

    @property
    def url(self) -> str:
        return f"http://localhost:{self.instance.port}"


async def _with_a_post(instance: Instance) -> Crowded:
    async with connected(instance.settings) as models:
        editor = await models.users.import_author("Ada Editor")
        await models.users.grant(editor.id, "editor")
        post = await models.writing.create(Draft("Number 0", "", "Some words.", ("crowd",)), by=editor, publish=True)
        return Crowded(instance, post, await models.sessions.start(editor.id, days=1, ip=None, user_agent="Firefox"))


@pytest.fixture
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowded]:
    instance = Instance(tmp_path_factory.mktemp("crowded"), free_port(), {"PLAZA_PAGE_TTL": str(TTL)})
    try:
        instance.up("--web", "2")
        yield asyncio.run(_with_a_post(instance))
    finally:
        instance.plaza("down")


def seen(page: Page, title: str) -> int:
    """Reload until it is there; how often."""
    for turn in range(1, 100):
        page.reload()
        if page.get_by_role("link", name=title, exact=True).count():
            return turn
        page.wait_for_timeout(100)
    raise AssertionError(f"{title} is not seen")


def test_every_change_is_there_at_the_next_reload(crowded: Crowded, chromium: Browser) -> None:
    windows = Window(chromium, crowded.url, crowded.token), Window(chromium, crowded.url)
    editor, reader = (window.page() for window in windows)
    reader.goto("/")
    reloads = []
    with reading(crowded.instance.port, [Ask("front", "/")], rate=300) as load:
        for number in range(1, CHANGES + 1):
            editor.goto(f"/manage/blogs/edit?id={crowded.post.id}")
            editor.get_by_label("Title").fill(title := f"Number {number}")
            editor.get_by_role("button", name="Save changes").click()
            expect(editor.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=PATIENCE)
            reloads.append(seen(reader, title))
            editor.goto("/")
            expect(editor.get_by_role("link", name=title, exact=True)).to_be_visible(timeout=PATIENCE)

    assert not load.report.failed, load.report
    assert load.report.caches["HIT"] > load.report.requests / 2
    assert sorted(reloads)[CHANGES // 2] == 1, (
        reloads
    )  # a reload that came within milliseconds of the write may be early
    assert [problem for window in windows for problem in window.drain()] == []
    for window in windows:
        window.context.close()
