"""The game of rings, played: by keyboard and by touch, paused, without a connection, without a session, in both languages."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from models.boards import Board
from tests.browser.chromium import Window
from tests.browser.conftest import Visit
from tests.browser.town import Town

# Presses as if at the moment when the ring is on its line, or `past` it by that share of the way: no frame is so exact.
PRESS = """([how, past]) => {
  const game = document.querySelector('[data-game]'), part = name => game.querySelector(`[data-${name}]`);
  const at = name => Number(part(name).getAttribute('r')) / 96, speed = 0.4 + 0.025 * (Number(part('ring').textContent) - 1);
  const options = { bubbles: true, cancelable: true, pointerType: 'touch', key: how };
  const event = how === 'touch' ? new PointerEvent('pointerdown', options) : new KeyboardEvent('keydown', options);
  Object.defineProperty(event, 'timeStamp', { value: performance.now() + (at('line') + past - at('ripple')) / speed * 1000 });
  (how === 'touch' ? part('stage') : document.activeElement).dispatchEvent(event);
}"""
RINGS = 20


def number(page: Page, name: str) -> int:
    return int(page.locator(f"[data-{name}]").inner_text().replace(",", ""))


def state(page: Page, name: str) -> None:
    page.wait_for_selector(f"[data-game][data-state={name}]", timeout=10_000)


def started(page: Page) -> Page:
    """The first ring is under way, by a clock that goes when the test says so."""
    page.clock.install(time=0)
    page.goto("/play", wait_until="networkidle")
    page.clock.pause_at(60_000)  # else it goes on by itself, and a busy machine misses the line
    page.get_by_role("button", name="Start").press(" ")
    page.clock.run_for(700)
    state(page, "running")
    return page


def onward(page: Page) -> None:
    """The points of a ring have been seen, and the next one is under way, or the game is over."""
    while page.locator("[data-game]").get_attribute("data-state") not in ("running", "over"):
        page.clock.run_for(200)


def finished(page: Page) -> int:
    """Let the rings that are left go by; the points of the game."""
    while page.locator("[data-game]").get_attribute("data-state") != "over":
        page.clock.run_for(1_500)  # no more: what is sent at the end is given up after ten seconds of this clock
    return number(page, "score")


@pytest.fixture
def ripples(town: Town) -> Board:
    return town.do(lambda models: models.boards.by_slug("ripples"))


def on_the_board(town: Town, board: Board, who: str) -> Any:
    """Where somebody stands, ever."""
    return town.do(lambda models: models.standings.place(board, "ever", town.users[who].id))


@pytest.mark.parametrize("how", [" ", "touch"])
def test_a_whole_game_is_played_and_stands_on_the_board(visit: Visit, town: Town, ripples: Board, how: str) -> None:
    who = "olga" if how == " " else "ada"
    page = started(visit(who, has_touch=how == "touch", viewport={"width": 360, "height": 740}))
    before = page.evaluate("scrollY")
    for n in range(RINGS):
        state(page, "running")
        page.evaluate(PRESS, [how, 0])
        state(page, "seen")
        expect(page.locator("[data-word]")).to_have_text(re.compile(r"^(Perfect! )?\+\d+$"))
        assert number(page, "ring") == n + 1
        onward(page)
    state(page, "over")
    points = number(page, "score")

    assert 800 < points <= 1000
    assert page.evaluate("scrollY") == before  # the space bar does not scroll
    expect(page.get_by_text("On the board: your best is")).to_be_visible()
    standing = on_the_board(town, ripples, who)
    assert standing.score == points * 1000
    expect(page.locator("[data-fill=rank]")).to_have_text(str(standing.rank))
    expect(page.locator("[data-end] [data-total]")).to_have_text(f"{points:,}")
    page.get_by_role("link", name="See the board").click()
    row = page.get_by_role("row", name=town.users[who].name).first
    expect(row).to_contain_text(f"{points:,}")
    expect(page.locator("[data-own]")).to_contain_text(f"Your points: {points:,}.")


def test_the_nearer_to_the_line_the_more_points(visit: Visit) -> None:
    page = started(visit())
    found = list[int]()
    for past in (0, 0.03, -0.03, -0.1, -0.3):
        page.evaluate(PRESS, [" ", past])
        found.append(number(page, "score") - sum(found))
        onward(page)

    assert found[0] >= 40
    assert found[0] > found[1] > found[3] > found[4] == 0
    assert abs(found[1] - found[2]) <= 5  # too early is as good as too late


def test_it_is_played_by_the_clock_of_the_real_world_too(visit: Visit) -> None:
    page = visit()
    page.goto("/play", wait_until="networkidle")
    page.get_by_role("button", name="Start").press(" ")
    state(page, "ready")
    page.keyboard.press(" ")  # before the ring sets out: not held against anybody
    state(page, "running")
    assert (number(page, "ring"), number(page, "score")) == (1, 0)
    page.wait_for_function("() => document.querySelector('[data-ripple]').getAttribute('r') > 30")
    page.keyboard.press(" ")
    state(page, "seen")

    assert 24 < float(page.locator("[data-ripple]").get_attribute("r") or 0) < 60
    state(page, "ready")
    assert number(page, "ring") == 2


@pytest.mark.parametrize("how", ["p", "Escape", "button", "blur"])
def test_a_paused_game_waits(visit: Visit, how: str) -> None:
    page = started(visit())
    if how == "button":
        page.get_by_role("button", name="Pause").click()
    elif how == "blur":
        page.evaluate("dispatchEvent(new Event('blur'))")
    else:
        page.keyboard.press(how)
    state(page, "paused")
    expect(page.locator("[data-line]")).to_be_hidden()  # nobody looks for the line at leisure
    page.clock.run_for(60_000)
    state(page, "paused")
    page.get_by_role("button", name="Go on").press(" ")

    state(page, "ready")
    assert (number(page, "ring"), number(page, "score")) == (1, 0)
    page.clock.run_for(1_000)
    state(page, "running")


def test_who_asks_for_rest_gets_the_ring_and_nothing_else_that_moves(visit: Visit) -> None:
    moving = "document.getAnimations().length"
    for wish, expected in (("reduce", 0), ("no-preference", 1)):
        page = started(visit(reduced_motion=wish))
        page.evaluate(PRESS, [" ", 0])
        state(page, "seen")
        assert page.evaluate(moving) == expected


def test_a_game_without_a_connection_is_sent_when_there_is_one(chromium: Browser, town: Town, ripples: Board) -> None:
    window = Window(chromium, town.url, town.token("alice"), extra_http_headers=town.anew)
    page = window.page()
    sent: list[dict[str, Any]] = []

    def lost(route: Route) -> None:
        """The site takes the score, and its answer is lost: the worst moment."""
        sent.append(json.loads(route.request.post_data or ""))
        route.fetch()
        route.fulfill(status=503, headers={"Retry-After": "5"}, body="")

    def heard(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or ""))
        route.continue_()

    page.route("**/scores", lost)
    started(page)
    page.evaluate(PRESS, [" ", 0])
    points = finished(page)
    expect(page.get_by_text("It is kept in this browser, and sent as soon as that works.")).to_be_visible()
    page.unroute("**/scores")
    page.route("**/scores", heard)
    page.clock.run_for(6_000)

    expect(page.get_by_text("On the board: your best is")).to_be_visible()
    assert len(sent) == 2
    assert sent[0] == sent[1] == {"score": points, "id": sent[0]["id"]}
    rows = town.do(lambda models: models.refereeing.scores_sheet(ripples, town.users["alice"].id)).items
    assert [(row.client_id, row.score) for row in rows] == [(sent[0]["id"], points * 1000)]
    assert page.evaluate("localStorage.getItem('plaza.ripples')") == "[]"
    assert window.drain() == [f"503: {town.url}/api/v1/boards/ripples/scores"]
    window.context.close()


def test_a_visitors_game_counts_when_they_have_signed_in(visit: Visit, town: Town, ripples: Board) -> None:
    page = visit()
    page.clock.install()
    page.goto("/play", wait_until="networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Start").press(" ")
    points = finished(page)
    expect(page.locator("[data-end]")).to_contain_text("It is kept in this browser")
    assert [url for url in asked if "/api/" in url] == []
    assert on_the_board(town, ripples, "wide") is None

    for name, value in (("plaza", town.token("wide")), ("member", "1")):
        page.context.add_cookies([{"name": name, "value": value, "url": town.url}])
    page.goto("/play", wait_until="networkidle")
    expect(page.get_by_text("On the board: your best is")).to_be_visible()

    assert on_the_board(town, ripples, "wide").score == points * 1000


def test_a_members_game_is_not_sent_as_anothers(visit: Visit, town: Town, ripples: Board) -> None:
    page = visit("bob")
    page.goto("/play", wait_until="networkidle")
    games = [("not-mine", 999, town.users["alice"].id), ("mine", 1, town.users["bob"].id)]
    kept = [{"id": id, "score": score, "by": by} for id, score, by in games]
    page.evaluate("games => localStorage.setItem('plaza.ripples', JSON.stringify(games))", kept)
    page.reload(wait_until="networkidle")
    expect(page.get_by_text("On the board: your best is")).to_be_visible()

    assert on_the_board(town, ripples, "bob").score == 1000
    assert json.loads(page.evaluate("localStorage.getItem('plaza.ripples')"))[0]["id"] == "not-mine"


@pytest.mark.parametrize("kept", ["nonsense", "{}", "null", '"x"', "[1]"])
def test_what_is_no_list_of_games_harms_nobody(visit: Visit, kept: str) -> None:
    page = visit()
    page.goto("/play")
    page.evaluate("kept => localStorage.setItem('plaza.ripples', kept)", kept)
    page.reload()

    expect(page.get_by_role("button", name="Start")).to_be_visible()
    started(page)


def test_a_refused_score_says_why_and_is_not_sent_again(chromium: Browser, town: Town) -> None:
    window = Window(chromium, town.url, town.token("bob"), extra_http_headers=town.anew)
    page = window.page()
    page.goto("/play", wait_until="networkidle")
    page.evaluate("games => localStorage.setItem('plaza.ripples', JSON.stringify(games))",
                  [{"id": "cheat", "score": 1001, "by": town.users["bob"].id}])  # fmt: skip
    page.reload(wait_until="networkidle")

    expect(page.locator("[data-end]")).to_contain_text(
        "The board did not take it. This board does not take such a score."
    )
    assert page.evaluate("localStorage.getItem('plaza.ripples')") == "[]"
    assert window.drain() == [f"422: {town.url}/api/v1/boards/ripples/scores"]
    window.context.close()


def test_the_game_speaks_chinese(visit: Visit) -> None:
    page = visit(locale="zh-CN")
    page.clock.install()
    page.goto("/play", wait_until="networkidle")
    page.get_by_role("button", name="开始").press(" ")
    finished(page)

    said = page.locator("[data-game]").inner_text()
    assert "再玩一次" in said
    assert re.findall("[A-Za-z]{3,}", said) == []


def test_without_script_no_button_promises_a_game(visit: Visit) -> None:
    """Playwright switches scripts off without telling the parser, so that the words in <noscript> are not drawn here."""
    page = visit(java_script_enabled=False)
    page.goto("/play")

    assert "The game needs JavaScript." in page.content()
    expect(page.get_by_role("button", name="Start")).to_have_count(0)
    expect(page.get_by_role("link", name="All boards")).to_be_visible()
