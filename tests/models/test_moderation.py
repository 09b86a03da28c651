"""What moderators do to comments: in bulk, with reasons, undone; and first comments that wait for them."""

from dataclasses import replace

import pytest

from models import Models, audit, moderation
from models.check import check
from models.comments import Comment
from models.errors import Forbidden, Invalid, NotFound
from models.moderation import Filter
from models.sheets import Place
from models.users import User
from models.writing import Draft
from tests.harness.people import People


async def talk(models: Models, people: People, *words: str, by: User | None = None) -> list[Comment]:
    """Comments under a new post of Alice's, by Bob if nobody is named."""
    post = await models.writing.create(Draft("A post", "", "Text.", ()), by=people.alice, publish=True)
    return [await models.comments.create(post.id, word, by=by or people.bob) for word in words]


async def shown(models: Models, post_id: int) -> list[str]:
    found = await models.comments.discussion(post_id)
    return [thread.comment.md for thread in found.threads]


async def test_held_comments_are_out_of_sight_and_out_of_the_count(models: Models, people: People) -> None:
    one, two = await talk(models, people, "one", "two")

    done = await models.moderation.act("hold", (one.id,), by=people.alice, reason=" about  the tone ")

    assert [comment.reason for comment in done.comments] == ["about the tone"]
    assert await shown(models, one.post_id) == ["two"]
    assert (await models.comments.discussion(one.post_id)).count == 1
    assert await check(models.db) == []
    assert two.status == "shown"


async def test_many_are_trashed_at_once_and_undo_makes_each_what_it_was(models: Models, people: People) -> None:
    one, two, three = await talk(models, people, "one", "two", "three")
    await models.moderation.act("hold", (two.id,), by=people.alice, reason="wait")

    done = await models.moderation.act("trash", (one.id, two.id, three.id), by=people.alice, reason="spam")
    await models.comments.discussion(one.post_id)
    back = await models.moderation.undo(done.batch, by=people.alice)

    assert {comment.id for comment in done.comments} == {one.id, two.id, three.id}
    assert [(comment.status, comment.reason) for comment in back.comments] == [
        ("shown", ""),
        ("held", "wait"),
        ("shown", ""),
    ]
    assert await shown(models, one.post_id) == ["one", "three"]
    assert await check(models.db) == []


async def test_undo_leaves_what_has_changed_since_and_works_once(models: Models, people: People) -> None:
    one, two = await talk(models, people, "one", "two")
    done = await models.moderation.act("hold", (one.id, two.id), by=people.alice)
    await models.moderation.act("trash", (two.id,), by=people.olga)

    back = await models.moderation.undo(done.batch, by=people.alice)

    assert [comment.id for comment in back.comments] == [one.id]
    assert back.left == (two.id,)
    with pytest.raises(NotFound):
        await models.moderation.undo(done.batch, by=people.alice)


async def test_an_undo_is_its_actors_own_for_ten_minutes(models: Models, people: People) -> None:
    (one,) = await talk(models, people, "one")
    done = await models.moderation.act("trash", (one.id,), by=people.alice)

    with pytest.raises(NotFound):
        await models.moderation.undo(done.batch, by=people.olga)
    async with models.db.connection() as connection:
        await connection.execute("UPDATE batches SET at = at - INTERVAL 11 MINUTE")
    with pytest.raises(NotFound):
        await models.moderation.undo(done.batch, by=people.alice)


async def test_what_an_action_does_not_apply_to_is_left(models: Models, people: People) -> None:
    one, two = await talk(models, people, "one", "two")
    await models.moderation.act("trash", (one.id,), by=people.alice)

    done = await models.moderation.act("trash", (one.id, two.id), by=people.alice)

    assert ([comment.id for comment in done.comments], done.left) == ([two.id], (one.id,))


async def test_a_member_moderates_nothing(models: Models, people: People) -> None:
    (one,) = await talk(models, people, "one")
    done = await models.moderation.act("trash", (one.id,), by=people.alice)

    for action in moderation.ACTIONS:
        with pytest.raises(Forbidden):
            await models.moderation.act(action, (one.id,), by=people.bob)
    with pytest.raises(Forbidden):
        await models.moderation.undo(done.batch, by=people.bob)


