"""Boards as operators keep them: made, changed, closed, hidden; scores taken away and given back; and all of it undone."""

import re
from collections.abc import Callable

import pytest

from models import Models
from models.boards import NewBoard
from tests.handlers.conftest import Town
from tests.handlers.ranks import built, race
from tests.handlers.test_boards import places
from tests.handlers.test_manage_people import batch
from tests.harness.browser import Browser
from tests.harness.people import People

FORM = {
    "title": "Golf", "about": "On grass.\r\nOutside.", "slug": "golf", "sense": "lowest", "keep": "last", "least": "1.5",
    "most": "", "page": "/about",
}  # fmt: skip


async def test_a_board_is_made_and_changed_by_plain_forms(models: Models, people: People, olga: Browser) -> None:
    made = await olga.post("/manage/boards/create", FORM, follow=True)
    assert "The board is there." in made.text
    board = await models.boards.by_slug("golf")
    assert (board.title, board.about, board.sense, board.keep) == ("Golf", "On grass.\nOutside.", "lowest", "last")
    assert (board.least, board.most, board.page, board.status) == (1500, None, "/about", "open")

    form = await olga.get(f"/manage/boards/{board.id}")
    assert 'value="1.5"' in form.text
    changed = {**FORM, "title": "Mini golf", "most": "90", "version": str(board.version)}
    saved = await olga.post(f"/manage/boards/{board.id}", changed, follow=True)

    assert "Saved." in saved.text
    assert (await models.boards.by_slug("golf")).title == "Mini golf"
    log = await olga.get("/manage/audit?action=board.edit")
    assert "<del>Golf</del> <ins>Mini golf</ins>" in log.text
    assert f'href="/manage/boards/{board.id}"' in log.text


async def test_what_is_wrong_is_told_beside_its_field_and_what_was_typed_stays(
    models: Models, people: People, olga: Browser
) -> None:
    wrong = {
        "title": "",
        "slug": "Not So",
        "least": "1.2345",
        "most": "many",
        "sense": "x",
        "keep": "y",
        "page": "//evil",
    }
    answer = await olga.post("/manage/boards/create", wrong)
    assert answer.status == 422
    assert "A score has at most three decimals." in answer.text
    assert "A score is a number." in answer.text

    answer = await olga.post("/manage/boards/create", {**wrong, "least": "2", "most": "1"})
    assert answer.status == 422
    assert answer.text.count('class="error"') == 5
    for typed in ('value="Not So"', 'value="//evil"', 'value="2"'):
        assert typed in answer.text
    assert (await olga.post("/manage/boards/create", {**FORM, "slug": "members"})).status == 409


async def test_two_operators_who_change_a_board_at_once_are_told(
    models: Models, people: People, olga: Browser, ada: Browser
) -> None:
    board = await models.boards.create(NewBoard("golf", "Golf", sense="lowest", keep="last"), by=people.olga)
    sent = {**FORM, "version": str(board.version)}
    first = await olga.post(f"/manage/boards/{board.id}", {**sent, "title": "Olga's"})
    second = await ada.post(f"/manage/boards/{board.id}", {**sent, "title": "Ada's"})

    assert (first.status, second.status) == (303, 409)
    assert "Somebody has changed this" in second.text
    assert "Ada&#39;s" in second.text
    assert (await models.boards.by_slug("golf")).title == "Olga's"


async def test_which_score_leads_stays_once_there_are_scores(models: Models, people: People, olga: Browser) -> None:
    board = await race(models, people, bob=1)
    form = {**FORM, "slug": "race", "keep": "best", "version": str(board.version)}
    answer = await olga.post(f"/manage/boards/{board.id}", form)

    assert answer.status == 422
    assert "the board has scores" in answer.text


async def test_a_built_in_board_takes_words_alone(models: Models, people: People, olga: Browser) -> None:
    board = await models.boards.by_slug("members")
    form = await olga.get(f"/manage/boards/{board.id}")
    assert 'name="sense"' not in form.text
    sent = {"title": "The busiest", "about": "", "slug": "mine", "sense": "lowest", "version": str(board.version)}
    answer = await olga.post(f"/manage/boards/{board.id}", sent)

    assert answer.status == 303
    became = await models.boards.by_slug("members")
    assert (became.title, became.sense) == ("The busiest", "highest")
    scores = await olga.get(f"/manage/boards/{board.id}/scores")
    assert scores.status == 200
    assert 'name="ids"' not in scores.text


async def test_boards_are_hidden_and_brought_back(
    models: Models, people: People, olga: Browser, visitor: Browser
) -> None:
    board = await race(models, people)
    golf = await models.boards.create(NewBoard("golf", "Golf"), by=people.olga)
    await models.boards.set_status(golf.id, "closed", by=people.olga)
    done = await olga.request("POST", "/manage/boards", body=f"action=hide&ids={board.id}&ids={golf.id}".encode(),
                              headers={"Content-Type": "application/x-www-form-urlencoded"}, follow=True)  # fmt: skip
    assert "2 boards are hidden." in done.text
    assert [(await visitor.get(f"/boards/{slug}")).status for slug in ("race", "golf")] == [404, 404]

    back = await olga.post(done.path, {"undo": batch(done)}, follow=True)

    assert "Undone: 2 are as they were before." in back.text
    assert [(await models.boards.by_slug(slug)).status for slug in ("race", "golf")] == ["open", "closed"]
    again = await olga.post(done.path, {"undo": batch(done)}, follow=True)
    assert "can no longer be undone" in again.text


async def test_undo_leaves_what_somebody_has_changed_since(models: Models, people: People, olga: Browser) -> None:
    board = await race(models, people)
    done = await olga.post("/manage/boards", {"one": f"hide.{board.id}"}, follow=True)
    await models.boards.set_status(board.id, "closed", by=people.ada)
    back = await olga.post(done.path, {"undo": batch(done)}, follow=True)

    assert "Nothing was changed." in back.text
    assert (await models.boards.by_slug("race")).status == "closed"


async def test_scores_are_taken_away_and_given_back(
    models: Models, people: People, olga: Browser, visitor: Browser
) -> None:
    board = await race(models, people, bob=900, ada=20)
    await models.scores.submit(board, 10, "second", by=people.bob)
    here = f"/manage/boards/{board.id}/scores?member={people.bob.id}"
    listed = await olga.get(here)
    ids = re.findall(r'name="ids" value="([0-9]+)"', listed.text)
    assert len(ids) == 2  # Ada's is filtered out
    assert (await olga.get(f"/manage/boards/{board.id}/scores?member=bob%40example.org")).text.count('name="ids"') == 2

    done = await olga.post(here, {"one": f"remove.{ids[1]}"}, follow=True)
    assert "1 score is taken away." in done.text
    assert "Taken away" in done.text
    assert f"member={people.bob.id}" in done.path
    assert places((await visitor.get("/boards/race")).text) == [("1", "Ada", "20"), ("2", "Bob", "10")]
    log = await olga.get("/manage/audit?action=score.remove")
    assert "took a score away" in log.text
    assert "900" in log.text

    back = await olga.post(done.path, {"undo": batch(done)}, follow=True)
    assert "Undone: 1 is as it was before." in back.text
    assert places((await visitor.get("/boards/race")).text)[0] == ("1", "Bob", "900")


async def test_a_score_of_another_board_is_left_alone(models: Models, people: People, olga: Browser) -> None:
    board = await race(models, people, bob=1)
    other = await models.boards.create(NewBoard("golf", "Golf"), by=people.olga)
    taken = await models.scores.submit(other, 5, "a", by=people.bob)

    assert (await olga.post(f"/manage/boards/{board.id}/scores", {"one": f"remove.{taken.id}"})).status == 404
    assert [score.removed for score in await models.scores.many([taken.id])] == [False]


async def test_an_editor_may_not_and_a_lost_right_counts_at_once(
    models: Models, people: People, alice: Browser, olga: Browser
) -> None:
    board = await race(models, people, bob=1)
    done = await olga.post("/manage/boards", {"one": f"close.{board.id}"}, follow=True)
    await models.rights.set_roles(people.olga.id, [], by=people.ada)

    assert (await alice.post("/manage/boards", {"one": f"hide.{board.id}"})).status == 403
    assert (await olga.post("/manage/boards", {"undo": batch(done)})).status == 403
    assert (await models.boards.by_slug("race")).status == "closed"


async def test_lists_of_boards_and_scores_go_on(models: Models, people: People, olga: Browser) -> None:
    for n in range(51):
        await models.boards.create(NewBoard(f"b{n}", f"B {n}"), by=people.olga)
    board = await models.boards.by_slug("b0")
    for n in range(60):
        await models.scores.submit(board, n, str(n), by=people.bob)

    for path, first, rest in (("/manage/boards", 50, 3), (f"/manage/boards/{board.id}/scores", 50, 10)):
        page = await olga.get(path)
        onward = re.search(r'href="([^"]+)" rel="next"', page.text)
        assert onward
        following = await olga.get(onward[1].replace("&amp;", "&"))
        assert [one.text.count('name="ids"') for one in (page, following)] == [first, rest]
        assert 'rel="prev"' in following.text


@pytest.mark.parametrize("path", ["", "/scores"])
async def test_a_board_that_is_not_there_is_404(town: Town, ada: Browser, path: str) -> None:
    assert (await ada.get(f"/manage/boards/999999{path}")).status == 404
    assert (await ada.post(f"/manage/boards/999999{path}", {"one": "remove.1"})).status == 404


async def test_a_hundred_at_once_are_enough(models: Models, people: People, olga: Browser) -> None:
    board = await race(models, people)
    body = "&".join(["action=remove", *(f"ids={n}" for n in range(1, 102))]).encode()
    answer = await olga.request("POST", f"/manage/boards/{board.id}/scores", body=body,
                                headers={"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip

    assert answer.status == 422


async def test_what_is_hidden_is_not_led_to(town: Town, olga: Browser, browse: Callable[[], Browser]) -> None:
    page = await olga.get("/manage/boards")

    assert "HIDDEN-WORDS" in page.text
    assert f'href="/boards/{town.hidden.slug}"' not in page.text
    assert f'href="/boards/{town.board.slug}"' in page.text


async def test_taking_a_score_away_ends_what_was_kept_of_the_page(
    models: Models, people: People, olga: Browser, visitor: Browser
) -> None:
    board = await race(models, people, bob=900, ada=20)
    await built(models, board)
    for _ in range(3):
        await visitor.get("/boards/race")
    (taken, _) = sorted((await models.refereeing.scores_sheet(board)).items, key=lambda score: -score.score)
    await olga.post(f"/manage/boards/{board.id}/scores", {"one": f"remove.{taken.id}"})

    assert "Bob" not in (await visitor.get("/boards/race")).text.partition("<table")[2]
