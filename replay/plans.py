"""What is going to be sent and when: a record file, a pace, and what was asked to be left out or rewritten."""

from dataclasses import dataclass

from replay.records import Request


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a session. It waits for the answer to `after` (the `i` of one before it in the session, None for none) and
    goes `think_us` later, at replay speed; without one, `think_us` after the session's start. `needs`: placeholders that answers
    to others tell, for which it waits too. `sends`: False for a write that is not allowed."""

    request: Request
    route: str
    after: int | None
    think_us: int
    needs: tuple[str, ...]
    sends: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """`seconds` is how long it will take to send, `highest_rate` requests in the busiest second, both as planned. `requests`:
    of the whole plan, all its loops."""

    seconds: float
    highest_rate: float
    requests: int

    def split(self, n: int) -> list["Plan"]:
        """For so many processes, fewer where there is less to share; sessions that need each other's placeholders stay together."""
        raise NotImplementedError
