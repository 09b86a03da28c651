"""The models for a command: connected for as long as it works, their refusals told in one line."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import models
from commands.console import Trouble
from models import Models
from models.errors import ModelError
from settings import Settings

T = TypeVar("T")


def with_models(settings: Settings, work: Callable[[Models], Awaitable[T]]) -> T:
    """What `work` returns. Raises Trouble for whatever the models refuse."""

    async def connected() -> T:
        async with models.connected(settings) as tables:
            return await work(tables)

    try:
        return asyncio.run(connected())
    except ModelError as error:
        raise Trouble(str(error) or type(error).__name__) from error
