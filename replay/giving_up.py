"""When a run ends before its time: too much fails, or the target is gone."""

from collections import deque
from typing import Final

from replay.measuring import is_failure
from replay.wire import Reply

_RECENT, _FEW = 200, 20  # requests that errors are counted among; fewer say nothing
_GONE: Final = 5  # s without an answer, while requests fail


class Patience:
    """`most`: the share of the last requests that may fail, 0 for any."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._failed = deque[bool](maxlen=_RECENT)
        self._dead_ns = 0  # since when nothing but failures came, 0 while answers come

    def heard(self, reply: Reply) -> str:
        """Why this is enough, "" while it is not."""
        failed = is_failure(reply.failed or str(reply.status))
        self._failed.append(failed)
        if not reply.failed:
            self._dead_ns = 0
        elif not self._dead_ns:
            self._dead_ns = reply.end_ns
        if not failed or len(self._failed) < _FEW:
            return ""
        share, last = sum(self._failed) / len(self._failed), reply.failed or reply.status
        if self._most and share >= self._most:
            return f"{share:.0%} of the last {len(self._failed)} requests failed, the last one: {last}"
        if self._dead_ns and reply.end_ns - self._dead_ns > _GONE * 1_000_000_000:
            return f"the target is gone: for {_GONE} s there was no answer, the last time: {last}"
        return ""
