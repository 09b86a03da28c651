"""What the worker makes of the news about pages in Nginx; which it has fetched, is told here by hand."""

import time
from typing import Any

import pytest

from cache.edge import Page
from models import Models
from models.counts import COUNTS
from models.edge_pages import WARM, EdgePages


@pytest.fixture
def pages(models: Models) -> EdgePages:
    return EdgePages(models.figures)


def made(key: str, *names: str, ago: float = 0.0) -> list[Any]:
    return ["made", key, time.time() - ago, list(names)]


def wrote(*names: str, ago: float = 0.0) -> list[Any]:
    return ["wrote", time.time() - ago, list(names)]


def nothing_is_due(pages: EdgePages) -> bool:
    return pages._queue.take(time.monotonic()) is None


async def fetched(pages: EdgePages, outcome: Any = "refreshed") -> Page:
    page = await pages.due()
    pages.fetched(page, time.time(), page.since, outcome)
    return page


async def test_who_waits_is_given_the_page_when_it_is_wrong(pages: EdgePages) -> None:
    pages.heard([made(" /", "a"), made("zh /", "a"), made(" /b", "b")])
    pages.heard([wrote("a")])
    found = {(await fetched(pages)).key for _ in range(2)}

    assert found == {" /", "zh /"}
    assert nothing_is_due(pages)


async def test_what_cannot_be_asked_for_or_understood_is_left_alone(pages: EdgePages) -> None:
    pages.heard([made(key, "a") for key in ("/", "fr /", " b", " /b c", " /é", " /a#b", " /\n", "")])
    pages.heard(
        [["made", " /", "now", []], ["wrote"], [], "nonsense", None, ["made", 7, 1.0, ["a"]], ["sung", 1.0, ["a"]]]
    )
    pages.heard([wrote("a")])

    assert nothing_is_due(pages)
    assert pages._index.pages == {}


async def test_how_it_went_is_counted(pages: EdgePages, models: Models) -> None:
    before = COUNTS.copy()
    pages.heard([made(" /", "a", ago=5), wrote("a", ago=3)])
    pages.look()
    oldest = models.figures.seen["plaza_edge_due_seconds",]
    for outcome in ("failed", "again", "refreshed"):
        page = await fetched(pages, outcome)
    pages.look()

    assert 3 <= oldest < 60
    assert not page.since
    assert {event: COUNTS[f"edge.{event}"] - before[f"edge.{event}"] for event in ("failed", "again", "refreshed")} == {
        "failed": 1, "again": 1, "refreshed": 1
    }  # fmt: skip
    assert models.figures.seen["plaza_edge_due_seconds",] == 0
    assert models.figures.seen["plaza_edge_pages",] == 1


async def test_a_page_that_is_being_fetched_still_counts_as_wrong(pages: EdgePages) -> None:
    pages.heard([made(" /", "a", ago=5), wrote("a", ago=3)])
    await pages.due()

    assert pages.oldest() >= 3


async def test_a_connection_that_is_new_may_have_missed_something(pages: EdgePages) -> None:
    before = COUNTS["edge.missed"]
    for _ in range(3):
        pages.heard(None)

    assert COUNTS["edge.missed"] == before + 2


@pytest.mark.parametrize("choices", [{"page_ttl": 10}])
async def test_what_is_read_most_is_fetched_before_it_ends(pages: EdgePages) -> None:
    pages.heard([made(" /", "a", ago=8.5), made(" /young", "a"), made(" /seldom", "a", ago=8.5)])
    before = COUNTS["edge.ahead"]
    pages.read({" /": 5, " /young": 50, " /unknown": 7})

    assert (await fetched(pages)).key == " /"
    assert COUNTS["edge.ahead"] == before + 1
    pages.read({})
    assert nothing_is_due(pages)


@pytest.mark.parametrize("choices", [{"page_ttl": 10}])
async def test_what_nobody_reads_any_more_ends(pages: EdgePages) -> None:
    pages.heard([made(" /", "a", ago=8.5)])
    page = pages._index.pages[" /"]
    pages.read({" /": 1})
    hot = page in pages._warm
    pages.read({})

    assert hot
    assert page.heat < WARM
    assert page not in pages._warm


@pytest.mark.parametrize("choices", [{"upstreams": ("10.0.0.6:9000",)}])
async def test_where_clocks_differ_each_page_is_looked_at_once_more(pages: EdgePages) -> None:
    pages.heard([made(" /", "a", ago=5), wrote("a", ago=3)])
    before = COUNTS["edge.ahead"]
    first = await fetched(pages)
    pages.heard([made(" /", "a", ago=2.5)])
    again = await fetched(pages)

    assert first is again
    assert COUNTS["edge.ahead"] == before + 1
    assert nothing_is_due(pages)


@pytest.mark.parametrize("choices", [{"page_ttl": 10}])
@pytest.mark.parametrize("read", [False, True])
async def test_what_nobody_reads_is_ended_and_not_kept_alive(pages: EdgePages, read: bool) -> None:
    before = COUNTS["edge.ended"]
    pages.heard([made(" /", "a")])
    page = pages._index.pages[" /"]
    page.read -= 21
    pages.read({" /": 1} if read else {})
    pages.heard([wrote("a")])
    await fetched(pages)

    assert page.ending is not read
    assert (" /" in pages._index.pages) is read
    assert COUNTS["edge.ended"] == before + (not read)


@pytest.mark.parametrize("choices", [{"page_ttl": 10}])
async def test_who_has_it_made_while_it_is_ended_is_not_forgotten(pages: EdgePages) -> None:
    pages.heard([made(" /", "a", ago=30)])
    pages._index.pages[" /"].read -= 60
    pages.heard([wrote("a", ago=20)])
    page = await pages.due()
    pages.heard([made(" /", "a")])
    pages.fetched(page, time.time() - 1, page.since, "refreshed")

    assert page.ending
    assert " /" in pages._index.pages


async def test_a_refresh_that_failed_leaves_the_page_wrong_whatever_was_told(pages: EdgePages) -> None:
    pages.heard([made(" /", "a", ago=5), wrote("a", ago=3)])
    page = await pages.due()
    unshown = page.since
    pages.heard([made(" /", "a")])
    right = page.since == 0
    pages.fetched(page, time.time(), unshown, "failed")

    assert right
    assert page.since == unshown
    assert await fetched(pages) is page


async def test_a_family_that_is_dropped_makes_every_page_wrong(pages: EdgePages, models: Models) -> None:
    """An operator has changed something by hand."""
    pages.heard([made(" /", "a", ago=1), made(" /b", "b", ago=1)])
    models.cache.ended.append(lambda names: pages.heard([wrote(*names)]))
    await models.cache.drop_family("post")

    assert {(await fetched(pages)).key for _ in range(2)} == {" /", " /b"}
