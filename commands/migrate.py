"""`plaza migrate`: runs the migrations of models/migrations that the database has not seen yet."""

import asyncio
import logging
from collections.abc import Collection
from urllib.parse import quote, urlencode

import click
import pymysql
import yoyo

import models
from commands.console import Trouble, say
from commands.embedded import mysql_answers
from commands.instance import current
from models.errors import Busy
from settings import ROOT, Settings

MIGRATIONS = ROOT / "models" / "migrations"
# The server's own named lock: it ends with the connection, so a command that was killed locks nobody out.
LOCK = "plaza.migrate"
_REFUSALS = (yoyo.exceptions.BadMigration, yoyo.exceptions.LockTimeout, yoyo.exceptions.MigrationConflict)
PATIENCE = 600  # seconds that a second `migrate` waits for the first


@click.command()
def command() -> None:
    """Bring the tables of the database up to date. Safe to run at any time, and twice."""
    settings = current()
    reachable(settings)
    done = migrate(settings)
    for name in done:
        say(f"[green]✓[/] {name}")
    if not done:
        say("The tables are up to date.")


def reachable(settings: Settings) -> None:
    """Raises Trouble, with what to do, when the database does not let us in."""
    said = mysql_answers(settings)
    if said is None:
        return
    if settings.mysql_url is None:
        raise Trouble("the database does not run; start it with: plaza up", settings.var / "log" / "mariadb.log")
    address = settings.mysql
    where = address.unix_socket or f"{address.host}:{address.port}"
    raise Trouble(f"MySQL at {where} (PLAZA_MYSQL_URL) does not let us in: {said}")


def migrate(settings: Settings) -> list[str]:
    """Apply what is missing, and seed the roles that the code names; the names of what was applied. Raises Trouble."""
    address = settings.mysql
    with pymysql.connect(
        host=address.host, port=address.port, unix_socket=address.unix_socket, user=address.user,
        password=address.password, database=address.database, charset="utf8mb4",
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute("SELECT GET_LOCK(CONCAT(DATABASE(), ':', %s), %s)", (LOCK, PATIENCE))
        if cursor.fetchone() != (1,):
            raise Trouble("another migration is running and does not end")
        done = apply(settings)
        try:
            asyncio.run(_seed(settings))
        except Busy as error:
            raise Trouble(f"the roles could not be written: {error}") from None
        return done


def apply(settings: Settings, only: Collection[str] | None = None) -> list[str]:
    """Apply what is missing, of these names if they are given; the names of what was applied. Raises Trouble."""
    logging.getLogger("yoyo").setLevel(logging.ERROR)
    with yoyo.get_backend(_url(settings)) as backend:
        todo = backend.to_apply(yoyo.read_migrations(str(MIGRATIONS)))
        todo = [migration for migration in todo if only is None or migration.id in only]
        for migration in todo:
            try:
                backend.apply_one(migration)
            except (pymysql.Error, *_REFUSALS) as error:
                first = _first(error)
                raise Trouble(f"migration {migration.id} fails: {first.args[-1] if first.args else first}") from error
    return [migration.id for migration in todo]


def _first(error: BaseException) -> BaseException:
    """What went wrong before yoyo went back to a savepoint, which MySQL had forgotten at the first ALTER."""
    while error.__context__ is not None:
        error = error.__context__
    return error


async def _seed(settings: Settings) -> None:
    async with models.connected(settings) as tables:
        await tables.roles.seed()


def _url(settings: Settings) -> str:
    a = settings.mysql
    # Who waits to alter a table has everybody behind him who wants to read it: no longer than those have patience for.
    patience = f"SET SESSION lock_wait_timeout = {int(settings.mysql_timeout) or 1}"
    options = {"charset": "utf8mb4", "init_command": patience} | (
        {"unix_socket": a.unix_socket} if a.unix_socket else {}
    )
    place = f"{a.host}:{a.port}" if a.port else a.host
    return f"mysql://{quote(a.user, '')}:{quote(a.password, '')}@{place}/{quote(a.database, '')}?{urlencode(options)}"
