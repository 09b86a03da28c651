"""Files: stored once, whoever sends them; shown, trashed, restored with their copies; quotas, and times that end."""

from typing import Any

import pytest

from content.kinds import Found
from models import Models
from models.errors import NotFound
from models.file_rows import File
from models.files import Added
from models.users import User
from tests.harness.people import People

PNG = Found("image/png", "image", 640, 480)


async def upload(models: Models, by: User, data: bytes = b"A cat.", name: str = "cat.png", **more: Any) -> Added:
    async with await models.storage.incoming() as incoming:
        await incoming.write(data)
        return await models.files.add(incoming, name, PNG, by=by, **more)


async def resize(models: Models, parent: File, box: str, by: User, data: bytes = b"") -> File:
    async with await models.storage.incoming() as incoming:
        await incoming.write(data or box.encode())
        return await models.files.add_resized(parent, box, incoming, Found("image/jpeg", "image", 3, 2), by=by)


async def test_what_was_sent_is_found_by_its_name_and_lies_in_the_storage(models: Models, people: People) -> None:
    file, created = await upload(models, people.bob, b"A cat.", "猫.PNG")
    async with models.storage.open(file.sha256) as path:
        data = path.read_bytes()

    assert (created, data, file.name, file.size) == (True, b"A cat.", "猫.PNG", 6)
    assert file.stored_name == f"{file.hash}.png"
    assert await models.files.named(file.stored_name) == file
    assert await models.files.latest() == [file] == await models.files.of_owner(people.bob.id)
    assert await models.files.usage(people.bob.id) == (6, 1)
    assert await models.files.shown(models.short.decode(models.short.encode(file.id))) == file


async def test_the_same_bytes_are_one_file_of_an_owner_and_are_stored_once(models: Models, people: People) -> None:
    first, _ = await upload(models, people.bob)
    again, created = await upload(models, people.bob, name="other.png")
    others, new = await upload(models, people.alice)

    assert (again, created, new) == (first, False, True)
    assert others.sha256 == first.sha256
    assert [kept.sha256 async for kept in models.storage.everything()] == [first.sha256]
    assert await models.files.usage(people.bob.id) == (6, 1)


async def test_trash_and_restore_take_the_copies_along(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob)
    copy = await resize(models, file, "300x200", people.alice)
    assert copy.name == "cat-300x200.jpg"
    assert await models.files.resized(file.id, "300x200") == copy
    await models.files.trash(file.id, by=people.bob)
    for name in (file.stored_name, copy.stored_name):
        with pytest.raises(NotFound):
            await models.files.named(name)
    assert await models.files.resized(file.id, "300x200") is None
    assert await models.files.latest() == []
    await models.files.restore(file.id, by=people.bob)

    assert (await models.files.named(copy.stored_name)).parent_id == file.id
    assert [row.id for row in await models.files.latest()] == [file.id]
