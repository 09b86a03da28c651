"""What can be remembered, and under which name: keys, indexes, lists, and the scopes that lists belong to.

A slot is one name in Redis. A model declares its keys, indexes, lists and scopes once, beside its row, and names the slots that a
row appears in by `shown_in(row)`; a write touches exactly those.
"""

from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar
from urllib.parse import quote

Row = TypeVar("Row")
Value = int | str | bytes
SCOPE, LIST = "scope:", "list:"
_SIGNS = frozenset(":+@= ")  # they separate a name from its values, its sister, and its prefix


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """One name in the cache, and what forgetting it means.

    A `record` is a tombstone while a write goes on. A `scope` gets a new generation, which makes every list that was read under
    the old one unreadable. Slots of one name are equal.
    """

    name: str
    kind: Literal["record", "list", "scope"]
    ttl: int  # seconds
    scopes: tuple["Slot", ...] = ()  # of a list: the generations that its ids depend on

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slot) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


def spell(name: str, values: tuple[Value, ...]) -> str:
    """The name of a slot. Values are percent-quoted, so ("a:b", "c") and ("a", "b:c") never meet."""
    return ":".join((name, *map(_quoted, values)))


def _quoted(value: Value) -> str:
    if type(value) is int:
        return str(value)  # nothing to quote, and by far the most
    return value.hex() if isinstance(value, bytes) else quote(str(value), safe="")


def is_scope(name: str) -> bool:
    """Whether a slot's name is that of a scope, of which Redis keeps a generation."""
    return name.startswith(SCOPE)


def family_of(name: str) -> str:
    """The family that a slot's name, or its sister's, belongs to: what stands before the values."""
    kind, _, rest = name.partition(":")
    family = f"{kind}:{rest.partition(':')[0]}" if f"{kind}:" in (SCOPE, LIST) else kind
    return family.rstrip("+")


class Family:
    """Slots that are declared together: a name, and the fields whose values tell them apart. Called with another number of values
    than it has fields, it raises TypeError; so does a name with one of the signs that stand between the parts of names.

    Each knows itself in FAMILIES. `prefix` is what its names in Redis begin with; `ttl` in seconds, 0 for a scope.
    """

    ttl: int = 0
    prefix: ClassVar[str] = ""

    def __init__(self, name: str, *, by: tuple[str, ...] = ()) -> None:
        if not _SIGNS.isdisjoint(name):
            raise TypeError(f"{name}: a name has none of {' '.join(sorted(_SIGNS))!r} in it")
        if f"{name}:" in (SCOPE, LIST):
            raise TypeError(f"{name}: so begin the names of all scopes, or of all lists")
        self.name, self.by = name, by
        FAMILIES[self.family] = self

    @property
    def family(self) -> str:
        """What `family_of` gives for the names of its slots."""
        return self.prefix + self.name

    def __call__(self, *values: Value) -> "Slot":
        """The slot of these values."""
        raise NotImplementedError

    def _spell(self, values: tuple[Value, ...]) -> str:
        if len(values) != len(self.by):
            raise TypeError(f"{self.name} is told apart by {self.by or 'nothing'}, not by {values!r}")
        return spell(self.name, values)


FAMILIES: dict[str, Family] = {}  # all that are declared, by their `family`


class Key(Family, Generic[Row]):
    """A row by its primary key. `ttl` in seconds: the longest that an old value can live where a promise has an exception."""

    def __init__(self, name: str, row: type[Row], *, by: tuple[str, ...] = ("id",), ttl: int) -> None:
        super().__init__(name, by=by)
        self.row, self.ttl = row, ttl
        self._prefix = name + ":"

    def __call__(self, *values: Value) -> Slot:
        return Slot(self._spell(values), "record", self.ttl)

    def named(self, value: Value) -> str:
        """The name of a row's slot, without the slot: what a page of fifty rows asks for."""
        return self._prefix + (str(value) if type(value) is int else _quoted(value))


class Index(Family):
    """A unique value that leads to a primary key. It holds the key alone: the row is read, and checked, under its own `Key`.

    `ttl` in seconds.
    """

    def __init__(self, name: str, *, by: tuple[str, ...], ttl: int) -> None:
        super().__init__(name, by=by)
        self.ttl = ttl

    def __call__(self, *values: Value) -> Slot:
        return Slot(self._spell(values), "record", self.ttl)


class Scope(Family):
    """What lists depend on: a table, or a table and the value of one column. A write that changes membership touches it."""

    prefix: ClassVar = SCOPE

    def __call__(self, *values: Value) -> Slot:
        return Slot(SCOPE + self._spell(values), "scope", 0)


class List(Family):
    """An ordered answer: ids (never rows) and small numbers, valid as long as none of its scopes was touched.

    A scope takes its values from the list's own, by name: `List("posts.by_tag", by=("tag", "page"), scopes=(TAGGED,))` with
    `TAGGED = Scope("posts.tagged", by=("tag",))` depends on `TAGGED(tag)`. `ttl` in seconds. Without a scope: TypeError.
    """

    prefix: ClassVar = LIST

    def __init__(self, name: str, *, by: tuple[str, ...] = (), scopes: tuple[Scope, ...], ttl: int) -> None:
        unknown = [field for scope in scopes for field in scope.by if field not in by]
        if unknown or not scopes:
            raise TypeError(f"list {name}: a list needs a scope, and cannot give {unknown or 'none'}")
        super().__init__(name, by=by)  # only now: what is refused is in no table of families
        self.scopes, self.ttl = scopes, ttl

    def __call__(self, *values: Value) -> Slot:
        name = self._spell(values)
        given = dict(zip(self.by, values, strict=True))
        scopes = tuple(scope(*(given[field] for field in scope.by)) for scope in self.scopes)
        return Slot(LIST + name, "list", self.ttl, scopes)
