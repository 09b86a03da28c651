"""What a post tells programs, in a real browser: data beside the scripts, which the policy of the pages lets be."""

import json

from tests.browser.conftest import Visit
from tests.browser.town import Town


def test_json_ld_is_read_as_data_and_never_run(visit: Visit, town: Town) -> None:
    """A violation of the policy is an error in the console, and `visit` fails a test for that."""
    page = visit()
    page.add_init_script(
        "window.broken = []; addEventListener('securitypolicyviolation', e => broken.push(e.blockedURI))"
    )

    for name, post in town.posts.items():
        if post.status == "published":
            page.goto(town.path(name))
            facts = json.loads(page.locator('script[type="application/ld+json"]').inner_text())
            assert (facts["@type"], facts["headline"]) == ("BlogPosting", post.title)
            assert page.evaluate("broken") == []


def test_the_link_in_the_footer_is_a_feed(visit: Visit, town: Town) -> None:
    page = visit()
    page.goto("/")
    link = page.get_by_role("contentinfo").get_by_role("link", name="Feed")
    answer = page.request.get(f"{town.url}{link.get_attribute('href')}")

    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert answer.text().startswith("<?xml")
