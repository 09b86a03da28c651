"""Who is let in: hosts, origins, sign-in, sessions, and where one is led afterwards."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from handlers.base import FRESH
from models import Models
from replay.plaza import Plaza
from tests.handlers.conftest import Town
from tests.harness.browser import Browser
from tests.harness.people import PASSWORD, People

WRONG = {"email": "bob@example.org", "password": "not the password"}
RIGHT = {"email": "bob@example.org", "password": PASSWORD}


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True), ({"Sec-Fetch-Site": "same-origin"}, True), ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False), ({"Sec-Fetch-Site": "same-site"}, False), ({"Sec-Fetch-Site": ""}, False),
        ({"Origin": "SAME"}, True), ({"Origin": "null"}, False), ({"Origin": ""}, False),
        ({"Origin": "http://evil.example"}, False), ({"Origin": "SAME.evil.example"}, False), ({"Origin": "SAME/path"}, False),
        ({"Origin": "http://localhost:1"}, False), ({"Origin": "http://["}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "SAME"}, False),
    ],
)  # fmt: skip
async def test_another_sites_page_cannot_change_anything(
    headers: dict[str, str], passes: bool, town: Town, alice: Browser, base_url: str
) -> None:
    sent = {name: value.replace("SAME", base_url) for name, value in headers.items()}
    for path, form in (
        (f"/blog/{town.post.id}/comments", {"body": "hello"}), (f"/manage/blogs/{town.draft.id}/publish", {}),
        (f"/api/blogs/{town.post.id}/comments", {"content": "hello"}), ("/signin", RIGHT), ("/signout", {}),
    ):  # fmt: skip
        answer = await alice.post(path, form, headers=sent)
        assert (answer.status != 403) is passes, path

    assert (await alice.request("GET", "/", headers=sent)).status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("localhost:1234", 200), ("127.0.0.1:8000", 200), ("[::1]:8000", 200), ("blog.example", 200),
        ("BLOG.example", 200), ("evil.example", 421), ("blog.example.evil.example", 421), ("localhost.evil.example", 421),
        ("blog.example:81", 421),
    ],
)  # fmt: skip
@pytest.mark.parametrize("choices", [{"site_url": "http://blog.example"}])
async def test_the_site_answers_to_its_own_name_and_to_loopback(host: str, status: int, visitor: Browser) -> None:
    for path in ("/about", "/nothing", "/api/blogs"):
        answer = await visitor.get(path, Host=host)
        assert (answer.status == 421) is (status == 421), path
        assert "evil" not in answer.location


@pytest.mark.parametrize(
    ("next", "led"),
    [
        ("/account", "/account"), ("/blog/1-x?after=3#c", "/blog/1-x?after=3#c"), ("", "/"), ("account", "/"),
        ("//evil.example", "/"), ("/\\evil.example", "/"), ("https://evil.example", "/"), ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"), ("\\\\evil.example", "/"), ("///evil.example", "/"), ("/\n/evil.example", "/"),
        ("http:evil.example", "/"), (" //evil.example", "/"),
    ],
)  # fmt: skip
async def test_signing_in_leads_to_a_page_of_ours_only(next: str, led: str, visitor: Browser) -> None:
    answer = await visitor.post("/signin", {**RIGHT, "next": next})
    choice = await visitor.get(f"/language/en?{urlencode({'next': next})}")

    assert (answer.status, answer.location) == (303, led)
    assert choice.location == led


async def test_an_unknown_address_and_a_wrong_password_get_the_same_answer_and_take_as_long(visitor: Browser) -> None:
    async def tried(email: str) -> tuple[Any, ...]:
        page = await visitor.post("/signin", {"email": email, "password": "not the password"})
        call = await visitor.post_json("/api/authenticate", {"email": email, "passwd": "not the password"})
        return page.status, page.text.replace(email, ""), call.status, call.json(), page.set_cookies, call.set_cookies

    known, unknown = await tried("bob@example.org"), await tried("eve@example.org")
    assert known == unknown
    assert known[0] == known[2] == 401

    times: dict[str, float] = {}
    for _ in range(3):
        for email in ("bob@example.org", "eve@example.org"):
            began = time.perf_counter()
            await tried(email)
            times[email] = min(times.get(email, 9.0), time.perf_counter() - began)
    assert 0.4 < times["bob@example.org"] / times["eve@example.org"] < 2.5


@pytest.mark.parametrize("choices", [{"signin_failures_account": 3, "signin_failures_address": 5}])
async def test_failed_sign_ins_are_limited_by_account_and_by_address(visitor: Browser) -> None:
    statuses = [(await visitor.post("/signin", WRONG)).status for _ in range(4)]
    right = await visitor.post("/signin", RIGHT)
    unknown = [(await visitor.post("/signin", {**WRONG, "email": "eve@example.org"})).status for _ in range(3)]
    elsewhere = await visitor.post_json("/api/authenticate", {"email": "ada@example.org", "passwd": PASSWORD})

    assert statuses == [401, 401, 401, 429]
    assert right.status == 429
    assert 0 < int(right.headers["Retry-After"]) <= 900
    assert unknown[-1] == 429
    assert elsewhere.status == 429


@pytest.mark.parametrize("choices", [{"signin_failures_account": 3}])
async def test_successes_are_not_counted(visitor: Browser) -> None:
    statuses = [(await visitor.post("/signin", RIGHT)).status for _ in range(6)]

    assert statuses == [303] * 6


@pytest.mark.parametrize("choices", [{"registrations_per_hour": 2}])
async def test_registrations_are_limited_by_address(browse: Callable[[], Browser]) -> None:
    statuses = []
    for n in range(3):
        form = {"name": f"Eve {n}", "email": f"eve{n}@example.org", "password": "a long password of mine"}
        statuses.append((await browse().post("/register", form)).status)

    assert statuses == [303, 303, 429]


async def test_all_errors_of_a_registration_are_told_at_once_and_what_was_typed_is_kept(visitor: Browser) -> None:
    answer = await visitor.post("/register", {"name": "E", "email": 'no"mail', "password": "password12"})
    taken = await visitor.post(
        "/register", {"name": "Eve", "email": "BOB@example.org", "password": "long enough for me"}
    )

    assert answer.status == 422
    assert answer.text.count('aria-invalid="true"') == 3
    assert "no&#34;mail" in answer.text
    assert "password12" not in answer.text
    assert taken.status == 409
    assert 'value="Eve"' in taken.text


@pytest.mark.parametrize(
    ("https", "name", "choices"),
    [(False, "plaza", {}), (True, "__Host-plaza", {"trusted_proxies": ("127.0.0.0/8", "::1/128")})],
)
async def test_the_session_cookie_is_out_of_scripts_reach_and_secure_over_tls(
    https: bool, name: str, visitor: Browser
) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Real-IP": "203.0.113.7"} if https else {}
    answer = await visitor.post("/signin", RIGHT, headers=headers)
    cookies = {line.partition("=")[0]: line for line in answer.set_cookies}

    assert set(cookies) == {name, "member", FRESH}
    assert {one for one in cookies if one.startswith("__")} == {
        f"__Host-{one}" for one in Plaza.host_only_cookies if https
    }
    assert ("Secure" in cookies[FRESH]) is https
    assert ("Secure" in cookies[name]) is ("Secure" in cookies["member"]) is https
    assert "HttpOnly" in cookies[name]
    assert "HttpOnly" not in cookies["member"]
    for line in cookies.values():
        assert "SameSite=Lax" in line
        assert "Path=/" in line
        assert "Domain" not in line
    assert (await visitor.request("GET", "/account", headers=headers)).status == 200


async def test_only_a_trusted_proxy_is_believed_about_address_and_scheme(visitor: Browser, models: Models) -> None:
    forged = {"X-Forwarded-Proto": "https", "X-Real-IP": "203.0.113.7", "X-Forwarded-For": "203.0.113.7"}
    answer = await visitor.post("/signin", RIGHT, headers=forged)
    rows = await models.db.fetch("SELECT last_ip FROM logins")

    assert "__Host" not in "".join(answer.set_cookies)
    assert rows[0][0] != bytes([203, 0, 113, 7])


async def test_signing_out_ends_the_session_and_takes_the_cookies_away(bob: Browser) -> None:
    token = bob.cookies["plaza"]
    await bob.post("/signout")
    assert set(bob.cookies) == {FRESH}
    bob.cookies["plaza"] = token

    assert (await bob.get("/account")).location == "/signin?next=/account"


async def test_a_new_password_ends_the_other_sessions_and_a_wrong_one_changes_nothing(
    people: People, bob: Browser, browse: Callable[[], Browser]
) -> None:
    other = await browse().sign_in(people.bob)
    refused = await bob.post("/account/password", {"current": "wrong password", "new": "another long one"})
    assert refused.status == 422
    assert (await other.get("/account")).status == 200
    changed = await bob.post("/account/password", {"current": PASSWORD, "new": "another long one"})

    assert changed.status == 303
    assert (await bob.get("/account")).status == 200
    assert (await other.get("/account")).status == 302
    assert (await browse().post("/signin", RIGHT)).status == 401
    assert (await browse().post("/signin", {**RIGHT, "password": "another long one"})).status == 303


async def test_a_session_of_somebody_else_cannot_be_revoked(
    people: People, models: Models, alice: Browser, bob: Browser
) -> None:
    hers = (await models.sessions.of_user(people.alice.id))[0]
    assert (await bob.post(f"/account/sessions/{hers.id}/revoke")).status == 404
    assert (await alice.get("/account")).status == 200


async def test_who_was_deactivated_is_nobody(people: People, models: Models, bob: Browser, visitor: Browser) -> None:
    await models.users.set_active(people.bob.id, False)

    assert (await bob.get("/account")).status == 302
    refused = await visitor.post("/signin", RIGHT)
    assert refused.status == 401
    assert "This account is not active" in refused.text
    assert refused.set_cookies == []
    wrong = await visitor.post("/signin", {**RIGHT, "password": "not this one"})
    assert "There is no account with this address and password." in wrong.text
    by_api = await visitor.post("/api/authenticate", {"email": RIGHT["email"], "passwd": RIGHT["password"]})
    assert (by_api.status, by_api.set_cookies) == (401, [])
    me = await bob.get("/api/v1/me")
    assert me.json()["user"] is None
    assert "member" not in bob.cookies


@pytest.mark.parametrize("choices", [{"registration": "closed"}])
async def test_a_closed_site_registers_nobody_but_the_invited(models: Models, visitor: Browser) -> None:
    form = {"name": "Eve", "email": "eve@example.org", "password": "a long password of mine"}
    token = await models.links.invite_admin()

    page = await visitor.get("/register")
    assert page.status == 403
    assert "takes no new members" in page.text
    assert (await visitor.post("/register", form)).status == 403
    assert (await visitor.post_json("/api/users", {**form, "passwd": form["password"]})).status == 403
    assert (await visitor.get(f"/register?invite={token}")).status == 200
    assert (await visitor.post("/register", {**form, "invite": token})).location == "/manage/"
    assert (await visitor.get(f"/register?invite={token}")).status == 404


@pytest.mark.parametrize("choices", [{"registration": "approve"}])
async def test_where_registrations_are_approved_nobody_is_signed_in_before(visitor: Browser) -> None:
    form = {"name": "Eve", "email": "eve@example.org", "password": "a long password of mine"}
    answer = await visitor.post("/register", form)

    assert answer.status == 200
    assert set(visitor.cookies) == {FRESH}
    assert (await visitor.post("/signin", form)).status == 401
