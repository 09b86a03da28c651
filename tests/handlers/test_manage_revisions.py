"""A post appears when it should, and what it said before is there to be compared and gone back to."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Models
from models.imports import Imported
from tests.handlers.editing import FORM, MINE, draft, edit, form_of
from tests.harness.browser import Browser
from tests.harness.people import People


@pytest.mark.parametrize("choices", [{"time_zone": "Asia/Shanghai"}])
async def test_a_time_is_of_the_sites_zone(alice: Browser, models: Models) -> None:
    local = datetime.now(UTC) + timedelta(days=2, hours=8)

    answer = await alice.post(
        "/manage/blogs/create", {**FORM, "action": "schedule", "at": f"{local:%Y-%m-%dT%H:%M}"}, follow=True
    )

    assert "Saved and scheduled." in answer.text
    assert "Asia/Shanghai" in answer.text
    assert f'value="{local:%Y-%m-%dT%H:%M}"' in answer.text
    (post,) = await models.posts.managed(status="scheduled")
    assert post.published_at == (local - timedelta(hours=8)).replace(second=0, microsecond=0)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("", "Give a date and a time"), ("tomorrow", "Give a date and a time"), ("2020-01-01T10:00", "still to come"),
        ("2030-03-31T02:30", "does not exist"), ("2030-01-01T10:00+05:00", "Give a date and a time"),
        ("0001-01-01T00:00", "Give"), ("9999-12-31T23:59", "Give"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("choices", [{"time_zone": "Europe/Berlin"}])
async def test_a_wrong_time_saves_nothing_and_keeps_the_text(
    alice: Browser, models: Models, at: str, words: str
) -> None:
    answer = await alice.post("/manage/blogs/create", {**FORM, "body": MINE, "action": "schedule", "at": at})

    assert answer.status == 422
    assert words in answer.text
    assert form_of(answer)["body"] == MINE
    assert await models.posts.managed() == []


async def test_a_scheduled_post_keeps_its_time_when_it_is_edited(
    alice: Browser, models: Models, people: People
) -> None:
    at = datetime.now(UTC) + timedelta(days=3)
    post = await models.publishing.schedule((await draft(models, people)).id, at, by=people.alice)

    await alice.post("/manage/blogs/edit", edit(post, body=MINE))

    after = await models.posts.fresh().one(post.id)
    assert (after.status, after.published_at) == ("scheduled", post.published_at)


async def test_an_imported_posts_own_words_are_its_first_revision(
    alice: Browser, models: Models, people: People
) -> None:
    at = datetime(2020, 1, 1, tzinfo=UTC)
    await models.imports.post(Imported("a.md", "A", "", "Ruth's words.", ("x",), "Ruth", None, at, (), "a"))
    (post,) = await models.posts.managed()

    await alice.post("/manage/blogs/edit", edit(post, body=MINE))
    await models.imports.post(Imported("a.md", "A", "", "Ruth's new words.", ("x",), "Ruth", None, at, (), "a"))

    kept = [(await models.revisions.one(r.id)).md for r in await models.revisions.of_post(post.id)]
    assert kept == ["Ruth's new words.", MINE, "Ruth's words."]


async def test_a_revision_shows_what_it_changed_and_is_restored(alice: Browser, models: Models, people: People) -> None:
    post = await draft(models, people, body="First words.")
    await alice.post("/manage/blogs/edit", edit(post, title="Old", summary="S", body="Second words."))
    newest, first = await models.revisions.of_post(post.id)

    listed = await alice.get(f"/manage/blogs/revisions?id={post.id}")
    changed = await alice.get(f"/manage/blogs/revision?id={newest.id}")
    since = await alice.get(f"/manage/blogs/revision?id={first.id}&to=now")
    restored = await alice.post("/manage/blogs/revision", {"id": str(first.id)}, follow=True)

    assert listed.text.count("What it changed") == 2
    assert "<del>First</del> words." in changed.text
    assert "<ins>Second</ins> words." in since.text
    assert "Removed:" in changed.text, "readable without colour"
    assert form_of(restored)["body"] == "First words."
    assert len(await models.revisions.of_post(post.id)) == 3


async def test_a_draft_is_seen_by_editors_alone(visitor: Browser, bob: Browser, models: Models, people: People) -> None:
    post = await draft(models, people, body=MINE)
    for browser in (visitor, bob):
        for path in (
            f"edit?id={post.id}",
            f"revisions?id={post.id}",
            f"revision?id={post.id}",
            f"preview?id={post.id}",
        ):
            assert MINE not in (await browser.get(f"/manage/blogs/{path}", follow=True)).text
