"""`plaza restore`: makes the site of a backup, in a folder (or database) where there is none."""

import io
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import click
import pymysql
import redis
import yoyo
from rich.markup import escape
from rich.progress import Progress

import settings as knobs
from commands import embedded, instance, orphans
from commands.archive import Contents, Table, decode, members, verify
from commands.backup import OF_THE_MACHINE, bar, connect
from commands.console import Trouble, say, step
from commands.migrate import MIGRATIONS, apply, reachable
from commands.places import make_folders
from settings import Settings

BATCH = 1024 * 1024  # bytes of lines in one INSERT
PATHS = ("tls_cert", "tls_key")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--check", is_flag=True, help="Only read FILE and say whether it is whole; nothing is changed.")
def command(file: Path, check: bool) -> None:
    """Make the site of a backup, in a PLAZA_VAR that is empty; start it with: plaza up.

    FILE is read to its end first. One that is cut, damaged, of a newer Plaza, or no backup is refused before anything changes.
    """
    settings = knobs.load()
    if not check:
        _nothing_there(settings)
    contents = _verified(file)
    if check:
        say(f"[green]✓[/] {escape(str(file))} is whole: {_summary(contents)}")
        return
    mark = instance.mark_of_restore(settings)
    settings.var.mkdir(parents=True, exist_ok=True)
    mark.write_text(f"{file}\n")
    make_folders(settings)
    with instance.alone(settings, "up"):
        with step("Restoring files and settings"):
            left = _files(file, settings, contents)
        settings = knobs.load()  # as it is with the settings of the backup
        with bar() as progress, embedded.servers(settings, fast=True):
            reachable(settings)
            _rows(file, settings, contents, progress)
            apply(settings)  # what is newer than the backup; `up` does the rest
            _forget_cached(settings)
        mark.unlink()
    say(f"[green]✓[/] Restored into {escape(str(settings.var))}: {_summary(contents)}")
    for name, value in left.items():
        say(f"[yellow]![/] {name} = {escape(str(value))}: that is of the other machine; set it again if it is meant")
    say("  Start it with: plaza up")


def _summary(contents: Contents) -> str:
    rows = {table.name: table.rows for table in contents.tables}
    counts = ", ".join(f"{rows.get(name, 0):,} {name}" for name in ("posts", "comments", "users"))
    return f"{counts}, {sum(rows.values()):,} rows in all, as of {contents.made_at[:16]} UTC"


def _verified(file: Path) -> Contents:
    known = [migration.id for migration in yoyo.read_migrations(str(MIGRATIONS))]
    with bar() as progress:
        task = progress.add_task("Checking", total=file.stat().st_size)
        return verify(file, known, lambda at: progress.update(task, completed=at))


def _nothing_there(settings: Settings) -> None:
    """Raises Trouble where a site is already. What a restore that was cut short left behind is cleared away."""
    var = settings.var
    if instance.mark_of_restore(settings).exists():
        _clear(settings)
    elif var.exists() and any(var.iterdir()):
        raise Trouble(f"{var} is not empty: a restore makes a site where there is none; set PLAZA_VAR to a new folder")
    if settings.mysql_url is not None:
        reachable(settings)
        with connect(settings.mysql) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            if cursor.fetchall():
                raise Trouble(f"the database {settings.mysql.database} (PLAZA_MYSQL_URL) is not empty")


