"""Confirming an address and choosing a new password, by the links of real mails."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from jobs.mails import send_due
from models import Models
from models.audit import entries
from tests.harness.browser import Browser
from tests.harness.people import PASSWORD, People, email_of
from tests.harness.post_office import PostOffice, link_in, text_of, token_of

BOB = email_of("bob")
NEW_PASSWORD = "quite another horse"
Browse = Callable[[], Browser]


@pytest.fixture
def choices(post_office: PostOffice) -> dict[str, Any]:
    return {"smtp_url": f"smtp://127.0.0.1:{post_office.port}", "mail_from": "Plaza <plaza@example.org>"}


async def asked_for_password(browser: Browser, models: Models, office: PostOffice, email: str = BOB) -> str:
    """The link of the mail."""
    assert (await browser.post("/forgot", {"email": email})).status == 200
    await send_due(models)
    return link_in(office.to(email)[-1])


async def test_a_registration_is_confirmed_by_the_link_of_its_mail(
    browse: Browse, models: Models, post_office: PostOffice
) -> None:
    browser = browse()
    form = {"name": "Nina", "email": "Nina@Example.org", "password": "correct horse battery"}
    assert (await browser.post("/register", form)).status == 303
    await send_due(models)
    (letter,) = post_office.to("nina@example.org")
    assert "nina@example.org is not confirmed yet" in (await browser.get("/account")).text

    link = link_in(letter)
    page = await browser.get(link)
    user = await models.users.by_email("nina@example.org")
    assert user
    assert user.confirmed_at is None, "opening a link changes nothing"
    answer = await browser.post("/confirm", {"token": token_of(link)}, follow=True)

    assert page.status == 200
    assert answer.path == "/account?done=confirmed"
    assert "Your address is confirmed." in answer.text
    assert "is not confirmed yet" not in answer.text
    user = await models.users.by_email("nina@example.org")
    assert user
    assert user.confirmed_at
    assert [entry.action for entry in await entries(models.db, target=f"user {user.id}")] == ["user.confirm"]
    assert (await browser.post("/confirm", {"token": token_of(link)})).status == 410


async def test_the_mail_is_in_the_language_of_the_page(browse: Browse, models: Models, post_office: PostOffice) -> None:
    browser = browse()
    browser.headers["Accept-Language"] = "zh-CN"
    form = {"name": "妮娜", "email": "nina@example.org", "password": "correct horse battery"}
    await browser.post("/register", form)
    await browser.post("/forgot", {"email": BOB})

    await send_due(models)

    (letter,) = post_office.to("nina@example.org")
    assert letter["Subject"] == "这是你的邮箱地址吗？"
    assert text_of(letter).startswith("妮娜，你好！")
    assert letter["Content-Language"] == "zh-CN"
    assert "设置新密码" in text_of(post_office.to(BOB)[0])


async def test_a_new_password_is_chosen_once_and_ends_all_sessions(
    bob: Browser, browse: Browse, models: Models, people: People, post_office: PostOffice
) -> None:
    visitor = browse()
    link = await asked_for_password(visitor, models, post_office)
    page = await visitor.get(link)
    assert page.status == 200
    assert BOB in page.text
    assert page.headers["Cache-Control"] == "private, no-store"
    assert page.headers["Referrer-Policy"] == "strict-origin", "no log behind it shall hold the link"

    short = await visitor.post("/reset", {"token": token_of(link), "password": "short"})
    done = await visitor.post("/reset", {"token": token_of(link), "password": NEW_PASSWORD}, follow=True)

    assert short.status == 422
    assert 'aria-invalid="true"' in short.text
    assert done.path == "/signin?done=password"
    assert "Sign in with the new one." in done.text
    assert (await bob.get("/account")).status == 302, "who was signed in is not any more"
    assert (await visitor.post("/signin", {"email": BOB, "password": PASSWORD})).status == 401
    assert (await visitor.post("/signin", {"email": BOB, "password": NEW_PASSWORD})).status == 303
    again = await browse().post("/reset", {"token": token_of(link), "password": "yet another horse"})
    assert again.status == 410
    assert "This link has ended" in again.text


async def test_a_link_that_is_used_twice_at_once_is_used_once(
    browse: Browse, models: Models, people: People, post_office: PostOffice
) -> None:
    token = token_of(await asked_for_password(browse(), models, post_office))
    form = [{"token": token, "password": f"{word} another horse"} for word in ("quite", "yet", "still")]

    answers = await asyncio.gather(*(browse().post("/reset", fields) for fields in form))

    assert sorted(answer.status for answer in answers) == [303, 410, 410]


async def test_a_used_link_ends_the_others_that_were_sent(
    browse: Browse, models: Models, people: People, post_office: PostOffice
) -> None:
    links = [await asked_for_password(browse(), models, post_office) for _ in range(3)]
    assert len(set(links)) == 3
    await browse().post("/reset", {"token": token_of(links[1]), "password": NEW_PASSWORD})

    assert [(await browse().get(link)).status for link in links] == [410, 410, 410]


async def test_a_password_changed_otherwise_ends_the_links(
    bob: Browser, browse: Browse, models: Models, post_office: PostOffice
) -> None:
    link = await asked_for_password(browse(), models, post_office)
    await bob.post("/account/password", {"current": PASSWORD, "new": NEW_PASSWORD})

    assert (await browse().get(link)).status == 410


async def test_a_link_lives_an_hour_from_when_it_was_sent(
    browse: Browse, models: Models, people: People, post_office: PostOffice
) -> None:
    link = await asked_for_password(browse(), models, post_office)
    ((seconds,),) = await models.db.fetch("SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), expires_at) FROM links")
    assert 3_500 < seconds <= 3_600
    async with models.db.connection() as connection:
        await connection.execute("UPDATE links SET expires_at = UTC_TIMESTAMP(6)")

    answer = await browse().post("/reset", {"token": token_of(link), "password": NEW_PASSWORD})

    assert ((await browse().get(link)).status, answer.status) == (410, 410)
    assert (await browse().post("/signin", {"email": BOB, "password": PASSWORD})).status == 303


async def test_nobody_learns_who_is_a_member(
    browse: Browse, models: Models, people: People, post_office: PostOffice
) -> None:
    answers = [await browse().post("/forgot", {"email": email}) for email in (BOB, "zoe@example.org")]

    texts = [answer.text.replace(BOB, "x").replace("zoe@example.org", "x") for answer in answers]
    assert texts[0] == texts[1]
    assert [answer.status for answer in answers] == [200, 200]
    await send_due(models)
    assert post_office.recipients == [BOB]
    assert await models.db.fetch("SELECT recipient FROM mails") == ((BOB,),), "of the other nothing is left"


@pytest.mark.parametrize("who", ["inactive", "imported"])
async def test_who_cannot_sign_in_gets_no_link(
    who: str, browse: Browse, models: Models, people: People, post_office: PostOffice
) -> None:
    await models.users.import_author("someone@example.org")
    await models.users.set_active(people.bob.id, False)

    await browse().post("/forgot", {"email": {"inactive": BOB, "imported": "someone@example.org"}[who]})
    await send_due(models)

    assert post_office.letters == []


async def test_a_member_who_was_deactivated_meanwhile_cannot_use_the_link(
    browse: Browse, models: Models, people: People, post_office: PostOffice
) -> None:
    link = await asked_for_password(browse(), models, post_office)
    await models.users.set_active(people.bob.id, False)

    assert (await browse().get(link)).status == 410
    assert (await browse().post("/reset", {"token": token_of(link), "password": NEW_PASSWORD})).status == 410


async def test_asking_is_limited_by_address(visitor: Browser, models: Models) -> None:
    statuses = [(await visitor.post("/forgot", {"email": f"n{n}@example.org"})).status for n in range(21)]

    assert statuses == [200] * 20 + [429]


async def test_a_link_for_one_thing_does_no_other(
    browse: Browse, models: Models, people: People, post_office: PostOffice
) -> None:
    link = await asked_for_password(browse(), models, post_office)
    confirm = await models.links.make("confirm", people.bob.id, BOB)

    assert (await browse().post("/confirm", {"token": token_of(link)})).status == 410
    assert (await browse().post("/reset", {"token": confirm, "password": NEW_PASSWORD})).status == 410
    assert (await browse().get(f"/register?invite={token_of(link)}")).status == 404


async def test_every_link_of_a_mail_is_at_the_sites_own_address(
    browse: Browse, models: Models, people: People, post_office: PostOffice
) -> None:
    """Whatever Host the request that asked had: the links come from the setting."""
    await browse().request(
        "POST", "/forgot", body=f"email={BOB}".encode(), headers={
            "Host": "127.0.0.1:9", "Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    await send_due(models)

    found = re.findall(r"https?://[^\s/]+", text_of(post_office.letters[0]))
    assert set(found) == {"http://localhost:8000"}


async def test_where_mails_are_sent_nobody_gives_links_by_hand(olga: Browser, people: People) -> None:
    assert "/link" not in (await olga.get(f"/manage/users/{people.bob.id}")).text
    assert (await olga.post(f"/manage/users/{people.bob.id}/link")).status == 404
