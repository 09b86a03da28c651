"""Backup and restore: to the last byte, or not at all."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
import pytest
from click.testing import CliRunner, Result

import models
from commands import backup, embedded, restore
from commands.archive import Table, verify
from commands.backup import connect
from commands.console import Trouble
from commands.migrate import MIGRATIONS, apply
from models.writing import Draft
from settings import Settings, load
from tests.commands.instances import Instance
from tests.harness import people as everybody
from tests.harness.servers import Databases
from tests.models.uploading import resize, upload

ALL_MIGRATIONS = tuple(sorted(path.stem for path in MIGRATIONS.glob("*.sql")))
Dump = dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]


def everything(settings: Settings) -> Dump:
    """Every row of every table, by a way of its own; the migrations' table without the moment they were run at."""
    a = settings.mysql
    with pymysql.connect(
        host=a.host, port=a.port, unix_socket=a.unix_socket, user=a.user, password=a.password, database=a.database
    ) as db, db.cursor() as cursor:  # fmt: skip
        cursor.execute("SHOW TABLES")
        names = [name for (name,) in cursor.fetchall() if name not in ("_yoyo_log", "_yoyo_version", "yoyo_lock")]
        found: Dump = {}
        for name in names:
            what = "migration_id" if name == "_yoyo_migration" else "*"
            cursor.execute(f"SELECT {what} FROM {name}")  # noqa: S608
            rows = sorted(cursor.fetchall(), key=repr)
            cursor.execute(f"SHOW CREATE TABLE {name}")
            found[name] = (("" if name.startswith("_yoyo") else cursor.fetchall()[0][1],), rows)
    return found


def files(var: Path) -> dict[str, tuple[bytes, int]]:
    """What must not get lost of var: contents and mode, by path."""
    kept = [*(var / "secrets").rglob("*"), *(var / "files").rglob("*"), var / "etc" / "demo"]
    return {
        str(path.relative_to(var)): (path.read_bytes(), path.stat().st_mode & 0o777) for path in kept if path.is_file()
    }


async def live(settings: Settings) -> str:
    """A life in which something of everything happens; a session's token."""
    async with models.connected(settings) as m:
        people = await everybody.find(m)
        told = '四层缓存 \U0001f600 \'quotes" \\ back \u2028 \x00\x1a\x7f {"base64": "eA=="}'
        post = await m.writing.create(
            Draft(told[:12], "", told + "\r\n\r\nEnd.", ("缓存", "x")), by=people.alice, publish=True
        )
        await m.writing.edit(post.id, Draft("New title", "S", told + " more", ("x",)), by=people.alice)
        await m.writing.create(Draft("Draft", "", "unseen", ()), by=people.alice)
        gone = await m.writing.create(Draft("Gone", "", "gone", ()), by=people.alice)
        first = await m.comments.create(post.id, told, by=people.bob)
        await m.comments.create(post.id, "reply", by=people.ada, parent_id=first.id)
        await m.users.note_login(people.bob.id, bytes(range(16)))
        await m.links.invite_admin()
        await m.sites.edit({"title": "A site of its own"}, by=people.ada)
        file, _ = await upload(m, people.bob, os.urandom(3_000_000), "猫.png")
        await resize(m, file, "300x200", people.bob)
        async with m.db.connection() as connection:  # its number must not be given again
            await connection.execute("DELETE FROM posts WHERE id = %s", gone.id)
            await connection.execute("DELETE FROM terms WHERE row_id = %s", gone.id)
        return await m.sessions.start(people.bob.id, days=30, ip=b"\x7f\0\0\1", user_agent="tests")


