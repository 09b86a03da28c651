"""How long a search takes in what `many_posts` has loaded: `python -m tests.models.measure_search VAR COUNT [MB of buffer pool]`.

Each kind of query is asked some hundred times, each time other words, of the page /search in one web process, one after another.
"""

import http.client
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from commands import embedded
from settings import ROOT, Settings, environment
from tests.harness.site import free_port
from tests.models.many_posts import TAGS, post, server, word

ROUNDS = 200


def queries(posts: int, number: int) -> Iterator[tuple[str, str]]:
    """(kind, query): the words of a random post, so that common words are asked for as often as they are written."""
    dice = random.Random(number)
    title, body, tags, author = post(dice.randrange(1, posts) // 10 * 10 + 1)
    words = body.split()
    yield "one word", dice.choice(words)
    yield "two words", " ".join(dice.sample(words, 2))
    yield "three words", " ".join(dice.sample(words, 3))
    at = dice.randrange(len(words) - 1)
    yield "phrase", f'"{words[at]} {words[at + 1]}"'
    yield "word, tag, author", f'{dice.choice(words)} tag:{tags[0]} author:"Author {author}"'
    signs = post(dice.randrange(1, posts) // 10 * 10 or 10)[1]
    at = dice.randrange(len(signs) - 4)
    yield "Chinese, four signs", signs[at : at + 4]
    yield "absent", f"{title.split()[0]} absent{number}"
    common = [word(rank) for rank in dice.sample(range(1, 25), 3)]
    yield "two of the 25 most common", " ".join(common[:2])
    yield "phrase of two of them", f'"{common[0]} {common[1]}"'
    yield "common word and tag", f"{common[0]} tag:{dice.choice(TAGS)}"
    middle = [word(rank) for rank in dice.sample(range(100, 400), 2)]
    yield "two of some 10,000 posts", " ".join(middle)
    yield "twelve common words", " ".join(word(rank) for rank in dice.sample(range(1, 40), 12))


def measure(settings: Settings, posts: int, pool: int) -> float:
    """Prints a table; the p99 of all queries together, in ms."""
    with server(settings, f"--innodb-buffer-pool-size={pool}M"), embedded.servers(settings, fast=True):
        told = {"var": str(settings.var), "port": str(settings.port), "production": "true", "log_level": "WARNING"}
        web = subprocess.Popen(
            [sys.executable, "-P", f"{ROOT}/server.py", "--listen", f"127.0.0.1:{settings.port}"], env=environment(told)
        )
        try:
            client = http.client.HTTPConnection("127.0.0.1", settings.port)
            _wait(client, web)
            took: dict[str, list[float]] = {}
            partly: dict[str, int] = {}
            for number in range(ROUNDS):
                for kind, query in queries(posts, number):
                    started = time.perf_counter()
                    client.request("GET", f"/search?q={quote(query)}")
                    answer = client.getresponse()
                    page = answer.read()
                    took.setdefault(kind, []).append((time.perf_counter() - started) * 1000)
                    assert answer.status == 200, (query, answer.status)
                    partly[kind] = partly.get(kind, 0) + (b"were looked through" in page)
            client.close()
        finally:
            web.terminate()
            web.wait(20)
    print(f"{'':28}{'p50':>8}{'p90':>8}{'p99':>8}{'max':>8} ms   answered in part")
    everything = [ms for times in took.values() for ms in times]
    for kind, times in [*took.items(), ("all", everything)]:
        times.sort()
        p50, p90, p99 = (times[int(len(times) * share)] for share in (0.5, 0.9, 0.99))
        part = f"{100 * partly[kind] / len(times):.0f} %" if kind in partly else ""
        print(f"{kind:28}{p50:8.1f}{p90:8.1f}{p99:8.1f}{times[-1]:8.1f}      {part}")
    return p99


def _wait(client: http.client.HTTPConnection, web: "subprocess.Popen[bytes]") -> None:
    while web.poll() is None:
        try:
            client.request("GET", "/healthz")
            client.getresponse().read()
            return
        except OSError:
            client.close()
            time.sleep(0.1)
    raise SystemExit("the web process does not start")


if __name__ == "__main__":
    pool = int(sys.argv[3]) if len(sys.argv) > 3 else 128
    measure(Settings(var=Path(sys.argv[1]).absolute(), port=free_port()), int(sys.argv[2]), pool)
