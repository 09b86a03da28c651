"""Comments: one level of replies, exact numbers, and who may do what to which."""

import asyncio
from typing import Any

import pytest

from cache import records
from models import Models
from models.comment_rules import LONGEST
from models.comments import BY_ID, THREADS
from models.errors import Forbidden, Invalid, NotFound
from models.posts import Post
from models.writing import Draft
from tests.harness.counting import Counted
from tests.harness.people import People


async def a_post(models: Models, people: People) -> Post:
    return await models.writing.create(Draft("Talk", "", "Words.", ()), by=people.alice, publish=True)


async def nothing() -> tuple[Any, ...]:
    return ()


async def test_50_comments_at_one_moment_are_50_comments(models: Models, other_models: Models, people: People) -> None:
    post = await a_post(models, people)
    writes = ((models, other_models)[n % 2].comments.create(post.id, f"Comment {n}", by=people.bob) for n in range(50))
    made = await asyncio.gather(*writes)
    talk = await models.comments.discussion(post.id)

    assert len({comment.id for comment in made}) == 50
    assert talk.count == len(talk.threads) == 50
    assert [thread.comment.id for thread in talk.threads] == sorted(comment.id for comment in made)
    assert (await other_models.comments.newest(5)).item_count == 50


async def test_a_comment_asks_mysql_once_and_writes_each_table_once(
    models: Models, people: People, counted: Counted
) -> None:
    post = await a_post(models, people)
    counted.clear()
    await models.comments.create(post.id, "Hello", by=people.bob)

    tables = [sql.split()[2] for sql in counted.statements[1:]]
    assert counted.statements[0].startswith("SELECT")
    assert tables == ["comments", "contributions", "terms", "tallies"]  # what all writers share comes last


