"""What goes with an answer that Nginx may store (docs/edge.md): until when, compressed for all its readers, its keys in a CDN."""

import gzip
from collections.abc import Sequence
from contextvars import ContextVar

from models.edge_news import surrogate_key
from settings import Settings

# When the answer was begun that is asked for to be stored, in seconds since 1970, before anything of it was read.
BEGUN: ContextVar[float | None] = ContextVar("begun", default=None)
# Whether it is for readers who take gzip. Nginx has entries for these, and for the others: unpacking costs more than sending.
ZIPPED: ContextVar[bool] = ContextVar("zipped", default=False)
AGAIN = "X-Plaza-Again"  # tells the worker to ask once more
GZIP = "gzip"  # what Nginx says of them
STATUSES = frozenset({200, 301, 302, 404, 410})
# Bytes of what is compressed; what is larger would hold up the loop, and is left to Nginx.
SMALLEST, LARGEST = 512, 1 << 18
LEVEL = 6
MOST_KEYS = 500  # of one answer, in a CDN


def packed(body: bytes) -> bytes | None:
    """The body in gzip; None when it is sent as it is."""
    return gzip.compress(body, LEVEL, mtime=0) if SMALLEST <= len(body) <= LARGEST else None


def stored_as(key: str, *, zipped: bool) -> str:
    """Nginx's own key of an answer that is kept here under `key`."""
    return key.replace(" ", f"-{GZIP} ", 1) if zipped else key


def weak(etag: str) -> str:
    """The ETag of the compressed form: other bytes that say the same. Nginx, which unpacks it for some, keeps it."""
    return f"W/{etag}"


def labels(
    begun: float, names: Sequence[str], settings: Settings, *, until: float, changed: bool = False
) -> list[tuple[str, str]]:
    """The headers. `until`: when it is over without a write. `changed`: it is known already that it is to be made again, so it
    takes the old one's place and is given to nobody. Nginx goes on giving for as long as its clock shows the second that is told,
    so that is the one before."""
    first = int(begun)
    over = first if changed else int(min(first + settings.page_ttl, until))
    said = [("X-Accel-Expires", f"@{over - 1}")]
    if changed:
        said.append((AGAIN, "1"))
    if settings.purge_url or settings.purge_command:
        age = f"max-age={max(0, over - first)}"
        keys = " ".join(map(surrogate_key, names[:MOST_KEYS]))
        said += [("Surrogate-Key", keys), ("Surrogate-Control", age), ("CDN-Cache-Control", age)]
    return said
