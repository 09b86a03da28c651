"""An hour of figures, as a worker would have kept them, and something that the auditor found: for the page of the cache."""

import math
import time

from models import Models
from models.metrics import Series
from models.snapshots import Snapshot
from tests.browser import hostile

_READ = {
    "post": 900,
    "post.body": 300,
    "user": 700,
    "session": 200,
    "posts.page": 150,
    "comments.threads": 120,
    "site": 400,
}


async def keep(models: Models) -> None:
    """Sixty minutes with a wave of readers, a quarter of an hour without any, and one violation."""
    now = int(time.time())
    for minute in range(61):
        models.figures._past.add([_snapshot(minute)], now - 3600 + 60 * minute)
    models.figures._past.add([_snapshot(61)], now)
    trace = {
        "writer": "ab" * 16, "written_at": "2026-01-02T03:04:05+00:00", "slots": ["post:1", f"scope:posts.tagged:{hostile.LONG}"],
        "looks": [{"after_s": 1.0, "different": []}, {"after_s": 10.0, "different": ["web-0 post:1"]}], "versions": [1, 2],
        "values": {"title": [hostile.TITLE, hostile.LONG], "version": ["1", "2"]},
    }  # fmt: skip
    await models.auditor.comparisons.found("web-0", f"scope:posts.tagged:{hostile.LONG}"[:500], trace)


def _snapshot(minute: int) -> Snapshot:
    """What a process had counted by then."""
    counters: dict[Series, float] = {}
    for at, (family, reads) in enumerate(_READ.items()):
        total = sum(_reads(one, reads) for one in range(minute))
        for series, share in (
            (("plaza_cache_hits_total", "l1", family), 0.8 - 0.1 * at),
            (("plaza_cache_hits_total", "l2", family), 0.15 + 0.08 * at),
            (("plaza_cache_joined_total", family), 0.01), (("plaza_cache_loads_total", family), 0.04 + 0.02 * at),
        ):  # fmt: skip
            counters[series] = int(total * share)
    for answer in ("lease", "busy", "bypass"):
        counters["plaza_cache_leases_total", answer] = 7 * minute
    counters["plaza_cache_fills_total", "stored"] = 40_000 * minute
    counters["plaza_events_total", "auditor", "compared"] = 20 * minute
    counters["plaza_events_total", "auditor", "violations"] = minute // 60
    return Snapshot("web-7", 1, 1, 0.0, float(minute), counters, {}, {})


def _reads(minute: int, most: int) -> int:
    return 0 if 20 <= minute < 35 else int(most * (1.2 + math.sin(minute / 5)))
