"""`plaza cache`: how well, what, and whether it is true; what it drops, and that what is old is found."""

from collections.abc import Iterator

import pymysql
import pytest

from commands.cache import _nines
from commands.embedded import root_address
from models.sampling import least_true
from tests.commands.instances import Instance, until


@pytest.fixture
def visited(site: Instance) -> Instance:
    """A site whose front page has been asked for, so that something is remembered in each process."""
    for _ in range(12):
        assert site.get("/", {"Cookie": "fresh=1"}).status == 200  # Nginx asks a process, though it has the page
        assert site.get("/signin").status == 200
    return site


@pytest.fixture
def changed_by_hand(visited: Instance) -> Iterator[Instance]:
    """The row that all pages are made of has another content in MySQL, and no cache has heard of it."""
    _sql(visited, "INSERT INTO site (name, value) VALUES ('tagline', 'By hand')")
    yield visited
    _sql(visited, "DELETE FROM site WHERE name = 'tagline'")
    visited.plaza("cache", "drop", "site", "1")


def _sql(site: Instance, statement: str) -> None:
    address = root_address(site.settings)
    with pymysql.connect(
        unix_socket=address.unix_socket, user=address.user, password=address.password, database="plaza", autocommit=True
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute(statement)


def test_stats_tell_by_family_and_process(visited: Instance) -> None:
    until(lambda: "site " in visited.plaza("cache", "stats").stdout)  # each process writes its figures every second
    done = visited.plaza("cache", "stats")

    assert done.returncode == 0, done.stderr
    for word in ("site", "together", "web-0", "web-1", "worker", "asked"):
        assert word in done.stdout


def test_show_tells_what_each_level_holds(visited: Instance) -> None:
    done = visited.plaza("cache", "show", "site", "1")

    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert lines.keys() >= {"web-0", "web-1", "redis", "MySQL"}
    assert "as MySQL" in next(line for line in done.stdout.splitlines() if line.startswith("redis"))


def test_show_tells_of_a_page(visited: Instance) -> None:
    done = visited.plaza("cache", "show", "/")

    assert done.returncode == 0, done.stderr
    assert "It is given" in done.stdout
    assert "of 2 names" in done.stdout or "names" in done.stdout


def test_what_is_no_slot_is_told_in_one_line(visited: Instance) -> None:
    for words in (("show", "pots", "1"), ("drop", "post"), ("drop", "--family", "pots")):
        done = visited.plaza("cache", *words)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert "amily" in done.stderr


def test_verify_finds_nothing_old_and_says_how_sure_that_is(visited: Instance) -> None:
    done = visited.plaza("cache", "verify", "--sample", "20")

    assert done.returncode == 0, done.stdout + done.stderr
    assert " looked at, 0 old: at least " in done.stdout


def test_verify_names_what_is_old_and_drop_mends_it(changed_by_hand: Instance) -> None:
    done = changed_by_hand.plaza("cache", "verify", "--sample", "20")
    assert done.returncode == 1, done.stdout
    assert "site:1 of redis is older than it may be" in done.stderr

    assert changed_by_hand.plaza("cache", "drop", "site:1").returncode == 0
    until(lambda: "By hand" in changed_by_hand.get("/").text)
    assert changed_by_hand.plaza("cache", "verify", "--sample", "20").returncode == 0


def test_a_family_is_dropped(changed_by_hand: Instance) -> None:
    assert "By hand" not in changed_by_hand.get("/").text
    done = changed_by_hand.plaza("cache", "drop", "--family", "site")

    assert done.returncode == 0, done.stderr
    until(lambda: "By hand" in changed_by_hand.get("/").text)


@pytest.mark.parametrize(
    ("looked_at", "old", "least"),
    [(0, 0, 0.0), (1, 0, 0.05), (100, 0, 0.9705), (100_000, 0, 0.99997), (1000, 10, 0.985)],
)
def test_how_much_is_true_at_least(looked_at: int, old: int, least: float) -> None:
    assert least_true(looked_at, old) == pytest.approx(least, abs=5e-4 if old else 1e-4)


@pytest.mark.parametrize(
    ("percent", "nines"), [(50.0, "50.00"), (99.9, "99.90"), (99.9970043, "99.997"), (99.99999, "99.99999")]
)
def test_nines_are_not_rounded_up(percent: float, nines: str) -> None:
    assert _nines(percent) == nines
