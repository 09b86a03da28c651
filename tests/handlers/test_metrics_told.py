"""What the documents and the dashboard say of metrics is so: names and labels are those of a real answer."""

import json
import re
from collections.abc import Iterator
from typing import Any

from prometheus_client.parser import text_string_to_metric_families as families

from jobs.figures import look_at_stores
from models import Models
from models.counts import COUNTS
from models.edge_pages import EdgePages
from models.metrics import METRICS
from settings import ROOT
from tests.cache.sides import until
from tests.handlers.conftest import Town
from tests.harness.browser import Browser

DASHBOARD = ROOT / "deploy" / "grafana.json"
PROMETHEUS_OWN = {"instance", "job"}  # labels that it adds itself


async def told(models: Models, visitor: Browser) -> dict[str, set[str]]:
    """The labels of each name in a real answer, in which everything has happened once."""
    COUNTS["tests.told"] += 1
    models.figures.duty("a duty", 0.1, failed=False)
    await until(lambda: models.cache.tracking.push_lag is not None)
    await look_at_stores(models)
    EdgePages(models.figures).look()
    async with models.figures.shown_as("web-0"):
        await visitor.get("/")
        text = (await visitor.get("/metrics")).text
    return {sample.name: set(sample.labels) for family in families(text) for sample in family.samples}


def expressions() -> Iterator[str]:
    """Every question of the dashboard, its variables included."""
    board: dict[str, Any] = json.loads(DASHBOARD.read_text())
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


def labels_of(expression: str) -> set[str]:
    """All that it selects or groups by."""
    selected = re.findall(r"[{,](\w+)(?:=~|!~|!=|=)\"", expression)
    grouped = re.findall(r"\bby \(([^)]*)\)", expression)
    asked = re.findall(r"label_values\(\w+, (\w+)\)", expression)
    return {*selected, *asked, *(label.strip() for group in grouped for label in group.split(","))}


async def test_every_metric_is_in_a_real_answer(models: Models, town: Town, visitor: Browser) -> None:
    found = await told(models, visitor)

    assert [name for name, one in METRICS.items() if one.kind != "histogram" and name not in found] == []
    for name, one in METRICS.items():
        assert found[name if one.kind != "histogram" else f"{name}_count"] == {*one.labels, "process"}, name


async def test_the_dashboard_asks_for_what_there_is(models: Models, town: Town, visitor: Browser) -> None:
    found = await told(models, visitor)
    asked = list(expressions())

    assert len(asked) > 40
    for expression in asked:
        names = re.findall(r"\bplaza_\w+", expression)
        assert names, expression
        assert set(names) <= set(found), expression
        known = set.union(*(found[name] for name in names)) | PROMETHEUS_OWN
        assert labels_of(expression) <= known, expression
        for opening, closing in ("()", "{}", "[]"):
            assert expression.count(opening) == expression.count(closing), expression


def test_what_a_panel_calls_its_lines_are_labels_that_it_asks_for() -> None:
    board = json.loads(DASHBOARD.read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            called = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            grouped = labels_of(target["expr"])
            assert called <= grouped | ({"process"} if " by " not in target["expr"] else set()), target["expr"]


def test_the_panels_of_the_dashboard_lie_beside_each_other() -> None:
    """Two in one place would hide each other, and a number that is used twice one of them."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    places = [(x, y) for panel in panels for at in [panel["gridPos"]]
              for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]  # fmt: skip

    assert len(places) == len(set(places))
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        "Traffic", "Cache: truth", "Cache: speed", "Pages in Nginx", "Stores", "Worker",
    ]  # fmt: skip


def test_the_document_names_every_metric_with_its_labels_and_no_other() -> None:
    lines = (ROOT / "docs" / "metrics.md").read_text().partition("## What there is")[2].partition("## Add a figure")[0]
    rows = [line.split(" | ") for line in lines.splitlines() if line.startswith("| `plaza_")]
    named = {name: row for row in rows for name in re.findall(r"`(plaza_\w+)`", row[0])}

    assert set(named) == set(METRICS)
    for name, row in named.items():
        labels = tuple(re.findall(r"`(\w+)`", row[1])) if len(row) == 3 else ()
        assert labels == METRICS[name].labels, name
