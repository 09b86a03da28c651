"""What a crowd asks a site for: pages, lists, feeds, the API, static files, and what belongs to one member."""

import re
from dataclasses import dataclass

from commands import demo
from models import Models, connected
from models.posts import Post
from models.tokens import WRITE
from models.users import User
from models.writing import Draft
from tests.commands.instances import Instance
from tests.harness.files import PNG, stored
from tests.harness.load import Ask

POSTS = 40
FORM = Ask("form", "/signin", 8, form="email=nobody%40example.org&password=x")  # refused, and that is an answer
_STATIC = re.compile(r'"(/static/[^"]+)"')


@dataclass(frozen=True, slots=True)
class Mix:
    """`reads` are GETs; `both` has forms beside them, which are sent once only. Who writes, with `token` or by `cookie`,
    writes under `talk`, which nobody reads."""

    reads: tuple[Ask, ...]
    both: tuple[Ask, ...]
    talk: Post
    token: str
    cookie: str
    poll_id: int


async def prepare(instance: Instance) -> Mix:
    """The demo content, more posts, a file, and two members: one reads, one writes."""
    async with connected(instance.settings) as models:
        await demo.load(models)
        editor = await models.users.import_author(demo.EDITOR)
        posts = await _posts(models, editor)
        talk = await models.writing.create(Draft("Talk", "", "Say it here.", ()), by=editor, publish=True)
        reader, seen, _ = await _member(models, "Mia Reader")
        _, cookie, token = await _member(models, "Wim Writer")
        file = await stored(models, reader, "mouse.png", PNG)
        poll = (await models.polls.by_author(editor.id))[0]
    signed_in = f"plaza={seen}; member=1"
    hot, own = f"/blog/{posts[0].id}-{posts[0].slug}", Ask("me", "/api/v1/me?on=/", 12, cookie=signed_in)
    reads = (
        Ask("front", "/", 12), Ask("front", "/", 3, cookie=signed_in), Ask("page", "/page/2", 4),
        *(Ask("post", f"/blog/{post.id}-{post.slug}", 20 / (place + 1)) for place, post in enumerate(posts)),
        Ask("moved", f"/blog/{posts[1].id}", 2), Ask("post", hot, 4, cookie=signed_in),
        *(Ask("list", path, 2) for path in ("/archive", "/tag/crowd", f"/user/{reader.id}", "/about")),
        Ask("search", "/search?q=post", 2), Ask("comments", "/api/comments", 2),
        Ask("board", "/boards", 2), Ask("board", f"/boards/{demo.GAME.slug}", 3),
        Ask("poll", "/polls", 2), Ask("poll", f"/polls/{poll.id}", 4),
        *(Ask("feed", path, 2) for path in ("/feed.atom", "/feed.rss", "/feed.json", "/polls/feed.atom", "/sitemap.xml")),
        *(Ask("api", path, 2) for path in ("/api/blogs", f"/api/blogs/{posts[0].id}", "/questions",
                                          "/api/v1/boards", f"/api/v1/polls/{poll.id}", "/latest_files")),
        Ask("file", f"/p/{file.stored_name}", 2), Ask("file", f"/i/{file.stored_name}", 2),
        *(Ask("static", path, 2) for path in sorted(set(_STATIC.findall(instance.get("/").text)))),
        # Nginx asks a web process for who has just written, though it has the page.
        Ask("written", "/", 6, cookie="fresh=1"), Ask("written", hot, 6, cookie="fresh=1"), own, Ask("healthz", "/healthz", 2),
    )  # fmt: skip
    return Mix(reads, (*reads, FORM), talk, token, cookie, poll.id)


async def _posts(models: Models, editor: User) -> list[Post]:
    """The newest first."""
    made = [
        await models.writing.create(
            Draft(f"Post {n}", "In short", "\n\n".join([f"Words of number {n}, *and more* of them."] * 30), ("crowd",)),
            by=editor, publish=True,
        )
        for n in range(POSTS)
    ]  # fmt: skip
    return made[::-1]


async def _member(models: Models, name: str) -> tuple[User, str, str]:
    """A new member, the cookie of a session, and a token."""
    member = await models.users.import_author(name)
    await models.users.grant(member.id, "member")
    cookie = await models.sessions.start(member.id, days=1, ip=None, user_agent="load")
    session = await models.sessions.by_token(cookie)
    assert session
    _, token = await models.tokens.create("load", (WRITE,), days=None, by=member, session=session)
    return member, cookie, token
