"""A whole site with something in it: the demo content, hostile content, people of every role, drafts and a full trash."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any, TypeVar

from commands import demo
from models import Models, connected
from models.boards import NewBoard
from models.file_rows import File
from models.imports import Imported
from models.periods import WINDOWS
from models.poll_rules import NewPoll
from models.polls import Poll
from models.posts import Post
from models.tokens import SCOPES
from models.users import User
from models.writing import Draft
from tests.browser import figures, hostile
from tests.harness import people
from tests.harness.files import PDF, png, stored, wav
from tests.harness.servers import Databases
from tests.harness.site import Site, run_site

Value = TypeVar("Value")


class Town:
    """`posts`, `users`, `polls`, `files`, `comments` and `boards` (ids) and `links` (tokens of mails) by the names that the
    tests call them. No worker runs: `anew` are headers by which Nginx has each page made anew."""

    def __init__(self, site: Site, models: Models, loop: asyncio.AbstractEventLoop) -> None:
        self.url, self._models, self._loop = site.url, models, loop
        self.anew = {"X-Plaza-Refresh": site.settings.secret("edge")}
        self.users: dict[str, User] = {}
        self.posts: dict[str, Post] = {}
        self.comments: dict[str, int] = {}
        self.boards: dict[str, int] = {}
        self.polls: dict[str, Poll] = {}
        self.files: dict[str, File] = {}
        self.links: dict[str, str] = {}
        self._tokens: dict[str, str] = {}

    def path(self, name: str) -> str:
        """Where a post is read."""
        post = self.posts[name]
        return f"/blog/{post.id}-{post.slug}"

    def do(self, work: Callable[[Models], Coroutine[Any, Any, Value]]) -> Value:
        """Another process's work on the site: in a thread, for Playwright has a loop in this one."""
        return self.begin(work).result(30)

    def begin(self, work: Callable[[Models], Coroutine[Any, Any, Value]]) -> Future[Value]:
        """Work that goes on beside the browser's."""
        return asyncio.run_coroutine_threadsafe(work(self._models), self._loop)

    def token(self, name: str) -> str:
        """A session of somebody's, the same one until `end_sessions`."""
        if name not in self._tokens:
            id, agent = self.users[name].id, "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
            self._tokens[name] = self.do(lambda m: m.sessions.start(id, days=30, ip=b"\x7f\0\0\1", user_agent=agent))
        return self._tokens[name]

    def end_sessions(self, name: str) -> None:
        self.do(lambda models: models.sessions.revoke_all(self.users[name].id))
        self._tokens.pop(name, None)

    def publish(self, title: str, md: str, *tags: str, by: str = "alice") -> Post:
        return self.do(lambda m: m.writing.create(Draft(title, "", md, tags), by=self.users[by], publish=True))


@contextmanager
def run_town(databases: Databases, **choices: Any) -> Iterator[Town]:
    """A site with the people alone."""
    with run_site(databases, **choices) as site, _loop() as loop:
        connection = connected(site.settings)
        models = asyncio.run_coroutine_threadsafe(connection.__aenter__(), loop).result(30)
        town = Town(site, models, loop)
        town.users.update(town.do(_people))
        yield town
        asyncio.run_coroutine_threadsafe(connection.__aexit__(None, None, None), loop).result(30)


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in a thread."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _people(models: Models) -> dict[str, User]:
    found = await people.find(models)
    return {name: user for name in people.ROLES if (user := found.named(name))}


def settle(town: Town) -> None:
    """Fill the site."""
    town.do(lambda models: _settle(models, town))


