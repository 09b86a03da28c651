"""The first sentence of a report: whether it went well, for who reads no further."""

from dataclasses import dataclass

from replay.paces import hides
from replay.report import words
from replay.report.outcomes import failures, tried
from replay.results import Objective, Run

_LOOKS = {
    "pass": ("Passed", "good", "✓"), "missed": ("Missed", "bad", "✗"), "invalid": ("INVALID", "invalid", "⚠"),
    "interrupted": ("Interrupted", "part", "◐"), "stopped": ("Stopped", "bad", "■"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """`look` is a class of report.css; `why` holds the reasons, and what else has to be known of the figures, a line each."""

    word: str
    look: str
    sign: str
    sentence: str
    why: list[str]


def verdict(run: Run) -> Verdict:
    word, look, sign = _LOOKS[run.verdict]
    label = hides(run.plan.get("pace"))
    return Verdict(word, look, sign, _SENTENCES[run.verdict](run), [*run.why, label] if label else run.why)


def _passed(run: Run) -> str:
    bad = failures(run.outcomes)
    said = f"{_kept_up(run)}{_within(run)}"
    met = len(run.objectives)
    goals = {0: "", 1: " The objective is met.", 2: " Both objectives are met."}.get(
        met, f" All {met} objectives are met."
    )
    return f"{said}. {_failed(run) if bad else 'No request failed.'}{goals}"


def _missed(run: Run) -> str:
    missed = [one.text for one in run.objectives if not one.met]
    said = "The site did not do what was asked of it."
    if missed:
        were = "was" if len(missed) == 1 else "were"
        said = f"{len(missed)} of {words.plural(len(run.objectives), 'objective')} {were} missed: {', '.join(missed)}."
    return f"{said} {_kept_up(run)}{_within(run)}. {_failed(run) if failures(run.outcomes) else 'No request failed.'}"


def _invalid(run: Run) -> str:
    return "Do not use these figures: the measurement itself went wrong, so they say nothing about the site."


def _interrupted(run: Run) -> str:
    return f"The run was ended by hand after {words.lasted(run.seconds)}. What follows is what was measured until then."


def _stopped(run: Run) -> str:
    return (
        f"The run was given up after {words.lasted(run.seconds)}, because too much went wrong. {_failed(run)} "
        "What follows is what was measured until then."
    )


_SENTENCES = {
    "pass": _passed, "missed": _missed, "invalid": _invalid, "interrupted": _interrupted, "stopped": _stopped,
}  # fmt: skip


def _kept_up(run: Run) -> str:
    speed = words.rate(run.completed / run.seconds) if run.seconds else "0"
    return f"The site answered {words.count(run.completed)} requests, {speed} a second"


def _within(run: Run) -> str:
    """The highest percentile that is known, in words."""
    known = (("p99", "99 %"), ("p90", "90 %"), ("p50", "half"))
    told = next(((run.response_ms[name], said) for name, said in known if run.response_ms.get(name) is not None), None)
    return f", {told[1]} of them within {words.time(told[0])}" if told else ""


def _failed(run: Run) -> str:
    bad = failures(run.outcomes)
    return f"{words.plural(bad, 'request')} failed ({words.share(bad, tried(run))})."


@dataclass(frozen=True, slots=True)
class Goal:
    """`look` is a class of report.css."""

    text: str
    measured: str
    result: str
    look: str


def objectives(run: Run) -> list[Goal]:
    """Each with what was measured, in the unit that its text has: per cent, a second, else milliseconds."""
    return [Goal(one.text, _measured(one), *_result(run, one)) for one in run.objectives]


def _result(run: Run, objective: Objective) -> tuple[str, str]:
    if run.verdict == "invalid":
        return "does not count", "quiet"
    return ("✓ met", "good") if objective.met else ("✗ missed", "bad")


def _measured(objective: Objective) -> str:
    if objective.measured is None:
        return "n/a: too few samples"
    if "%" in objective.text:
        return f"{objective.measured:.3g} %"
    # With its tenths: 199.7/s is no 200/s, which was asked for.
    return f"{objective.measured:,.1f}/s" if "/s" in objective.text else words.time(objective.measured)
