"""Posts: whatever is written, every list shows it, every number is exact, and two editors do not overwrite each other."""

import asyncio
import random
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from models import Models
from models.check import check
from models.errors import Forbidden, Invalid, NotFound, Stale
from models.imports import Imported
from models.posts import PER_PAGE, Post
from models.users import User
from models.writing import Draft, update
from tests.harness.counting import Counted
from tests.harness.people import People


def draft(title: str = "A title", *, tags: tuple[str, ...] = (), md: str = "Some words.") -> Draft:
    return Draft(title, "", md, tags)


async def published(models: Models, by: User, title: str = "A title", *, tags: tuple[str, ...] = ()) -> Post:
    return await models.writing.create(draft(title, tags=tags), by=by, publish=True)


async def counts(models: Models, author: User, *tags: str) -> list[int]:
    """The site's, the author's, and each tag's number of posts, as readers are told."""
    front, own = await models.posts.front(1), await models.posts.by_author(author.id, 1)
    return [front.item_count, own.item_count, *[(await models.posts.tagged(tag, 1)).item_count for tag in tags]]


async def test_a_draft_is_in_no_list(models: Models, people: People) -> None:
    post = await models.writing.create(draft(tags=("t",)), by=people.alice)

    assert await counts(models, people.alice, "t") == [0, 0, 0]
    assert await models.posts.months() == []
    with pytest.raises(NotFound):
        await models.posts.published(post.id)


async def test_publishing_taking_back_trashing_and_restoring_keep_every_number_exact(
    models: Models, people: People
) -> None:
    post = await models.writing.create(draft(tags=("t", "u")), by=people.alice)
    await models.publishing.publish(post.id, by=people.alice)
    assert await counts(models, people.alice, "t", "u") == [1, 1, 1, 1]
    first_date = (await models.posts.one(post.id)).published_at
    await models.publishing.publish(post.id, by=people.alice)
    assert await counts(models, people.alice, "t", "u") == [1, 1, 1, 1]
    await models.publishing.unpublish(post.id, by=people.alice)
    assert await counts(models, people.alice, "t", "u") == [0, 0, 0, 0]
    await models.publishing.publish(post.id, by=people.alice)
    assert (await models.posts.one(post.id)).published_at == first_date
    await models.publishing.trash(post.id, by=people.alice)
    assert await counts(models, people.alice, "t", "u") == [0, 0, 0, 0]
    await models.publishing.trash(post.id, by=people.alice)
    restored = await models.publishing.restore(post.id, by=people.alice)

    assert restored.status == "draft"
    assert await counts(models, people.alice, "t", "u") == [0, 0, 0, 0]


async def test_a_post_in_the_trash_is_restored_before_anything_else(models: Models, people: People) -> None:
    post = await published(models, people.alice)
    with pytest.raises(Invalid):
        await models.publishing.restore(post.id, by=people.alice)
    await models.publishing.trash(post.id, by=people.alice)
    for act in (models.publishing.publish, models.publishing.unpublish):
        with pytest.raises(Invalid):
            await act(post.id, by=people.alice)


async def test_tags_changed_while_published_move_the_post_between_their_lists(models: Models, people: People) -> None:
    post = await published(models, people.alice, tags=("old", "both"))
    assert await counts(models, people.alice, "old", "both", "new") == [1, 1, 1, 1, 0]
    await models.writing.edit(post.id, draft("Another", tags=("both", "new")), by=people.olga)

    assert await counts(models, people.alice, "old", "both", "new") == [1, 1, 0, 1, 1]
    assert (await models.posts.tagged("new", 1)).items[0].title == "Another"
    assert (await models.posts.tagged("both", 1)).items[0].tags == ("both", "new")


async def test_a_change_is_seen_at_once_in_every_process(models: Models, other_models: Models, people: People) -> None:
    post = await published(models, people.alice, "Before")
    await other_models.bodies.one(post.id)
    assert (await other_models.posts.front(1)).items[0].title == "Before"
    await models.writing.edit(post.id, draft("After", md="New *words*."), by=people.alice)

    assert (await other_models.posts.front(1)).items[0].title == "After"
    assert "<em>words</em>" in (await other_models.bodies.one(post.id)).html
    assert (await other_models.posts.published(post.id)).title == "After"
    await models.publishing.trash(post.id, by=people.alice)
    assert (await other_models.posts.front(1)).items == ()
    with pytest.raises(NotFound):
        await other_models.posts.published(post.id)


