"""`plaza import` and the demo content, with the servers of the tests."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import CliRunner, Result

import models
from commands import demo, import_
from models import Models
from models.check import check
from models.posts import Post
from settings import Settings

POSTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "posts"
needs_posts = pytest.mark.skipif(not POSTS.is_dir(), reason=f"needs the posts in {POSTS}")
Answer = TypeVar("Answer")


@pytest.fixture(autouse=True)
def chosen(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command finds the servers of the test."""
    for name in ("var", "mysql_url", "redis_url", "namespace"):
        monkeypatch.setenv(f"PLAZA_{name.upper()}", str(getattr(settings, name)))


def plaza_import(*arguments: str | Path) -> Result:
    return CliRunner().invoke(import_.command, [str(argument) for argument in arguments])


def counts(result: Result) -> dict[str, int]:
    return {
        name: int(n.replace(",", "")) for name, n in re.findall(r"^  (\w+) +([\d,]+)$", result.output, re.MULTILINE)
    }


def asked(settings: Settings, question: Callable[[Models], Awaitable[Answer]]) -> Answer:
    async def ask() -> Answer:
        async with models.connected(settings) as tables:
            return await question(tables)

    return asyncio.run(ask())


async def all_posts(tables: Models) -> dict[str, Post]:
    found: dict[str, Post] = {}
    before = None
    while part := await tables.posts.managed(before=before, most=200):
        found |= {str(post.source_path): post for post in part}
        before = part[-1].id
    return found


def write(folder: Path, name: str, head: str, body: str = "Words.\n") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"---\n{head}\n---\n{body}", "utf-8")
    return file


def test_what_a_file_says_is_what_the_site_has(settings: Settings, tmp_path: Path) -> None:
    head = (
        "title: 四层缓存 with Redis\nauthors: [Ada Example, Bo Sample]\ndate: 2020/1/11\ntags: [Cache, 缓存]\n"
        "path: old/2020/01/11/layers\naliases: [old/layers.html]"
    )
    write(tmp_path / "whole", "deep/a.md", head, "第一段。\n\n## 标题\n")

    result = plaza_import(tmp_path / "whole")
    post = asked(settings, all_posts)["whole/deep/a.md"]
    body = asked(settings, lambda tables: tables.bodies.one(post.id))
    author = asked(settings, lambda tables: tables.users.by_id(post.author_id))

    assert (result.exit_code, counts(result)["created"]) == (0, 1)
    assert (post.title, post.slug, post.status) == ("四层缓存 with Redis", "四层缓存-with-redis", "published")
    assert (post.summary, post.tags, post.byline) == ("第一段。", ("cache", "缓存"), "Ada Example, Bo Sample")
    assert post.published_at == datetime(2020, 1, 11, tzinfo=UTC)
    assert '<h2 id="标题">' in body.html
    assert (author.name, author.roles) == ("Ada Example", ())
    assert asked(settings, lambda tables: tables.users.password_hash(author.email)) in (None, (author.id, None))
    for old in ("/old/2020/01/11/layers", "/old/2020/01/11/layers/", "/old/layers.html"):
        assert asked(settings, lambda tables, old=old: tables.redirects.target(old)) == f"/blog/{post.id}-{post.slug}"  # type: ignore[misc]


def test_importing_again_changes_only_what_has_changed(settings: Settings, tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path / "again", f"{name}.md", f"title: {name}\ndate: 2020-01-01")

    first = plaza_import(tmp_path / "again")
    before = asked(settings, all_posts)
    write(tmp_path / "again", "b.md", "title: b2\ndate: 2020-01-01")
    second = plaza_import(tmp_path / "again")
    after = asked(settings, all_posts)

    assert counts(first) == {"created": 3, "changed": 0, "same": 0, "refused": 0}
    assert counts(second) == {"created": 0, "changed": 1, "same": 2, "refused": 0}
    assert after["again/a.md"] == before["again/a.md"]
    assert (after["again/b.md"].id, after["again/b.md"].title) == (before["again/b.md"].id, "b2")


