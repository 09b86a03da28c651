"""A real site behind its Nginx is recorded: what members do, what Nginx answers from its store, and no secret."""

import asyncio
import gzip
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient

from tests.cache.steps import until_answers
from tests.handlers.edge import cache
from tests.harness.browser import Browser
from tests.harness.people import PASSWORD, email_of
from tests.harness.site import Site
from tests.replay.taping import taping

FORM = {"Sec-Fetch-Site": "same-origin"}


async def test_members_are_recorded_without_their_secrets(
    whole_site: Site, http_client: AsyncHTTPClient, tmp_path: Path
) -> None:
    bob = Browser(http_client, whole_site.url)

    async with taping(whole_site.settings, tmp_path / "a") as tape:
        await bob.post(
            "/signin", {"email": email_of("bob"), "password": PASSWORD}, headers=FORM | {"Origin": whole_site.url}
        )
        await bob.get("/account")

    signed_in, account = tape.read().requests
    text = gzip.decompress(tape.path.read_bytes()).decode()
    assert not [secret for secret in (PASSWORD, bob.cookies["plaza"], "127.0.0.1", email_of("bob")) if secret in text]
    (made,) = signed_in.answer.made
    assert (made.kind, made.pointer) == ("cookie", "cookie:plaza")
    assert made.placeholder in dict(account.headers)["cookie"]
    assert (account.session, account.k, account.after) == (signed_in.session, 1, signed_in.i)
    assert dict(signed_in.headers)["origin"] == whole_site.settings.site_url


async def test_what_nginx_answers_from_its_store_stands_in_its_place(
    whole_site: Site, http_client: AsyncHTTPClient, tmp_path: Path
) -> None:
    visitor, other = Browser(http_client, whole_site.url), Browser(http_client, whole_site.url)
    other.headers["User-Agent"] = "another program"

    async def stored() -> bool:
        return cache(await other.get("/boards")) == "HIT"

    async with taping(whole_site.settings, tmp_path / "a") as tape:
        await until_answers(stored)
        await visitor.get("/signin")
        await visitor.get("/boards")
        await asyncio.sleep(0.01)  # the log is exact to a millisecond
        await visitor.get("/signin?next=/boards")

    mine = [one for one in tape.read().requests if dict(one.headers)["user-agent"] != "another program"]
    assert [(one.target, one.k, one.answer.level) for one in mine] == [
        ("/signin", 0, ""), ("/boards", 1, "HIT"), ("/signin?next=/boards", 2, "")
    ]  # fmt: skip
    assert mine[1].after == mine[0].i
    assert len({one.session for one in tape.read().requests}) == 2
    assert not tape.dropped
