"""A violation with what is needed to understand it: the writes around it, what its process had read, and the faults."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from commands.proving.checker import Violation
from commands.proving.ledger import BEFORE, BEGAN, CRITICAL, ENDED, ENDER, LAST, META, Ledger

HOLD = 5_000_000_000  # ns; no tombstone of a history stands longer
AROUND = 500_000_000  # ns before the missed write that are told, too


@dataclass(frozen=True, slots=True)
class Evidence:
    """`events` are (ms before the answer, what happened), oldest first."""

    violation: Violation
    events: list[tuple[float, str]]
    seed: int

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        found: Violation,
        recent: Sequence[tuple[Any, ...]],
        faults: Sequence[tuple[int, int, str]],
        seed: int,
    ) -> "Evidence":
        """All that touched the key from the write that was missed to the answer."""
        events: list[tuple[int, str]] = [(found.answered, f"{found.kind}: {found.question} answered {found.said}")]
        since = found.asked - AROUND
        if found.key:
            first = max(0, min(found.missed, found.least) - 2)
            for version in range(first, ledger.ceiling[found.key] + 1):
                for when, what in _told(ledger, found.key, version):
                    if version == found.missed:
                        since = min(since, when - AROUND)
                    events.append((when, what))
        for asked, answered, version, question in recent:
            what = (
                f"process {found.process} read version {version}: {question}, asked {_ms(answered - asked)} ms before"
            )
            events.append((answered, what))
        for began, ended, what in faults:
            events += [(began, f"fault begins: {what}"), (ended, f"fault ends: {what}")]
        told = sorted((when, what) for when, what in events if since <= when <= found.answered)
        return cls(found, [(_ms(when - found.answered), what) for when, what in told], seed)

    def keep(self, path: Path) -> None:
        """As JSON."""
        told = {"seed": self.seed, "violation": asdict(self.violation), "events": self.events}
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def smallest(found: Sequence[Evidence]) -> Evidence:
    """The one that is read fastest."""
    return min(found, key=lambda one: len(one.events))


def excused(ledger: Ledger, key: int, version: int | None, lossy: Sequence[tuple[int, int]]) -> bool:
    """The exception that G4 states: Redis lost the tombstone of a write that was then killed before its `end`.

    For a given version it is enough that Redis lost it while the write was under way: until then nothing is promised.
    """
    words = ledger.words
    versions = range(max(1, ledger.ceiling[key] - 200), ledger.ceiling[key] + 1) if version is None else (version,)
    for one in versions:
        slot = ledger.at(key, one)
        ended, place = words[slot + ENDED], ledger.of(words[slot + LAST])
        if version is None and (ended or words[place + META] & CRITICAL):
            continue
        until = ended or words[place + BEGAN] + HOLD
        if any(lost_from <= until and lost_to >= words[place + BEGAN] for lost_from, lost_to in lossy):
            return True
    return False


def _told(ledger: Ledger, key: int, version: int) -> Iterator[tuple[int, str]]:
    """When a version was entered, by each who did, and when its write had returned."""
    words, slot = ledger.words, ledger.at(key, version)
    if words[slot + ENDED]:
        yield words[slot + ENDED], f"version {version} has returned, nonce {words[slot + ENDER]}"
    nonce = words[slot + LAST]
    while nonce:
        place = ledger.of(nonce)
        undone = ", rolled back" if ledger.was_rolled_back(nonce) else ""
        what = (
            f"version {version} is entered by process {nonce & 7}, nonce {nonce}: {_meta(words[place + META])}{undone}"
        )
        yield words[place + BEGAN], what
        nonce = words[place + BEFORE]


def _meta(meta: int) -> str:
    return f"name {meta >> 8 & 0xFFFFFF}, shelf {meta >> 32}" if meta & 1 else "absent"


def _ms(ns: int) -> float:
    return round(ns / 1e6, 3)
