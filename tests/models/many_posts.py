"""Very many generated posts with their search terms, loaded in bulk: `python -m tests.models.many_posts VAR COUNT`.

The words follow Zipf's law, one post in ten is Chinese, and every post is short, so that the disk is large enough. The database
is one of its own under VAR; its server is started for the load and stopped after it.
"""

import random
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TextIO

import pymysql

from commands import embedded, migrate
from commands.places import make_folders
from content.terms import TITLE, fold
from models.terms import READ
from settings import Settings

VOCABULARY, SIGNS, AUTHORS = 200_000, 3_000, 200
TAGS = ("notes", "caching", "storage", "web", "python", "testing", "history", "tools", "reading", "数据库")
START = datetime(2005, 1, 1, tzinfo=UTC)
_FIRST = [a + b for a in "b d f g k l m n p r s t v z br st tr".split() for b in "aeiou"]  # noqa: SIM905
Packed = dict[str, "array[int]"]
stem = cache(fold)


@cache
def word(rank: int) -> str:
    """The word that is the rank-th most common, from 1."""
    parts, n = list[str](), rank
    while n or len(parts) < 2:
        n, part = divmod(n, len(_FIRST))
        parts.append(_FIRST[part])
    return "".join(parts) + "m"


def sentence(dice: random.Random, length: int, chinese: bool) -> list[str]:
    """Words (or signs): the k-th most common comes with a chance of about 1 / k."""
    if chinese:
        return [chr(0x4E00 + int(SIGNS ** dice.random())) for _ in range(length)]
    return [word(int(VOCABULARY ** dice.random())) for _ in range(length)]


def post(number: int) -> tuple[str, str, tuple[str, ...], int]:
    """(title, body, tags, author) of a post; the same for the same number."""
    dice = random.Random(number)
    chinese = number % 10 == 0
    between = "" if chinese else " "
    title, body = (between.join(sentence(dice, n, chinese)) for n in (5, 25))
    return title, body, tuple(sorted(dice.sample(TAGS, 2))), dice.randint(1, AUTHORS)


def published_at(number: int) -> datetime:
    return START + timedelta(minutes=10 * number)


class Postings:
    """The postings of all posts by term: 20 bits of row id, 5 of weight, and three places of 8 bits."""

    def __init__(self) -> None:
        self.rows: Packed = {}

    def add(self, number: int, title: str, body: str) -> None:
        found: dict[str, list[int]] = {}
        for term, at in _terms(title, 0):
            found.setdefault(term, []).append(at)
        titled = len(found)
        first = max((places[-1] for places in found.values()), default=-1) + 2
        # An empty summary moves the body on by one.
        for term, at in _terms(body, first + 1):
            found.setdefault(term, []).append(at)
        for n, (term, places) in enumerate(found.items()):
            packed = number | (len(places).bit_length() + (TITLE if n < titled else 0)) << 20
            for i, at in enumerate(places[:4]):
                packed |= (at + 1) << (25 + 8 * i)
            self.rows.setdefault(term, array("Q")).append(packed)

    def label(self, number: int, label: str) -> None:
        self.rows.setdefault(label, array("Q")).append(number)

    def write(self, file: TextIO) -> int:
        """In the order of the primary key, as LOAD DATA wants them."""
        lines = 0
        for term in sorted(self.rows):
            for packed in self.rows[term]:
                number = packed & 0xFFFFF
                day = 12784 + number // 144
                places = array("H")
                rest = packed >> 25
                while rest:
                    places.append((rest & 0xFF) - 1)
                    rest >>= 8
                file.write(f"1\t{term}\t{number}\t1\t{packed >> 20 & 31}\t{day}\t{places.tobytes().hex()}\n")
            lines += len(self.rows[term])
        return lines


def _terms(text: str, first: int) -> Iterator[tuple[str, int]]:
    """What content.terms finds in such a text, faster."""
    if text[:1] >= "\u4e00":
        yield from ((sign, first + at) for at, sign in enumerate(text))
        yield from ((a + b, first + at) for at, (a, b) in enumerate(pairwise(text)))
    else:
        yield from ((stem(part), first + at) for at, part in enumerate(text.split(" ")))


