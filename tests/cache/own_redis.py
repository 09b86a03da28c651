"""A Redis of a test's own: killed with -9, and started again with what it had saved."""

import asyncio
import signal
import subprocess
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.cache.steps import client, folder_url, until_answers


class OwnRedis:
    """A Redis of the test's own in a folder, to be killed, stopped and started again with what it saved."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.socket = folder, folder / "own.sock"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return folder_url(self.socket)

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            "redis-server", "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self._folder), "--save", "",
            "--appendonly", "no", "--maxmemory-policy", "volatile-lfu", stdout=subprocess.DEVNULL,
        )  # fmt: skip
        redis = client(self.url)
        await until_answers(lambda: _answers(redis))
        await redis.aclose()

    async def kill(self) -> None:
        """With -9; its dump stays."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self.socket.unlink(missing_ok=True)

    def send(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)


async def _answers(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):
        return False