async def _settle(models: Models, town: Town) -> None:
    await demo.load(models)
    alice, bob = town.users["alice"], town.users["bob"]
    wide = town.users["wide"] = await models.users.register(hostile.NAME, "wide@example.org", None, role="editor")
    rosa = await models.users.import_author(demo.EDITOR)
    town.users["rosa"] = rosa
    for number in range(40):
        month = datetime(2019, 5, 1, 9, tzinfo=UTC) + timedelta(hours=17 * number)
        await models.imports.post(Imported(f"old/{number}.md", f"Old news {number}", "", "It was so.", ("old",), "Ruth Old",
                                           "Ruth Old and Moss Green", month, (), f"old-{number}"))  # fmt: skip
    town.users["ruth"] = await models.users.import_author("Ruth Old")
    drafts = {
        "quiet": Draft(
            "A quiet post", "", "Nobody has said anything here yet.\n\n```python\nprint(1)\n```\n", ("calm",)
        ),
        "crowded": Draft("A post that many answer", "", "Say something.", ("talk",)),
        "scripts": Draft("مرحبا 👩‍🚀 " + "שלום " * 20, "", hostile.OTHER_SCRIPTS, ("emoji-👩‍🚀", "عربي")),
        "chinese": Draft(
            hostile.CHINESE, "", f"{hostile.CHINESE * 5}\n\n## {hostile.CHINESE}\n\n`代码` " * 3, ("中文",)
        ),
        "hostile": Draft(hostile.TITLE, hostile.LONG * 4, hostile.BODY, (hostile.TAG, hostile.LONG[:40], "calm")),
    }
    for name, draft in drafts.items():
        town.posts[name] = await models.writing.create(draft, by=wide if name == "hostile" else alice, publish=True)
    town.posts["draft"] = await models.writing.create(Draft("A draft", "", "Not **yet**.", ("later",)), by=alice)
    town.posts["trash"] = await models.writing.create(Draft(hostile.TITLE, "", "Gone.", ()), by=alice)
    await models.publishing.trash(town.posts["trash"].id, by=alice)
    written = await models.posts.managed(author_id=rosa.id)
    town.posts["everything"] = next(post for post in written if post.source_path == "demo/03-everything.md")
    await _discuss(models, town, alice, bob, wide)
    await _make_tokens(models, wide)
    await _play(models, town)
    await _ask(models, town)
    await _upload(models, town)
    await _write_mails(models, town)
    await figures.keep(models)


async def _make_tokens(models: Models, user: User) -> None:
    session = await models.sessions.by_token(
        await models.sessions.start(user.id, days=1, ip=None, user_agent="curl/8.5.0")
    )
    assert session
    for name, days in ((hostile.LONG[:60], 7), ("The game", None), (hostile.CHINESE[:60], 3650)):
        _, secret = await models.tokens.create(name, tuple(SCOPES), days=days, by=user, session=session)
    used = await models.tokens.by_secret(secret)
    assert used
    await models.tokens.used(used)


async def _discuss(models: Models, town: Town, alice: User, bob: User, wide: User) -> None:
    where = town.posts["hostile"].id
    first = await models.comments.create(where, hostile.COMMENT, by=wide)
    await models.comments.create(where, hostile.OTHER_SCRIPTS, by=alice, parent_id=first.id)
    town.comments["bob"] = (await models.comments.create(where, "Mine, all mine.", by=bob, parent_id=first.id)).id
    gone = await models.comments.create(where, "I take this back.", by=bob)
    await models.comments.create(where, hostile.CHINESE * 4, by=wide, parent_id=gone.id)
    await models.comments.trash(gone.id, by=bob)
    town.comments["alice"] = (await models.comments.create(where, "Short.", by=alice)).id
    now = datetime.now(UTC)
    for number in range(101):
        await models.comments.place(town.posts["crowded"].id, f"I am number {number}.", by=bob, at=now)


async def _play(models: Models, town: Town) -> None:
    """A board where everybody is, one that nobody may play on any more, and the rankings, as the worker builds them."""
    new = NewBoard("hostile", hostile.LONG[:120], hostile.LONG[:400], sense="lowest", least=-1_500, page="/about")
    board = await models.boards.create(new, by=town.users["olga"])
    town.boards["hostile"] = board.id
    for n, who in enumerate(("wide", "alice", "bob", "olga", "ada", "rosa")):
        await models.scores.submit(board, 10**9 * n + n / 8 - 1, "first", by=town.users[who])
    closed = await models.boards.create(NewBoard("closed", "Closed"), by=town.users["olga"])
    await models.boards.set_status(closed.id, "closed", by=town.users["olga"])
    await models.crediting.count()
    for board in await models.boards.listed():
        for window in WINDOWS:
            await models.standings.top(board, window)
    await models.reapplying.build()


