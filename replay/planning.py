"""Makes a plan of what was recorded and of what the command line chose."""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from replay.paces import Pace, length
from replay.plans import Plan, Script, Step
from replay.records import PLACEHOLDER, Request
from replay.sites import Site
from replay.values import asked

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NOT_SENT = "not sent"  # a write, and writes were not asked for
SESSION = Pace("session")
TRUNCATED = "truncated"  # of its body not all was recorded


class NoPlan(ValueError):
    """What was chosen does not go together, or leaves nothing; the text says it."""


@dataclass(frozen=True, slots=True)
class Choices:
    """`only` and `drop`: a method, the name of a route, or a regular expression that is looked for in the target. `rewrite`:
    pairs of a regular expression and what takes its place in the target. `sessions`: so many of them, chosen by `seed`."""

    pace: Pace = SESSION
    speed: float = 1.0
    loops: int | None = None
    duration: float | None = None  # s
    only: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    rewrite: tuple[tuple[str, str], ...] = ()
    sessions: int | None = None
    seed: int = 0
    writes: bool = False


def plan(requests: Sequence[Request], site: Site, choices: Choices, recorded_at: str = "") -> Plan:
    """Raises NoPlan."""
    wanted = _sessions(requests, choices)
    steps: dict[str, list[Step]] = defaultdict(list)  # by session
    kept: dict[int, Request] = {}
    before: dict[int, int | None] = {}  # what each waited for, kept or not
    places: dict[str, int] = {}  # of sessions, in the order in which they begin
    makers: dict[str, int] = {}  # which of them tells a placeholder first
    for one in requests:
        if one.session not in wanted:
            continue
        before[one.i] = one.after
        request = _rewritten(one, choices)
        route = site.route(request.method, PLACEHOLDER.sub("0", request.target))
        if not _is_wanted(request, route, choices):
            continue
        place = places.setdefault(one.session, len(places))
        # A closed user may never take up a session that comes later, while all of them wait for what it tells.
        latest = place if choices.pace.kind == "closed" else len(requests)
        needs = tuple(sorted(word for word in asked(request) if makers.get(word, latest + 1) <= latest))
        makes = tuple(made.placeholder for made in request.answer.made)
        for word in makes:
            makers.setdefault(word, place)
        after = one.after
        while after is not None and (after not in kept or kept[after].session != one.session):
            after = before.get(after)
        step = Step(request, route, after, 0, needs, makes, _held(request, choices), _status(request))
        kept[one.i] = request
        steps[one.session].append(step)
    if not kept:
        raise NoPlan("nothing is left to be sent" if requests else "the file holds no request")
    known = any(name == "cookie" for one in requests for name, _ in one.headers)
    timed = _timed(kept, list(steps.values()), choices, recorded_at)
    return replace(timed, knows_cookies=known, host_only=site.host_only_cookies)


def _sessions(requests: Sequence[Request], choices: Choices) -> Collection[str]:
    names = list(dict.fromkeys(one.session for one in requests))
    if choices.sessions is None or choices.sessions >= len(names):
        return set(names)
    return set(random.Random(choices.seed).sample(names, choices.sessions))  # noqa: S311  # a choice, no secret


def _rewritten(request: Request, choices: Choices) -> Request:
    target = request.target
    for pattern, replacement in choices.rewrite:
        target = re.sub(pattern, replacement, target)
    if target != request.target and not target.startswith("/"):
        raise NoPlan(f"rewritten, {request.target} becomes {target}, which does not begin with /")
    return request if target == request.target else replace(request, target=target)


def _is_wanted(request: Request, route: str, choices: Choices) -> bool:
    def fits(rule: str) -> bool:
        return rule in (request.method, route) or re.search(rule, request.target) is not None

    return (not choices.only or any(map(fits, choices.only))) and not any(map(fits, choices.drop))


def _held(request: Request, choices: Choices) -> str:
    if request.method not in SAFE and not choices.writes:
        return NOT_SENT
    return TRUNCATED if request.truncated else ""


def _status(request: Request) -> int:
    """Who says nothing of what he has gets all of it again: logs do not hold what the client had."""
    asked = any(name in ("if-none-match", "if-modified-since") for name, _ in request.headers)
    return 0 if request.answer.status == 304 and not asked else request.answer.status


def _timed(kept: dict[int, Request], sessions: list[list[Step]], choices: Choices, recorded_at: str) -> Plan:
    pace, speed = choices.pace, choices.speed
    first = min(one.t_us for one in kept.values())
    span = max(one.t_us for one in kept.values()) - first
    period = (span + span / max(1, len(kept) - 1)) / speed if span else 1e6 / speed
    scripts = [_script(steps, kept, first, pace, speed) for steps in sessions]
    if pace.arrives:
        places = {step.request.i: place for place, steps in enumerate(sessions) for step in steps}
        order = tuple(places[i] for i in kept)
        offsets = () if pace.is_made else tuple(int((one.t_us - first) / speed) for one in kept.values())
    else:
        order = tuple(sorted(range(len(scripts)), key=lambda place: scripts[place].start_us))
        offsets = tuple(scripts[place].start_us for place in order)
    loops = choices.loops or (None if choices.duration or pace.kind == "step" else 1)
    seconds = _seconds(choices, len(kept), loops, period)
    rate = _highest_rate(choices, kept, first, seconds)
    limit = seconds * 1e6 if choices.duration or pace.kind == "step" else None
    if choices.duration is None and pace.kind != "step":
        count = len(kept) * (loops or 1)
    elif pace.is_made:
        count = round(seconds * sum(pace.rates) / len(pace.rates)) if pace.kind != "closed" else 0
    else:
        count = round(len(kept) * seconds * 1e6 / period)
    return Plan(
        tuple(scripts), pace, order, offsets, period, loops, limit, seconds, rate, count, choices.seed, speed, recorded_at
    )  # fmt: skip


def _script(steps: list[Step], kept: dict[int, Request], first: int, pace: Pace, speed: float) -> Script:
    """In its own pace a request keeps its think time; a closed user takes none, and waits for each answer."""
    start, timed, previous = steps[0].request.t_us, [], None
    for step in steps:
        after, think = step.after, 0.0
        if pace.kind == "closed":
            after = previous
        elif after is None:
            think = (step.request.t_us - start) / speed
        else:
            think = (step.request.t_us - kept[after].t_us - kept[after].answer.total_us) / speed
        timed.append(replace(step, after=after, think_us=max(0, int(think))))
        previous = step.request.i
    return Script(steps[0].request.session, int((start - first) / speed), tuple(timed))


def _seconds(choices: Choices, requests: int, loops: int | None, period_us: float) -> float:
    """0 for a closed pace without a duration: that is what it is there to find out."""
    pace = choices.pace
    if pace.kind == "closed":
        return choices.duration or 0.0
    if pace.kind == "step":
        whole = length(pace, 0)
    elif loops is None:
        assert choices.duration is not None
        return choices.duration
    else:
        whole = length(pace, requests * loops) if pace.is_made else loops * period_us / 1e6
    return min(whole, choices.duration or whole)


def _highest_rate(choices: Choices, kept: dict[int, Request], first: int, seconds: float) -> float:
    if choices.pace.kind == "closed":
        return 0.0
    if choices.pace.is_made:
        return max(choices.pace.rates)
    busiest = Counter(int((one.t_us - first) / choices.speed) // 1_000_000 for one in kept.values()).most_common(1)[0][
        1
    ]
    return busiest / min(1.0, max(seconds, 0.001))
