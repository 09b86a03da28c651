"""Breadth-first search through every order in which the steps of all processes may happen; the first failure found is a shortest.

A process is a generator that yields its steps and is sent their answers. Where it stands is a `Point`: the answers so far. Equal
answers lead to one point, so points are compared by identity, and a program is run again from its start only for a new point.
"""

import gc
from collections.abc import Callable, Generator, Hashable, Iterator
from typing import Any, NamedTuple

from commands.proving.model_world import Broken, World

BLOCKED = object()  # the answer of a step that cannot be done now
Do = Callable[[World], Any]
Done = tuple[str, str, Any]  # by whom ("" for what befalls them), what, its answer
Came = tuple[Hashable | None, Done]  # the moment before, and the step from there


class Step(NamedTuple):
    """One atomic action of a process. `ways`: how it may turn out. A `local` step touches nothing shared: it is done at once."""

    ways: tuple[tuple[str, Do], ...]
    local: bool = False


Program = Generator[Step, Any, None]


def step(text: str, do: Do) -> Step:
    return Step(((text, do),))


def locally(do: Do) -> Step:
    return Step((("", do),), local=True)


class Point:
    """Where a program stands. `step` is what it does next; None when it has ended (or was killed)."""

    __slots__ = ("_after", "_answers", "_program", "step")

    def __init__(self, program: Callable[[], Program] | None, answers: tuple[Any, ...] = ()) -> None:
        self._program, self._answers, self._after = program, answers, dict[Any, Point]()
        self.step: Step | None = None
        if program is not None:
            running = program()
            try:
                self.step = next(running)
                for answer in answers:
                    self.step = running.send(answer)
            except StopIteration:
                self.step = None

    def after(self, answer: Any) -> "Point":
        found = self._after.get(answer)
        if found is None:
            found = self._after[answer] = Point(self._program, (*self._answers, answer))
        return found


ENDED = Point(None)  # of all that have ended or were killed: what they knew matters to nobody any more


class Moment(NamedTuple):
    """A step that was done, the world after it, and the promise it broke, if it did."""

    done: Done
    world: World
    broken: Broken | None = None


Environment = Callable[[World], Iterator[tuple[str, Do]]]


def moments(world: World, names: tuple[str, ...], environment: Environment) -> Iterator[Moment]:
    """Everything that may happen next."""
    for index, point in enumerate(world.points):
        if point.step is not None:
            for text, do in point.step.ways:
                if (after := _done(world, index, text, do, names[index])) is not None:
                    yield after
    for text, do in environment(world):
        after_it = world.copy()
        do(after_it)
        yield Moment(("", text, None), after_it)


def _done(world: World, index: int, text: str, do: Do, name: str) -> Moment | None:
    after = world.copy()
    point: Point = world.points[index]
    answer = do(after)
    if answer is BLOCKED:
        return None
    done = (name, text, answer)
    point = point.after(answer)
    try:
        while point.step is not None and point.step.local:
            point = point.after(point.step.ways[0][1](after))
    except Broken as broken:
        return Moment(done, after, broken)
    after.points[index] = point if point.step is not None else ENDED
    return Moment(done, after)


def _told(who: str, what: str, answer: Any) -> str:
    """A line of a counterexample."""
    line = f"{who}: {what}" if who else what
    if answer is None or isinstance(answer, bool):
        return line
    return f"{line} -> {', '.join(map(str, answer)) or 'nothing' if type(answer) is tuple else answer}"


class Found(NamedTuple):
    """What a search came to: the states it saw, the promise broken ("" if none), and the steps that led there."""

    states: int
    promise: str = ""
    why: str = ""
    steps: tuple[str, ...] = ()
    complete: bool = True


def search(
    start: World, names: tuple[str, ...], environment: Environment, check: Callable[[World], None], most: int
) -> Found:
    """Every world that can come of `start`, nearest first, until one breaks a promise or `most` have been seen."""
    collecting = gc.isenabled()
    gc.disable()  # a million small objects and no circle among them: looking for one takes a third of the time
    try:
        return _search(start, names, environment, check, most)
    finally:
        if collecting:
            gc.enable()


def _search(
    start: World, names: tuple[str, ...], environment: Environment, check: Callable[[World], None], most: int
) -> Found:
    came: dict[Hashable, Came] = {start.key(): (None, ("", "", None))}
    edge = [start]
    while edge:  # one step further each time round
        beyond = []
        for world in edge:
            here = world.key()
            for done, after, broken in moments(world, names, environment):
                key = after.key()
                if broken is None and key in came:
                    continue
                try:
                    if broken is not None:
                        raise broken
                    check(after)
                except Broken as failure:
                    return Found(len(came), failure.promise, str(failure), _way(came, here, done))
                came[key] = (here, done)
                beyond.append(after)
            if len(came) >= most:
                return Found(len(came), complete=False)
        edge = beyond
    return Found(len(came))


def _way(came: dict[Hashable, Came], key: Hashable, last: Done) -> tuple[str, ...]:
    steps = [last]
    while (before := came[key])[0] is not None:
        key, done = before
        steps.append(done)
    return tuple(_told(*done) for done in reversed(steps))
