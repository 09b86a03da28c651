"""How often addresses are asked for when a few are loved (Zipf), and how much of that a store of pages can answer."""

from collections.abc import Iterable


def zipf(count: int, exponent: float = 1.0) -> list[float]:
    """The shares of `count` addresses, the most loved first; together 1."""
    weights = [1 / place**exponent for place in range(1, count + 1)]
    whole = sum(weights)
    return [weight / whole for weight in weights]


def most_hits(shares: Iterable[float], rate: float, seconds: float) -> float:
    """The share of hits at `rate` requests a second when a page is fetched by who misses it, and is then good for so long.

    A page with share p is asked for at p * rate. In the time that one fetch lasts for it is asked for p * rate * seconds times
    more, each a hit; so of its requests m / (1 + m) are hits, m being that number.
    """
    return sum(share * (expected := share * rate * seconds) / (1 + expected) for share in shares)
