"""Records: what goes in comes out; what cannot be told apart is refused; names never meet."""

import random
import zlib
from dataclasses import dataclass, make_dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache import Key, List, Scope, records
from cache.slots import FAMILIES, spell


@dataclass(frozen=True, slots=True)
class Everything:
    number: int
    text: str
    data: bytes
    at: datetime | None
    sum: Decimal
    flag: bool
    tags: tuple[str, ...]


whole = st.integers(-(2**63), 2**63 - 1)
text = st.text(st.characters(exclude_categories=["Cs"]))
moments = st.datetimes(timezones=st.just(UTC))


@settings(max_examples=100, deadline=None)
@given(whole, text, st.binary(), st.none() | moments, st.decimals(allow_nan=False), st.booleans(), st.lists(text))
def test_a_row_comes_back_as_it_was(
    number: int, text: str, data: bytes, at: datetime | None, sum: Decimal, flag: bool, tags: list[str]
) -> None:
    row = Everything(number, text, data, at, sum, flag, tuple(tags))

    assert records.decode_row(Everything, records.encode_row(row)) == row


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    at = datetime(2024, 5, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    row = Everything(1, "", b"", at, Decimal(1), True, ())

    assert records.decode_row(Everything, records.encode_row(row)).at == datetime(2024, 5, 1, tzinfo=UTC)


def test_a_naive_time_is_refused() -> None:
    row = Everything(1, "", b"", datetime(2024, 5, 1), Decimal(1), True, ())  # noqa: DTZ001

    with pytest.raises(TypeError, match="time zone"):
        records.encode_row(row)


ROW = Everything(1, "", b"", None, Decimal(1), True, ())
HEAD = 25  # bytes before the payload, or before a list's stamps
STAMPS = (b"stamp  1", b"stamp  2")
nested = st.recursive(whole | text | st.binary() | st.none() | st.booleans(), lambda part: st.lists(part).map(tuple))


def refused(data: bytes) -> None:
    for decode in (records.decode_list, lambda data: records.decode_row(Everything, data)):
        with pytest.raises(records.Unreadable):
            decode(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(), st.integers(0, 1), st.booleans())
def test_any_bytes_are_a_record_or_unreadable(data: bytes, codec: int, as_list: bool) -> None:
    head = (records.encode_list((), ()) if as_list else records.encode_row(ROW))[:HEAD]
    coded = head[:3] + bytes([codec]) + head[4:]

    for tried in (data, head[:3] + data, coded + data, coded + zlib.compress(data, wbits=-15)):
        try:
            records.decode_list(tried) if as_list else records.decode_row(Everything, tried)
        except records.Unreadable:
            pass
        records.kind(tried), records.stamp(tried), records.generation(tried)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_record_that_was_cut_short_is_unreadable(data: st.DataObject) -> None:
    words = data.draw(st.sampled_from(["", "word " * 500]))
    record = records.encode_row(Everything(1, words, b"", None, Decimal(1), True, ("a",)))

    with pytest.raises(records.Unreadable):
        records.decode_row(Everything, record[: data.draw(st.integers(0, len(record) - 1))])


@pytest.mark.parametrize(
    "field",
    [
        msgpack.ExtType(1, b"no number"), msgpack.ExtType(1, b"\xff"), msgpack.ExtType(9, b"?"),
        msgpack.Timestamp(2**62), {(1, 2): 3}, {"a": {"b": [1]}},
    ],
)  # fmt: skip
def test_values_that_no_writer_of_ours_has_written_do_no_harm(field: Any) -> None:
    head = records.encode_row(ROW)[:HEAD]
    try:
        records.decode_row(Everything, head + msgpack.packb((1, "", b"", None, field, True, ())))
    except records.Unreadable:
        pass


@pytest.mark.parametrize(
    "payload",
    [
        b"\x81\x80\x01", b"\x91" * 5000, b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xd7\xff" + b"\xff" * 8, b"\x01",
        b"\x90\x90",
    ],
)  # fmt: skip
def test_a_payload_that_is_no_tuple_of_ours_is_unreadable(payload: bytes) -> None:
    refused(records.encode_row(ROW)[:HEAD] + payload)
    refused(records.encode_list((), ())[:HEAD] + payload)


def test_another_kind_schema_or_codec_is_unreadable() -> None:
    row = records.encode_row(ROW)

    for data in (b"", b"N", b"L" + b"t" * 16, b"T", b"G" + b"g" * 8, b"X" + row[1:], row[:1] + b"\xff\xff" + row[3:]):
        refused(data)
    refused(row[:3] + b"\x02" + row[4:])
    with pytest.raises(records.Unreadable):
        records.decode_list(row)


def test_a_row_of_another_shape_is_unreadable() -> None:
    def shape(*fields: Any) -> Any:
        return make_dataclass("Shaped", fields, frozen=True, slots=True)

    old = shape(("id", int), ("name", str))
    record = records.encode_row(old(1, "a"))

    assert records.decode_row(old, record) == old(1, "a")
    for other in (shape(("id", int), ("title", str)), shape(("id", int), ("name", "str | None")), shape(("id", int))):
        assert records.schema_of(other) != records.schema_of(old)
        with pytest.raises(records.Unreadable):
            records.decode_row(other, record)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(min_size=8, max_size=8), max_size=5), st.lists(nested))
