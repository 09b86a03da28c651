"""Metrics: what Prometheus reads, and who may read it."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families_of_open_metrics
from prometheus_client.parser import text_string_to_metric_families as families
from prometheus_client.samples import Sample

from handlers import metrics
from models import Models, connected, snapshots
from models.counts import COUNTS
from models.metrics import METRICS
from settings import Settings
from tests.cache.sides import until
from tests.handlers.conftest import Town
from tests.harness.browser import Browser
from tests.harness.counting import Counted
from tests.harness.servers import Databases
from tests.harness.site import Site, run_site
from tests.harness.wires import Wire

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


async def scraped(browser: Browser) -> list[Sample]:
    answer = await browser.get("/metrics")
    assert answer.status == 200
    return [sample for family in families(answer.text) for sample in family.samples]


def value(samples: list[Sample], name: str, **labels: str) -> float:
    """Of the one sample of that name with these labels."""
    (one,) = [sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items()]
    return one


async def test_every_process_of_the_host_is_in_one_answer(
    models: Models, settings: Settings, town: Town, visitor: Browser
) -> None:
    async with connected(settings, near=True) as other, other.figures.shown_as("web-1"):
        await other.posts.one(town.post.id)
        await other.posts.one(town.post.id)
        await until(
            lambda: any(
                one.counters.get(("plaza_cache_hits_total", "l2", "post")) for one in snapshots.read_all(settings.run)
            )
        )
        async with models.figures.shown_as("web-0"):
            await visitor.get(town.path)
            found = await scraped(visitor)

    assert value(found, "plaza_cache_hits_total", level="l2", family="post", process="web-1") > 0
    assert value(found, "plaza_request_seconds_count", route="post", status="200", process="web-0") == 1
    assert {sample.labels["process"] for sample in found} == {"web-0", "web-1"}


async def test_requests_are_timed_by_route_and_status_those_answered_whole_too(
    models: Models, town: Town, visitor: Browser
) -> None:
    async with models.figures.shown_as("web-0"):
        etag = (await visitor.get("/")).headers["Etag"]
        for _ in range(4):
            await visitor.get("/")
        await visitor.request("GET", "/", headers={"If-None-Match": etag})
        for path in ("/nothing", f"/blog/{town.draft.id}-x", "/static/nothing.css"):
            await visitor.get(path)
        found = await scraped(visitor)

    def requests(route: str, status: str) -> float:
        return value(found, "plaza_request_seconds_count", route=route, status=status)

    assert models.pages.hits + models.pages.confirmed > 0
    assert (requests("front", "200"), requests("front", "304"), requests("post", "404")) == (5, 1, 1)
    assert requests("other", "404") == 2
    assert value(found, "plaza_cache_hits_total", level="l1", family="page") == models.pages.hits
    assert 0 < value(found, "plaza_request_seconds_sum", route="front", status="200") < 30
    assert value(found, "plaza_request_seconds_bucket", route="front", status="200", le="+Inf") == 5


async def test_the_answer_is_what_the_formats_want(models: Models, visitor: Browser) -> None:
    COUNTS["tests.told"] += 1
    async with models.figures.shown_as("web-0"):
        await visitor.get("/")
        plain = await visitor.get("/metrics")
        asked = await visitor.get("/metrics", accept=f"{OPEN_METRICS},*/*;q=0.1")

    for answer, parse, content_type in (
        (plain, families, "text/plain; version=0.0.4"),
        (asked, families_of_open_metrics, "application/openmetrics-text; version=1.0.0"),
    ):
        assert answer.headers["Content-Type"].startswith(content_type)
        for family in parse(answer.text):
            metric = METRICS.get(family.name) or METRICS[f"{family.name}_total"]
            assert (family.type, family.documentation) == (metric.kind, metric.about), family.name
            for sample in family.samples:
                assert set(sample.labels) - {"le"} == {*metric.labels, "process"}, sample
        assert 'plaza_events_total{event="told",part="tests",process="web-0"}' in answer.text


async def test_it_is_made_anew_each_time(models: Models, visitor: Browser) -> None:
    async with models.figures.shown_as("web-0"):
        counts = [value(await scraped(visitor), "plaza_cache_hits_total", level="l1", family="page") for _ in range(2)]
        requests = [await visitor.get("/metrics") for _ in range(3)]

    assert counts == [0, 0]
    assert all(one.headers["Cache-Control"] == "private, no-store" for one in requests)
    assert 'route="metrics",status="200"} 4.0' in requests[-1].text.replace('process="web-0",', "")


async def test_it_needs_neither_mysql_nor_redis(
    models: Models, visitor: Browser, mysql_wire: Wire, redis_wire: Wire, counted: Counted
) -> None:
    await mysql_wire.cut()
    await redis_wire.cut()
    async with models.figures.shown_as("web-0"):
        await models.cache.link.get(["anything"])
        counted.clear()
        found = await scraped(visitor)
        asked = [*counted.statements, *counted.commands]
    await mysql_wire.mend()

    assert asked == []
    assert value(found, "plaza_redis_up") == 0
    assert value(found, "plaza_redis_outages_total") == 1


async def test_who_scrapes_without_end_takes_no_more_than_a_share(
    visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as busy:
        busy.setattr(metrics.Metrics, "under_way", metrics.AT_ONCE)
        refused = await visitor.get("/metrics")

    assert refused.status == 503
    assert "Retry-After" in refused.headers
    assert [(await visitor.get("/metrics")).status for _ in range(metrics.AT_ONCE + 1)] == [200] * 5


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
async def test_behind_a_proxy_that_is_not_trusted_nobody_reads_it(visitor: Browser, header: str) -> None:
    answer = await visitor.request("GET", "/metrics", headers={header: "127.0.0.1"})

    assert answer.status == 403
    assert "plaza_" not in answer.text


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8000", 200), ("192.0.2.7", 200), ("[2001:db8::7]:8000", 200), ("rebound.example", 421), ("", 421)],
)
async def test_it_is_asked_for_by_number_or_by_our_name(visitor: Browser, host: str, status: int) -> None:
    """A page of another site can have its own name lead to this machine, and would read it in a visitor's browser."""
    assert (await visitor.request("GET", "/metrics", headers={"Host": host})).status == status


