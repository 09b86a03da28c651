"""Which names are asked for most: a small table that keeps the frequent ones of a long stream, however many names come by.

Space-saving (Metwally and others, 2005): a name that has no place takes that of the least frequent one, and its count, which is
therefore too high by at most that much. A name that makes up more than 1 in `size` of the stream is always in the table.
"""

from collections.abc import Sequence

ONE_IN = 101  # names that are answered; a prime, so that no page of so many rows always shows the same one
HALVED_AFTER = 20_000  # what is noted; so the table tells of now rather than of last week


class Heat:
    """`note` costs some us when it has to look for a place: it is for one of many names only."""

    __slots__ = ("_counts", "_noted", "_size", "_to_come")

    def __init__(self, size: int = 200) -> None:
        self._size, self._noted, self._to_come = size, 0, ONE_IN
        self._counts: dict[str, int] = {}

    def note(self, name: str) -> None:
        """The name was asked for."""
        counts = self._counts
        before = counts.get(name)
        if before is None and len(counts) >= self._size:
            least = min(counts, key=counts.__getitem__)
            before = counts.pop(least)
        counts[name] = (before or 0) + 1
        self._noted += 1
        if self._noted >= HALVED_AFTER:
            self._noted //= 2
            self._counts = {name: count // 2 for name, count in counts.items() if count > 1}

    def passed(self, names: Sequence[str]) -> None:
        """These were asked for together: of all that pass, one in ONE_IN is noted."""
        self._to_come -= len(names)
        if self._to_come <= 0:
            self.note(names[self._to_come % len(names)])
            self._to_come = ONE_IN

    def hottest(self, most: int) -> list[tuple[str, float]]:
        """The most frequent names with their shares of what was noted, the hottest first."""
        ranked = sorted(self._counts.items(), key=lambda item: -item[1])[:most]
        return [(name, count / self._noted) for name, count in ranked]
