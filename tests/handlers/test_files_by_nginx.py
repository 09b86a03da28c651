"""Files through a real Nginx, by curl alone: handed on as they come, sent back by Nginx itself."""

import asyncio
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from models import connected
from settings import Settings
from tests.commands.instances import until
from tests.content.pictures import opened, picture
from tests.harness import people as everybody
from tests.harness.servers import Databases
from tests.harness.site import Site, run_site

MEGABYTE = 1 << 20
LARGEST = 1100 * MEGABYTE


class Curl(NamedTuple):
    """A member with a token and a folder."""

    site: Site
    token: str
    folder: Path

    def __call__(self, path: str, *options: str, signed_in: bool = True) -> "Got":
        url = path if path.startswith("http") else self.site.url + path
        by = ("-H", f"Authorization: Bearer {self.token}") if signed_in else ()
        done = subprocess.run(
            ["curl", "-sS", "-i", "--max-time", "120", *by, *options, url],
            capture_output=True,
            check=True,
            cwd=self.folder,
        )
        answers = done.stdout
        while True:  # what comes before the last answer: 100 Continue
            head, _, body = answers.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 100"):
                break
            answers = body
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        return Got(int(lines[0].split()[1]), headers, body)

    @property
    def incoming(self) -> list[Path]:
        return list((self.site.settings.var / "files" / "incoming").glob("*"))


class Got(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def _token(settings: Settings) -> str:
    async with connected(settings) as models:
        bob = (await everybody.find(models)).bob
        secret = await models.sessions.start(bob.id, days=1, ip=b"\x7f\0\0\1", user_agent="tests")
        session = await models.sessions.by_token(secret)
        assert session
        return (await models.tokens.create("curl", ["read", "write"], days=None, by=bob, session=session))[1]


@pytest.fixture(scope="module")
def curl(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Curl]:
    with run_site(databases, max_upload=LARGEST, uploads_per_minute=1000) as site:
        yield Curl(site, asyncio.run(_token(site.settings)), tmp_path_factory.mktemp("curl"))


def written(curl: Curl, name: str, data: bytes) -> str:
    (curl.folder / name).write_bytes(data)
    return f"file=@{name}"


def test_curl_alone_sends_a_picture_makes_it_small_shows_and_deletes_it(curl: Curl) -> None:
    sent = curl("/j", "-F", written(curl, "猫.png", picture(600, 400)))
    told, name = sent.json, sent.json["url"].rpartition("/")[2]
    small = curl(f"/r/{name}?w=60&h=60").body.decode()
    lead = curl(told["short_url"], signed_in=False)

    assert (sent.status, told["origin_filename"], told["width"]) == (200, "猫.png", 600)
    assert curl(told["url"], signed_in=False).body == picture(600, 400)
    assert opened(curl(small, signed_in=False).body).size == (60, 60)
    assert (lead.status, lead.headers["location"]) == (302, f"/p/{name}")
    assert curl(f"/api/v1/files/{name}", "-X", "DELETE").status == 204
    assert [curl(f"/{letter}/{name}", signed_in=False).status for letter in "idp"] == [404] * 3
    assert curl(small, signed_in=False).status == 404


def test_nginx_sends_the_bytes_and_says_what_the_web_process_said(curl: Curl) -> None:
    digits = bytes(range(48, 58)) * 1000
    url = curl("/j", "-F", written(curl, "digits.txt", digits)).json["url"]
    whole, part = curl(url, signed_in=False), curl(url, "-H", "Range: bytes=5-9", signed_in=False)
    head, saved = curl(url, "-I", signed_in=False), curl(url.replace("/i/", "/d/"), signed_in=False)
    beyond = curl(url, "-H", "Range: bytes=10000-", signed_in=False)
    etag = whole.headers["etag"]

    for answer in (whole, part, head, saved):
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "public, max-age=2592000"
        assert answer.headers["x-request-id"]
    assert whole.headers["content-disposition"] == 'inline; filename="digits.txt"'
    assert saved.headers["content-disposition"] == 'attachment; filename="digits.txt"'
    assert (whole.body, saved.body, head.headers["content-length"]) == (digits, digits, "10000")
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"56789", "bytes 5-9/10000")
    assert beyond.status == 416
    assert curl(url, "-H", f"If-None-Match: {etag}", signed_in=False).status == 304
    assert curl(url, "-H", f"If-Range: {etag}", "-H", "Range: bytes=5-9", signed_in=False).status == 206
    assert curl(url, "-H", 'If-Range: "x"', "-H", "Range: bytes=5-9", signed_in=False).status == 200
    log = curl.site.settings.var / "log" / "web.log"
    line = next(line for line in log.read_text().splitlines() if f'"request":"{whole.headers["x-request-id"]}"' in line)
    assert json.loads(line)["bytes"] == 0


