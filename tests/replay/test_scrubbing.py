"""What is left of secrets in a record file is found, told by its line and kind, and taken out."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from commands.replaying import scrub
from replay import reading
from replay.records import Header, Request
from replay.scrubbing import left, scrubbed
from replay.writing import writing
from tests.replay.hush import FORM, JSON, JWT, PARTS, PRIVATE, SESSION, SITE, TOKEN, redactor, request

MISTAKEN = [
    (FORM, b'{"email": "bob@example.org", "password": "hush hush"}'), ("", b'{"password": "hush"}'), ("", b"password=hush"),
    ("text/plain", b'{"password": {"v": "hush"}}'), (JSON, b"email=a&password=hush"),
    (JSON, '{"password": "hush"}'.encode("utf-16")),
    (FORM, b"name=J\xfcrgen&password=hush"), (JSON, b'{"password": "hu\\"sh hush", }'), (JSON, b'{"p\\u0061ssword": "hush"}'),
    (JSON, b'{"password": ["hush"]}'), ("text/plain", b"my 'password' : 'hush'"), ("image/png", b"\xff password=hush"),
    (PARTS, b"--xyz\r\nContent-Disposition: form-data; name=password\r\n\r\nhush\r\n--xyz--\r\n"),
    (PARTS, b'--xyz\r\nContent-Disposition: form-data; name="password"; filename=""\r\n\r\nhush\r\n--xyz--\r\n'),
    (PARTS, b'--xyz\nContent-Disposition: form-data; name="password"\n\nhush\n--xyz--\n'),
    (PARTS, b'--xyz\r\nContent-Disposition: form-data; name="password"\r\n\r\n\xffhush\r\n--xyz--\r\n'),
    (PARTS, (b'--xyz\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: application/json\r\n\r\n'
            b'{"password":"hush"}\r\n--xyz--')),
    ("multipart/form-data", b'--xyz\r\nContent-Disposition: form-data; name="password"\r\n\r\nhush\r\n--xyz--\r\n'),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "body"), MISTAKEN)
def test_a_password_is_found_in_what_is_not_what_it_is_said_to_be(kind: str, body: bytes) -> None:
    kept = redactor().body(kind, body)

    assert b"hush" not in kept.replace(b"\0", b"")
    assert not list(left(2, request("/", (("content-type", kind),), kept), SITE))


@pytest.mark.parametrize(("kind", "body"), MISTAKEN)
def test_a_check_finds_it_too(kind: str, body: bytes) -> None:
    assert list(left(2, request("/", (("content-type", kind),), body), SITE))


LEFT = [
    (request("/?email=bob%40example.org"), "address", "field email"),
    (request("/unsubscribe/7-abc"), "address", "what follows /unsubscribe/"),
    (request(headers=(("cookie", f"lang=en; plaza={SESSION}"),)), "header cookie", "cookie with its value"),
    (request(headers=(("cookie", "plaza=a"),)), "header cookie", "cookie with its value"),
    (request(headers=(("authorization", f"Bearer {TOKEN}"),)), "header authorization", "credentials"),
    (request(headers=(("x-forwarded-for", "203.0.113.9"),)), "header x-forwarded-for", "IP address"),
    (request(headers=(("referer", "http://x/?password=a"),)), "header referer", "field password"),
    (request(headers=(("content-type", FORM),), body=b"password=hush"), "body", "field password"),
    (request(headers=(("content-type", JSON),), body=b'{"a": [{"passwd": "hush"}]}'), "body", "field password"),
    (request(headers=(("content-type", JSON),), body=b'{"token": 7}'), "body", "field token"),
    (request(body=PRIVATE.encode()), "body", "private key"),
    (request(body=f"see {JWT}".encode()), "body", "JSON web token"),
    (request(headers=(("content-type", PARTS),),
             body=b'--xyz\r\nContent-Disposition: form-data; name="password"\r\n\r\nhush\r\n--xyz--'), "body", "field password"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "where", "what"), LEFT)
def test_what_is_left_is_told_by_line_and_kind_and_is_gone_after_a_scrub(told: Request, where: str, what: str) -> None:
    found = list(left(7, told, SITE))

    assert [(one.line, one.where, one.what) for one in found] == [(7, where, what)]
    again = scrubbed(told, redactor(again=True))
    assert list(left(7, again, SITE)) == []
    assert scrubbed(again, redactor(again=True)) == again


def written(path: Path, *requests: Request) -> Path:
    with writing(path, Header("c", 1, 1, "http://x")) as writer:
        for i, one in enumerate(requests):
            writer.add(replace(one, i=i))
    return path


def called(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(scrub.command, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def test_the_command_tells_the_lines_and_never_the_secrets(tmp_path: Path) -> None:
    path = written(tmp_path / "a", request("/about"), *(told for told, _, _ in LEFT))

    status, said = called(path, "--check")

    assert status == 1
    assert f"{path}:3: address: field email" in said
    assert f"{path}:2" not in said
    assert not [secret for secret in (TOKEN, SESSION, JWT, "hush", "203.0.113.9", "bob") if secret in said]


def test_the_command_writes_a_file_without_them(tmp_path: Path) -> None:
    path = written(tmp_path / "a", request("/about"), *(told for told, _, _ in LEFT))

    status, said = called(path, "--out", tmp_path / "b")

    assert (status, f"{len(LEFT)} of {len(LEFT) + 1} requests were changed" in said) == (0, True)
    assert called(tmp_path / "b", "--check")[0] == 0
    assert b"hush" not in gzip.decompress((tmp_path / "b").read_bytes())
    assert len(reading.read(tmp_path / "b").requests) == len(LEFT) + 1
    assert called(path, "--out", tmp_path / "b")[0] == 2
    assert called(path, "--out", path, "--force")[0] == 2
    assert called(path, "--out", tmp_path / "no" / "b")[0] == 2
    assert reading.read(path).requests


def test_it_wants_to_know_what_to_do_and_with_what(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("x")
    path = written(tmp_path / "a")

    assert called(path)[0] == 2
    assert called(path, "--check", "--out", tmp_path / "b")[0] == 2
    assert called(tmp_path / "none", "--check")[0] == 2
    assert called(path, "--out", tmp_path / "b", "--key", tmp_path / "none")[0] == 2
