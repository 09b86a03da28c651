"""Boards for programs: what they are told, what they may send, and what they get when it is wrong."""

import asyncio
import json
from typing import Any

import pytest

from models import Models
from models.boards import NewBoard
from tests.handlers.conftest import Town
from tests.handlers.ranks import built, race
from tests.harness.browser import Answer, Browser
from tests.harness.people import People

SCORES = "/api/v1/boards/race/scores"


async def patched(browser: Browser, path: str, value: Any, tag: str | None) -> Answer:
    headers = {"Content-Type": "application/json", **({"If-Match": tag} if tag else {})}
    return await browser.request("PATCH", path, body=json.dumps(value).encode(), headers=headers)


async def test_a_board_and_its_first_places(models: Models, people: People, visitor: Browser) -> None:
    await race(models, people, bob=12.5, ada=20, alice=12.5)
    answer = (await visitor.get("/api/v1/boards/race?window=week&n=2")).json()
    (ada, bob) = answer.pop("top")

    assert answer == {
        "slug": "race", "title": "The race", "about": "Run fast.", "sense": "highest", "keep": "best", "of": "users",
        "min": None, "max": None, "status": "open", "builtin": False, "page": "/about", "url": "/api/v1/boards/race",
        "window": "week", "players": 3,
    }  # fmt: skip
    assert (ada["rank"], ada["score"], ada["post"]) == (1, 20, None)
    assert bob["user"] == {"id": people.bob.id, "name": "Bob", "url": f"/user/{people.bob.id}"}
    assert (bob["rank"], bob["score"]) == (2, 12.5)
    assert bob["achieved_at"].startswith("20")


async def test_where_a_player_stands(models: Models, people: People, visitor: Browser) -> None:
    await race(models, people, bob=12.5, ada=20, alice=1)
    answer = (await visitor.get(f"/api/v1/boards/race/players/{people.bob.id}?window=day")).json()

    assert (answer["rank"], answer["score"], answer["beats"], answer["players"]) == (2, 12.5, 50.0, 3)
    assert [row["user"]["name"] for row in answer["around"]] == ["Ada", "Bob", "Alice"]
    assert (await visitor.get(f"/api/v1/boards/race/players/{people.olga.id}")).status == 404


async def test_a_board_of_posts_names_posts(models: Models, town: Town, visitor: Browser) -> None:
    await models.crediting.count()
    top = (await visitor.get("/api/v1/boards/discussed?n=100")).json()["top"]

    assert [row["post"] for row in top] == [{"id": town.post.id, "name": "A post", "url": town.path}]
    assert top[0]["user"] is None


async def test_boards_come_fifty_at_a_time(models: Models, people: People, visitor: Browser) -> None:
    for n in range(49):
        await models.boards.create(NewBoard(f"b{n}", f"B {n}"), by=people.olga)
    first = await visitor.get("/api/v1/boards")
    address = first.headers["Link"].partition("<")[2].partition(">")[0]
    rest = await visitor.get(address)

    assert len(first.json()) == 50
    assert [board["slug"] for board in rest.json()] == ["b48"]
    assert "Link" not in rest.headers
    page = await visitor.get("/boards")
    assert f'href="?{address.partition("?")[2]}"' in page.text


async def test_a_score_is_taken_once_and_its_place_told(models: Models, people: People, bob: Browser) -> None:
    await race(models, people, ada=20)
    first = await bob.post_json(SCORES, {"score": 12.5, "id": "game-1"})
    again = await bob.post_json(SCORES, {"score": 12.5, "id": "game-1"})
    other = await bob.post_json(SCORES, {"score": 13, "id": "game-1"})

    assert (first.status, again.status, other.status) == (201, 200, 409)
    assert first.json() == again.json() | {"id": first.json()["id"]}
    assert first.json()["standing"] == {"rank": 2, "score": 12.5, "beats": 0.0, "players": 2}
    assert first.location == f"/api/v1/boards/race/players/{people.bob.id}"
    assert (await bob.get(first.location)).json()["score"] == 12.5
    assert other.json()["errors"] == {"id": "Another score was sent under this id."}


async def test_the_same_score_sent_many_times_at_once_counts_once(models: Models, people: People, bob: Browser) -> None:
    board = await models.boards.create(NewBoard("race", "The race", keep="sum"), by=people.olga)
    answers = await asyncio.gather(*(bob.post_json(SCORES, {"score": 7, "id": "a"}) for _ in range(8)))

    assert sorted(answer.status for answer in answers) == [200] * 7 + [201]
    standing = await models.standings.place(board, "ever", people.bob.id)
    assert standing
    assert standing.score == 7000


