"""The two shapes of what is remembered: rows of a class, and a list; how each is asked for, read, and written."""

from collections.abc import Callable
from typing import Any

from cache import records
from cache.link import Ask, Fill, Granted
from cache.slots import Slot


class Rows:
    """Rows of one class; None is a row that is known not to be there."""

    __slots__ = ("_schema", "cls", "ttl")

    def __init__(self, cls: Callable[..., Any], ttl: int) -> None:
        self.cls, self.ttl, self._schema = cls, ttl, records.schema_of(cls)

    def ask(self, name: str, *, force: bool = False, nominated: bool = False) -> Ask:
        return Ask(name, self._schema, force=force, nominated=nominated)

    def decode(self, data: bytes) -> Any:
        return None if data == records.ABSENT else records.decode_row(self.cls, data)

    def fill(self, name: str, value: Any, granted: Granted, *, soft: int, cost: int, ttl_ms: int) -> Fill | None:
        record = records.ABSENT if value is None else records.encode_row(value, soft=soft, cost=cost)
        return Fill(name, record, ttl_ms) if len(record) <= records.LARGEST else None


class Items:
    """The ids of one list, under the generations of its scopes."""

    __slots__ = ("_scopes", "slot", "ttl")

    def __init__(self, slot: Slot) -> None:
        self.slot, self.ttl = slot, slot.ttl
        self._scopes = tuple(scope.name for scope in slot.scopes)

    def ask(self, name: str, *, force: bool = False, nominated: bool = False) -> Ask:
        return Ask(name, records.LIST_SCHEMA, force=force, nominated=nominated, scopes=self._scopes)

    def decode(self, data: bytes) -> Any:
        return records.decode_list(data)[1]

    def fill(self, name: str, value: Any, granted: Granted, *, soft: int, cost: int, ttl_ms: int) -> Fill | None:
        record = records.encode_list(granted.stamps, value, soft=soft, cost=cost)
        return Fill(name, record, ttl_ms, self._scopes) if len(record) <= records.LARGEST else None
