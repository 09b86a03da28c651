"""What a process may answer by itself, and what it must forget; the bound on its memory."""

import gc
import threading
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cache import local as local_module
from cache.admission import Admission
from cache.local import LAG, LONGEST, Local, now
from cache.reading import Reading
from cache.sieve import Item, Sieve
from cache.weights import weigh

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    text: str


def opened(most: int = 1 << 20, *, on: bool = True) -> Local:
    """L1 as it is while pushes come in and the fence is young."""
    local = Local(most, on=on)
    local.begin()
    local.fence(now())
    return local


def put(
    local: Local, name: str, value: Any = "value", *, stamp: int = 1, until: int = 0, names: tuple[str, ...] = ()
) -> None:
    """Asked for twice, so it is kept."""
    for _ in range(2):
        local.put(local.ticket(name, *names), name, value, stamp=stamp, until=until)


def held(local: Local, name: str) -> Any:
    entry = local.get(name)
    return entry and entry.value


def test_what_is_asked_for_twice_is_kept_and_what_is_asked_for_once_is_not() -> None:
    local = opened()
    local.put(local.ticket("once"), "once", "value", stamp=1)
    put(local, "twice", stamp=7)

    assert held(local, "once") is None
    entry = local.get("twice")
    assert entry
    assert (entry.value, entry.stamp) == ("value", 7)
    assert (local.families["twice"].l1, local.kept) == (1, 1)


def test_twice_counts_within_ten_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission(64, 10)
    clock = [1000.0]
    monkeypatch.setattr("cache.admission.clock_gettime", lambda _: clock[0])
    seen = [admission.again("a")]
    clock[0] += 10
    seen.append(admission.again("a"))
    clock[0] += 11
    seen.append(admission.again("a"))

    assert seen == [False, True, False]


def test_a_read_whose_answer_could_not_be_kept_counts_as_one() -> None:
    """A first read loads and fills, and hears of its own fill: the second read is to be kept."""
    local = opened()
    ticket = local.ticket("a")
    local.drop(["a"])
    local.put(ticket, "a", "old", stamp=1)
    local.put(local.ticket("a"), "a", "new", stamp=1)

    assert held(local, "a") == "new"


@pytest.mark.parametrize("happened", ["drop", "flush", "shut", "begin"])
def test_an_answer_that_changed_on_its_way_is_not_kept(happened: str) -> None:
    local = opened()
    put(local, "a", "old")
    ticket = local.ticket("a")
    if happened == "drop":
        local.drop(["a"])
    else:
        getattr(local, happened)()
    assert not ticket.alive
    local.put(ticket, "a", "old", stamp=1)
    if happened != "begin":
        local.begin()
    local.fence(now())

    assert held(local, "a") is None


def test_a_drop_takes_its_name_and_no_other() -> None:
    local = opened()
    put(local, "a")
    put(local, "b")
    ticket = local.ticket("b")
    local.drop(["a"])

    assert held(local, "a") is None
    assert held(local, "b") == "value"
    assert ticket.alive


def test_a_list_goes_with_each_of_its_scopes() -> None:
    local = opened()
    for scope in ("scope:x", "scope:y"):
        put(local, "list", (1, 2), names=("scope:x", "scope:y"))
        assert held(local, "list") == (1, 2)
        local.drop([scope])
        assert held(local, "list") is None


def test_nothing_is_answered_before_the_fence_nor_when_it_is_old() -> None:
    local = Local(1 << 20)
    assert not local.open
    local.begin()
    put(local, "a")
    assert held(local, "a") is None

    local.fence(now())
    assert local.open
    assert held(local, "a") == "value"
    local.fence(now() - LAG)
    assert not local.open
    assert held(local, "a") is None
    assert local.fence_age >= LAG
    local.fence(now())
    assert held(local, "a") == "value"


def test_a_fence_without_a_connection_opens_nothing() -> None:
    local = Local(1 << 20)
    local.fence(now())

    assert not local.open
    assert not local.ticket("a").alive