async def test_limits_are_told(models: Models, people: People) -> None:
    with pytest.raises(Invalid):
        await models.moderation.act("trash", range(1, 102), by=people.alice)
    with pytest.raises(Invalid):
        await models.moderation.act("trash", (1,), by=people.alice, reason="x" * 201)
    with pytest.raises(NotFound):
        await models.moderation.act("trash", (2**60,), by=people.alice)


async def test_every_change_is_in_the_audit_log(models: Models, people: People) -> None:
    (one,) = await talk(models, people, "one")
    await models.moderation.act("hold", (one.id,), by=people.alice, reason="why")

    (entry,) = await audit.entries(models.db, target=f"comment {one.id}")

    assert (entry.actor_id, entry.action) == (people.alice.id, "comment.hold")
    assert (entry.was, entry.became) == ({"status": "shown", "reason": ""}, {"status": "held", "reason": "why"})


async def test_a_members_first_comments_wait_until_one_is_approved(models: Models, people: People) -> None:
    await models.sites.edit({"hold_first_comments": "1"}, by=people.ada)
    first, second = await talk(models, people, "first", "second")
    (known,) = await talk(models, people, "mine", by=people.alice)

    await models.moderation.act("approve", (first.id,), by=people.alice)
    third = await models.comments.create(first.post_id, "third", by=people.bob)

    assert [first.status, second.status, third.status] == ["held", "held", "shown"]
    assert known.status == "shown"  # who may moderate is known
    assert await shown(models, first.post_id) == ["first", "third"]


async def test_without_the_setting_nothing_is_held(models: Models, people: People) -> None:
    await models.sites.edit({"hold_first_comments": "1"}, by=people.ada)
    await models.sites.edit({"hold_first_comments": "0"}, by=people.ada)

    (first,) = await talk(models, people, "first")

    assert first.status == "shown"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Filter(), ["d", "c", "b", "a"]),
        (Filter(("held",)), ["b"]),
        (Filter(author_id=-1), ["d", "c", "b"]),
        (Filter(("shown",), author_id=-1), ["d", "c"]),
        (Filter(post_id=-1), ["c", "b", "a"]),
        (Filter(("shown",), post_id=-1), ["c", "a"]),
        (Filter(post_id=-1, author_id=-1), ["c", "b"]),
        (Filter(ids=(1, 2, 4)), ["d", "b", "a"]),
        (Filter(ids=(1, 2, 4), author_id=-1, post_id=-1), ["b"]),
        (Filter(ids=()), []),
        (Filter(("trashed",), post_id=-1, author_id=-1), []),
    ],
)
async def test_the_list_holds_what_its_filters_say(
    models: Models, people: People, wanted: Filter, words: list[str]
) -> None:
    (a,) = await talk(models, people, "a", by=people.olga)
    b = await models.comments.create(a.post_id, "b", by=people.bob)
    await models.comments.create(a.post_id, "c", by=people.bob)
    await talk(models, people, "d")
    await models.moderation.act("hold", (b.id,), by=people.alice)
    wanted = replace(
        wanted,
        author_id=wanted.author_id and people.bob.id,
        post_id=wanted.post_id and a.post_id,
    )

    sheet = await models.moderation.sheet(wanted)

    assert [comment.md for comment in sheet.items] == words
    assert sheet.count in (len(words), None)


async def test_the_list_goes_on_and_comes_back(models: Models, people: People) -> None:
    await talk(models, people, *"abcde")

    first = await models.moderation.sheet(Filter(("shown",)), most=2)
    second = await models.moderation.sheet(Filter(("shown",)), Place(first.next), most=2)
    again = await models.moderation.sheet(Filter(("shown",)), Place(second.previous, before=True), most=2)

    assert [comment.md for comment in first.items] == ["e", "d"]
    assert [comment.md for comment in second.items] == ["c", "b"]
    assert again.items == first.items
