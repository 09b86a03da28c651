"""The form in which a mail travels, which every mail program must be able to read; and how the server is spoken to."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from jobs import smtp
from models.letters import Letter
from models.mails import Mail
from settings import Settings
from tests.harness.post_office import PostOffice

LONG = "https://a-rather-long-name-of-a-host.community.example.org/unsubscribe/12-b3d5dc8685abe05d1117ed90e7125d9c"
TEXT = "你好\n\nhttps://example.org/reset?token=" + "x" * 43 + "\n.\nFrom here\n" + "ö" * 2_000 + "\n"


def travelled(recipient: str = "bob@example.org", subject: str = "Hi", sender: str = "Plaza") -> EmailMessage:
    mail = Mail(7, "reply", recipient, "zh", subject, {}, datetime(2026, 1, 2, tzinfo=UTC), 0)
    settings = Settings(smtp_url="smtp://localhost", mail_from="plaza@" + "sub." * 30 + "example.org")
    data = smtp.message(mail, Letter(subject, TEXT, sender, LONG), settings).as_bytes()
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")
    for word in re.findall(rb"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", data):
        assert len(word) <= 75, "RFC 2047"
    return message_from_bytes(data, policy=policy.default)


def test_a_text_arrives_as_it_was_written() -> None:
    letter = travelled(subject="你好，世界：" + "新" * 150, sender='Plaza, the "广场" <x>')

    assert letter.get_content().replace("\r\n", "\n") == TEXT
    assert letter["Subject"] == "你好，世界：" + "新" * 150
    assert letter["From"].addresses[0].display_name == 'Plaza, the "广场" <x>'
    assert letter["Message-ID"] == "<plaza-7-1767312000@" + "sub." * 30 + "example.org>"


def test_an_address_to_end_notices_stays_in_one_piece() -> None:
    assert travelled()["List-Unsubscribe"] == f"<{LONG}>"


@pytest.mark.parametrize(
    "recipient",
    ["o'neil+news@x.org", "a..b@x.org", "bob.@x.org", ".x@localhost", "{a}|b~=?utf-8?@x.y", "x@" + "y." * 110 + "z"],
)
def test_every_address_that_the_form_takes_can_be_written_to(recipient: str) -> None:
    assert str(travelled(recipient)["To"]) == recipient


def mailing(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"smtp_url": url, "mail_from": "plaza@example.org"})


async def test_the_name_and_password_of_the_address_are_used(settings: Settings, post_office: PostOffice) -> None:
    async with smtp.server(mailing(settings, f"smtp://us%40er:p%40ss%2Fword@127.0.0.1:{post_office.port}")):
        pass

    assert post_office.logins == [("us@er", "p@ss/word")]


async def test_a_wrong_password_is_told_without_the_password(settings: Settings, post_office: PostOffice) -> None:
    with pytest.raises(smtp.Away, match="535") as caught:
        async with smtp.server(mailing(settings, f"smtp://user:secret@127.0.0.1:{post_office.port}")):
            pass

    assert "secret" not in str(caught.value)


async def test_a_password_is_not_sent_in_the_clear_to_another_machine(settings: Settings) -> None:
    office = PostOffice()
    await office.open("127.0.0.2")  # not among the names of this machine
    try:
        with pytest.raises(smtp.Away, match="STARTTLS"):
            async with smtp.server(mailing(settings, f"smtp://user:p%40ss%2Fword@127.0.0.2:{office.port}")):
                pass
    finally:
        await office.close()

    assert office.logins == []
