"""Which stored pages are wrong: whatever order makings and writes are told in, what Nginx may have stored decides."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache import edge
from cache.edge import Index

NAMES = "abc"
LATER = 100.0  # when all is told


@dataclass
class Made:
    begun: float
    names: str


@dataclass
class Wrote:
    name: str
    at: float


@dataclass
class Model:
    """All that was ever told of one page, and the rule as it is written, with no thought of time."""

    made: list[Made] = field(default_factory=list)
    wrote: list[Wrote] = field(default_factory=list)

    def may_be_stored(self) -> list[Made]:
        """One that was told later and began later has replaced what was before it."""
        return [
            one for n, one in enumerate(self.made) if not any(later.begun >= one.begun for later in self.made[n + 1 :])
        ]

    def unshown(self) -> list[float]:
        return [
            write.at for one in self.may_be_stored() for write in self.wrote
            if write.name in one.names and write.at > one.begun
        ]  # fmt: skip


moments = st.integers(1, 12).map(float)
told = st.lists(
    st.one_of(
        st.builds(Made, moments, st.text(NAMES, max_size=3)),
        st.builds(Wrote, st.sampled_from(NAMES), moments),
    ),
    max_size=25,
)


def tell(index: Index, one: Made | Wrote) -> None:
    if isinstance(one, Made):
        index.made("en /", one.begun, list(one.names), LATER)
    else:
        index.wrote([one.name], one.at, LATER)


def wrong(index: Index) -> bool:
    return "en /" in index.pages and index.pages["en /"].since > 0


@given(told)
def test_a_page_is_wrong_when_what_may_be_stored_began_before_a_write(events: list[Made | Wrote]) -> None:
    index, model = Index(1000), Model()
    for event in events:
        tell(index, event)
        (model.made if isinstance(event, Made) else model.wrote).append(event)  # type: ignore[arg-type]
        unshown = model.unshown()
        if wrong(index) and not unshown:
            assert len(model.may_be_stored()) > edge.DEEPEST  # then some count as one, and as the older of them
        if unshown:
            assert min(unshown) <= index.pages["en /"].since <= max(unshown)


@given(told, st.randoms(use_true_random=False))
def test_it_does_not_matter_when_writes_are_told(events: list[Made | Wrote], random: object) -> None:
    """As long as the makings of a page are told in the order in which they were stored."""
    makings = [event for event in events if isinstance(event, Made)][: edge.DEEPEST]
    writes = [event for event in events if isinstance(event, Wrote)]
    places = sorted(random.randrange(len(makings) + 1) for _ in writes)  # type: ignore[attr-defined]
    first, mixed = Index(1000), Index(1000)
    for write in writes:
        tell(first, write)
    for making in makings:
        tell(first, making)
    for n in range(len(makings) + 1):
        for place, write in zip(places, writes, strict=True):
            if place == n:
                tell(mixed, write)
        if n < len(makings):
            tell(mixed, makings[n])

    assert wrong(mixed) == wrong(first)


@given(st.lists(st.tuples(st.sampled_from("xyz"), moments, st.text("abcdefgh", max_size=6)), max_size=30))
def test_nothing_is_left_behind(makings: list[tuple[str, float, str]]) -> None:
    index = Index(10)
    for key, begun, names in makings:
        index.made(key, begun, list(names), LATER)
    links = {(name, page.key) for page in index.pages.values() for name in page.names}

    assert {(name, page.key) for name in index._of for page in index._pages_of(name)} == links
    assert index._links == len(links)
    index.wrote(["a"], 3, LATER)
    index.forget(LATER + 100)
    assert (index.pages, index._of, index._written, index._links) == ({}, {}, {}, 0)


def test_a_page_is_forgotten_when_nginx_gives_it_no_more_and_not_earlier() -> None:
    index = Index(10)
    page = index.made("en /", 100.0, ["a"], 100.0)
    index.forget(110.9)
    before = "en /" in index.pages, page.gone
    index.forget(111.0)

    assert before == (True, False)
    assert page.gone
    assert index.wrote(["a"], 111.0, 111.0) == []


def test_a_write_waits_for_pages_that_are_told_of_later() -> None:
    index = Index(10)
    index.wrote(["a"], 100.0, 100.0)
    index.forget(119.0)

    assert index.made("en /", 99.9, ["a"], 119.0).since == 100.0


def test_a_clock_that_is_ahead_is_not_believed() -> None:
    """Else its page would never be wrong, or its write make each page wrong that comes."""
    index = Index(10)
    index.made("en /", 5000.0, ["a"], 100.0)
    index.wrote(["b"], 5000.0, 100.0)

    assert index.wrote(["a"], 101.0, 101.0)
    assert not index.made("en /b", 102.0, ["b"], 102.0).since


def test_what_was_fetched_anew_is_right_and_is_still_watched() -> None:
    index = Index(10)
    page = index.made("en /", 100.0, ["a", "b"], 100.0)
    index.wrote(["a"], 101.0, 101.0)
    index.refreshed(page, 101.5, 102.0)
    right = page.since == 0
    index.wrote(["b"], 103.0, 103.0)

    assert right
    assert page.since == 103.0


def test_what_was_fetched_before_the_last_write_is_still_wrong() -> None:
    index = Index(10)
    page = index.made("en /", 100.0, ["a"], 100.0)
    index.wrote(["a"], 101.0, 101.0)
    index.wrote(["a"], 101.6, 101.6)
    index.refreshed(page, 101.5, 102.0)

    assert page.since == 101.6


@pytest.mark.parametrize(
    ("heard", "doubtful"), [(100.0, False), (110.0 - edge.GAP / 2, True)], ids=["long before", "just before"]
)
def test_what_was_told_just_before_a_write_may_be_stored_after_its_refresh(heard: float, doubtful: bool) -> None:
    index = Index(60)
    page = index.made("en /", heard, ["a"], heard)
    index.wrote(["a"], 110.0, 110.0)

    assert page.doubtful is doubtful


def test_a_late_arrival_is_doubtful() -> None:
    index = Index(60)
    index.wrote(["a"], 110.0, 110.0)

    assert index.made("en /", 109.0, ["a"], 112.0).doubtful
    assert not index.made("en /b", 111.0, ["a"], 112.0).doubtful


def test_the_oldest_go_when_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("MOST_PAGES", 3), ("MOST_NAMES", 6), ("MOST_LINKS", 8)):
        index = Index(10)
        monkeypatch.setattr(edge, name, most)
        for n in range(20):
            index.made(f"en /{n}", 1, [f"{n}", "all", f"{n} more"], 10)
            index.wrote([f"{n}"], 0.5, 10)
        monkeypatch.undo()

        assert list(index.pages)[-1] == "en /19"
        assert len(index.pages) in (2, 3), name
        assert index.dropped >= 17
        assert set(index.wrote(["all"], 2, 10)) == set(index.pages.values())


def test_a_page_of_very_many_names_takes_its_share_alone() -> None:
    index = Index(10)
    page = index.made("en /", 1, [f"{n}" for n in range(5000)], 10)

    assert len(page.names) == edge.MOST_OF_A_PAGE
