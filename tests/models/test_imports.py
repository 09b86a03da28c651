"""Imported files: known again by their path, and everything of theirs kept."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from content.exports import Own
from models import Models, terms
from models.errors import NotFound
from models.imports import Imported
from tests.harness.people import People

FILE = Imported(
    "en/2015/first.md", "First", "", "Some *words*.", ("Rust", "Release Notes"), "Niko", "Niko, and Aaron",
    datetime(2015, 5, 15, 12, tzinfo=UTC), ("2015/05/15/first.html",), "",
)  # fmt: skip


async def test_the_same_file_again_changes_nothing(models: Models) -> None:
    outcomes = [await models.imports.post(FILE) for _ in range(3)]
    post = (await models.posts.front(1)).items[0]

    assert outcomes == ["created", "same", "same"]
    assert (post.version, post.byline, post.published_at) == (1, "Niko, and Aaron", FILE.published_at)
    assert post.tags == ("release-notes", "rust")


async def test_a_file_that_brings_its_number_gets_it_though_search_still_knows_of_another_that_had_it(
    models: Models,
) -> None:
    async with models.db.connection() as connection:
        await connection.execute(
            "INSERT INTO terms (kind, term, row_id, shown, weight, day) VALUES (%s, %s, 7, 1, 0, 0)",
            terms.POST,
            terms.READ,
        )
    own = Own(7, "published", FILE.published_at, FILE.published_at, FILE.published_at)

    assert await models.imports.post(replace(FILE, own=own)) == "created"
    assert (await models.posts.one(7)).title == "First"


async def test_a_changed_file_changes_its_post_and_no_other(models: Models) -> None:
    await models.imports.post(FILE)
    await models.imports.post(replace(FILE, source_path="zh/2015/first.md", aliases=()))
    moved = replace(FILE, title="中文标题", published_at=datetime(2016, 1, 1, tzinfo=UTC), tags=("rust",))
    outcome = await models.imports.post(moved)
    page = await models.posts.front(1)

    assert outcome == "changed"
    assert [(post.title, post.slug) for post in page.items] == [("中文标题", "中文标题"), ("First", "first")]
    assert (await models.posts.tagged("release-notes", 1)).item_count == 1


async def test_its_aliases_lead_to_it_and_follow_when_its_address_changes(models: Models) -> None:
    await models.imports.post(FILE)
    id = (await models.posts.front(1)).items[0].id
    assert await models.redirects.target("/2015/05/15/first.html") == f"/blog/{id}-first"
    assert await models.redirects.target("/2015/05/15/first.html") == f"/blog/{id}-first"
    await models.imports.post(replace(FILE, title="Second"))

    assert await models.redirects.target("/2015/05/15/first.html/") == f"/blog/{id}-second"
    assert await models.redirects.target("/2015") is None


async def test_its_author_is_a_user_that_nobody_can_sign_in_as(models: Models) -> None:
    await models.imports.post(FILE)
    author = await models.users.by_email("imported:niko")

    assert author is not None
    assert await models.users.bits(author) == 0
    assert await models.users.password_hash(author.email) == (author.id, None)


async def test_two_files_of_a_new_author_at_one_moment_make_one_author(models: Models) -> None:
    files = [replace(FILE, source_path=f"{n}.md", aliases=()) for n in range(6)]
    outcomes = await asyncio.gather(*(models.imports.post(file) for file in files))

    assert outcomes == ["created"] * 6
    assert len({post.author_id for post in (await models.posts.front(1)).items}) == 1


async def test_a_post_that_was_trashed_is_not_brought_back(models: Models, people: People) -> None:
    await models.imports.post(FILE)
    id = (await models.posts.front(1)).items[0].id
    await models.publishing.trash(id, by=people.alice)
    await models.imports.post(replace(FILE, md="Other words."))

    with pytest.raises(NotFound):
        await models.posts.published(id)