async def _ask(models: Models, town: Town) -> None:
    """Polls of each rule, with votes in them; one is in the text of a post, between others that are not to be seen."""
    alice, wide, bob = town.users["alice"], town.users["wide"], town.users["bob"]
    soon, twenty = datetime.now(UTC) + timedelta(days=3), tuple((f"{n} " + hostile.LONG * 3)[:200] for n in range(20))
    asked = {
        "plain": NewPoll("Tea or coffee?", ("Tea", "Coffee", "茶，也可以是咖啡"), closes_at=soon),
        "hostile": NewPoll((hostile.LONG * 4)[:300], twenty, "multiple", visitors=True),
        "secret": NewPoll(hostile.CHINESE, ("是", "否"), results="after_vote", visitors=True),
        "late": NewPoll("Who wins the race?", ("The hare", "The tortoise"), results="after_close", closes_at=soon),
        "closed": NewPoll("Was it a good year?", ("Yes", "No")),
    }  # fmt: skip
    for name, new in asked.items():
        poll = town.polls[name] = await models.polls.create(new, by=wide if name == "hostile" else alice)
        for who, place in ((wide, 0), (bob, 1), (alice, 1)):
            await models.ballots.cast(poll, [poll.choices[place].id], voter=who)
    later = NewPoll("What shall we read in spring? 春天读什么书？", ("A novel", "Poems", "诗"), opens_at=soon)
    town.polls["planned"] = await models.polls.create(later, by=alice)
    town.polls["closed"] = await models.polls.close(town.polls["closed"].id, by=alice)
    lines = "\n\n".join(f"{{{{poll:{town.polls[name].id}}}}}" for name in ("plain", "secret", "hostile", "closed"))
    draft = Draft("A post that asks", "", f"Tell us.\n\n{lines}\n\nThank you.", ("talk",))
    town.posts["asking"] = await models.writing.create(draft, by=alice, publish=True)


async def _upload(models: Models, town: Town) -> None:
    """A file of each kind, one with a name that is no pleasure, one in the trash."""
    wide, bob = town.users["wide"], town.users["bob"]
    program = b"import os\n\n\ndef fruit() -> str:\n    return 'plum'  # or not\n"
    for name, called, data in (
        ("wide", f"{hostile.LONG[:200]}.png", png(900, 100, "maroon")), ("paper", "A paper.pdf", PDF),
        ("sound", "Silence.wav", wav()), ("program", "水果.py", program), ("page", "page.html", b"<h1>Hello</h1>"),
        ("empty", "empty.txt", b""), ("bytes", "data.bin", bytes(range(256)) * 900),
        ("picture", f"{hostile.CHINESE[:40]}.png", png(640, 480)),
    ):  # fmt: skip
        town.files[name] = await stored(models, wide if name == "wide" else bob, called, data)
    await stored(models, bob, "for an hour.txt", b"for an hour", expires=timedelta(hours=1))
    gone = await stored(models, wide, "gone.txt", b"gone")
    await models.files.trash(gone.id, by=town.users["olga"])


async def _write_mails(models: Models, town: Town) -> None:
    """Olga has confirmed her address and is told of replies; one mail waits, and one could not be sent."""
    olga, wide = town.users["olga"], town.users["wide"]
    olga = town.users["olga"] = await models.addresses.confirm(await models.links.make("confirm", olga.id, olga.email))
    await models.notices.choose(olga, True, "en")
    for purpose in ("reset", "confirm"):
        town.links[purpose] = await models.links.make(purpose, wide.id, wide.email)
    town.links["ticket"] = models.notices.ticket(olga.id)
    await models.addresses.forgot(f"{hostile.LONG[:100]}@example.org", "zh")
    (mail,) = await models.mails.due(1)
    await models.mails.take(mail)
    await models.mails.failed(mail, f"550 {hostile.LONG}", for_ever=True)
    await models.addresses.forgot("wide@example.org", "en")
