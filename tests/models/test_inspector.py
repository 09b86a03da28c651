"""What the inspector says of a name is what each level holds, in plain words; and what it drops is read again."""

import pytest
from tornado.ioloop import IOLoop

from cache import Slot, records
from cache.link import Ask
from models import Models, audit, inspector, levels, posts
from models.errors import Busy, Forbidden, Invalid
from models.inspector import Level, Looked
from models.posts import BY_ID, FRONT_PAGES, PUBLISHED, Post
from models.questions import asked, family, shown_name, shown_value
from models.users import BY_EMAIL
from models.writing import Draft
from tests.cache.steps import until
from tests.harness.people import People
from tests.harness.webs import read_often
from tests.harness.wires import Wire


@pytest.fixture
def post(io_loop: IOLoop, models: Models, people: People) -> Post:
    made: Post = io_loop.run_sync(
        lambda: models.writing.create(Draft("A post", "", "Words.", ("news",)), by=people.alice, publish=True)
    )
    return made


def level(looked: Looked, name: str) -> Level:
    return next(level for level in looked.levels if level.name == name)


async def test_a_row_that_is_remembered_everywhere_is_shown_with_its_ages(
    models: Models, near: Models, post: Post
) -> None:
    await read_often(near, post.id)

    looked = await models.inspector.look(BY_ID(post.id))
    redis, process = level(looked, "redis"), level(looked, "web-0")
    assert (redis.held.kind, redis.held.served, redis.held.why) == ("value", True, levels.VALUE_SERVED)
    assert (process.held.kind, process.held.served, process.held.why) == ("value", True, inspector.NEAR_SERVED)
    assert redis.held.value == process.held.value == looked.truth == post
    assert [redis.equal, process.equal, looked.old] == [True, True, False]
    assert redis.held.facts["version"] == post.version
    assert redis.held.facts["schema"] == records.schema_of(Post)
    assert 0 < redis.held.facts["ttl_s"] <= BY_ID.ttl
    assert 0 <= redis.held.facts["age_s"] < 5
    assert 0 <= process.held.facts["age_s"] < 5
    assert 0 <= process.held.facts["fence_s"] < 0.3


async def test_nothing_a_lease_a_tombstone_and_what_is_absent_are_told_apart(models: Models, post: Post) -> None:
    slot, cache = BY_ID(post.id), models.cache

    async def kind() -> tuple[str, bool, str]:
        held = level(await models.inspector.look(slot), "redis").held
        return held.kind, held.served, held.why

    assert await kind() == ("nothing", False, levels.NOTHING)
    await cache.link.acquire([Ask(slot.name, 77)], b"t" * 16, 3000)
    assert await kind() == ("lease", False, levels.LEASED)
    writer = cache.writer()
    await cache.begin([slot], writer, 10)
    assert await kind() == ("tombstone", False, levels.WRITTEN)
    (pending,) = level(await models.inspector.look(slot), "redis").held.facts["writers"]
    assert pending[0] == writer.hex()
    assert 8 < pending[1] <= 10
    await cache.end([slot], writer)
    assert await models.posts.find(10**9) is None
    absent = await models.inspector.look(BY_ID(10**9))
    assert (level(absent, "redis").held.why, level(absent, "redis").equal) == (levels.ABSENT_SERVED, True)


async def test_a_list_whose_scope_has_changed_is_said_not_to_be_given(models: Models, post: Post) -> None:
    await models.posts.front(1)
    slot = FRONT_PAGES(1)
    before = level(await models.inspector.look(slot), "redis")
    await models.cache.end([PUBLISHED()], models.cache.writer())
    after = level(await models.inspector.look(slot), "redis")

    assert (before.held.served, before.held.why, before.equal) == (True, levels.LIST_SERVED, True)
    assert (after.held.served, after.held.why) == (False, levels.SCOPE_CHANGED)
    assert before.held.value == (1, post.id)


async def test_what_another_program_wrote_is_unreadable(models: Models, post: Post) -> None:
    await models.redis.set(models.cache.link.full(BY_ID(post.id).name), b"V nonsense", px=60_000)

    held = level(await models.inspector.look(BY_ID(post.id)), "redis").held
    assert (held.kind, held.served, held.why) == ("unreadable", False, levels.UNREADABLE)


async def test_what_is_old_is_called_old(models: Models, near: Models, post: Post) -> None:
    """By hand, around the models: so it is in MySQL, and no level has heard of it."""
    await read_often(near, post.id)
    async with models.db.connection() as connection:
        await connection.execute("UPDATE posts SET title = 'By hand', version = version + 1 WHERE id = %s", post.id)

    looked = await models.inspector.look(BY_ID(post.id))
    assert looked.old
    assert [(one.name, one.equal) for one in looked.levels] == [("web-0", False), ("redis", False)]
    assert looked.truth.title == "By hand"


