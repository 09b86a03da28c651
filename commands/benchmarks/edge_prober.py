"""How soon what was written is seen: writes through Nginx, then asks Nginx for pages, as a visitor, until they show it."""

import asyncio
import time
from dataclasses import dataclass, field
from itertools import cycle

from commands.benchmarks.edge_load import Load
from commands.benchmarks.edge_traffic import PROBED, Text, Traffic
from commands.console import Trouble

EVERY = 0.005  # s between two looks at a page
PAUSE = 0.5  # s between the last page that showed it and the next write: the prober is not to be the load
LONGEST = 20.0  # s; what is not seen until then counts as that
COMMENTED = range(10, 40)  # places among the posts, beside those that are edited: few others comment there


@dataclass(slots=True)
class Prober:
    """`took`: for each page, seconds from the answer to a write until an answer that shows it has come."""

    traffic: Traffic
    load: Load
    writers: list[str]
    took: list[float] = field(default_factory=list)
    _written: int = 0

    async def probe(self) -> None:
        """Until it is cancelled: an edit, a comment, and so on, each under another post. Raises Trouble."""
        posts = self.traffic.posts
        edited = cycle([posts[place] for place in PROBED if place < len(posts)])
        commented = cycle([posts[place] for place in COMMENTED if place < len(posts)] or posts)
        while True:
            await self._edit(next(edited))
            await self._comment(next(commented))

    async def _edit(self, post: Text) -> None:
        mark = self._mark()
        await self._written_by(self.traffic.edit(post, mark), mark, (post.path, "/", "/feed.atom"))

    async def _comment(self, post: Text) -> None:
        mark = self._mark()
        feed = f"/blog/{post.id}/feed.atom"
        await self._written_by(
            self.traffic.comment(post, mark, self._writer()), mark, (post.path, feed, "/api/comments")
        )

    def _mark(self) -> str:
        self._written += 1
        return f"Probe{self._written:07}."

    def _writer(self) -> str:
        return self.writers[self._written % len(self.writers)]

    async def _written_by(self, write: bytes, mark: str, paths: tuple[str, ...]) -> None:
        answer = await self.load.ask(write)
        if not 200 <= answer.status < 300:
            raise Trouble(f"a write of the prober was answered with {answer.status or 'nothing'}")
        at = time.monotonic()
        self.took += await asyncio.gather(*(self._seen(path, mark.encode(), at) for path in paths))
        await asyncio.sleep(PAUSE)

    async def _seen(self, path: str, mark: bytes, written: float) -> float:
        question = self.traffic.get(path)
        while (waited := time.monotonic() - written) < LONGEST:
            answer = await self.load.ask(question)
            if answer.status == 200 and mark in answer.body:
                return time.monotonic() - written
            await asyncio.sleep(EVERY)
        return waited
