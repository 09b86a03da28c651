"""A conversation with the mail server of the settings, and a mail in the form in which it travels."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib

from models.letters import Letter
from models.mails import Mail
from settings import Settings

PATIENCE = 20.0  # s for each answer of the server
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _Policy(EmailPolicy):
    """7-bit, which every server takes. Addresses of the web stay in one piece: encoded, no mail program knows them."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name in ("List-Unsubscribe", "Message-ID"):
            return f"{name}: {value}\r\n".encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n", cte_type="7bit", max_line_length=76)  # an encoded word has at most 75 characters


class Away(Exception):
    """The server cannot be reached, or will not talk to us: no mail can be sent now."""


class Refused(Exception):
    """The server will not take this one. `for_ever`: no later try can help."""

    def __init__(self, reason: str, *, for_ever: bool) -> None:
        super().__init__(reason)
        self.for_ever = for_ever


@asynccontextmanager
async def server(settings: Settings) -> AsyncIterator[aiosmtplib.SMTP]:
    """The server, greeted and signed in to. Raises Away.

    smtps is TLS from the first byte (port 465). smtp begins in the clear (port 25, or 587 with a name) and goes on in TLS
    if the server can, or refuses to go on when there is a password; on this machine it stays in the clear.
    """
    url = urlsplit(settings.smtp_url or "")
    name, tls = unquote(url.username or ""), url.scheme == "smtps"
    upgrade: bool | None = None  # if the server can
    if tls or url.hostname in LOOPBACK:
        upgrade = False
    elif name:
        upgrade = True
    client = aiosmtplib.SMTP(
        hostname=url.hostname, port=url.port or (465 if tls else 587 if name else 25), username=name or None,
        password=unquote(url.password or "") if name else None, use_tls=tls, start_tls=upgrade,
        timeout=PATIENCE, local_hostname=urlsplit(settings.site_url).hostname,
    )  # fmt: skip
    try:
        await client.connect()
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise Away(_said(error)) from error
    try:
        yield client
        with suppress(aiosmtplib.SMTPException, OSError):  # it has what we sent, whether or not it says good-bye
            await client.quit()
    finally:
        client.close()


async def send(client: aiosmtplib.SMTP, message: EmailMessage) -> None:
    """Hand it over. Raises Refused, Away; after either the mail was not taken, as far as can be known."""
    sender, recipient = parseaddr(str(message["From"]))[1], str(message["To"])
    try:
        await client.sendmail(sender, [recipient], message.as_bytes())
    except aiosmtplib.SMTPRecipientsRefused as error:
        code = error.recipients[0].code
        raise Refused(f"{code} {error.recipients[0].message}", for_ever=code >= 500) from error
    except aiosmtplib.SMTPDataError as error:
        raise Refused(_said(error), for_ever=error.code >= 500) from error
    except aiosmtplib.SMTPResponseException as error:  # our own sender's address, or a server out of order
        raise Refused(_said(error), for_ever=False) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Away(_said(error)) from error


def message(mail: Mail, letter: Letter, settings: Settings) -> EmailMessage:
    """A plain text in UTF-8. A mail that is sent again after an unclear end has the id that it had."""
    name, address = parseaddr(settings.mail_from)
    user, _, host = address.rpartition("@")
    made = EmailMessage(policy=_POLICY)
    made["From"] = Address(" ".join((name or letter.sender).split()), user, host)
    made["To"] = mail.recipient
    made["Subject"] = letter.subject
    made["Date"] = format_datetime(mail.created_at)
    made["Message-ID"] = f"<plaza-{mail.id}-{int(mail.created_at.timestamp())}@{host}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    if letter.unsubscribe:
        made["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(letter.text)
    made["Content-Language"] = {"zh": "zh-CN"}.get(mail.language, mail.language)
    return made


def _said(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
