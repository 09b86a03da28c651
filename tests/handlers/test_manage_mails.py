"""Operators see what was sent and what failed, try it again, and forget it."""

from typing import Any

import pytest

from jobs.mails import send_due
from models import Models
from models.audit import entries
from models.errors import Forbidden
from models.mailroom import Filter
from tests.harness.browser import Browser
from tests.harness.people import People, email_of
from tests.harness.post_office import PostOffice

BOB, ALICE = email_of("bob"), email_of("alice")


@pytest.fixture
def choices(post_office: PostOffice) -> dict[str, Any]:
    return {"smtp_url": f"smtp://127.0.0.1:{post_office.port}", "mail_from": "plaza@example.org"}


async def one_sent_one_refused(models: Models, office: PostOffice) -> int:
    """Alice's was sent, Bob's was not; the id of Bob's."""
    await models.addresses.forgot(ALICE, "en")
    await models.addresses.forgot(BOB, "en")
    office.refusals[BOB] = "550 no such mailbox"
    await send_due(models)
    ((id,),) = await models.db.fetch("SELECT id FROM mails WHERE recipient = %s", BOB)
    return int(id)


async def test_what_failed_is_shown_with_what_the_server_said(
    olga: Browser, models: Models, post_office: PostOffice
) -> None:
    await one_sent_one_refused(models, post_office)

    everything, failed = await olga.get("/manage/mails"), await olga.get("/manage/mails?state=failed")
    his = await olga.get(f"/manage/mails?recipient={ALICE.upper()}")

    assert ALICE in everything.text
    assert BOB in everything.text
    assert ALICE not in failed.text
    assert "550 no such mailbox" in failed.text
    assert "given up" in failed.text
    assert ALICE in his.text
    assert BOB not in his.text
    assert BOB in (await olga.get("/manage/")).text


async def test_a_failed_mail_is_tried_again_and_a_sent_one_is_not_sent_twice(
    olga: Browser, models: Models, post_office: PostOffice
) -> None:
    id = await one_sent_one_refused(models, post_office)
    ((sent,),) = await models.db.fetch("SELECT id FROM mails WHERE recipient = %s", ALICE)
    post_office.refusals.clear()

    one = await olga.post("/manage/mails", {"one": f"again.{id}"})
    other = await olga.post("/manage/mails", {"one": f"again.{sent}"})
    await send_due(models)

    assert one.location == "/manage/mails?done=again&n=1"
    assert other.location == "/manage/mails?done=again&left=1"
    assert post_office.recipients == [ALICE, BOB]
    (line,) = await entries(models.db, action="mail.again")
    assert line.target == f"mail {id}"


async def test_a_forgotten_mail_is_gone(olga: Browser, models: Models, post_office: PostOffice) -> None:
    id = await one_sent_one_refused(models, post_office)

    await olga.post("/manage/mails?state=failed", {"ids": str(id), "action": "forget"})

    assert BOB not in (await olga.get("/manage/mails")).text
    assert await models.attention.mails() == []


async def test_members_and_editors_do_nothing_to_mails(models: Models, people: People, post_office: PostOffice) -> None:
    id = await one_sent_one_refused(models, post_office)

    for user in (people.bob, people.alice):
        with pytest.raises(Forbidden):
            await models.mailroom.act("forget", [id], by=user)


async def test_the_failed_ones_are_found_by_an_index(models: Models, people: People) -> None:
    async with models.db.connection() as connection:
        await connection.execute(
            "INSERT INTO mails (kind, recipient, language, subject, facts, created_at, tries, sent_at) "
            "SELECT 'reset', 'm@example.org', 'en', 'S', '{}', UTC_TIMESTAMP(6), seq MOD 9, "
            "IF(seq MOD 9, NULL, UTC_TIMESTAMP(6)) FROM seq_1_to_20000"
        )

    plan = await models.db.fetch(
        "EXPLAIN SELECT id FROM mails FORCE INDEX (failed) WHERE sent_at IS NULL AND tries = 3 ORDER BY id DESC LIMIT 51"
    )
    sheet = await models.mailroom.sheet(Filter(failed=True))

    assert "filesort" not in str(plan)
    assert len(sheet.items) == 50
    assert all(mail.tries for mail in sheet.items)
    assert sheet.count == 10_001