def test_a_list_comes_back_with_its_stamps(stamps: list[bytes], items: list[Any]) -> None:
    assert records.decode_list(records.encode_list(stamps, tuple(items))) == (tuple(stamps), tuple(items))


def test_stamps_of_another_length_are_refused() -> None:
    for stamps in ((b"short",), (b"8 bytes!",) * 256):
        with pytest.raises(ValueError, match="stamps"):
            records.encode_list(stamps, ())


def test_what_a_record_says_of_itself_is_read_without_its_payload() -> None:
    @dataclass(frozen=True, slots=True)
    class Versioned:
        id: int
        version: int

    record = records.encode_row(Versioned(7, 2**40 + 1), soft=1_700_000_000_123, cost=4500)

    assert records.expiry(record) == (1_700_000_000_123, 4500)
    assert int.from_bytes(record[4:12], "big") == 2**40 + 1  # where fill.lua looks
    assert records.expiry(records.encode_row(Versioned(7, 1), cost=2**40))[1] == 2**32 - 1
    assert [records.kind(data) for data in (record, b"N", b"Lx", b"T", b"G", b"", None, b"?")] == [
        b"V", b"N", b"L", b"T", b"G", b"", b"", b"",
    ]  # fmt: skip
    with pytest.raises(records.Unreadable):
        records.expiry(b"N")


def test_equal_content_has_equal_stamps() -> None:
    other = Everything(2, "", b"", None, Decimal(1), True, ())

    assert records.stamp(records.encode_row(ROW, soft=1, cost=2)) == records.stamp(
        records.encode_row(ROW, soft=3, cost=4)
    )
    assert records.stamp(records.encode_row(ROW)) != records.stamp(records.encode_row(other))
    one, two = STAMPS
    assert records.stamp(records.encode_list((one,), (1,))) != records.stamp(records.encode_list((two,), (1,)))
    generation = b"G" + one
    assert records.stamp(generation + b"w" * 24) == records.stamp(generation) != records.stamp(b"G" + two)
    assert records.generation(generation + b"w" * 24) == one
    assert records.stamp(b"N") is not None
    assert [records.stamp(data) for data in (None, b"L" + b"t" * 16, b"T" + b"w" * 24, b"", b"Nx")] == [None] * 5
    assert [records.generation(data) for data in (None, b"T" + b"w" * 24, b"Gshort")] == [None] * 3


@pytest.mark.parametrize(
    ("text", "data", "codec"),
    [("word " * 1000, b"", 0), ("", random.Random(1).randbytes(50_000), 0), ("word " * 4000, b"", 1)],
    ids=["short", "noise", "long"],
)
def test_only_what_gets_smaller_is_compressed(text: str, data: bytes, codec: int) -> None:
    row = Everything(1, text, data, None, Decimal(1), True, ())
    record = records.encode_row(row)

    assert record[3] == codec
    assert records.decode_row(Everything, record) == row
    assert len(record) < 0.9 * (len(text) + len(data)) or not codec


def test_a_small_record_that_would_unpack_to_a_gigabyte_is_unreadable() -> None:
    deflate = zlib.compressobj(9, wbits=-15)
    packed = b"".join(deflate.compress(bytes(1 << 20)) for _ in range(80)) + deflate.flush()
    head = records.encode_row(ROW)[:HEAD]

    with pytest.raises(records.Unreadable, match="too long"):
        records.decode_row(Everything, head[:3] + b"\x01" + head[4:] + packed)


values = st.lists(whole | text, min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(values, values)
def test_different_values_have_different_names(one: list[int | str], other: list[int | str]) -> None:
    same = [str(value) for value in one] == [str(value) for value in other]

    assert (spell("x", tuple(one)) == spell("x", tuple(other))) is same
    assert spell("x", tuple(one)).isprintable()


def test_a_list_without_a_scope_or_with_one_it_cannot_name_is_refused() -> None:
    with pytest.raises(TypeError):
        List("all", scopes=(), ttl=1)
    with pytest.raises(TypeError, match="tag"):
        List("all", by=("page",), scopes=(Scope("tagged", by=("tag",)),), ttl=1)
    assert "list:all" not in FAMILIES  # half a family is worse than none
    with pytest.raises(TypeError):
        Key("row", Everything, ttl=1)(1, 2)
