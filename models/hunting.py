"""One query being answered from the table `terms`: bounded work for any query, and an answer that says where it stopped.

How a query of several words is answered:

1. For each word the rows that have it are counted, up to `most`: so many can be looked up under the other words with WORK.
2. If one word has no more than that, its rows are looked up: the answer is whole.
3. Else each word gives the best of its rows (title, frequency, date), together `most`, and those are looked up: the answer is
   the best of what was looked at, and says so.
4. Of a phrase, the places of its words are compared, in the best rows, PHRASED words in all.

So no query reads more than some 4 * WORK entries of the index, however common its words are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from content.terms import spots
from models.database import Database

WORK = 4_000  # rows that one query looks up under other terms, in all
PHRASED = 2_000  # words whose places are compared for phrases
NOTHING: tuple[int, ...] = (1, 0, 0)  # the answer without rows

_BEST = (
    "(SELECT row_id, day, weight FROM terms WHERE kind = %s AND term = %s AND shown = %s "
    "ORDER BY weight DESC, day DESC, row_id DESC LIMIT %s)"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row must have: for each clause one of its terms. The first `words` clauses are words, of one term each."""

    kind: int
    clauses: tuple[tuple[str, ...], ...]
    words: int
    phrases: tuple[tuple[tuple[str, int], ...], ...]
    shown_only: bool


