"""When something is due it is done at once: one heap of moments, and the kernel's own timer to wake for the first of them.

The event loop's timers are up to a millisecond late (epoll counts in whole ones); a timerfd wakes within a tenth of one. Moments
are absolute, in nanoseconds of the monotonic clock, so that nothing drifts: what was late does not make the next one late.

Who has slept is slow for a moment: so the clock wakes a little early and stays awake until then, for a tenth of the time at most.
"""

import asyncio
import ctypes
import os
import sys
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

now = time.monotonic_ns
PRECISE: Final = sys.platform == "linux"  # elsewhere the loop's own timers must do, and a run says so
_MONOTONIC, _ABSOLUTE, _FLAGS = 1, 1, os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)  # as timerfd_create(2) names them
_SECOND: Final = 1_000_000_000
EARLY: Final = 200_000  # ns before a moment
SHARE_AWAKE: Final = 10  # one in so many nanoseconds may be spent awake and idle,
MOST_AWAKE: Final = 20_000_000  # and so many of them at once
AT_ONCE: Final = 64  # moments that are over, before the loop turns to what else there is: who is late must still hear


class Clock:
    """Calls back at moments, in their order and never before them. Belongs to the running loop; close it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0  # of two that are due at one moment the first that was asked for comes first
        self._set = 0  # what the timer is set to, 0 when it is not
        self._awake = False  # then nothing is set: every turn of the loop looks at the heap
        self._counted = now()  # up to when `_may` is right:
        self._may = 0  # ns that may still be spent awake
        self._timer: _Timer = _KernelTimer(self._wake) if PRECISE else _LoopTimer(self._wake)

    def at(self, ns: int, callback: Callable[[], None]) -> None:
        """At this moment of `now()`; at once, but not from within this call, when it is over already."""
        self._count += 1
        heappush(self._heap, (ns, self._count, callback))
        if not self._awake and (not self._set or ns < self._set):
            self._sleep(ns)

    def catch_up(self) -> None:
        """What is due is done now: whoever is about to do what can wait calls this first."""
        heap = self._heap
        for _ in range(AT_ONCE):
            if not heap or heap[0][0] > now():
                break
            heappop(heap)[2]()

    def close(self) -> None:
        """What is still waiting is never called."""
        self._heap.clear()
        self._timer.close()

    def _sleep(self, ns: int) -> None:
        early = EARLY if PRECISE and self._may > EARLY else 0
        self._set = ns - early
        self._timer.set(max(self._set, 1))

    def _wake(self) -> None:
        at, self._set, self._awake = now(), 0, True
        self._may = min(self._may + (at - self._counted) // SHARE_AWAKE, MOST_AWAKE)
        self._counted = at
        self._look()

    def _look(self) -> None:
        try:
            self.catch_up()
        finally:  # an error of one is the loop's to report, and the others keep their moments
            at, next_ns = now(), self._heap[0][0] if self._heap else None
            self._may = max(self._may - (at - self._counted), 0)
            self._counted = at
            if self._may > 0 and next_ns is not None and next_ns - at < EARLY:
                self._loop.call_soon(self._look)
            else:
                self._awake = False
                if next_ns is not None:
                    self._sleep(next_ns)


class _Timer:
    def set(self, ns: int) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class _LoopTimer(_Timer):
    """For systems without timerfd."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._loop, self._ring = asyncio.get_running_loop(), ring
        self._handle: asyncio.TimerHandle | None = None

    def set(self, ns: int) -> None:
        self.close()
        self._handle = self._loop.call_at(self._loop.time() + (ns - now()) / _SECOND, self._look, ns)

    def _look(self, ns: int) -> None:
        """The loop takes its clock's resolution for reached."""
        if now() < ns:
            self.set(ns)
        else:
            self._ring()

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class _KernelTimer(_Timer):
    def __init__(self, ring: Callable[[], None]) -> None:
        self._loop, self._ring = asyncio.get_running_loop(), ring
        self._file = _create()
        self._loop.add_reader(self._file, self._look)

    def set(self, ns: int) -> None:
        _settime(self._file, ns)

    def _look(self) -> None:
        try:
            os.read(self._file, 8)
        except BlockingIOError:  # set anew since it rang
            return
        self._ring()

    def close(self) -> None:
        if self._file >= 0:
            self._loop.remove_reader(self._file)
            os.close(self._file)
            self._file = -1


if sys.version_info >= (3, 13):

    def _create() -> int:
        return os.timerfd_create(time.CLOCK_MONOTONIC, flags=_FLAGS)

    def _settime(file: int, ns: int) -> None:
        os.timerfd_settime_ns(file, flags=os.TFD_TIMER_ABSTIME, initial=ns)

else:

    class _Spec(ctypes.Structure):
        """struct itimerspec: an interval, and the first moment."""

        _fields_ = [(name, ctypes.c_long) for name in ("interval_s", "interval_ns", "s", "ns")]

    _libc = ctypes.CDLL(None, use_errno=True)

    def _create() -> int:
        file: int = _libc.timerfd_create(_MONOTONIC, _FLAGS)
        if file < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return file

    def _settime(file: int, ns: int) -> None:
        spec = _Spec(0, 0, *divmod(ns, _SECOND))
        if _libc.timerfd_settime(file, _ABSOLUTE, ctypes.byref(spec), None) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
