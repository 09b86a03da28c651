"""The pages that a crowd opens: through Nginx, straight at one web process, and the two yardsticks of the same bytes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from commands.benchmarks import cpu, wrk
from commands.benchmarks.laboratory import Laboratory, Server, fetch
from commands.benchmarks.lanes import Benchmark, Lane, Sample, Subject
from commands.console import Trouble
from models.posts import Post


def page(name: str, title: str, kind: str, path: Callable[[Laboratory], str]) -> Benchmark:
    """A benchmark of the address that `path` gives; `kind` is the suffix of its body's file."""
    return Benchmark(name, title, lambda laboratory: _subject(laboratory, name, kind, path(laboratory)))


def _subject(laboratory: Laboratory, name: str, kind: str, path: str) -> Subject:
    web, nginx = laboratory.web(), laboratory.nginx
    body = _body(web.address + path)
    if _body(nginx.address + path) != body:
        raise Trouble(f"{path} is not the same through Nginx as straight from a web process")
    static = laboratory.keep(f"{name}{kind}", body)
    lanes = (
        Lane("nginx", "Nginx, 2 web processes", _load(nginx, path, body), against="static"),
        Lane("static", "Nginx, a static file", _load(nginx, static, body)),
        Lane("web", "one web process, straight", _load(web, path, body), against="bare"),
        Lane(
            "bare", "bare Tornado handler", lambda seconds: _checked(laboratory.bare(), f"/{name}{kind}", body, seconds)
        ),
    )
    return Subject(f"{len(body) / 1000:.1f} kB", {"path": path, "bytes": len(body)}, lanes)


def _load(server: Server, path: str, body: bytes) -> Callable[[float], Sample]:
    return partial(_checked, server, path, body)


def _checked(server: Server, path: str, body: bytes, seconds: float) -> Sample:
    """wrk counts 3xx as well and looks at no body, so one more request asks whether the answer is still the right one."""
    before = cpu.spent(server.pids)
    sample = wrk.run(server.address + path, seconds)
    sample = replace(sample, cpu=(cpu.spent(server.pids) - before) * 1e6 / max(1, sample.requests))
    try:
        status, found = fetch(server.address + path)
    except OSError as error:
        return replace(sample, failed=sample.failed | {f"no answer afterwards ({error})": 1})
    if status != 200:
        return replace(sample, failed=sample.failed | {f"answer {status} afterwards": 1})
    if found != body:
        return replace(sample, failed=sample.failed | {"another body afterwards": 1})
    return sample


def _body(url: str) -> bytes:
    status, body = fetch(url)
    if status != 200:
        raise Trouble(f"{url} answers {status}")
    return body


def typical(laboratory: Laboratory) -> Post:
    """The middle one of the newest 51 posts by the size of its page."""
    web = laboratory.web().address
    newest = laboratory.posts[-51:]
    sizes = sorted((len(_body(f"{web}/blog/{post.id}-{post.slug}")), post.id) for post in newest)
    wanted = sizes[len(sizes) // 2][1]
    return next(post for post in newest if post.id == wanted)


def _post_path(laboratory: Laboratory) -> str:
    post = typical(laboratory)
    return f"/blog/{post.id}-{post.slug}"


PAGES = (
    page("front", "Front page", ".html", lambda laboratory: "/"),
    page("post", "A post", ".html", _post_path),
    page("api", "JSON of a post", ".json", lambda laboratory: f"/api/blogs/{typical(laboratory).id}"),
)
