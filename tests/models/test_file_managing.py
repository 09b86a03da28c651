"""Files as operators judge them: many at once, undone, and their list."""

import pytest

from content.kinds import Found
from models import Models
from models.audit import entries
from models.check_files import check_files
from models.errors import Forbidden, Invalid, NotFound
from models.file_managing import Filter
from models.sheets import Place
from tests.harness.people import People
from tests.models.uploading import resize, upload

TEXT = Found("text/plain", "text")


async def test_rights_are_asked_for_in_the_transaction(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob)
    for by in (people.bob, people.alice):
        with pytest.raises(Forbidden):
            await models.file_managing.act("trash", [file.id], by=by)
    done = await models.file_managing.act("trash", [file.id], by=people.olga)
    with pytest.raises(NotFound):
        await models.file_managing.undo(done.batch, by=people.ada)
    await models.rights.set_roles(people.olga.id, [], by=people.ada)

    with pytest.raises(Forbidden):
        await models.file_managing.undo(done.batch, by=people.olga)


async def test_many_files_go_and_come_back_with_their_copies(models: Models, people: People) -> None:
    some = [
        (await upload(models, by, str(n).encode())).file for n, by in enumerate((people.bob, people.alice, people.bob))
    ]
    copy = await resize(models, some[0], "300x200", people.bob)
    await models.files.trash(some[1].id, by=people.alice)
    done = await models.file_managing.act("trash", [*(file.id for file in some), 99], by=people.olga)
    assert {file.id for file in done.files} == {some[0].id, some[2].id}
    assert done.left == (some[1].id,)
    assert await models.files.latest() == []
    with pytest.raises(Forbidden):
        await models.files.restore(some[0].id, by=people.bob)
    back = await models.file_managing.undo(done.batch, by=people.olga)

    assert len(back.files) == 2
    assert {file.id for file in await models.files.latest()} == {some[0].id, some[2].id}
    assert await models.files.named(copy.stored_name)
    log = [entry.action for entry in await entries(models.db, target=f"file {some[0].id}")]
    assert log == ["file.undo", "file.trash"]
    with pytest.raises(NotFound):
        await models.file_managing.undo(done.batch, by=people.olga)
    assert await check_files(models.db, models.storage) == []


async def test_what_cannot_be_restored_or_has_changed_is_left(models: Models, people: People) -> None:
    first, _ = await upload(models, people.bob)
    other, _ = await upload(models, people.bob, b"other")
    judged, _ = await upload(models, people.bob, b"judged")
    done = await models.file_managing.act("trash", [first.id, other.id, judged.id], by=people.olga)
    await upload(models, people.bob)  # the same as the first
    await models.files.restore(other.id, by=people.ada)
    await models.files.restore(judged.id, by=people.ada)
    await models.files.trash(judged.id, by=people.ada)

    assert (await models.file_managing.undo(done.batch, by=people.olga)).left == (first.id, other.id, judged.id)
    again = await models.file_managing.act("restore", [first.id, other.id], by=people.olga)
    assert (again.files, again.left, again.batch) == ((), (first.id, other.id), 0)


async def test_hostile_ids(models: Models, people: People) -> None:
    copy = await resize(models, (await upload(models, people.bob)).file, "3x2", people.bob)
    with pytest.raises(Invalid):
        await models.file_managing.act("trash", list(range(101)), by=people.olga)
    for ids in ([99], [copy.id]):
        with pytest.raises(NotFound):
            await models.file_managing.act("trash", ids, by=people.olga)
    assert (await models.file_managing.act("trash", [], by=people.olga)).batch == 0


async def test_the_list_is_filtered_by_status_kind_owner_and_what_was_found(models: Models, people: People) -> None:
    pictures = [(await upload(models, people.bob, f"p{n}".encode())).file.id for n in range(3)]
    text = (await upload(models, people.bob, b"t", "notes.txt", found=TEXT)).file.id
    others = (await upload(models, people.alice, b"a", "notes.txt", found=TEXT)).file.id
    gone = (await upload(models, people.bob, b"gone")).file.id
    await resize(models, (await models.files.many([pictures[0]]))[0], "3x2", people.bob)
    await models.files.trash(gone, by=people.bob)

    async def seen(**wanted: object) -> tuple[list[int], int | None]:
        sheet = await models.file_managing.sheet(Filter(**wanted))  # type: ignore[arg-type]
        return [file.id for file in sheet.items], sheet.count

    bob = people.bob.id
    assert await seen() == ([others, text, *pictures[::-1]], 5)
    assert await seen(status="trashed") == ([gone], 1)
    assert await seen(kind="text") == ([others, text], 2)
    assert await seen(owner_id=bob) == ([text, *pictures[::-1]], 4)
    assert await seen(owner_id=bob, kind="text") == ([text], None)
    assert await seen(ids=(text, gone, others), owner_id=bob) == ([text], 1)
    assert await seen(ids=(text, pictures[1]), kind="image") == ([pictures[1]], 1)
    assert await seen(ids=()) == ([], 0)
    first = await models.file_managing.sheet(Filter(), most=2)
    then = await models.file_managing.sheet(Filter(), Place(first.next), most=2)
    assert [file.id for file in then.items] == [pictures[2], pictures[1]]


async def test_every_list_walks_an_index_of_its_own(models: Models, people: People) -> None:
    """However many copies lie between two originals: none is read."""
    file, _ = await upload(models, people.bob)
    for n in range(5):
        await resize(models, file, f"{n}x1", people.bob)
    for where, key in (
        ("parent_id IS NULL AND status = 'shown'", "newest"),
        ("owner_id = 1 AND parent_id IS NULL AND status = 'shown' AND id < 4611686018427387904", "of_owner"),
        ("kind = 'image' AND parent_id IS NULL AND status = 'shown'", "of_kind"),
    ):
        rows = await models.db.fetch(
            f"EXPLAIN SELECT id FROM files FORCE INDEX ({key}) WHERE {where} ORDER BY id DESC LIMIT 50"  # noqa: S608
        )
        assert rows[0][5] == key
        assert "filesort" not in str(rows[0])
