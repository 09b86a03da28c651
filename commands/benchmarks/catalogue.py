"""All benchmarks by name, in the order in which they are measured. A new one is a line here."""

from commands.benchmarks.boards import boards
from commands.benchmarks.crowds import CROWDS, memory
from commands.benchmarks.edge import EDGE
from commands.benchmarks.edge_levels import LEVELS
from commands.benchmarks.edge_mix import mix
from commands.benchmarks.inward import INWARD
from commands.benchmarks.lanes import Benchmark
from commands.benchmarks.pages import PAGES
from commands.benchmarks.polls import VOTES, polls

KEYS = 200_000  # distinct keys that the memory's benchmark reads; the whole claim is about ten million
MEMBERS = 100_000  # of the board that is measured; the whole claim is about a million


def benchmarks(keys: int = KEYS, members: int = MEMBERS) -> dict[str, Benchmark]:
    known = (*PAGES, *INWARD, *CROWDS, boards(members), polls(min(members, VOTES)), memory(keys), *EDGE, LEVELS, mix())
    return {benchmark.name: benchmark for benchmark in known}
