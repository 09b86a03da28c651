"""Traffic of the plainest kind: so many requests at one rate, taken in turns by some sessions."""

from pathlib import Path

from replay.records import Answer, Header, Request
from replay.writing import Writer

SECOND = 1_000_000  # us


def flat(path: Path, *, rate: float, seconds: float, sessions: int = 20, target: str = "/") -> Path:
    """Each request stands by itself: none waits for another's answer."""
    writer = Writer(path, Header("", 0, 0, "http://recorded.example", source="combined"))
    for i in range(round(rate * seconds)):
        answer = Answer(200, 1000)
        writer.add(Request(i, round(i * SECOND / rate), f"s{i % sessions}", i // sessions, "GET", target, answer))
    writer.finish()
    return path
