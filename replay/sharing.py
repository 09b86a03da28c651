"""Which sessions go to which process: those that tell each other ids stay together, and all get as much to do."""

from collections import defaultdict
from collections.abc import Iterable, Sequence


def shares(sizes: Sequence[int], words: Sequence[Iterable[str]], n: int) -> list[set[int]]:
    """`sizes` and `words` (the placeholders it makes or needs) of each session; which of them each of n processes gets."""
    group = list(range(len(sizes)))

    def head(one: int) -> int:
        while group[one] != one:
            group[one] = group[group[one]]
            one = group[one]
        return one

    first: dict[str, int] = {}
    for one, of_one in enumerate(words):
        for word in of_one:
            group[head(one)] = head(first.setdefault(word, one))
    together: dict[int, list[int]] = defaultdict(list)
    for one in range(len(sizes)):
        together[head(one)].append(one)
    parts, full = [set[int]() for _ in range(n)], [0] * n
    # The largest first, each to whoever has least: never more than a third worse than the best there is.
    for members in sorted(together.values(), key=lambda members: -sum(sizes[one] for one in members)):
        least = full.index(min(full))
        parts[least].update(members)
        full[least] += sum(sizes[one] for one in members)
    return parts
