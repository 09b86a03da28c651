"""The report of a run as a browser shows it from a file: sound at every width, by day and by night, and its comforts work."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from replay.report import html
from replay.results import Difference, Route, Run
from tests.browser.chromium import PATIENCE
from tests.browser.test_pages import look
from tests.replay.runs import simulated

LONG = "GET /" + "a-name-that-does-not-end/" * 12


@pytest.fixture(scope="module")
def run() -> Run:
    """With something in each section, and words that are longer than a telephone is wide."""
    made = simulated(rate=60, seconds=40, stall=(20, 1.5))
    made.routes.append(Route(LONG, 3, {"reset": 3}, {}, made.response_ms, made.service_ms))
    made.differences.append(Difference(LONG, "/" + "field" * 30, 0.5, 0.01, "old" * 60, "new" * 60))
    made.plan |= {"file": "a-capture-of-" + "monday-" * 12 + ".rec.jsonl.gz", "only": ["/" + "x" * 90]}
    return made


@pytest.fixture
def shown(chromium: Browser, tmp_path: Path) -> Any:
    """`shown(page)` opens it; at the end nothing may have been refused, failed, or been asked for."""
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE)
    problems: list[str] = []
    asked: list[str] = []
    context.on("console", lambda message: problems.append(message.text))
    context.on("weberror", lambda error: problems.append(str(error.error)))

    def open_page(text: str) -> Page:
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    context.close()
    assert problems == []
    assert {address for address in asked if address != "data:,"} <= {(tmp_path / "report.html").as_uri()}


@pytest.mark.parametrize("verdict", ["missed", "invalid"])
def test_everybody_can_read_it(run: Run, verdict: Any, shown: Any) -> None:
    page = shown(html(replace(run, verdict=verdict)))
    for summary in page.locator("summary").all():
        summary.click()

    assert look(page) == []


def test_the_policy_lets_its_style_and_its_script_in(run: Run, shown: Any) -> None:
    page = shown(html(run))

    assert page.evaluate("getComputedStyle(document.querySelector('.verdict')).display") == "grid"
    expect(
        page.get_by_role("table", name="Requests and response times by route").get_by_role("button")
    ).not_to_have_count(0)


def test_a_table_is_sorted_by_the_heading_that_is_pressed(run: Run, shown: Any) -> None:
    page = shown(html(run))
    routes = page.get_by_role("table", name="Requests and response times by route")
    counts = sorted((one.n for one in run.routes), reverse=True)

    routes.get_by_role("button", name="Requests").press("Enter")

    expect(routes.get_by_role("columnheader", name="Requests")).to_have_attribute("aria-sort", "descending")
    assert [int(text.replace(",", "")) for text in routes.locator("tbody td:nth-child(2)").all_inner_texts()] == counts
    routes.get_by_role("button", name="Requests").press("Enter")
    assert [int(text.replace(",", "")) for text in routes.locator("tbody td:nth-child(2)").all_inner_texts()] == counts[
        ::-1
    ]


def test_the_pointer_reads_all_charts_of_one_moment(run: Run, shown: Any) -> None:
    page = shown(html(run))
    plot = page.locator("#rates .area")
    plot.scroll_into_view_if_needed()

    plot.hover(position={"x": 1, "y": 20})

    first = run.series[0]
    expect(page.locator("#rates .readout")).to_have_text(
        f"0:00 · due {first.offered} · sent {first.sent} · answered {first.completed}"
    )
    expect(page.locator("#backlog .readout")).to_contain_text("0:00 · to be sent 0")


def test_the_pointer_reads_a_cell_of_the_heat_map(run: Run, shown: Any) -> None:
    page = shown(html(run))

    page.locator(".heat .area").hover(position={"x": 2, "y": 120})

    expect(page.locator(".heat .readout")).to_contain_text("0:00 · up to")
