"""The addresses of a site: from its sitemap, and from the links of some of its pages, for what no sitemap names."""

import gzip
import http.client
import re
import ssl
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from replay.mapping import WELL_KNOWN

PATIENCE: Final = 15.0  # s for an answer
LARGEST: Final = 50 << 20  # bytes of an answer, the bound of sitemaps.org for one file
PARTS: Final = 500  # sitemaps read at most
MOST: Final = 100_000  # addresses
LOOKED_AT: Final = 20  # pages whose links are read
_LOC: Final = re.compile(rb"<loc>\s*(?:<!\[CDATA\[)?([^<\]]+?)(?:\]\]>)?\s*</loc>", re.IGNORECASE)
_LINKS: Final = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src"}


class NoPlaces(Exception):
    """The site does not tell its addresses; the text says why, in a line."""


def of_file(path: Path) -> list[str]:
    """One a line: a path, or a whole address. Raises NoPlaces, OSError."""
    try:
        lines = path.read_text().split("\n")
    except UnicodeDecodeError:
        raise NoPlaces(f"{path} is no list of addresses") from None
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.strip().startswith(("/", "http://", "https://", "#")):
            raise NoPlaces(f"{path}:{number}: this is no address: {line.strip()[:80]}")
    found = [_local(line.strip()) for line in lines if line.strip() and not line.startswith("#")]
    if not found:
        raise NoPlaces(f"{path} holds no address")
    return list(dict.fromkeys(found))


def of_site(url: str, *, verify: bool = True) -> list[str]:
    """Of the sitemap, and of the pages that come first in it: feeds, pictures, stylesheets, tags. In the sitemap's order.
    Raises NoPlaces."""
    site = _Site(url, verify)
    try:
        named = list(_of_sitemap(site))
        pages = ["/", *(one for one in named if one != "/")][:LOOKED_AT]
        linked = [link for page in pages for link in _links(site, page)]
        linked += [path for path in sorted(WELL_KNOWN) if site.get(path)]
    except (OSError, http.client.HTTPException) as error:
        raise NoPlaces(f"{url} does not answer: {error}") from None
    finally:
        site.close()
    if not named and not linked:
        raise NoPlaces(
            f"{url} has no sitemap.xml, and no links on its first page; give a file of its addresses in its place"
        )
    return list(dict.fromkeys([*named, *linked]))[:MOST]


def _of_sitemap(site: "_Site") -> Iterator[str]:
    waiting, seen, count = deque(["/sitemap.xml"]), {"/sitemap.xml"}, 0
    while waiting and len(seen) <= PARTS and count < MOST:
        body = site.get(waiting.popleft())
        told = [_local(unescape(found.decode(errors="replace"))) for found in _LOC.findall(body)]
        if b"<sitemapindex" not in body[:2000]:
            count += len(told)
            yield from told
            continue
        for part in told:
            if part not in seen:
                seen.add(part)
                waiting.append(part)


def _links(site: "_Site", page: str) -> Iterable[str]:
    reader = _Links()
    reader.feed(site.get(page).decode(errors="replace"))
    whole = [urljoin(f"{site.base}{page}", link) for link in reader.found]
    return [_local(link) for link in whole if link.startswith(f"{site.base}/") or link == site.base]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name == _LINKS.get(tag):
                self.found.append(value.strip())


class _Site:
    """Asks one host, over a connection that is kept."""

    def __init__(self, url: str, verify: bool) -> None:
        """Raises NoPlaces."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise NoPlaces(f"this is no address of a site: {url}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise NoPlaces(f"this is no address of a site: {url}")
        self.base = f"{parts.scheme}://{parts.netloc}"
        self._connection = http.client.HTTPConnection(parts.hostname, port, timeout=PATIENCE)
        if parts.scheme == "https":
            context = ssl.create_default_context() if verify else ssl._create_unverified_context()  # noqa: S323
            self._connection = http.client.HTTPSConnection(parts.hostname, port, timeout=PATIENCE, context=context)

    def get(self, target: str) -> bytes:
        """The body, unpacked; empty unless it is a 200 of bearable size. Raises OSError, HTTPException."""
        self._connection.request(
            "GET", _sendable(target), headers={"Accept-Encoding": "identity", "User-Agent": "plaza-replay"}
        )
        answer = self._connection.getresponse()
        body = answer.read(LARGEST)
        if not answer.isclosed():  # there is more: this connection is of no use
            self._connection.close()
            return b""
        if answer.status != 200:
            return b""
        if body.startswith(b"\x1f\x8b"):  # sitemap.xml.gz
            try:
                body = zlib.decompressobj(31).decompress(body, LARGEST)
            except (zlib.error, gzip.BadGzipFile):
                return b""
        return body

    def close(self) -> None:
        self._connection.close()


def _local(address: str) -> str:
    """Path and query: where a site says that it is is not where it is tested."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    return _sendable((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def _sendable(target: str) -> str:
    """Each letter one that may stand in a request; what is quoted already stays so."""
    return quote(target, safe="/%?&=+:;,@!$'()*~[]|-._")
