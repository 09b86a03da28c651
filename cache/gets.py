"""Reading many names in one trip: all that is asked for in one turn of the event loop goes in one MGET.

Each MGET reads the epoch first, so that an answer can be told from one of another Redis.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from hiredis import ReplyError, pack_command

from cache.line import Down, Line, OtherEpoch
from cache.wire import Late, Lost, Wire

MOST_NAMES = 500  # of one MGET: Redis serves nobody else meanwhile

Found = list[bytes | None] | None
Done = Callable[[list[Any] | Exception], None]


class _Turn:
    """What was asked for in one turn of the loop."""

    __slots__ = ("callers", "names")

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.callers: list[tuple[Sequence[str], asyncio.Future[Found]]] = []

    def answer(self, found: Found) -> None:
        """`found` is in the order of `names`."""
        alone = len(self.callers) == 1
        for names, answer in self.callers:
            if answer.done():  # its caller has gone away
                continue
            if found is None or (alone and len(names) == len(found)):
                answer.set_result(found)
            else:
                answer.set_result([found[self.names[name]] for name in names])


class Gets:
    """The turn that is being filled, and those whose answers are awaited."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._turn: _Turn | None = None
        self._again: set[asyncio.Task[None]] = set()

    async def ask(self, names: Sequence[str]) -> Found:
        """What stands under each name; None when Redis cannot be asked."""
        loop = asyncio.get_running_loop()
        turn = self._turn
        if turn is None:
            turn = self._turn = _Turn()
            loop.call_soon(self._send)
        known = turn.names
        for name in names:
            if name not in known:
                known[name] = len(known)
        answer: asyncio.Future[Found] = loop.create_future()
        turn.callers.append((names, answer))
        return await answer

    async def close(self) -> None:
        """Once the line is closed."""
        await asyncio.gather(*self._again, return_exceptions=True)

    def _send(self) -> None:
        turn, self._turn = self._turn, None
        line = self._line
        assert turn is not None
        line.counts["gets"] += len(turn.names)
        if line.up and line.wire is not None:
            try:
                self._write(line.wire, turn, partial(self._answered, turn, line.value))
                return
            except Lost:
                pass
        self._ask_again(turn)

    def _write(self, wire: Wire, turn: _Turn, done: Done) -> None:
        """One MGET for every 500 names, all in one trip."""
        line, names = self._line, list(turn.names)
        line.counts["trips"] += 1
        packed = [
            _pack(line.key, map(line.full, names[at : at + MOST_NAMES])) for at in range(0, len(names), MOST_NAMES)
        ]
        wire.send(b"".join(packed), len(packed), done)

    def _answered(self, turn: _Turn, epoch: bytes, answers: list[Any] | Exception) -> None:
        found = None if isinstance(answers, Exception) else _of(epoch, answers)
        if found is not None:
            turn.answer(found)
        elif isinstance(answers, Late):
            self._line.fail(answers)
            turn.answer(None)
        else:
            self._ask_again(turn)

    def _ask_again(self, turn: _Turn) -> None:
        """What did not go well at once: there is no connection, it was lost, or the epoch is another."""
        task = asyncio.get_running_loop().create_task(self._ask_slowly(turn), name="get again")
        self._again.add(task)
        task.add_done_callback(self._again.discard)

    async def _ask_slowly(self, turn: _Turn) -> None:
        async def once(wire: Wire) -> Found:
            answer: asyncio.Future[list[Any] | Exception] = asyncio.get_running_loop().create_future()
            epoch = self._line.value
            self._write(wire, turn, lambda answers: None if answer.done() else answer.set_result(answers))
            answers = await answer
            if isinstance(answers, Exception):
                raise answers
            found = _of(epoch, answers)
            if found is None:
                for part in answers:
                    self._line.checked(part)
                raise OtherEpoch("read under another epoch")
            return found

        found: Found = None
        try:
            found = await self._line.asked(once)
        except Down:
            pass
        finally:
            turn.answer(found)


def _pack(epoch: bytes, keys: Iterable[bytes]) -> bytes:
    packed: bytes = pack_command((b"MGET", epoch, *keys))  # type: ignore[arg-type]  # its stub says one
    return packed


def _of(epoch: bytes, answers: list[Any]) -> Found:
    """What was found, if every part of it was read under this epoch."""
    for part in answers:
        if isinstance(part, ReplyError) or part[0] != epoch:
            return None
    return [data for part in answers for data in part[1:]] if len(answers) > 1 else answers[0][1:]
