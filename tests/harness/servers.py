"""One MariaDB and one Redis for a whole test run, and a database in it for each test, copied from a template in 15 ms."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql

from commands.embedded import root_address, servers
from commands.migrate import migrate
from settings import Settings
from tests.harness.people import register_all

_names = itertools.count(1)


def _folder() -> Path:
    """In memory where there is room: a database of a test is not worth a disk."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1_000_000_000
    folder = Path(tempfile.mkdtemp(prefix="plaza-test-", dir=memory if roomy else None))
    folder.chmod(0o755)  # Nginx's workers, another user, come through it to their socket
    return folder


@contextmanager
def run_servers() -> Iterator[Path]:
    """Start both servers; their folder. `plaza` in it is the template: all tables, the roles, and the people."""
    folder = _folder()
    settings = Settings(var=folder, compare_every=0)  # no chance row of the auditor's in the template
    try:
        with servers(settings, fast=True):
            migrate(settings)
            with _administrator(settings) as cursor:
                cursor.execute("GRANT ALL PRIVILEGES ON `t\\_%`.* TO 'plaza'@'localhost'")
            register_all(settings)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _administrator(settings: Settings) -> Iterator[Any]:
    address = root_address(settings)
    with pymysql.connect(
        unix_socket=address.unix_socket, user=address.user, password=address.password, autocommit=True
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        yield cursor


class Databases:
    """Makes and drops the databases of the tests of one process."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._server, self._worker = Settings(var=folder), worker
        with _administrator(self._server) as cursor:
            cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'plaza'")
            self._tables = [name for (name,) in cursor.fetchall()]
        self.mysql_socket = self._server.mysql.unix_socket or ""
        self.redis_socket = f"{self._server.run}/redis.sock"

    @contextmanager
    def fresh(self, **choices: Any) -> Iterator[Settings]:
        """The settings of a site with a database and a Redis namespace that nobody else has; dropped at the end."""
        name = f"t_{self._worker}_{next(_names)}"
        server = self._server
        address = server.mysql
        url = f"mysql://{address.user}:{address.password}@localhost/{name}?unix_socket={address.unix_socket}"
        folder = server.var / name
        with _administrator(server) as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            for table in self._tables:
                cursor.execute(f"CREATE TABLE {name}.{table} LIKE plaza.{table}")
                cursor.execute(f"INSERT INTO {name}.{table} SELECT * FROM plaza.{table}")  # noqa: S608 - names of ours
            try:
                own = {"var": folder, "mysql_url": url, "redis_url": server.redis, "namespace": name.replace("_", "."),
                    "form_seconds": 0, "compare_every": 0}  # tests type faster than people, and count SELECTs  # fmt: skip
                yield Settings(**{**own, **choices})
            finally:
                cursor.execute(f"DROP DATABASE {name}")
                shutil.rmtree(folder, ignore_errors=True)
