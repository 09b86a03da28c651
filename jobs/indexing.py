"""Read for search what it does not know yet: posts from before there was a search, or from before its rules changed."""

import logging

from models import Models

log = logging.getLogger("plaza.worker")


async def index_unknown(models: Models) -> None:
    count = await models.indexing.index()
    if count:
        log.info("search has read %s rows that it did not know", count)
