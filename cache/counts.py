"""What the cache counts: how the names of each family were answered, and how long Redis took. Plain numbers that only rise."""

from bisect import bisect_left

from cache.slots import LIST

_LIST = LIST.removesuffix(":")

# s; the upper ends of the classes of times. Answers kept whole and Redis take less than 0.5 ms, pages shall take less than 50 ms;
# 200 and 400 ms are where staff are shown yellow and red. Each class is a line for each route and status at each scrape.
BOUNDS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 1.0, 5.0)


class Family:
    """How many names (not trips) were answered, each counted once: from the process's memory (`l1`), from Redis (`l2`), by a load
    that somebody else had begun (`joined`), or by a load of one's own (`loaded`).

    `refreshed` were loaded early, while their old value was still given. Nothing is counted as stale: what is known to be old is
    never given, and what is not known to be old can only be found by comparing.
    """

    __slots__ = ("joined", "l1", "l2", "loaded", "refreshed")

    def __init__(self) -> None:
        self.l1 = self.l2 = self.joined = self.loaded = self.refreshed = 0


class Families(dict[str, Family]):
    """The families by the names they are declared under, from the first question on."""

    def of(self, name: str) -> Family:
        """The family of a slot's name: `post` of `post:7`, `posts.page` of `list:posts.page:1`."""
        head, _, rest = name.partition(":")
        if head == _LIST:
            head = rest.partition(":")[0]
        family = self.get(head)
        if family is None:
            family = self[head] = Family()
        return family


class Times:
    """How long something took: how often up to each of BOUNDS, the last class being without an end, and the sum in seconds."""

    __slots__ = ("classes", "total")

    def __init__(self) -> None:
        self.classes = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def note(self, seconds: float) -> None:
        self.classes[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds
