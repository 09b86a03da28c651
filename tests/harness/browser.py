"""A client that behaves like a browser where it matters: cookies, forms, redirects followed or not."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httputil import HTTPHeaders

from models import Models
from models.users import User


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `path` is where it came from, after redirects that were followed."""

    status: int
    headers: HTTPHeaders
    body: bytes
    path: str

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @property
    def set_cookies(self) -> list[str]:
        """The Set-Cookie lines, as they are."""
        return self.headers.get_list("Set-Cookie")

    def json(self) -> Any:
        return json.loads(self.body)


class Browser:
    """One visitor. Cookies are kept; redirects are followed only when asked."""

    def __init__(self, client: AsyncHTTPClient, base_url: str, models: Models | None = None) -> None:
        self._client, self.base_url, self._models = client, base_url, models
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}

    async def request(
        self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None,
        follow: bool = False,
    ) -> Answer:  # fmt: skip
        """Any request. `follow` goes where a redirect leads, by GET, up to five times."""
        url = path if path.startswith("http") else self.base_url + path
        sent = {**self.headers, **(headers or {})}
        if self.cookies and "Cookie" not in sent:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self._fetch(method, url, body, sent)
        for _ in range(5):
            if not (follow and answer.location):
                break
            url = urljoin(url, answer.location)
            cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
            answer = await self._fetch("GET", url, None, {**self.headers, **(cookies if self.cookies else {})})
        return answer

    async def _fetch(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        request = HTTPRequest(
            url, method, headers=headers, body=body, follow_redirects=False, allow_nonstandard_methods=True,
            request_timeout=15, decompress_response=False,
        )  # fmt: skip
        response = await self._client.fetch(request, raise_error=False)
        if response.code == 599:
            raise ConnectionError(f"{method} {url}: {response.error}")
        for line in response.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel.value and not morsel["expires"].startswith("Thu, 01 Jan 1970"):
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return Answer(response.code, response.headers, response.body or b"", path)

    async def get(self, path: str, *, follow: bool = False, **headers: str) -> Answer:
        """Headers by keyword: `accept_language="zh"`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.request("GET", path, headers=named, follow=follow)

    async def post(
        self, path: str, form: Mapping[str, str] | None = None, *, follow: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """A plain HTML form."""
        body = urlencode(form or {}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self.request("POST", path, body=body, headers={**kind, **(headers or {})}, follow=follow)

    async def post_json(self, path: str, value: Any, **headers: str) -> Answer:
        kind = {"Content-Type": "application/json"}
        return await self.request("POST", path, body=json.dumps(value).encode(), headers={**kind, **headers})

    async def sign_in(self, user: User | None) -> "Browser":
        """Hold a session of the user's, without the 50 ms that a password takes; None stays a visitor."""
        if user and self._models:
            token = await self._models.sessions.start(user.id, days=30, ip=b"\x7f\0\0\1", user_agent="tests")
            self.cookies = {"plaza": token, "member": "1"}
        return self

    async def raw(self, data: bytes, *, seconds: float = 20) -> bytes:
        """Bytes that no client library would send, and all bytes that come back; the server may hang up at once.

        Raises TimeoutError when it has not hung up after that many seconds.
        """
        parts = urlsplit(self.base_url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(data)
            await writer.drain()
            async with asyncio.timeout(seconds):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()
