"""The search page: the same for everybody, calm whatever is asked, and true about what it shows."""

import re
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from content.marking import marked
from models import Models, hunting
from models.poll_rules import NewPoll
from models.writing import Draft
from tests.harness.browser import Browser
from tests.harness.people import People

HOSTILE = (
    "", "%20", '"', "%22%22", "tag:", "!!!", "%F0%9F%8E%89", "%00", "%27%20OR%201=1%20--", "<script>alert(1)</script>",
    "a" * 3000, quote("分" * 500), "+".join("abcdefghijklmnopqrstuvwxyz"), "author:%25", "%5C", "*", "%E2%80%8B",
)  # fmt: skip


async def write(models: Models, people: People, title: str, body: str) -> None:
    await models.writing.create(Draft(title, "A summary.", body, ("sea",)), by=people.alice, publish=True)


async def test_what_is_found_is_marked_in_title_and_text(
    models: Models, people: People, browse: Callable[[], Browser]
) -> None:
    await write(models, people, "Lighthouses <of> the sea", "First paragraph.\n\nA *light*house & its `keepers`.")

    page = await browse().get("/search?q=lighthouse+keeper")

    assert page.status == 200
    assert "<mark>Lighthouses</mark> &lt;of&gt; the sea" in page.text
    assert "A <mark>lighthouse</mark> &amp; its <mark>keepers</mark>." in page.text
    assert '<meta name="robots" content="noindex, follow">' in page.text


async def test_everybody_gets_the_same_bytes(
    alice: Browser, models: Models, people: People, browse: Callable[[], Browser]
) -> None:
    await write(models, people, "Lighthouses", "Words.")
    as_visitor, as_editor = await browse().get("/search?q=words"), await alice.get("/search?q=words")

    assert as_visitor.body == as_editor.body
    assert as_visitor.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    again = await browse().get("/search?q=words", if_none_match=as_visitor.headers["Etag"])
    assert again.status == 304


@pytest.mark.parametrize("text", HOSTILE)
async def test_any_question_gets_a_calm_page(
    text: str, models: Models, people: People, browse: Callable[[], Browser]
) -> None:
    await write(models, people, "Lighthouses", "Words.")

    page = await browse().get(f"/search?q={text}")

    assert page.status == 200
    assert "<script>alert" not in page.text
    assert "Traceback" not in page.text


async def test_pages_have_one_address_and_an_end(models: Models, people: People, browse: Callable[[], Browser]) -> None:
    for n in range(11):
        await write(models, people, f"Lighthouse {n}", "Words.")
    visitor = browse()

    second = await visitor.get("/search?q=lighthouse&page=2")
    assert second.text.count("<article") == 1
    assert 'rel="prev"' in second.text
    assert (await visitor.get("/search?q=lighthouse&page=1")).location == "/search?q=lighthouse"
    beyond = await visitor.get("/search?q=lighthouse&page=3")
    assert (beyond.status, beyond.location) == (302, "/search?q=lighthouse&page=2")
    assert [(await visitor.get(f"/search?q=x&page={n}")).status for n in ("0", "-1", "x", "9" * 30)] == [404] * 4


async def test_what_was_not_looked_for_or_through_is_said(
    models: Models, people: People, browse: Callable[[], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hunting, "WORK", 8)
    for n in range(9):
        await write(models, people, f"Lighthouse {n}", "Words.")
    visitor = browse()

    common = (await visitor.get("/search?q=lighthouse+words")).text
    assert "only the best 8 posts were looked through" in common
    assert re.search("At least [4-8] posts", common)
    assert "Left out: m n" in (await visitor.get("/search?q=" + "+".join("abcdefghijklmn"))).text
    chinese = (await visitor.get("/search?q=lighthouse+words", accept_language="zh")).text
    assert "只查看了最匹配的 8 篇文章" in chinese


async def test_drafts_are_nobodys_to_find(alice: Browser, models: Models, people: People) -> None:
    await models.writing.create(Draft("Secret", "", "Words.", ()), by=people.alice)

    assert "Secret" not in (await alice.get("/search?q=words")).text


async def test_every_page_leads_to_search(browse: Callable[[], Browser]) -> None:
    page = (await browse().get("/about")).text

    assert '<form class="field" role="search" action="/search">' in page
    assert 'href="/search"' in page


async def test_long_texts_are_marked_off_the_loop(
    models: Models, people: People, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, bool]] = []

    def watched(text: str, *rest: Any) -> Any:
        seen.append((len(text) > 1_000, threading.current_thread() is threading.main_thread()))
        return marked(text, *rest)

    monkeypatch.setattr("handlers.search.marked", watched)
    await write(models, people, "Long", "lighthouse " * 500)
    page = await visitor.get("/search?q=lighthouse")

    assert "<mark>" in page.text
    assert (True, False) in seen  # the long text, in a thread
    assert (True, True) not in seen


async def test_polls_are_found_by_their_questions_and_choices_and_stay_apart_from_posts(
    models: Models, people: People, browse: Callable[[], Browser]
) -> None:
    await write(models, people, "Lighthouses", "Words.")
    poll = await models.polls.create(NewPoll("Which <lighthouse> is best?", ("The red one", "白色的")), by=people.alice)
    gone = await models.polls.create(NewPoll("Lighthouse again?", ("Yes", "No")), by=people.alice)
    await models.polls.trash(gone.id, by=people.alice)
    visitor = browse()

    for words in ("lighthouse", "red+lighthouse", "白色"):
        page = (await visitor.get(f"/search?in=polls&q={words}")).text
        assert re.findall(r'class="card-title"[^>]*><a href="([^"]+)"', page) == [f"/polls/{poll.id}"], words
        assert "1 poll<" in page
        assert '<input type="hidden" name="in" value="polls">' in page
    assert "Which &lt;<mark>lighthouse</mark>&gt;" in (await visitor.get("/search?in=polls&q=lighthouse")).text
    assert f"/polls/{poll.id}" not in (await visitor.get("/search?q=lighthouse")).text
    assert (await visitor.get("/search?in=polls&q=lighthouse&page=2")).location == "/search?q=lighthouse&in=polls"
    assert "Nothing was found." in (await visitor.get("/search?in=polls&q=words")).text
    assert 'href="/search?q=words&amp;in=polls"' in (await visitor.get("/search?q=words")).text
    assert (await visitor.get("/search?in=users&q=x")).status == 404


@pytest.mark.parametrize("text", HOSTILE)
async def test_any_question_about_polls_gets_a_calm_page(
    text: str, models: Models, people: People, browse: Callable[[], Browser]
) -> None:
    await models.polls.create(NewPoll("Which?", ("This", "That")), by=people.alice)

    assert (await browse().get(f"/search?in=polls&q={text}")).status == 200
