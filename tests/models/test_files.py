"""Files: stored once, whoever sends them; found by their names; quotas, copies, and times that end."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from models import Models, files
from models.check_files import check_files
from models.errors import Busy, Forbidden, Invalid, NotFound, QuotaFull, TooLarge
from tests.harness.people import People
from tests.models.uploading import resize, stored, upload


@pytest.fixture(autouse=True)
def what_is_stored_agrees_in_the_end(io_loop: IOLoop, models: Models) -> Iterator[None]:
    yield
    assert io_loop.run_sync(lambda: check_files(models.db, models.storage, deep=True)) == []
    assert io_loop.run_sync(models.indexing.check) == []


async def test_what_was_sent_is_found_by_its_name_and_lies_in_the_storage(models: Models, people: People) -> None:
    file, created = await upload(models, people.bob, b"A cat.", "猫.PNG")
    async with models.storage.open(file.sha256) as path:
        data = path.read_bytes()

    assert (created, data, file.name, file.size) == (True, b"A cat.", "猫.PNG", 6)
    assert file.stored_name == f"{file.hash}.png"
    assert await models.files.named(file.stored_name) == file
    assert await models.files.latest() == [file] == await models.files.of_owner(people.bob.id)
    assert await models.files.fresh().many([file.id]) == [file]
    assert await models.files.usage(people.bob.id) == (6, 1)


async def test_the_same_bytes_are_one_file_of_an_owner_and_are_stored_once(models: Models, people: People) -> None:
    first, _ = await upload(models, people.bob)
    again, created = await upload(models, people.bob, name="other.png")
    others, new = await upload(models, people.alice)

    assert (again, created, new) == (first, False, True)
    assert others.sha256 == first.sha256
    assert others.stored_name != first.stored_name
    assert await stored(models) == [first.sha256]
    assert await models.files.usage(people.bob.id) == (6, 1)


async def test_two_uploads_of_the_same_at_the_same_moment(models: Models, other_models: Models, people: People) -> None:
    """Of one owner: one row, and both are answered with it. Of several: a row each, and one stored file."""
    for n in range(5):
        both = await asyncio.gather(
            *(upload(m, by, f"{n}".encode()) for m in (models, other_models) for by in (people.bob, people.alice) * 2)
        )

        assert Counter(added.created for added in both) == {True: 2, False: 6}
        assert len({added.file.id for added in both}) == 2
        assert len(await stored(models)) == n + 1


async def test_an_upload_that_fails_after_its_bytes_were_stored_leaves_no_row(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise Busy("as it may be")

    with monkeypatch.context() as patch:
        patch.setattr("models.file_rows.insert", fail)
        with pytest.raises(Busy):
            await upload(models, people.bob)

    assert await models.files.usage(people.bob.id) == (0, 0)
    assert await models.files.fresh().latest() == []
    _, created = await upload(models, people.bob)
    assert created


async def test_a_copy_that_exists_wins_and_there_are_at_most_so_many(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_COPIES", 2)
    file, _ = await upload(models, people.bob)
    both = await asyncio.gather(*(resize(models, file, "3x2", people.alice, str(n).encode()) for n in range(4)))
    assert len({copy.id for copy in both}) == 1
    await models.files.trash(both[0].id, by=people.bob)
    assert await models.files.resized(file.id, "3x2") is None
    back = await resize(models, file, "3x2", people.alice)
    assert (back.id, back.visible) == (both[0].id, True)
    await resize(models, file, "4x2", people.alice)

    with pytest.raises(Invalid):
        await resize(models, file, "5x2", people.alice)
    assert (await resize(models, file, "4x2", people.alice)).box == "4x2"
    with pytest.raises(Invalid):  # no copies of copies
        await resize(models, back, "1x1", people.alice)
    assert await models.files.usage(people.alice.id) == (0, 0)
    assert (await models.files.usage(people.bob.id)).files == 3
    await models.files.trash(file.id, by=people.bob)
    with pytest.raises(NotFound):
        await resize(models, file, "6x2", people.alice)


async def test_a_name_that_was_asked_for_before_there_was_such_a_file_is_found(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda n: "ab" * n)
    with pytest.raises(NotFound):
        await models.files.named("ab" * 16 + ".png")
    file, _ = await upload(models, people.bob)

    assert await models.files.named("ab" * 16 + ".png") == file


async def test_no_list_has_copies(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob)
    copy = await resize(models, file, "300x200", people.bob)

    assert copy.owner_id == people.bob.id
    assert await models.files.latest() == [file] == await models.files.of_owner(people.bob.id)
    assert (await models.search.files("300x200", shown_only=False)).ids == ()


async def test_files_come_newest_first_and_in_parts(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LATEST", 5)
    monkeypatch.setattr(files, "PER_PAGE", 3)

    async def part(before: int) -> list[int]:
        return [file.id for file in await models.files.of_owner(people.bob.id, before)]

    assert await models.files.latest() == [] == await part(0)
    ids = [(await upload(models, people.bob, f"{n}".encode())).file.id for n in range(7)][::-1]

    assert [file.id for file in await models.files.latest()] == ids[:5]
    assert [file.id for file in await models.files.latest(1, 2)] == ids[1:3]
    assert await models.files.latest(5) == [] == await models.files.latest(0, -1)
    assert [await part(0), await part(ids[2]), await part(ids[5]), await part(ids[6])] == [
        ids[:3],
        ids[3:6],
        ids[6:],
        [],
    ]


@pytest.mark.parametrize("choices", [{"max_upload": 2_000, "quota": 3_000}])
async def test_size_and_quota_are_asked_before_the_bytes_come_and_again_when_they_are_there(
    models: Models, people: People
) -> None:
    with pytest.raises(TooLarge) as refused:
        await models.files.admit(people.bob, 2_001)
    assert refused.value.most == 2_000
    await models.files.admit(people.bob, 2_000)
    await upload(models, people.bob, b"x" * 2_000)
    await models.files.admit(people.bob, 1_000)
    with pytest.raises(QuotaFull) as full:
        await models.files.admit(people.bob, 1_001)
    assert full.value.most == 1_000
    await models.files.admit(people.alice, 2_000)
    with pytest.raises(TooLarge):
        await upload(models, people.alice, b"x" * 2_001)
    both = await asyncio.gather(
        upload(models, people.bob, b"a" * 600), upload(models, people.bob, b"b" * 600), return_exceptions=True
    )

    assert Counter(type(one).__name__ for one in both) == {"Added": 1, "QuotaFull": 1}
    assert await models.files.usage(people.bob.id) == (2_600, 2)
    await upload(models, people.bob, b"x" * 2_000)  # what is there already needs no room
    await models.users.set_active(people.bob.id, False)
    with pytest.raises(Forbidden):
        await models.files.admit(people.bob, 1)
    with pytest.raises(Forbidden):
        await upload(models, people.bob, b"y")


async def test_at_its_end_nobody_sees_a_file_though_no_worker_has_come_by(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob, expires=timedelta(seconds=1))
    copy = await resize(models, file, "300x200", people.bob)
    trashed, _ = await upload(models, people.bob, b"trashed", expires=timedelta(seconds=1))
    await models.files.trash(trashed.id, by=people.bob)
    assert copy.expires_at == file.expires_at
    assert await models.files.latest() == [file]
    assert trashed.expires_at
    await asyncio.sleep((trashed.expires_at - datetime.now(UTC)).total_seconds() + 0.01)

    for name in (file.stored_name, copy.stored_name):
        with pytest.raises(NotFound):
            await models.files.named(name)
    assert await models.files.latest() == [] == await models.files.of_owner(people.bob.id)
    with pytest.raises(NotFound):
        await resize(models, file, "1x1", people.bob)
    again, created = await upload(models, people.bob)
    assert (created, again.id != file.id, again.expires_at) == (True, True, None)
    with pytest.raises(Invalid, match="is over"):
        await models.files.restore(trashed.id, by=people.bob)


async def test_sent_again_a_file_is_kept_for_the_longer_time(models: Models, people: People) -> None:
    day = timedelta(days=1)
    file, _ = await upload(models, people.bob, expires=2 * day)
    copy = await resize(models, file, "300x200", people.bob)
    shorter, _ = await upload(models, people.bob, expires=day)
    longer, _ = await upload(models, people.bob, expires=3 * day)
    for_ever, _ = await upload(models, people.bob)
    still, _ = await upload(models, people.bob, expires=day)

    assert file.expires_at
    assert longer.expires_at
    assert shorter == file
    assert longer.expires_at - file.expires_at > day - timedelta(minutes=1)
    assert for_ever.expires_at is None
    assert still == for_ever
    assert (await models.files.named(copy.stored_name)).expires_at is None


async def test_files_are_found_by_the_words_of_their_names(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob, name="Holiday_2024 猫的照片.png")
    for words in ("holiday", "2024 png", "照片", "author:bob"):
        assert (await models.search.files(words)).ids == (file.id,)
    await models.files.trash(file.id, by=people.bob)
    assert (await models.search.files("holiday")).ids == ()
    assert (await models.search.files("holiday", shown_only=False)).ids == (file.id,)
    async with models.db.connection() as connection:
        await connection.execute("DELETE FROM terms WHERE kind = 4")

    assert await models.indexing.index(everything=True) == 1
    assert (await models.search.files("holiday", shown_only=False)).ids == (file.id,)
