"""Deadlocks: MySQL ends one of the transactions that wait for each other, and that one begins again."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from models.errors import Busy, Deadlock

TRIES = 4  # of what MySQL ends for a deadlock

Given = ParamSpec("Given")
Result = TypeVar("Result")


def retried(
    method: Callable[Given, Coroutine[Any, Any, Result]],
) -> Callable[Given, Coroutine[Any, Any, Result]]:
    """For every method that writes: after a deadlock it is done again from its first line, at most three times; then Busy.

    All that a transaction builds is built inside the method, so nothing of a try that failed is left.
    """

    @wraps(method)
    async def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        for last in (False,) * (TRIES - 1) + (True,):
            try:
                return await method(*args, **kwargs)
            except Deadlock as error:
                if last:
                    raise Busy(str(error)) from error
                await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311 - so that the two do not meet again
        raise AssertionError

    return run
