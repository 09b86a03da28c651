"""The trash: what goes there and comes back together, and who may bring it back."""

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from models import Models, file_rows
from models.audit import entries
from models.check_files import check_files
from models.errors import Forbidden, NotFound, Taken
from tests.harness.people import People
from tests.models.uploading import resize, upload


@pytest.fixture(autouse=True)
def what_is_stored_agrees_in_the_end(io_loop: IOLoop, models: Models) -> Iterator[None]:
    yield
    assert io_loop.run_sync(lambda: check_files(models.db, models.storage, deep=True)) == []
    assert io_loop.run_sync(models.indexing.check) == []


async def test_trash_and_restore_take_the_copies_along(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob)
    assert await models.files.resized(file.id, "300x200") is None
    assert await models.files.of_owner(people.bob.id) == [file]
    copy = await resize(models, file, "300x200", people.alice)
    assert copy.name == "cat-300x200.jpg"
    assert await models.files.resized(file.id, "300x200") == copy
    await models.files.trash(file.id, by=people.bob)
    await models.files.trash(file.id, by=people.bob)
    for name in (file.stored_name, copy.stored_name):
        with pytest.raises(NotFound):
            await models.files.named(name)
    assert await models.files.resized(file.id, "300x200") is None
    assert await models.files.latest() == [] == await models.files.of_owner(people.bob.id)
    with pytest.raises(NotFound):
        await models.files.shown(file.id)
    assert await models.files.usage(people.bob.id) == (13, 2)
    await models.files.restore(file.id, by=people.bob)
    await models.files.restore(file.id, by=people.bob)

    assert (await models.files.named(copy.stored_name)).parent_id == file.id
    assert [row.id for row in await models.files.latest()] == [file.id]
    log = [(entry.action, entry.was, entry.became) for entry in await entries(models.db, target=f"file {file.id}")]
    assert log == [
        ("file.restore", {"status": "trashed"}, {"status": "shown"}),
        ("file.trash", {"status": "shown"}, {"status": "trashed"}),
    ]


async def test_only_its_owner_and_operators_may_trash_and_restore_a_file(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob)
    with pytest.raises(Forbidden):
        await models.files.trash(file.id, by=people.alice)
    await models.files.trash(file.id, by=people.bob)
    with pytest.raises(Forbidden):
        await models.files.restore(file.id, by=people.alice)
    await models.files.restore(file.id, by=people.olga)
    await models.files.trash(file.id, by=people.olga)
    with pytest.raises(Forbidden):  # what an operator has taken away
        await models.files.restore(file.id, by=people.bob)
    await models.files.restore(file.id, by=people.ada)
    for method in (models.files.trash, models.files.restore):
        with pytest.raises(NotFound):
            await method(99, by=people.ada)

    await models.users.set_active(people.bob.id, False)
    with pytest.raises(Forbidden):
        await models.files.trash(file.id, by=people.bob)


async def test_no_copy_brings_back_what_was_taken_away(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob)
    copies = [await resize(models, file, box, people.bob) for box in ("3x2", "4x2")]
    await models.files.trash(copies[0].id, by=people.bob)
    await models.files.trash(file.id, by=people.olga)
    for by in (people.bob, people.olga):
        for copy in copies:
            with pytest.raises(NotFound):
                await models.files.restore(copy.id, by=by)
    await models.files.restore(file.id, by=people.olga)

    assert (await models.files.named(copies[0].stored_name)).visible


@pytest.mark.parametrize("many", [False, True])
async def test_what_its_owner_has_deleted_an_operator_takes_away(models: Models, people: People, *, many: bool) -> None:
    file, _ = await upload(models, people.bob)
    copy = await resize(models, file, "3x2", people.bob)
    await models.files.trash(copy.id, by=people.bob)
    await models.files.trash(file.id, by=people.bob)
    with pytest.raises(NotFound):  # alone it would be in no list
        await models.files.restore(copy.id, by=people.bob)
    await models.files.trash(file.id, by=people.bob)
    if many:
        await models.file_managing.act("trash", [file.id], by=people.ada)
    else:
        await models.files.trash(file.id, by=people.ada)
    with pytest.raises(Forbidden):
        await models.files.restore(file.id, by=people.bob)
    await models.files.restore(file.id, by=people.olga)
    await models.files.trash(file.id, by=people.bob)
    await models.files.restore(file.id, by=people.bob)

    assert (await models.files.named(copy.stored_name)).visible


async def test_a_copy_that_an_operator_trashes_with_its_original_is_not_its_owners_to_restore(
    models: Models, people: People
) -> None:
    file, _ = await upload(models, people.bob)
    copy = await resize(models, file, "3x2", people.bob)
    await models.files.trash(copy.id, by=people.bob)
    await models.files.trash(file.id, by=people.ada)

    async with models.files.write() as w:
        assert await file_rows.trashed_by(w, copy.id) == people.ada.id


async def test_what_was_sent_again_meanwhile_is_not_restored(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob)
    await models.files.trash(file.id, by=people.bob)
    again, created = await upload(models, people.bob)
    assert (created, again.id != file.id) == (True, True)

    with pytest.raises(Taken):
        await models.files.restore(file.id, by=people.bob)
    assert await models.files.latest() == [again]
