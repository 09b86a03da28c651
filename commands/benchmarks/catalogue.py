"""All benchmarks by name, in the order in which they are measured. A new one is a line here."""

from commands.benchmarks.crowds import CROWDS, memory
from commands.benchmarks.inward import INWARD
from commands.benchmarks.lanes import Benchmark
from commands.benchmarks.pages import PAGES

KEYS = 200_000  # distinct keys that the memory's benchmark reads; the whole claim is about ten million


def benchmarks(keys: int = KEYS) -> dict[str, Benchmark]:
    return {benchmark.name: benchmark for benchmark in (*PAGES, *INWARD, *CROWDS, memory(keys))}