async def test_of_two_editors_with_the_same_version_the_second_is_told(models: Models, people: People) -> None:
    post = await published(models, people.alice)
    edits = (
        models.writing.edit(post.id, draft(f"By {user.name}"), by=user, version=post.version)
        for user in (people.alice, people.olga)
    )
    results = await asyncio.gather(*edits, return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["Post", "Stale"]
    stale = next(result for result in results if isinstance(result, Stale))
    assert stale.version == post.version + 1


async def test_the_version_rises_by_one_with_each_write(models: Models, people: People) -> None:
    post = await models.writing.create(draft(), by=people.alice)
    for n, act in enumerate((models.publishing.publish, models.publishing.unpublish, models.publishing.trash), 2):
        assert (await act(post.id, by=people.alice)).version == n
        assert (await models.posts.one(post.id)).version == n


async def test_who_may_not_write_is_refused_inside_the_transaction(models: Models, people: People) -> None:
    post = await published(models, people.alice)
    for act in (
        models.publishing.publish,
        models.publishing.unpublish,
        models.publishing.trash,
        models.publishing.restore,
    ):
        with pytest.raises(Forbidden):
            await act(post.id, by=people.bob)
    with pytest.raises(Forbidden):
        await models.writing.create(draft(), by=people.bob)
    with pytest.raises(Forbidden):
        await models.writing.edit(post.id, draft("Mine"), by=people.bob)

    assert await models.posts.one(post.id) == post


async def test_rights_are_those_in_mysql_now_not_those_the_caller_knew(models: Models, people: People) -> None:
    await models.users.set_active(people.alice.id, False)
    with pytest.raises(Forbidden):
        await models.writing.create(draft(), by=people.alice)

    assert await counts(models, people.alice) == [0, 0]


async def test_all_that_is_wrong_is_told_at_once(models: Models, people: People) -> None:
    wrong = Draft(" ", "s" * 401, " \n", tuple(f"t{n}" for n in range(11)))
    with pytest.raises(Invalid) as refused:
        await models.writing.create(wrong, by=people.alice)

    assert set(refused.value.fields) == {"title", "summary", "body", "tags"}


async def test_page_n_walks_the_days_and_every_post_stands_on_exactly_one_page(models: Models, people: People) -> None:
    noon = datetime(2024, 3, 10, 12, tzinfo=UTC)
    ages = [0] * 13 + [1] * 9 + [2] + [40] * 12  # 35 posts on four days: days that fill pages, and share them
    for n, age in enumerate(ages):
        at = noon - timedelta(days=age, seconds=n)
        await models.imports.post(Imported(f"{n}.md", f"Post {n}", "", "Words.", ("all",), "Alice", None, at, (), ""))
    author = await models.users.import_author("Alice")
    wanted = [f"Post {n}" for n in range(35)]

    for read in (
        models.posts.front,
        lambda n: models.posts.by_author(author.id, n),
        lambda n: models.posts.tagged("all", n),
    ):
        pages = [await read(n) for n in range(1, 6)]
        titles = [post.title for page in pages for post in page.items]
        assert titles == wanted
        assert [len(page.items) for page in pages] == [PER_PAGE, PER_PAGE, PER_PAGE, 5, 0]
        assert {(page.page_count, page.item_count) for page in pages} == {(4, 35)}
        assert [page.has_next for page in pages] == [True, True, True, False, False]
    assert await models.posts.months() == [(date(2024, 3, 1), 23), (date(2024, 1, 1), 12)]
    month, more = await models.posts.of_month(date(2024, 1, 1))
    assert [post.title for post in month] == wanted[23:]
    assert more is None


async def test_after_any_writes_in_any_order_all_numbers_agree(
    models: Models, other_models: Models, people: People
) -> None:
    choose = random.Random(20)
    posts = [await models.writing.create(draft(f"{n}"), by=people.alice) for n in range(6)]

    async def act(models: Models) -> None:
        for _ in range(25):
            id, by = choose.choice(posts).id, choose.choice((people.alice, people.olga))
            tags = tuple(choose.sample("abcd", 2))
            writes = (
                models.publishing.publish,
                models.publishing.unpublish,
                models.publishing.trash,
                models.publishing.restore,
            )
            try:
                if choose.random() < 0.3:
                    await models.writing.edit(id, draft("x", tags=tags), by=by)
                else:
                    await choose.choice(writes)(id, by=by)
            except Invalid:
                pass

    await asyncio.gather(act(models), act(other_models), act(models))

    assert await check(models.db) == []
    shown = await models.posts.front(1)
    in_mysql = await models.db.fetch(
        "SELECT id FROM posts WHERE status = 'published' ORDER BY published_at DESC, id DESC"
    )
    assert [post.id for post in shown.items] == [row[0] for row in in_mysql]
    assert shown.item_count == len(in_mysql)


async def test_check_finds_what_does_not_agree(models: Models, people: People) -> None:
    await published(models, people.alice, tags=("t",))
    async with models.db.connection() as connection:
        await connection.execute("UPDATE tallies SET n = n + 1 WHERE list = 'tag:t'")
        found = await check(models.db)
        await connection.execute("UPDATE tallies SET n = n - 1 WHERE list = 'tag:t'")

    assert len(found) == 1
    assert found[0].startswith("tallies tag:t")


async def test_the_numbers_that_all_writers_share_are_changed_last_once_and_in_one_order(
    models: Models, people: People, counted: Counted
) -> None:
    """Else one long text holds up every other post of the day, and two bulk actions deadlock."""
    ids = [(await models.writing.create(draft(tags=("t",)), by=by)).id for by in (people.ada, people.alice)]
    counted.clear()

    await models.publishing.act("publish", ids, by=people.ada)

    writes = [sql for sql in counted.statements if not sql.startswith(("SELECT", "BEGIN", "COMMIT"))]
    shared = [sql for sql in writes if "INTO tallies" in sql]
    lists = re.findall(r"\('([^']+)',", shared[0])
    assert writes[-1:] == shared  # one trip while they are held
    assert lists == sorted(lists)
    assert len(lists) == 4  # two authors, all posts, the tag


async def test_many_that_are_changed_together_are_taken_as_they_are_when_all_are_held(
    models: Models, other_models: Models, people: People
) -> None:
    """The first is free, the second is being edited: its tags must not be those from before the wait."""
    free, edited = await published(models, people.alice), await published(models, people.alice, tags=("old",))
    async with models.posts.write() as w:
        (old,) = await models.posts.locked(w, (edited.id,))
        await update(w, old, replace(old, tags=("new",)))
        waiting = asyncio.create_task(other_models.publishing.act("unpublish", [free.id, edited.id], by=people.olga))
        await asyncio.sleep(0.3)

    await waiting
    assert (await models.posts.fresh().one(edited.id)).tags == ("new",)
    assert await counts(models, people.alice, "old", "new") == [0, 0, 0, 0]
