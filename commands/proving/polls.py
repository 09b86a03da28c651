"""The polls of a history: the site's own tables, and how their counts stand in the ledger."""

from zlib import crc32

from commands.proving.ledger import KEYS, POLLS, meta
from models.results import Result

IDS = tuple(range(1, POLLS + 1))
CHOICES = 4
_COLUMNS = "id, author_id, question, kind, results, visitors, status, opens_at, created_at"


def key_of(poll_id: int) -> int:
    """Its key in the ledger."""
    return KEYS + poll_id


def meta_of(result: Result) -> int:
    """What the ledger keeps of counts."""
    return meta(result.voters, crc32(repr(result.votes).encode()))


def first_rows() -> list[str]:
    """The statements that make polls of which nobody has voted in any."""
    polls = ", ".join(f"({id}, 1, 'Which?', 'single', 'always', 1, 'open', '2020-01-01', '2020-01-01')" for id in IDS)
    choices = ", ".join(f"({id * CHOICES + place}, {id}, {place}, '{place}')" for id in IDS for place in range(CHOICES))
    return [
        *(f"DELETE FROM {table}" for table in ("selections", "ballots", "choices", "polls")),  # noqa: S608 - names of ours
        f"INSERT INTO polls ({_COLUMNS}) VALUES {polls}",  # noqa: S608 - numbers of ours
        f"INSERT INTO choices (id, poll_id, position, text) VALUES {choices}",  # noqa: S608 - numbers of ours
    ]
