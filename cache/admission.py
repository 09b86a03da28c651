"""Who is worth being kept: a name that is asked for twice within a short time. Ten million names take no more room than one."""

from array import array
from time import CLOCK_BOOTTIME, clock_gettime

_TICKS = 20  # bits of a word for the second it was written in; 2**20 s are 12 days
_MASK = (1 << _TICKS) - 1


class Admission:
    """A table of `slots` words (a power of two; 8 bytes each), each a fingerprint of a name and the second it was last seen.

    A name has two places; the older word gives way. When more names come by than there is room for, some that deserved it are
    not recognised: they are asked for again soon.
    """

    def __init__(self, slots: int, seconds: int) -> None:
        self._words, self._last, self._seconds = array("Q", bytes(8 * slots)), slots - 1, seconds

    def again(self, name: str) -> bool:
        """Note that the name was asked for; True if it had been, at most `seconds` (to the second) ago."""
        words, now = self._words, int(clock_gettime(CLOCK_BOOTTIME)) & _MASK
        print_ = hash(name) & 0xFFFF_FFFF_FFFF_FFFF
        place = print_ & self._last
        word = (print_ & ~_MASK) | now
        for spot in (place, place ^ 1):
            if words[spot] ^ word <= _MASK:
                seen = (now - words[spot]) & _MASK <= self._seconds
                words[spot] = word
                return seen
        ages = ((now - words[place]) & _MASK, (now - words[place ^ 1]) & _MASK)
        words[place if ages[0] >= ages[1] else place ^ 1] = word
        return False
