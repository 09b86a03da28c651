"""Send what all processes of this host have counted to StatsD, if the settings name one. One that is away costs nothing."""

import asyncio
import logging
import math
import re
import time
from urllib.parse import urlsplit

from statsd import StatsClient

from models import Models
from models.metrics import Series
from models.rises import Looked, look, rises, together

log = logging.getLogger("plaza.figures")

LARGEST = 1432  # bytes of a packet: what Ethernet carries in one piece
_STRANGE = re.compile(r"[^A-Za-z0-9_-]")


class Sender:
    """Knows what it has sent: counters travel as what they rose by, gauges as they stand."""

    def __init__(self) -> None:
        self._last: Looked | None = None
        self._said = ""

    async def send(self, models: Models) -> None:
        """What has happened since the last call."""
        url = models.figures.settings.statsd_url
        if not url:
            return
        snapshots, now = await models.figures.of_all(), time.time()
        last, self._last = self._last, look(snapshots, now)
        if last is None:
            return  # there is nothing yet to rise from
        try:
            await asyncio.to_thread(_send, url, rises(snapshots, last), together(snapshots))
            self._said = ""
        except OSError as error:  # its name is not known
            if self._said != str(error):
                self._said = str(error)
                log.warning("no figures can be sent to %s: %s", url, error)


def _send(url: str, rises: dict[Series, float], gauges: dict[Series, float]) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    client = StatsClient(host, parts.port, parts.path.strip("/") or None, LARGEST, ipv6=":" in host)
    try:
        with client.pipeline() as packets:
            for series, rise in rises.items():
                packets.incr(_name(series), _spelt(rise))
            for series, value in gauges.items():
                if math.isfinite(value):
                    packets.gauge(_name(series), _spelt(value))
    finally:
        client.close()


def _spelt(value: float) -> float:
    """Whole numbers as such: not every server reads `3.0` as a count."""
    return int(value) if value == int(value) else round(value, 6)


def _name(series: Series) -> str:
    """`plaza_cache_hits_total` of L1 and the family `posts.page` is `cache_hits.l1.posts_page`."""
    name, *labels = series
    parts = [name.removeprefix("plaza_").removesuffix("_total"), *labels]
    return ".".join(_STRANGE.sub("_", part) or "none" for part in parts)
