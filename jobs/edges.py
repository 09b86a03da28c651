"""The Nginxes that keep our pages: each is told to ask for a page anew and to store what it gets."""

import asyncio
import logging
import socket
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.netutil import Resolver

from models.edge_pages import Outcome
from settings import Settings

log = logging.getLogger("plaza.edge")

PATIENCE = 2.0  # s for an answer
STORED = frozenset({200, 301, 302, 404, 410})  # what the handlers let Nginx store


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
        self.failure = ""

    async def refresh(self, key: str) -> Outcome:
        """Have the page under a key (`handlers.keeping.key_of`) asked for anew and stored, at all of them. `again`: something
        changed while it was made."""
        outcomes = await asyncio.gather(*(self._ask(url, key) for url in self._urls))
        return next((outcome for outcome in ("failed", "again") if outcome in outcomes), "refreshed")

    def close(self) -> None:
        self._client.close()

    async def _ask(self, url: str, key: str) -> Outcome:
        variant, _, uri = key.partition(" ")
        language, _, form = variant.partition("-")
        asked = {"Accept-Language": language, "Accept-Encoding": form}
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
            self._failed(f"{url}: {error}")
            return "failed"
        if answer.code not in STORED:
            self._failed(f"{url} answered {answer.code} for {uri}")
            return "failed"
        return "again" if "X-Plaza-Again" in answer.headers else "refreshed"

    def _failed(self, why: str) -> None:
        self.failure = why
        log.info("a page could not be fetched anew: %s", why)
