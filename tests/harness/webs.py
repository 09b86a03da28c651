"""A web process beside the one of the test, which keeps what it has read and tells the others of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models import Models, connected
from models.nearby import Nearby
from models.neighbours import listening
from models.posts import BY_ID
from settings import Settings
from tests.cache.steps import until, until_answers


@asynccontextmanager
async def web(settings: Settings, name: str) -> AsyncIterator[Models]:
    """One web process more, without its door."""
    async with (
        connected(settings, near=True) as models,
        listening(settings.run, name, Nearby(models.cache, models.pages).answer),
    ):
        await until(lambda: models.cache.local.open)
        yield models


async def read_often(models: Models, id: int) -> None:
    """Until its own level has it."""

    async def kept() -> bool:
        await models.posts.one(id)
        return models.cache.local.peek(BY_ID(id).name) is not None

    await until_answers(kept)