def test_refused_files_are_named_and_the_rest_comes_in(settings: Settings, tmp_path: Path) -> None:
    write(tmp_path / "some", "good.md", "title: Good\ndate: 2020-01-01")
    write(tmp_path / "some", "undated.md", "title: [Bad]")
    write(tmp_path / "some", "big.md", "title: Big\ndate: 2020-01-01", "[" * 60_000)
    (tmp_path / "some" / "bytes.md").write_bytes(b"\xff\xfe")
    (tmp_path / "some" / ".hidden.md").write_text("no")
    (tmp_path / "some" / "note.txt").write_text("no")

    result = plaza_import(tmp_path / "some")

    assert result.exit_code == 1
    assert counts(result) == {"created": 1, "changed": 0, "same": 0, "refused": 3}
    assert re.search(r"✗ some/bytes.md +it is not UTF-8 text", result.output)
    assert re.search(r"✗ some/undated.md +it has no title and no date", result.output)
    assert re.search(r"✗ some/big.md +The text has more than 50,000 opening brackets", result.output)


def test_equal_names_and_titles_do_not_collide(settings: Settings, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(tmp_path / folder, "a.md", "title: Same\ndate: 2020-01-01")

    result = plaza_import(tmp_path / "one", tmp_path / "two")

    assert counts(result)["created"] == 2
    assert {"one/a.md", "two/a.md"} <= asked(settings, all_posts).keys()


@pytest.mark.parametrize(("folder", "said"), [("absent", "there is no folder"), (".", "there are no .md files")])
def test_a_folder_with_nothing_in_it_is_one_clear_line(folder: str, said: str, tmp_path: Path) -> None:
    result = plaza_import(tmp_path / folder)

    assert result.exit_code == 1
    assert said in str(result.exception) + result.output


def test_the_demo_content_is_loaded_once(settings: Settings) -> None:
    asked(settings, demo.load)
    first = asked(settings, all_posts)
    asked(settings, demo.load)
    again = asked(settings, all_posts)
    people = asked(settings, lambda tables: tables.users.many(sorted({post.author_id for post in first.values()})))

    posts = [post for path, post in first.items() if path.startswith("demo/")]
    assert len(posts) >= 8
    assert again == first
    assert {demo.EDITOR, *demo.MEMBERS} <= {person.name for person in people}
    assert all(post.published_at and post.published_at < datetime.now(UTC) for post in posts)


def test_the_demo_content_brings_a_game_whose_board_is_alive(settings: Settings) -> None:
    asked(settings, demo.load)
    asked(settings, demo.load)
    board = asked(settings, lambda tables: tables.boards.by_slug("ripples"))
    top = asked(settings, lambda tables: tables.standings.top(board, "day"))
    people = asked(settings, lambda tables: tables.users.by_ids([place.subject_id for place in top.places]))

    assert (board.page, board.least, board.most) == ("/play", 0, 1_000_000)
    assert [(people[place.subject_id].name, place.score) for place in top.places] == [
        (demo.MEMBERS[1], 861_000), (demo.MEMBERS[0], 742_000),
    ]  # fmt: skip


def test_the_demo_content_brings_a_poll_with_votes(settings: Settings) -> None:
    asked(settings, demo.load)
    asked(settings, demo.load)
    (poll,) = asked(settings, lambda tables: tables.polls.open())
    result = asked(settings, lambda tables: tables.results.one(poll.id))
    author = asked(settings, lambda tables: tables.users.by_id(poll.author_id))

    assert (poll.question, poll.results, author.name) == (demo.POLL.question, "always", demo.EDITOR)
    assert (result.voters, result.votes) == (2, (1, 1, 2, 0))
    assert asked(settings, lambda tables: check(tables.db)) == []


def test_nobody_can_sign_in_as_a_demo_account(settings: Settings) -> None:
    asked(settings, demo.load)
    editor = asked(settings, lambda tables: tables.users.import_author(demo.EDITOR))

    assert asked(settings, lambda tables: tables.users.password_hash(editor.email)) == (editor.id, None)


@needs_posts
def test_the_real_posts_come_in(settings: Settings) -> None:
    result = plaza_import(POSTS / "en", POSTS / "zh")
    posts = {path: post for path, post in asked(settings, all_posts).items() if path.startswith(("en/", "zh/"))}
    shared = posts["en/1.0-Timeline.md"]

    assert result.exit_code == 1
    assert counts(result) == {"created": 787, "changed": 0, "same": 0, "refused": 4}
    assert sum(post.byline is not None for post in posts.values()) == 8
    assert shared.published_at == datetime(2014, 12, 12, tzinfo=UTC)
    assert posts["zh/seata-xa-introduce.md"].title == "分布式事务如何实现？深入解读 Seata 的 XA 模式"
    old = "/2014/12/12/1.0-Timeline.html"
    assert asked(settings, lambda tables: tables.redirects.target(old)) == f"/blog/{shared.id}-{shared.slug}"
