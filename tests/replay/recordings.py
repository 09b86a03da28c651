"""Recorded requests of tests, in a line each."""

from typing import Any

from replay.planning import Choices, plan
from replay.plans import Plan
from replay.records import Answer, Made, Request
from replay.sites import AnySite


def request(
    i: int, ms: float, target: str = "/", *, session: str = "alice", took: float = 0.0, status: int = 200,
    made: tuple[tuple[str, str], ...] = (), **more: Any,
) -> Request:  # fmt: skip
    """At so many milliseconds, answered after `took` ms; `made`: pairs of a placeholder and where it stands."""
    answer = Answer(
        status, int(took * 1000), made=tuple(Made("id", placeholder, pointer) for placeholder, pointer in made)
    )
    return Request(i, int(ms * 1000), session, i, more.pop("method", "GET"), target, answer, **more)


def planned(*requests: Request, recorded_at: str = "http://old.example", **choices: Any) -> Plan:
    return plan(requests, AnySite(), Choices(**choices), recorded_at)
