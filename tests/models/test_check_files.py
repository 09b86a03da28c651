"""`plaza check` names what is missing, left over or counted wrongly."""

import pytest

from models import Models
from models.check_files import UNDER_WAY, check_files
from tests.harness.people import People
from tests.models.uploading import resize, stored, upload


async def change(models: Models, *statements: str) -> None:
    async with models.db.connection() as connection:
        for sql in statements:
            await connection.execute(sql)


async def found(models: Models, *, deep: bool = False) -> list[str]:
    return await check_files(models.db, models.storage, deep=deep)


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("UPDATE blobs SET holds = holds + 1 LIMIT 1", "stored bytes whose count of files is wrong"),
        ("UPDATE blobs SET released_at = NOW(6) LIMIT 1", "stored bytes whose count of files is wrong"),
        ("UPDATE files SET size = size + 1 WHERE id = 1", "files whose bytes no row knows, or whose size is another: 1"),
        ("DELETE b FROM blobs b JOIN files f USING (sha256) WHERE f.id = 1", "files whose bytes no row knows"),
        ("UPDATE files SET owner_id = 99 WHERE id = 1", "files without an owner: 1"),
        ("UPDATE files SET parent_id = 99 WHERE id = 2", "resized copies without an original: 2"),
        ("UPDATE files SET status = 'trashed', original = NULL, trashed_at = NOW(6) WHERE id = 1", "than their original: 2"),
        ("UPDATE files SET expires_at = NOW(6) WHERE id = 2", "than their original: 2"),
        ("UPDATE files SET original = NULL WHERE id = 1", "whose key or date does not fit their status: 1"),
        ("UPDATE files SET trashed_at = NOW(6) WHERE id = 2", "whose key or date does not fit their status: 2"),
        ("UPDATE file_quotas SET bytes = bytes + 1", "members whose quota is wrong: "),
        ("UPDATE file_quotas SET files = files - 1", "members whose quota is wrong: "),
        ("DELETE FROM file_quotas", "members whose quota is wrong: "),
    ],
)  # fmt: skip
async def test_a_row_that_is_wrong_is_named(models: Models, people: People, sql: str, sentence: str) -> None:
    file, _ = await upload(models, people.bob)
    await resize(models, file, "300x200", people.bob)
    assert await found(models) == []
    await change(models, sql)

    assert any(sentence in line for line in await found(models)), await found(models)


async def test_what_is_missing_left_over_or_of_another_size_is_named(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [(await upload(models, people.bob, f"{n}".encode())).file for n in range(6)]
    async with models.storage.open(files[1].sha256) as path:
        path.write_bytes(b"longer")
    await models.storage.delete(files[2].sha256, within=1)
    async with await models.storage.incoming() as incoming:
        await incoming.write(b"left")
        await incoming.finish()
        await models.storage.keep(incoming)
    young = await found(models)
    monkeypatch.setattr("models.check_files.UNDER_WAY", -UNDER_WAY)

    assert young == (await found(models))[:2]  # the row of what is left may come in a moment
    assert await found(models) == [
        f"files whose bytes are missing: {files[2].id}",
        f"stored bytes of another size than was sent: {files[1].sha256.hex()}",
        f"stored bytes that no row knows (the worker deletes them): {incoming.sha256.hex()}",
    ]


async def test_only_who_reads_all_bytes_sees_that_some_have_changed(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob, b"abc")
    async with models.storage.open(file.sha256) as path:
        path.write_bytes(b"abd")

    assert await found(models) == []
    assert await found(models, deep=True) == [f"stored bytes that have changed: {file.sha256.hex()}"]


async def test_more_than_a_few_are_named_by_the_first(models: Models, people: People) -> None:
    for n in range(15):
        file, _ = await upload(models, people.bob, f"{n}".encode())
        await models.storage.delete(file.sha256, within=1)

    (sentence,) = await found(models)
    assert sentence.count(",") == 9
    assert sentence.endswith(" and more")


async def test_what_a_walk_in_parts_finds_is_the_same(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.check_files.AT_ONCE", 2)
    for n in range(9):
        await upload(models, people.bob, f"{n}".encode())
    assert await found(models) == []
    names = await stored(models)
    for name in (names[0], names[4], names[8]):
        await models.storage.delete(name, within=1)

    (sentence,) = await found(models)
    assert sentence.count(",") == 2
