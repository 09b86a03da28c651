"""Who changed what, from where, and what it was before; written in the change's own transaction."""

import dataclasses
import json
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from models.base import Write
from models.database import Database

# The address that the present request comes from, packed; None in commands and in the worker. Set by handlers/base.py.
ADDRESS: ContextVar[bytes | None] = ContextVar("address", default=None)
LONGEST = 2_000  # characters of one value in the log; bodies have their revisions


@dataclass(frozen=True, slots=True)
class Entry:
    """`target` is the table's row word and id, "post 12"; `was` and `became` are the fields that changed."""

    id: int
    at: datetime
    actor_id: int | None
    ip: IPv4Address | IPv6Address | None
    action: str
    target: str
    was: dict[str, Any]
    became: dict[str, Any]


async def note(w: Write, actor_id: int | None, action: str, target: str, was: Any = None, became: Any = None) -> None:
    """One line of the log. `was` and `became` are rows (dataclasses) or dicts; what is equal in both is left out."""
    old, new = _fields(was), _fields(became)
    changed = [
        name for name in {**old, **new} if old.get(name) != new.get(name) and name not in ("version", "updated_at")
    ]
    await w.insert(
        "INSERT INTO audit_log (at, actor_id, ip, action, target, was, became) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        datetime.now(UTC), actor_id, ADDRESS.get(), action, target,
        _json({name: old[name] for name in changed if name in old}), _json({name: new[name] for name in changed if name in new}),
    )  # fmt: skip


async def is_noted(w: Write, actor_id: int, action: str, target: str) -> bool:
    """Whether there is a line of that already, of the same actor."""
    sql = "SELECT id FROM audit_log WHERE target = %s AND actor_id = %s AND action = %s LIMIT 1"
    return bool(await w.fetch(sql, target, actor_id, action))


async def entries(
    db: Database,
    *,
    actor_id: int | None = None,
    action: str = "",
    target: str = "",
    before: int | None = None,
    most: int = 50,
) -> Sequence[Entry]:
    """Lines of the log, newest first, those with an id below `before`; each filter walks an index of its own."""
    where, args = ["id < %s"], list[Any]([before or 2**62])
    for column, value in (("actor_id", actor_id), ("action", action), ("target", target)):
        if value:
            where.append(f"{column} = %s")
            args.append(value)
    sql = f"SELECT id, at, actor_id, ip, action, target, was, became FROM audit_log WHERE {' AND '.join(where)} "  # noqa: S608
    rows = await db.fetch(sql + "ORDER BY id DESC LIMIT %s", *args, most)
    return [decoded(*row) for row in rows]


def decoded(
    id: int, at: datetime, actor_id: int | None, ip: bytes | None, action: str, target: str, was: str, became: str
) -> Entry:
    """The line of a row's columns."""
    address = ip_address(ip) if ip else None
    return Entry(id, at, actor_id, address, action, target, json.loads(was), json.loads(became))


def _fields(row: Any) -> dict[str, Any]:
    if row is None:
        return {}
    return dict(row) if isinstance(row, dict) else {f.name: getattr(row, f.name) for f in dataclasses.fields(row)}


def _json(values: dict[str, Any]) -> str:
    def short(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.isoformat()
        return value[:LONGEST] + "…" if isinstance(value, str) and len(value) > LONGEST else value

    return json.dumps({name: short(value) for name, value in values.items()}, ensure_ascii=False, default=str)
