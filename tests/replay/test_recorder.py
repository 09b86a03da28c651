"""A real site is recorded: what members do, what Nginx answers from its store, and no secret."""

import gzip
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient

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
        await bob.post("/signin", {"email": email_of("bob"), "password": PASSWORD}, headers=FORM)
        await bob.get("/account")
        await bob.get("/about")
        await bob.get("/about")

    found = tape.read()
    for one in found.requests:
        print(one)
    text = gzip.decompress(tape.path.read_bytes()).decode()
    assert PASSWORD not in text
    assert bob.cookies["plaza"] not in text
    assert "127.0.0.1" not in text
    assert len(found.requests) == 4
