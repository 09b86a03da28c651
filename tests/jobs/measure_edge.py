"""How long a write takes to be seen through Nginx: `pytest tests/jobs/measure_edge.py -s -n0`; no test of the suite."""

import asyncio
import http.client
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from models import Models
from models.writing import Draft
from settings import Settings
from tests.harness.people import People
from tests.harness.servers import Databases
from tests.harness.site import Site, run_site
from tests.jobs.refreshed import worker

WRITES, READERS = 300, 2


@pytest.fixture(scope="module")
def refreshed(databases: Databases) -> Iterator[Site]:
    with run_site(databases) as site, worker(site.settings):
        yield site


@pytest.fixture
def settings(refreshed: Site) -> Settings:
    return refreshed.settings


@pytest.mark.gen_test(timeout=120)
async def test_from_written_to_visible(models: Models, people: People, settings: Settings) -> None:
    posts = []
    for n in range(10):
        post = await models.writing.create(Draft(f"Post {n}", "", "Some text.", ("news",)), by=people.alice)
        posts.append(await models.publishing.publish(post.id, by=people.alice))
    stop, seen = threading.Event(), Counter[str]()
    paths = ["/", "/", "/tag/news", *(f"/blog/{post.id}-{post.slug}" for post in posts)]

    def read(number: int) -> None:
        connection = http.client.HTTPConnection("localhost", settings.port, timeout=10)
        at = number
        while not stop.wait(0.05):
            connection.request("GET", paths[at % len(paths)], headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            answer.read()
            seen[f"{answer.status} {answer.headers['X-Cache']}"] += 1
            at += 7
        connection.close()

    def visible(path: str, word: bytes) -> float:
        connection = http.client.HTTPConnection("localhost", settings.port, timeout=10)
        latest = time.perf_counter() + 15
        with closing(connection):
            while True:
                connection.request("GET", path)
                if word in connection.getresponse().read():
                    return time.perf_counter()
                time.sleep(0.001)
                assert time.perf_counter() < latest, path

    threads = [threading.Thread(target=read, args=(n,)) for n in range(READERS)]
    for thread in threads:
        thread.start()
    took: dict[str, list[float]] = {"page": [], "front": []}
    try:
        for n in range(WRITES):
            post = posts[n % len(posts)]
            current = await models.posts.one(post.id)
            title = f"Title number {n} of {post.id}"
            await models.writing.edit(
                post.id,
                Draft(title, current.summary, "Some text.", ("news",), post.slug),
                version=current.version,
                by=people.alice,
            )
            ended = time.perf_counter()
            path = "/" if n % 2 else f"/blog/{post.id}-{post.slug}"
            at = await asyncio.to_thread(visible, path, title.encode())
            took["front" if n % 2 else "page"].append(at - ended)
            await asyncio.sleep(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    print()
    for name, times in took.items():
        times.sort()
        print(
            name,
            len(times),
            *(
                f"{label} {times[min(len(times) - 1, int(len(times) * q))] * 1000:.1f} ms"
                for label, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
            ),
        )
    print(seen)
    print(
        os.getloadavg(),
        *[line for line in (settings.var / "log" / "worker.log").read_text().splitlines() if "plaza.edge" in line][:20],
        sep="\n",
    )
