"""Entries of a log become requests: in order, in sessions, and of any number."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay import importing
from replay.access_logs import Entry
from replay.importing import GAP_US, Sessions, Spool, Told, begins, requests
from replay.keys import new_key
from replay.records import Request
from replay.redaction import Redactor
from replay.sites import AnySite

SECOND = 1_000_000
APACHE = Entry(100 * SECOND, False, True, 0, "10.0.0.1", "Firefox", "", "GET", "/", 200, 10)
NGINX = replace(APACHE, ended=True, whole_second=False)


def made(
    entries: list[Entry], seed: int = 1, mapped: Callable[[Entry], str | None] = lambda entry: entry.target
) -> tuple[list[Request], Told]:
    told = Told()
    with Spool() as spool:
        for entry in entries:
            spool.add(entry)
        key = Redactor(new_key(), AnySite())
        return list(requests(spool, Sessions(b"key"), seed, mapped, key, told)), told


def at(second: float, **changes: Any) -> Entry:
    return replace(APACHE, at_us=int(second * SECOND), **changes)


def test_what_stood_in_disorder_comes_in_order_and_keeps_it_inside_a_second() -> None:
    entries = [at(5, target="/5a"), at(3, target="/3"), at(5, target="/5b"), at(4, target="/4"), at(5, target="/5c")]

    found, _ = made(entries)

    assert [one.target for one in found] == ["/3", "/4", "/5a", "/5b", "/5c"]
    assert [one.t_us // SECOND for one in found] == [0, 1, 2, 2, 2]
    assert [one.i for one in found] == [0, 1, 2, 3, 4]


def test_a_second_is_filled_evenly_and_the_same_each_time() -> None:
    entries = [at(7, target=f"/{n}") for n in range(100)]

    found, _ = made(entries)

    assert [one.t_us for one in found] == sorted(one.t_us for one in found)
    assert all(n * 10_000 <= one.t_us < (n + 1) * 10_000 for n, one in enumerate(found))
    assert [one.t_us for one in made(entries)[0]] == [one.t_us for one in found]
    assert [one.t_us for one in made(entries, seed=2)[0]] != [one.t_us for one in found]


def test_a_request_that_took_long_began_before_those_that_ended_before_it() -> None:
    slow = replace(NGINX, at_us=109 * SECOND, took_us=8 * SECOND, target="/slow")
    fast = [replace(NGINX, at_us=n * SECOND, took_us=1000, target=f"/{n}") for n in range(100, 110)]

    found, _ = made([*fast[:-1], slow, fast[-1]])

    assert [one.target for one in found][:4] == ["/100", "/101", "/slow", "/102"]
    assert found[2].answer.total_us == 8 * SECOND


def test_half_an_hour_without_a_request_ends_a_session() -> None:
    gap = GAP_US // SECOND
    entries = [
        at(0),
        at(gap - 1),
        at(2 * gap - 3),
        at(3 * gap),
        at(3 * gap, agent="Opera"),
        at(3 * gap, address="10.0.0.2"),
    ]

    found, _ = made(entries)

    assert len({one.session for one in found}) == 4
    assert [one.k for one in found] == [0, 1, 2, 0, 0, 0]


def test_nobody_is_found_in_the_name_of_a_session() -> None:
    with Spool() as spool:
        spool.add(APACHE)
        session = Sessions(b"key").of(1, APACHE)
        again = Sessions(b"another").of(1, APACHE)

    assert session.name != again.name
    assert len(session.name) == 12
    assert "10.0.0.1" not in json.dumps([(*one.headers, one.target) for one in made([APACHE])[0]])


def test_pictures_of_a_page_wait_for_it_and_not_for_each_other() -> None:
    found, _ = made([at(1, target="/page"), at(2, target="/a.png"), at(2, target="/b.png"), at(3, target="/next")])

    assert [one.after for one in found] == [None, 0, 0, 2]


def test_where_the_log_knows_how_long_it_took_only_what_was_answered_is_waited_for() -> None:
    page = replace(NGINX, at_us=2 * SECOND, took_us=SECOND)  # from 1 s to 2 s
    beside = replace(NGINX, at_us=1_800_000, took_us=300_000)  # from 1.5 s
    behind = replace(NGINX, at_us=3 * SECOND, took_us=500_000)  # from 2.5 s

    found, _ = made([page, beside, behind])

    assert [one.after for one in found] == [None, None, 1]


def test_writes_and_what_has_no_place_are_left_out_and_counted() -> None:
    entries = [
        at(1),
        at(2, method="POST"),
        at(3, target="/no"),
        at(4, status=304),
        at(5, status=206),
        at(6, method="HEAD"),
    ]

    found, told = made(entries, mapped=lambda entry: None if entry.target == "/no" else "/there")

    assert [one.method for one in found] == ["GET", "GET", "GET", "HEAD"]
    assert {one.target for one in found} == {"/there"}
    assert told.dropped == {"write without its body": 1, "not mapped": 1}
    assert (told.requests, told.conditional, told.ranges) == (4, 1, 1)


def test_secrets_of_addresses_and_headers_are_not_written() -> None:
    entry = at(1, target="/reset?token=Zk3mPq81xVbQ2LrT&page=2", agent="Bot (+me@example.com)",
               referrer="https://example.org/search?q=private#x")  # fmt: skip

    ((found,), _) = made([entry])

    assert "Zk3mPq81xVbQ2LrT" not in found.target
    assert found.target.startswith("/reset?token={{token:")
    assert dict(found.headers) == {"user-agent": "Bot (redacted)", "referer": "https://example.org/search"}


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5), st.booleans(), st.integers(0, 3)), max_size=60))
def test_whatever_the_log_all_come_once_in_order_and_so_in_each_session(told: list[tuple[int, int, bool, int]]) -> None:
    entries = [
        replace(APACHE, at_us=second * SECOND, took_us=took * SECOND, ended=bool(took), whole_second=whole,
                address=f"10.0.0.{who}", target=f"/{n}")
        for n, (second, took, whole, who) in enumerate(told)
    ]  # fmt: skip

    with Spool() as spool:
        for entry in entries:
            spool.add(entry)
        moments = [begin for begin, _ in begins(spool, 1)]
    found, _ = made(entries)

    assert moments == sorted(moments)
    assert sorted(one.target for one in found) == sorted(entry.target for entry in entries)
    assert all(one.t_us >= 0 for one in found)
    sessions: dict[str, list[Request]] = defaultdict(list)
    for one in found:
        sessions[one.session].append(one)
    for each in sessions.values():
        assert [one.k for one in each] == list(range(len(each)))
        assert all(one.after is None or one.after < one.i for one in each)


def test_more_than_fits_in_memory_goes_by_way_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [at((n * 7919) % 1000, target=f"/{n}", agent=f"a{n % 3}") for n in range(1000)]
    whole, _ = made(entries)

    monkeypatch.setattr(importing, "RUN", 64)
    in_parts, _ = made(entries)

    assert in_parts == whole
