"""Pages that lie in Nginx's store beside static files of their size: with gzip and without, for visitors and for members."""

import http.client
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

from commands.benchmarks.edge_log import AccessLog
from commands.benchmarks.laboratory import Laboratory
from commands.benchmarks.lanes import Benchmark, Figure, Lane, Sample, Subject
from commands.benchmarks.pages import PATHS, load, past
from commands.console import Trouble

LEAST = 0.90
GZIP = {"Accept-Encoding": "gzip"}
MEMBER = GZIP | {"Cookie": f"plaza={'m' * 43}; member=1"}


def stored(name: str, title: str) -> Benchmark:
    """One of PATHS, stored."""
    return Benchmark(f"edge-{name}", title, lambda laboratory: _subject(laboratory, name))


def _subject(laboratory: Laboratory, name: str) -> Subject:
    path, nginx = PATHS[name](laboratory), laboratory.nginx
    page = _Page(laboratory, path)
    body, packed = page.ask({}), page.ask(GZIP)
    file = laboratory.keep(f"edge-{name}.html", body, packed)
    lanes = (
        Lane("static", "a static file, gzip", load(nginx, file, body, GZIP)),
        Lane("visitor", "the page, gzip", page.load(body, GZIP), against="static", least=LEAST),
        Lane(
            "member",
            "the page, gzip, a member",
            page.load(body, MEMBER),
            against="static",
            least=LEAST,
        ),
        Lane("static-plain", "a static file, plain", load(nginx, file, body)),
        Lane("plain", "the page, plain", page.load(body, {}), against="static-plain", least=LEAST),
    )
    figures = (Figure("missed", "answers that were no hits", "", most=0, worst=True),)
    about = f"{len(body) / 1000:.1f} kB, {len(packed) / 1000:.1f} with gzip"
    facts = {"path": path, "bytes": len(body), "packed": len(packed)}
    return Subject(about, facts, lanes, figures, page.probe)


@dataclass(slots=True)
class _Page:
    """A stored page, and what the access log says of how it was given."""

    laboratory: Laboratory
    path: str
    log: AccessLog = field(init=False)
    asked: int = 0  # by wrk, since the log was read

    def __post_init__(self) -> None:
        self.ask({})
        self.log = AccessLog(self.laboratory.settings.var / "log" / "access.log")

    def ask(self, headers: Mapping[str, str]) -> bytes:
        """The body as it is sent, from a web process and into the store. Raises Trouble."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.laboratory.settings.port, timeout=20)) as connection:
            connection.request(
                "GET", self.path, headers={"Accept-Encoding": "identity", **past(self.laboratory), **headers}
            )
            answer = connection.getresponse()
            body = answer.read()
        if answer.status != 200:
            raise Trouble(f"{self.path} answers {answer.status}")
        return body

    def load(self, body: bytes, headers: Mapping[str, str]) -> Callable[[float], Sample]:
        measure = load(self.laboratory.nginx, self.path, body, headers)

        def measured(seconds: float) -> Sample:
            self.ask(headers)  # so it does not grow too old meanwhile
            sample = measure(seconds)
            self.asked += sample.requests
            return sample

        return measured

    def probe(self) -> Mapping[str, float]:
        """How many answers of the round were no hits: each stands in the log. Raises Trouble."""
        found = self.log.read(self.path, self.asked)
        self.asked = 0
        return {"missed": found.total() - found["HIT"] - found["BYPASS"]}  # bypassed is what `ask` asks


EDGE = (stored("front", "The front page, stored"), stored("post", "A post, stored"))