def test_the_clock_decides_at_the_read_so_a_stopped_process_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    local = opened()
    put(local, "a")
    real = local_module.now
    monkeypatch.setattr(local_module, "now", lambda: real() + LAG)

    assert held(local, "a") is None


def test_no_answer_is_older_than_a_minute_or_than_its_own_end(monkeypatch: pytest.MonkeyPatch) -> None:
    local = opened()
    local.redis_ahead = 5_000_000.0
    put(local, "a")
    put(local, "b", until=int(now() * 1000 + 5_000_000 + 2_000))
    put(local, "past", until=int(now() * 1000 + 5_000_000 - 1))
    real = local_module.now
    assert [held(local, name) for name in ("a", "b", "past")] == ["value", "value", None]

    monkeypatch.setattr(local_module, "now", lambda: real() + 2.01)
    local.fence(local_module.now())
    assert [held(local, name) for name in ("a", "b")] == ["value", None]
    monkeypatch.setattr(local_module, "now", lambda: real() + LONGEST + 0.01)
    local.fence(local_module.now())
    assert held(local, "a") is None


def test_switched_off_it_keeps_nothing_and_gives_no_live_ticket() -> None:
    local = opened(on=False)
    put(local, "a")

    assert not local.open
    assert not local.ticket("a").alive
    assert held(local, "a") is None


def test_the_bytes_are_bounded_and_what_is_read_often_stays() -> None:
    local = opened(100_000)
    put(local, "hot", "x" * 100)
    for n in range(1000):
        assert held(local, "hot")
        put(local, f"cold:{n}", "x" * 500)

    assert local.live.weight <= 100_000
    assert held(local, "hot")
    assert local.evicted > 800
    assert held(local, "cold:5") is None
    assert held(local, "cold:999")


def test_a_value_that_would_take_an_eighth_of_the_room_is_not_kept() -> None:
    local = opened(100_000)
    put(local, "big", "x" * 13_000)

    assert held(local, "big") is None
    assert local.too_big == 1


def test_the_hand_spares_once_what_was_used() -> None:
    sieve, items = Sieve(), [Item(1) for _ in range(4)]
    for item in items:
        sieve.add(item)
    items[0].used = items[2].used = True
    gone = []
    for _ in range(4):
        victim = sieve.next_out()
        assert victim
        sieve.remove(victim)
        gone.append(items.index(victim))

    assert gone == [1, 3, 0, 2]
    assert sieve.next_out() is None
    assert (sieve.weight, sieve.count) == (0, 0)


def test_nothing_is_left_behind_by_tickets_that_ended() -> None:
    local = opened()
    for n in range(1000):
        local.ticket(f"a:{n}", "scope")
        put(local, f"list:{n}", n, names=(f"of:{n}", "scope"))
        local.drop([f"list:{n}"] if n % 2 else [f"of:{n}"])
        reading = Reading(local)
        reading.saw(f"a:{n}", 1, True)
        del reading
    local.fence(now())

    assert local._watches == {}
    assert local._rows == {}
    assert local.live.weight == 0


def test_what_a_ticket_watched_is_cleared_away_by_the_loop_not_where_the_ticket_ends() -> None:
    """It ends wherever garbage is collected: in the midst of `watch`, in another thread."""
    local = opened()
    ticket = local.ticket("a")
    thread = threading.Thread(target=lambda held: held.clear(), args=([ticket],))
    del ticket
    thread.start()
    thread.join()
    del thread
    assert set(local._watches) == {"a"}

    local.ticket("b")
    assert "a" not in local._watches


def test_a_name_added_to_a_ticket_is_watched() -> None:
    local = opened()
    ticket = local.ticket("a")
    ticket.also("b")
    local.drop(["b"])

    assert not ticket.alive


def test_what_a_value_weighs_is_near_what_it_takes() -> None:
    def rows() -> list[Row]:
        return [Row(1_000_000 + n, f"text {n} " * (n % 40)) for n in range(5000)]

    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = rows()
    took = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    said = sum(map(weigh, kept))

    assert 0.9 * took < said < 1.4 * took
