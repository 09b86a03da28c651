"""The pages of the leaderboards: the same for everybody, true at once, and one's own place beside them."""

import json
import re
from collections.abc import Callable

import pytest

from models import Models
from models.boards import NewBoard
from models.periods import WINDOWS
from models.writing import Draft
from tests.handlers.conftest import Town
from tests.handlers.ranks import built, race
from tests.harness.browser import Browser
from tests.harness.people import People


def places(html: str) -> list[tuple[str, str, str]]:
    """(rank, name, points) of the rows of the first table."""
    table = html.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<td>(.*?)</td>.*?<span>([^<]*)</span></a></th>\s*<td>(.*?)</td>", table, re.S)
    return [(rank, name, score) for rank, name, score in rows]


async def test_a_board_shows_its_places_in_every_window(models: Models, people: People, visitor: Browser) -> None:
    await race(models, people, bob=12.5, ada=20, alice=12.5)

    for window in WINDOWS:
        page = await visitor.get(f"/boards/race?window={window}")
        assert page.status == 200
        assert places(page.text) == [("1", "Ada", "20"), ("2", "Bob", "12.5"), ("2", "Alice", "12.5")]
        assert "3 players" in page.text
        assert page.text.count('aria-current="page"') == 1
        assert 'href="/about">Play<' in page.text


async def test_the_page_after_a_score_shows_the_score_to_everybody(
    models: Models, people: People, visitor: Browser, bob: Browser, browse: Callable[[], Browser]
) -> None:
    await race(models, people, ada=20)
    for path in ("/boards", "/boards/race"):
        for _ in range(3):  # so often that it is kept
            await visitor.get(path)
    sent = await bob.post_json("/api/v1/boards/race/scores", {"score": 30, "id": "a"})

    assert sent.status == 201
    for reader in (bob, browse()):
        for path in ("/boards", "/boards/race"):
            assert '<a class="person" href="/user/' in (page := await reader.get(path)).text
            assert page.text.index("Bob") < page.text.index("Ada"), path


async def test_a_page_of_boards_is_the_same_for_everybody_and_kept(
    models: Models, people: People, visitor: Browser, bob: Browser
) -> None:
    await race(models, people, bob=1)
    for path in ("/boards", "/boards/race", "/boards/race?window=day"):
        bodies = {(await who.get(path)).body for who in (visitor, bob, visitor)}

        assert len(bodies) == 1
        answer = await visitor.get(path)
        assert answer.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
        again = await visitor.get(path, if_none_match=answer.headers["Etag"])
        assert again.status == 304


async def test_a_member_is_told_their_place_and_who_is_beside_them_in_every_window(
    models: Models, people: People, bob: Browser, visitor: Browser
) -> None:
    await race(models, people, alice=40, ada=30, bob=20, olga=10)

    for window in WINDOWS:
        told = (await bob.get(f"/api/v1/me?on=%2Fboards%2Frace%3Fwindow%3D{window}")).json()["boards"]["race"]
        assert told["words"] == "Your place: 3. Your points: 20. Better than 33.3% of the others."
        assert [(row["rank"], row["name"], row["score"], row["you"]) for row in told["around"]] == [
            ("1", "Alice", "40", False), ("2", "Ada", "30", False), ("3", "Bob", "20", True), ("4", "Olga", "10", False),
        ]  # fmt: skip
        assert told["around"][2]["href"] == f"/user/{people.bob.id}"
    everywhere = (await bob.get("/api/v1/me?on=/boards")).json()["boards"]
    assert everywhere["race"] == {
        "words": "Your place: 3. Your points: 20. Better than 33.3% of the others.",
        "around": [],
    }
    assert everywhere["members"]["words"] == "You are not on this board yet."
    assert (await visitor.get("/api/v1/me?on=/boards/race")).json()["user"] is None


async def test_a_member_is_told_in_their_language(models: Models, people: People, bob: Browser) -> None:
    await race(models, people, alice=4000, bob=2000)
    told = (await bob.get("/api/v1/me?on=/boards/race", accept_language="zh")).json()["boards"]["race"]

    assert "2,000" in told["words"]
    assert not re.search("[a-z]", told["words"])


@pytest.mark.parametrize(
    "on",
    [
        "/boards/none",
        "/boards/race?window=year",
        "/boards/",
        "/boards/discussed",
        "/boards/%25FF",
    ],
)
async def test_where_there_is_no_place_of_ones_own_nothing_is_told(
    models: Models, people: People, bob: Browser, on: str
) -> None:
    await race(models, people, bob=1)
    told = await bob.get(f"/api/v1/me?on={on}")

    assert told.status == 200
    assert told.json().get("boards", {}) == {}


async def test_a_hidden_board_is_nowhere(town: Town, bob: Browser, visitor: Browser) -> None:
    slug = town.hidden.slug

    assert "HIDDEN-WORDS" not in (await visitor.get("/boards")).text
    assert "HIDDEN-WORDS" not in (await visitor.get("/api/v1/boards")).text
    for path in (f"/boards/{slug}", f"/api/v1/boards/{slug}", f"/api/v1/boards/{slug}/players/{1}"):
        assert (await visitor.get(path)).status == 404, path
    assert (await bob.get(f"/api/v1/me?on=/boards/{slug}")).json().get("boards", {}) == {}
    assert slug not in (await bob.get("/api/v1/me?on=/boards")).json()["boards"]


