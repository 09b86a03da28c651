"""The auditor: some seconds after a write it compares every level with MySQL, and tells what is older than it may be."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cache.slots import FAMILIES, LIST, List, Scope, family_of
from models.comparing import Compared, Comparing, Difference
from models.comparisons import AFTER, Comparison, Comparisons
from models.counts import COUNTS
from models.errors import Busy
from models.inspector import Inspector
from models.levels import values_of
from models.neighbours import ask_all
from models.questions import shown_name, shown_value

log = logging.getLogger("plaza.auditor")

LATE = 30.0  # s; what was to be looked at so long ago is passed over, and counted
_FIRST = {"page": 1, "after": 0}  # the values of the lists that are read most

for _event in ("compared", "violations", "missed", "unasked"):
    COUNTS[f"auditor.{_event}"] = 0


class Auditor:
    """One in `compare_every` writes leaves a row (`comparisons`); each is looked at after 1, 10 and 60 s.

    Counted: `compared` names on levels, `violations`, looks `missed` because they came too late, `unasked` because a server was
    away; and in the processes that write those that were `dropped`.
    """

    def __init__(self, comparisons: Comparisons, comparing: Comparing, inspector: Inspector) -> None:
        self.comparisons, self._comparing, self._inspector = comparisons, comparing, inspector

    async def look(self) -> int:
        """Compare what is due, all of it together; how many writes that were. Raises Busy."""
        due = await self.comparisons.due()
        if not due:
            return 0
        now, missed = [one for one in due if one.late <= LATE], [one for one in due if one.late > LATE]
        COUNTS["auditor.missed"] += len(missed)
        done = [replace(one, looks=one.looks + 1) for one in missed]
        if now:
            names = {one.id: await self._names(one) for one in now}
            try:
                compared = await self._comparing.compare(name for some in names.values() for name in some)
            except Busy:
                COUNTS["auditor.unasked"] += len(now)
                raise
            COUNTS["auditor.compared"] += compared.places
            done += [_looked(one, compared) for one in now]
            for difference in compared.differences:
                culprit = next(one for one in done if difference.name in names.get(one.id, ()))
                await self._tell(difference, culprit)
        await self.comparisons.looked(done)
        return len(due)

    async def _names(self, one: Comparison) -> list[str]:
        """What the write touched, and of the lists on a scope of it those that some process keeps, and the first pages."""
        scopes = [name for name in one.names if isinstance(FAMILIES.get(family_of(name)), Scope)]
        near = await ask_all(self._inspector.run, ("hanging", tuple(scopes))) if scopes else {}
        lists = {name for answer in near.values() for name in answer or () if name.startswith(LIST)}
        return [*(set(one.names) - set(scopes)), *lists, *(name for scope in scopes for name in _first_pages(scope))]

    async def _tell(self, difference: Difference, write: Comparison) -> None:
        COUNTS["auditor.violations"] += 1
        name = shown_name(difference.name)
        trace: dict[str, Any] = {
            "writer": write.writer.hex(), "written_at": write.at.isoformat(), "slots": list(map(shown_name, write.names)),
            "looks": write.trace, "versions": [getattr(one, "version", None) for one in (difference.held, difference.truth)],
        }  # fmt: skip
        # The words of members stand on the page alone, not in a log.
        values = _different(difference)
        log.error(
            "%s of %s is older than it may be, in %s: %s", name, difference.level, [*values] or "all", json.dumps(trace)
        )
        await self.comparisons.found(difference.level, name, trace | {"values": values})


def _different(difference: Difference) -> dict[str, list[str]]:
    """(what the level has, what MySQL has) of each field that differs, as they may be shown; "" where there is no row."""
    held, truth = (dict(shown_value(value)) for value in (difference.held, difference.truth))
    fields = dict.fromkeys([*held, *truth])
    return {name: [held.get(name, ""), truth.get(name, "")] for name in fields if held.get(name) != truth.get(name)}


def _looked(one: Comparison, compared: Compared) -> Comparison:
    """The write after one look more, which its trace tells."""
    look: dict[str, Any] = {
        "after_s": AFTER[one.looks], "at": datetime.now(UTC).isoformat(), "compared": compared.places,
        "different": [f"{found.level} {shown_name(found.name)}" for found in compared.differences],
    }  # fmt: skip
    return replace(one, looks=one.looks + 1, trace=(*one.trace, look))


def _first_pages(scope: str) -> Sequence[str]:
    """The names of the lists that hang on a scope and are told apart by its values alone, or by a page: their first one."""
    declared, found = FAMILIES[family_of(scope)], list[str]()
    given: dict[str, Any] = {**_FIRST, **dict(zip(declared.by, values_of(scope), strict=False))}
    for family in FAMILIES.values():
        if isinstance(family, List) and declared in family.scopes and given.keys() >= set(family.by):
            found.append(family(*(given[field] for field in family.by)).name)
    return found
