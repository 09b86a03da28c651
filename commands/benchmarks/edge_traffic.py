"""What a busy site is asked: 95 % reads and 5 % writes, posts by Zipf's law, as ready bytes for the load."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, count
from urllib.parse import quote

from commands.benchmarks import texts
from commands.benchmarks.bulk import connected
from commands.benchmarks.edge_load import Question
from commands.benchmarks.edge_shares import zipf
from commands.benchmarks.laboratory import Laboratory
from commands.benchmarks.members import members
from commands.benchmarks.polls import CHOICES, new_poll

POSTS = 10_000
WRITES = 0.05
# Of the reads; what is left are posts.
FRONT, LISTS, FEEDS, POLL = 0.06, 0.03, 0.02, 0.01
# Of the writes; what is left are edits.
COMMENTS, VOTES = 0.4, 0.4
WRITERS = 600  # members; each may write ten comments a minute
PROBED = range(
    4, 10
)  # places among the posts that the mix does not edit: another edit would hide what the prober looks for
DRAWN = 4096  # at once
SEED = 20_240_502


@dataclass(frozen=True, slots=True)
class Text:
    """A post as an editor sees it."""

    id: int
    path: str
    title: str
    summary: str
    md: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """`posts`: the most loved first, which are the newest. `reads`: each address that is read, with its share of the reads."""

    host: str
    posts: list[Text]
    reads: list[tuple[str, float]]
    poll: int
    choices: list[int]
    writers: list[str]
    editor: str

    def questions(self) -> Callable[[], Question]:
        """One after another, the same ones each time."""
        return _drawn(self).__next__

    def get(self, path: str) -> bytes:
        """As a browser asks that has no cookie of ours."""
        return (
            f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nAccept-Encoding: gzip\r\nAccept-Language: en\r\n\r\n".encode()
        )

    def send(self, method: str, path: str, token: str, fields: object) -> bytes:
        body = json.dumps(fields).encode()
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    def edit(self, post: Text, more: str) -> bytes:
        """The post with something more in its summary and its text, where its page, lists and feeds show it."""
        fields = {"name": post.title, "summary": f"{post.summary} {more}", "content": f"{post.md}\n\n{more}"}
        return self.send("POST", f"/api/blogs/{post.id}", self.editor, fields)

    def comment(self, post: Text, text: str, writer: str) -> bytes:
        return self.send("POST", f"/api/blogs/{post.id}/comments", writer, {"content": text})


def traffic(laboratory: Laboratory) -> Traffic:
    with connected(laboratory.settings.mysql) as cursor:
        cursor.execute(
            "SELECT id, slug, title, summary, body_md FROM posts WHERE status = 'published' ORDER BY published_at DESC, id DESC "
            "LIMIT %s",
            (POSTS,),
        )
        posts = [Text(id, f"/blog/{id}-{quote(slug)}", *words) for id, slug, *words in cursor.fetchall()]
    poll, choices = new_poll(laboratory)
    host = f"localhost:{laboratory.settings.port}"
    return Traffic(
        host, posts, _reads(posts, poll), poll, choices, members(laboratory, "Writer", WRITERS),
        *members(laboratory, "Editor", 1, role="editor"),
    )  # fmt: skip


def _reads(posts: list[Text], poll: int) -> list[tuple[str, float]]:
    lists = [f"/tag/{tag}" for tag in texts.TAGS]
    if len(posts) > texts.WHOLE:
        lists += [f"/page/{page}" for page in range(2, 6)]
    feeds = ["/feed.atom", "/feed.rss", "/feed.json"]
    own = 1 - FRONT - LISTS - FEEDS - POLL
    return [
        ("/", FRONT),
        (f"/polls/{poll}", POLL),
        *((path, LISTS / len(lists)) for path in lists),
        *((path, FEEDS / len(feeds)) for path in feeds),
        *((post.path, own * share) for post, share in zip(posts, zipf(len(posts)), strict=True)),
    ]


def _drawn(traffic: Traffic) -> Iterator[Question]:
    dice, number = random.Random(SEED), count()  # noqa: S311 - the same each time is wanted
    reads = [Question(path.split("/")[1].partition(".")[0] or "front", traffic.get(path)) for path, _ in traffic.reads]
    of_reads = list(accumulate(share for _, share in traffic.reads))
    of_posts = list(accumulate(zipf(len(traffic.posts))))
    while True:
        for read in dice.choices(reads, cum_weights=of_reads, k=DRAWN):
            if dice.random() >= WRITES:
                yield read
                continue
            place = dice.choices(range(len(traffic.posts)), cum_weights=of_posts)[0]
            yield _write(traffic, place, dice.random(), next(number))


def _write(traffic: Traffic, place: int, kind: float, number: int) -> Question:
    post, writer = traffic.posts[place], traffic.writers[number % len(traffic.writers)]
    if kind < VOTES:
        vote = {"choices": [traffic.choices[number // len(traffic.writers) % CHOICES]]}
        return Question("vote", traffic.send("PUT", f"/api/v1/polls/{traffic.poll}/ballot", writer, vote), write=True)
    if kind < VOTES + COMMENTS or place in PROBED:
        return Question("comment", traffic.comment(post, f"What number {number} says.", writer), write=True)
    return Question("edit", traffic.edit(post, f"Told {number} times."), write=True)
