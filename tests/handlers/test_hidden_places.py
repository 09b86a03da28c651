"""What is nobody's business is not told by the way; what a page is made of cannot break it."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from models import Models
from models.errors import Invalid
from models.imports import Imported
from models.writing import Draft
from settings import Settings
from tests.handlers.conftest import Town
from tests.harness.browser import Browser
from tests.harness.people import People

DEEP = "> " * 40 + "x"  # deeper than any text may be nested


async def test_who_commented_does_not_learn_what_a_draft_is_called_now(
    town: Town, models: Models, people: People, bob: Browser
) -> None:
    await models.publishing.unpublish(town.post.id, by=people.alice)
    await models.writing.edit(town.post.id, Draft("SECRET-NAME", "", "x", ()), by=people.alice)

    account, form = await bob.get("/account"), await bob.get(f"/comments/{town.talk.id}/edit")
    gone = await bob.post(f"/comments/{town.talk.id}/delete")

    assert "Bob says" in account.text
    assert "Bob says" in form.text
    for answer in (account, form):
        assert "secret-name" not in answer.text.lower()
    assert (gone.status, gone.location) == (303, "/account")


async def test_an_invitation_is_not_told_as_where_a_request_came_from(models: Models, visitor: Browser) -> None:
    page = await visitor.get(f"/register?invite={await models.links.invite_admin()}")

    assert page.status == 200
    assert page.headers["Referrer-Policy"] == "strict-origin"


async def test_an_answer_to_no_comment_is_refused_and_kept(town: Town, bob: Browser) -> None:
    for parent in ("9" * 5000, "9" * 30, "x", "-1", "٢"):
        answer = await bob.post(f"/blog/{town.post.id}/comments", {"body": "My words", "parent_id": parent})
        assert (answer.status, "My words" in answer.text) == (422, True), parent


async def test_a_month_is_entered_only_where_its_links_lead(town: Town, visitor: Browser) -> None:
    here = f"/archive/{datetime.now(UTC):%Y-%m}"

    assert (await visitor.get(f"{here}?after=0")).status == 200
    for after in ("1", "199", "200", "1000000", "9" * 18):
        assert (await visitor.get(f"{here}?after={after}")).status == 404, after


async def test_an_old_address_in_chinese_leads_to_its_post(models: Models, visitor: Browser) -> None:
    at = datetime(2015, 5, 15, tzinfo=UTC)
    aliases = ("/旧/文章", f"/{quote('另一')}")
    await models.imports.post(Imported("a.md", "新文章", "", "x", (), "Ann", None, at, aliases, ""))
    for path in ("/旧/文章", "/旧/文章/", "/另一"):
        answer = await visitor.get(quote(path))
        assert (answer.status, answer.location) == (301, quote("/blog/1-新文章")), path


@pytest.mark.parametrize("choices", [{"about": DEEP}])
async def test_a_text_about_the_site_that_is_nested_too_deep_is_shown_as_it_is(
    visitor: Browser, settings: Settings
) -> None:
    answer = await visitor.get("/about")

    assert answer.status == 200
    assert "<pre>&gt; &gt;" in answer.text


@pytest.mark.parametrize("values", [{"about": DEEP}, {"logo": "//["}, {"logo": "https://["}])
async def test_what_would_break_pages_and_feeds_is_refused(
    models: Models, people: People, visitor: Browser, values: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refused:
        await models.sites.edit(values, by=people.ada)

    assert set(refused.value.fields) == set(values)
    assert [(await visitor.get(path)).status for path in ("/about", "/feed.atom", "/feed.json")] == [200, 200, 200]
