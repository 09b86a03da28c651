"""A site without SMTP is complete: everything that a mail would do has another way, and none is queued."""

import re
from collections.abc import Callable

import pytest

from jobs.mails import send_due
from models import Models
from models.audit import entries
from tests.harness.browser import Browser
from tests.harness.people import PASSWORD, People, email_of

BOB = email_of("bob")


async def test_who_forgot_the_password_is_told_whom_to_ask(visitor: Browser, models: Models) -> None:
    page, answer = await visitor.get("/forgot"), await visitor.post("/forgot", {"email": BOB})

    for shown in (page, answer):
        assert shown.status == 200
        assert "This site sends no mail." in shown.text
        assert 'action="/forgot"' not in shown.text
    assert await models.db.fetch("SELECT id FROM mails") == ()


async def test_nothing_is_queued_by_anything(browse: Callable[[], Browser], models: Models, people: People) -> None:
    form = {"name": "Nina", "email": "nina@example.org", "password": "correct horse battery"}
    nina = browse()
    assert (await nina.post("/register", form)).status == 303
    assert (await nina.post("/account/address/confirm")).status == 303
    await nina.post("/account/address", {"email": "other@example.org", "password": "correct horse battery"})
    await send_due(models)

    assert await models.db.fetch("SELECT id FROM mails") == ()


async def test_another_address_counts_at_once(bob: Browser, browse: Callable[[], Browser], people: People) -> None:
    page = await bob.get("/account")
    answer = await bob.post("/account/address", {"email": "Robert@example.net", "password": PASSWORD}, follow=True)

    assert "is not confirmed yet" not in page.text
    assert "replies" not in page.text
    assert "Your address is changed." in answer.text
    assert "robert@example.net" in answer.text
    assert (await browse().post("/signin", {"email": "robert@example.net", "password": PASSWORD})).status == 303
    assert (await browse().post("/signin", {"email": BOB, "password": PASSWORD})).status == 401


@pytest.mark.parametrize(
    ("email", "password", "status"), [(email_of("alice"), PASSWORD, 409), ("new@example.org", "wrong password", 422)]
)
async def test_a_change_that_cannot_be_is_told_beside_its_field(
    bob: Browser, models: Models, people: People, email: str, password: str, status: int
) -> None:
    answer = await bob.post("/account/address", {"email": email, "password": password})

    assert answer.status == status
    assert 'aria-invalid="true"' in answer.text
    assert (await models.users.one(people.bob.id)).email == BOB


async def test_operators_are_told_that_no_mail_is_sent(olga: Browser) -> None:
    assert "This site sends no mail" in (await olga.get("/manage/mails")).text


async def test_an_operator_gives_a_link_by_hand(
    olga: Browser, browse: Callable[[], Browser], models: Models, people: People
) -> None:
    shown = await olga.post(f"/manage/users/{people.bob.id}/link")
    (path,) = re.findall(r"http://localhost:8000(/reset\?token=[\w-]+)", shown.text)
    token = path.partition("token=")[2]
    assert BOB in (await browse().get(path)).text

    used = await browse().post("/reset", {"token": token, "password": "quite another horse"})

    assert (used.location, shown.headers["Cache-Control"]) == ("/signin?done=password", "private, no-store")
    assert (await browse().post("/signin", {"email": BOB, "password": "quite another horse"})).status == 303
    assert (await models.users.one(people.bob.id)).confirmed_at is None, "nothing was proved of the address"
    assert [line.action for line in await entries(models.db, target=f"user {people.bob.id}")] == [
        "user.reset_password", "user.link",
    ]  # fmt: skip


async def test_no_link_is_given_for_who_may_do_more(olga: Browser, models: Models, people: People) -> None:
    author = await models.users.import_author("Ruth Old")

    assert (await olga.post(f"/manage/users/{people.ada.id}/link")).status == 403
    assert (await olga.post(f"/manage/users/{author.id}/link")).status == 404
    assert await models.db.fetch("SELECT purpose FROM links") == ()


async def test_a_link_given_to_a_member_ends_when_the_member_gets_other_rights(
    olga: Browser, browse: Callable[[], Browser], models: Models, people: People
) -> None:
    token = await models.addresses.hand_out(people.bob.id, by=people.olga)
    admin = next(role.id for role in await models.rights.all() if role.name == "admin")

    await models.rights.set_roles(people.bob.id, (admin,), by=people.ada)

    form = {"token": token, "password": "quite another horse"}
    assert (await browse().post("/reset", form)).status == 410