@pytest.fixture(scope="module")
def proxied(databases: Databases) -> Iterator[Site]:
    """A real Nginx behind a proxy on this machine that it trusts."""
    with run_site(databases, trusted_proxies="127.0.0.1,::1", metrics_networks="203.0.113.0/24, 2001:db8::/32") as site:
        yield site


def test_a_real_process_is_seen_while_it_serves(databases: Databases) -> None:
    with run_site(databases) as site:
        assert status(site, {}) == 200
        during = [one.process for one in snapshots.read_all(site.settings.run)]
        left = list(snapshots.folder(site.settings.run).iterdir())
        run = site.settings.run

    assert during == ["web-0"]
    assert [path.name for path in left] == ["web-0"]
    assert not list(snapshots.folder(run).glob("*"))


def status(site: Site, headers: dict[str, str]) -> int:
    with closing(http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=10)) as connection:
        connection.request("GET", "/metrics", headers=headers)
        answer = connection.getresponse()
        assert (b"plaza_build_info" in answer.read()) == (answer.status == 200)
        return answer.status


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.9", 200), ("2001:db8::9", 200), ("127.0.0.1", 200),
        ("198.51.100.9", 403), ("2001:db9::9", 403), ("203.0.113.9, 198.51.100.9", 403), ("unknown", 200),
    ],
)  # fmt: skip
def test_nginx_says_who_asks_and_strangers_are_refused(proxied: Site, address: str, expected: int) -> None:
    """What is no address is left out by Nginx: then the proxy itself asks, from this machine."""
    assert status(proxied, {"X-Forwarded-For": address}) == expected


def test_nginx_knows_a_proxy_that_nobody_told_it_of(whole_site: Site) -> None:
    assert status(whole_site, {}) == 200
    assert status(whole_site, {"X-Real-IP": "127.0.0.1", "X-Forwarded-For": "127.0.0.1"}) == 403
    assert status(whole_site, {"Via": "1.1 somebody"}) == 403
