"""The report of a run says what the run says, needs nothing but itself, and lets nothing from outside become markup."""

import base64
import hashlib
import re
import warnings
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest

from replay.histogram import Histogram
from replay.paces import HIDES
from replay.report import html, words
from replay.results import Difference, Heat, Objective, Route, Run, Second, Summary
from tests.replay.runs import ROWS_MS, simulated

EVIL = """<script>alert(1)</script>"'><img src=//evil.example onerror=alert(2)>&amp;{{ 7 * 7 }}"""
NOTHING: Summary = {"p50": None, "p90": None, "p99": None, "p99.9": None, "max": None, "n": 0}


@pytest.fixture(scope="module")
def run() -> Run:
    return simulated(rate=60, seconds=40, stall=(20, 1.5))


def parsed(page: str) -> Element:
    """Raises html5lib's ParseError for what a browser would have to guess at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # html5lib's own deprecations
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        root: Element = parser.parse(page)
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]  # SVG has a namespace
    return root


def text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def table(root: Element, caption: str) -> list[list[str]]:
    """The cells of the rows of the table whose caption begins so."""
    found = next(one for one in root.iter("table") if text(one[0]).startswith(caption))
    return [[text(cell) for cell in row] for body in found.iter("tbody") for row in body]


def section(root: Element, name: str) -> Element:
    return next(one for one in root.iter("section") if name in (one.get("aria-label"), one.get("aria-labelledby")))


def nothing_measured(**changes: Any) -> Run:
    told: dict[str, Any] = {
        "verdict": "interrupted", "why": [], "plan": {}, "started": "", "seconds": 0.0, "offered": 0, "sent": 0, "completed": 0,
        "unmapped": 0, "outcomes": {}, "levels": {},
        **{f"{name}_ms": dict(NOTHING) for name in ("response", "service", "lag", "connect", "first_byte")},
    }  # fmt: skip
    return Run(**told | changes)


def test_its_numbers_are_the_runs(run: Run) -> None:
    root = parsed(html(run))

    percentiles = {row[0].split()[0]: row[1:] for row in table(root, "Milliseconds")}
    assert percentiles["response"] == [
        words.ms(run.response_ms[name]).strip() for name in ("p50", "p90", "p99", "p99.9", "max")
    ]
    assert percentiles["lag"][0] == words.ms(run.lag_ms["p50"]).strip()
    outcomes = {row[0].split()[0]: row[1] for row in table(root, "Each request has one outcome")}
    assert outcomes == {name: words.count(n) for name, n in run.outcomes.items()}
    levels = {row[0].split()[0]: row[1] for row in table(root, "Which cache answered")}
    assert levels == {name: words.count(n) for name, n in run.levels.items()}
    routes = {row[0]: row[1:] for row in table(root, "Requests and response times by route")}
    assert {name: row[0] for name, row in routes.items()} == {one.route: words.count(one.n) for one in run.routes}
    assert f"{words.count(run.completed)}" in text(section(root, "In short"))


def test_every_second_stands_in_the_table_behind_the_charts(run: Run) -> None:
    rows = table(parsed(html(run)), "Requests a second, times and waiting")

    assert [int(row[1]) for row in rows[:-1]] == [one.offered for one in run.series[:-1]]
    assert sum(int(row[1]) for row in rows[:-1]) + run.series[-1].offered == run.offered


def test_the_curve_goes_to_the_longest_and_leaves_out_what_is_chance(run: Run) -> None:
    rows = table(parsed(html(run)), "Percentiles in milliseconds")

    assert rows[0][0] == "shortest"
    assert [row[1] for row in rows if row[0] == "p99"] == [words.ms(run.response_ms["p99"]).strip()]
    assert rows[-2][1] == "n/a"
    assert int(rows[-2][3]) < 10
    assert rows[-1][:2] == ["longest", words.ms(run.response_ms["max"]).strip()]


@pytest.mark.parametrize(
    ("verdict", "word", "said"),
    [
        ("pass", "Passed", "The site answered"), ("missed", "Missed", "did not do what was asked"),
        ("invalid", "INVALID", "Do not use these figures"), ("interrupted", "Interrupted", "ended by hand after"),
        ("stopped", "Stopped", "too much went wrong"),
    ],
)  # fmt: skip
def test_the_first_sentence_says_how_it_went(run: Run, verdict: Any, word: str, said: str) -> None:
    why = ["the generator was late: lag p99 1.9 ms"]
    root = parsed(html(replace(run, verdict=verdict, why=why, objectives=[])))

    stands = text(section(root, "Verdict"))
    assert word in stands
    assert said in stands
    assert why[0] in stands
    assert word in text(next(root.iter("title")))


def test_an_invalid_run_says_so_at_each_heading_and_boasts_of_nothing(run: Run) -> None:
    page = html(replace(run, verdict="invalid"))

    assert {row[2] for row in table(parsed(page), "What was asked of the site")} == {"does not count"}
    assert '<body class="invalid">' in page
    assert re.search(r"\.invalid section:not\(\.reading\) > h2::after \{\s*content: \"invalid\"", page)
    assert "The site answered" not in page


def test_a_missed_objective_is_named(run: Run) -> None:
    goals = [
        Objective("p99<5ms", 12.345, False),
        Objective("errors<0.1%", 0.05, True),
        Objective("p99.9<1s", None, False),
    ]
    root = parsed(html(replace(run, verdict="missed", objectives=goals)))

    assert "2 of 3 objectives were missed: p99<5ms, p99.9<1s." in text(section(root, "Verdict"))
    assert table(root, "What was asked of the site") == [
        ["p99<5ms", "12.3 ms", "✗ missed"], ["errors<0.1%", "0.05 %", "✓ met"], ["p99.9<1s", "n/a: too few samples", "✗ missed"],
    ]  # fmt: skip


def test_what_was_measured_has_the_unit_that_was_asked_for(run: Run) -> None:
    goals = [
        Objective("rate>=200/s", 199.7, False),
        Objective("rate>1/s", 12345.6, True),
        Objective("max<2s", 1500, True),
    ]
    root = parsed(html(replace(run, verdict="missed", objectives=goals)))

    assert [row[1] for row in table(root, "What was asked of the site")] == ["199.7/s", "12,345.6/s", "1.5 s"]


@pytest.mark.parametrize(
    ("pace", "sent"),
    [
        ("closed=20", "A user asks when the answer before has come"),
        ("session", "a visitor waits for the answer that the next request depends on"),
        ("rate=50", "whether or not earlier ones were answered"), (None, "whether or not earlier ones were answered"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verdict", ["pass", "invalid"])
def test_it_says_when_requests_were_sent_and_what_a_closed_loop_hides(
    run: Run, pace: str | None, sent: str, verdict: Any
) -> None:
    closed = pace == "closed=20"
    root = parsed(html(replace(run, verdict=verdict, why=[], plan=run.plan | {"pace": pace})))

    assert (HIDES in text(section(root, "Verdict"))) is closed
    assert sent in text(section(root, "reading"))
    times = text(section(root, "times"))
    assert ("it holds no waiting for a slow site" in times) is closed
    assert ("what a visitor waits" in times) is not closed


def test_it_says_who_computed_and_what_is_no_process(run: Run) -> None:
    machine = {"cores": 2, "own_cpu": [0.25, 0.5], "shares": {"web": 0.5, "stolen": 0.02}}
    root = parsed(html(replace(run, machine=machine)))

    assert [row[:2] for row in table(root, "Who computed")] == [
        ["web", "0.50"], ["stolen by other guests of the host: whoever was to send then was late", "0.02"],
    ]  # fmt: skip
    assert "cores, each sender0.25, 0.5" in text(section(root, "measured"))


def test_it_loads_nothing_and_its_policy_allows_nothing_but_itself(run: Run) -> None:
    page = html(run)
    root = parsed(page)

    loads = {("link", "href"), ("script", "src"), ("img", "src"), ("svg", "href"), ("use", "href"), ("a", "href")}
    assert [one.get(name) for tag, name in loads for one in root.iter(tag) if one.get(name)] == ["data:,"]
    assert not re.search(r"url\(|@import|fetch\(|\bimport\b|XMLHttpRequest|innerHTML", page)
    assert [
        one.tag for one in root.iter() if one.get("style") or any(name.startswith("on") for name in one.attrib)
    ] == []
    policy = next(one.get("content") or "" for one in root.iter("meta") if one.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        digest = hashlib.sha256("".join(next(root.iter(tag)).itertext()).encode()).digest()
        assert f"{tag}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy


def test_what_comes_from_outside_is_text(run: Run) -> None:
    evil = replace(
        run, why=[EVIL], plan={"file": EVIL, "target": EVIL, EVIL: EVIL}, started=EVIL, outcomes={EVIL: 3, "200": 1},
        levels={EVIL: 4}, machine={EVIL: EVIL, "shares": {EVIL: 0.5}}, selfcheck={EVIL: {EVIL: [EVIL]}},
        routes=[Route(EVIL, 4, {EVIL: 4}, {EVIL: 4}, run.response_ms, run.service_ms)],
        objectives=[Objective(EVIL, 1.0, False)], differences=[Difference(EVIL, EVIL, 0.5, 0.01, EVIL, EVIL)],
    )  # fmt: skip
    page = html(evil)
    root = parsed(page)

    assert "<script>alert" not in page
    assert "<img" not in page
    assert "49" not in re.findall(r"&amp;amp;(.{0,12})", page)
    assert len(list(root.iter("script"))) == 1
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 15


def test_the_command_that_runs_it_again_is_quoted(run: Run) -> None:
    typed = ["replay", "run", "a file.rec.jsonl.gz", "--target", "http://127.0.0.1:8000", "--slo", "p99<250ms"]
    root = parsed(html(replace(run, plan={**run.plan, "command": typed})))

    assert text(next(section(root, "measured").iter("pre"))) == (
        "plaza replay run 'a file.rec.jsonl.gz' --target http://127.0.0.1:8000 --slo 'p99<250ms'"
    )
    assert "command" not in {text(one) for one in root.iter("dt")}


def test_a_run_that_measured_nothing_has_a_report_too() -> None:
    root = parsed(html(nothing_measured(why=["the target was gone"])))

    assert "the target was gone" in text(section(root, "Verdict"))
    assert list(root.iter("figure")) == []


def test_one_request_is_told_without_percentiles() -> None:
    only, row = Histogram(), [1, *[0] * (len(ROWS_MS) - 1)]
    only.add(1234)
    summary = only.summary()
    run = nothing_measured(
        verdict="pass", offered=1, sent=1, completed=1, seconds=0.4, outcomes={"200": 1}, response_ms=summary,
        series=[Second(0.0, 1, 1, 1, 0, None, None, None, 0, 0)], heat=Heat(1.0, ROWS_MS, [row]),
        histograms={"response": only.as_json()}, routes=[Route("GET /", 1, {"200": 1}, {}, summary, summary)],
    )  # fmt: skip
    root = parsed(html(run))

    assert table(root, "Milliseconds")[0][1:] == ["n/a", "n/a", "n/a", "n/a", "1.23"]
    assert "of them within" not in text(section(root, "Verdict"))


def test_routes_that_nobody_reads_are_counted(run: Run) -> None:
    routes = [
        Route(f"GET /{n}", 1000 - n, {"500": 1, "200": 999 - n}, {}, run.response_ms, run.service_ms) for n in range(99)
    ]
    page = html(replace(run, routes=routes))
    rows = table(parsed(page), "Requests and response times by route")

    assert [row[0] for row in rows] == [one.route for one in routes[:60]]
    rest = sum(one.n for one in routes[60:])
    assert f"39 routes more with {words.count(rest)} requests, of which 39 failed" in page


def test_differences_stand_with_their_noise_and_an_example(run: Run) -> None:
    found = Difference("GET /api/posts/<n>", "/title", 0.25, 0.002, '"Monday"', '"Tuesday"')
    rows = table(parsed(html(replace(run, differences=[found]))), "What differs")

    assert rows == [["GET /api/posts/<n>", "/title", "25.0 %", "0.20 %", '"Monday"', '"Tuesday"']]


def test_an_hour_fits_into_300_kb_and_keeps_its_worst_second() -> None:
    short = simulated(rate=150, seconds=30)
    hour = [replace(short.series[at % 30], t=float(at), p99=31_234.0 if at == 1801 else 20.0) for at in range(3600)]
    heat = Heat(1.0, ROWS_MS, [short.heat.counts[at % 30] for at in range(3600)]) if short.heat else None
    routes = [replace(short.routes[n % 6], route=f"GET /api/a-rather-long-name/{n}/<n>") for n in range(40)]
    page = html(replace(short, series=hour, seconds=3600.0, heat=heat, routes=routes))
    root = parsed(page)

    assert len(page.encode()) < 300_000
    rows = table(root, "Requests a second, times and waiting")
    assert len(rows) <= 240
    assert "31,234" in {row[6] for row in rows}
    whole = sum(map(sum, heat.counts)) if heat else 0
    assert sum(int(row[1].replace(",", "")) for row in table(root, "Answers by response time")) == whole