WRONG: list[tuple[Any, int, set[str]]] = [
    ({"score": 100.001, "id": "a"}, 422, {"score"}), ({"score": -1, "id": "a"}, 422, {"score"}),
    ({"score": 1.2345, "id": "a"}, 422, {"score"}), ({"score": "many", "id": "a"}, 422, {"score"}),
    ({"score": 1e300, "id": "a"}, 422, {"score"}), ({"score": None, "id": "a"}, 422, {"score"}),
    ({"score": True, "id": "a"}, 422, {"score"}), ({"score": [1], "id": "a"}, 422, {"score"}),
    ({"score": 1, "id": ""}, 422, {"id"}), ({"score": 1, "id": "x" * 65}, 422, {"id"}),
    ({"score": 1, "id": "a\u0000"}, 422, {"id"}), ({"score": 1, "id": 7}, 422, {"id"}),
    ({"score": 1, "id": "a", "board": 2}, 422, {"board"}), ({}, 422, {"score", "id"}), ([1], 400, set()), ("x", 400, set()),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "fields"), WRONG, ids=[str(body)[:40] for body, _, _ in WRONG])
async def test_a_score_that_cannot_be_is_refused_by_its_field(
    town: Town, bob: Browser, body: Any, status: int, fields: set[str]
) -> None:
    answer = await bob.post_json(f"/api/v1/boards/{town.board.slug}/scores", body)

    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert set(answer.json().get("errors", {})) == fields


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e9999", "9" * 400])
async def test_what_is_no_number_is_refused(town: Town, bob: Browser, text: str) -> None:
    body = f'{{"score": {text}, "id": "a"}}'.encode()
    answer = await bob.request("POST", f"/api/v1/boards/{town.board.slug}/scores", body=body,
                               headers={"Content-Type": "application/json"})  # fmt: skip

    assert answer.status in (400, 422)


async def test_a_number_is_taken_as_it_is_written(models: Models, people: People, bob: Browser) -> None:
    """0.1 + 0.2 is not 0.3 where numbers are binary; scores are not."""
    await race(models, people)
    for n, text in enumerate(("0.3", "2.675", "1000000000.001", "5e-3")):
        body = f'{{"score": {text}, "id": "{n}"}}'.encode()
        answer = await bob.request("POST", SCORES, body=body, headers={"Content-Type": "application/json"})

        assert (answer.status, answer.json()["score"]) == (201, float(text)), text


async def test_who_plays_too_often_is_told_when_to_come_back(models: Models, people: People, bob: Browser) -> None:
    await race(models, people)
    answers = [await bob.post_json(SCORES, {"score": n, "id": str(n)}) for n in range(61)]

    assert [answer.status for answer in answers] == [201] * 60 + [429]
    assert answers[0].headers["RateLimit-Limit"] == "60"
    assert answers[0].headers["RateLimit-Remaining"] == "59"
    assert int(answers[60].headers["Retry-After"]) > 0
    assert answers[60].headers["RateLimit-Remaining"] == "0"


async def test_closed_and_built_in_boards_take_no_scores(models: Models, people: People, bob: Browser) -> None:
    board = await race(models, people)
    await models.boards.set_status(board.id, "closed", by=people.olga)

    for slug in ("race", "members"):
        answer = await bob.post_json(f"/api/v1/boards/{slug}/scores", {"score": 1, "id": "a"})
        assert answer.status == 403


async def test_a_token_for_scores_sends_them_and_nothing_else(models: Models, people: People, visitor: Browser) -> None:
    await race(models, people)
    secret = await models.sessions.start(people.olga.id, days=1, ip=b"\x7f\0\0\1", user_agent="tests")
    session = await models.sessions.by_token(secret)
    assert session
    _, token = await models.tokens.create("Game", ["scores"], days=None, by=people.olga, session=session)
    _, other = await models.tokens.create("Reader", ["read"], days=None, by=people.olga, session=session)
    visitor.headers["Authorization"] = f"Bearer {token}"
    sent = await visitor.post_json(SCORES, {"score": 3, "id": "a"})
    made = await visitor.post_json("/api/v1/boards", {"slug": "mine", "title": "Mine"})
    visitor.headers["Authorization"] = f"Bearer {other}"
    refused = await visitor.post_json(SCORES, {"score": 4, "id": "b"})

    assert (sent.status, made.status, refused.status) == (201, 403, 403)
    assert 'scope="scores"' in refused.headers["WWW-Authenticate"]


