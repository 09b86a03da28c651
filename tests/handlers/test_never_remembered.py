"""What is never remembered whole: what is not the same for everybody, and questions that are other ones."""

from collections.abc import Callable

import pytest

from handlers.answers import LARGEST
from handlers.api import JsonAnswer
from handlers.keeping import LONGEST
from handlers.tracing import ASKED_BY
from models import Models
from models.site import ALL as ALL_OF_SITE
from models.writing import Draft
from server import Running
from tests.handlers.asking import Asker
from tests.handlers.conftest import Town
from tests.harness.browser import Browser
from tests.harness.people import People
from tests.harness.wires import Wire


async def test_what_makes_it_another_question_is_asked_of_the_handler(
    asker: Asker, town: Town, browse: Callable[[], Browser]
) -> None:
    await asker.until_kept(town.path)
    ours = "Host: localhost\r\nConnection: close\r\n"
    for head, status in (
        ("Host: elsewhere.example\r\n", 421), ("Host: localhost:x,y\r\n", 400), (ours + "Host: localhost\r\n", 400),
        (ours + "Content-Length: 1\r\n\r\nx", 200), (ours + "Content-Length: x\r\n", 400), ("", 400),
        (ours + "Transfer-Encoding: chunked\r\n\r\n0\r\n", 200), (ours + f"{ASKED_BY}: 1\r\n", 200),
    ):  # fmt: skip
        before = asker.times_kept
        close = "" if head.startswith(ours) else "Connection: close\r\n"
        answer = await browse().raw(f"GET {town.path} HTTP/1.1\r\n{close}{head}\r\n".encode(), seconds=5)
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), head
        assert asker.times_kept == before, head
    for method in ("POST", "DELETE", "OPTIONS", "BREW"):
        await asker.ask(town.path, method=method)
        assert not asker.kept


async def test_what_is_not_for_everybody_is_never_kept(
    asker: Asker, alice: Browser, town: Town, people: People
) -> None:
    for path in (
        "/search?q=words", "/account", "/api/v1/me", "/signin", "/register", "/healthz", "/readyz", "/metrics", "/api/users",
        "/nothing", f"/blog/{town.draft.id}-draft-words", f"/blog/{town.post.id}", "/page/2", "/language/zh",
        "/api/nothing", "/manage/", f"/?{'x' * LONGEST}",
    ):  # fmt: skip
        for _ in range(4):
            await asker.ask(path)
            await alice.get(path)
    assert asker.times_kept == 0


async def test_an_answer_that_is_too_long_is_not_kept(asker: Asker, models: Models, people: People) -> None:
    post = await models.writing.create(Draft("Long", "", "words " * (LARGEST // 6), ()), by=people.alice, publish=True)
    for _ in range(4):
        answer = await asker.ask(f"/blog/{post.id}-long")

    assert len(answer) > LARGEST
    assert asker.times_kept == 0


async def test_what_is_shown_under_the_settings_names_while_mysql_is_away_is_not_kept(
    asker: Asker, mysql_wire: Wire, models: Models, people: People, town: Town
) -> None:
    """All of the page is in Redis but for what an administrator has edited of the site."""
    await models.sites.edit({"title": "The name that was edited"}, by=people.ada)
    await asker.until_kept(town.path)
    await mysql_wire.cut()
    await models.cache.drop([ALL_OF_SITE(1)])
    for _ in range(4):
        answer = await asker.ask(town.path + "?x")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"The name that was edited" not in answer
        assert not asker.kept
    await mysql_wire.mend()

    assert b"The name that was edited" in await asker.until_kept(town.path + "?x")


class Personal(JsonAnswer):
    async def get(self) -> None:
        await self.identify()
        self.answer({"for": self.user.name if self.user else ""})


class Private(JsonAnswer):
    async def get(self) -> None:
        self.set_header("Cache-Control", "private")
        self.answer({})


class Baker(JsonAnswer):
    async def get(self) -> None:
        self.set_cookie("a", "b")
        self.answer({})


class Piecemeal(JsonAnswer):
    async def get(self) -> None:
        self.write("one")
        await self.flush()
        self.finish("two")


@pytest.mark.parametrize("handler", [Personal, Private, Baker, Piecemeal])
async def test_a_handler_that_says_it_is_public_but_is_not_is_found_out(
    handler: type[JsonAnswer], asker: Asker, site: Running
) -> None:
    web = site.application
    web.add_handlers(".*", [("/careless", handler, {"app": web.app, "route": "careless"})])
    for _ in range(4):
        assert (await asker.ask("/careless")).startswith(b"HTTP/1.1 200 ")

    assert asker.times_kept == 0
