"""What a test knows of Nginx's store: its files, its own words for where an answer came from, and how the worker asks it."""

import asyncio
import gzip
from dataclasses import dataclass
from pathlib import Path

from settings import Settings
from tests.harness.browser import Answer

ZIPPED = {"Accept-Encoding": "gzip"}


def cache(answer: Answer) -> str:
    """HIT, MISS, EXPIRED, STALE, BYPASS; "" where nothing is stored."""
    found: str = answer.headers.get("X-Cache", "")
    return found


def text(answer: Answer) -> str:
    """Of an answer that may be compressed."""
    packed = answer.headers.get("Content-Encoding") == "gzip"
    return (gzip.decompress(answer.body) if packed else answer.body).decode()


@dataclass(frozen=True, slots=True)
class Store:
    """That of the Nginx before the site with these settings."""

    settings: Settings

    @property
    def files(self) -> list[Path]:
        return [path for path in (self.settings.var / "nginx" / "pages").rglob("*") if path.is_file()]

    def entry(self, key: str) -> bytes:
        """All that is stored under a key: Nginx's own notes, headers, and the body; b"" when there is nothing."""
        found = [data for path in self.files if f"\nKEY: {key}\n".encode() in (data := path.read_bytes())]
        return found[0] if found else b""

    async def refresh(self, path: str, variant: str = "", secret: str | None = None, *, over: bool = False) -> bytes:
        """Ask over the worker's socket for a page to be made anew, or as `over`, or with another secret; all that it answers."""
        told = self.settings.secret("edge") if secret is None else secret
        reader, writer = await asyncio.open_unix_connection(f"{self.settings.run}/edge.sock")
        language = (f"Accept-Language: {variant}\r\n" if variant else "") + ("X-Plaza-Over: 1\r\n" if over else "")
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{language}X-Plaza-Refresh: {told}\r\nConnection: close\r\n\r\n".encode()
        )
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()
        return answer
