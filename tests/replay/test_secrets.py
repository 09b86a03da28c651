"""Secrets do not reach a record file, and one secret has one placeholder wherever it stands."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.keys import keep_key, new_key, read_key
from replay.leaks import leaks
from replay.records import PLACEHOLDER, PLACEHOLDER_BYTES
from replay.scrubbing import left
from tests.replay.hush import FORM, JSON, JWT, KEY, PARTS, PRIVATE, SESSION, SITE, TOKEN, redactor, request


def placeholder(kind: str, value: str) -> str:
    return KEY.placeholder(kind, value)


EMAIL = placeholder("email", "bob@example.org")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("email", "bob.smith+tag@mail.example.org"), ("token", TOKEN), ("secret", JWT), ("secret", PRIVATE),
        ("secret", SESSION), ("secret", "$argon2id$v=19$m=65536$abc$def"), ("address", "203.0.113.9"),
        ("address", "2001:db8::17"), ("address", "2a00::1"), ("address", "2001:db8:0:1:2:3:4:5"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_found_in_any_text(kind: str, told: str) -> None:
    for text in (told, f"so {told}, you see", f"（{told}）"):
        found = leaks(text)

        assert [one.kind for one in found] == [kind], text
    assert told not in redactor().text(f"so {told}, you see")


@pytest.mark.parametrize(
    "text",
    [
        "", "Version 1.2.3 of 2024-01-01 at 12:30:45", "v1.2.3.4", "Chrome/120.0.0.0", "127.0.0.1", "::1", "a@b", "std::a<int>",
        "0123456789abcdef0123456789abcdef", "the-long-slug-of-a-post-about-nothing-in-particular-2024", "Bearer of good news",
        "你好，世界", "999.1.1.1", "12:34:56:78",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert leaks(text) == []
    assert redactor().text(text) == text


def test_one_secret_has_one_placeholder_everywhere() -> None:
    one = redactor()
    form = one.form(
        urlencode({"email": "Bob@Example.org ", "password": "hush hush hush", "body": "I am bob@example.org"})
    )
    cookie = one.header("cookie", f"plaza={SESSION}; lang=zh")
    told = json.loads(one.body(JSON, json.dumps({"email": "bob@example.org", "text": f"mine: {SESSION}"}).encode()))
    parts = one.body(
        PARTS, b'--xyz\r\nContent-Disposition: form-data; name="email"\r\n\r\nbob@example.org\r\n--xyz--\r\n'
    )

    secret = cookie.removeprefix("plaza=").removesuffix("; lang=zh")
    assert form.startswith(f"email={EMAIL}&password={placeholder('password', 'hush hush hush')}&body=")
    assert form.endswith(EMAIL)
    assert PLACEHOLDER.fullmatch(secret)
    assert told == {"email": EMAIL, "text": f"mine: {secret}"}
    assert parts.split(b"\r\n")[3] == EMAIL.encode()


def test_a_session_is_known_by_what_the_database_holds() -> None:
    digest = "8e1f5d3b0a"  # not the token: what the database has is enough to recognise it
    one = redactor()

    assert one.cookie("plaza", SESSION) == placeholder("cookie", SITE.stable_secret("cookie", SESSION))
    assert one.header("authorization", f"Bearer {TOKEN}") == (
        "Bearer " + placeholder("token", SITE.stable_secret("token", TOKEN))
    )
    assert one.header("cookie", f"__Host-plaza={SESSION}") == "plaza=" + one.cookie("plaza", SESSION)
    assert digest not in one.cookie("plaza", SESSION)


def test_only_headers_that_are_known_to_be_harmless_are_kept() -> None:
    kept = redactor().headers([
        ("Host", "example.org"), ("X-Real-IP", "203.0.113.9"), ("X-Forwarded-For", "203.0.113.9"), ("X-Api-Key", "abc"),
        ("Accept-Language", "zh"), ("User-Agent", "Mozilla/5.0 Chrome/120.0.0.0 (mailto:bob@example.org)"),
        ("Referer", "https://example.org/reset?token=abcdef"), ("Authorization", "Basic Ym9iOmh1c2g="),
        ("If-None-Match", '"AAbb0123456789AAbb0123456789AAbb0123456789"'), ("Sec-Fetch-Site", "same-origin"),
    ])  # fmt: skip

    assert dict(kept) == {
        "accept-language": "zh", "user-agent": f"Mozilla/5.0 Chrome/120.0.0.0 (mailto:{EMAIL})",
        "referer": f"https://example.org/reset?token={placeholder('token', SITE.stable_secret('token', 'abcdef'))}",
        "authorization": "Basic " + placeholder("token", SITE.stable_secret("token", "Ym9iOmh1c2g=")),
        "if-none-match": '"AAbb0123456789AAbb0123456789AAbb0123456789"', "sec-fetch-site": "same-origin",
    }  # fmt: skip


def test_addresses_keep_what_is_no_secret() -> None:
    one = redactor()

    for same in ("/", "/blog/1-a%20b?page=2&q=%E4%BD%A0", "/a?b&c=&=d", "/%ff", "//x", "/search?q=1+2"):
        assert one.target(same) == same
    assert one.target("/unsubscribe/7-abc") == f"/unsubscribe/{placeholder('secret', '7-abc')}"
    assert one.target("/user/bob%40example.org/x") == f"/user/{EMAIL}/x"
    assert one.target("/search?q=bob%40example.org+%26") == f"/search?q={EMAIL}%20%26"
    assert one.target("/register?invite=abc") == f"/register?invite={placeholder('secret', 'abc')}"


def test_what_somebody_typed_does_not_become_a_placeholder() -> None:
    one, typed = redactor(), "{{post:1}} {{email:abc}}"
    quoted = quote(typed, safe="")

    for body, kind in (
        (f"body={typed}", FORM), (f"body={quoted}", FORM), (f"body={quoted}%20bob@example.org", FORM),
        (json.dumps({"a": typed}), JSON), (f"{typed} bob@example.org", "text/plain"), (typed, JSON),
        (f'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n{typed}\r\n--xyz--', PARTS),
    ):  # fmt: skip
        found = {one[0] for one in PLACEHOLDER_BYTES.finditer(one.body(kind, body.encode()))}
        assert found <= {EMAIL.encode()}, body
    assert not PLACEHOLDER.search(one.target(f"/a?b={typed}"))
    assert not PLACEHOLDER.search(one.header("user-agent", typed))
    assert not PLACEHOLDER_BYTES.search(one.body("image/png", b"\xff{{post:1}}"))
    sent = parse_qs(one.body(FORM, f"body={quoted}".encode()).decode())["body"]
    assert sent == [typed]  # and it is what they typed, where nothing had to go


def test_files_are_kept_byte_for_byte_and_fields_beside_them_are_not() -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    body = (
        b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + png
        + b'\r\n--xyz\r\nContent-Disposition: form-data; name="password"\r\n\r\nhush\r\n--xyz--\r\n'
    )  # fmt: skip

    assert redactor().body(PARTS, body) == body.replace(b"hush", placeholder("password", "hush").encode())


def test_json_that_is_cut_off_is_not_kept_and_broken_json_hides_its_secrets() -> None:
    assert redactor().body(JSON, b'{"password": "hu', truncated=True) == b""
    broken = redactor().body(JSON, b'{"password": "hush", "Token" :"x", }')
    assert b"hush" not in broken
    assert b'"x"' not in broken
    assert redactor().body(JSON, b"[" * 100_000) == b""


def test_addresses_in_addresses_are_looked_into() -> None:
    one = redactor()

    token = placeholder("token", SITE.stable_secret("token", "abc"))
    assert one.target("/signin?next=%2Freset%3Ftoken%3Dabc") == f"/signin?next=%2Freset%3Ftoken%3D{token}"
    assert EMAIL in one.target("/signin?next=%2Fmanage%2Fusers%3Femail%3Dbob%2540example.org")
    assert one.address("http://u:p@x.org/a#token=abc") == f"http://x.org/a#token={token}"
    assert one.header("referer", "http://a\tb/x") == "http://a\tb/x"


def test_what_a_stranger_sends_does_not_poison_the_rest() -> None:
    one = redactor()
    one.form("password=1-hello-world-post-of-mine")
    one.cookies("plaza=1-hello-world-post-of-mine")

    assert one.target("/blog/1-hello-world-post-of-mine") == "/blog/1-hello-world-post-of-mine"


def test_names_are_looked_at_as_values_are() -> None:
    one = redactor()

    assert one.form("bob%40example.org=1") == f"{EMAIL}=1"
    assert json.loads(one.body(JSON, b'{"bob@example.org": 1}')) == {EMAIL: 1}
    assert PLACEHOLDER.fullmatch(one.header("cookie", "hushhush"))
    assert PLACEHOLDER.fullmatch(one.header("authorization", "hush"))
    assert PLACEHOLDER.fullmatch(one.header("authorization", "hush hush"))
    for shut in (
        one.form("{{token:abc}}=1"), one.header("if-none-match", '"{{token:abc}}"'), one.header("content-type", "{{token:abc}}"),
        one.body(JSON, b'{"{{token:abc}}": 1}').decode(), one.body(JSON, b'{"a": "\\u007b{token:abc}}"}').decode(),
    ):  # fmt: skip
        assert not PLACEHOLDER.search(shut), shut


def test_json_without_a_secret_is_kept_to_the_letter() -> None:
    body = '{ "a":1.10, "a": "你好\\u4f60" }'.encode()

    assert redactor().body(JSON, body) == body


SECRETS = st.sampled_from(["bob@example.org", TOKEN, JWT, SESSION, "203.0.113.9", "2001:db8::17"])
WORDS = st.text("abc 你好é,!(）", max_size=12)


@given(st.lists(st.tuples(WORDS, SECRETS), min_size=1, max_size=4), WORDS)
def test_no_secret_comes_through_whatever_stands_around_it(pairs: list[tuple[str, str]], end: str) -> None:
    text = "".join(f"{word} {secret} " for word, secret in pairs) + end
    one = redactor()
    bodies = [
        (one.body(FORM, urlencode({"body": text}).encode()), FORM), (one.body(JSON, json.dumps({"a": [text]}).encode()), JSON),
        (one.body("text/plain", text.encode()), "text/plain"), (one.target("/x?q=" + quote(text)).encode(), ""),
    ]  # fmt: skip

    for body, kind in bodies:
        for _, secret in pairs:
            assert secret.encode() not in body
            assert quote(secret, safe="").encode() not in body
        assert not list(left(2, request("/", (("content-type", kind),), body), SITE))


@given(st.binary(max_size=300), st.sampled_from([FORM, JSON, PARTS, "text/plain", "image/png", ""]))
def test_any_body_can_be_redacted_twice_and_the_second_time_changes_nothing(body: bytes, kind: str) -> None:
    once = redactor().body(kind, body)

    assert redactor(again=True).body(kind, once) == once


@given(st.text(max_size=60))
def test_any_address_and_header_can_be_redacted(text: str) -> None:
    one = redactor()

    for told in (
        one.target("/" + text),
        one.header("referer", text),
        one.header("cookie", text),
        one.header("user-agent", text),
    ):
        assert isinstance(told, str)


def test_a_key_is_the_owner_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "captures"
    key = new_key()
    keep_key(key, folder)

    assert read_key(folder / key.id) == key
    assert (folder / key.id).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert re.fullmatch(r"[0-9a-f]{8}", key.id)
    (folder / "other").write_text("00")
    with pytest.raises(ValueError, match="no key"):
        read_key(folder / "other")
