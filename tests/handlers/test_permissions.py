"""Who may do what: the whole table, tried."""

from collections.abc import Callable
from typing import Any

import pytest
from tornado.web import RequestHandler

from handlers import routes
from models import Models
from tests.handlers.conftest import Town, build_town
from tests.handlers.table import TABLE, WHO, Line
from tests.harness.browser import Answer, Browser
from tests.harness.people import People

METHODS = ("get", "post", "put", "patch", "delete", "options")


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"registrations_per_hour": 1000, "signin_failures_account": 1000, "comments_per_minute": 1000}


def filled(path: str, town: Town, people: People) -> str:
    month = town.post.published_at
    return path.format(
        post=town.post.id, draft=town.draft.id, trashed=town.trashed.id, talk=town.talk.id, reply=town.reply.id,
        bob=people.bob.id, board=town.board.id, race=town.board.slug, hidden=town.hidden.slug,
        poll=town.poll.id, planned=town.planned.id,
        file=town.file.stored_name, month=f"{month:%Y-%m}" if month else "",
    )  # fmt: skip


async def sent(browser: Browser, line: Line, path: str) -> Answer:
    if line.method == "GET":
        return await browser.get(path)
    if line.method == "POST":
        return await browser.post(path, line.form)
    return await browser.request(line.method, path, body=b"")


def test_every_method_of_every_route_is_in_the_table() -> None:
    has = {(line.name, line.method) for line in TABLE}
    wanted = {
        (name, method.upper())
        for _, handler, name in routes()
        for method in METHODS
        if getattr(handler, method) is not getattr(RequestHandler, method)
    }

    assert wanted - has == set()
    assert has <= wanted


@pytest.mark.parametrize("who", WHO)
async def test_everybody_gets_the_statuses_that_are_theirs(
    who: str, models: Models, town: Town, people: People, browse: Callable[[], Browser]
) -> None:
    wrong = []
    for line in TABLE:
        if line.method != "GET":
            town = await build_town(models, people)  # the last line may have changed it
        browser = await browse().sign_in(people.named(who))
        answer = await sent(browser, line, filled(line.path, town, people))
        expected = line.statuses[WHO.index(who)]
        if answer.status != expected:
            wrong.append(f"{line.method} {line.path}: {answer.status} instead of {expected}")

    assert wrong == []


async def test_a_method_that_an_address_does_not_take_is_405_with_those_it_takes(
    town: Town, people: People, ada: Browser
) -> None:
    for name in {line.name for line in TABLE} - {"api_unknown", "v1_unknown"}:
        path = next(line.path for line in TABLE if line.name == name)
        takes = {line.method for line in TABLE if line.name == name}
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if method in takes:
                continue
            body = b"" if method in ("POST", "PUT", "PATCH") else None
            answer = await ada.request(method, filled(path, town, people), body=body)

            assert answer.status == 405, f"{method} {path}"
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == takes, f"{method} {path}"


async def test_what_one_may_not_do_is_not_shown(town: Town, bob: Browser, alice: Browser, visitor: Browser) -> None:
    for browser, rels in ((visitor, []), (bob, ["account"]), (alice, ["account", "manage", "edit"])):
        mine = (await browser.get(f"/api/v1/me?on={town.path}")).json()
        assert [link["rel"] for link in mine["links"]] == rels

    talk, reply = str(town.talk.id), str(town.reply.id)
    assert (await bob.get(f"/api/v1/me?on={town.path}")).json()["comments"] == {talk: ["edit", "delete"]}
    of_alice = (await alice.get(f"/api/v1/me?on={town.path}")).json()["comments"]
    assert of_alice == {talk: ["delete"], reply: ["edit", "delete"]}
