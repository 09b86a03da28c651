"""Tell a CDN in front of us what it must not give any more: by a request or a command of the operator's."""

import asyncio
import json
import logging
import shlex
from collections.abc import Sequence

from tornado.httpclient import AsyncHTTPClient, HTTPError

from models.counts import COUNTS
from models.edge_news import surrogate_key
from models.edge_pages import Purge
from settings import Settings

log = logging.getLogger("plaza.edge")

AT_ONCE = 500  # names, and addresses, in one purge
TRIES, PAUSE, PATIENCE = 3, 1.0, 10.0  # s between two, and for one
COUNTS.update({"edge.purged": 0})


class Failed(Exception):
    """The purge was not taken; the text is for the operator."""


class Purging:
    """By what the settings name; without that it is not `wanted`. `failure`: why one last failed, for people."""

    def __init__(self, settings: Settings) -> None:
        self._site, self._url = settings.site_url, settings.purge_url
        self._command = shlex.split(settings.purge_command or "")
        self.wanted = bool(self._url or self._command)
        self.failure = ""

    async def purge(self, purge: Purge) -> None:
        """What it does not take after some tries is counted, and ends by itself."""
        keys, urls = [surrogate_key(name) for name in purge.names], [self._site + uri for uri in purge.uris]
        for tried in range(1, TRIES + 1):
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._tell(keys, urls)
            except (Failed, OSError, HTTPError, TimeoutError) as error:
                self.failure = str(error) or "no answer in time"
                log.warning("a purge failed: %s", self.failure)
                await asyncio.sleep(PAUSE * (tried < TRIES))
            else:
                COUNTS["edge.purged"] += len(keys) + len(urls)
                return
        COUNTS["edge.unpurged"] += len(keys) + len(urls)

    async def _tell(self, keys: Sequence[str], urls: Sequence[str]) -> None:
        """Raises Failed, OSError, HTTPError, TimeoutError."""
        body = json.dumps({"keys": keys, "urls": urls})
        if self._url:
            headers = {"Content-Type": "application/json", "Surrogate-Key": " ".join(keys)}
            await AsyncHTTPClient().fetch(
                self._url, method="POST", body=body, headers=headers, request_timeout=PATIENCE, follow_redirects=False
            )
        if self._command:
            await _run(self._command, body.encode())


async def _run(command: Sequence[str], told: bytes) -> None:
    """Raises Failed, OSError. It does not outlive us."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await process.communicate(told)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Failed(f"{command[0]} ended with {process.returncode}: {said.decode(errors='replace').strip()[-200:]}")
