"""What an answer was made of: while READING is set, every name that the cache answers is noted in it."""

from contextvars import ContextVar
from math import inf

from cache.local import Local


class Reading:
    """The names an answer was made of, with the stamp of each; `alive` while none of them has changed since it was read.

    `why` says, once, why the answer is not to be kept: something it was made of did not come from the cache. `unstored` are the
    names that were read without a stamp, as all are while they are being written: a page that is given away hangs on them too.
    `until`: when it is over without a write, in seconds since 1970.
    """

    __slots__ = ("alive_when_seen", "moved", "stamps", "ticket", "unstored", "until", "why")

    def __init__(self, local: Local) -> None:
        self.ticket = local.ticket()
        self.stamps: dict[str, int] = {}
        self.unstored = set[str]()
        self.alive_when_seen = True
        self.moved = False  # a name was read twice, and differed
        self.until = inf
        self.why = ""

    def saw(self, name: str, stamp: int | None, alive: bool) -> None:
        """An answer under `name`. `alive`: it comes from L1, or the ticket that it was read with lives; at this moment.

        Without a stamp (it was not stored, or read around the cache) it taints.
        """
        if stamp is None:
            self.unstored.add(name)
            self.taint(f"{name} was not stored")
        elif self.stamps.setdefault(name, stamp) != stamp:
            self.moved = True
            self.taint(f"{name} changed meanwhile")
        else:
            self.ticket.also(name)
            self.alive_when_seen = self.alive_when_seen and alive

    def taint(self, why: str) -> None:
        """This answer is for now only."""
        self.why = self.why or why

    def ends_at(self, moment: float) -> None:
        """Something it was made of is another from that moment on, though nobody writes."""
        self.until = min(self.until, moment)

    @property
    def alive(self) -> bool:
        return self.alive_when_seen and self.ticket.alive

    @property
    def names(self) -> list[str]:
        """All names that were read."""
        return [*self.stamps, *self.unstored.difference(self.stamps)]

    @property
    def changed(self) -> bool:
        """Whether something is known to have changed since it was read. What had to be loaded says nothing: our own filling of
        Redis is told to us as well."""
        return self.moved or (bool(self.stamps) and self.alive_when_seen and not self.ticket.alive)


class _Load(Reading):
    """In a load: what it reads is stored for all processes, so it asks Redis, for L1 may be 0.3 s old; nothing is noted."""

    __slots__ = ()

    def __init__(self) -> None:
        pass

    def saw(self, name: str, stamp: int | None, alive: bool) -> None:
        pass

    def taint(self, why: str) -> None:
        pass

    def ends_at(self, moment: float) -> None:
        pass


LOAD = _Load()
READING: ContextVar[Reading | None] = ContextVar("READING", default=None)
