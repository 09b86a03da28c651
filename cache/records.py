"""Bytes of one cached record, and back. Bytes that cannot be read are a miss, never an error.

Byte 0 is the kind. All numbers are big-endian; times are milliseconds since 1970 by the clock of Redis.

    V  a value          schema u16, codec u8, version u64, soft expiry u64, cost u32 (us), n u8, n x 8 bytes of stamps, payload
    N  known to be absent
    L  a lease          token of 16 bytes: who has it is loading, and alone may fill
    T  a tombstone      per pending writer: id of 16 bytes, deadline u64. Nobody fills while it stands
    G  a generation     8 random bytes, then pending writers as in T. What lists depend on

The payload is msgpack, compressed when that is worth it: for a row the tuple of its fields, which its schema number tells apart
(no type code travels with it: the number says more), for a list its items. L, T and G are written by the scripts alone.
"""

import dataclasses
import struct
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgpack

VALUE, ABSENT, LEASE, TOMBSTONE, GENERATION = b"V", b"N", b"L", b"T", b"G"
ABSENT_TTL = 30  # s; a record N lives no longer
LARGEST = 1 << 20  # bytes; a longer record is not cached
LIST_SCHEMA = 1

_HEAD = struct.Struct(">cHBQQIB")
_SOFT = struct.Struct(">QI")
_SOFT_AT, _SOFT_END = 12, 24
_STAMP = 8
_PLAIN, _ZLIB = 0, 1
_WORTH_PACKING = 16_384  # bytes from which on compression is tried; it must save a tenth. Unpacking 15 kB takes 12 us
_MOST_UNPACKED = 64 * LARGEST  # more than any record of ours unpacks to: 1 MiB of hostile zlib can be 1 GiB of zeros
_DECIMAL = 1  # msgpack ExtType codes; datetimes travel as msgpack's own timestamp type (-1)
_FIRST_ROW_SCHEMA = 16
_LONGEST_COST = 0xFFFFFFFF


class Unreadable(Exception):
    """Unknown kind, another schema, an unknown codec, or bytes that no writer of ours has written."""


# What hostile bytes can make struct, zlib, msgpack, Decimal, datetime and a row's class raise.
_BAD = (
    ValueError, TypeError, ArithmeticError, LookupError, RecursionError, MemoryError, struct.error, zlib.error,
    msgpack.UnpackException,
)  # fmt: skip


def encode_row(row: Any, *, soft: int = 0, cost: int = 0) -> bytes:
    """A frozen dataclass as a record V, under the row's own `version` if it has one.

    `soft`: from when on it may be refreshed early (ms, 0: never); `cost`: what loading it took (us).
    Raises TypeError for a naive datetime or a type that msgpack does not know.
    """
    cls = type(row)
    fields = tuple(getattr(row, name) for name in _fields(cls))
    return _encode(schema_of(cls), getattr(row, "version", 0), soft, cost, (), fields)


def decode_row(cls: Callable[..., Any], data: bytes) -> Any:
    """The row of `cls` in a record. Raises Unreadable: treat it as a miss."""
    try:
        # ABSENT is for the caller to tell: it means something.
        kind, schema, codec, _, _, _, stamps = _HEAD.unpack_from(data)
        if kind != VALUE or schema != schema_of(cls) or stamps:
            raise Unreadable("another kind or schema")
        return cls(*_unpack(data, _HEAD.size, codec))
    except _BAD as error:
        raise Unreadable(str(error)) from None


def encode_list(stamps: Sequence[bytes], items: tuple[Any, ...], *, soft: int = 0, cost: int = 0) -> bytes:
    """A list's items as a record V, under the generations of its scopes as they were before its SELECT."""
    if len(stamps) > 255 or any(len(stamp) != _STAMP for stamp in stamps):
        raise ValueError("a list has at most 255 stamps, of 8 bytes each")
    return _encode(LIST_SCHEMA, 0, soft, cost, stamps, items)


def decode_list(data: bytes) -> tuple[tuple[bytes, ...], tuple[Any, ...]]:
    """(generation stamps, items). Raises Unreadable."""
    try:
        kind, schema, codec, _, _, _, count = _HEAD.unpack_from(data)
        end = _HEAD.size + _STAMP * count
        if kind != VALUE or schema != LIST_SCHEMA or len(data) < end:
            raise Unreadable("another kind or schema")
        stamps = tuple(data[at : at + _STAMP] for at in range(_HEAD.size, end, _STAMP))
        return stamps, _unpack(data, end, codec)
    except _BAD as error:
        raise Unreadable(str(error)) from None


def kind(data: bytes | None) -> bytes:
    """One of the five kinds; b"" for None, and for bytes that cannot be a record."""
    first = data[:1] if data else b""
    return first if first in (VALUE, ABSENT, LEASE, TOMBSTONE, GENERATION) else b""


