"""Errors to Sentry: a real web process, a small real server that takes its envelopes, and a table that has gone."""

import gzip
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pymysql
import pytest

from settings import Settings, SettingsError, load
from tests.harness.servers import Databases
from tests.harness.site import Site, run_site

PATIENCE = 15.0  # s until what is sent has come
TOKEN = "vGKlAHRg5519qpKbUDqG0zFKOkT5pJ6QIZFhH-ixyas"


@dataclass
class Taken:
    """What came, as (path, headers, body); with `hangs` nothing is ever answered."""

    hangs: bool = False
    envelopes: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def dsn(self) -> str:
        return f"http://publickey@127.0.0.1:{self.port}/42"

    def events(self, wanted: int = 1) -> list[dict[str, Any]]:
        """The error events, when there are so many."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = [
                json.loads(part) for _, _, body in self.envelopes for part in body.split(b"\n") if b'"level"' in part
            ]
            if len(found) >= wanted:
                return found
            time.sleep(0.05)
        raise TimeoutError(f"{len(self.envelopes)} envelopes came")


@contextmanager
def sentry_server(*, hangs: bool = False) -> Iterator[Taken]:
    taken = Taken(hangs)

    class Store(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if taken.hangs:
                taken.let_go.wait(60)
                return
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            taken.envelopes.append((self.path, dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    server.daemon_threads = True
    taken.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield taken
    finally:
        taken.let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()


def break_redirects(settings: Settings) -> None:
    address = settings.mysql
    with pymysql.connect(
        unix_socket=address.unix_socket, user=address.user, password=address.password, database=address.database,
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute("DROP TABLE redirects")


def get(site: Site, path: str) -> tuple[int, dict[str, str]]:
    request = urllib.request.Request(
        site.url + path, headers={"Cookie": f"plaza={TOKEN}; member=1", "Authorization": f"Bearer {TOKEN}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers)


def test_a_fault_of_ours_goes_to_sentry_with_its_request_and_without_secrets(databases: Databases) -> None:
    with sentry_server() as sentry, run_site(databases, sentry_dsn=sentry.dsn, production=True) as site:
        break_redirects(site.settings)

        status, headers = get(site, f"/alice@example.org/{TOKEN}?token={TOKEN}")
        (event,) = sentry.events()

        assert status == 500
        path, sent, body = sentry.envelopes[0]
        assert path == "/api/42/envelope/"
        assert "publickey" in sent["X-Sentry-Auth"]
        assert event["level"] == "error"
        assert event["tags"]["request"] == headers["X-Request-Id"]
        assert event["environment"] == "production"
        assert event["server_name"] == "web-0"
        error = event["exception"]["values"][-1]
        assert error["type"] == "ProgrammingError"
        frames = error["stacktrace"]["frames"]
        assert any(frame["filename"].endswith("models/redirects.py") for frame in frames)
        assert not any("vars" in frame for frame in frames)
        for secret in (TOKEN, "alice@example.org", "plaza="):
            assert secret not in body.decode()
        assert "request" not in event
        assert "user" not in event

        get(site, "/nothing")  # the same again is another event: Sentry counts them
        assert len(sentry.events(2)) == 2

        log = (site.settings.var / "log" / "web.log").read_text()
        record = next(line for line in map(json.loads, log.splitlines()) if line["level"] == "ERROR")
        assert record["request"] == headers["X-Request-Id"]
        assert "ProgrammingError" in record["exception"]
        assert TOKEN not in log
        access = (site.settings.var / "log" / "access.log").read_text
        until = time.monotonic() + PATIENCE
        while headers["X-Request-Id"] not in access() and time.monotonic() < until:
            time.sleep(0.1)
        assert headers["X-Request-Id"] in access(), "Nginx names the request"


def test_what_is_refused_or_not_there_does_not_go_to_sentry(databases: Databases) -> None:
    with sentry_server() as sentry:
        with run_site(databases, sentry_dsn=sentry.dsn) as site:
            assert get(site, "/nothing")[0] == 404
            assert get(site, "/manage/")[0] == 200  # the page to sign in at
        assert sentry.envelopes == []


def test_a_sentry_that_hangs_holds_up_nobody(databases: Databases) -> None:
    with sentry_server(hangs=True) as sentry:
        with run_site(databases, sentry_dsn=sentry.dsn) as site:
            break_redirects(site.settings)
            began = time.monotonic()
            for _ in range(10):
                assert get(site, "/nothing")[0] == 500
            assert get(site, "/about")[0] == 200
            assert time.monotonic() - began < 8.0
            ending = time.monotonic()
        assert time.monotonic() - ending < 12.0, "it is given up at the end of the process"


@pytest.mark.parametrize(
    "dsn", ["sentry", "https://sentry.example.org/1", "https://key@sentry.example.org/", "ftp://k@h/1"]
)
def test_a_dsn_that_is_none_stops_the_start(dsn: str) -> None:
    with pytest.raises(SettingsError, match="sentry_dsn"):
        load(sentry_dsn=dsn)
