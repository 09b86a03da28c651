"""How the figures of this host went: samples of the last day, kept by the worker in a small file that outlives it.

A sample has by how much each counter rose, all processes together, and the gauges as they stood. What a process has counted after
its last sample is lost when it ends.
"""

import logging
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from models.metrics import METRICS, Series
from models.rises import Looked, look, rises, together
from models.snapshots import Snapshot

log = logging.getLogger("plaza.figures")

FINE, COARSE = 10, 60  # s of a sample
KEPT = {FINE: 3600, COARSE: 86_400}  # s
PATIENCE = 1.0  # s for whoever writes or reads at the same time

# Series are numbered, for their names are longer than what is said of them. `last`: the counters that the next sample rises from.
_TABLES = """
    CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);
    CREATE TABLE IF NOT EXISTS samples (
        step INTEGER NOT NULL, at INTEGER NOT NULL, seconds REAL NOT NULL, rises BLOB NOT NULL, gauges BLOB NOT NULL,
        PRIMARY KEY (step, at)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS last (at REAL NOT NULL, counters BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """`at` is its end, in seconds since 1970, and `seconds` how long it is. A counter that stood still is left out."""

    at: int
    seconds: float
    rises: dict[Series, float]
    gauges: dict[Series, float]


class History:
    """The file. Its methods wait for the disk: they are for threads. The worker alone adds."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, snapshots: Sequence[Snapshot], now: float | None = None) -> None:
        """The next sample, and its share of the minute it falls into. A file that is broken is begun anew. Raises OSError,
        sqlite3.Error."""
        now = time.time() if now is None else now
        try:
            with self._opened() as db:
                _add(db, snapshots, now)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # it is locked, or the disk is full
            log.warning("%s is begun anew: %s", self._path, error)
            self._path.unlink(missing_ok=True)

    def read(self, step: int, since: float) -> list[Sample]:
        """The samples of FINE or COARSE seconds that ended after that moment, the oldest first; none when there is no file.

        Raises sqlite3.Error.
        """
        if not self._path.exists():
            return []
        with self._opened() as db:
            rows = db.execute(
                "SELECT at, seconds, rises, gauges FROM samples WHERE step = ? AND at > ? ORDER BY at", (step, since)
            ).fetchall()
            # After the samples: the worker may add one meanwhile, with series that had no number before it.
            names = {id: tuple(_unpacked(name)) for id, name in db.execute("SELECT id, name FROM series")}
        return [Sample(at, seconds, _named(names, rises), _named(names, gauges)) for at, seconds, rises, gauges in rows]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=PATIENCE)) as db:
            # A power cut may break the file, which is then begun anew: it is not worth a wait for the disk every 10 s.
            db.execute("PRAGMA synchronous = OFF")
            with db:
                db.executescript(_TABLES)
            with db:
                yield db


def _add(db: sqlite3.Connection, snapshots: Sequence[Snapshot], now: float) -> None:
    last = _last(db)
    db.execute("DELETE FROM last")
    db.execute("INSERT INTO last VALUES (?, ?)", (now, msgpack.packb(look(snapshots, now).counters)))
    if last is None or now <= last.at:
        return  # there is nothing to rise from
    new = Sample(int(now), now - last.at, rises(snapshots, last), together(snapshots))
    for step, at in ((FINE, int(now)), (COARSE, -(-int(now) // COARSE) * COARSE)):
        _put(db, step, _joined(_one(db, step, at), new, at))
    for step, seconds in KEPT.items():
        db.execute("DELETE FROM samples WHERE step = :step AND at <= :end", {"step": step, "end": now - seconds})


def _last(db: sqlite3.Connection) -> Looked | None:
    row = db.execute("SELECT at, counters FROM last").fetchone()
    return Looked(row[0], _unpacked(row[1])) if row else None


def _joined(old: Sample | None, new: Sample, at: int) -> Sample:
    """A minute, which ends `at`, and one sample more of it: of gauges that are joined by their maximum the worst, of others the
    latest."""
    if old is None:
        return Sample(at, new.seconds, new.rises, new.gauges)
    rises = defaultdict(float, old.rises)
    for series, rise in new.rises.items():
        rises[series] += rise
    worst = {
        series: max(value, old.gauges.get(series, value))
        for series, value in new.gauges.items()
        if (known := METRICS.get(series[0])) and known.together == "max"
    }
    return Sample(at, old.seconds + new.seconds, rises, old.gauges | new.gauges | worst)


def _put(db: sqlite3.Connection, step: int, sample: Sample) -> None:
    numbers = {name: id for id, name in db.execute("SELECT id, name FROM series")}

    def numbered(figures: dict[Series, float]) -> bytes:
        found: dict[int, float] = {}
        for series, value in figures.items():
            name = msgpack.packb(series)
            if name not in numbers:
                numbers[name] = db.execute("INSERT INTO series (name) VALUES (?)", (name,)).lastrowid
            found[numbers[name]] = value
        packed: bytes = msgpack.packb(found)
        return packed

    values = (step, sample.at, sample.seconds, numbered(sample.rises), numbered(sample.gauges))
    db.execute("INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, ?)", values)


def _one(db: sqlite3.Connection, step: int, at: int) -> Sample | None:
    sql = "SELECT seconds, rises, gauges FROM samples WHERE step = :step AND at = :at"
    row = db.execute(sql, {"step": step, "at": at}).fetchone()
    if row is None:
        return None
    names = {id: tuple(_unpacked(name)) for id, name in db.execute("SELECT id, name FROM series")}
    return Sample(at, row[0], _named(names, row[1]), _named(names, row[2]))


def _named(names: dict[int, Series], data: bytes) -> dict[Series, float]:
    return {names[id]: value for id, value in _unpacked(data).items()}


def _unpacked(data: bytes) -> Any:
    return msgpack.unpackb(data, use_list=False, strict_map_key=False)
