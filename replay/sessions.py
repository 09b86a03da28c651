"""The sessions that are being replayed: what each has sent, what it waits for, and what answers have told the others."""

from collections import defaultdict, deque
from dataclasses import dataclass, field

from replay.jar import Jar
from replay.plans import Script, Step
from replay.wire import Wire


@dataclass(slots=True)
class Board:
    """What answers told in one pass through the file: by placeholder the value and since when it is known; None for one that will
    never come. `left`: sessions that are not over."""

    left: int
    told: dict[str, tuple[str | None, int]] = field(default_factory=dict)
    waiting: dict[str, dict["Live", None]] = field(default_factory=lambda: defaultdict(dict))  # in their order


class Live:
    """One session in one pass; `key` is which pass, and which script.

    Its requests go in their order: the first that has not gone holds up those behind it."""

    __slots__ = (
        "board", "due", "ended", "idle", "jar", "key", "last_ns", "next", "open", "over", "script", "start_ns", "timed", "user",
    )  # fmt: skip

    def __init__(self, script: Script, key: tuple[int, int], board: Board, start_ns: int, user: int = -1) -> None:
        self.script, self.key, self.board, self.start_ns, self.user = script, key, board, start_ns, user
        self.next = 0  # the step that goes next
        self.due: deque[int] = deque()  # moments of arrivals, in paces where requests arrive
        self.ended: dict[int, int] = {}  # when each request, by its `i`, was answered
        self.last_ns = start_ns  # when the one before could go
        self.jar, self.idle, self.open = Jar(), list[Wire](), 0
        self.timed = self.over = False

    @property
    def step(self) -> Step | None:
        return self.script.steps[self.next] if self.next < len(self.script.steps) else None

    def ready(self, step: Step, *, arrives: bool) -> int | None:
        """The moment at which it can go, None while an answer that it waits for is not there, or it did not arrive.

        When it is known it does not change any more, and it is never before that of the one before.
        """
        if arrives:
            if not self.due:
                return None
            ns = self.due[0]
        elif step.after is None:
            ns = self.start_ns + step.think_us * 1000
        else:
            if step.after not in self.ended:
                return None
            ns = self.ended[step.after] + step.think_us * 1000
        for placeholder in step.needs:
            known = self.board.told.get(placeholder)
            if known is None:
                self.board.waiting[placeholder][self] = None
                return None
            ns = max(ns, known[1])
        return max(ns, self.last_ns)

    def wire(self) -> Wire | None:
        """A connection that is there and free."""
        while self.idle:
            wire = self.idle.pop()
            if wire.alive:
                return wire
        return None
