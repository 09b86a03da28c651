"""What goes with an answer that Nginx may store (docs/edge.md): until when, compressed for all its readers, its keys in a CDN."""

import gzip
from collections.abc import Sequence
from contextvars import ContextVar
from typing import NamedTuple, Self

from models.edge_news import surrogate_key
from settings import Settings

AGAIN = "X-Plaza-Again"  # tells the worker to ask once more
GZIP, OVER = "gzip", "over"  # words of Nginx's in X-Plaza-Edge
STATUSES = frozenset({200, 301, 302, 404, 410})
# Bytes of what is compressed; what is larger would hold up the loop, and is left to Nginx.
SMALLEST, LARGEST = 512, 1 << 18
LEVEL = 6
MOST_KEYS = 500  # of one answer, in a CDN


class Storing(NamedTuple):
    """An answer that is asked for to be stored. `begun`: when, in seconds since 1970, before anything of it was read.

    `zipped`: for readers who take gzip; the others have entries of their own, for unpacking costs more than sending. `over`: only
    to take the place of what lies there; it is given to nobody.
    """

    begun: float
    zipped: bool = False
    over: bool = False

    @classmethod
    def asked(cls, begun: float, words: str) -> Self:
        """`words`: Nginx's, in X-Plaza-Edge."""
        said = words.split()
        return cls(begun, GZIP in said, OVER in said)

    def key(self, key: str) -> str:
        """Nginx's own of an answer that is kept here under `key`."""
        return key.replace(" ", f"-{GZIP} ", 1) if self.zipped else key


STORING: ContextVar[Storing | None] = ContextVar("storing", default=None)


def packed(body: bytes) -> bytes | None:
    """The body in gzip; None when it is sent as it is."""
    return gzip.compress(body, LEVEL, mtime=0) if SMALLEST <= len(body) <= LARGEST else None


def weak(etag: str) -> str:
    """The ETag of the compressed form: other bytes that say the same. Nginx, which unpacks it for some, keeps it."""
    return f"W/{etag}"


def labels(
    storing: Storing, names: Sequence[str], settings: Settings, *, until: float, changed: bool = False
) -> list[tuple[str, str]]:
    """The headers. `until`: when it is over without a write. `changed`: it is known already that it is to be made again, so it
    takes the old one's place and is given to nobody. Nginx goes on giving for as long as its clock shows the second that is told,
    so that is the one before."""
    first = int(storing.begun)
    over = first if changed or storing.over else int(min(first + settings.page_ttl, until))
    said = [("X-Accel-Expires", f"@{over - 1}")]
    if changed:
        said.append((AGAIN, "1"))
    if settings.purge_url or settings.purge_command:
        age = f"max-age={max(0, over - first)}"
        keys = " ".join(map(surrogate_key, names[:MOST_KEYS]))
        said += [("Surrogate-Key", keys), ("Surrogate-Control", age), ("CDN-Cache-Control", age)]
    return said
