"""What is queued is sent once; what fails is tried again after growing whiles, and in the end given up and shown."""

import asyncio
import logging
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs import smtp
from jobs.expiry import end_expired
from jobs.mails import send_due
from models import Models
from models.mails import DELAYS
from settings import ROOT, Settings, environment
from tests.harness.people import People, email_of
from tests.harness.post_office import PostOffice, text_of

BOB = email_of("bob")


@pytest.fixture
def choices(post_office: PostOffice) -> dict[str, Any]:
    return {"smtp_url": f"smtp://127.0.0.1:{post_office.port}", "mail_from": "plaza@example.org", "title": "The “广场”"}


async def ask(models: Models, email: str = BOB, lang: str = "en") -> None:
    await models.addresses.forgot(email, lang)


async def rows(models: Models) -> list[tuple[Any, ...]]:
    """(tries, seconds until the next one, whether it was sent, error) of each."""
    found = await models.db.fetch(
        "SELECT tries, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), due_at), sent_at IS NOT NULL, error FROM mails ORDER BY id"
    )
    return [(tries, seconds, bool(sent), error) for tries, seconds, sent, error in found]


async def wait_is_over(models: Models) -> None:
    async with models.db.connection() as connection:
        await connection.execute("UPDATE mails SET due_at = %s WHERE due_at IS NOT NULL", datetime.now(UTC))


async def test_a_mail_is_sent_once_and_in_good_form(models: Models, people: People, post_office: PostOffice) -> None:
    await ask(models)

    await send_due(models)
    await send_due(models)

    (letter,) = post_office.letters
    assert post_office.recipients == [BOB]
    assert letter["From"].addresses[0].display_name == "The “广场”"
    assert (letter["To"], letter["Auto-Submitted"], letter["Content-Language"]) == (BOB, "auto-generated", "en")
    assert letter["Message-ID"].endswith("@example.org>")
    assert letter["Subject"] == "A new password for your account"
    assert letter.get_content_type() == "text/plain"
    assert text_of(letter).startswith("Hello Bob,")
    assert await rows(models) == [(1, None, True, "")]
    assert post_office.conversations == 1


async def test_no_conversation_is_begun_for_nothing(models: Models, post_office: PostOffice) -> None:
    await send_due(models)

    assert post_office.conversations == 0


async def test_a_mail_of_a_transaction_that_fails_is_not_sent(
    models: Models, people: People, post_office: PostOffice
) -> None:
    async def fail() -> None:
        async with models.users.write() as w:
            await models.mails.queue(w, "reset", BOB, "en")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    await send_due(models)

    assert post_office.letters == []


async def test_two_workers_send_a_mail_once(
    models: Models, other_models: Models, people: People, post_office: PostOffice
) -> None:
    for name in ("alice", "bob", "olga", "ada"):
        await ask(models, email_of(name))

    await asyncio.gather(*(send_due(m) for m in (models, other_models, models, other_models)))

    assert sorted(post_office.recipients) == sorted(email_of(name) for name in ("alice", "bob", "olga", "ada"))


async def test_a_worker_that_was_killed_while_sending_leaves_the_mail_to_be_sent(
    models: Models, people: People, post_office: PostOffice
) -> None:
    await ask(models)
    post_office.hold = asyncio.Event()
    task = asyncio.create_task(send_due(models))
    await post_office.arrived.wait()
    task.cancel()
    await asyncio.wait([task])
    post_office.hold.set()
    post_office.hold = None

    ((tries, seconds, sent, _),) = await rows(models)
    assert (tries, sent) == (1, False)
    assert 240 < seconds <= 300  # it is another's when this one's time is over
    await wait_is_over(models)
    await send_due(models)
    assert (await rows(models))[0][2]


async def test_what_is_refused_for_now_is_tried_again_after_growing_whiles_and_then_given_up(
    models: Models, people: People, post_office: PostOffice
) -> None:
    await ask(models)
    post_office.refusals[BOB] = "451 later, please"
    waits = []
    for _ in range(len(DELAYS) + 1):
        await send_due(models)
        ((_, seconds, _, error),) = await rows(models)
        waits.append(seconds)
        assert error == "451 later, please"
        await wait_is_over(models)

    assert [w + 1 if w is not None else None for w in waits] == [*DELAYS, None]
    (shown,) = await models.attention.mails()
    assert (shown.recipient, shown.tries, shown.due_at) == (BOB, len(DELAYS) + 1, None)
    assert shown.subject == "A new password for your account"
    await send_due(models)
    assert post_office.letters == []


