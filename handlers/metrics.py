"""What Prometheus is told: the figures of every process of this host, whichever of them is asked."""

import asyncio
from ipaddress import ip_address
from typing import ClassVar
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from handlers import origin
from handlers.api import JsonAnswer
from handlers.exposition import exposed
from models.errors import Busy
from models.traces import TRACE, Trace
from settings import Settings

AT_ONCE = 4  # scrapes in this process


class Metrics(JsonAnswer):
    """`/metrics`, for this machine and the networks of `metrics_networks`. It asks neither MySQL nor Redis."""

    public = False
    under_way: ClassVar[int] = 0

    async def prepare(self) -> None:
        """Less than for others: who asks has no session, and needs none of the site's words, whose MySQL may be away."""
        told, settings = self.request.headers.get("X-Request-Id", ""), self.app.settings
        trace = TRACE.get() or Trace(origin.request_id(told, self.request.connection, settings))
        self.begin_trace(trace)
        self.set_header("X-Request-Id", trace.id)
        if not (origin.known_host(self.request.host, settings) or _is_address(self.request.host)):
            raise HTTPError(421, f"host {self.request.host!r} is not this site's")
        if not _may_ask(self.request, settings):
            raise HTTPError(403, "metrics are for this machine and metrics_networks")
        if self.request.method not in self.allowed():
            raise HTTPError(405, f"{self.request.method} is not for this address")

    async def get(self) -> None:
        """Raises Busy when several are at it already: each takes some 50 ms of the processor."""
        if Metrics.under_way >= AT_ONCE:
            raise Busy("scraped too often")
        Metrics.under_way += 1
        try:
            await self._tell_all()
        finally:
            Metrics.under_way -= 1

    async def _tell_all(self) -> None:
        accepted = self.request.headers.get("Accept", "")
        text, content_type = await asyncio.to_thread(exposed, await self.app.models.figures.of_all(), accepted)
        self.set_header("Content-Type", content_type)
        self.finish(text)


def _may_ask(request: HTTPServerRequest, settings: Settings) -> bool:
    """By the true address. Behind a proxy that we were not told of everybody has the proxy's, which may be this machine's."""
    address = origin.address(request, settings)
    if address is None or origin.behind_a_stranger(request, settings):
        return False
    networks = settings.metrics_networks
    return address.is_loopback or any(address.version == one.version and address in one for one in networks)


def _is_address(host: str) -> bool:
    """Prometheus mostly asks by number. Only names can be made to lead a browser to a machine that it should not read."""
    try:
        ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    return True