class Head(NamedTuple):
    """What a record V says of itself: its schema, codec and version, and the stamps of a list's scopes."""

    schema: int
    codec: int
    version: int
    stamps: tuple[bytes, ...]


def head(data: bytes) -> Head:
    """The head of a record V. Raises Unreadable."""
    try:
        kind, schema, codec, version, _, _, count = _HEAD.unpack_from(data)
    except struct.error as error:
        raise Unreadable(str(error)) from None
    if kind != VALUE:
        raise Unreadable("no value")
    stamps = tuple(data[at : at + _STAMP] for at in range(_HEAD.size, _HEAD.size + _STAMP * count, _STAMP))
    return Head(schema, codec, version, stamps)


def writers(data: bytes) -> list[tuple[bytes, int]]:
    """(id, deadline in ms) of each writer in a record T or G."""
    first = 1 if data[:1] == TOMBSTONE else 1 + _STAMP
    return [
        (data[at : at + 16], int.from_bytes(data[at + 16 : at + 24], "big")) for at in range(first, len(data) - 23, 24)
    ]


def generation(data: bytes | None) -> bytes | None:
    """The generation in a record G, to be compared with a list's stamps; None where there is none."""
    return data[1:9] if data is not None and len(data) >= 9 and data[:1] == GENERATION else None


def stamp(data: bytes | None) -> int | None:
    """What tells this content from any other, within this process: equal content has equal stamps.

    Of a value without its soft expiry and cost, of a generation without its writers. None for no record, for L and for T.
    """
    if data is None:
        return None
    first = data[:1]
    if first == VALUE:
        return hash(data[:_SOFT_AT] + data[_SOFT_END:])
    if first == GENERATION:
        return hash(data[:9])
    return hash(data) if data == ABSENT else None


def expiry(data: bytes) -> tuple[int, int]:
    """(soft expiry in ms, cost in us) of a record V. Raises Unreadable."""
    try:
        soft, cost = _SOFT.unpack_from(data, _SOFT_AT)
    except struct.error as error:
        raise Unreadable(str(error)) from None
    return soft, cost


_schemas: dict[Any, int] = {}
_names: dict[Any, tuple[str, ...]] = {}


def schema_of(cls: Any) -> int:
    """A number that changes when a row's fields or their types do, so that old and new code may alternate during a deploy."""
    number = _schemas.get(cls)
    if number is None:
        shape = ",".join(f"{field.name}:{field.type}" for field in dataclasses.fields(cls))
        crc = zlib.crc32(f"{cls.__name__}({shape})".encode())
        number = _schemas[cls] = _FIRST_ROW_SCHEMA + crc % (0x10000 - _FIRST_ROW_SCHEMA)
    return number


def _fields(cls: Any) -> tuple[str, ...]:
    if cls not in _names:
        _names[cls] = tuple(field.name for field in dataclasses.fields(cls))
    return _names[cls]


def _encode(schema: int, version: int, soft: int, cost: int, stamps: Sequence[bytes], values: tuple[Any, ...]) -> bytes:
    payload: bytes = msgpack.packb(values, datetime=True, default=_pack_other)
    codec = _PLAIN
    if len(payload) > _WORTH_PACKING:
        packed = zlib.compress(payload, 1, wbits=-15)
        if len(packed) <= 0.9 * len(payload):
            payload, codec = packed, _ZLIB
    head = _HEAD.pack(VALUE, schema, codec, version, soft, min(cost, _LONGEST_COST), len(stamps))
    return b"".join((head, *stamps, payload))


def _pack_other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return msgpack.ExtType(_DECIMAL, str(value).encode())
    if isinstance(value, datetime):
        raise TypeError(f"a datetime without a time zone cannot be cached: {value!r}")
    raise TypeError(f"cannot be cached: {value!r}")


def _unpack(data: bytes, at: int, codec: int) -> tuple[Any, ...]:
    payload = data[at:]
    if codec == _ZLIB:
        inflate = zlib.decompressobj(-15)
        payload = inflate.decompress(payload, _MOST_UNPACKED)
        if not inflate.eof or inflate.unused_data:
            raise Unreadable("cut short, or too long")
    elif codec != _PLAIN:
        raise Unreadable(f"unknown codec {codec}")
    values = msgpack.unpackb(payload, use_list=False, timestamp=3, ext_hook=_unpack_other, strict_map_key=False)
    if type(values) is not tuple:
        raise Unreadable("not a tuple")
    return values


def _unpack_other(code: int, data: bytes) -> Any:
    if code == _DECIMAL:
        return Decimal(data.decode())
    raise ValueError(f"unknown msgpack extension {code}")
