"""The cookies of one session, as its browser would keep them.

Paths and domains are not looked at: it is one site, and a recorded request says itself which cookies went with it.
"""

from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from time import time

from replay import heads

Pairs = Sequence[tuple[str, str]]


def read(header: str) -> tuple[tuple[str, str], ...]:
    """The pairs of a header Cookie."""
    found = (pair.strip().partition("=") for pair in header.split(";"))
    return tuple((name, value) for name, equals, value in found if equals)


class Jar:
    def __init__(self) -> None:
        self._live: dict[str, str | None] = {}  # None for one that the site took away

    def take(self, head: bytes) -> None:
        """What this answer sets."""
        for line in heads.all_of(head, b"set-cookie"):
            pair, *attributes = line.decode("utf-8", "surrogateescape").split(";")
            name, equals, value = pair.strip().partition("=")
            if equals and name:
                self._live[name] = None if _over(attributes) else value

    def get(self, name: str) -> str | None:
        return self._live.get(name)

    def header(self, recorded: Pairs | None, fill: Callable[[str], str]) -> str:
        """What goes into the header Cookie, "" for none. Of those that were recorded: what this site has set since, else what was
        recorded, its placeholders filled. Where nothing of the headers is known (None): all that this site has set."""
        live = self._live
        if recorded is None:
            return "; ".join([f"{name}={value}" for name, value in live.items() if value is not None])
        told = []
        for name, value in recorded:
            now = live[name] if name in live else fill(value)
            if now is not None:
                told.append(f"{name}={now}")
        return "; ".join(told)


def _over(attributes: list[str]) -> bool:
    """Max-Age counts before Expires (RFC 6265, 5.3)."""
    told = {name.strip().lower(): value.strip() for name, _, value in (one.partition("=") for one in attributes)}
    if age := told.get("max-age"):
        return age.startswith("-") or age.strip("0") == ""
    try:
        return "expires" in told and parsedate_to_datetime(told["expires"]).timestamp() <= time()
    except (ValueError, OverflowError):
        return False
