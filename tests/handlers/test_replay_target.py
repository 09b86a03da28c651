"""Only a site that says so is a replay target."""

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.harness.browser import Browser
from tests.harness.site import Site

ADDRESS = "/.well-known/replay-target"


async def test_a_usual_site_is_no_target(visitor: Browser) -> None:
    answer = await visitor.get(ADDRESS)

    assert answer.status == 404
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("choices", [{"replay_target": True}])
async def test_a_target_says_so_and_nobody_keeps_it(visitor: Browser) -> None:
    answer = await visitor.get(ADDRESS)

    assert answer.status == 200
    assert answer.json() == {"replay_target": True}
    assert "no-store" in answer.headers["Cache-Control"]


async def test_the_question_passes_nginx(whole_site: Site, http_client: AsyncHTTPClient) -> None:
    answer = await Browser(http_client, whole_site.url).get(ADDRESS)

    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("application/json")
