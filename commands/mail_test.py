"""`plaza mail-test`: a mail sent now, without the worker, and what the server says to it."""

import asyncio
from datetime import UTC, datetime

import click

from commands.console import Trouble, say
from commands.instance import current
from content import letters
from jobs import smtp
from models.letters import Letter
from models.mails import Mail
from settings import Settings


@click.command()
@click.argument("address")
def command(address: str) -> None:
    """Send a test mail to ADDRESS at once, and tell what the mail server says."""
    settings = current()
    if settings.smtp_url is None:
        raise Trouble("this site sends no mail: smtp_url and mail_from are not set")
    try:
        asyncio.run(_send(settings, address))
    except smtp.Away as error:
        raise Trouble(f"the mail server cannot be used: {error}") from error
    except smtp.Refused as error:
        raise Trouble(f"the mail server refused it: {error}") from error
    say(f"[green]✓[/] the mail server took it; look into the mailbox of {address}")


async def _send(settings: Settings, address: str) -> None:
    mail = Mail(
        0, "test", address, settings.language, letters.subject("test", settings.language), {}, datetime.now(UTC), 0
    )
    text = letters.text("test", settings.language, title=settings.title, url=settings.site_url)
    async with smtp.server(settings) as server:
        await smtp.send(server, smtp.message(mail, Letter(mail.subject, text, settings.title), settings))
