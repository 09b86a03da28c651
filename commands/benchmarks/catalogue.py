"""All benchmarks by name, in the order in which they are measured. A new one is a line here."""

from commands.benchmarks.lanes import Benchmark
from commands.benchmarks.pages import PAGES

BENCHMARKS: dict[str, Benchmark] = {benchmark.name: benchmark for benchmark in (*PAGES,)}
