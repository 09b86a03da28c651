"""Polls managed many at once: who may, what stays as it was, what an undo takes back; and the list that editors look at."""

import pytest

from models import Models, audit
from models.errors import Forbidden, Invalid, NotFound
from models.managing_polls import ACTIONS, Filter
from models.poll_rules import NewPoll
from models.sheets import Place
from tests.harness.people import People
from tests.models.poll_making import colours, in_hours, set_clock


async def test_rights_are_asked_for_in_the_transaction(models: Models, people: People) -> None:
    poll = await colours(models, people)
    for action in ACTIONS:
        with pytest.raises(Forbidden):
            await models.poll_managing.act(action, [poll.id], by=people.bob)
    done = await models.poll_managing.act("trash", [poll.id], by=people.alice)
    await models.rights.set_roles(people.alice.id, [], by=people.ada)

    with pytest.raises(Forbidden):
        await models.poll_managing.undo(done.batch, by=people.alice)


async def test_what_does_not_apply_is_left_and_not_undone(models: Models, people: People) -> None:
    first, second = [await colours(models, people, closes_at=in_hours(5)) for _ in range(2)]
    later = await colours(models, people, opens_at=in_hours(1))
    await models.polls.close(first.id, by=people.alice)
    done = await models.poll_managing.act("close", [second.id, later.id, first.id, second.id], by=people.alice)
    back = await models.poll_managing.undo(done.batch, by=people.alice)

    assert ([poll.id for poll in done.polls], done.left) == ([second.id], (first.id, later.id))
    assert [(poll.id, poll.status, poll.closes_at) for poll in back.polls] == [(second.id, "open", second.closes_at)]
    assert await models.polls.one(second.id) == back.polls[0] == await models.polls.fresh().one(second.id)
    with pytest.raises(NotFound):
        await models.poll_managing.undo(done.batch, by=people.alice)
    log = [entry.action for entry in await audit.entries(models.db, target=f"poll {second.id}")]
    assert log[::-1] == ["poll.create", "poll.close", "poll.undo"]


async def test_an_undo_leaves_what_has_changed_since_and_gives_back_what_the_time_allows(
    models: Models, people: People
) -> None:
    changed, over, later = [await colours(models, people, closes_at=in_hours(5)) for _ in range(3)]
    assert over.closes_at
    done = await models.poll_managing.act("trash", [changed.id, over.id, later.id], by=people.alice)
    await models.polls.restore(changed.id, by=people.alice)
    async with models.db.connection() as connection:  # as if ten hours had passed for one of them
        await connection.execute(
            "UPDATE batches SET entries = REPLACE(entries, %s, %s)",
            f"{over.id}, 2, \"open {over.closes_at.date()}", f"{over.id}, 2, \"open 2000-01-01",
        )  # fmt: skip
    back = await models.poll_managing.undo(done.batch, by=people.alice)

    assert ([(poll.id, poll.status) for poll in back.polls], back.left) == (
        [(over.id, "closed"), (later.id, "open")], (changed.id,)
    )  # fmt: skip
    again = await models.poll_managing.act("restore", [changed.id], by=people.alice)
    assert (again.polls, again.left, again.batch) == ((), (changed.id,), 0)


async def test_an_undone_restore_lies_in_the_trash_again(models: Models, people: People) -> None:
    poll = await models.polls.trash((await colours(models, people)).id, by=people.alice)
    done = await models.poll_managing.act("restore", [poll.id], by=people.alice)

    assert (await models.poll_managing.undo(done.batch, by=people.alice)).polls[0].status == "trashed"
    assert await models.polls.open() == []


async def test_closing_what_is_over_does_not_move_its_end(models: Models, people: People) -> None:
    """The worker marks the end a moment after it; until then the poll is open by its row."""
    one, many = [await colours(models, people, closes_at=in_hours(1)) for _ in range(2)]
    for poll in (one, many):
        await set_clock(models, poll, closes=-0.1)
    ends = [(await models.polls.fresh().one(poll.id)).closes_at for poll in (one, many)]
    (closed,) = (await models.poll_managing.act("close", [many.id], by=people.alice)).polls
    alone = await models.polls.close(one.id, by=people.alice)

    assert [(poll.status, poll.closes_at) for poll in (alone, closed)] == [("closed", end) for end in ends]


async def test_too_many_or_none_that_is_there(models: Models, people: People) -> None:
    with pytest.raises(Invalid):
        await models.poll_managing.act("close", list(range(101)), by=people.alice)
    with pytest.raises(NotFound):
        await models.poll_managing.act("close", [10**9], by=people.alice)
    assert (await models.poll_managing.act("close", [], by=people.alice)).batch == 0


async def test_editors_find_polls_by_status_author_and_words(models: Models, people: People) -> None:
    async def found(wanted: Filter) -> tuple[list[int], int | None]:
        sheet = await models.poll_managing.sheet(wanted)
        return [poll.id for poll in sheet.items], sheet.count

    later, opened = await colours(models, people, opens_at=in_hours(1)), await colours(models, people)
    closed = await models.polls.close((await colours(models, people)).id, by=people.alice)
    gone = await models.polls.trash((await colours(models, people)).id, by=people.alice)
    olgas = await models.polls.create(NewPoll("Why?", ("Because", "So")), by=people.olga)

    assert await found(Filter()) == ([olgas.id, closed.id, opened.id, later.id], 4)
    assert await found(Filter(("trashed",))) == ([gone.id], 1)
    assert await found(Filter(("scheduled", "closed"))) == ([closed.id, later.id], 2)
    assert await found(Filter(author_id=people.olga.id)) == ([olgas.id], 1)
    assert await found(Filter(ids=(opened.id, gone.id, olgas.id))) == ([olgas.id, opened.id], 2)
    assert await found(Filter(ids=(opened.id, olgas.id), author_id=people.alice.id)) == ([opened.id], 1)
    assert await found(Filter(ids=())) == ([], 0)


async def test_a_long_list_comes_in_sheets(models: Models, people: People) -> None:
    made = [(await colours(models, people)).id for _ in range(7)]
    first = await models.poll_managing.sheet(Filter(), most=3)
    second = await models.poll_managing.sheet(Filter(), Place(first.next), most=3)
    back = await models.poll_managing.sheet(Filter(), Place(second.previous, before=True), most=3)

    assert [poll.id for sheet in (first, second) for poll in sheet.items] == made[::-1][:6]
    assert back.items == first.items
    with pytest.raises(NotFound):
        await models.poll_managing.sheet(Filter(), Place("x"))
