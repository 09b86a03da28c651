"""Send the mails that are due; what fails is tried again, each time after a longer while, and in the end given up."""

import logging

from aiosmtplib import SMTP

from jobs import smtp
from models import Models
from models.errors import Busy
from models.mails import Mail

log = logging.getLogger("plaza.mails")

AT_ONCE = 50  # mails in one conversation


async def send_due(models: Models) -> None:
    """One conversation with the server, if anything is due. Without SMTP in the settings nothing is."""
    due = await models.mails.due(AT_ONCE) if models.mails.enabled else []
    if not due:
        return
    try:
        async with smtp.server(models.mails.settings) as server:
            for mail in due:
                if await models.mails.take(mail):
                    await _send(models, server, mail)
    except smtp.Away as reason:
        waiting = await models.mails.unreachable(str(reason))
        log.warning("no mail can be sent, %s wait: %s", waiting, reason)


async def _send(models: Models, server: SMTP, mail: Mail) -> None:
    """One try. Raises Away when the server is gone, so that the others of this conversation wait without a try."""
    try:
        letter = await models.letters.write(mail)
        if letter is None:
            await models.mails.needless(mail)
            return
        await smtp.send(server, smtp.message(mail, letter, models.mails.settings))
    except smtp.Refused as reason:
        await models.mails.failed(mail, str(reason), for_ever=reason.for_ever)
        log.warning("mail %s (%s) was refused: %s", mail.id, mail.kind, reason)
        return
    except smtp.Away as reason:
        await models.mails.failed(mail, str(reason))
        raise
    except Busy:
        raise  # taken, it comes again when its lease has ended
    except Exception as reason:  # one that cannot be written must not hold up all others
        await models.mails.failed(mail, repr(reason))
        log.exception("mail %s (%s)", mail.id, mail.kind)
        return
    await models.mails.sent(mail)
    log.info("mail %s (%s) is sent", mail.id, mail.kind)
