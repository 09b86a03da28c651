"""A web process with a side door: it answers requests as any other, and does what its parent asks on its standard input.

Run as `python -m commands.benchmarks.inside HOST:PORT`. Each line is a JSON object, {"do": a name of `tasks`, ...}; each answer
is a line of JSON, {"found": ...} or {"trouble": ...}. It ends with its standard input, or upon TERM.
"""

import asyncio
import json
import signal
import sys
from typing import Any

import uvloop
from tornado.httpserver import HTTPServer

from commands.benchmarks.asked import Asked
from commands.benchmarks.tasks import TASKS
from models import Models
from server import listen, running
from settings import load


async def serve(address: str) -> None:
    settings = load()
    asked = Asked.of_this_process()
    async with running(settings) as app:
        server = HTTPServer(app.application, xheaders=False, max_body_size=settings.max_body)
        server.add_sockets(listen(address).sockets)
        door = asyncio.create_task(_door(app.models, asked))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, door.cancel)
        await asyncio.wait((door,))
        server.stop()
        await server.close_all_connections()


async def _door(models: Models, asked: Asked) -> None:
    wishes = asyncio.StreamReader(limit=1 << 20)  # not by a thread, which would hold up the end of the process
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(wishes), sys.stdin)
    while line := await wishes.readline():
        print(json.dumps(await _done(models, asked, json.loads(line))), flush=True)


async def _done(models: Models, asked: Asked, wish: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"found": await TASKS[wish.pop("do")](models, asked, **wish)}
    except Exception as error:  # the parent tells it, and ends
        return {"trouble": repr(error)}


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
