"""`plaza export`, and that an import of it gives the same posts."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result

import models
from commands import export, import_
from content.articles import Refused, article
from models import Models
from models.writing import Draft
from settings import Settings
from tests.harness import people as everybody
from tests.harness.servers import Databases

POSTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "posts"
Answer = TypeVar("Answer")


def run(settings: Settings, command: Any, *arguments: str | Path) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("var", "mysql_url", "redis_url", "namespace"):
            patch.setenv(f"PLAZA_{name.upper()}", str(getattr(settings, name)))
        return CliRunner().invoke(command, [str(argument) for argument in arguments])


def asked(settings: Settings, question: Callable[[Models], Awaitable[Answer]]) -> Answer:
    async def ask() -> Answer:
        async with models.connected(settings) as tables:
            return await question(tables)

    return asyncio.run(ask())


async def posts_of(m: Models) -> list[tuple[Any, ...]]:
    """Everything that a reader, a search engine or an editor can tell of the posts."""
    return [
        *await m.db.fetch(
            "SELECT p.id, p.title, p.slug, p.summary, REPLACE(p.body_md, '\\r', ''), p.body_html, p.status, p.byline, u.name, "
            "p.published_at, p.created_at, p.updated_at, p.source_path, (SELECT GROUP_CONCAT(t.name ORDER BY t.name) FROM "
            "posts_tags pt JOIN tags t ON t.id = pt.tag_id WHERE pt.post_id = p.id) FROM posts p JOIN users u "
            "ON u.id = p.author_id WHERE p.status <> 'trashed' ORDER BY p.id"
        ),
        *await m.db.fetch("SELECT path, target FROM redirects ORDER BY path"),
        *await m.db.fetch(
            "SELECT list, day, n FROM tallies WHERE list NOT LIKE 'author:%%' AND list <> 'users' AND n ORDER BY list, day"
        ),
    ]  # fmt: skip


async def write(m: Models) -> None:
    people = await everybody.find(m)
    hard = {
        '"quotes": {yes} # no': "---\ntitle: not mine\n---\n\nText\n",
        "- 四层缓存 \U0001f600": "# - 四层缓存 \U0001f600\n\nThe heading repeats the title, and stays.",
        "no": "    indented code\n\ttab \\ \x08 control\r\nand a line of Windows\r\n\n\n",
        "2024-01-01": "+++\n",
        "T" * 200: "![x](y.png)\n\n" + "long line " * 500,
    }
    for title, md in hard.items():
        draft = Draft(title, "sum: 'mary' \\ # -", md, ("yes", "2024", "a,b", "缓存", "'"))
        await m.writing.create(draft, by=people.alice, publish=True)
    last = await m.writing.create(Draft("Draft", "", "Unseen", ()), by=people.olga)
    await m.publishing.schedule(last.id, datetime.now(UTC) + timedelta(days=3), by=people.olga)
    back = await m.writing.create(Draft("Taken back", "", "It keeps its date.", ("x",)), by=people.ada, publish=True)
    await m.publishing.unpublish(back.id, by=people.ada)
    await m.writing.create(Draft("Never shown", "", "No date.", ()), by=people.ada)
    gone = await m.writing.create(Draft("Trash", "", "Out.", ()), by=people.ada)
    await m.publishing.trash(gone.id, by=people.ada)


def test_an_import_of_an_export_gives_the_same_site(settings: Settings, databases: Databases, tmp_path: Path) -> None:
    (tmp_path / "old" / "deep").mkdir(parents=True)
    (tmp_path / "old" / "deep" / "a.md").write_text(
        "---\ntitle: Old\ndate: 2019-05-05\nauthors: [Ann, 'Bo, Jr.']\naliases: [/was/here, '/was/旧.html']\n---\nOld text.\n",
        "utf-8",
    )
    assert run(settings, import_.command, tmp_path / "old").exit_code == 0
    asked(settings, write)
    before = asked(settings, posts_of)

    done = run(settings, export.command, tmp_path / "out")
    with databases.fresh() as other:
        first = run(other, import_.command, tmp_path / "out")
        after = asked(other, posts_of)
        again = run(other, import_.command, tmp_path / "out")
        unchanged = asked(other, posts_of)

    assert done.exit_code == 0, done.output
    assert "9 posts" in done.output
    assert first.exit_code == 0, first.output
    assert after == before
    assert "created        0" in again.output
    assert "changed        0" in again.output
    assert unchanged == after


def test_an_import_into_the_same_site_changes_nothing_but_what_was_edited(settings: Settings, tmp_path: Path) -> None:
    asked(settings, write)
    run(settings, export.command, tmp_path / "out")
    before = asked(settings, posts_of)
    file = next(path for path in (tmp_path / "out").rglob("*.md") if "2024-01-01" in path.name)
    file.write_text(file.read_text("utf-8").replace("slug: '2024-01-01'", "slug: renamed"), "utf-8", newline="")

    done = run(settings, import_.command, tmp_path / "out")
    after = asked(settings, posts_of)

    assert done.exit_code == 0, done.output
    changed = [row[2] for row, old in zip(after, before, strict=True) if row[:12] != old[:12] and len(row) > 3]
    assert "created        0" in done.output
    assert "renamed" in changed
    assert len(changed) <= 2  # the one with Windows' line ends gets others


def test_a_number_that_is_taken_is_another(settings: Settings, databases: Databases, tmp_path: Path) -> None:
    asked(settings, write)
    run(settings, export.command, tmp_path / "out")
    with databases.fresh() as other:
        asked(other, write)
        done = run(other, import_.command, tmp_path / "out")
        titles = [row[1] for row in asked(other, posts_of) if len(row) > 3]

    assert done.exit_code == 0, done.output
    assert titles.count("no") == 2


def test_a_folder_with_something_in_it_is_left_alone(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("x")
    result = run(settings, export.command, tmp_path)

    assert result.exit_code == 1
    assert "is not empty" in result.output + str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.md"]


@pytest.mark.parametrize(
    "own",
    [
        "{number: '1', status: draft, created: 2020-01-01T00:00:00Z, updated: 2020-01-01T00:00:00Z}",
        "{number: -1, status: draft, created: 2020-01-01T00:00:00Z, updated: 2020-01-01T00:00:00Z}",
        "{number: true, status: draft, created: 2020-01-01T00:00:00Z, updated: 2020-01-01T00:00:00Z}",
        "{number: 1, status: trashed, created: 2020-01-01T00:00:00Z, updated: 2020-01-01T00:00:00Z}",
        "{number: 1, status: draft, created: 2020-01-01, updated: 2020-01-01T00:00:00Z}",
        "{number: 1, status: scheduled, created: 2020-01-01T00:00:00Z, updated: 2020-01-01T00:00:00Z}",
        "{number: 1, status: draft, created: 2020-01-01T00:00:00Z, updated: 2020-01-01T00:00:00Z, byline: [x]}",
    ],
)
def test_what_no_export_writes_is_refused(own: str) -> None:
    with pytest.raises(Refused):
        article(f"---\ntitle: T\nslug: t\ntags: []\nplaza: {own}\n---\nText", "f")


@pytest.mark.long
@pytest.mark.skipif(not POSTS.is_dir(), reason=f"needs the posts in {POSTS}")
def test_the_real_posts_survive_the_round_trip(settings: Settings, databases: Databases, tmp_path: Path) -> None:
    run(settings, import_.command, POSTS / "en", POSTS / "zh")
    before = asked(settings, posts_of)
    run(settings, export.command, tmp_path / "out")
    with databases.fresh() as other:
        done = run(other, import_.command, tmp_path / "out")
        after = asked(other, posts_of)

    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "out").rglob("*.md"))) == 787
    assert after == before
