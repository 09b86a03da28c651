"""Boards and scores judged many at once: who may, what stays as it was, and what an undo takes back."""

import pytest

from models import Models
from models.boards import NewBoard
from models.errors import Forbidden, Invalid, NotFound
from tests.handlers.ranks import race
from tests.harness.people import People


async def test_rights_are_asked_for_in_the_transaction(models: Models, people: People) -> None:
    board = await race(models, people, bob=1)
    score = (await models.refereeing.scores_sheet(board)).items[0]
    for by in (people.alice, people.bob):
        with pytest.raises(Forbidden):
            await models.refereeing.act("hide", [board.id], by=by)
        with pytest.raises(Forbidden):
            await models.refereeing.rule("remove", [score.id], board=board, by=by)
        with pytest.raises(Forbidden):
            await models.refereeing.undo(1, by=by)
        with pytest.raises(Forbidden):
            await models.refereeing.overrule(1, board=board, by=by)
    done = await models.refereeing.rule("remove", [score.id], board=board, by=people.olga)
    await models.rights.set_roles(people.olga.id, [], by=people.ada)

    with pytest.raises(Forbidden):
        await models.refereeing.overrule(done.batch, board=board, by=people.olga)


async def test_an_undo_is_of_who_did_it_and_happens_once(models: Models, people: People) -> None:
    board = await race(models, people, bob=1, ada=2)
    ids = [score.id for score in (await models.refereeing.scores_sheet(board)).items]
    done = await models.refereeing.rule("remove", ids, board=board, by=people.olga)
    with pytest.raises(NotFound):
        await models.refereeing.overrule(done.batch, board=board, by=people.ada)
    with pytest.raises(NotFound):
        await models.refereeing.undo(done.batch, by=people.olga)  # a batch of scores is none of boards
    back = await models.refereeing.overrule(done.batch, board=board, by=people.olga)

    assert (done.changed, done.left, back.changed, back.left, back.batch) == (2, 0, 2, 0, 0)
    with pytest.raises(NotFound):
        await models.refereeing.overrule(done.batch, board=board, by=people.olga)
    assert (await models.standings.top(board, "ever")).players == 2


async def test_what_was_so_already_is_left_and_not_undone(models: Models, people: People) -> None:
    board = await race(models, people, bob=1, ada=2, alice=3)
    first, second, third = sorted(score.id for score in (await models.refereeing.scores_sheet(board)).items)
    await models.scores.remove(first, by=people.ada)
    done = await models.refereeing.rule("remove", [first, second, third, third], board=board, by=people.olga)
    await models.scores.restore(second, by=people.ada)
    back = await models.refereeing.overrule(done.batch, board=board, by=people.olga)

    assert (done.changed, done.left) == (2, 1)
    assert (back.changed, back.left) == (1, 1)
    assert {score.id: score.removed for score in await models.scores.many([first, second, third])} == {
        first: True, second: False, third: False,
    }  # fmt: skip
    same = await models.refereeing.rule("restore", [second], board=board, by=people.olga)
    assert (same.changed, same.left, same.batch) == (0, 1, 0)


async def test_boards_that_are_so_already_are_left(models: Models, people: People) -> None:
    board = await race(models, people)
    done = await models.refereeing.act("open", [board.id, board.id], by=people.olga)

    assert (done.changed, done.left, done.batch) == (0, 1, 0)
    with pytest.raises(NotFound):
        await models.refereeing.act("open", [999_999], by=people.olga)
    with pytest.raises(Invalid):
        await models.refereeing.act("open", list(range(1, 102)), by=people.olga)


async def test_lists_come_in_their_order_and_turn_back(models: Models, people: People) -> None:
    board = await models.boards.create(NewBoard("race", "The race"), by=people.olga)
    for n in range(60):
        await models.scores.submit(board, n, str(n), by=people.bob if n % 2 else people.ada)
    first = await models.refereeing.scores_sheet(board)
    bobs = await models.refereeing.scores_sheet(board, people.bob.id)

    assert [score.score // 1000 for score in first.items] == list(reversed(range(10, 60)))
    assert [score.score // 1000 for score in bobs.items] == list(reversed(range(1, 60, 2)))
    assert (first.previous, bobs.next) == ("", "")
    assert [board.slug for board in (await models.refereeing.sheet()).items] == ["members", "discussed", "race"]
