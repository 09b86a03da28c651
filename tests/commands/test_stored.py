"""Which addresses Nginx stores: all public ones that are the same for everybody, with the parameters that they know."""

import inspect
import re
import socket
import subprocess
from pathlib import Path

import pytest
from tornado.web import RequestHandler

from commands import nginx
from commands.places import make_folders
from commands.stored import groups, is_stored
from handlers import routes
from handlers.keeping import Keeping
from settings import ROOT, Settings
from tests.commands.instances import free_port, until

# Public, and yet asked for anew each time: what is one reader's as well, what has no end, bytes, what is over without a write.
NOT_STORED = {
    "search", "files", "file_i", "file_d", "file_s", "file_r", "api_users", "v1_files", "v1_unknown", "api_unknown",
}  # fmt: skip


def location(path: str) -> int | None:
    """The number of the group that Nginx finds for a path; None when it is not stored."""
    for group in groups():
        if path in group.exact or (group.pattern and re.search(group.pattern, path)):
            return group.number
    return None


def test_all_that_is_public_is_stored_but_for_what_is_known_not_to_be() -> None:
    left = {
        name
        for _, handler, name in routes()
        if issubclass(handler, Keeping) and handler.public and handler.get is not RequestHandler.get
        if not is_stored(handler)
    }

    assert left == NOT_STORED


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("/", ()), ("/blog/12-a-title", ("after",)), ("/blog/12", ()), ("/polls", ("status", "after")), ("/feed.atom", ()),
        ("/boards/the-game", ("window", "n")), ("/api/v1/boards/x/players/3", ("window",)), ("/tag/news/page/2", ()),
        ("/robots.txt", ()), ("/questions", ("start", "limit")), ("/api/blogs", ("page",)), ("/blog/1-标题", ("after",)),
    ],
)  # fmt: skip
def test_a_page_has_the_parameters_of_its_handler(path: str, arguments: tuple[str, ...]) -> None:
    found = location(path)

    assert found is not None
    assert groups()[found].arguments == arguments


@pytest.mark.parametrize(
    "path",
    [
        "/search", "/signin", "/account", "/manage/", "/api/v1/me", "/healthz", "/readyz", "/metrics", "/files", "/j",
        "/nothing", "/polls/1/live", "/polls/1/ballot", "/api/users", "/api/v1/me/tokens", "/feedXatom", "/robotsxtxt",
        "/blog/1-x/y", "/static/x.css", "/unsubscribe/1-2", "/language/en",
    ],
)  # fmt: skip
def test_what_is_for_one_reader_has_no_place_in_the_store(path: str) -> None:
    assert location(path) is None


def test_what_a_stored_page_reads_of_its_query_is_declared() -> None:
    """Nginx hands on no other parameter: one that is forgotten there does nothing on the site."""
    read = re.compile(r"""(?:get_query_arguments?|query_number|_number)\("(\w+)"|(asked_window|page_asked)\(""")
    named = {"asked_window": "window", "page_asked": "page"}
    found, wrong = set(), []
    for _, handler, name in routes():
        if is_stored(handler):
            for parameter, by in read.findall(inspect.getsource(handler)):
                found.add(known := parameter or named[by])
                wrong += [f"{name}: {known}"] if known not in handler.arguments else []

    assert found >= {"after", "status", "window", "n", "page", "start"}
    assert wrong == []


@pytest.mark.parametrize(
    "choices",
    [
        {}, {"upstreams": ("10.0.0.6:9000", "[fd00::7]:9000")}, {"site_url": "https://example.org:8443"},
        {"site_url": "http://[fd00::1]:8000"}, {"page_cache": 16},
    ],
)  # fmt: skip
def test_nginx_takes_what_is_written_for_it(tmp_path: Path, choices: dict[str, object]) -> None:
    settings = Settings(var=tmp_path / "var", **choices)  # type: ignore[arg-type]
    make_folders(settings)
    nginx.render_files(settings)

    assert nginx.refusal(settings) == ""
    text = (settings.var / "etc" / "nginx.conf").read_text()
    for address in settings.upstreams:
        assert text.count(f'server "{address!s}" max_fails=0;') == 2
    assert ("web-0.sock" in text) is not bool(settings.upstreams)
    assert re.search(r"^\s*tcp_nopush off;", text, re.MULTILINE)


def test_nginx_starts_again_over_the_sockets_of_one_that_was_killed(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path / "var", port=free_port(), upstreams=(f"127.0.0.1:{free_port()}",))
    make_folders(settings)
    nginx.render_files(settings)
    pidfile = settings.run / "nginx.pid"
    command = ["/bin/sh", f"{ROOT}/deploy/nginx.sh", str(pidfile), *nginx.command(settings)]

    def started() -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)  # as Supervisor does
        until(lambda: pidfile.exists() and pidfile.read_text().strip() == str(process.pid), 30)
        return process

    first = started()
    first.kill()
    first.wait(10)
    left = (settings.run / "edge.sock").exists()
    second = started()
    try:
        with socket.socket(socket.AF_UNIX) as asker:
            asker.settimeout(20)
            asker.connect(str(settings.run / "edge.sock"))
            asker.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            answer = asker.recv(100)
    finally:
        second.terminate()
        second.wait(20)

    assert left
    assert answer.startswith(b"HTTP/1.1 503 ")  # there is no web process
