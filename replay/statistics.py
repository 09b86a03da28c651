"""Whether B is slower than A, from several runs of each: a rank test that drift does not deceive, and how large the change is.

Runs go in the order ABBA BAAB ABBA ...: what drifts steadily, such as a machine that warms up, falls on both alike. Each run
gives one number; requests of one run are no independent samples (a t-test over requests calls four identical pairs of five
different). Mann and Whitney's test is made inside each block of four neighbouring runs, and the blocks are added up (van
Elteren's test), exactly, by counting. Why neither of the two usual tests: over all runs at once it sees the drift between
blocks as noise; and Wilcoxon's signed ranks over pairs, which do not, cannot come below p = 0.0078 with eight pairs, which
Holm's correction for more than six routes makes into nothing. Four blocks come down to 0.0015, enough for 32.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Word = Literal["faster", "slower", "no difference shown", "not enough power"]
SURE: Final = 0.05  # how often, at the most, A against A may be called a difference, whatever the number of routes
POWER: Final = 0.8  # how often a change of the size that matters must be found, else there are too few rounds
MOST_ROUNDS: Final = 200
FOR_INTERVAL: Final = 6  # rounds
RESAMPLED: Final = 5000
_AGAINST_NORMAL: Final = 0.955  # the samples that a t-test needs, by those of a rank test, where noise is normal


@dataclass(frozen=True, slots=True)
class Rounds:
    """One number from each run, in the order of the rounds; None where a run has none. `paired`: round i of A ran beside round
    i of B. Numbers are above 0: times, or rates."""

    a: tuple[float | None, ...]
    b: tuple[float | None, ...]
    paired: bool = True

    def blocks(self) -> list[tuple[list[float], list[float]]]:
        """Runs that stand for each other, A's and B's: four neighbours, or all where they were not run in turns."""
        step = 2 if self.paired else max(len(self.a), len(self.b), 1)
        cut = range(0, max(len(self.a), len(self.b)), step)
        both = [(_known(self.a[i : i + step]), _known(self.b[i : i + step])) for i in cut]
        return [(a, b) for a, b in both if a and b]

    def enough(self) -> bool:
        return bool(self.blocks())


@dataclass(frozen=True, slots=True)
class Change:
    """B's numbers over A's. `low` to `high`: the interval of the ratio that a bootstrap gives, 95 % in name, and 92 with eight
    rounds; None with fewer than `FOR_INTERVAL`, where it would hold the truth much less often. `noise`: standard deviation of
    the logarithm from run to run inside a block, None when it cannot be told."""

    ratio: float
    low: float | None
    high: float | None
    p: float
    least_p: float
    noise: float | None


@dataclass(frozen=True, slots=True)
class Judged:
    """`adjusted`: p after Holm's correction. `shows`: the smallest change that so many rounds would show four times of five,
    0.06 for 6 %. `needed`: how many rounds a change that matters would take where there is not enough power, None when more than
    `MOST_ROUNDS`."""

    word: Word
    adjusted: float
    shows: float | None
    needed: int | None


def order(rounds: int) -> str:
    """Which runs when, two letters a round: ABBA, then BAAB, so that what rises and falls again does not favour one either."""
    return "".join("ABBA" if block % 2 == 0 else "BAAB" for block in range((rounds + 1) // 2))[: 2 * rounds]


def change(rounds: Rounds, seed: int = 1) -> Change:
    """Raises ValueError where no block has both."""
    blocks = rounds.blocks()
    if not blocks:
        raise ValueError("there is nothing to compare")
    p, least = _rank_test(blocks)
    return Change(*_ratio(rounds, seed), p, least, _noise(blocks))


def judge(
    changes: Sequence[Change], rounds: int, matters: float, *, sure: float = SURE, more_is_better: Sequence[bool] = ()
) -> list[Judged]:
    """All that is asked about the same runs, at once: the more is asked, the surer each answer has to be. `matters`: what change
    must not stay unseen, 0.05 for 5 %. `sure`: these questions' part of `SURE`; p are adjusted so that they stand beside that."""
    adjusted = holm([one.p * SURE / sure for one in changes])
    level = sure / max(len(changes), 1)
    judged = []
    for one, p, better in zip_longest(changes, adjusted, more_is_better[: len(changes)], fillvalue=False):
        assert isinstance(one, Change)
        shows = _shows(one.noise, rounds, level) if one.least_p <= level else None
        word: Word = "no difference shown" if shows is not None and shows <= matters else "not enough power"
        if p <= SURE:
            word = "slower" if (one.ratio > 1) is not bool(better) else "faster"
        needed = _needed(one.noise, matters, level) if word == "not enough power" else None
        judged.append(Judged(word, float(p), shows, needed))
    return judged


