"""The epoch as it stands in Redis, and the prefixes that follow from it: whatever has another one cannot be reached.

`<run id>:<random>`, and behind it ` <family>=<how often>` for each family that was dropped since the epoch began. Every MGET
reads it and every script compares it, so a dropped family is out of reach for all processes with their next question, and no
hit asks for more than before.
"""


def random_of(value: bytes) -> str:
    """What the names of all families share; "" when it is no epoch."""
    return _text(value).partition(":")[2].partition(" ")[0]


def prefixes_of(value: bytes, prefix: str) -> dict[str, str]:
    """The longer prefix of each family that was dropped; all others have `prefix`."""
    dropped = (word.rpartition("=") for word in _text(value).split(" ")[1:])
    return {family: f"{prefix}{times}@" for family, _, times in dropped}


def bare(name: str) -> str:
    """A name without what a dropped family has before it."""
    return name.partition("@")[2] if "@" in name else name  # in names themselves it is quoted


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