def _clear(settings: Settings) -> None:
    """End the servers that a killed restore left, and remove its files; the mark goes last."""
    try:
        pid = int((settings.run / "mysql.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        while orphans.lives(pid):
            time.sleep(0.05)
    except (OSError, ValueError):
        pass  # it has ended
    if settings.redis_url is None:
        try:
            with redis.Redis.from_url(settings.redis, socket_timeout=2) as client:
                client.shutdown(nosave=True)
        except redis.RedisError:
            pass  # it has ended
    mark = instance.mark_of_restore(settings)
    for entry in settings.var.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != mark:
            entry.unlink()


def _files(file: Path, settings: Settings, contents: Contents) -> dict[str, Any]:
    """Write the files and the settings; those settings that cannot hold here."""
    with members(file) as found:
        for info, content in found:
            name = PurePosixPath(info.name)
            if name.parts[0] == "var":
                path = settings.var.joinpath(*name.parts[1:])
                _write(path, content, info.mode)
                if name.parts[1] == "files":
                    path.parent.chmod(0o711)  # Nginx's workers come through it (content/storage.py)
    (settings.var / "etc" / "demo").touch()  # `up` shall add nothing, however little there was
    lost = {name: value for name, value in contents.settings.items() if name in PATHS and not Path(str(value)).exists()}
    lost = {name: contents.settings[name] for name in PATHS if lost and name in contents.settings}  # they go together
    unfit = {name for name in contents.settings if name in OF_THE_MACHINE or name not in Settings.model_fields}
    lost |= {name: contents.settings[name] for name in unfit}
    kept = {name: value for name, value in contents.settings.items() if name not in lost}
    if kept:
        lines = [
            "# The settings of the site that this was restored from; plaza.toml, PLAZA_* and options go before them."
        ]
        # A JSON string is a TOML string too, but for DEL.
        lines += [
            f"{name} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f")
            for name, value in kept.items()
        ]
        _write(settings.var / "plaza.toml", io.BytesIO("\n".join([*lines, ""]).encode()), 0o600)
    return lost


def _write(path: Path, content: IO[bytes], mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        os.fchmod(target.fileno(), mode & 0o777)
        shutil.copyfileobj(content, target)


def _rows(file: Path, settings: Settings, contents: Contents, progress: Progress) -> None:
    """The tables as the backup's migrations made them, with its rows and nothing else. Raises Trouble."""
    apply(settings, contents.migrations)
    tables = {table.name: table for table in contents.tables}
    task = progress.add_task("Restoring", total=sum(table.rows for table in contents.tables))
    with connect(settings.mysql) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'")
        cursor.execute("SET SESSION unique_checks = 0, foreign_key_checks = 0")
        try:
            for name in tables:
                cursor.execute(f"DELETE FROM `{name}`")  # noqa: S608 - what a migration wrote is in the backup as it became
            with members(file) as found:
                for info, content in found:
                    parts = PurePosixPath(info.name).parts
                    if parts[0] == "tables":
                        _insert(cursor, tables[parts[1]], content, lambda n: progress.advance(task, n))
                        connection.commit()
            for table in contents.tables:
                _finish(cursor, table)
            connection.commit()
        except pymysql.Error as error:
            raise Trouble(f"the rows could not be written: {error.args[-1]}") from error


def _insert(cursor: Any, table: Table, content: IO[bytes], advance: Callable[[int], None]) -> None:
    columns = ", ".join(f"`{column}`" for column in table.columns)
    marks = ", ".join(["%s"] * len(table.columns))
    for lines in _batches(content):
        # executemany makes one INSERT of many rows, up to a megabyte.
        cursor.executemany(f"INSERT INTO `{table.name}` ({columns}) VALUES ({marks})", [decode(line) for line in lines])  # noqa: S608
        advance(len(lines))


def _batches(content: IO[bytes]) -> Iterator[list[bytes]]:
    lines: list[bytes] = []
    size = 0
    for line in content:
        lines.append(line)
        size += len(line)
        if size > BATCH:
            yield lines
            lines, size = [], 0
    if lines:
        yield lines


def _finish(cursor: Any, table: Table) -> None:
    cursor.execute(f"SELECT COUNT(*) FROM `{table.name}`")  # noqa: S608
    (count,) = cursor.fetchone()
    if count != table.rows:
        raise Trouble(f"{table.name} has {count} rows, and should have {table.rows}")
    if table.next_id:
        cursor.execute(f"ALTER TABLE `{table.name}` AUTO_INCREMENT = {table.next_id}")


def _forget_cached(settings: Settings) -> None:
    """A Redis that is elsewhere may hold answers of another site under our namespace."""
    if settings.redis_url is None:
        return
    with redis.Redis.from_url(settings.redis) as client:
        for name in client.scan_iter(match=f"{settings.namespace}:*", count=1000):
            client.unlink(name)