async def test_a_dropped_row_is_read_again_on_every_level_and_the_log_tells_who(
    models: Models, near: Models, post: Post, people: People
) -> None:
    await read_often(near, post.id)
    async with models.db.connection() as connection:
        await connection.execute("UPDATE posts SET title = 'By hand' WHERE id = %s", post.id)
    await models.inspector.drop(BY_ID(post.id), by=people.ada)
    await until(lambda: near.cache.local.peek(BY_ID(post.id).name) is None)

    assert (await models.posts.one(post.id)).title == (await near.posts.one(post.id)).title == "By hand"
    (entry,) = await audit.entries(models.db, action="cache.drop")
    assert (entry.actor_id, entry.target) == (people.ada.id, f"post:{post.id}")


async def test_a_dropped_family_is_read_again_and_the_log_tells_who(
    models: Models, near: Models, post: Post, people: People
) -> None:
    await read_often(near, post.id)
    async with models.db.connection() as connection:
        await connection.execute("UPDATE posts SET title = 'By hand' WHERE id = %s", post.id)
    await models.inspector.drop_family(BY_ID, by=people.ada)
    await until(lambda: near.cache.local.peek(BY_ID(post.id).name) is None)

    assert (await models.posts.one(post.id)).title == (await near.posts.one(post.id)).title == "By hand"
    (entry,) = await audit.entries(models.db, action="cache.drop_family")
    assert (entry.actor_id, entry.target) == (people.ada.id, "post")


async def test_only_administrators_drop(models: Models, near: Models, post: Post, people: People) -> None:
    for drop in (
        lambda: models.inspector.drop(BY_ID(post.id), by=people.olga),
        lambda: models.inspector.drop_family(BY_ID, by=people.olga),
        lambda: models.inspector.drop_pages("/", ["en /"], by=people.olga),
    ):
        await models.posts.one(post.id)
        with pytest.raises(Forbidden):
            await drop()

    assert level(await models.inspector.look(BY_ID(post.id)), "redis").held.served
    assert not await audit.entries(models.db, action="cache.drop")
    assert not await audit.entries(models.db, action="cache.drop_family")


async def test_without_redis_a_look_up_says_so_and_a_family_is_not_dropped(
    redis_wire: Wire, models: Models, post: Post, people: People
) -> None:
    await redis_wire.cut()
    await models.posts.find(post.id)

    looked = await models.inspector.look(BY_ID(post.id))
    assert level(looked, "redis").held.why == inspector.AWAY_NOW
    assert looked.truth == post
    with pytest.raises(Busy):
        await models.inspector.drop_family(BY_ID, by=people.ada)
    assert not await audit.entries(models.db, action="cache.drop_family")


async def test_without_mysql_a_look_up_says_so(mysql_wire: Wire, models: Models, near: Models, post: Post) -> None:
    await read_often(near, post.id)
    await mysql_wire.cut()

    looked = await models.inspector.look(BY_ID(post.id))
    assert looked.untold
    assert level(looked, "redis").held.served
    assert level(looked, "redis").equal is None
    await mysql_wire.mend()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("post 12", "post:12"), (" post:12 ", "post:12"), ("posts.page 1", "list:posts.page:1"),
        ("list:posts.tag.page:c%23:2", "list:posts.tag.page:c%23:2"), ("posts.tag.page c# 2", "list:posts.tag.page:c%23:2"),
        ("plaza:0a1b:3@post:12", "post:12"), ("plaza:0a1b:post:12", "post:12"), ("user.email a@b.org", "user.email:a%40b.org"),
        ("posts.months", "list:posts.months"), ("comments.post 3", "scope:comments.post:3"),
    ],
)  # fmt: skip
def test_a_slot_may_be_spelt_in_several_ways(text: str, name: str) -> None:
    slot = asked(text, "plaza")

    assert isinstance(slot, Slot)
    assert slot.name == name


@pytest.mark.parametrize("text", ["", "pots 1", "post", "post 1 2", ":", "list:", "post:1:2", "\x00", "plaza:a:b"])
def test_what_is_no_slot_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        asked(text, "plaza")


def test_secrets_and_addresses_are_not_shown() -> None:
    assert shown_name(BY_EMAIL("a@b.org").name) == "user.email:…"
    assert shown_name("session:00ff") == "session:…"
    assert shown_name("post:12") == "post:12"
    assert family("post") is posts.BY_ID


async def test_a_members_address_is_not_shown(models: Models, people: People) -> None:
    shown = dict(shown_value(people.bob))

    assert shown["name"] == people.bob.name
    assert people.bob.email not in shown.values()