@contextmanager
def server(settings: Settings, *more: str) -> Iterator[Any]:
    """The database server of `settings` with other options, and an administrator's cursor."""
    make_folders(settings)
    embedded.prepare_mysql(settings, fast=True)
    with (settings.var / "log/mariadb.log").open("ab") as log:
        process = subprocess.Popen([*embedded.mysql_command(settings), *more], stdout=log, stderr=log)
    try:
        embedded.wait_for("MariaDB", lambda: embedded.mysql_answers(settings), settings.var / "log/mariadb.log")
        root = embedded.root_address(settings)
        with pymysql.connect(
            unix_socket=root.unix_socket, user="root", password=root.password, database="plaza", autocommit=True
        ) as connection, connection.cursor() as cursor:  # fmt: skip
            yield cursor
    finally:
        process.terminate()
        process.wait(120)


def load(settings: Settings, count: int) -> None:
    """Generate and load; tells the seconds of each step."""
    started = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - started:7.0f} s  {text}", flush=True)

    folder = settings.var / "tmp"
    with server(settings, "--innodb-buffer-pool-size=768M", "--innodb-sort-buffer-size=64M") as cursor:
        migrate.migrate(settings)
        tell("server is up, tables are made")
        _posts(folder, count)
        terms = Postings()
        for number in range(1, count + 1):
            title, body, tags, author = post(number)
            terms.add(number, title, body)
            for label in (READ, f"@{author}", *(f"#{tag}" for tag in tags)):
                terms.label(number, label)
        tell("generated")
        with (folder / "terms.tsv").open("w", encoding="utf-8") as file:
            lines = terms.write(file)
        tell(f"{lines:,} postings of {len(terms.rows):,} terms written")
        del terms
        cursor.execute("SET unique_checks = 0, foreign_key_checks = 0, time_zone = '+00:00'")
        for name in TAGS:
            cursor.execute("INSERT INTO tags (name) VALUES (%s)", (name,))
        for author in range(1, AUTHORS + 1):
            cursor.execute(
                "INSERT INTO users (id, email, name, created_at) VALUES (%s, %s, %s, NOW(6))",
                (author, f"generated:{author}", f"Author {author}"),
            )
        cursor.execute(
            f"LOAD DATA INFILE '{folder}/posts.tsv' INTO TABLE posts CHARACTER SET utf8mb4 (id, author_id, slug, title, summary, "
            "body_md, body_html, status, published_at, created_at, updated_at)"
        )
        cursor.execute(
            f"LOAD DATA INFILE '{folder}/tags.tsv' INTO TABLE posts_tags CHARACTER SET utf8mb4 (post_id, @tag, published_at) "  # noqa: S608
            "SET tag_id = (SELECT id FROM tags WHERE name = @tag)"
        )
        cursor.execute(
            "INSERT INTO tallies (list, day, n) SELECT 'posts', DATE(published_at), COUNT(*) FROM posts GROUP BY 2"
        )
        tell("posts loaded")
        cursor.execute("ALTER TABLE terms DROP KEY ranked, DROP KEY of_row")
        cursor.execute(
            f"LOAD DATA INFILE '{folder}/terms.tsv' INTO TABLE terms CHARACTER SET utf8mb4 "
            "(kind, term, row_id, shown, weight, day, @places) SET places = UNHEX(@places)"
        )
        tell("terms loaded")
        cursor.execute(
            "ALTER TABLE terms ADD KEY ranked (kind, term, shown, weight, day, row_id), ADD KEY of_row (kind, row_id)"
        )
        cursor.execute("ANALYZE TABLE terms, posts")
        tell("indexes made")
        cursor.execute(
            "SELECT table_name, table_rows, data_length, index_length FROM information_schema.tables "
            "WHERE table_name IN ('terms', 'posts') AND table_schema = 'plaza'"
        )
        for name, rows, data, index in cursor.fetchall():
            tell(f"{name}: {rows:,} rows, {data / 1e6:,.0f} MB and {index / 1e6:,.0f} MB of indexes")
    for path in folder.glob("*.tsv"):
        path.unlink()


def _posts(folder: Path, count: int) -> None:
    with (
        (folder / "posts.tsv").open("w", encoding="utf-8") as posts,
        (folder / "tags.tsv").open("w", encoding="utf-8") as tags,
    ):
        for number in range(1, count + 1):
            title, body, names, author = post(number)
            at = f"{published_at(number):%Y-%m-%d %H:%M:%S}"
            slug = title.replace(" ", "-")
            row = (number, author, slug, title, "", body, f"<p>{body}</p>", "published", at, at, at)
            posts.write("\t".join(map(str, row)) + "\n")
            tags.writelines(f"{number}\t{name}\t{at}\n" for name in names)


if __name__ == "__main__":
    load(Settings(var=Path(sys.argv[1]).absolute()), int(sys.argv[2]))
