"""A board with very many members: how long a rank takes, and how long its ranking takes to be built again."""

import random
from collections.abc import Mapping

from commands.benchmarks.bulk import connected
from commands.benchmarks.laboratory import Laboratory
from commands.benchmarks.lanes import Benchmark, Figure, Subject
from models.periods import EVER

BOARD = "bench"
AT_ONCE = 10_000  # rows in one statement
SAMPLES = 2_000  # members that are asked for
MOST_MS, MOST_SECONDS = 5.0, 20.0


def boards(members: int) -> Benchmark:
    return Benchmark("boards", "A board", lambda laboratory: _board(laboratory, members))


def _board(laboratory: Laboratory, members: int) -> Subject:
    door = laboratory.door("boards", namespace="boards")
    # Room in Redis for as many: some 180 bytes a member.
    door.ask("memory", megabytes=128 + members // 4_000)
    id = _fill(laboratory, members)
    asked = {"top": "the first ten", "rank": "a member's rank", "around": "a member with its neighbours"}
    figures = (
        *(Figure(f"{name}_p50", f"{title}, p50", "ms") for name, title in asked.items()),
        *(Figure(f"{name}_p99", f"{title}, p99", "ms", most=MOST_MS) for name, title in asked.items()),
        Figure("build", f"building the ranking of {members:,} members", "s", most=MOST_SECONDS),
        Figure("bytes", "what a member takes in Redis", "bytes"),
    )

    def probe() -> Mapping[str, float]:
        built = door.ask("build", board=id, name=EVER.name)
        # A moment of its own after the building: nobody measures ranks while that goes on.
        return {**built, **door.ask("ranks", board=id, members=members, samples=SAMPLES)}

    return Subject(f"a board of {members:,} members", {"members": members}, figures=figures, probe=probe)


def _fill(laboratory: Laboratory, members: int) -> int:
    """A board whose best scores are all there; some of them are equal, as in a game with a few thousand possible scores."""
    dice = random.Random(members)  # noqa: S311 - no secret
    with connected(laboratory.settings.mysql) as cursor:
        cursor.execute(
            "INSERT INTO boards (slug, title, sense, keep, created_at) VALUES (%s, %s, 'highest', 'best', UTC_TIMESTAMP(6))",
            (BOARD, "Many"),
        )
        id: int = cursor.lastrowid
        for first in range(1, members + 1, AT_ONCE):
            rows = [
                (id, EVER.name, subject, -1000 * dice.randrange(members), subject, subject)
                for subject in range(first, min(first + AT_ONCE, members + 1))
            ]
            cursor.executemany(
                "INSERT INTO best_scores (board_id, period, subject_id, points, achieved_at, score_id) "
                "VALUES (%s, %s, %s, %s, TIMESTAMPADD(SECOND, %s, '2020-01-01'), %s)",
                rows,
            )
        cursor.execute("ANALYZE TABLE best_scores")
    return id