def test_where_the_bytes_lie_is_no_address(curl: Curl) -> None:
    sha256 = curl("/api/v1/files", "-F", written(curl, "lies.txt", b"here it lies")).json["sha256"]
    path = f"/-/files/{sha256[:2]}/{sha256[2:]}"

    assert (curl.site.settings.var / "files" / sha256[:2] / sha256[2:]).is_file()
    for asked in (path, "/-/files/", "/-/files/incoming/", f"/-/files/../files{path[8:]}"):
        answer = curl(asked, signed_in=False)
        assert answer.status == 404
        assert b"here it lies" not in answer.body


def test_who_says_that_he_can_send_the_bytes_is_not_believed(curl: Curl) -> None:
    url = curl("/j", "-F", written(curl, "a.txt", b"these words")).json["url"]

    for header in ("X-Plaza-Sends: no", "X-Plaza-Sends;", "X-Accel-Redirect: /-/files/"):
        answer = curl(url, "-H", header, signed_in=False)
        assert answer.body == b"these words"
        assert "x-accel-redirect" not in answer.headers


@pytest.mark.parametrize("more", [(), ("-H", "Expect:"), ("-H", "Transfer-Encoding: chunked")])
def test_who_is_refused_sees_why_however_much_he_wants_to_send(curl: Curl, more: tuple[str, ...]) -> None:
    large = written(curl, "large", bytes(64 * MEGABYTE))
    stranger = curl("/j", "-F", large, *more, signed_in=False)
    two = curl("/j", "-F", written(curl, "small", b"words"), "-F", large, *more)

    assert (stranger.status, stranger.json["status"]) == (401, 401)
    assert (two.status, two.json["errors"]) == (422, {"file": "Send one file at a time."})
    until(lambda: not curl.incoming)


def test_what_is_too_large_is_told_in_the_askers_own_way(curl: Curl) -> None:
    with (curl.folder / "huge").open("wb") as huge:
        huge.truncate(LARGEST + MEGABYTE)
    program = curl("/files", "-F", "file=@huge")
    person = curl("/files", "-F", "file=@huge", "-H", "Accept: text/html", "-H", "Accept-Language: zh")

    assert (program.status, program.json["error"]) == (413, "body:too_large")
    assert person.status == 413
    assert "内容过大" in person.body.decode()


def test_what_is_cut_off_leaves_nothing(curl: Curl) -> None:
    (curl.folder / "slow").write_bytes(bytes(8 * MEGABYTE))
    command = ["curl", "-s", "--limit-rate", "200K", "-F", "file=@slow", "-H", f"Authorization: Bearer {curl.token}"]
    with subprocess.Popen([*command, curl.site.url + "/j"], cwd=curl.folder) as sending:
        until(lambda: len(curl.incoming) == 1, 10)
        sending.kill()

    until(lambda: not curl.incoming, 10)


@contextmanager
def memory(site: Site) -> Iterator[dict[int, int]]:
    """How much more each process of Nginx and the web process take at most while the block lasts, in MB."""
    master = int((site.settings.run / "nginx.pid").read_text())
    pids = [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]
    web = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-f", "plaza web"], capture_output=True, text=True, check=True
    )
    before = {pid: _taken(pid) for pid in (*pids, *map(int, web.stdout.split()))}
    growth, stop = dict.fromkeys(before, 0), threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            for pid, start in before.items():
                growth[pid] = max(growth[pid], (_taken(pid) - start) // 1024)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield growth
    finally:
        stop.set()
        watching.join()


def _taken(pid: int) -> int:
    found = re.search(r"VmRSS:\s+([0-9]+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


@pytest.mark.parametrize("megabytes", [128, pytest.param(1024, marks=pytest.mark.long)])
def test_a_large_file_goes_through_in_constant_memory(curl: Curl, megabytes: int) -> None:
    curl("/j", "-F", written(curl, "first.txt", b"whatever is loaded at the first file"))
    with (curl.folder / "large").open("wb") as large:
        large.truncate(megabytes * MEGABYTE)
    with memory(curl.site) as growth:
        began = time.monotonic()
        sent = curl("/j", "-F", "file=@large")
        got = subprocess.run(
            ["curl", "-s", "-o", "got", "-w", "%{size_download}", sent.json["url"]], cwd=curl.folder, capture_output=True,
            check=True,
        )  # fmt: skip
        print(f"{megabytes} MB there and back in {time.monotonic() - began:.1f} s")

    assert int(got.stdout) == megabytes * MEGABYTE
    assert len(growth) >= 2
    assert max(growth.values()) < 50, growth
    assert not list((curl.site.settings.var / "nginx" / "body").rglob("*0*"))
