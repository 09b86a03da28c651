"""SIEVE: which of the kept things goes when there is no more room. A hit costs one assignment.

New things enter at one end; a hand walks from the other end, spares once what was used since it last came by, and takes the first
that was not. What is read once therefore leaves soon, and what is read often stays, as with far costlier rules
(Zhang and others, "SIEVE is simpler than LRU", NSDI 2024).
"""

from collections.abc import Iterator


class Item:
    """What a Sieve holds: `weight` in bytes; `used` is set to True at each hit."""

    __slots__ = ("newer", "older", "used", "weight")

    def __init__(self, weight: int) -> None:
        self.weight, self.used = weight, False
        self.newer: Item | None = None
        self.older: Item | None = None

    def evict(self) -> None:
        """Leave: there is no room."""
        raise NotImplementedError


class Sieve:
    """The items in the order they came, and the hand. `weight` is the sum of theirs, `count` their number."""

    __slots__ = ("_hand", "_newest", "_oldest", "count", "weight")

    def __init__(self) -> None:
        self.weight = self.count = 0
        self._newest: Item | None = None
        self._oldest: Item | None = None
        self._hand: Item | None = None  # the next to be looked at; None: the oldest

    def add(self, item: Item) -> None:
        item.older, item.newer = self._newest, None
        if self._newest is None:
            self._oldest = item
        else:
            self._newest.newer = item
        self._newest = item
        self.weight += item.weight
        self.count += 1

    def remove(self, item: Item) -> None:
        """Take out an item that is here; the hand goes on to the next."""
        if self._hand is item:
            self._hand = item.newer
        if item.newer is None:
            self._newest = item.older
        else:
            item.newer.older = item.older
        if item.older is None:
            self._oldest = item.newer
        else:
            item.older.newer = item.newer
        item.newer = item.older = None
        self.weight -= item.weight
        self.count -= 1

    def next_out(self) -> Item | None:
        """The item that goes next; it stays until it is removed. None when there is none."""
        item = self._hand or self._oldest
        while item is not None and item.used:
            item.used = False
            item = item.newer or self._oldest
        self._hand = item
        return item

    def __iter__(self) -> Iterator[Item]:
        """From the oldest on; the item just given may be removed."""
        item = self._oldest
        while item is not None:
            newer = item.newer
            yield item
            item = newer
