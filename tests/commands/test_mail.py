"""`plaza mail-test`, and what doctor says of the mail server."""

import asyncio

from tests.commands.instances import Instance
from tests.harness.post_office import PostOffice, text_of


def mailing(fresh: Instance, port: int) -> None:
    fresh.environment |= {"PLAZA_SMTP_URL": f"smtp://localhost:{port}", "PLAZA_MAIL_FROM": "Plaza <plaza@example.org>"}


async def test_a_test_mail_is_sent_at_once(fresh: Instance, post_office: PostOffice) -> None:
    mailing(fresh, post_office.port)

    done = await asyncio.to_thread(fresh.plaza, "mail-test", "you@example.org")

    assert done.returncode == 0, done.stderr
    assert post_office.recipients == ["you@example.org"]
    assert "can send mail" in text_of(post_office.letters[0])


async def test_what_the_server_says_against_it_is_told(fresh: Instance, post_office: PostOffice) -> None:
    mailing(fresh, post_office.port)
    post_office.refusals["you@example.org"] = "550 no such mailbox"
    refused = await asyncio.to_thread(fresh.plaza, "mail-test", "you@example.org")
    await post_office.close()
    away = await asyncio.to_thread(fresh.plaza, "mail-test", "you@example.org")

    assert (refused.returncode, away.returncode) == (1, 1)
    assert "refused it: 550 no such mailbox" in refused.stderr
    assert "cannot be used" in away.stderr


def test_a_site_without_mail_says_so(fresh: Instance) -> None:
    done = fresh.plaza("mail-test", "you@example.org")

    assert done.returncode == 1
    assert "smtp_url and mail_from are not set" in done.stderr


async def test_doctor_looks_at_the_mail_server(fresh: Instance, post_office: PostOffice) -> None:
    without = await asyncio.to_thread(fresh.plaza, "doctor")
    mailing(fresh, post_office.port)
    there = await asyncio.to_thread(fresh.plaza, "doctor")
    await post_office.close()
    away = await asyncio.to_thread(fresh.plaza, "doctor")

    assert "none is sent, and none is needed" in without.stdout
    assert "localhost lets us in" in there.stdout
    assert "plaza mail-test ADDRESS sends one" in away.stdout