@pytest.mark.parametrize("at", [BOB, "DATA"])
async def test_what_is_refused_for_good_is_not_tried_again(
    models: Models, people: People, post_office: PostOffice, at: str
) -> None:
    await ask(models)
    post_office.refusals[at] = "550 5.1.1 nobody of that name here"

    await send_due(models)

    assert await rows(models) == [(1, None, False, "550 5.1.1 nobody of that name here")]


async def test_a_refusal_of_our_own_address_is_a_matter_for_the_operator_and_tried_again(
    models: Models, people: People, post_office: PostOffice
) -> None:
    await ask(models)
    post_office.refusals["MAIL"] = "550 not as that sender"

    await send_due(models)

    ((tries, seconds, _, error),) = await rows(models)
    assert (tries, error) == (1, "550 not as that sender")
    assert seconds is not None


async def test_one_bad_mail_holds_up_no_other(models: Models, people: People, post_office: PostOffice) -> None:
    await ask(models, email_of("alice"))
    await ask(models)
    post_office.refusals[email_of("alice")] = "550 no"

    await send_due(models)

    assert post_office.recipients == [BOB]


async def test_a_mail_that_cannot_be_written_holds_up_no_other(
    models: Models, people: People, post_office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    async with models.db.connection() as connection:
        await connection.execute(
            "INSERT INTO mails (kind, recipient, language, subject, facts, created_at, due_at) "
            "VALUES ('unheard', 'x@example.org', 'en', '', '{}', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) - INTERVAL 1 DAY)"
        )
    await ask(models)

    await send_due(models)

    assert post_office.recipients == [BOB]
    assert [(tries, sent) for tries, _, sent, _ in await rows(models)] == [(1, False), (1, True)]


async def test_while_the_server_is_away_all_wait_and_nothing_is_lost(
    models: Models, people: People, post_office: PostOffice
) -> None:
    await post_office.close()
    for name in ("alice", "bob", "ada"):
        await ask(models, email_of(name))

    await send_due(models)

    found = await rows(models)
    assert [(tries, sent) for tries, _, sent, _ in found] == [(1, False)] * 3
    assert all(50 < seconds <= 60 and "connect" in error.lower() for _, seconds, _, error in found)
    await post_office.open()
    await wait_is_over(models)
    await send_due(models)
    assert len(post_office.letters) == 3


async def test_a_server_that_hangs_up_in_the_middle_costs_the_others_no_conversation_each(
    models: Models, people: People, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "PATIENCE", 0.3)
    for name in ("alice", "bob", "ada"):
        await ask(models, email_of(name))
    post_office.hold = asyncio.Event()

    await send_due(models)

    assert post_office.conversations == 1
    assert [tries for tries, *_ in await rows(models)] == [1, 1, 1]
    post_office.hold.set()


async def test_nothing_secret_is_kept_or_logged(
    models: Models, people: People, post_office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await ask(models)

    await send_due(models)

    token = text_of(post_office.letters[0]).partition("token=")[2].split()[0]
    assert len(token) == 43
    assert token not in caplog.text
    for table in ("mails", "links"):
        assert token not in str(await models.db.fetch(f"SELECT * FROM {table}"))  # noqa: S608
    assert await models.links.find(token, "reset")


async def test_old_mails_are_forgotten(models: Models, people: People, post_office: PostOffice) -> None:
    await ask(models)
    async with models.db.connection() as connection:
        await connection.execute("UPDATE mails SET created_at = %s", datetime.now(UTC) - timedelta(days=31))

    await end_expired(models)

    assert await rows(models) == []


async def test_one_address_gets_few_mails_an_hour(models: Models, people: People, post_office: PostOffice) -> None:
    for _ in range(12):
        await ask(models)
    await ask(models, email_of("alice"))

    await send_due(models)

    assert len(post_office.to(BOB)) == 5
    assert len(post_office.to(email_of("alice"))) == 1


async def test_the_worker_sends_within_a_second_or_so(
    settings: Settings, models: Models, people: People, post_office: PostOffice
) -> None:
    names = ("var", "mysql_url", "redis_url", "namespace", "smtp_url", "mail_from")
    told = environment({name: str(getattr(settings, name)) for name in names})
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-P", f"{ROOT}/worker.py", env=told, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await ask(models)
        async with asyncio.timeout(20):
            await post_office.arrived.wait()
    finally:
        worker.terminate()
        await worker.wait()

    assert post_office.recipients == [BOB]
