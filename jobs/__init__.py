"""The duties of the worker, one file each: a name, how often, and what is done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from jobs.boards import build, count, follow
from jobs.comparing import compare_writes
from jobs.expiry import end_expired
from jobs.figures import keep_history, look_at_stores
from jobs.files import adopt_leftovers, clear_files, end_files
from jobs.indexing import index_unknown
from jobs.mails import send_due
from jobs.outbox import sweep
from jobs.polls import follow_time
from jobs.publishing import publish_due
from jobs.refreshing import NAME, keep_true
from jobs.statsd import Sender
from models import Models


@dataclass(frozen=True, slots=True)
class Duty:
    """`run` is called again `every` seconds after it has ended, and may take `at_most` seconds; None: it does not end."""

    name: str
    every: float
    at_most: float | None
    run: Callable[[Models], Awaitable[None]]


DUTIES = (
    Duty(NAME, every=1, at_most=None, run=keep_true),
    Duty("make forgotten what a write could not", every=1, at_most=20, run=sweep),
    Duty("publish what is scheduled", every=0.5, at_most=20, run=publish_due),
    Duty("open and close polls in time", every=0.5, at_most=20, run=follow_time),
    Duty("keep leaderboards true", every=1, at_most=60, run=follow),
    Duty("count for the built-in leaderboards", every=1, at_most=60, run=count),
    Duty("build leaderboards", every=0.5, at_most=120, run=build),
    Duty("end files whose time is over", every=0.5, at_most=60, run=end_files),
    Duty("delete what was in the trash", every=60, at_most=600, run=clear_files),
    Duty("find stored bytes that nothing knows", every=86_400, at_most=3_600, run=adopt_leftovers),
    Duty("send mails", every=1, at_most=240, run=send_due),
    Duty("end expired sessions and links", every=60, at_most=30, run=end_expired),
    Duty("compare writes on every level", every=0.5, at_most=60, run=compare_writes),
    Duty("look at MySQL and Redis", every=5, at_most=10, run=look_at_stores),
    Duty("keep the history of figures", every=10, at_most=10, run=keep_history),
    Duty("send figures to StatsD", every=10, at_most=10, run=Sender().send),
    Duty("read for search what it does not know", every=600, at_most=580, run=index_unknown),
)
