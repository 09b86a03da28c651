"""The same figures with few posts and with very many: two instances at once, whose lanes take turns."""

from collections.abc import Mapping

from commands.benchmarks.inward import INWARD
from commands.benchmarks.laboratory import Laboratory
from commands.benchmarks.lanes import Benchmark, Figure, Lane, Subject
from commands.benchmarks.pages import PAGES, PATHS, body_of, load

WITHIN = 1.3  # times as slow as with few posts: the target
Loads = tuple[tuple[int, Laboratory], tuple[int, Laboratory]]  # (posts, instance): few, many


def compared(names: list[str], loads: Loads) -> list[tuple[Benchmark, Subject]]:
    """Those of the named benchmarks that can be compared, ready to be measured."""
    found: list[tuple[Benchmark, Subject]] = []
    for benchmark in PAGES:
        if benchmark.name in names:
            found.append((benchmark, _page(benchmark, loads, {})))
    if "front" in names:
        alone = Benchmark("front-redis", "Front page, from Redis", PAGES[0].prepare)
        found.append((alone, _page(PAGES[0], loads, {"l1_memory": "0"})))
    found += [(benchmark, _figures(benchmark, loads)) for benchmark in INWARD if benchmark.name in names]
    return found


def _page(benchmark: Benchmark, loads: Loads, choices: dict[str, str]) -> Subject:
    lanes: list[Lane] = []
    for posts, laboratory in loads:
        web, path = laboratory.web(**choices), PATHS[benchmark.name](laboratory)
        name, against = (f"{posts:,}", f"{loads[0][0]:,}" if lanes else "")
        measure = load(web, path, body_of(web.address + path))
        lanes.append(
            Lane(name, f"{name} posts", measure, against=against, least=round(1 / WITHIN, 2) if lanes else None)
        )
    return Subject("one web process, straight", {}, tuple(lanes))


def _figures(benchmark: Benchmark, loads: Loads) -> Subject:
    """What the benchmark counts or times, with many posts divided by the same with few."""
    few, many = (benchmark.prepare(laboratory) for _, laboratory in loads)
    probes = [subject.probe for subject in (few, many) if subject.probe]
    figures = tuple(
        Figure(figure.name, f"{figure.title}, against {loads[0][0]:,} posts", "×", most=WITHIN)
        for figure in few.figures
        if figure.unit != "×"
    )

    def probe() -> Mapping[str, float]:
        less, more = (probe() for probe in probes)
        return {
            one.name: more[one.name] / less[one.name] if less[one.name] else 1.0 + more[one.name] for one in figures
        }

    return Subject(few.about, {"few": few.facts, "many": many.facts}, figures=figures, probe=probe)
