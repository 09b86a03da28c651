"""When which page is fetched anew: what comes together is one, what fails comes again, what is read most comes first."""

from collections.abc import Callable

import pytest

from cache import refreshes
from cache.edge import Index, Page
from cache.refreshes import LATE, MOST, PAUSES, QUICKLY, TOGETHER, Refreshes


@pytest.fixture
def index() -> Index:
    return Index(60)


@pytest.fixture
def page(index: Index) -> Callable[[str], Page]:
    """`page("/")` is stored, made of its own path, and wrong."""

    def made(path: str) -> Page:
        index.made(f" {path}", 1.0, [path], 1.0)
        (wrong,) = index.wrote([path], 10.0, 10.0)
        return wrong

    return made


def right(index: Index, page: Page, at: float) -> None:
    index.refreshed(page, at, at)


Make = Callable[[str], Page]


def test_a_wrong_page_is_fetched_at_once(page: Make) -> None:
    queue = Refreshes()
    queue.add([front := page("/")], 10.0)

    assert queue.rest(10.0) == 0
    assert queue.take(10.0) is front
    assert queue.take(10.0) is None
    assert queue.rest(10.0) is None


def test_writes_within_50_ms_are_one_refresh(index: Index, page: Make) -> None:
    queue = Refreshes()
    queue.add([front := page("/")], 10.0)
    queue.take(10.0)
    right(index, front, 10.001)
    queue.ended(front, 10.002)
    for n in range(10):
        queue.add(index.wrote(["/"], 10.003 + n / 1000, 10.02), 10.003 + n / 1000)

    assert queue.take(10.049) is None
    assert queue.rest(10.04) == pytest.approx(0.01)
    assert queue.take(10.0 + TOGETHER) is front
    assert len(queue) == 0


def test_a_write_while_a_page_is_fetched_has_it_fetched_again(index: Index, page: Make) -> None:
    queue = Refreshes()
    queue.add([front := page("/")], 10.0)
    queue.take(10.0)
    queue.add(index.wrote(["/"], 10.01, 10.01), 10.01)
    while_it_is_busy = queue.take(11.0)
    right(index, front, 10.0)
    queue.ended(front, 11.0)

    assert while_it_is_busy is None
    assert queue.take(11.0) is front


def test_what_somebody_else_has_made_right_is_not_fetched(index: Index, page: Make) -> None:
    queue = Refreshes()
    queue.add([page("/")], 10.0)
    index.made(" /", 10.5, ["/"], 10.6)

    assert queue.take(11.0) is None
    assert len(queue) == 0


def test_it_is_tried_again_at_once_and_then_more_and_more_seldom(page: Make) -> None:
    queue, now = Refreshes(), 10.0
    queue.add([front := page("/")], now)
    pauses = []
    for _ in range(QUICKLY + len(PAUSES) + 2):
        assert queue.take(now) is front
        queue.ended(front, now)
        pauses.append(queue.rest(now) or 0)
        now += pauses[-1]

    assert pauses == pytest.approx([*[TOGETHER] * QUICKLY, *PAUSES, PAUSES[-1], PAUSES[-1]])


def test_a_new_write_is_tried_quickly_again(index: Index, page: Make) -> None:
    queue = Refreshes()
    queue.add([front := page("/")], 10.0)
    front.tries = 20
    queue.add(index.wrote(["/"], 11.0, 11.0), 11.0)
    queue.take(11.0)
    queue.ended(front, 11.0)

    assert queue.rest(11.0) == pytest.approx(TOGETHER)


def test_a_page_that_ended_in_the_store_is_left_alone(index: Index, page: Make) -> None:
    queue = Refreshes()
    queue.add([page("/"), busy := page("/busy")], 10.0)
    while (taken := queue.take(10.0)) is not None and taken is not busy:
        queue.ended(taken, 10.0)
    index.forget(1000.0)
    queue.ended(busy, 1000.0)

    assert busy.gone
    assert queue.take(1001.0) is None
    assert len(queue) == 0


def test_a_doubtful_page_is_looked_at_once_more(index: Index, page: Make) -> None:
    queue = Refreshes()
    queue.add([front := page("/")], 10.0)
    front.doubtful = True
    queue.take(10.0)
    right(index, front, 10.01)
    queue.ended(front, 10.02)
    rest = queue.rest(10.02)
    again = queue.take(10.02 + LATE)
    queue.ended(front, 10.02 + LATE)

    assert rest == pytest.approx(LATE)
    assert again is front
    assert queue.rest(20.0) is None


def test_every_page_is_looked_at_once_more_where_clocks_differ(index: Index, page: Make) -> None:
    queue, looks = Refreshes(), 0
    queue.add([front := page("/")], 10.0)
    for now in (10.0, 12.0, 14.0, 16.0):
        if queue.take(now) is front:
            looks += 1
            right(index, front, now)
            queue.ended(front, now, always_doubtful=True)

    assert looks == 2


def test_what_is_wrong_comes_first_then_what_is_read_most_then_what_is_new(index: Index, page: Make) -> None:
    queue = Refreshes()
    wanted = index.made(" /wanted", 1.0, ["w"], 1.0)
    old, hot, new = page("/old"), page("/hot"), page("/new")
    hot.heat, wanted.heat = 2.0, 3.0
    old.heard, hot.heard, new.heard = 1.0, 2.0, 3.0
    queue.add([wanted], 10.0, wanted=True)
    queue.add([old, new, hot], 10.0)

    assert [queue.take(10.0) for _ in range(4)] == [hot, new, old, wanted]


def test_what_is_too_much_is_dropped_and_counted_the_hot_ones_stay(page: Make) -> None:
    queue = Refreshes()
    pages = [page(f"/{n}") for n in range(2 * MOST)]
    pages[0].heat = 1.0
    queue.add(pages, 10.0)

    assert len(queue) == MOST
    assert queue.dropped == MOST
    assert queue.take(10.0) is pages[0]
    assert refreshes.MOST + 1 > sum(queue.take(10.0) is not None for _ in range(2 * MOST)) > 0