class Hunt:
    """One query being answered; an answer has at most `most_found` rows."""

    def __init__(self, db: Database, wanted: Wanted, most_found: int) -> None:
        self.db, self.wanted, self.most_found = db, wanted, most_found
        self.terms = sum(map(len, wanted.clauses))
        self.most = WORK // max(1, self.terms - 1)
        self.phrased = PHRASED // max(2, sum(map(len, wanted.phrases)))
        self.shown = (1,) if wanted.shown_only else (1, 0)

    async def answer(self) -> tuple[int, ...]:
        """(1 if it is whole else 0, rows looked at or 0, how many rows, their ids, best first); see this module's beginning."""
        wanted = self.wanted
        counts = await self._counts()
        if not all(counts):
            return NOTHING
        if len(counts) == 1 and len(wanted.clauses[0]) == 1 and wanted.shown_only:
            return (int(counts[0] <= self.most), 0, min(counts[0], self.most), *await self._best())
        # The rarest first: a row that lacks it costs no further look.
        order = sorted(range(len(counts)), key=lambda i: counts[i])
        whole = counts[order[0]] <= self.most
        drivers = order[:1] if whole else order
        count, ids = await self._meet(order, drivers, self.most if whole else self.most // self.terms)
        looked_at = 0 if whole else self.most
        if wanted.phrases:
            looked_at = self.phrased if count > self.phrased else looked_at
            ids = await self._phrased(ids)
            count = len(ids)
        return (int(not looked_at), looked_at, count, *ids[: self.most_found])

    async def _counts(self) -> list[int]:
        """How many rows each clause has, up to one more than `most`."""
        wanted = self.wanted
        shown = "AND shown = 1" if wanted.shown_only else ""
        one = f"(SELECT COUNT(*) FROM (SELECT 1 FROM terms WHERE kind = %s AND term = %s {shown} LIMIT %s) part)"  # noqa: S608
        sums = [" + ".join([one] * len(clause)) for clause in wanted.clauses]
        args = [arg for clause in wanted.clauses for term in clause for arg in (wanted.kind, term, self.most + 1)]
        rows = await self.db.fetch(f"SELECT {', '.join(sums)}", *args)
        return [int(n) for n in rows[0]]

    async def _best(self) -> list[int]:
        """The rows of one word alone: the index has them in the order of their rank."""
        rows = await self.db.fetch(
            "SELECT row_id FROM terms WHERE kind = %s AND term = %s AND shown = 1 "
            "ORDER BY weight DESC, day DESC, row_id DESC LIMIT %s",
            self.wanted.kind, self.wanted.clauses[0][0], self.most_found,
        )  # fmt: skip
        return [row[0] for row in rows]

    async def _meet(self, order: Sequence[int], drivers: Sequence[int], most: int) -> tuple[int, list[int]]:
        """How many of the best `most` rows of each term of the drivers have all clauses, and which, best first."""
        parts, args = list[str](), list[object]()
        for driver in drivers:
            sql, more = self._driven(driver, [i for i in order if i != driver], most)
            parts.append(sql)
            args += more
        rows = await self.db.fetch(
            f"SELECT COUNT(*), SUBSTRING_INDEX(GROUP_CONCAT(id ORDER BY titles DESC, often DESC, day DESC, id DESC), ',', "  # noqa: S608
            f"{self.phrased if self.wanted.phrases else self.most_found}) FROM ({' UNION '.join(parts)}) found",
            *args,
        )  # fmt: skip
        count, ids = rows[0]
        return count, [int(id) for id in ids.split(",")] if ids else []

    def _driven(self, driver: int, others: Sequence[int], most: int) -> tuple[str, list[object]]:
        """The SQL, and its values, for the best rows of one clause that have the others too, with their ranks."""
        wanted = self.wanted
        best = " UNION ".join([_BEST] * len(wanted.clauses[driver]) * len(self.shown))
        args: list[object] = [
            arg for term in wanted.clauses[driver] for shown in self.shown for arg in (wanted.kind, term, shown, most)
        ]
        joins, either = list[str](), list[str]()
        for i in others:
            names = [f"t{i}_{n}" for n in range(len(wanted.clauses[i]))]
            joint = "JOIN" if len(names) == 1 else "LEFT JOIN"
            joins += [f"{joint} terms {t} ON {t}.kind = %s AND {t}.term = %s AND {t}.row_id = d.row_id" for t in names]
            args += [arg for term in wanted.clauses[i] for arg in (wanted.kind, term)]
            if len(names) > 1:
                either.append(f"COALESCE({', '.join(f'{t}.row_id' for t in names)}) IS NOT NULL")
        words = ["d.weight" if i == driver else f"t{i}_0.weight" for i in range(wanted.words)] or ["0"]
        # STRAIGHT_JOIN: these rows first, then one look into the primary key for each other term, never a walk through its rows.
        sql = (
            f"SELECT STRAIGHT_JOIN d.row_id AS id, d.day AS day, {' + '.join(f'{w} DIV 16' for w in words)} AS titles, "  # noqa: S608
            f"{' + '.join(f'{w} MOD 16' for w in words)} AS often FROM ({best}) d {' '.join(joins)} "
            f"{'WHERE ' if either else ''}{' AND '.join(either)}"
        )
        return sql, args

    async def _phrased(self, ids: list[int]) -> list[int]:
        """Those rows in which the words of each phrase stand side by side, in the same order."""
        terms = tuple(dict.fromkeys(term for phrase in self.wanted.phrases for term, _ in phrase))
        # One string for each term, of at most 620 KB: as rows they would take Python as long as all the rest.
        one = "(SELECT %s, GROUP_CONCAT(row_id, ':', HEX(places)) FROM terms WHERE kind = %s AND term = %s AND row_id IN %s)"
        args = [arg for term in terms for arg in (term, self.wanted.kind, term, tuple(ids))]
        rows = await self.db.fetch(" UNION ALL ".join([one] * len(terms)), *args) if ids else ()
        places = {(int(id), term): spots(at) for term, text in rows if text for id, at in _pairs(text)}
        none: frozenset[int] = frozenset()

        def has(id: int, phrase: tuple[tuple[str, int], ...]) -> bool:
            (first, at), *others = phrase
            return any(
                all(place + other - at in places.get((id, term), none) for term, other in others)
                for place in places.get((id, first), none)
            )

        return [id for id in ids if all(has(id, phrase) for phrase in self.wanted.phrases)]


def _pairs(text: str) -> Iterator[tuple[str, bytes]]:
    for part in text.split(","):
        id, _, at = part.partition(":")
        yield id, bytes.fromhex(at)
