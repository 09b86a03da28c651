"""Programs that speak for a member: by token, in every call, and nowhere else."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from models import Models, audit
from models.tokens import SCOPES
from tests.handlers.asking import Asker
from tests.handlers.conftest import Town
from tests.harness.browser import Answer, Browser
from tests.harness.counting import Counted
from tests.harness.people import PASSWORD, People

ALL = ",".join(SCOPES)
EVIL = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


async def token(browser: Browser, scopes: str = ALL, **more: Any) -> dict[str, Any]:
    """One that its member makes by the API."""
    made = await browser.post_json("/api/v1/me/tokens", {"name": "A game", "scopes": scopes.split(","), **more})
    assert made.status == 201, made.body
    found: dict[str, Any] = made.json()
    return found


def bearer(secret: str) -> dict[str, Any]:
    return {"Authorization": f"Bearer {secret}"}


async def test_a_token_speaks_for_its_member_in_every_call(town: Town, bob: Browser, visitor: Browser) -> None:
    by = bearer((await token(bob))["token"])

    me = await visitor.get("/api/v1/me", **by)
    assert me.json()["user"]["name"] == "Bob"
    said = await visitor.post_json(f"/api/blogs/{town.post.id}/comments", {"content": "By token"}, **by)
    assert (said.status, said.json()["user_name"]) == (201, "Bob")
    gone = await visitor.post_json(f"/api/comments/{said.json()['id']}/delete", {}, **by)
    assert gone.status == 200
    assert (await visitor.post_json("/api/blogs", {"name": "N", "content": "C"}, **by)).status == 403
    assert "Set-Cookie" not in me.headers
    assert (await bob.get("/api/v1/me/tokens")).json()[0]["last_used_at"]


async def test_a_members_rights_still_decide_and_follow_them(
    models: Models, people: People, olga: Browser, visitor: Browser
) -> None:
    by = bearer((await token(olga))["token"])
    assert (await visitor.get("/api/users", **by)).status == 200
    roles = {role.name: role.id for role in await models.rights.all()}
    await models.rights.set_roles(people.olga.id, (roles["member"],), by=people.ada)
    assert (await visitor.get("/api/users", **by)).status == 403
    await models.users.set_active(people.olga.id, False)

    assert (await visitor.get("/api/v1/me", **by)).status == 401


@pytest.mark.parametrize(
    ("scope", "read", "public", "write"), [("read", 200, 200, 403), ("write", 403, 200, 201), ("scores", 403, 200, 403)]
)
async def test_a_scope_lets_in_where_it_says(
    scope: str, read: int, public: int, write: int, town: Town, olga: Browser, visitor: Browser
) -> None:
    by = bearer((await token(olga, scope))["token"])
    answers = [
        await visitor.get("/api/v1/me", **by), await visitor.get("/api/users", **by), await visitor.get("/api/blogs", **by),
        await visitor.post_json(f"/api/blogs/{town.post.id}/comments", {"content": "x"}, **by),
    ]  # fmt: skip

    assert [answer.status for answer in answers] == [read, read, public, write]
    for answer, needed in zip(answers, ("read", "read", "", "write"), strict=True):
        if answer.status == 403:
            assert answer.headers["WWW-Authenticate"] == (
                f'Bearer realm="Plaza", error="insufficient_scope", scope="{needed}"'
            )


async def test_no_token_reaches_the_account_other_tokens_or_the_manage_pages(ada: Browser, visitor: Browser) -> None:
    mine = await token(ada)
    by = bearer(mine["token"])
    for method, path in (
        ("GET", "/api/v1/me/tokens"), ("POST", "/api/v1/me/tokens"), ("GET", mine["url"]), ("DELETE", mine["url"]),
        ("GET", "/api/v1/me/sessions"), ("DELETE", "/api/v1/me/sessions/1"),
    ):  # fmt: skip
        body = b'{"name": "n", "scopes": ["read"]}' if method == "POST" else None
        answer = await visitor.request(method, path, body=body, headers={**by, "Content-Type": "application/json"})
        assert answer.status == 403, path
        assert "insufficient_scope" in answer.headers["WWW-Authenticate"]
    for path in ("/account", "/manage/", "/manage/users"):
        assert (await visitor.get(path, **by)).status == 302, path
    for path in ("/account/name", "/account/tokens", "/manage/blogs/autosave", "/manage/blogs/render"):
        assert (await visitor.post(path, {"name": "Eve"}, headers=by)).status == 401, path

    assert (await ada.get(mine["url"])).status == 200


async def test_a_token_that_was_used_before_costs_no_statement(
    bob: Browser, visitor: Browser, counted: Counted
) -> None:
    by = bearer((await token(bob))["token"])
    for _ in range(2):
        await visitor.get("/api/v1/me", **by)
    counted.clear()
    assert (await visitor.get("/api/v1/me", **by)).status == 200

    assert counted.statements == []


async def test_pages_do_not_look_at_tokens(town: Town, visitor: Browser) -> None:
    by = bearer("plz_wrong")
    for path in ("/", town.path, "/feed.atom", "/healthz", "/signin"):
        assert (await visitor.get(path, **by)).status == 200, path
    for other in ("Basic Ym9iOng=", "none", "Bearer", "Bearerplz_x"):
        assert (await visitor.get("/api/blogs", Authorization=other)).status == (401 if other == "Bearer" else 200)


async def test_a_wrong_a_revoked_and_an_expired_token_are_told_apart_from_nothing(
    models: Models, bob: Browser, visitor: Browser
) -> None:
    revoked, expired = await token(bob), await token(bob, days=1)
    assert (await bob.request("DELETE", revoked["url"])).status == 204
    async with models.tokens.write() as w:
        await w.execute("UPDATE tokens SET expires_at = '2020-01-01' WHERE id = %s", expired["id"])
        w.touch(*[models.tokens.key(row[0]) for row in await w.fetch("SELECT token_sha256 FROM tokens")])
    for wrong in ("", "plz_x", f"plz_{'x' * 43}", revoked["token"], expired["token"]):
        for path in ("/api/v1/me", "/api/blogs", "/api/v1/"):
            answer = await visitor.get(path, **bearer(wrong))
            assert answer.status == 401, (wrong, path)
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Plaza", error="invalid_token"'
            assert answer.headers["Cache-Control"] == "no-store"

    # The cookie beside it does not help: what was said to be proof must be one.
    assert (await bob.get("/api/v1/me", **bearer("plz_x"))).status == 401


@pytest.mark.parametrize("choices", [{"signin_failures_address": 3}])
async def test_wrong_tokens_are_limited_by_address_and_good_ones_never(bob: Browser, visitor: Browser) -> None:
    good = bearer((await token(bob))["token"])
    for _ in range(5):
        assert (await visitor.get("/api/v1/me", **good)).status == 200
    statuses = [(await visitor.get("/api/v1/me", **bearer(f"plz_{n}"))).status for n in range(3)]
    refused = await visitor.get("/api/v1/me", **bearer("plz_9"))

    assert statuses == [401, 401, 401]
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert (refused.headers["RateLimit-Limit"], refused.headers["RateLimit-Remaining"]) == ("3", "0")
    assert (await visitor.get("/api/v1/me", **good)).status == 200
    sign_in = {"email": "bob@example.org", "password": PASSWORD}
    assert (await visitor.post("/signin", sign_in)).status == 303


async def test_another_sites_page_is_refused_its_cookies_but_not_a_token(town: Town, bob: Browser) -> None:
    by, path = bearer((await token(bob))["token"]), f"/api/blogs/{town.post.id}/comments"

    assert (await bob.post_json(path, {"content": "x"}, **EVIL)).status == 403
    assert (await bob.post_json(path, {"content": "x"}, **EVIL, **bearer("plz_x"))).status == 401
    assert (await bob.post_json(path, {"content": "x"}, **EVIL, Authorization="Basic x")).status == 403
    assert (await bob.post_json(path, {"content": "x"}, **EVIL, **by)).status == 201
    assert (await bob.post("/account/name", {"name": "Eve"}, headers={**EVIL, **by})).status == 403


async def test_what_a_bearer_is_answered_is_kept_by_nobody(asker: Asker, town: Town, bob: Browser) -> None:
    by = f"Authorization: Bearer {(await token(bob))['token']}\r\n"
    for path in ("/api/blogs", f"/api/blogs/{town.post.id}", "/api/v1/"):
        for _ in range(4):
            answer = await asker.ask(path, by)
            assert not asker.kept
            assert b"\r\nCache-Control: private, no-store\r\n" in answer
        assert b"\r\nCache-Control: public" in await asker.until_kept(path)


async def test_tokens_are_made_listed_and_revoked_by_the_api(bob: Browser, alice: Browser, models: Models) -> None:
    made = await bob.post_json("/api/v1/me/tokens", {"name": "A  game ", "scopes": ["scores", "read"], "days": 30})
    one = made.json()
    listed = (await bob.get("/api/v1/me/tokens")).json()

    assert made.headers["Location"] == one["url"]
    assert made.headers["Cache-Control"] == "private, no-store"
    assert (one["name"], one["scopes"], one["last_used_at"]) == ("A game", ["read", "scores"], None)
    assert re.fullmatch(r"plz_[\w-]{43}", one.pop("token"), re.ASCII)
    assert listed == [one]
    assert (await bob.get(one["url"])).json() == one
    assert (await alice.get(one["url"])).status == 404
    assert (await alice.request("DELETE", one["url"])).status == 404
    gone = await bob.request("DELETE", one["url"])
    assert (gone.status, gone.body) == (204, b"")
    assert [(await who.request("DELETE", one["url"])).status for who in (bob, alice)] == [
        204,
        404,
    ]  # sent twice is as once
    assert [line.target for line in await audit.entries(models.db, action="token.revoke")] == [f"token {one['id']}"]
    assert (await bob.get("/api/v1/me/tokens")).json() == []


async def test_a_token_that_cannot_be_is_refused_by_field(bob: Browser) -> None:
    answer = await bob.post_json("/api/v1/me/tokens", {"name": "", "scopes": ["read"], "days": 0})
    assert (answer.status, set(answer.json()["errors"])) == (422, {"name", "days"})
    answer = await bob.post_json("/api/v1/me/tokens", {"name": "n", "scopes": ["admin"]})

    assert (answer.status, set(answer.json()["errors"])) == (422, {"scopes.0"})


async def test_sessions_are_listed_and_ended_by_the_api(
    bob: Browser, alice: Browser, browse: Callable[[], Browser], people: People
) -> None:
    other = await browse().sign_in(people.bob)
    here, there = sorted((await bob.get("/api/v1/me/sessions")).json(), key=lambda one: not one["current"])

    assert (here["current"], there["current"], here["ip"]) == (True, False, "127.0.0.1")
    assert (await bob.get(there["url"])).json() == there
    assert (await alice.request("DELETE", there["url"])).status == 404
    assert (await bob.request("DELETE", there["url"])).status == 204
    assert (await other.get("/account")).status == 302
    assert (await bob.request("DELETE", here["url"])).status == 204
    assert "plaza" not in bob.cookies
    assert (await bob.get("/api/v1/me/sessions")).status == 401


def shown(answer: Answer) -> str:
    """The token that the page shows."""
    found = re.search(r'value="(plz_[\w-]{43})"', answer.text)
    assert found, answer.text
    return found[1]


async def test_the_account_page_makes_shows_once_lists_and_revokes(
    models: Models, people: People, bob: Browser, visitor: Browser
) -> None:
    form = {"token_name": "My <game>", "token_scopes": "read", "token_days": "7"}
    made = await bob.post("/account/tokens", form)
    secret = shown(made)

    assert (made.status, made.headers["Cache-Control"]) == (200, "private, no-store")
    assert (await visitor.get("/api/v1/me", **bearer(secret))).json()["user"]["name"] == "Bob"
    page = (await bob.get("/account")).text
    assert "My &lt;game&gt;" in page
    assert secret not in page
    (facts,) = await models.tokens.of_user(people.bob.id)
    assert facts.expires_at
    revoked = await bob.post(f"/account/tokens/{facts.id}/revoke")
    assert revoked.location == "/account?done=token"
    assert (await visitor.get("/api/v1/me", **bearer(secret))).status == 401


async def test_a_form_that_is_refused_comes_again_with_what_was_typed(bob: Browser) -> None:
    for days in ("0", "x", "99999999", "٣"):
        answer = await bob.post("/account/tokens", {"token_name": "", "token_scopes": "scores", "token_days": days})
        assert answer.status == 422
        assert "A token&#39;s name has 1 to 60 characters." in answer.text
        assert "A token lives for 1 to 3650 days, or without end." in answer.text
        assert 'value="scores" checked' in answer.text


async def test_a_new_password_ends_all_tokens(bob: Browser, visitor: Browser) -> None:
    by = bearer((await token(bob))["token"])
    changed = await bob.post("/account/password", {"current": PASSWORD, "new": "another long password"})

    assert changed.status == 303
    assert (await visitor.get("/api/v1/me", **by)).status == 401
    assert (await bob.get("/api/v1/me/tokens")).json() == []
