"""Very many short posts, older than all others, made by statements that write thousands of rows each.

What the models would leave is there: tags, tallies, the terms of the search, a comment under some. There are `KINDS` different
texts; each post's title ends with its number, so that no two are the same. Rows are made by the server out of small tables of
the kinds, in the order of their primary keys.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pymysql

from commands import embedded
from commands.benchmarks import texts
from content.markdown import render, render_comment
from content.slugs import slug
from models import terms
from models.best_scores import ALWAYS
from models.contributions import ANSWER, COMMENT, DISCUSSED, MEMBERS, POST
from models.periods import periods
from models.posts import Post
from models.users import User
from settings import MysqlAddress, Settings

KINDS = 500
AT_ONCE = 20_000  # rows of the table `posts` in one statement
APART = timedelta(minutes=4)  # between two of them; the last one is as old as the oldest of the whole ones
TALKED = 4  # one in so many has a comment
NUMBER = 777  # stands for the post's own number in the texts that are read for terms
Tell = Callable[[str, int, int], None]  # what is being done, how much of it, of how much

_TABLES = {
    "bench_numbers": "id BIGINT PRIMARY KEY, kind INT NOT NULL, at DATETIME(6) NOT NULL",
    "bench_posts": "kind INT PRIMARY KEY, author_id BIGINT, title VARCHAR(200), slug VARCHAR(200), summary VARCHAR(400), "
    "md TEXT, html TEXT, said_by BIGINT, said_md TEXT, said_html TEXT",
    "bench_tags": "kind INT, tag_id BIGINT, PRIMARY KEY (kind, tag_id)",
    "bench_terms": "of TINYINT, term VARCHAR(48) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, kind INT, weight INT, "
    "places VARBINARY(254), PRIMARY KEY (of, term, kind)",
}
_TALLIES = (
    "SELECT 'posts', DATE(published_at), COUNT(*) FROM posts GROUP BY 2",
    "SELECT CONCAT('author:', author_id), DATE(published_at), COUNT(*) FROM posts GROUP BY 1, 2",
    "SELECT CONCAT('tag:', t.name), DATE(published_at), COUNT(*) FROM tags t JOIN posts_tags ON tag_id = t.id GROUP BY 1, 2",
    "SELECT 'comments', DATE(created_at), COUNT(*) FROM comments GROUP BY 2",
    "SELECT CONCAT('comments:', post_id), DATE(created_at), COUNT(*) FROM comments GROUP BY 1, 2",
)
# The source of the terms: a post's have its id, a comment's the id that `_posts` gave it.
_TERMS = """
INSERT INTO terms (kind, term, row_id, shown, weight, day, places)
SELECT w.of, IF({own}, n.id, w.term), IF({post}, n.id, n.id DIV {talked}), 1, w.weight, DATEDIFF(n.at, '1970-01-01'), w.places
FROM bench_numbers n JOIN bench_terms w ON w.of = %s AND w.term = %s AND w.kind = n.kind
WHERE {post} OR n.id %% {talked} = 0 ORDER BY {order}"""


def fill(settings: Settings, count: int, people: list[User], tell: Tell) -> None:
    """Write `count` posts with the ids 1 to `count` into tables that are still empty."""
    with connected(settings.mysql) as cursor:
        try:
            _kinds(cursor, count, people)
            _posts(cursor, count, tell)
            _boards(cursor, settings.time_zone)
            _terms(cursor, tell)
            cursor.execute("ANALYZE TABLE posts, posts_tags, comments, terms, tallies, scores, best_scores")
        finally:
            cursor.execute(f"DROP TABLE IF EXISTS {', '.join(_TABLES)}")


def _kinds(cursor: Any, count: int, people: list[User]) -> None:
    """The small tables that all rows are made of."""
    for name, columns in _TABLES.items():
        cursor.execute(f"CREATE TABLE {name} ({columns}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4")
    first = texts.START.replace(tzinfo=None) - count * APART
    cursor.execute("INSERT INTO bench_numbers VALUES (1, %s, %s)", (1 % KINDS, first))
    have = 1
    while have < count:
        cursor.execute(
            "INSERT INTO bench_numbers SELECT id + %s, (id + %s) MOD %s, TIMESTAMPADD(SECOND, %s, at) FROM bench_numbers "
            "WHERE id <= %s",
            (have, have, KINDS, have * APART.seconds, count - have),
        )
        have = min(2 * have, count)
    cursor.executemany("INSERT IGNORE INTO tags (name) VALUES (%s)", [(name,) for name in texts.TAGS])
    for kind in range(KINDS):
        title, md, tags = texts.short(kind)
        author, guest = (people[(kind + more) % len(people)] for more in (0, 1))
        said = next((text for text, _ in texts.comments(kind)), "So it is.")
        html, said_html = render(md).html, render_comment(said)
        cursor.execute(
            "INSERT INTO bench_posts VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (kind, author.id, title, slug(title), md, md, html, guest.id, said, said_html),
        )
        cursor.execute("INSERT INTO bench_tags SELECT %s, id FROM tags WHERE name IN %s", (kind, tags))
        now = texts.START
        post = Post(0, author.id, None, "", f"{title} {NUMBER}", md, "published", now, now, now, None, tags, 1)
        found = [(terms.POST, term, posting) for term, posting in terms.of_post(post, html).items()]
        found += [(terms.COMMENT, term, posting) for term, posting in terms.of_comment(guest.id, said_html).items()]
        cursor.executemany(
            "INSERT INTO bench_terms VALUES (%s, %s, %s, %s, %s)",
            [(of, term, kind, posting.weight, posting.places) for of, term, posting in found],
        )


def _posts(cursor: Any, count: int, tell: Tell) -> None:
    for start in range(0, count, AT_ONCE):
        tell("Writing short posts", start, count)
        part = (start + 1, min(start + AT_ONCE, count))
        cursor.execute(
            "INSERT INTO posts (id, author_id, slug, title, summary, body_md, body_html, status, published_at, created_at, "
            "updated_at) SELECT n.id, k.author_id, CONCAT(k.slug, '-', n.id), CONCAT(k.title, ' ', n.id), k.summary, k.md, "
            "k.html, 'published', n.at, n.at, n.at FROM bench_numbers n JOIN bench_posts k ON k.kind = n.kind "
            "WHERE n.id BETWEEN %s AND %s ORDER BY n.id",
            part,
        )
        cursor.execute(
            "INSERT INTO posts_tags (post_id, tag_id, published_at, status, updated_at) "
            "SELECT n.id, t.tag_id, n.at, 'published', n.at FROM bench_numbers n JOIN bench_tags t ON t.kind = n.kind "
            "WHERE n.id BETWEEN %s AND %s ORDER BY n.id, t.tag_id",
            part,
        )
        cursor.execute(
            "INSERT INTO comments (id, post_id, author_id, body_md, body_html, status, created_at) "
            "SELECT n.id DIV %s, n.id, k.said_by, k.said_md, k.said_html, 'shown', n.at FROM bench_numbers n "
            "JOIN bench_posts k ON k.kind = n.kind WHERE n.id BETWEEN %s AND %s AND n.id MOD %s = 0 ORDER BY n.id",
            (TALKED, *part, TALKED),
        )
    tell("Counting them", count, count)
    for sql in _TALLIES:
        cursor.execute("INSERT INTO tallies (list, day, n) " + sql)


def _boards(cursor: Any, zone: str) -> None:
    """What the worker would have made of contributions."""
    for board, score, subject, at, table in (
        (MEMBERS, POST, "author_id", "published_at", "posts"),
        (MEMBERS, COMMENT, "author_id", "created_at", "comments"),
        (DISCUSSED, ANSWER, "post_id", "created_at", "comments"),
    ):
        cursor.execute(
            f"INSERT INTO scores (board_id, subject_id, score, created_at) SELECT %s, {subject}, %s, {at} FROM {table}",  # noqa: S608
            (board, score),
        )
    for period in periods(datetime.now(UTC), ZoneInfo(zone)):
        cursor.execute(
            "INSERT INTO best_scores (board_id, period, subject_id, points, achieved_at, score_id) "
            "SELECT board_id, %s, subject_id, -SUM(score), MAX(created_at), MAX(id) FROM scores "
            "WHERE created_at >= %s AND created_at < %s GROUP BY board_id, subject_id",
            (period.name, *(period.starts or ALWAYS[0], period.ends or ALWAYS[1])),
        )


def _terms(cursor: Any, tell: Tell) -> None:
    """In the order of the primary key; the other keys are made when all is there, which is several times faster."""
    cursor.execute("SELECT of, term FROM bench_terms GROUP BY of, term ORDER BY of, term")
    wanted = cursor.fetchall()
    cursor.execute("ALTER TABLE terms DROP KEY ranked, DROP KEY of_row")
    for done, (of, term) in enumerate(wanted):
        tell("Writing the terms of the search", done, len(wanted))
        post, own = of == terms.POST, term == str(NUMBER)
        order = "CAST(n.id AS CHAR)" if own else "n.id"
        cursor.execute(_TERMS.format(own=own, post=post, talked=TALKED, order=order), (of, term))
    tell("Making the indexes of the search", len(wanted), len(wanted))
    cursor.execute(
        "ALTER TABLE terms ADD KEY ranked (kind, term, shown, weight, day, row_id), ADD KEY of_row (kind, row_id)"
    )


@contextmanager
def connected(address: MysqlAddress) -> Iterator[Any]:
    """A cursor of a connection of its own, with autocommit."""
    with pymysql.connect(
        host=address.host, port=address.port, unix_socket=address.unix_socket, user=address.user, password=address.password,
        database=address.database, charset="utf8mb4", autocommit=True,
        init_command="SET SESSION time_zone = '+00:00', unique_checks = 0, foreign_key_checks = 0",
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        yield cursor


@contextmanager
def in_haste(settings: Settings) -> Iterator[None]:
    """The server with more memory and no care for power cuts, until the end."""
    with connected(embedded.root_address(settings)) as cursor:
        names = ("innodb_buffer_pool_size", "innodb_flush_log_at_trx_commit")
        cursor.execute("SELECT @@GLOBAL.innodb_buffer_pool_size, @@GLOBAL.innodb_flush_log_at_trx_commit")
        before = cursor.fetchone()
        for name, value in zip(names, (2 << 30, 0), strict=True):
            cursor.execute(f"SET GLOBAL {name} = %s", (value,))
        try:
            yield
        finally:
            for name, value in zip(names, before, strict=True):
                cursor.execute(f"SET GLOBAL {name} = %s", (value,))
