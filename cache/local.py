"""L1: what this process may answer by itself, as long as it can prove that it would have heard of a change.

Nothing is answered unless the fence is young: the moment at which a PING was sent whose PONG has come, on the connection that
brings the pushes (`cache.tracking`). Redis had told us, before that PONG, of every write that had returned at that moment. So a
stopped process, a blocked loop and a half-open socket all fall silent, and never answer with old data.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from functools import partial
from itertools import islice
from time import CLOCK_BOOTTIME, clock_gettime
from typing import Any

from cache.admission import Admission
from cache.counts import Families, Family
from cache.heat import ONE_IN, Heat
from cache.sieve import Item, Sieve
from cache.weights import weigh

LAG = 0.3  # s; the bound on how old an answer may be
LONGEST = 60.0  # s any answer is kept
AGAIN = 10  # s within which a row must be asked for twice to be kept
OVERHEAD = 400  # B beside the value: the entry, its name, its place in the dicts
_SHUT = float("-inf")


# Seconds; the clock goes on while the process is stopped and while the machine sleeps.
now = partial(clock_gettime, CLOCK_BOOTTIME)


class Watch:
    """Wants to hear of changes of its `names`."""

    __slots__ = ()
    names: Collection[str]

    def lost(self) -> None:
        """One of the names was pushed, dropped or flushed, and is watched no more. May be called for each of them."""
        raise NotImplementedError


class _Mark(Watch):
    __slots__ = ("alive", "names")
    names: set[str]

    def __init__(self, names: set[str], alive: bool) -> None:
        self.names, self.alive = names, alive

    def lost(self) -> None:
        self.alive = False


class Ticket:
    """Taken before Redis is asked. While it is `alive` none of its names was pushed, dropped or flushed.

    One ticket for each answer: what is put with it depends on all its names. It ends when nobody holds it any more.
    """

    __slots__ = ("_local", "_mark")

    def __init__(self, local: "Local", names: tuple[str, ...], alive: bool) -> None:
        self._local, self._mark = local, _Mark(set(names), alive)
        if alive:
            local.watch(self._mark)

    @property
    def alive(self) -> bool:
        return self._mark.alive

    @property
    def names(self) -> Collection[str]:
        return self._mark.names

    def also(self, name: str) -> None:
        """One more name, from now on."""
        mark = self._mark
        if mark.alive and name not in mark.names:
            mark.names.add(name)
            self._local.watch(mark, (name,))

    def __del__(self) -> None:
        # Garbage is collected at any moment and in any thread, in the midst of `watch` too: the clearing away is left for later.
        self._local.ended.append(self._mark)


class Entry(Item, Watch):
    """An answer that is kept, and the `stamp` of its content (as `records.stamp` gives it). `names`: those beside its own."""

    __slots__ = ("_local", "family", "name", "names", "since", "stamp", "until", "value")

    def __init__(
        self, local: "Local", name: str, value: Any, stamp: int, weight: int, since: float, until: float
    ) -> None:
        super().__init__(weight)
        self.since = since
        self.family: Family = local.families.of(name)
        self._local, self.name, self.value, self.stamp, self.until = local, name, value, stamp, until
        self.names: tuple[str, ...] = ()

    def lost(self) -> None:
        self._local.remove(self)

    evict = lost


class Local:
    """The answers of this process: rows and lists by name, and (through `live` and `spare`) the pages of `cache.pages`.

    `most` bounds the bytes of all of them. With `on=False` no row is kept and nothing is ever answered unseen.
    """

    def __init__(self, most: int, *, on: bool = True) -> None:
        self.most, self.on = most, on
        self.live, self.spare = Sieve(), Sieve()  # what may be answered; pages to be looked at again, which go first
        self.ended: deque[Watch] = deque()  # marks whose tickets are gone
        self.tracked = False  # on, and pushes come in; kept apart from the fence, which says how far they have come
        self.look: Callable[[], None] | None = None  # reads what has come on the connection of pushes, without waiting
        self.redis_ahead: float | None = None  # ms that Redis' clock is ahead of `now() * 1000`
        self.families = Families()  # of this process; all who answer count in them
        self.heat = Heat()  # which names are asked for most, of one in ONE_IN answers
        self.kept = self.evicted = self.too_big = self.drops = self.flushes = 0
        self.until = _SHUT  # the fence and LAG: no answer is given after it
        self._rows: dict[str, Entry] = {}
        self._watches: dict[str, set[Watch]] = {}
        self._admission = Admission(1 << 16, AGAIN)
        self._dead = Ticket(self, (), alive=False)

    @property
    def open(self) -> bool:
        """Something may be answered at this moment."""
        return now() <= self.until or self.catch_up()

    @property
    def fence_age(self) -> float:
        """Seconds since the fence; infinite while there is none."""
        return now() - self.until + LAG

    def get(self, name: str) -> Entry | None:
        """The answer, if there is one that may be given at this moment."""
        moment = now()
        if moment <= self.until or self.catch_up():
            entry = self._rows.get(name)
            if entry is not None and moment <= entry.until:
                entry.used = True
                family = entry.family
                family.l1 += 1
                if not family.l1 % ONE_IN:
                    self.heat.note(name)
                return entry
        return None

    def peek(self, name: str) -> Entry | None:
        """What is kept under the name, whether or not it may be answered; nothing changes by it."""
        return self._rows.get(name)

    def names(self, begin: int, most: int) -> list[str]:
        """At most so many of the names that are kept, from the `begin`-th on."""
        return list(islice(self._rows, begin, begin + most))

    def hanging_on(self, name: str, most: int) -> list[str]:
        """Names of what is kept that depends on this one besides its own: lists, on a scope."""
        return [watch.name for watch in islice(self._watches.get(name, ()), most) if isinstance(watch, Entry)]

    def ticket(self, *names: str) -> Ticket:
        """Before Redis is asked for these names (of a list: its own and its scopes')."""
        self._clear_away()
        return Ticket(self, names, alive=True) if self.tracked else self._dead

    def put(
        self, ticket: Ticket, name: str, value: Any, *, stamp: int, weight: int | None = None, until: int = 0
    ) -> None:
        """Keep an answer of Redis', if the ticket lives and the name was asked for before, at most `AGAIN` seconds ago.

        `value` is never changed by anybody. `weight`: its bytes as a Python object, weighed here when None. `until`: when it may
        no longer be kept, in ms of Redis' clock; 0 when there is no such moment.
        """
        if not self.on or not self._admission.again(name) or not ticket.alive:
            return
        moment = now()
        rest = LONGEST
        if until and self.redis_ahead is not None:
            rest = min(LONGEST, (until - self.redis_ahead) / 1000 - moment)
        weight = OVERHEAD + (weigh(value) if weight is None else weight)
        if rest <= 0:
            return
        if weight > self.most // 8:
            self.too_big += 1
            return
        if old := self._rows.get(name):
            self.remove(old)
        entry = self._rows[name] = Entry(self, name, value, stamp, weight, moment, moment + rest)
        if len(ticket.names) > 1:
            entry.names = tuple(other for other in ticket.names if other != name)
            self.watch(entry)
        self.live.add(entry)
        self.kept += 1
        self.make_room()

    def drop(self, names: Iterable[str]) -> None:
        """These have changed: an own write, or a push. Answers go, tickets die, pages wait to be looked at, waiters wake."""
        for name in names:
            self.drops += 1
            if entry := self._rows.get(name):
                self.remove(entry)
            for watch in self._watches.pop(name, ()):
                watch.lost()

    def flush(self) -> None:
        """Anything may have changed."""
        self.flushes += 1
        watches, self._watches = self._watches, {}
        for several in watches.values():
            for watch in several:
                watch.lost()
        for entry in list(self._rows.values()):
            self.remove(entry)

    def begin(self) -> None:
        """A connection brings pushes from now on; of what was before it nothing is known."""
        self.shut()
        self.tracked = self.on

    def shut(self) -> None:
        """No pushes come in any more, or Redis is not to be trusted: nothing is answered until `begin` and `fence`."""
        self.tracked, self.until = False, _SHUT
        self.flush()

    def fence(self, moment: float) -> None:
        """All that Redis had been told of at `moment` (see `now`) has been pushed to us."""
        self._clear_away()
        if self.tracked:
            self.until = moment + LAG

    def catch_up(self) -> bool:
        """The fence is old, perhaps only because this loop was busy. Read what has come meanwhile; whether it is young now."""
        if self.tracked and self.look is not None:
            self.look()
        return now() <= self.until

    def watch(self, watch: Watch, names: Iterable[str] | None = None) -> None:
        """`watch` hears of the next change of these, or of all its names."""
        for name in watch.names if names is None else names:
            several = self._watches.get(name)
            if several is None:
                self._watches[name] = {watch}
            else:
                several.add(watch)

    def unwatch(self, watch: Watch) -> None:
        for name in watch.names:
            if several := self._watches.get(name):
                several.discard(watch)
                if not several:
                    del self._watches[name]

    def remove(self, entry: Entry) -> None:
        """The entry, if it is still here."""
        if self._rows.get(entry.name) is entry:
            del self._rows[entry.name]
            self.live.remove(entry)
            self.unwatch(entry)

    def make_room(self) -> None:
        """Let go what is over the bound."""
        while self.live.weight + self.spare.weight > self.most:
            item = self.spare.next_out() or self.live.next_out()
            if item is None:
                return
            item.evict()
            self.evicted += 1

    def _clear_away(self) -> None:
        while self.ended:
            self.unwatch(self.ended.popleft())
