"""`plaza backup`: the whole site in one file, as it was at one moment, while it serves."""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click
import pymysql
import yoyo
from pymysql.cursors import SSCursor
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

import settings as knobs
from commands import embedded, instance
from commands.archive import FORMAT, HEAD, SETTINGS, Table, Writer, encode
from commands.console import Trouble, out, say
from commands.migrate import MIGRATIONS, reachable
from content.storage import INCOMING
from models.file_clearing import BACKUP
from settings import MysqlAddress, Settings

CHUNK = 8 * 1024 * 1024  # bytes of rows in one member
# Below var, what `up` and the servers make anew. All else is kept, so that what is added later is kept as well.
# plaza.toml is in settings.json.
MADE_ANEW = frozenset(
    {
        "mysql",
        "mysql.new",
        "redis",
        "run",
        "tmp",
        "static",
        "templates",
        "pages",
        "nginx",
        "log",
        "figures",
        "releases",
        "plaza.toml",
    }
)
KEPT_OF_ETC = frozenset({"demo"})  # the rest is rendered, or (choices.json) is in settings.json
OURS_TO_MIGRATE = ("_yoyo_log", "_yoyo_migration", "_yoyo_version", "yoyo_lock")  # a restored database has its own
# Of this machine: where things are, and what is told again to another one.
OF_THE_MACHINE = frozenset({"var", "mysql_url", "redis_url", "upstreams", "edges", "purge_url", "purge_command"})


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def command(file: Path) -> None:
    """Write the whole site into FILE: all tables as they are at one moment, secrets, settings, files. The site serves on.

    FILE holds every secret of the site; it is made for the owner alone (mode 0600). It is there only when it is whole;
    one that was there before stays until then.
    """
    settings = instance.current()
    instance.refuse_half_restored(settings)
    if not file.parent.is_dir():
        raise Trouble(f"there is no folder {file.parent}")
    part = file.with_name(f".{file.name}.part")
    try:
        with _database(settings), bar() as progress, _for_owner(part) as target:
            tables = write(settings, target, progress)
            target.flush()
            os.fsync(target.fileno())
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    rows = sum(table.rows for table in tables)
    say(f"[green]✓[/] {escape(str(file))}: {rows:,} rows of {len(tables)} tables, {file.stat().st_size / 1e6:,.1f} MB")


