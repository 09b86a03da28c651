"""A small site for the tests of handlers: a published post with a discussion, a draft, and one in the trash."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from models import Models
from models.boards import Board, NewBoard
from models.comments import Comment
from models.file_rows import File
from models.poll_rules import NewPoll
from models.polls import Poll
from models.posts import Post
from models.writing import Draft
from tests.handlers.asking import Asker
from tests.handlers.watching import Hear
from tests.harness.browser import Browser
from tests.harness.files import PNG, stored
from tests.harness.listeners import Listener, listen
from tests.harness.people import People


@dataclass(frozen=True, slots=True)
class Town:
    """`talk` is Bob's comment under `post`, `reply` Alice's answer to it; `score` is Bob's on `board`, where 0 to 100 are
    taken; `file` is his; `poll` is open, `planned` is not yet. Nobody may read DRAFT-WORDS, TRASHED-WORDS or PLANNED-WORDS, or
    see the board `hidden`."""

    post: Post
    draft: Post
    trashed: Post
    talk: Comment
    reply: Comment
    board: Board
    hidden: Board
    score: int
    poll: Poll
    planned: Poll
    file: File

    @property
    def path(self) -> str:
        return f"/blog/{self.post.id}-{self.post.slug}"


async def build_town(models: Models, people: People) -> Town:
    """Another town in the same site; its rows are new ones."""
    alice, bob, writing = people.alice, people.bob, models.writing
    post = await writing.create(Draft("A post", "In short", "The *words*.", ("news",)), by=alice, publish=True)
    draft = await writing.create(Draft("DRAFT-WORDS", "DRAFT-WORDS", "DRAFT-WORDS", ("drafts",)), by=alice)
    gone = await writing.create(
        Draft("TRASHED-WORDS", "TRASHED-WORDS", "TRASHED-WORDS", ("trash",)), by=alice, publish=True
    )
    await models.comments.create(gone.id, "TRASHED-WORDS", by=bob)
    gone = await models.publishing.trash(gone.id, by=alice)
    talk = await models.comments.create(post.id, "Bob says", by=bob)
    reply = await models.comments.create(post.id, "Alice answers", by=alice, parent_id=talk.id)
    new = NewBoard(f"race-{post.id}", "The race", "Run fast.", least=0, most=100_000, page="/about")
    board = await models.boards.create(new, by=people.ada)
    hidden = await models.boards.create(NewBoard(f"hidden-{post.id}", "HIDDEN-WORDS"), by=people.ada)
    hidden = await models.boards.set_status(hidden.id, "hidden", by=people.ada)
    taken = await models.scores.submit(board, 12.5, "first", by=bob)
    poll = await models.polls.create(NewPoll("Where shall we eat?", ("By the sea", "In the park")), by=alice)
    later = datetime.now(UTC) + timedelta(days=1)
    planned = await models.polls.create(NewPoll("PLANNED-WORDS?", ("Yes", "No"), opens_at=later), by=alice)
    file = await stored(models, bob, "cat.png", PNG)
    return Town(post, draft, gone, talk, reply, board, hidden, taken.id, poll, planned, file)


@pytest.fixture
def town(io_loop: IOLoop, models: Models, people: People) -> Town:
    built: Town = io_loop.run_sync(lambda: build_town(models, people))
    return built


@pytest.fixture
def asker(browse: Callable[[], Browser], models: Models) -> Asker:
    return Asker(browse(), models)


@pytest.fixture
def hear(io_loop: IOLoop, http_server: HTTPServer, base_url: str) -> Iterator[Hear]:
    """`await hear(poll.id)` is somebody who listens until the test ends."""
    opened: list[Listener] = []

    async def one(poll_id: int, cookies: Mapping[str, str] | None = None, **headers: str) -> Listener:
        opened.append(await listen(base_url, poll_id, cookies=cookies, **headers))
        return opened[-1]

    yield one
    for listener in opened:
        io_loop.run_sync(listener.close)
