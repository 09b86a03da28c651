"""Long work for somebody who may not wait for it: it ends when they have gone."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tornado.web import Finish

from handlers.base import Base

Value = TypeVar("Value")


class Leaving(Base):
    _gone = False
    _work: "asyncio.Task[Any] | None" = None

    async def while_here(self, work: Coroutine[Any, Any, Value]) -> Value:
        """What the work gives. It is cancelled when the connection is closed, and nothing is answered then."""
        task = asyncio.create_task(work)
        self._work = task
        if self._gone:
            task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            if self._gone:
                raise Finish from None
            raise

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._gone = True
        if self._work:
            self._work.cancel()