def _for_owner(path: Path) -> IO[bytes]:
    path.unlink(missing_ok=True)
    # A file that somebody else put there first is not written into: they could read along.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def bar() -> Progress:
    """How far it is, for who sits at a terminal."""
    return Progress(
        TextColumn("{task.description:<12}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=out, transient=True, disable=not out.is_terminal,
    )  # fmt: skip


@contextmanager
def _database(settings: Settings) -> Iterator[None]:
    """The database, started for as long as this takes if Plaza is down and the database is its own."""
    with ExitStack() as stack:
        if settings.mysql_url is None and embedded.mysql_answers(settings) is not None:
            if not (settings.var / "mysql").exists():
                raise Trouble(f"there is no Plaza in {settings.var}")
            stack.enter_context(instance.alone(settings, "up"))  # nobody starts it meanwhile
            stack.enter_context(embedded.servers(settings))
        reachable(settings)
        yield


def connect(address: MysqlAddress, **options: Any) -> "pymysql.Connection[Any]":
    """A connection that hands over every value as the server writes it: text, or bytes for columns of bytes."""
    return pymysql.connect(
        host=address.host, port=address.port, unix_socket=address.unix_socket, user=address.user,
        password=address.password, database=address.database, charset="utf8mb4", **options,
    )  # fmt: skip


def applied(connection: "pymysql.Connection[Any]") -> tuple[str, ...]:
    """The migrations that the database has seen, in their order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT migration_id FROM _yoyo_migration")
        done = {row[0] for row in cursor.fetchall()}
    return tuple(migration.id for migration in yoyo.read_migrations(str(MIGRATIONS)) if migration.id in done)


def write(settings: Settings, target: IO[bytes], progress: Progress) -> list[Table]:
    """The backup, into an open file. Raises Trouble."""
    with connect(settings.mysql, conv={}) as connection, connection.cursor(SSCursor) as cursor:
        # Stored bytes are copied after the snapshot: from here on the worker deletes none of those that it knows.
        if _one(cursor, f"SELECT GET_LOCK({BACKUP}, 0)") != "1":
            raise Trouble("another backup of this site is being made")
        writer = Writer(target)
        # From here on the connection sees the tables as they are now, whatever others write.
        cursor.execute("SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES'")
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        head = {"format": FORMAT, "made_at": datetime.now(UTC).isoformat(), "migrations": applied(connection)}
        writer.add_json(HEAD, head)
        writer.add_json(SETTINGS, told(settings))
        add_files(writer, settings.var)
        try:
            names = _tables(cursor)
            counts = {name: int(_one(cursor, f"SELECT COUNT(*) FROM `{name}`")) for name in names}  # noqa: S608 - names from the server
            task = progress.add_task("Reading", total=sum(counts.values()))
            tables = [_dump(cursor, name, writer, lambda rows: progress.advance(task, rows)) for name in names]
        except pymysql.Error as error:
            raise Trouble(
                f"the tables could not be read: {error.args[-1]}; if a migration ran meanwhile, try again"
            ) from None
    writer.close(tables)
    return tables


def told(settings: Settings) -> dict[str, Any]:
    """What the site was told, without what belongs to this machine."""
    everything = knobs.told() | instance.choices(settings)
    return {name: value for name, value in everything.items() if name not in OF_THE_MACHINE}


def add_files(writer: Writer, var: Path) -> None:
    """Raises FileNotFoundError for one that goes away meanwhile, unless the worker was about to delete it: no row needs it."""
    for path in files(var):
        try:
            writer.add_file(f"var/{path.relative_to(var).as_posix()}", path)
        except FileNotFoundError:
            if var / "files" not in path.parents:
                raise


def files(var: Path) -> Iterator[Path]:
    """The files below var that nobody can make anew."""
    for path in sorted(var.iterdir()):
        if path.name == "etc":
            yield from (entry for entry in sorted(path.iterdir()) if entry.name in KEPT_OF_ETC)
        elif path.name not in MADE_ANEW and not path.is_symlink():
            within = sorted(path.rglob("*")) if path.is_dir() else [path]
            unfinished = path / INCOMING
            yield from (
                entry
                for entry in within
                if entry.is_file() and not entry.is_symlink() and unfinished not in entry.parents
            )


def _one(cursor: Any, sql: str) -> Any:
    cursor.execute(sql)
    return cursor.fetchall()[0][0]


def _tables(cursor: Any) -> list[str]:
    cursor.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
    )
    return sorted(row[0] for row in cursor.fetchall() if row[0] not in OURS_TO_MIGRATE)


def _dump(cursor: Any, name: str, writer: Writer, advance: Any) -> Table:
    columns, key = _columns(cursor, name)
    listed = ", ".join(f"`{column}`" for column in columns)
    order = ", ".join(f"`{column}`" for column in key)
    cursor.execute(f"SELECT {listed} FROM `{name}`" + (f" ORDER BY {order}" if order else ""))  # noqa: S608 - names from the server
    count, lines, size, part = 0, [], 0, 0
    while rows := cursor.fetchmany(500):
        for row in rows:
            line = encode(row)
            lines.append(line)
            size += len(line)
            if size >= CHUNK:
                part += 1
                writer.add(f"tables/{name}/{part:06}", b"".join(lines))
                lines, size = [], 0
        count += len(rows)
        advance(len(rows))
    if lines:
        writer.add(f"tables/{name}/{part + 1:06}", b"".join(lines))
    return Table(name, columns, count, _next_id(cursor, name))


def _columns(cursor: Any, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All columns, and those of the primary key, in their order."""
    about = f"table_schema = DATABASE() AND table_name = '{name}'"
    cursor.execute(f"SELECT column_name FROM information_schema.columns WHERE {about} ORDER BY ordinal_position")  # noqa: S608
    columns = tuple(row[0] for row in cursor.fetchall())
    cursor.execute(
        f"SELECT column_name FROM information_schema.statistics WHERE {about} AND index_name = 'PRIMARY' "  # noqa: S608
        "ORDER BY seq_in_index"
    )
    return columns, tuple(row[0] for row in cursor.fetchall())


def _next_id(cursor: Any, name: str) -> int:
    """From the table's own definition: MySQL 8's information_schema may be a day old."""
    cursor.execute(f"SHOW CREATE TABLE `{name}`")
    found = re.search(r"\bAUTO_INCREMENT=(\d+)", cursor.fetchall()[0][1].rpartition(")")[2])
    return int(found[1]) if found else 0