async def test_words_are_read_in_one_go_and_before_the_transaction(
    models: Models, people: People, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread is waited for, and whoever waits in a transaction holds its locks."""
    asked_before: list[int] = []
    in_a_thread = asyncio.to_thread

    async def noted(*call: Any) -> Any:
        asked_before.append(len(counted.statements))
        return await in_a_thread(*call)

    monkeypatch.setattr(asyncio, "to_thread", noted)
    post = await a_post(models, people)
    comment = await models.comments.create(post.id, "Hello", by=people.bob)
    for write in (
        models.writing.create(Draft("Talk", "", "Words.", ()), by=people.alice),
        models.writing.edit(post.id, Draft("Talk", "", "Other words.", ()), by=people.alice),
        models.comments.create(post.id, "Hello again", by=people.bob),
        models.comments.edit(comment.id, "Goodbye", by=people.bob),
    ):
        counted.clear()
        asked_before.clear()
        await write
        assert asked_before == [0]


async def test_who_comments_on_a_post_waits_for_nobody_who_edits_it(
    models: Models, other_models: Models, people: People
) -> None:
    post = await a_post(models, people)
    async with models.posts.write() as w:
        await models.posts.locked(w, (post.id,))
        made = await other_models.comments.create(post.id, "Hello", by=people.bob)

    assert (await models.comments.one(made.id)).status == "shown"


async def test_who_waits_for_the_numbers_that_all_share_has_been_to_redis_already(
    models: Models, other_models: Models, people: People
) -> None:
    """Whoever holds them has nothing left to do but COMMIT."""
    post = await a_post(models, people)
    first = await models.comments.create(post.id, "First", by=people.bob)
    name = models.cache.link.full(BY_ID(first.id + 1).name)
    async with models.db.transaction() as connection:
        await connection.fetch("SELECT n FROM tallies WHERE list = 'comments' FOR UPDATE")
        writing = asyncio.create_task(other_models.comments.create(post.id, "Second", by=people.bob))
        while not (record := await models.redis.get(name)) and not writing.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await writing

    assert isinstance(record, bytes)
    assert records.kind(record) == records.TOMBSTONE


async def test_a_reply_to_a_reply_stands_beside_it(models: Models, people: People) -> None:
    post = await a_post(models, people)
    root = await models.comments.create(post.id, "Root", by=people.bob)
    reply = await models.comments.create(post.id, "Reply", by=people.alice, parent_id=root.id)
    second = await models.comments.create(post.id, "Reply to the reply", by=people.bob, parent_id=reply.id)
    talk = await models.comments.discussion(post.id)

    assert second.parent_id == root.id
    assert [comment.id for comment in talk.threads[0].replies] == [reply.id, second.id]


async def test_a_reply_to_what_is_not_there_is_refused(models: Models, people: People) -> None:
    post, elsewhere = await a_post(models, people), await a_post(models, people)
    foreign = await models.comments.create(elsewhere.id, "Elsewhere", by=people.bob)
    gone = await models.comments.create(post.id, "Gone", by=people.bob)
    await models.comments.trash(gone.id, by=people.bob)
    for parent in (foreign.id, gone.id, 10**15):
        with pytest.raises(Invalid):
            await models.comments.create(post.id, "Reply", by=people.bob, parent_id=parent)


async def test_only_published_posts_are_talked_about(models: Models, people: People) -> None:
    post = await a_post(models, people)
    await models.publishing.unpublish(post.id, by=people.alice)
    for id in (post.id, 10**15):
        with pytest.raises(NotFound):
            await models.comments.create(id, "Hello", by=people.bob)


async def test_a_deleted_comment_is_counted_no_more_and_stands_only_while_it_has_replies(
    models: Models, other_models: Models, people: People
) -> None:
    post = await a_post(models, people)
    root = await models.comments.create(post.id, "Root", by=people.bob)
    reply = await models.comments.create(post.id, "Reply", by=people.alice, parent_id=root.id)
    assert len((await other_models.comments.discussion(post.id)).threads[0].replies) == 1
    await models.comments.trash(root.id, by=people.bob)
    await models.comments.trash(root.id, by=people.bob)
    talk = await other_models.comments.discussion(post.id)
    assert [(thread.comment.status, len(thread.replies)) for thread in talk.threads] == [("trashed", 1)]
    assert talk.count == (await other_models.comments.newest(1)).item_count == 1

    await models.comments.trash(reply.id, by=people.alice)
    talk = await other_models.comments.discussion(post.id)

    assert talk.threads == ()
    assert talk.count == (await other_models.comments.newest(1)).item_count == 0


async def test_the_author_editors_and_operators_may_delete_and_the_author_alone_may_edit(
    models: Models, people: People
) -> None:
    post = await a_post(models, people)
    by_bob = [await models.comments.create(post.id, f"{n}", by=people.bob) for n in range(4)]
    by_alice = await models.comments.create(post.id, "Mine", by=people.alice)
    for comment, user in zip(by_bob, (people.bob, people.alice, people.olga, people.ada), strict=True):
        await models.comments.trash(comment.id, by=user)
    with pytest.raises(Forbidden):
        await models.comments.trash(by_alice.id, by=people.bob)
    for user in (people.bob, people.olga, people.ada):
        with pytest.raises(Forbidden):
            await models.comments.edit(by_alice.id, "Changed", by=user)
    assert (await models.comments.one(by_alice.id)).md == "Mine"
    edited = await models.comments.edit(by_alice.id, "Changed **by me**", by=people.alice)

    assert "<strong>by me</strong>" in (await models.comments.one(by_alice.id)).html
    assert edited == await models.comments.one(by_alice.id)
    with pytest.raises(NotFound):
        await models.comments.edit(by_bob[0].id, "Back again", by=people.bob)


async def test_who_was_deactivated_can_do_nothing(models: Models, people: People) -> None:
    post = await a_post(models, people)
    comment = await models.comments.create(post.id, "Hello", by=people.bob)
    await models.users.set_active(people.bob.id, False)
    for act in (
        models.comments.create(post.id, "More", by=people.bob),
        models.comments.edit(comment.id, "More", by=people.bob),
        models.comments.trash(comment.id, by=people.bob),
    ):
        with pytest.raises(Forbidden):
            await act


@pytest.mark.parametrize("text", ["", " \n\t ", "x" * (LONGEST + 1)])
async def test_an_empty_or_endless_comment_is_refused(models: Models, people: People, text: str) -> None:
    post = await a_post(models, people)
    with pytest.raises(Invalid):
        await models.comments.create(post.id, text, by=people.bob)


async def test_a_discussion_is_one_statement_and_tells_its_count_where_no_thread_is(
    models: Models, people: People, counted: Counted
) -> None:
    post = await a_post(models, people)
    root = await models.comments.create(post.id, "Root", by=people.bob)
    reply = await models.comments.create(post.id, "Reply", by=people.alice, parent_id=root.id)
    counted.clear()
    talk = await models.comments.discussion(post.id)
    asked = len(counted.statements)
    beyond = await models.comments.discussion(post.id, after=reply.id)
    listed = await models.comments.items(THREADS(post.id, 0), nothing)

    assert asked == 2  # it, and the rows
    assert [(thread.comment.id, thread.replies[0].id) for thread in talk.threads] == [(root.id, reply.id)]
    assert (talk.count, beyond.count, beyond.threads) == (2, 2, ())
    assert repr(listed) == repr((2, (root.id,), (reply.id,)))  # a sum is a decimal, and in a UNION so is all beside it


async def test_a_long_discussion_comes_in_parts_and_every_thread_stands_in_exactly_one(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.comments.PER_PART", 3)
    post = await a_post(models, people)
    made = [(await models.comments.create(post.id, f"{n}", by=people.bob)).id for n in range(8)]
    found, after, parts = [], 0, 0
    while True:
        talk = await models.comments.discussion(post.id, after=after)
        parts += 1
        assert talk.older is (parts > 1)
        found += [thread.comment.id for thread in talk.threads]
        if talk.more_after is None:
            break
        after = talk.more_after

    assert (found, parts) == (made, 3)


async def test_a_members_latest_comments_follow_every_change(models: Models, people: People) -> None:
    post = await a_post(models, people)
    first = await models.comments.create(post.id, "1", by=people.bob)
    assert [c.id for c in await models.comments.latest_of(people.bob.id)] == [first.id]
    second = await models.comments.create(post.id, "2", by=people.bob)
    assert [c.id for c in await models.comments.latest_of(people.bob.id)] == [second.id, first.id]
    await models.comments.trash(first.id, by=people.alice)

    assert [c.id for c in await models.comments.latest_of(people.bob.id)] == [second.id]
    assert [c.id for c in await models.comments.mine(people.bob.id)] == [second.id]
