"""Fields are known to hold secrets by their names, however these are spelt; what a replay needs is not taken for one."""

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from sentry_sdk.scrubber import DEFAULT_DENYLIST

from handlers.inputs import Input
from replay.records import PLACEHOLDER
from replay.scrubbing import left
from replay.secret_names import LONGEST, kind_of
from settings import ROOT
from tests.replay.hush import FORM, JSON, PARTS, SITE, redactor, request

SECRET = [
    "newPassword", "accessToken", "pwd", "PHPSESSID", "csrfToken", "user[password]", "password2", "new_password_confirm",
    "newPasswordConfirmation", "api-key", "APIKey", "my_token", "sid", "Passwd", "session_id", "JSESSIONID", "ASP.NET_SessionId",
    "auth", "oldPin2", "otp", "user.passphrase", "deviceTokens[]", "passwords[0]", "clientSecret", "__RequestVerificationToken",
    "authenticity_token", "X-Amz-Signature", "authCode", "card_number", "cvv2", "pwd_md5", "mysqlpwd",
    "用户密码", "a" * 200 + "_pwd",
]  # fmt: skip
PLAIN = [
    "token_name", "token_days", "compass", "spin", "author", "authors", "authority", "passenger", "pinned", "pinterest", "key",
    "id", "keyboard", "secretary", "tokenize", "max_tokens", "sideBar", "residence", "cookies", "code", "session_count",
    "password_hint", "grant_type", "text", "new_name", "isNew", "", "_", "7", "bypass", "design", "assign", "opinion", "captcha",
]  # fmt: skip
ELSEWHERE = {"symfony", "x_forwarded_for"}  # a cookie of a server, and an address, which is known by what it looks like


@pytest.mark.parametrize("name", SECRET)
def test_what_a_secret_field_holds_is_taken_out_and_a_check_finds_it(name: str) -> None:
    form, told = f"{quote(name)}=hush", json.dumps({name: "hush"})
    part = f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nhush\r\n--xyz--'

    for kind, body in ((FORM, form), (JSON, told), ("text/plain", told), (PARTS, part)):
        assert b"hush" not in redactor().body(kind, body.encode()), kind
        assert list(left(2, request("/", (("content-type", kind),), body.encode()), SITE)), kind
    for target in (f"/a?{form}", f"/a?b=c&{form}&d", f"/a#{form}", f"/a;{form}/b?c=d"):
        assert PLACEHOLDER.search(redactor().target(target)), target
        assert "hush" not in redactor().target(target), target
        assert list(left(2, request(target), SITE)), target


@pytest.mark.parametrize("name", PLAIN)
def test_what_only_sounds_like_it_stays(name: str) -> None:
    told = json.dumps({name: "north"})

    assert redactor().form(f"{quote(name)}=north") == f"{quote(name)}=north"
    assert redactor().target(f"/a;{quote(name)}=north") == f"/a;{quote(name)}=north"
    assert redactor().body(JSON, told.encode()) == told.encode()


@pytest.mark.parametrize("name", sorted(set(DEFAULT_DENYLIST) - ELSEWHERE))
def test_what_sentry_takes_out_is_taken_out(name: str) -> None:
    assert kind_of(name, SITE)


def test_one_word_however_it_is_spelt_is_one_kind() -> None:
    kinds = {
        name: kind_of(name, SITE)
        for name in ("newPassword", "new-password", "NEW_PASSWORD", "accessToken", "access.token")
    }

    assert kinds == dict.fromkeys(kinds, "password") | {"accessToken": "token", "access.token": "token"}


def test_of_a_name_without_an_end_the_end_counts() -> None:
    assert kind_of("x" * 10_000_000 + "Password", SITE)
    assert not kind_of("password" + "x" * LONGEST, SITE)


def test_of_plaza_s_own_fields_no_other_is_taken_for_a_secret() -> None:
    """What is taken out has to be prepared, or its request is not sent again."""
    names = {name for one in inputs(Input) for name in one.model_fields}
    for folder, pattern in (("templates", r'name="([a-z_]+)"'), ("handlers", r'arguments?\("([a-z_]+)"')):
        for file in (ROOT / folder).rglob("*.*"):
            names.update(re.findall(pattern, file.read_text()) if file.suffix in (".html", ".py") else ())

    assert {"parent_id", "token_name", "choices", "key"} <= names
    assert {name for name in names if kind_of(name, SITE)} == {"email", "invite", "password", "stamp", "token"}


def inputs(base: type[Input]) -> Iterator[type[Input]]:
    for one in base.__subclasses__():
        yield one
        yield from inputs(one)
