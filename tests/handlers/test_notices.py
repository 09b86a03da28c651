"""Notices of replies: only to who wants them at an address that is theirs, once each, with a way to end them."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from jobs.mails import send_due
from models import Models
from tests.harness.browser import Browser
from tests.harness.people import People, email_of
from tests.harness.post_office import PostOffice, link_in, text_of

BOB = email_of("bob")
Browse = Callable[[], Browser]


@pytest.fixture
def choices(post_office: PostOffice) -> dict[str, Any]:
    return {"smtp_url": f"smtp://127.0.0.1:{post_office.port}", "mail_from": "Plaza <plaza@example.org>"}


async def confirmed(models: Models, *names: str) -> None:
    """As if these had used their links long ago."""
    for name in names:
        user = await models.users.by_email(email_of(name))
        assert user
        await models.addresses.ask_to_confirm(user, "en")
        token = await models.links.make("confirm", user.id, user.email)
        await models.addresses.confirm(token)
    async with models.db.connection() as connection:
        await connection.execute("DELETE FROM mails")


async def replied(models: Models, people: People, *, by: str = "alice") -> tuple[int, int]:
    """Bob comments, somebody answers: (Bob's comment, the answer)."""
    async with models.db.connection() as connection:
        post = await connection.insert(
            "INSERT INTO posts (author_id, slug, title, summary, body_md, body_html, status, published_at, created_at, "
            "updated_at) VALUES (%s, 'a', 'On <Rust> & 中文', '', '', '', 'published', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), "
            "UTC_TIMESTAMP(6))",
            people.alice.id,
        )
    mine = await models.comments.create(post, "First", by=people.bob)
    user = people.named(by)
    assert user
    answer = await models.comments.create(post, "You are *right*.\n\nIs it so?", by=user, parent_id=mine.id)
    return mine.id, answer.id


async def wants_notices(bob: Browser, models: Models, lang: str = "en") -> None:
    await confirmed(models, "bob")
    bob.headers["Accept-Language"] = lang
    assert (await bob.post("/account/notices", {"replies": "1"})).location == "/account?done=notices"


async def test_a_reply_is_told_to_who_wants_it_with_a_way_to_end_that(
    bob: Browser, browse: Browse, models: Models, people: People, post_office: PostOffice
) -> None:
    await wants_notices(bob, models)
    _, answer = await replied(models, people)
    await send_due(models)

    (letter,) = post_office.letters
    assert (letter["To"], letter["Subject"]) == (BOB, "Alice answered you under “On <Rust> & 中文”")
    assert "> You are *right*.\n>\n> Is it so?" in text_of(letter)
    assert link_in(letter) == f"/comments/{answer}"
    assert (await browse().get(link_in(letter))).status == 302

    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    one_click = urlsplit(str(letter["List-Unsubscribe"]).strip("<>")).path
    assert one_click in text_of(letter)
    assert (await browse().get(one_click)).status == 200
    assert await models.notices.wanted(people.bob.id), "opening the link ends nothing"
    ended = await browse().post(one_click, {"List-Unsubscribe": "One-Click"})
    assert ended.status == 200
    assert not await models.notices.wanted(people.bob.id)


async def test_nobody_is_written_to_who_did_not_ask(
    bob: Browser, models: Models, people: People, post_office: PostOffice
) -> None:
    await confirmed(models, "bob")

    await replied(models, people)

    assert await models.db.fetch("SELECT id FROM mails") == ()


async def test_an_address_that_is_not_confirmed_gets_no_notices(
    bob: Browser, models: Models, people: People, post_office: PostOffice
) -> None:
    refused = await bob.post("/account/notices", {"replies": "1"})
    async with models.db.connection() as connection:
        await connection.execute("UPDATE users SET notify_replies = 1")
    await replied(models, people)
    await send_due(models)

    assert refused.status == 422
    assert "Confirm your address first." in refused.text
    assert post_office.letters == []


async def test_nobody_is_told_of_their_own_answer(
    bob: Browser, models: Models, people: People, post_office: PostOffice
) -> None:
    await wants_notices(bob, models)

    await replied(models, people, by="bob")
    await send_due(models)

    assert post_office.letters == []


async def test_an_answer_that_is_held_is_told_once_when_it_is_approved(
    bob: Browser, models: Models, people: People, post_office: PostOffice
) -> None:
    await wants_notices(bob, models)
    mine, _ = await replied(models, people, by="bob")
    async with models.db.connection() as connection:
        await connection.execute("INSERT INTO site (name, value) VALUES ('hold_first_comments', '1')")
    nina = await models.users.register("Nina", "nina@example.org", None)
    post = (await models.comments.one(mine)).post_id
    held = await models.comments.create(post, "Held", by=nina, parent_id=mine)
    await send_due(models)
    assert post_office.to(BOB) == []

    for action in ("approve", "hold", "approve"):
        await models.moderation.act(action, [held.id], by=people.alice)
    await send_due(models)

    assert [letter["Subject"][:4] for letter in post_office.to(BOB)] == ["Nina"]


async def test_an_answer_that_was_deleted_before_it_was_told_is_not_told(
    bob: Browser, models: Models, people: People, post_office: PostOffice
) -> None:
    await wants_notices(bob, models)
    _, answer = await replied(models, people)
    await models.comments.trash(answer, by=people.alice)

    await send_due(models)

    assert post_office.letters == []


async def test_notices_are_in_the_language_in_which_they_were_asked_for_or_that_was_chosen_later(
    bob: Browser, models: Models, people: People, post_office: PostOffice
) -> None:
    await wants_notices(bob, models, "zh")
    mine, _ = await replied(models, people)
    await bob.get("/language/en")
    post = (await models.comments.one(mine)).post_id
    await models.comments.create(post, "More", by=people.alice, parent_id=mine)
    await send_due(models)

    assert [letter["Subject"] for letter in post_office.letters] == [
        "Alice 在《On <Rust> & 中文》下回复了你",
        "Alice answered you under “On <Rust> & 中文”",
    ]


async def test_a_forged_ticket_ends_nobodys_notices(
    bob: Browser, browse: Browse, models: Models, people: People
) -> None:
    await wants_notices(bob, models)
    good = models.notices.ticket(people.bob.id)
    for ticket in (good[:-1] + ("0" if good[-1] != "0" else "1"), f"{people.alice.id}-{good.partition('-')[2]}", "1-"):
        assert (await browse().post(f"/unsubscribe/{ticket}")).status == 404

    assert await models.notices.wanted(people.bob.id)
