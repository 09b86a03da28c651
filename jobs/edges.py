"""The Nginxes that keep our pages: each is told to ask for a page anew and to store what it gets."""

import asyncio
import logging
import socket
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.netutil import Resolver
from tornado.simple_httpclient import HTTPTimeoutError

from models.counts import COUNTS
from models.edge_pages import Outcome
from settings import Settings

log = logging.getLogger("plaza.edge")

PATIENCE = 2.0  # s for an answer
LEFT_OUT = 5.0  # s that one of several is not asked after it has not answered: each page would wait for it
STORED = frozenset({200, 301, 302, 404, 410})  # what the handlers let Nginx store
COUNTS.update({"edge.left_out": 0})


class _UnixSocket(Resolver):
    """Every name is at this socket."""

    def initialize(self, path: str) -> None:
        self._path = path

    async def resolve(self, host: str, port: int, family: int = socket.AF_UNSPEC) -> list[tuple[int, Any]]:
        return [(socket.AF_UNIX, self._path)]


class Edges:
    """Our own Nginx by its socket, or those that the settings name. `failure`: why one last failed, for people."""

    def __init__(self, settings: Settings) -> None:
        own = {} if settings.edges else {"resolver": _UnixSocket(path=f"{settings.run}/edge.sock")}
        self._urls = settings.edges or ("http://edge",)
        self._client = AsyncHTTPClient(force_instance=True, max_clients=100, **own)
        self._headers = {
            "Host": urlsplit(settings.site_url).netloc,
            "X-Plaza-Refresh": settings.secret("edge"),
        }
        self._silent: dict[str, float] = {}  # and until when they are not asked
        self.failure = ""

    async def refresh(self, key: str, *, over: bool = False) -> Outcome:
        """Have the page under a key (`handlers.keeping.key_of`) asked for anew and stored, at all of them; `over`: as one that
        has ended already, so that the next reader has it made. "again": something changed while it was made."""
        now = monotonic()
        urls = [url for url in self._urls if self._silent.get(url, 0.0) <= now] or self._urls
        COUNTS["edge.left_out"] += len(self._urls) - len(urls)
        outcomes = await asyncio.gather(*(self._ask(url, key, over) for url in urls))
        return next((outcome for outcome in ("failed", "again") if outcome in outcomes), "refreshed")

    def close(self) -> None:
        self._client.close()

    async def _ask(self, url: str, key: str, over: bool) -> Outcome:
        variant, _, uri = key.partition(" ")
        language, _, form = variant.partition("-")
        asked = {"Accept-Language": language, "Accept-Encoding": form, "X-Plaza-Over": "1" * over}
        request = HTTPRequest(
            url + uri,
            headers=self._headers | {name: value for name, value in asked.items() if value},
            user_agent="Plaza refresh",
            connect_timeout=PATIENCE,
            request_timeout=PATIENCE,
            follow_redirects=False,
            decompress_response=False,
            streaming_callback=lambda chunk: None,
        )
        try:
            answer = await self._client.fetch(request, raise_error=False)
        except (OSError, HTTPError) as error:
            if isinstance(error, HTTPTimeoutError):
                self._silent[url] = monotonic() + LEFT_OUT
            self._failed(f"{url}: {error}")
            return "failed"
        if answer.code not in STORED:
            self._failed(f"{url} answered {answer.code} for {uri}")
            return "failed"
        if (
            said := answer.headers.get("X-Cache", "nothing")
        ) != "BYPASS":  # it does not know the secret, or is no Nginx of ours
            self._failed(f"{url} did not make {uri} anew: X-Cache is {said}")
            return "failed"
        return "again" if "X-Plaza-Again" in answer.headers else "refreshed"

    def _failed(self, why: str) -> None:
        self.failure = why
        log.info("a page could not be fetched anew: %s", why)
