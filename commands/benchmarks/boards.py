"""A board with very many members: how long a rank takes, and how long its ranking takes to be built again."""

from collections.abc import Mapping

from commands.benchmarks.bulk import connected, in_haste
from commands.benchmarks.laboratory import Laboratory
from commands.benchmarks.lanes import Benchmark, Figure, Subject
from models.periods import EVER

BOARD = "bench"
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
    """A board whose best scores are all there; some of them are equal. The server makes the rows, twice as many each time."""
    with in_haste(laboratory.settings), connected(laboratory.settings.mysql) as cursor:
        cursor.execute(
            "INSERT INTO boards (slug, title, sense, keep, created_at) VALUES (%s, %s, 'highest', 'best', UTC_TIMESTAMP(6))",
            (BOARD, "Many"),
        )
        id: int = cursor.lastrowid
        cursor.execute("INSERT INTO best_scores VALUES (%s, %s, 1, 0, '2020-01-01', 1, 1)", (id, EVER.name))
        have = 1
        while have < members:
            cursor.execute(
                "INSERT INTO best_scores SELECT board_id, period, subject_id + %s, "
                "CAST(CRC32(subject_id + %s) %% %s AS SIGNED) * -1000, TIMESTAMPADD(SECOND, %s, achieved_at), score_id + %s, 1 "
                "FROM best_scores WHERE board_id = %s AND subject_id <= %s",
                (have, have, members, have, have, id, members - have),
            )
            have = min(2 * have, members)
        cursor.execute("ANALYZE TABLE best_scores")
    return id
