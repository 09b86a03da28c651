"""Records: what goes in comes out; what cannot be told apart is refused; names never meet."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache import Key, List, Scope, records
from cache.slots import spell


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


@settings(max_examples=200, deadline=None)
@given(st.binary())
def test_any_bytes_are_a_row_or_unreadable(data: bytes) -> None:
    for tried in (data, records.encode_row(Everything(1, "", b"", None, Decimal(1), True, ()))[:3] + data):
        with pytest.raises(records.Unreadable):
            records.decode_row(Everything, tried)


@pytest.mark.parametrize(
    "field",
    [
        msgpack.ExtType(1, b"no number"), msgpack.ExtType(1, b"\xff"), msgpack.ExtType(9, b"?"),
        msgpack.Timestamp(2**62),
    ],
)  # fmt: skip
def test_values_that_no_writer_of_ours_has_written_are_unreadable(field: Any) -> None:
    head = records.encode_row(Everything(1, "", b"", None, Decimal(1), True, ()))[:3]

    with pytest.raises(records.Unreadable):
        records.decode_row(Everything, head + msgpack.packb((1, "", b"", None, field, True, ())))


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
    with pytest.raises(TypeError):
        Key("row", Everything, ttl=1)(1, 2)
