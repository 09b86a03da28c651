"""Another address: it counts when its link is used; the old one is told, and so is who has it already."""

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
Browse = Callable[[], Browser]


@pytest.fixture
def choices(post_office: PostOffice) -> dict[str, Any]:
    return {"smtp_url": f"smtp://127.0.0.1:{post_office.port}", "mail_from": "Plaza <plaza@example.org>"}


async def asked_for_password(browser: Browser, models: Models, office: PostOffice, email: str = BOB) -> str:
    """The link of the mail."""
    assert (await browser.post("/forgot", {"email": email})).status == 200
    await send_due(models)
    return link_in(office.to(email)[-1])


async def test_another_address_counts_when_its_link_is_used_and_the_old_one_is_told(
    bob: Browser, browse: Browse, models: Models, people: People, post_office: PostOffice
) -> None:
    reset = await asked_for_password(browse(), models, post_office)
    answer = await bob.post("/account/address", {"email": "Robert@example.net", "password": PASSWORD}, follow=True)
    assert "A mail is on its way to the new address." in answer.text
    assert BOB in answer.text
    await send_due(models)
    assert len(post_office.to(BOB)) == 1, "the old address is told when it happens"

    link = link_in(post_office.to("robert@example.net")[0])
    assert "robert@example.net" in (await browse().get(link)).text
    done = await browse().post("/confirm", {"token": token_of(link)})
    await send_due(models)

    assert done.location == "/signin?done=confirmed"
    assert "robert@example.net" in (await bob.get("/account")).text
    assert "now has another address" in text_of(post_office.to(BOB)[-1])
    assert "robert" not in text_of(post_office.to(BOB)[-1])
    assert (await browse().post("/signin", {"email": BOB, "password": PASSWORD})).status == 401
    assert (await browse().post("/signin", {"email": "robert@example.net", "password": PASSWORD})).status == 303
    assert (await browse().get(reset)).status == 410, "links that went to the old address end"
    assert await models.users.by_email(BOB) is None
    (line,) = await entries(models.db, action="user.change_address")
    assert (line.was["email"], line.became["email"]) == (BOB, "robert@example.net")


async def test_an_address_that_is_taken_is_told_to_its_owner_alone(
    bob: Browser, models: Models, people: People, post_office: PostOffice
) -> None:
    taken = await bob.post("/account/address", {"email": email_of("alice"), "password": PASSWORD}, follow=True)
    free = await bob.post("/account/address", {"email": "free@example.org", "password": PASSWORD}, follow=True)
    await send_due(models)

    assert taken.text == free.text
    (letter,) = post_office.to(email_of("alice"))
    assert letter["Subject"] == "This address has an account already"
    assert "token=" not in text_of(letter)


async def test_an_address_that_was_taken_meanwhile_stays_its_owners(
    bob: Browser, models: Models, people: People, post_office: PostOffice
) -> None:
    await bob.post("/account/address", {"email": "new@example.org", "password": PASSWORD})
    await send_due(models)
    await models.users.register("Nina", "new@example.org", None)

    answer = await bob.post("/confirm", {"token": token_of(link_in(post_office.letters[0]))})

    assert answer.status == 409
    assert "There is an account with this address." in answer.text
    assert (await models.users.one(people.bob.id)).email == BOB


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"email": "no", "password": PASSWORD}, "email"),
        ({"email": BOB, "password": PASSWORD}, "email"),
        ({"email": "new@example.org", "password": "wrong password"}, "password"),
    ],
)
async def test_a_wrong_change_of_address_is_told_beside_its_field(
    bob: Browser, models: Models, form: dict[str, str], field: str
) -> None:
    answer = await bob.post("/account/address", form)

    assert answer.status == 422
    assert f'id="page-{field}-error"' in answer.text
    assert await models.db.fetch("SELECT id FROM mails") == ()
