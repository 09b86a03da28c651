"""The cookies of one session, as its browser would keep them.

Paths and domains are not looked at: it is one site, and a recorded request says itself which cookies went with it. A cookie
is known by its bare name, as records have it, and sent under the name that the site set it by: `plaza` under http is
`__Host-plaza` under https.
"""

from collections.abc import Callable, Collection, Sequence
from email.utils import parsedate_to_datetime
from time import time
from typing import NamedTuple

from replay import heads
from replay.redaction import bare


class Cookie(NamedTuple):
    """One that went with a recorded request; `name` is under which the target asks for it, as long as it has set none."""

    bare: str
    name: str
    value: str


def recorded(header: str, *, https: bool, host_only: Collection[str]) -> tuple[Cookie, ...]:
    """Those of a header Cookie, for a target under http or https. `host_only`: bare names that have __Host- under https."""
    return tuple([Cookie(bare(name), _name(name, https, host_only), value) for name, value in read(header)])


def _name(name: str, https: bool, host_only: Collection[str]) -> str:
    if not https:
        return bare(name)
    return f"__Host-{name}" if name in host_only else name


def read(header: str) -> tuple[tuple[str, str], ...]:
    """The pairs of a header Cookie."""
    found = (pair.strip().partition("=") for pair in header.split(";"))
    return tuple((name, value) for name, equals, value in found if equals)


class Jar:
    def __init__(self) -> None:
        self._live: dict[str, tuple[str, str | None]] = {}  # as the site named it; None for one that it took away

    def take(self, head: bytes) -> None:
        """What this answer sets."""
        for line in heads.all_of(head, b"set-cookie"):
            pair, *attributes = line.decode("utf-8", "surrogateescape").split(";")
            name, equals, value = pair.strip().partition("=")
            if equals and name:
                self._set(name, None if _over(attributes) else value)

    def _set(self, name: str, value: str | None) -> None:
        """A site that gives one prefixed may take away what it had without: that is another cookie, and the new one stays."""
        known = self._live.get(bare(name))
        if value is not None or known is None or known[0] == name:
            self._live[bare(name)] = name, value

    def header(self, recorded: Sequence[Cookie] | None, fill: Callable[[str], str]) -> str:
        """What goes into the header Cookie, "" for none. Of those that were recorded: what this site has set since, else what was
        recorded, its placeholders filled. Where nothing of the headers is known (None): all that this site has set."""
        live = self._live
        if recorded is None:
            return "; ".join([f"{name}={value}" for name, value in live.values() if value is not None])
        told = []
        for key, name, value in recorded:
            name, now = live[key] if key in live else (name, fill(value))
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