@pytest.fixture
def lived(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site with something of everything in it, which the commands find."""
    for name in ("var", "mysql_url", "redis_url", "namespace"):
        monkeypatch.setenv(f"PLAZA_{name.upper()}", str(getattr(settings, name)))
    asyncio.run(live(settings))
    assert settings.secret_key
    (settings.var / "etc").mkdir()
    (settings.var / "etc" / "demo").touch()
    (settings.var / "files" / "incoming" / "not yet whole").write_bytes(b"x")
    for nothing in ("log", "static"):
        (settings.var / nothing).mkdir()
        (settings.var / nothing / "made-anew").touch()
    return settings


def run(command: Any, *arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def said(result: Result) -> str:
    return result.output + str(result.exception or "")


@contextmanager
def elsewhere(monkeypatch: pytest.MonkeyPatch, var: Path) -> Iterator[Settings]:
    """The commands find an empty folder, and the database of its own that it will have."""
    with monkeypatch.context() as patch:
        for name in ("mysql_url", "redis_url", "namespace"):
            patch.delenv(f"PLAZA_{name.upper()}")
        patch.setenv("PLAZA_VAR", str(var))
        yield load()


def test_a_restored_site_is_the_same_to_the_last_byte(
    lived: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAZA_TITLE", '"四层" \\ title')
    monkeypatch.setenv("PLAZA_TRUSTED_PROXIES", "10.0.0.0/8 ::1")
    made = run(backup.command, tmp_path / "site.plaza")
    monkeypatch.delenv("PLAZA_TITLE")
    monkeypatch.delenv("PLAZA_TRUSTED_PROXIES")
    assert made.exit_code == 0, said(made)
    before, kept = everything(lived), files(lived.var)
    with elsewhere(monkeypatch, tmp_path / "new"):
        done = run(restore.command, tmp_path / "site.plaza")
        assert done.exit_code == 0, said(done)
        restored = load()
        with embedded.servers(restored, fast=True):
            after = everything(restored)
        again = run(restore.command, tmp_path / "site.plaza")

    assert len(before) >= 20
    assert all(
        before[name][1]
        for name in ("posts", "comments", "revisions", "sessions", "links", "audit_log", "tallies", "files", "blobs")
    )
    assert after == before
    assert not (restored.var / "files" / "incoming").exists()
    del kept["files/incoming/not yet whole"]
    assert {path: found for path, found in files(restored.var).items() if path in kept} == kept
    assert len(kept) >= 4
    modes = {path.stat().st_mode & 0o777 for path in (restored.var / "files").iterdir()}
    assert modes == {0o711}  # Nginx's workers come through
    assert restored.secret_key == lived.secret_key
    assert (restored.title, len(restored.trusted_proxies)) == ('"四层" \\ title', 2)
    assert (restored.mysql_url, restored.namespace) == (None, lived.namespace)
    assert not list((restored.var / "log").glob("made-anew"))
    assert (again.exit_code, "is not empty" in said(again)) == (1, True)


def test_a_backup_is_for_its_owner_alone_and_whole_or_not_there(lived: Settings, tmp_path: Path) -> None:
    target = tmp_path / "site.plaza"
    target.write_bytes(b"the one of yesterday")
    target.chmod(0o644)
    broken = run(backup.command, tmp_path / "no such folder" / "x")
    assert run(backup.command, target).exit_code == 0

    assert broken.exit_code == 1
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["site.plaza"]
    assert run(restore.command, "--check", target).exit_code == 0


def test_a_backup_is_of_one_moment(lived: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written after its first statement is not in it: a post that appears while `comments` is read stays out."""
    dump = backup._dump
    late: list[str] = []

    def slow_dump(cursor: Any, name: str, *rest: Any) -> Table:
        if not late:
            late.append(name)
            asyncio.run(live(lived))
        return dump(cursor, name, *rest)

    before = everything(lived)
    monkeypatch.setattr(backup, "_dump", slow_dump)
    assert run(backup.command, tmp_path / "site.plaza").exit_code == 0

    contents = verify(tmp_path / "site.plaza", ALL_MIGRATIONS)
    assert {t.name: t.rows for t in contents.tables} == {
        name: len(rows) for name, (_, rows) in before.items() if not name.startswith("_yoyo")
    }
    assert len(everything(lived)["posts"][1]) > len(before["posts"][1])


def test_an_empty_database_elsewhere_is_filled_and_a_full_one_is_refused(
    lived: Settings, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(backup.command, tmp_path / "site.plaza")
    before = everything(lived)
    with databases.fresh() as other:
        for name in ("var", "mysql_url", "redis_url", "namespace"):
            monkeypatch.setenv(f"PLAZA_{name.upper()}", str(getattr(other, name)))
        full = run(restore.command, tmp_path / "site.plaza")
        assert not other.var.exists()
        _emptied(other)
        done = run(restore.command, tmp_path / "site.plaza")

        assert (full.exit_code, "is not empty" in said(full)) == (1, True)
        assert done.exit_code == 0, said(done)
        assert everything(other) == before


def test_a_backup_of_an_older_plaza_gets_the_migrations_since_then(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with databases.fresh() as settings:
        for name in ("var", "mysql_url", "redis_url", "namespace"):
            monkeypatch.setenv(f"PLAZA_{name.upper()}", str(getattr(settings, name)))
        newest = everything(settings)
        _emptied(settings)
        apply(settings, ALL_MIGRATIONS[:1])
        with connect(settings.mysql) as db:
            db.cursor().execute("INSERT INTO tags (id, name) VALUES (7, 'old')")
            db.commit()
        settings.var.mkdir()
        old = everything(settings)
        assert run(backup.command, tmp_path / "old.plaza").exit_code == 0
        _emptied(settings)
        settings.var.rmdir()
        done = run(restore.command, tmp_path / "old.plaza")
        after = everything(settings)
        demo_comes_no_more = (settings.var / "etc" / "demo").exists()

    assert done.exit_code == 0, said(done)
    assert demo_comes_no_more
    assert old.keys() < after.keys()
    assert after["tags"][1] == [(7, "old")]
    assert {name: table[0] for name, table in after.items() if name != "tags"}.keys() == newest.keys() - {"tags"}
    assert after["_yoyo_migration"] == newest["_yoyo_migration"]


def _emptied(settings: Settings) -> None:
    with connect(settings.mysql) as db, db.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {name}")


def test_a_restore_that_was_cut_short_is_told_and_done_again(
    lived: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(backup.command, tmp_path / "site.plaza")
    before = everything(lived)
    with elsewhere(monkeypatch, tmp_path / "new") as new:
        with monkeypatch.context() as patch:
            patch.setattr(restore, "_finish", lambda *_: (_ for _ in ()).throw(Trouble("the power went")))
            assert "the power went" in said(run(restore.command, tmp_path / "site.plaza"))
        half = Instance(new.var, 8439).plaza("up")
        done = run(restore.command, tmp_path / "site.plaza")
        assert done.exit_code == 0, said(done)
        with embedded.servers(load(), fast=True):
            after = everything(load())

    assert (half.returncode, "has not ended; run it again" in half.stderr) == (1, True)
    assert after == before


def test_the_restored_site_serves_the_same_to_the_same_people(first: Instance, fresh: Instance, tmp_path: Path) -> None:
    """As somebody at the keyboard does it, while visitors come."""
    everybody.register_all(first.settings)
    token = asyncio.run(live(first.settings))
    cookie = {"Cookie": f"plaza={token}; member=1"}
    with first.under_load(2) as seen:
        made = first.plaza("backup", str(tmp_path / "site.plaza"))
    assert made.returncode == 0, made.stderr

    done = fresh.plaza("restore", str(tmp_path / "site.plaza"))
    assert done.returncode == 0, done.stdout + done.stderr
    said = fresh.up("--web", "1")

    assert not [what for what in seen if not what.endswith(("2xx", "4xx"))]
    assert "register?invite" not in said
    for path in ("/", "/tag/x", "/feed.json", "/user/2", "/sitemap-0.xml"):
        mine, theirs = fresh.get(path), first.get(path)
        assert (mine.status, mine.body.replace(str(fresh.port).encode(), b"P")) == (
            theirs.status, theirs.body.replace(str(first.port).encode(), b"P"),
        ), path  # fmt: skip
    assert json.loads(fresh.get("/api/v1/me", cookie).body)["user"]["name"] == "Bob"
    assert fresh.plaza("check").returncode == 0