def holm(ps: Sequence[float]) -> list[float]:
    """Each p made so large that, of all that come out below a bound, none is chance more often than that."""
    adjusted, worst = [1.0] * len(ps), 0.0
    for place, index in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        worst = max(worst, min(1.0, ps[index] * (len(ps) - place)))
        adjusted[index] = worst
    return adjusted


def least_p(rounds: int) -> float:
    """The smallest p that so many rounds in turns can give: each block's four runs may stand in six orders."""
    return min(1.0, 2 / (6.0 ** (rounds // 2) * 2.0 ** (rounds % 2)))


def _rank_test(blocks: list[tuple[list[float], list[float]]]) -> tuple[float, float]:
    """Two-sided p of the sum of the ranks of B, and the smallest that it could have been. By counting all orders, ties too."""
    found, ways = 0, np.ones(1)
    for a, b in blocks:
        ranks = (2 * stats.rankdata([*a, *b])).astype(int)  # doubled: ties share a rank and a half
        found += int(ranks[len(a) :].sum())
        ways = np.convolve(ways, _ways(tuple(ranks.tolist()), len(b)))
    share = ways / ways.sum()
    possible = share[share > 0]
    p = 2 * min(share[: found + 1].sum(), share[found:].sum())
    return min(1.0, float(p)), min(1.0, 2 * float(min(possible[0], possible[-1])))


@lru_cache(maxsize=1000)
def _ways(ranks: tuple[int, ...], take: int) -> NDArray[np.float64]:
    """In how many ways so many of the ranks have each sum."""
    ways = np.zeros((take + 1, sum(ranks) + 1))
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    enough: NDArray[np.float64] = ways[take]
    return enough


def _ratio(rounds: Rounds, seed: int) -> tuple[float, float | None, float | None]:
    """The median of the ratios of neighbours, and its interval: a round with a hiccup moves neither much. Neighbours take turns
    in who is first, so what drifts is in every second ratio with the other sign."""
    if rounds.paired:
        logs = [math.log(b / a) for a, b in zip(rounds.a, rounds.b, strict=False) if a is not None and b is not None]
        samples = [np.array(logs or [_middle(rounds)])]
    else:
        samples = [np.log(_known(rounds.b)), np.log(_known(rounds.a))]
    middle = _difference(*samples)
    if any(len(one) < FOR_INTERVAL for one in samples):
        return math.exp(middle), None, None
    if all(np.ptp(one) == 0 for one in samples):  # whatever is drawn
        return math.exp(middle), math.exp(middle), math.exp(middle)
    interval = stats.bootstrap(
        samples, _difference, n_resamples=RESAMPLED, method="percentile", rng=np.random.default_rng(seed)
    ).confidence_interval
    return math.exp(middle), math.exp(interval.low), math.exp(interval.high)


def _difference(first: NDArray[np.float64], *second: NDArray[np.float64], axis: int = -1) -> Any:
    taken = np.median(second[0], axis=axis) if second else 0.0
    return np.median(first, axis=axis) - taken


def _middle(rounds: Rounds) -> float:
    return float(np.median(np.log(_known(rounds.b))) - np.median(np.log(_known(rounds.a))))


def _noise(blocks: list[tuple[list[float], list[float]]]) -> float | None:
    squares, free = 0.0, 0
    for side in (side for block in blocks for side in block):
        logs = np.log(side)
        squares += float(((logs - logs.mean()) ** 2).sum())
        free += len(side) - 1
    return math.sqrt(squares / free) if free else None


def _shows(noise: float | None, rounds: int, level: float) -> float | None:
    """The change that a test at this level finds with `POWER`, by the formula for two samples with Student's quantiles."""
    if noise is None or rounds < 2:
        return None
    spread = noise * math.sqrt(2 / (rounds * _AGAINST_NORMAL))
    return math.expm1(spread * _quantiles(level, 2 * (rounds // 2)))


@lru_cache(maxsize=1000)
def _quantiles(level: float, free: int) -> float:
    return float(stats.t.ppf(1 - level / 2, free) + stats.t.ppf(POWER, free))


def _needed(noise: float | None, matters: float, level: float) -> int | None:
    for rounds in range(2, MOST_ROUNDS + 1, 2):
        shows = _shows(noise, rounds, level)
        if shows is not None and shows <= matters and least_p(rounds) <= level:
            return rounds
    return None


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
