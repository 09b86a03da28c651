"""Bytes of one cached record, and back. Bytes that cannot be read are a miss, never an error.

Byte 0 is the kind: `V` a value, `N` known to be absent, `T` a mark that a write left. A value goes on with a schema number (u16)
and its msgpack: for a row the tuple of its fields, for a list its generation stamps and its items. Naive datetimes are refused.
"""

import dataclasses
import zlib
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgpack

ABSENT, MARK = b"N", b"T"
_VALUE = b"V"
_DECIMAL = 1  # msgpack ExtType codes; datetimes travel as msgpack's own timestamp type (-1)
_LIST_SCHEMA = 1


class Unreadable(Exception):
    """Unknown kind, another schema, or bytes that are no msgpack."""


def encode_row(row: Any) -> bytes:
    """A frozen dataclass as a record. Raises TypeError for a naive datetime or a type that msgpack does not know."""
    cls = type(row)
    fields = tuple(getattr(row, field.name) for field in dataclasses.fields(cls))
    return _VALUE + schema_of(cls).to_bytes(2, "big") + _pack(fields)


def decode_row(cls: type[Any], data: bytes) -> Any:
    """The row of `cls` in a record. Raises Unreadable: treat it as a miss."""
    values = _unpack(data, schema_of(cls))
    try:
        return cls(*values)
    except TypeError as error:
        raise Unreadable(str(error)) from None


def encode_list(stamps: tuple[bytes, ...], items: tuple[Any, ...]) -> bytes:
    return _VALUE + _LIST_SCHEMA.to_bytes(2, "big") + _pack((stamps, items))


def decode_list(data: bytes) -> tuple[tuple[bytes, ...], tuple[Any, ...]]:
    """(generation stamps, items). Raises Unreadable."""
    values = _unpack(data, _LIST_SCHEMA)
    if len(values) != 2:
        raise Unreadable("a list record has two parts")
    return values[0], values[1]


_schemas: dict[type[Any], int] = {}


def schema_of(cls: type[Any]) -> int:
    """A number that changes when a row's fields or their types do, so that old and new code may alternate during a deploy."""
    if cls not in _schemas:
        shape = ",".join(f"{field.name}:{field.type}" for field in dataclasses.fields(cls))
        _schemas[cls] = zlib.crc32(f"{cls.__name__}({shape})".encode()) & 0xFFFF
    return _schemas[cls]


def _pack(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, datetime=True, default=_pack_other)
    return packed


def _pack_other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return msgpack.ExtType(_DECIMAL, str(value).encode())
    if isinstance(value, datetime):
        raise TypeError(f"a datetime without a time zone cannot be cached: {value!r}")
    raise TypeError(f"cannot be cached: {value!r}")


def _unpack(data: bytes, schema: int) -> Any:
    if data[:1] != _VALUE or int.from_bytes(data[1:3], "big") != schema:
        raise Unreadable("another kind or schema")
    try:
        values = msgpack.unpackb(data[3:], use_list=False, timestamp=3, ext_hook=_unpack_other, strict_map_key=False)
    except (ValueError, ArithmeticError, msgpack.UnpackException) as error:  # no number; a time beyond datetime
        raise Unreadable(str(error)) from None
    if not isinstance(values, tuple):
        raise Unreadable("not a tuple")
    return values


def _unpack_other(code: int, data: bytes) -> Any:
    if code == _DECIMAL:
        return Decimal(data.decode())
    raise ValueError(f"unknown msgpack extension {code}")
