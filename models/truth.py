"""What MySQL holds now under any name of the cache, read around it: rows, the keys that unique values lead to, lists."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, get_type_hints

from pymysql.err import MySQLError

from cache.slots import FAMILIES, Key, family_of
from models.asking import METHODS, WANTED, Answered, arguments
from models.base import Table
from models.levels import values_of


class Unanswerable(Exception):
    """The name does not tell what is to be asked of MySQL: its family has no method, or its values are none of the family's."""


class Truth:
    """Over the tables of a process; what they remember is found by the families they declare."""

    def __init__(self, tables: Iterable[Any]) -> None:
        tables = list(tables)
        self._rows = {table.key.family: table for table in tables if isinstance(table, Table)}
        self._asked = {
            family: method.__get__(table)
            for table in tables
            for family, method in METHODS.items()
            if getattr(type(table), method.__name__, None) is method
        }

    def answers(self, family: str) -> bool:
        """Whether MySQL can be asked for the names of a family."""
        return family in self._rows or family in self._asked

    async def of(self, name: str) -> Any:
        """A row (None where there is none), a `Pointer` (or None), or a tuple, as the cache would give it.

        Raises Unanswerable, and Busy when MySQL does not answer.
        """
        table = self._rows.get(family_of(name))
        return await (table.fresh().find(primary_key(name)) if table is not None else self._answered(name))

    async def of_all(self, names: Sequence[str]) -> dict[str, Any]:
        """The same for many: the rows of a table by one SELECT. Names that are unanswerable are left out. Raises Busy."""
        rows, found = defaultdict[str, dict[str, Any]](dict), dict[str, Any]()
        for name in names:
            family = family_of(name)
            try:
                if family in self._rows:
                    rows[family][name] = primary_key(name)
                else:
                    found[name] = await self._answered(name)
            except Unanswerable:
                continue
        for family, ids in rows.items():
            table = self._rows[family]
            there = {table.key.named(_id(row)): row for row in await table.fresh().many(tuple(ids.values()))}
            found |= {name: there.get(name) for name in ids}
        return found

    async def _answered(self, name: str) -> Any:
        method = self._asked.get(family_of(name))
        if method is None:
            raise Unanswerable(f"nothing is known to answer {family_of(name)}")
        try:
            given = arguments(method.__func__, values_of(name))
        except ValueError as error:
            raise Unanswerable(f"{name}: {error}") from None
        token = WANTED.set(name)
        try:
            await method(**given)
        except Answered as told:
            return told.answer
        except (ValueError, ArithmeticError, MySQLError) as error:  # a month 9999-12, a page -5: no name of ours
            raise Unanswerable(f"{name}: {error}") from None
        finally:
            WANTED.reset(token)
        raise Unanswerable(f"{name} is not what its method reads")


def primary_key(name: str) -> Any:
    """The key of the row that a name of a Key leads to. Raises Unanswerable for what cannot be one."""
    family, values = FAMILIES[family_of(name)], values_of(name)
    assert isinstance(family, Key)
    first = fields(family.row)[0].name
    kind = get_type_hints(family.row)[first]
    try:
        (value,) = values
        return bytes.fromhex(value) if kind is bytes else kind(value)
    except ValueError:
        raise Unanswerable(f"{name} leads to no row") from None


def _id(row: Any) -> Any:
    """The primary key of a row, which is its first field."""
    return getattr(row, fields(row)[0].name)
