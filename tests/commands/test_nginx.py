"""What Nginx does before a request reaches the application, and what it answers by itself."""

import gzip
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from commands.supervision import Supervisor
from tests.commands.instances import Instance, free_port, until
from tests.harness.certificates import certificate_in

GUARDS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-frame-options": "DENY",
}


@pytest.fixture
def sheet(site: Instance) -> str:
    return next(f"/static/{path.name}" for path in (site.var / "static").glob("site.*.css"))


def logged(site: Instance, path: str) -> dict[str, object]:
    """The line that Nginx wrote about that request."""
    log = site.var / "log" / "access.log"
    until(lambda: path in log.read_text())
    found: dict[str, object] = next(json.loads(line) for line in log.read_text().splitlines() if path in line)
    return found


def test_links_with_a_secret_are_logged_without_it(site: Instance) -> None:
    for path in ("/reset?token=hide-me", "/register?invite=hide-me", "/unsubscribe/1-hide-me"):
        site.get(path)
    site.get("/after-those")

    assert logged(site, "/after-those")["path"] == "/after-those"
    log = (site.var / "log" / "access.log").read_text()
    assert "hide-me" not in log
    assert '"path":"/reset"' in log


def test_static_files_stay_in_browsers_for_ever(site: Instance, sheet: str) -> None:
    answer = site.get(sheet)

    assert answer.status == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")
    assert GUARDS.items() <= answer.headers.items()


def test_static_files_are_sent_as_they_were_compressed(site: Instance, sheet: str) -> None:
    answer = site.get(sheet, {"Accept-Encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.body == (site.var / (sheet[1:] + ".gz")).read_bytes()
    assert gzip.decompress(answer.body) == (site.var / sheet[1:]).read_bytes()


def test_an_unknown_static_file_is_not_kept(site: Instance) -> None:
    answer = site.get("/static/nothing.css")

    assert answer.status == 404
    assert "immutable" not in answer.headers.get("cache-control", "")


def test_pages_are_compressed(site: Instance) -> None:
    answer = site.get("/", {"Accept-Encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert b"<html" in gzip.decompress(answer.body)


def test_nobody_forges_an_address(site: Instance) -> None:
    site.get(
        "/healthz?forged",
        {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"},
    )

    assert logged(site, "/healthz?forged")["address"] in ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("headers", "lang"),
    [
        ({}, "en"),
        ({"Accept-Language": "zh-CN,en;q=0.5"}, "zh"),
        ({"Accept-Language": "en-GB,zh"}, "en"),
        ({"Accept-Language": "fr,zh"}, "en"),
        ({"Accept-Language": "zh", "Cookie": "lang=en"}, "en"),
        ({"Accept-Language": "en", "Cookie": "lang=zh"}, "zh"),
        ({"Accept-Language": "zh", "Cookie": "lang=klingon"}, "zh"),
    ],
)
def test_the_language_is_the_cookies_then_the_browsers(site: Instance, headers: dict[str, str], lang: str) -> None:
    assert f'lang="{"zh-CN" if lang == "zh" else "en"}"' in site.get("/", headers).text[:300]


def test_too_large_a_body_is_refused_to_people_and_programs_in_their_own_way(site: Instance) -> None:
    body = b"x" * (site.settings.max_body + 1)
    person = site.ask("POST", "/signin", body=body, headers={"Accept-Language": "zh"})
    program = site.ask("POST", "/api/blogs", body=body)

    assert person.status == program.status == 413
    assert "内容过大" in person.text
    assert json.loads(program.body)["error"] == "body:too_large"
    assert GUARDS.items() <= person.headers.items()
    assert site.get("/-/413.en.html").status == 404


def test_figures_are_refused_in_the_sites_own_way_behind_a_proxy_that_it_does_not_know(site: Instance) -> None:
    answer = site.get("/metrics", {"X-Forwarded-For": "203.0.113.9"})

    assert (answer.status, json.loads(answer.body)["error"]) == (403, "user:forbidden")
    assert GUARDS.items() <= answer.headers.items()


def test_too_long_an_address_and_too_many_headers_are_the_clients_mistake(site: Instance) -> None:
    assert site.get("/" + "x" * 20_000).status == 414
    assert site.get("/", {f"X-{n}": "x" * 7000 for n in range(8)}).status == 400


def test_a_coding_that_nobody_knows_is_the_clients_mistake(site: Instance) -> None:
    answer = site.ask("POST", "/signin", headers={"Transfer-Encoding": "xchunked"})

    assert answer.status == 400
    assert "cannot be understood" in answer.text


def test_a_long_address_leads_to_the_sign_in_too(site: Instance) -> None:
    assert site.get("/account?" + "x" * 4000).headers["location"].endswith("/signin")


def test_nginx_does_not_tell_its_version(site: Instance) -> None:
    assert site.get("/").headers["server"] == "nginx"


@contextmanager
def without_web(site: Instance) -> Iterator[None]:
    supervisor = Supervisor(site.settings)
    names = [f"web:{process.name}" for process in supervisor.processes() if process.group == "web"]
    for name in names:
        supervisor.stop(name)
    try:
        yield
    finally:
        for name in names:
            supervisor.start(name)
        until(lambda: site.plaza("status").returncode == 0, 60)


def test_without_a_web_process_there_is_a_calm_page(site: Instance) -> None:
    """On what is not stored; what is, Nginx gives on (tests/handlers/test_edge_written.py)."""
    with without_web(site):
        person, program = site.get("/signin"), site.get("/api/users")
        status = site.plaza("status")

    assert person.status == program.status == 503
    assert person.headers["retry-after"] == "5"
    assert "Back in a moment" in person.text
    assert person.headers["cache-control"] == "no-store"
    assert GUARDS.items() <= person.headers.items()
    assert json.loads(program.body)["error"] == "site:unavailable"
    assert status.returncode == 1
    assert "STOPPED" in status.stdout


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key, good for a day."""
    return certificate_in(tmp_path)


def test_tls_with_http2_redirect_and_hsts(fresh: Instance, certificate: tuple[Path, Path]) -> None:
    plain = free_port()
    fresh.environment |= {
        "PLAZA_TLS_CERT": str(certificate[0]),
        "PLAZA_TLS_KEY": str(certificate[1]),
        "PLAZA_HTTP_PORT": str(plain),
    }
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    trusting.set_alpn_protocols(["h2"])

    assert f"https://localhost:{fresh.port}/" in fresh.up()

    with trusting.wrap_socket(
        socket.create_connection(("localhost", fresh.port)), server_hostname="localhost"
    ) as wrapped:
        assert wrapped.selected_alpn_protocol() == "h2"
    answer = fresh.ask("GET", "/", tls=ssl.create_default_context(cafile=str(certificate[0])))
    assert answer.status == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    # Plain http, at its own port or at the one of TLS, is sent to the same place with https.
    for port in (plain, fresh.port):
        redirect = Instance(fresh.var, port).get("/about?a=b")
        assert (redirect.status, redirect.headers["location"]) == (301, f"https://localhost:{fresh.port}/about?a=b")
    assert fresh.plaza("status").returncode == 0

    old, renewed = certificate[0].read_bytes(), certificate_in(certificate[0].parent)
    assert renewed == certificate
    assert renewed[0].read_bytes() != old
    restarts = [fresh.plaza("restart").stdout for _ in range(2)]
    assert ["Nginx reads" in said for said in restarts] == [True, False]  # it has read the new one
    fresh.ask("GET", "/", tls=ssl.create_default_context(cafile=str(certificate[0])))
