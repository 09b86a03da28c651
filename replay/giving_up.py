"""When a run ends before its time: too much fails, or the target is gone."""

from collections import deque
from typing import Final

from replay.measuring import is_failure
from replay.wire import Reply

_RECENT, _FEW = 200, 20  # requests that errors are counted among; fewer say nothing
_GONE: Final = 5  # s without an answer, while requests fail
_END: Final = 1  # s of that are enough at the end
_SECOND: Final = 1_000_000_000


class Patience:
    """`most`: the share of the last requests that may fail, 0 for any."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._failed = deque[bool](maxlen=_RECENT)
        self._answered = False  # ever
        self._dead_ns = self._last_ns = self._dead = (
            0  # since when, until when, and how often nothing but failures came
        )
        self._word = ""  # the last of them

    def heard(self, reply: Reply) -> str:
        """Why this is enough, "" while it is not."""
        failed = is_failure(reply.failed or str(reply.status))
        self._failed.append(failed)
        if reply.failed:
            self._dead_ns = self._dead_ns if self._dead else reply.end_ns
            self._dead, self._last_ns, self._word = self._dead + 1, reply.end_ns, reply.failed
        else:
            self._answered, self._dead = True, 0
        if self._most and failed and len(self._failed) >= _FEW:
            share, last = sum(self._failed) / len(self._failed), reply.failed or reply.status
            if share >= self._most:
                return f"{share:.0%} of the last {len(self._failed)} requests failed, the last one: {last}"
        if self._dead >= _FEW and self._last_ns - self._dead_ns > _GONE * _SECOND:
            return self._gone()
        return ""

    def at_end(self) -> str:
        """Whether nobody was there any more when all was sent. Who is slow is there: time-outs are what comes last of any run."""
        if self._dead and (
            not self._answered or (self._word != "timeout" and self._last_ns - self._dead_ns > _END * _SECOND)
        ):
            return self._gone()
        return ""

    def _gone(self) -> str:
        return f"the target is gone: the last {self._dead:,} requests had no answer, the last one: {self._word}"