async def test_a_closed_board_is_shown_and_says_so(models: Models, people: People, visitor: Browser) -> None:
    board = await race(models, people, bob=5)
    await models.boards.set_status(board.id, "closed", by=people.olga)
    page = await visitor.get("/boards/race")

    assert places(page.text) == [("1", "Bob", "5")]
    assert "This board is closed" in page.text
    assert ">Play<" not in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/boards/race?window=year", "/boards/race?window=", "/boards/race?n=11", "/boards/race?n=x", "/boards/race?n=1000000",
        "/boards/RACE", "/boards/none", "/boards/" + "x" * 61, "/boards?after=x", "/boards/race/",
    ],
)  # fmt: skip
async def test_an_address_that_nothing_stands_at_is_404(
    models: Models, people: People, visitor: Browser, path: str
) -> None:
    await race(models, people)

    assert (await visitor.get(path)).status == 404


async def test_ten_places_are_shown_and_a_hundred_when_asked(models: Models, people: People, visitor: Browser) -> None:
    board = await race(models, people)
    for n in range(12):
        await models.scores.submit(
            board, n, "x", by=await models.users.register(f"P{n}", f"p{n}@example.org", None, role="member")
        )
    short = (await visitor.get("/boards/race?window=week")).text
    more = re.search(r'href="(\?window=week&amp;n=100)"', short)

    assert len(places(short)) == 10
    assert more
    long = (await visitor.get(f"/boards/race{more[1].replace('&amp;', '&')}")).text
    assert [name for _, name, _ in places(long)] == [f"P{n}" for n in reversed(range(12))]
    assert "More places" not in long


async def test_a_board_of_posts_links_to_them_and_leaves_out_what_readers_cannot_see(
    models: Models, town: Town, people: People, visitor: Browser
) -> None:
    await models.crediting.count()
    board = await models.boards.by_slug("discussed")
    await built(models, board)
    await models.crediting.count()
    page = (await visitor.get("/boards/discussed")).text

    assert f'href="{town.path}"' in page
    assert "TRASHED-WORDS" not in page
    assert "Each comment counts 1." in page


async def test_what_is_left_out_does_not_end_a_board(models: Models, people: People, visitor: Browser) -> None:
    posts = [
        await models.writing.create(Draft(f"Post {n}", "", "Words.", ()), by=people.alice, publish=True)
        for n in range(11)
    ]
    for post in posts:
        await models.comments.create(post.id, "Yes.", by=people.bob)
    await models.publishing.trash(posts[0].id, by=people.alice)
    await models.crediting.count()
    page = (await visitor.get("/boards/discussed")).text

    assert "Post 0" not in page
    assert "Post 9" in page
    assert "More places" in page
    assert "Post 10" in (await visitor.get("/boards/discussed?n=100")).text


async def test_built_in_boards_speak_the_readers_language_until_an_operator_gives_them_words(
    models: Models, people: People, visitor: Browser
) -> None:
    assert "Most active members" in (await visitor.get("/boards")).text
    assert "Most active members" not in (await visitor.get("/boards", accept_language="zh")).text
    board = await models.boards.by_slug("members")
    own = NewBoard("members", "Archive", "Our best.", board.sense, board.keep)
    await models.boards.edit(board.id, own, by=people.olga)

    page = (await visitor.get("/boards/members", accept_language="zh")).text
    assert ">Archive</h1>" in page
    assert "Our best." in page


async def test_what_a_board_tells_programs(models: Models, people: People, visitor: Browser) -> None:
    await race(models, people, bob=5, ada=6)
    page = (await visitor.get("/boards/race")).text
    facts = json.loads(page.partition('<script type="application/ld+json">')[2].partition("</script>")[0])

    assert facts["@type"] == "ItemList"
    assert [item["name"] for item in facts["itemListElement"]] == ["Ada", "Bob"]
    assert facts["itemListElement"][0]["url"].endswith(f"/user/{people.ada.id}")
    assert 'rel="canonical"' in page
    assert "/boards</loc>" in (await visitor.get("/sitemap-site.xml")).text


async def test_there_is_a_game_only_where_there_is_its_board(models: Models, people: People, visitor: Browser) -> None:
    assert (await visitor.get("/play")).status == 404
    board = await models.boards.create(NewBoard("ripples", "Ripples"), by=people.olga)
    assert (await visitor.get("/play")).status == 404  # played elsewhere

    board = await models.boards.edit(board.id, NewBoard("ripples", "Ripples", page="/play"), by=people.olga)

    page = await visitor.get("/play")
    assert page.status == 200
    assert 'data-scores="/api/v1/boards/ripples/scores"' in page.text
    assert "This board is closed" not in page.text
    await models.boards.set_status(board.id, "closed", by=people.olga)
    assert "This board is closed" in (await visitor.get("/play")).text
    await models.boards.set_status(board.id, "hidden", by=people.olga)
    assert (await visitor.get("/play")).status == 404