async def test_a_board_is_made_and_changed(models: Models, people: People, olga: Browser, visitor: Browser) -> None:
    made = await olga.post_json(
        "/api/v1/boards", {"slug": "golf", "title": "Golf", "sense": "lowest", "min": 1.5, "max": 90}
    )
    assert made.status == 201
    assert made.location == "/api/v1/boards/golf"
    assert (made.json()["sense"], made.json()["min"], made.json()["max"]) == ("lowest", 1.5, 90)

    tag = (await visitor.get("/api/v1/boards/golf?n=0")).headers["Etag"]
    await models.scores.submit(await models.boards.by_slug("golf"), 10, "a", by=people.bob)
    changed = await patched(olga, "/api/v1/boards/golf", {"title": "Mini golf", "max": None}, tag)
    assert changed.status == 200  # the score has not changed the board
    assert (changed.json()["title"], changed.json()["min"], changed.json()["max"]) == ("Mini golf", 1.5, None)

    stale = await patched(olga, "/api/v1/boards/golf", {"title": "Old"}, tag)
    bare = await patched(olga, "/api/v1/boards/golf", {"title": "Old"}, None)
    onward = await patched(olga, "/api/v1/boards/golf", {"about": "With windmills."}, changed.headers["Etag"])
    fixed = await patched(olga, "/api/v1/boards/golf", {"sense": "highest"}, onward.headers["Etag"])
    assert (stale.status, bare.status, onward.status, fixed.status) == (412, 428, 200, 422)
    assert set(fixed.json()["errors"]) == {"sense"}
    assert "windmills" in (await visitor.get("/boards/golf")).text


@pytest.mark.parametrize(
    ("sent", "status", "fields"),
    [
        ({"title": "T"}, 422, {"slug"}), ({"slug": "A b", "title": ""}, 422, {"slug", "title"}),
        ({"slug": "ok", "title": "T", "min": 1.2345}, 422, {"min"}), ({"slug": "ok", "title": "T", "max": 1e30}, 422, {"max"}),
        ({"slug": "ok", "title": "T", "min": 2, "max": 1}, 422, {"max"}),
        ({"slug": "ok", "title": "T", "keep": "x"}, 422, {"keep"}), ({"slug": "members", "title": "T"}, 409, {"slug"}),
        ({"slug": "ok", "title": "T", "page": "//evil"}, 422, {"page"}),
    ],
)  # fmt: skip
async def test_a_board_that_cannot_be_is_refused_by_its_fields(
    town: Town, olga: Browser, sent: Any, status: int, fields: set[str]
) -> None:
    answer = await olga.post_json("/api/v1/boards", sent)

    assert answer.status == status
    assert set(answer.json()["errors"]) == fields


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/boards/race?window=year", "/api/v1/boards/race?n=101", "/api/v1/boards/race?n=-1", "/api/v1/boards/race?n=x",
        "/api/v1/boards/race?x=1", "/api/v1/boards?after=x", "/api/v1/boards/race/players/1?window=x",
    ],
)  # fmt: skip
async def test_a_query_that_cannot_be_is_422(models: Models, people: People, visitor: Browser, path: str) -> None:
    await race(models, people)

    assert (await visitor.get(path)).status == 422


async def test_while_the_ranking_is_built_nothing_is_made_up(
    models: Models, people: People, bob: Browser, visitor: Browser
) -> None:
    """Without Redis's ranking MySQL knows the first places; how many there are would take counting."""
    board = await models.boards.create(NewBoard("race", "The race"), by=people.olga)
    sent = await bob.post_json(SCORES, {"score": 5, "id": "a"})

    assert sent.json()["standing"] == {"rank": 1, "score": 5, "beats": None, "players": None}
    assert (await visitor.get("/api/v1/boards/race")).json()["players"] is None
    page = await visitor.get("/boards/race")
    assert "Bob" in page.text
    assert "player" not in page.text.partition("<main")[2].partition("<section")[0]
    await built(models, board)
    assert "1 player" in (await visitor.get("/boards/race")).text
