"""Polls are found by their words while readers see them, and what search does not know of them is told and mended."""

from typing import Any

from models import Models
from models.poll_rules import NewPoll
from tests.harness.people import People
from tests.models.poll_making import as_it_is, colours, in_hours


async def test_search_finds_polls_by_their_words_while_readers_see_them(models: Models, people: People) -> None:
    async def found(text: str, **wanted: Any) -> tuple[int, ...]:
        assert await models.indexing.check() == []
        return (await models.search.polls(text, **wanted)).ids

    ask, do = models.polls.create, models.polls
    tea = await ask(NewPoll("Which tea tastes best?", ("Green tea", "乌龙茶")), by=people.alice)
    cup = await ask(NewPoll("Which cup?", ("A tea cup", "A mug")), by=people.alice)
    later = await ask(NewPoll("Tea tomorrow?", ("Yes", "No"), opens_at=in_hours(1)), by=people.alice)

    assert await found("tea") == (tea.id, cup.id)
    assert await found("乌龙") == (tea.id,)
    assert await found('"tea cup" author:alice') == (cup.id,)
    assert set(await found("tea", shown_only=False)) == {tea.id, cup.id, later.id}
    await do.trash(tea.id, by=people.alice)
    assert await found("tea") == (cup.id,)
    await do.restore(tea.id, by=people.alice)
    await do.close(tea.id, by=people.alice)
    assert await found("tea") == (tea.id, cup.id)
    await do.edit(cup.id, as_it_is(cup, choices=("A glass", "A mug")), by=people.alice)
    assert await found("tea") == (tea.id,)
    assert await found("glass") == (cup.id,)
    assert (await models.search.posts("tea")).ids == ()


async def test_polls_that_search_does_not_know_are_read_for_it(models: Models, people: People) -> None:
    polls = [await colours(models, people) for _ in range(3)]
    async with models.db.connection() as connection:
        await connection.execute("DELETE FROM terms WHERE row_id = %s", polls[0].id)
        await connection.execute("UPDATE terms SET shown = 0 WHERE row_id = %s", polls[1].id)
        await connection.execute("DELETE FROM terms WHERE row_id = %s AND term = 'blue'", polls[2].id)

    told = await models.indexing.check()
    assert [sentence.partition(";")[0].partition(":")[0] for sentence in told] == [
        "polls that search does not know", "search terms of polls that are gone, or are shown otherwise",
        f"search terms of poll {polls[2].id} are not those of its words",
    ]  # fmt: skip
    assert await models.indexing.index() == 1
    assert await models.indexing.index(everything=True) == 3
    assert await models.indexing.check() == []
