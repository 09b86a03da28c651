"""Guards taken away on purpose, in the processes of a history alone: a checker that does not notice is no checker."""

import hashlib
from collections.abc import Callable
from typing import Any

from cache import local, records, scripts
from cache.flights import Flight
from cache.local import Ticket
from cache.scripts import Script
from models import results
from models.base import Table


def apply(name: str) -> None:
    """Take this guard away; "" takes none."""
    if name:
        BREAKS[name]()


def _no_token() -> None:
    """A fill is stored whoever has the lease, and whether or not a write came in between (R1, R2, R3)."""
    _rewrite(scripts.FILL, b"local function right(standing, record, sister)", b"""local function right()
  return 'stored'
end
local function formerly(standing, record, sister)""")  # fmt: skip


def _no_join_rule() -> None:
    """Who comes while a load is under way gets what it finds, however old that is (R28)."""
    Flight.ask = lambda self: 1  # type: ignore[method-assign]


def _no_generations() -> None:
    """A list is believed whatever generation its scopes have (R14)."""
    records.generation = lambda data: _Equal()  # type: ignore[assignment,return-value]


def _no_index_check() -> None:
    """A unique value leads to whatever row it once led to (R12, R13)."""
    former = Table.by_index

    async def by_index(self: Table[Any], slot: Any, holds: Any, sql: str, *args: Any) -> Any:
        return await former(self, slot, lambda row: True, sql, *args)

    Table.by_index = by_index  # type: ignore[method-assign]


def _no_ticket() -> None:
    """What Redis answered is kept although a push for it came first (R16)."""
    Ticket.alive = property(lambda self: True)  # type: ignore[method-assign,assignment]


def _no_fence() -> None:
    """L1 answers however long ago it was told that nothing has changed (R20, R21)."""
    local.LAG = 1e9


def _no_touch() -> None:
    """A vote changes the counts, and makes nothing forgotten."""
    results.shown_in = lambda poll_id: ()


BREAKS: dict[str, Callable[[], None]] = {
    "token": _no_token,
    "join rule": _no_join_rule,
    "generations": _no_generations,
    "index check": _no_index_check,
    "ticket": _no_ticket,
    "fence": _no_fence,
    "touch": _no_touch,
}

# A history without a guard has these faults alone: what the guard is for, or what does no harm (most faults slow all down).
WANTED = {
    "token": ("SCRIPT FLUSH",),
    "join rule": ("wire delayed",),
    "generations": ("SCRIPT FLUSH",),
    "index check": ("SCRIPT FLUSH",),
    "ticket": ("wire delayed",),
    "fence": ("wire blackholed", "process stopped"),
    "touch": ("SCRIPT FLUSH",),
}
# Writes of a process in a second, where those of every history would soon cover up what went wrong.
WRITES = {"ticket": 6.0, "fence": 10.0}


class _Equal:
    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def _rewrite(script: Script, old: bytes, new: bytes) -> None:
    assert old in script.text, "the script has changed: see to it that this guard is still taken away"
    script.text = script.text.replace(old, new)
    script.sha = hashlib.sha1(script.text, usedforsecurity=False).hexdigest().encode()
