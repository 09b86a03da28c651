"""Where a proof takes place: a folder, a MariaDB and a Redis of its own, the wires to them, and nothing left of it afterwards."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
import redis
from redis.asyncio import Redis

from commands.console import Trouble
from commands.embedded import prepare_redis, redis_answers, redis_command, root_address, servers
from commands.migrate import migrate
from commands.places import make_folders
from commands.proving import notes, polls
from commands.proving.ledger import PROCESSES, Ledger
from commands.proving.wires import Wire
from settings import Settings

PATIENCE = 20.0  # s for Redis to answer


class OwnRedis:
    """A Redis that may be killed and started again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = f"{settings.run}/redis.sock"
        self.dump = settings.var / "redis" / "dump.rdb"

    def start(self) -> None:
        """Start it. Raises Trouble."""
        with (self._settings.var / "log" / "redis.log").open("ab") as output:
            self._process = subprocess.Popen(
                redis_command(self._settings), stdout=output, stderr=output, start_new_session=True
            )
        until = time.monotonic() + PATIENCE
        while (said := redis_answers(self._settings)) is not None:
            if time.monotonic() > until:
                raise Trouble(f"Redis does not start: {said}", self._settings.var / "log" / "redis.log")
            time.sleep(0.01)

    def kill(self) -> None:
        """As the system does it when memory is short: kill -9."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def client(self) -> Redis:
        """A look into it that no fault stands in the way of."""
        return Redis.from_url(f"unix://{self.socket}?db=0", protocol=3, socket_timeout=5, socket_connect_timeout=5)


class Ground:
    """The place, while it lasts."""

    def __init__(self, settings: Settings, server: OwnRedis) -> None:
        self.settings, self.redis = settings, server
        self.folder = settings.var
        self.redis_wires = [Wire(self.folder / f"r{one}", server.socket) for one in range(PROCESSES)]
        self.mysql_wires = [Wire(self.folder / f"m{one}", settings.mysql.unix_socket or "") for one in range(PROCESSES)]

    def choices(self, process: int | None) -> dict[str, Any]:
        """The settings of a process: over its own wires, or (None) straight to the servers."""
        a = self.settings.mysql
        mysql = a.unix_socket if process is None else self.mysql_wires[process].path
        redis = self.redis.socket if process is None else self.redis_wires[process].path
        return {
            "var": str(self.folder),
            "mysql_url": f"mysql://{a.user}:{a.password}@localhost/{a.database}?unix_socket={mysql}",
            "redis_url": f"unix://{redis}?db=0",
            "namespace": "prove",
            "mysql_timeout": 2.0,
            "slow_query": 0,
        }

    def administer(self) -> Any:
        """A connection as root, for faults and for looking."""
        a = root_address(self.settings)
        return pymysql.connect(
            unix_socket=a.unix_socket,
            user=a.user,
            password=a.password,
            database=self.settings.mysql.database,
            autocommit=True,
        )

    def begin(self) -> Ledger:
        """An empty table, an empty Redis, an empty ledger."""
        with redis.Redis.from_url(f"unix://{self.redis.socket}?db=0", protocol=3) as client:
            client.flushall()
        Ledger.make(self.folder / "ledger")
        with self.administer() as connection, connection.cursor() as cursor:
            for sql in (*notes.first_rows(), *polls.first_rows()):
                cursor.execute(sql)
        for file in self.folder.glob("violations-*"):
            file.unlink()
        return Ledger(self.folder / "ledger")

    async def mend(self) -> None:
        """All wires as they should be."""
        for wire in (*self.redis_wires, *self.mysql_wires):
            await wire.mend()

    async def cut(self) -> None:
        for wire in (*self.redis_wires, *self.mysql_wires):
            await wire.cut()
        await asyncio.sleep(0)


def _folder() -> Path:
    """In memory where there is room, and with a short path: sockets are in it."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2_000_000_000
    return Path(tempfile.mkdtemp(prefix="plaza-prove-", dir=memory if roomy else None))


@contextmanager
def ground() -> Iterator[Ground]:
    """Both servers, with all tables; gone at the end. Raises Trouble."""
    folder = _folder()
    settings = Settings(var=folder, mysql_memory=64, web=16)  # `web`: room for connections that are half open
    server = OwnRedis(settings)
    try:
        make_folders(settings)
        prepare_redis(settings)
        server.start()
        with servers(settings, fast=True):
            migrate(settings)
            yield Ground(settings, server)
    finally:
        server.kill()
        shutil.rmtree(settings.run, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def end(pid: int, how: int = signal.SIGKILL) -> None:
    """A signal to a process of ours, if it still lives."""
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        pass
