"""Long lists in sheets: forwards and back, several walks merged, filters without an index, bounded counts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from models import Models, sheets
from models.errors import NotFound
from models.sheets import Order, Place, Sheet, Walk, sheet

START = datetime(2024, 1, 1, tzinfo=UTC)
CHANGED = Order("posts", "updated_at")
STATUSES = [Walk("status = %s", (status,), "shelf") for status in ("draft", "scheduled")]


async def fill(models: Models, n: int, *, same_moment: bool = False) -> list[int]:
    """n posts, by turns drafts and scheduled; their ids, the last changed first."""
    async with models.db.connection() as connection:
        for number in range(n):
            at = START + timedelta(minutes=0 if same_moment else number)
            await connection.execute(
                "INSERT INTO posts (author_id, slug, title, summary, body_md, body_html, status, created_at, updated_at) "
                "VALUES (1, 's', 't', '', '', '', %s, %s, %s)",
                ("draft", "scheduled")[number % 2], at, at,
            )  # fmt: skip
        rows = await connection.fetch("SELECT id FROM posts ORDER BY updated_at DESC, id DESC")
    return [row[0] for row in rows]


async def all_sheets(models: Models, order: Order, walks: Sequence[Walk], most: int) -> list[Sheet[int]]:
    found = [await sheet(models.db, order, walks, most=most)]
    while found[-1].next:
        found.append(await sheet(models.db, order, walks, place=Place(found[-1].next), most=most))
        assert len(found) < 50
    return found


@pytest.mark.parametrize("same_moment", [False, True])
async def test_sheets_show_every_row_once_in_the_lists_order(models: Models, same_moment: bool) -> None:
    ids = await fill(models, 23, same_moment=same_moment)

    found = await all_sheets(models, CHANGED, STATUSES, 5)

    assert [id for part in found for id in part.items] == ids
    assert [len(part.items) for part in found] == [5, 5, 5, 5, 3]
    assert [bool(part.previous) for part in found] == [False, True, True, True, True]


async def test_the_way_back_shows_the_same_sheets(models: Models) -> None:
    await fill(models, 20)
    there = await all_sheets(models, CHANGED, STATUSES, 5)

    back = [there[-1]]
    while back[-1].previous:
        place = Place(back[-1].previous, before=True)
        back.append(await sheet(models.db, CHANGED, STATUSES, place=place, most=5))

    assert [part.items for part in reversed(back)] == [part.items for part in there]
    assert back[-1].next == there[0].next


async def test_the_way_back_ends_in_a_full_first_sheet(models: Models) -> None:
    ids = await fill(models, 12)
    second = await sheet(models.db, CHANGED, STATUSES, most=3)  # begins somewhere that the sheets of five do not

    first = await sheet(
        models.db,
        CHANGED,
        STATUSES,
        place=Place(
            (await sheet(models.db, CHANGED, STATUSES, place=Place(second.next), most=3)).previous, before=True
        ),
        most=5,
    )

    assert list(first.items) == ids[:5]
    assert not first.previous


async def test_a_list_by_id_alone_goes_up_and_down(models: Models) -> None:
    ids = sorted(await fill(models, 7))

    for descending in (True, False):
        found = await all_sheets(models, Order("posts", descending=descending), [Walk()], 3)
        assert [id for part in found for id in part.items] == sorted(ids, reverse=descending)


async def test_what_no_index_can_tell_is_asked_of_keep(models: Models) -> None:
    ids = await fill(models, 30)

    async def keep(some: Sequence[int]) -> set[int]:
        return {id for id in some if id % 3 == 0}

    first = await sheet(models.db, CHANGED, STATUSES, most=4, keep=keep)
    second = await sheet(models.db, CHANGED, STATUSES, place=Place(first.next), most=100, keep=keep)

    assert [*first.items, *second.items] == [id for id in ids if id % 3 == 0]
    assert not second.next
    assert (first.looked_at, second.looked_at) == (0, 0)


async def test_a_search_that_finds_nothing_gives_up_and_says_so(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "WINDOWS", (4, 6))
    ids = await fill(models, 30)

    async def only_the_oldest(some: Sequence[int]) -> set[int]:
        return {id for id in some if id == ids[-1]}

    first = await sheet(models.db, CHANGED, STATUSES, most=5, keep=only_the_oldest)
    found, items = first, list(first.items)
    while found.next:
        found = await sheet(models.db, CHANGED, STATUSES, place=Place(found.next), most=5, keep=only_the_oldest)
        items += found.items

    assert (first.items, first.looked_at) == ((), 10)
    assert first.next
    assert items == [ids[-1]]


async def test_a_count_stops_at_many(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(models, 12)

    assert await sheets.count(models.db, CHANGED, STATUSES) == 12
    monkeypatch.setattr(sheets, "MANY", 4)
    assert await sheets.count(models.db, CHANGED, STATUSES) == 5


@pytest.mark.parametrize(
    "text", ["x", "1", "-1.5", "1.", "١.٢", "9" * 18 + ".1", "1.2.3", "1e3.4", "1.9999999999999999999"]
)
async def test_a_place_that_no_sheet_gave_is_not_found(models: Models, text: str) -> None:
    with pytest.raises(NotFound):
        await sheet(models.db, CHANGED, STATUSES, place=Place(text))
