"""The yardstick process: Tornado with nothing of Plaza in it, writing given bytes.

Run as `python -m commands.benchmarks.yardstick PORT FOLDER`: each file of the folder is answered under its name.
The loop and the HTTPServer are set as in server.py; importing that would bring all of Plaza into the process.
"""

import asyncio
import signal
import sys
from pathlib import Path

import uvloop
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler


class Bytes(RequestHandler):
    """What any page costs that needs no thought: routing, headers, an ETag over the body, and the answer."""

    def initialize(self, body: bytes, kind: str) -> None:
        self.body, self.kind = body, kind

    async def get(self) -> None:
        self.set_header("Content-Type", self.kind)
        self.finish(self.body)


async def serve(port: int, folder: Path) -> None:
    kinds = {".html": "text/html; charset=UTF-8", ".json": "application/json; charset=UTF-8"}
    routes = [
        (f"/{file.name}", Bytes, {"body": file.read_bytes(), "kind": kinds[file.suffix]}) for file in folder.iterdir()
    ]
    server = HTTPServer(
        Application(routes, log_function=lambda handler: None),
        xheaders=False, max_body_size=1_048_576, idle_connection_timeout=75,
    )  # fmt: skip
    server.add_sockets(bind_sockets(port, "127.0.0.1", backlog=1024))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
