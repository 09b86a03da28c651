"""A family is dropped at once, in every process, whatever was under way; the others stay."""

import asyncio
from collections.abc import Awaitable

import pytest

from cache import Index
from cache.epochs import bare, prefixes_of, random_of
from cache.slots import family_of
from tests.cache.samples import NOTE, NOTES, PAGE
from tests.cache.steps import Stage, near, until, until_answers, warm

pytest_plugins = ["tests.cache.stages"]


async def test_what_was_remembered_of_a_dropped_family_is_read_again_by_everybody(stage: Stage) -> None:
    """What the drop is for: somebody has changed MySQL by hand."""
    one, other = await stage.process(local=True), await stage.process(local=True)
    await warm(one, 1)
    await warm(other, 1)
    stage.truth.rows[1] = "new"
    assert await one.cache.drop_family("note")

    assert near(one, 1) is None  # who dropped it does not wait for the push
    await until_answers(
        lambda: _is(other.text(1), "new")
    )  # nobody else has asked, so only the push of the epoch tells it
    assert await one.text(1) == "new"


async def test_who_heard_no_push_is_told_by_the_next_question(stage: Stage) -> None:
    one, other = await stage.process(), await stage.process()
    assert await other.text(1) == "old"
    stage.truth.rows[1] = "new"
    await one.cache.drop_family("note")

    assert await other.text(1) == "new"


async def test_other_families_stay(stage: Stage) -> None:
    one = await stage.process()
    await one.page()
    loads = stage.truth.loads
    await one.cache.drop_family("note")
    await one.page()

    assert stage.truth.loads == loads


async def test_a_list_and_the_lists_of_a_scope_are_families_too(stage: Stage) -> None:
    one, other = await stage.process(), await stage.process()
    for family in (family_of(PAGE(1).name), family_of(NOTES().name)):
        await other.page()
        stage.truth.rows[len(stage.truth.rows) + 1] = "by hand"
        await one.cache.drop_family(family)

        assert await other.page() == tuple(stage.truth.rows)


async def test_a_fill_that_read_before_the_drop_is_refused_after_it(stage: Stage) -> None:
    one, other = await stage.process(), await stage.process()
    load = stage.truth.hold()
    early = asyncio.create_task(one.text(1))
    await load.reached()
    stage.truth.rows[1] = "new"
    await other.cache.drop_family("note")
    load.free()

    assert await early == "old"  # asked before it
    assert await one.text(1) == await other.text(1) == "new"


async def test_an_early_refresh_that_read_before_the_drop_is_refused_after_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the lease of the sister key: were that one still to be found, it would put the old value over the new one."""
    early, other = await stage.process(local=True), await stage.process(local=True)
    assert await other.text(1) == "old"
    monkeypatch.setattr(early.cache, "_early", lambda: lambda soft, cost: True)
    load = stage.truth.hold()
    assert await early.text(1) == "old"
    await load.reached()
    monkeypatch.undo()
    stage.truth.rows[1] = "new"
    await other.cache.drop_family("note")
    assert await other.text(1) == "new"
    load.free()
    await until(lambda: early.link.answers("fill"))

    assert early.link.answers("fill") == [["superseded"]]
    assert await early.text(1) == await other.text(1) == "new"


async def test_who_joins_a_load_after_the_drop_is_not_given_its_answer(stage: Stage) -> None:
    one, other = await stage.process(), await stage.process()
    fill = one.hold("before fill")
    early = asyncio.create_task(one.text(1))
    await fill.reached()
    stage.truth.rows[1] = "new"
    await other.cache.drop_family("note")
    late = asyncio.create_task(one.text(1))
    await asyncio.sleep(0)
    fill.free()

    assert [await early, await late] == ["old", "new"]


async def test_a_drop_between_begin_and_end_leaves_nothing_old_behind(stage: Stage) -> None:
    writer, reader = await stage.process(), await stage.process(local=True)
    slots, me = (NOTE(1), NOTES()), writer.cache.writer()
    await writer.cache.begin(slots, me, 10.0)
    await reader.cache.drop_family("note")
    assert await reader.text(1) == "old"  # filled: the tombstone is out of reach
    writer.commit(1, "new")
    await writer.cache.end(slots, me)

    assert await reader.text(1) == await writer.text(1) == "new"


async def test_an_answer_of_before_the_drop_is_not_kept_after_it(stage: Stage) -> None:
    reader, other = await stage.process(local=True), await stage.process()
    await reader.text(1)
    await reader.text(1)  # seen twice: the next answer would be kept
    answer = reader.hold("after get")
    asked = asyncio.create_task(reader.text(1))
    await answer.reached()
    stage.truth.rows[1] = "new"
    flushes = reader.tracking.flushes
    await other.cache.drop_family("note")
    await until(lambda: reader.tracking.flushes > flushes)
    answer.free()

    assert await asked == "old"
    assert near(reader, 1) in (None, "new")
    assert await reader.text(1) == "new"


async def test_what_is_written_after_a_drop_is_heard_of_by_all(stage: Stage) -> None:
    """The names in Redis have grown; those of the pushes have not."""
    one, other = await stage.process(local=True), await stage.process()
    await other.cache.drop_family("note")
    await warm(one, 1)
    await other.write(1, "new")
    await until(lambda: near(one, 1) is None)

    assert await one.text(1) == "new"


async def test_a_family_may_be_dropped_again_and_again_and_leaves_one_word(stage: Stage) -> None:
    one = await stage.process()
    for text in ("a", "b", "c"):
        stage.truth.rows[1] = text
        await one.cache.drop_family("note")
        await one.cache.drop_family("other")

        assert await one.text(1) == text
    assert one.link.full("note:1").endswith(b":3@note:1")
    assert (await stage.redis.get(f"{stage.namespace}:epoch") or b"").split(b" ")[1:] == [b"note=3", b"other=3"]  # type: ignore[arg-type]


async def test_without_redis_a_drop_says_that_it_was_not_done(stage: Stage) -> None:
    one = await stage.process()
    await one.link.close()

    assert not await one.cache.drop_family("note")


async def test_nothing_of_a_dropped_family_costs_the_others_a_longer_name(stage: Stage) -> None:
    one = await stage.process()
    await one.cache.drop_family("note")

    assert one.link.full("note:1+").endswith(b":1@note:1+")
    assert one.link.full("list:notes.page:1") == f"{stage.namespace}:{one.link.epoch}:list:notes.page:1".encode()


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("post:12", "post"), ("post:12+", "post"), ("user.email:a%40b", "user.email"), ("scope:posts", "scope:posts"),
        ("list:posts.page:3", "list:posts.page"), ("list:posts.months+", "list:posts.months"), ("scope:a:b:c", "scope:a"),
    ],
)  # fmt: skip
def test_the_family_of_a_name(name: str, family: str) -> None:
    assert family_of(name) == family


def test_an_epoch_is_read_with_and_without_families() -> None:
    assert random_of(b"run:aa") == random_of(b"run:aa post=2") == "aa"
    assert prefixes_of(b"run:aa", "p:aa:") == {}
    assert prefixes_of(b"run:aa post=2 list:x.y=1", "p:aa:") == {"post": "p:aa:2@", "list:x.y": "p:aa:1@"}
    assert bare("2@post:12") == bare("post:12") == "post:12"
    assert random_of(b"nothing") == ""


@pytest.mark.parametrize("name", ["a:b", "a+", "a@b", "a=b", "a b"])
def test_a_name_with_a_sign_that_separates_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match="none of"):
        Index(name, by=("id",), ttl=1)


async def _is(answer: Awaitable[object], wanted: object) -> bool:
    return await answer == wanted
