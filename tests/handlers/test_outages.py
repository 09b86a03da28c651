"""Servers behind us away: pages say so in the site's own look, and nothing more breaks than must."""

from typing import Any

import pytest

from handlers.pages import AboutPage
from models import Models
from models.writing import Draft
from tests.harness.browser import Browser
from tests.harness.people import PASSWORD, People
from tests.harness.wires import Wire


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"mysql_timeout": 1.0}


async def test_without_mysql_pages_and_calls_are_503_and_say_when_to_come_back(
    mysql_wire: Wire, visitor: Browser, alice: Browser
) -> None:
    await mysql_wire.cut()
    page, call = await visitor.get("/"), await visitor.get("/api/blogs")
    written = await alice.post("/api/blogs", {"name": "x", "content": "y"})

    assert [page.status, call.status, written.status] == [503, 503, 503]
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in (page, call, written))
    assert "<!doctype html>" in page.text.lower()
    assert call.json()["message"]
    assert page.headers["Cache-Control"] == "no-store"


async def test_what_is_remembered_is_read_on_without_mysql(mysql_wire: Wire, visitor: Browser) -> None:
    await visitor.get("/")
    await mysql_wire.cut()

    assert (await visitor.get("/")).status == 200
    assert (await visitor.get("/about")).status == 200
    assert (await visitor.get("/healthz")).status == 200
    assert (await visitor.get("/readyz")).status == 503
    await mysql_wire.mend()
    assert (await visitor.get("/readyz")).status == 200


async def test_a_search_that_was_asked_before_is_answered_on_with_summaries_and_not_kept(
    mysql_wire: Wire, visitor: Browser, models: Models, people: People
) -> None:
    await models.writing.create(
        Draft("Lighthouses", "A summary.", "Of *keepers* alone.", ("sea",)), by=people.alice, publish=True
    )
    whole = await visitor.get("/search?q=keepers")
    await mysql_wire.cut()
    without = await visitor.get("/search?q=keepers&x=1")
    await mysql_wire.mend()
    again = await visitor.get("/search?q=keepers&x=1")

    assert [answer.status for answer in (whole, without, again)] == [200, 200, 200]
    assert all("Lighthouses</a>" in answer.text for answer in (whole, without, again))
    assert ["<mark>keepers</mark>" in answer.text for answer in (whole, without, again)] == [True, False, True]
    assert "A summary." in without.text


@pytest.mark.parametrize("where", ["posts", "polls", "files"])
async def test_a_search_that_nobody_has_asked_keeps_its_words_for_later(
    where: str, mysql_wire: Wire, visitor: Browser
) -> None:
    await visitor.get("/")
    await mysql_wire.cut()
    page = await visitor.get(f"/search?q=light+%22house&in={where}")

    assert page.status == 503
    assert int(page.headers["Retry-After"]) > 0
    assert page.headers["Cache-Control"] == "no-store"
    assert 'name="q" value="light &#34;house"' in page.text
    assert 'role="alert"' in page.text
    assert "Nothing was found." not in page.text
    assert ('name="in"' in page.text) == (where != "posts")


async def test_without_redis_everything_goes_on_limits_too(redis_wire: Wire, visitor: Browser) -> None:
    await redis_wire.cut()
    signed = await visitor.post("/signin", {"email": "alice@example.org", "password": PASSWORD})
    made = await visitor.post("/api/blogs", {"name": "Without", "summary": "", "content": "words"})
    path = f"/blog/{made.json()['id']}/comments"
    answers = [await visitor.post(path, {"body": "hello"}) for _ in range(11)]

    assert (signed.status, made.status) == (303, 201)
    assert "Without" in (await visitor.get("/")).text
    assert [answer.status for answer in answers] == [303] * 10 + [429]
    assert (await visitor.get("/readyz")).status == 503


async def test_a_mistake_of_ours_is_a_page_that_needs_no_database(
    mysql_wire: Wire, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: AboutPage) -> None:
        raise ZeroDivisionError("SECRET DETAIL")

    monkeypatch.setattr(AboutPage, "get", broken)
    await mysql_wire.cut()
    answer = await visitor.get("/about", Cookie="plaza=x; member=1")

    assert answer.status == 500
    assert "<!doctype html>" in answer.text.lower()
    assert "SECRET" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"]
