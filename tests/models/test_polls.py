"""Polls as editors make and change them, and as readers find them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import Models, audit
from models.errors import Forbidden, Invalid, NotFound, Stale
from models.poll_rules import NewPoll, tidied, wrong_words
from models.polls import BY_ID
from models.results import BY_POLL
from tests.harness.people import People
from tests.models.poll_making import COLOURS, as_it_is, colours, ids, in_hours, set_clock


async def test_a_poll_is_made_by_editors(models: Models, people: People) -> None:
    poll = await models.polls.create(NewPoll("  Tea,\tor\ncoffee? ", (" Tea ", "咖啡\u2028☕")), by=people.alice)

    assert (poll.question, [choice.text for choice in poll.choices]) == ("Tea, or coffee?", ["Tea", "咖啡 ☕"])
    assert (poll.status, poll.author_id, poll.version, poll.closes_at) == ("open", people.alice.id, 1, None)
    assert poll.opens_at == poll.created_at
    assert await models.polls.seen(poll.id) == poll == await models.polls.fresh().one(poll.id)
    with pytest.raises(Forbidden):
        await models.polls.create(NewPoll("Mine?", ("Yes", "No")), by=people.bob)
    assert [entry.action for entry in await audit.entries(models.db, target=f"poll {poll.id}")] == ["poll.create"]


EMOJI = "👨‍👩‍👧 family"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"question": ""}, "question"), ({"question": "\u200b\u200d"}, "question"), ({"question": "x" * 301}, "question"),
        ({"choices": ()}, "choices"), ({"choices": ("One",)}, "choices"), ({"choices": tuple(map(str, range(21)))}, "choices"),
        ({"choices": ("Same", " same ")}, "choices"), ({"choices": ("Straße", "STRASSE")}, "choices"),
        ({"choices": ("A", " \n")}, "choices"), ({"choices": ("A", "绿" * 201)}, "choices"),
        ({"kind": "ranked"}, "kind"), ({"results": "never"}, "results"),
        ({"closes_at": datetime.now(UTC) - timedelta(seconds=1)}, "closes_at"),
        ({"opens_at": datetime(9999, 1, 1, tzinfo=UTC)}, "opens_at"), ({"closes_at": datetime(1, 1, 1, tzinfo=UTC)}, "closes_at"),
        ({"opens_at": in_hours(2), "closes_at": in_hours(1)}, "closes_at"),
        ({"opens_at": datetime(2999, 1, 1, tzinfo=UTC), "closes_at": datetime(2999, 1, 1, tzinfo=UTC)}, "closes_at"),
    ],
)  # fmt: skip
async def test_what_no_poll_can_be_is_refused(
    models: Models, people: People, fields: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await models.polls.create(NewPoll(**{"question": "Which?", "choices": COLOURS} | fields), by=people.alice)

    assert list(refused.value.fields) == [wrong]
    assert await models.polls.open() == []


async def test_what_is_wrong_is_told_at_once_and_what_is_seldom_is_not_wrong(models: Models, people: People) -> None:
    past, poll = datetime(2020, 1, 1, tzinfo=UTC), await colours(models, people)
    wrong = NewPoll("", (), "one", "no", closes_at=past)  # type: ignore[arg-type]
    for refused in (models.polls.create(wrong, by=people.alice), models.polls.edit(poll.id, wrong, by=people.alice)):
        with pytest.raises(Invalid) as told:
            await refused
        assert set(told.value.fields) == {"question", "choices", "kind", "results", "closes_at"}

    texts = (EMOJI, "绿" * 200, "می‌خواهم", "12 34", "'; DROP TABLE polls --", "a\\nb", "%s")
    new = tidied(NewPoll("?" * 300, texts))
    assert (new.choices, wrong_words(new)) == (texts, {})


async def test_any_words_come_back_as_they_were(models: Models, people: People) -> None:
    texts = (EMOJI, "绿" * 200, "12 34", "'; DROP TABLE polls --", "a\\nb", "%s", "1,2 3")
    poll = await models.polls.create(NewPoll("%s 为什么？", texts, "multiple"), by=people.alice)

    for found in (
        await models.polls.one(poll.id),
        await models.polls.one(poll.id),
        await models.polls.fresh().one(poll.id),
    ):
        assert tuple(choice.text for choice in found.choices) == texts
        assert found == poll


async def test_lists_are_newest_first_in_parts(models: Models, people: People) -> None:
    made = [await colours(models, people) for _ in range(45)]
    for poll in made[::3]:
        await models.polls.close(poll.id, by=people.alice)
    await colours(models, people, opens_at=in_hours(1))
    await models.polls.trash(made[44].id, by=people.alice)
    openly = [poll.id for n, poll in enumerate(made[:44]) if n % 3][::-1]

    first = await models.polls.open()
    second = await models.polls.open(first[-1].id)
    assert ([poll.id for poll in first], [poll.id for poll in second]) == (openly[:20], openly[20:])
    assert [poll.id for poll in await models.polls.closed()] == [poll.id for poll in made[::3]][::-1]
    assert await models.polls.closed(made[0].id) == []
    mine = await models.polls.by_author(people.alice.id)
    assert [poll.id for poll in mine] == [poll.id for poll in made[:44]][::-1][:20]
    assert {poll.status for poll in mine} == {"open", "closed"}
    assert await models.polls.by_author(people.olga.id) == []


async def test_readers_do_not_see_what_is_to_come_or_was_thrown_away(models: Models, people: People) -> None:
    later, gone = await colours(models, people, opens_at=in_hours(1)), await colours(models, people)
    await models.polls.trash(gone.id, by=people.alice)

    assert later.status == "scheduled"
    for poll in (later, gone):
        with pytest.raises(NotFound):
            await models.polls.seen(poll.id)
    assert await models.polls.open() == await models.polls.closed() == []


async def test_until_somebody_votes_all_may_change(models: Models, people: People) -> None:
    poll = await colours(models, people)
    before = await models.results.one(poll.id)
    new = NewPoll("Which number?", ("One", "Two"), "multiple", "after_vote", True, None, in_hours(5))
    edited = await models.polls.edit(poll.id, new, by=people.alice, version=1)

    assert (edited.question, edited.kind, edited.results, edited.visitors) == (
        new.question,
        new.kind,
        new.results,
        True,
    )
    assert (edited.opens_at, edited.closes_at, edited.version) == (poll.opens_at, new.closes_at, 2)
    assert [choice.text for choice in edited.choices] == ["One", "Two"]
    assert await models.polls.one(poll.id) == edited == await models.polls.fresh().one(poll.id)
    found = await models.results.one(poll.id)
    assert (found.votes, found.version) == ((0, 0), before.version + 1)
    entry = (await audit.entries(models.db, action="poll.edit"))[0]
    assert (entry.was["choices"], entry.became["choices"]) == ("Red · 绿色 · Blue", "One · Two")
    with pytest.raises(Stale):
        await models.polls.edit(poll.id, new, by=people.alice, version=1)
    with pytest.raises(Forbidden):
        await models.polls.edit(poll.id, new, by=people.bob)
    with pytest.raises(NotFound):
        await models.polls.edit(10**9, new, by=people.alice)


async def test_choices_that_stay_keep_their_ids(models: Models, people: People) -> None:
    poll = await colours(models, people)
    edited = await models.polls.edit(poll.id, as_it_is(poll, question="Colour?"), by=people.alice)

    assert edited.choices == poll.choices
    assert (await models.results.one(poll.id)).version == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("question", "Which one?"), ("choices", ("Red", "绿色")), ("choices", ("Blue", "绿色", "Red")), ("kind", "multiple"),
        ("results", "after_close"), ("visitors", True), ("opens_at", in_hours(-3)), ("opens_at", in_hours(3)),
    ],
)  # fmt: skip
async def test_when_somebody_has_voted_only_the_end_may_change(
    models: Models, people: People, field: str, value: Any
) -> None:
    poll = await colours(models, people)
    await models.ballots.cast(poll, ids(poll, 0), voter=people.bob)
    with pytest.raises(Invalid) as refused:
        await models.polls.edit(poll.id, as_it_is(poll, **{field: value, "closes_at": in_hours(9)}), by=people.alice)
    edited = await models.polls.edit(poll.id, as_it_is(poll, closes_at=in_hours(9), opens_at=None), by=people.alice)

    assert list(refused.value.fields) == [field]
    assert (edited.version, edited.choices, edited.opens_at) == (2, poll.choices, poll.opens_at)
    assert (await models.results.one(poll.id)).votes == (1, 0, 0)


async def test_the_end_that_is_changed_lies_ahead_and_opens_what_was_closed(models: Models, people: People) -> None:
    poll = await models.polls.close((await colours(models, people)).id, by=people.alice)
    with pytest.raises(Invalid):
        await models.polls.edit(poll.id, as_it_is(poll, closes_at=in_hours(-1)), by=people.alice)
    same = await models.polls.edit(poll.id, as_it_is(poll, question="Colour?"), by=people.alice)
    again = await models.polls.edit(poll.id, as_it_is(same, closes_at=in_hours(1)), by=people.alice)

    assert (same.status, same.closes_at, again.status) == ("closed", poll.closes_at, "open")
    assert (await models.ballots.cast(again, ids(again, 0), voter=people.bob)).created


async def test_one_that_is_scheduled_opens_at_once_when_its_opening_is_taken_out(
    models: Models, people: People
) -> None:
    poll = await colours(models, people, opens_at=in_hours(1))
    edited = await models.polls.edit(poll.id, as_it_is(poll, opens_at=None), by=people.alice)

    assert edited.status == "open"
    assert edited.opens_at <= datetime.now(UTC)
    assert [one.id for one in await models.polls.open()] == [poll.id]


async def test_it_is_closed_opened_again_thrown_away_and_brought_back(models: Models, people: People) -> None:
    poll, end = await colours(models, people), in_hours(4)
    do: Any = models.polls
    states = []
    for name, fields in (("close", {}), ("close", {}), ("reopen", {"closes_at": end}), ("reopen", {}), ("trash", {}),
                         ("trash", {}), ("restore", {})):  # fmt: skip
        with pytest.raises(Forbidden):
            await getattr(do, name)(poll.id, by=people.bob, **fields)
        changed = await getattr(do, name)(poll.id, by=people.alice, **fields)
        states.append((changed.status, changed.version))
        assert await models.polls.one(poll.id) == changed == await models.polls.fresh().one(poll.id)

    assert states == [
        ("closed", 2), ("closed", 2), ("open", 3), ("open", 3), ("trashed", 4), ("trashed", 4), ("open", 5)
    ]  # fmt: skip
    assert changed.closes_at == end
    log = [entry.action for entry in await audit.entries(models.db, target=f"poll {poll.id}")]
    assert log[::-1] == ["poll.create", "poll.close", "poll.reopen", "poll.trash", "poll.restore"]


async def test_who_closes_or_opens_a_poll_as_it_was_is_told_that_it_has_changed(models: Models, people: People) -> None:
    poll, do = await colours(models, people), models.polls
    await do.edit(poll.id, as_it_is(poll, question="Colour?"), by=people.alice)
    with pytest.raises(Stale):
        await do.close(poll.id, by=people.alice, version=1)
    closed = await do.close(poll.id, by=people.alice, version=2)
    with pytest.raises(Stale):
        await do.reopen(poll.id, by=people.alice, version=2)

    assert (closed.status, (await do.reopen(poll.id, by=people.alice, version=3)).status) == ("closed", "open")


async def test_what_does_not_apply_is_said(models: Models, people: People) -> None:
    later, opened = await colours(models, people, opens_at=in_hours(1)), await colours(models, people)
    closed = await models.polls.close((await colours(models, people)).id, by=people.alice)
    gone = await models.polls.trash((await colours(models, people)).id, by=people.alice)
    do = models.polls

    for refused in (
        do.close(later.id, by=people.alice), do.reopen(later.id, by=people.alice), do.restore(opened.id, by=people.alice),
        do.reopen(closed.id, by=people.alice, closes_at=in_hours(-1)), do.close(gone.id, by=people.alice),
        do.edit(gone.id, as_it_is(gone), by=people.alice),
    ):  # fmt: skip
        with pytest.raises(Invalid):
            await refused
    for missing in (do.close(10**9, by=people.alice), do.seen(10**9), do.seen(2**62)):
        with pytest.raises(NotFound):
            await missing


async def test_what_comes_out_of_the_trash_is_what_the_time_has_made_of_it(models: Models, people: People) -> None:
    over, begun = (
        await colours(models, people, closes_at=in_hours(1)),
        await colours(models, people, opens_at=in_hours(1)),
    )
    for poll in (over, begun):
        await models.polls.trash(poll.id, by=people.alice)
    await set_clock(models, over, closes=-0.01)
    await set_clock(models, begun, opened=-0.01)

    assert (await models.polls.restore(over.id, by=people.alice)).status == "closed"
    assert (await models.polls.restore(begun.id, by=people.alice)).status == "open"


async def test_what_every_level_holds_is_what_mysql_holds(models: Models, near: Models, people: People) -> None:
    poll = await colours(models, people)
    for _ in range(3):
        await near.polls.one(poll.id)
        await near.results.one(poll.id)
    looked = [await models.inspector.look(slot) for slot in (BY_ID(poll.id), BY_POLL(poll.id))]

    for one in looked:
        assert [level.equal for level in one.levels] == [True, True]
    await models.ballots.cast(poll, ids(poll, 0), voter=people.bob)
    assert (await near.polls.one(poll.id)).choices == poll.choices
