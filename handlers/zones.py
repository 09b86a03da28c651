"""Moments as a form has them: local to the site's time zone, to the minute (`<input type="datetime-local">`)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from models.errors import Invalid


def local_text(at: datetime, zone: str) -> str:
    """2026-11-20T14:05, in the zone."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"


def moment(text: str, zone: str) -> datetime:
    """The moment that a form's local time means; of two, when the clock is put back, the first. Raises Invalid (field `at`)."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid({"at": "Give a date and a time, such as 2026-05-01T09:30."}) from None
    if local.tzinfo or not 1000 < local.year < 9999:
        raise Invalid({"at": "Give a date and a time, such as 2026-05-01T09:30."})
    at = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local:
        raise Invalid({"at": "This moment does not exist: the clock is put forward then."})
    return at
