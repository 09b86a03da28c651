"""The windows of a board: which day, week and month a moment belongs to, by the site's own clock, and when they end."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

Window = Literal["day", "week", "month", "ever"]
WINDOWS: tuple[Window, ...] = ("day", "week", "month", "ever")


class Period(NamedTuple):
    """One stretch of time: `ever`, `2026-11`, `2026-W48` (ISO 8601, from Monday on), `2026-11-29`. It has begun at
    `starts`, and is over at `ends`; None: no such moment."""

    name: str
    starts: datetime | None = None
    ends: datetime | None = None


EVER = Period("ever")


def period(window: Window, at: datetime, zone: ZoneInfo) -> Period:
    """The one that `at` belongs to: days begin at midnight in `zone`, however long they are."""
    return _of_day(window, at.astimezone(zone).date(), zone)


def periods(at: datetime, zone: ZoneInfo) -> tuple[Period, ...]:
    """All that a moment belongs to, in one order for all writers."""
    today = at.astimezone(zone).date()
    return tuple(_of_day(window, today, zone) for window in WINDOWS)


@lru_cache(1024)  # asked for with each score
def _of_day(window: Window, today: date, zone: ZoneInfo) -> Period:
    match window:
        case "day":
            return _period(today.isoformat(), today, today + timedelta(days=1), zone)
        case "week":
            year, week, weekday = today.isocalendar()
            monday = today - timedelta(days=weekday - 1)
            return _period(f"{year}-W{week:02}", monday, monday + timedelta(days=7), zone)
        case "month":
            first = today.replace(day=1)
            return _period(f"{first:%Y-%m}", first, (first + timedelta(days=31)).replace(day=1), zone)
    return EVER


def _period(name: str, first: date, after: date, zone: ZoneInfo) -> Period:
    starts, ends = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, after))
    return Period(name, starts, ends)
