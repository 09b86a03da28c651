"""Races of unique values and lists with writers: R12 to R15."""

import asyncio

from tests.cache.notes import BY_NAME, NAMED, Desks, Named
from tests.cache.samples import NOTES, PAGE
from tests.cache.steps import Stage

pytest_plugins = ["tests.cache.stages"]


async def test_r12_a_reader_between_index_and_row_does_not_get_the_row_that_has_lost_the_value(desks: Desks) -> None:
    """Note 1 goes from "a" to "b", and another takes "a", while a reader holds the pointer that "a" led to."""
    writer, reader = await desks.open(), await desks.open()
    await reader.notes.named("a")
    pointed = reader.hold("after get")
    asked = asyncio.create_task(reader.notes.named("a"))
    await pointed.reached()
    await writer.notes.change(1, "moved", name="b")
    second = await writer.notes.add("a", "taker")
    pointed.free()

    assert await asked == Named(second, "a", "taker", 1)
    assert await reader.notes.named("b") == Named(1, "b", "moved", 2)
    assert await reader.notes.named("a") == Named(second, "a", "taker", 1)


async def test_r12_a_write_forgets_the_value_that_a_row_had_and_the_one_that_it_gets(desks: Desks) -> None:
    writer, reader = await desks.open(), await desks.open()
    assert await reader.notes.named("b") is None
    assert await reader.notes.named("a")
    await writer.notes.change(1, "moved", name="b")

    assert await reader.notes.named("a") is None
    assert await reader.notes.named("b") == Named(1, "b", "moved", 2)


async def test_r12_an_index_entry_that_is_wrong_is_not_believed_and_not_kept(desks: Desks) -> None:
    """Whatever led to it: here the entry of "a" is copied to "x", and another row takes "x" behind the cache's back."""
    reader, other = await desks.open(), await desks.open()
    await reader.notes.named("a")
    stage, link = desks.stage, reader.process.link
    async with desks.truth.connection() as connection:
        second = await connection.insert("INSERT INTO notes (name, text) VALUES ('x', 'taker')")
    await stage.redis.copy(link.full(BY_NAME("a").name).decode(), link.full(BY_NAME("x").name).decode())

    assert await reader.notes.named("x") == Named(second, "x", "taker", 1)
    assert await other.notes.named("x") == Named(second, "x", "taker", 1)


async def test_r13_an_index_hit_whose_row_was_deleted_meanwhile_is_a_miss_of_both(desks: Desks) -> None:
    writer, reader = await desks.open(), await desks.open()
    await reader.notes.named("a")
    pointed = reader.hold("after get")
    asked = asyncio.create_task(reader.notes.named("a"))
    await pointed.reached()
    await writer.notes.remove(1)
    pointed.free()

    assert await asked is None
    assert await reader.notes.named("a") is None
    assert await writer.notes.first() == []


async def test_r13_an_index_filled_late_does_not_outlive_the_deletion_of_its_row(desks: Desks) -> None:
    writer, reader = await desks.open(), await desks.open()
    fill = reader.hold("before fill")
    asked = asyncio.create_task(reader.notes.named("a"))
    await fill.reached()
    await writer.notes.remove(1)
    second = await writer.notes.add("a", "heir")
    fill.free()
    await asked

    assert await reader.notes.named("a") == await writer.notes.named("a") == Named(second, "a", "heir", 1)


async def test_r14_a_list_that_was_built_while_a_row_was_inserted_is_not_served(desks: Desks) -> None:
    writer, reader = await desks.open(), await desks.open()
    fill = reader.hold("before fill")
    asked = asyncio.create_task(reader.notes.first())
    await fill.reached()
    second = await writer.notes.add("b", "born")
    fill.free()
    assert await asked == [1]

    assert await reader.notes.first() == await writer.notes.first() == [1, second]


async def test_r14_a_list_read_between_begin_and_commit_is_not_stored(desks: Desks) -> None:
    """The generations of now, the rows of before: without pending writers it would be stored, and outlive a crash."""
    writer, reader = await desks.open(), await desks.open()
    begun, dies = writer.hold("after begin"), writer.hold("before end")
    write = asyncio.create_task(writer.notes.add("b", "born"))
    await begun.reached()
    assert [await reader.notes.first(), await reader.notes.first()] == [[1], [1]]
    begun.free()
    await dies.reached()  # and never gets further, as after kill -9

    assert await reader.notes.first() == [1, 2]
    dies.free()
    await write


async def test_r14_a_list_whose_load_began_before_begin_is_not_stored_while_its_writer_is_pending(stage: Stage) -> None:
    writer, reader = await stage.process(), await stage.process()
    load, dies = stage.truth.hold(), writer.hold("before end")
    asked = asyncio.create_task(reader.page())
    await load.reached()
    write = asyncio.create_task(writer.write(2, "second"))
    await dies.reached()
    load.free()
    assert await asked == (1,)

    assert await reader.page() == (1, 2)
    assert reader.link.answers("fill")[0] == ["invalidated"]
    dies.free()
    await write


async def test_r14_a_list_that_stands_is_refused_as_soon_as_its_scope_has_begun_to_change(desks: Desks) -> None:
    writer, reader = await desks.open(), await desks.open()
    assert await reader.notes.first() == [1]
    assert await reader.notes.first() == [1]
    dies = writer.hold("before end")
    write = asyncio.create_task(writer.notes.add("b", "born"))
    await dies.reached()  # committed, and killed

    assert await reader.notes.first() == [1, 2]
    dies.free()
    await write


async def test_r15_a_generation_that_was_evicted_does_not_come_back(stage: Stage) -> None:
    reader, writer = await stage.process(), await stage.process()
    assert await reader.page() == (1,)
    stands = await stage.raw(reader, PAGE(1))
    assert await stage.redis.delete(reader.link.full(NOTES().name))
    stage.truth.rows[2] = "second"  # while nothing of the scope is in Redis, its writer's steps leave no trace
    await writer.write(3, "third")
    assert await stage.redis.delete(reader.link.full(NOTES().name))
    assert await stage.raw(reader, PAGE(1)) == stands

    assert await writer.page() == (1, 2, 3)
    assert await reader.page() == (1, 2, 3)


async def test_r15_a_list_is_not_served_while_its_generation_is_gone(stage: Stage) -> None:
    reader = await stage.process()
    await reader.page()
    assert await stage.redis.delete(reader.link.full(NOTES().name))
    stage.truth.rows[2] = "second"

    assert await reader.page() == (1, 2)


async def test_a_list_keeps_its_order_and_leaves_out_what_is_gone(desks: Desks) -> None:
    desk = await desks.open()
    ids = [await desk.notes.add(name, name) for name in "zyx"]
    await desk.notes.first()
    async with desks.truth.connection() as connection:
        await connection.execute("DELETE FROM notes WHERE id = %s", ids[1])
    await desks.stage.redis.delete(desk.process.link.full(NAMED(ids[1]).name))

    assert await desk.notes.first() == [1, ids[0], ids[2]]
