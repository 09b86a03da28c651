"""The pages that a crowd opens: through Nginx, straight at one web process, and the two yardsticks of the same bytes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from commands.benchmarks import cpu, wrk
from commands.benchmarks.laboratory import Laboratory
from commands.benchmarks.lanes import Benchmark, Lane, Sample, Subject
from commands.benchmarks.processes import Server, fetch
from commands.console import Trouble
from models.posts import Post


def page(name: str, title: str, kind: str, least: float, alone: float | None = None) -> Benchmark:
    """A benchmark of one of PATHS; `kind` is the suffix of its body's file.

    `least`: the target of one web process against bare Tornado; `alone`: with the process's own memory off, Redis warm.
    """
    return Benchmark(name, title, lambda laboratory: _subject(laboratory, name, kind, least, alone))


def _subject(laboratory: Laboratory, name: str, kind: str, least: float, alone: float | None) -> Subject:
    web, nginx, path = laboratory.web(), laboratory.nginx, PATHS[name](laboratory)
    body = body_of(web.address + path)
    if body_of(nginx.address + path) != body:
        raise Trouble(f"{path} is not the same through Nginx as straight from a web process")
    static = laboratory.keep(f"{name}{kind}", body)
    lanes = [
        Lane("nginx", "Nginx, what a visitor meets", load(nginx, path, body), against="static"),
        Lane("miss", "Nginx, past its store", load(nginx, path, body, past(laboratory)), against="static"),
        Lane("static", "Nginx, a static file", load(nginx, static, body)),
        Lane("web", "one web process, straight", load(web, path, body), against="bare", least=least),
        Lane(
            "bare", "bare Tornado handler", lambda seconds: _checked(laboratory.bare(), f"/{name}{kind}", body, seconds)
        ),
    ]
    if alone is not None:
        other = laboratory.web(l1_memory="0")
        lanes.insert(3, Lane("redis", "the same, from Redis", load(other, path, body), against="bare", least=alone))
    return Subject(f"{len(body) / 1000:.1f} kB", {"path": path, "bytes": len(body)}, tuple(lanes))


def load(server: Server, path: str, body: bytes, headers: Mapping[str, str] = wrk.NONE) -> Callable[[float], Sample]:
    """A lane's measuring: wrk at this path of the server with those headers, which must answer that body."""
    return partial(_checked, server, path, body, headers=headers)


def _checked(server: Server, path: str, body: bytes, seconds: float, headers: Mapping[str, str] = wrk.NONE) -> Sample:
    """wrk counts 3xx as well and looks at no body, so one more request asks whether the answer is still the right one."""
    before = cpu.spent(server.pids)
    sample = wrk.run(server.address + path, seconds, headers)
    sample = replace(sample, cpu=(cpu.spent(server.pids) - before) * 1e6 / max(1, sample.requests))
    try:
        status, found = fetch(server.address + path, headers)
    except OSError as error:
        return replace(sample, failed=sample.failed | {f"no answer afterwards ({error})": 1})
    if status != 200:
        return replace(sample, failed=sample.failed | {f"answer {status} afterwards": 1})
    if found != body:
        return replace(sample, failed=sample.failed | {"another body afterwards": 1})
    return sample


def past(laboratory: Laboratory) -> dict[str, str]:
    """With these headers Nginx asks a web process each time, and stores what that answers."""
    return {"X-Plaza-Refresh": laboratory.settings.secret("edge")}


def body_of(url: str) -> bytes:
    """The body of an answer. Raises Trouble for any but 200."""
    status, body = fetch(url)
    if status != 200:
        raise Trouble(f"{url} answers {status}")
    return body


def typical(laboratory: Laboratory) -> Post:
    """The middle one of the newest 51 posts by the size of its page."""
    web = laboratory.web().address
    newest = laboratory.posts[-51:]
    sizes = sorted((len(body_of(f"{web}/blog/{post.id}-{post.slug}")), post.id) for post in newest)
    wanted = sizes[len(sizes) // 2][1]
    return next(post for post in newest if post.id == wanted)


def _post_path(laboratory: Laboratory) -> str:
    post = typical(laboratory)
    return f"/blog/{post.id}-{post.slug}"


PATHS: dict[str, Callable[[Laboratory], str]] = {
    "front": lambda laboratory: "/",
    "post": _post_path,
    "api": lambda laboratory: f"/api/blogs/{typical(laboratory).id}",
}
PAGES = (
    page("front", "Front page", ".html", 0.55, alone=0.30),
    page("post", "A post", ".html", 0.65),
    page("api", "JSON of a post", ".json", 0.80),
)
