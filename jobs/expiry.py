"""Delete the sessions, tokens and one-time links that nobody can use any more, and mails and undoable changes of long ago."""

from models import Models, batches

AT_ONCE = 1000  # rows in one transaction


async def end_expired(models: Models) -> None:
    while await models.sessions.end_expired(AT_ONCE) == AT_ONCE:
        pass
    while await models.tokens.end_expired(AT_ONCE) == AT_ONCE:
        pass
    await models.links.end_expired()
    await models.mails.end_old()
    await batches.end_old(models.db)
