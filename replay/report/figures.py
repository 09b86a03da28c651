"""The few numbers that stand large at the top of a report, and the table of all percentiles."""

from dataclasses import dataclass

from replay.paces import kind_of
from replay.report import words
from replay.report.outcomes import failures, tried
from replay.results import Run, Summary

_PERCENTILES = ("p50", "p90", "p99", "p99.9", "max")
_CLOSED = "from when its user had the answer before to the last byte"
_TIMES = (
    ("response_ms", "response", "from when it was due to the last byte: what a visitor waits"),
    ("service_ms", "service", "from the sending to the last byte: what the site took"),
    ("first_byte_ms", "first byte", "from the sending to the head of the answer"),
    ("connect_ms", "connect", "a new connection, where one was made"),
    ("lag_ms", "lag", "how late the generator sent"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """`look` is "bad" where it wants to be seen."""

    name: str
    value: str
    unit: str
    note: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class Times:
    """A row of the table of percentiles."""

    name: str
    meaning: str
    values: tuple[float | None, ...]
    n: int


def figures(run: Run) -> list[Figure]:
    """What a reader looks for first."""
    bad = failures(run.outcomes)
    unsent = run.offered - run.sent
    return [
        Figure(
            "Requests", words.count(run.completed), "",
            f"answered, of {words.count(run.offered)} due" + (f", {words.count(unsent)} not sent" if unsent else ""),
        ),
        Figure("Rate", words.rate(run.completed / run.seconds if run.seconds else 0), "a second", _peak(run)),
        _time("Half within", run.response_ms, "p50"),
        _time("99 % within", run.response_ms, "p99"),
        _time("Longest", run.response_ms, "max"),
        Figure("Failed", *_number(words.share(bad, tried(run))), words.plural(bad, "request"), "bad" if bad else ""),
    ]  # fmt: skip


def _time(name: str, summary: Summary, percentile: str) -> Figure:
    value = summary.get(percentile)
    if value is None:
        return Figure(name, words.NONE, "", "too few samples")
    note = "response time" + ("" if percentile == "max" else f", {percentile}")
    return Figure(name, *_number(words.time(value)), note)


def _number(text: str) -> tuple[str, str]:
    """`1.2 s` as the number and its unit; what has several units stays whole."""
    number, _, unit = text.rpartition(" ")
    return (number, unit) if number and " " not in number.removeprefix("< ").removeprefix("> ") else (text, "")


def _peak(run: Run) -> str:
    """Of whole seconds: the last one may be short."""
    peak = max((one.offered for one in run.series), default=0)
    width = run.series[1].t - run.series[0].t if len(run.series) > 1 else run.seconds
    return f"at most {words.rate(peak / width)} due in a second" if width else ""


def times(run: Run) -> list[Times]:
    """Without what was not measured at all."""
    rows, closed = [], kind_of(run.plan.get("pace")) == "closed"
    for attribute, name, meaning in _TIMES:
        summary: Summary = getattr(run, attribute)
        if closed and name == "response":
            meaning = _CLOSED
        if n := int(summary.get("n") or 0):
            rows.append(Times(name, meaning, tuple(summary.get(one) for one in _PERCENTILES), n))
    return rows
