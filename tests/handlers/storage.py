"""A reader of a site behind Nginx who sees from where an answer came, and who says what they like about themselves."""

import gzip
import http.client
import json
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.harness.site import Site

ZIPPED = {"Accept-Encoding": "gzip"}


@dataclass(frozen=True, slots=True)
class Got:
    """`cache`: Nginx's own word for where it had the answer from; "" where nothing is stored."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def cache(self) -> str:
        return self.headers.get("x-cache", "")

    @property
    def text(self) -> str:
        packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()


class _Unix(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.host)


@dataclass
class Reader:
    """`cookies` are kept from answer to answer, as a browser does."""

    site: Site
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, headers: dict[str, str] | None = None, *, method: str = "GET", body: bytes = b"") -> Got:
        port = self.site.settings.port
        return self._ask(http.client.HTTPConnection("localhost", port, timeout=30), method, path, headers, body)

    def refresh(self, path: str, variant: str = "", secret: str | None = None) -> Got:
        """As the worker does it."""
        told = {"Host": self.site.url.partition("//")[2], "Accept-Language": variant}
        told["X-Plaza-Refresh"] = self.site.settings.secret("edge") if secret is None else secret
        return self._ask(_Unix(f"{self.site.settings.run}/edge.sock", timeout=30), "GET", path, told, b"")

    def post(self, path: str, form: str, headers: dict[str, str] | None = None) -> Got:
        told = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", **(headers or {})}
        return self.get(path, told, method="POST", body=form.encode())

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: dict[str, str] | None,
        body: bytes,
    ) -> Got:
        told = dict(headers or {})
        if self.cookies and "Cookie" not in told:
            told["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body or None, told)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    cookie, _, text = value.partition(";")[0].partition("=")
                    self.cookies[cookie] = text
            return Got(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def stored(self) -> list[Path]:
        """The files of Nginx's store."""
        return [path for path in (self.site.settings.var / "nginx" / "pages").rglob("*") if path.is_file()]

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.site.settings.var / "log" / "access.log").read_text().splitlines()]
