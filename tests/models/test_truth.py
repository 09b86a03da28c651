"""MySQL can be asked for any slot by its name, and what it says is what the models remember."""

import importlib

import pytest

from cache.slots import Index, List
from models import Models
from models.asking import METHODS
from models.levels import slot_of
from models.truth import Unanswerable
from models.writing import Draft
from tests.harness.people import People
from tests.test_shape import names_of_models


def test_mysql_can_be_asked_for_every_list_and_index_by_its_name() -> None:
    """Else the inspector cannot say whether it is true, and nobody ever compares it: mark the method with @answers."""
    told_by_a_hash = {"search.posts", "search.polls", "search.files"}
    declared = [value for name in names_of_models() for value in vars(importlib.import_module(name)).values()]
    missing = {one.name for one in declared if isinstance(one, Index | List) and one.family not in METHODS}

    assert missing == told_by_a_hash


async def test_what_mysql_says_of_a_name_is_what_the_models_remember(models: Models, people: People) -> None:
    post = await models.writing.create(Draft("A post", "", "Words.", ("news",)), by=people.alice, publish=True)
    await models.comments.create(post.id, "Words", by=people.bob)
    truth = models.inspector.truth
    await models.posts.front(1)
    await models.posts.by_author(people.alice.id, 1)
    await models.posts.tagged("news", 1)
    ((month, _),) = await models.posts.months()
    await models.posts.of_month(month)
    await models.sitemaps.parts()
    await models.sitemaps.part(0)
    await models.comments.discussion(post.id)
    await models.comments.newest(1)
    await models.comments.latest_under(post.id)
    await models.comments.latest_of(people.bob.id)
    await models.users.page(1, by=people.olga)
    await models.users.by_email(people.bob.email)
    await models.sites.now()
    await models.roles.many([1, 2])
    await models.bodies.one(post.id)
    await models.redirects.target("/nowhere")
    found = {
        name: held
        for name in await _names(models)
        if (slot := slot_of(name)) and (held := await models.inspector.far.look(slot)).served
    }

    assert len({name.rpartition(":")[0] for name in found}) > 15
    assert {name: held.value for name, held in found.items()} == await truth.of_all(list(found))


async def test_a_name_that_leads_nowhere_is_unanswerable(models: Models) -> None:
    nowhere = ("list:posts.month:9999-12:0", "list:posts.month:2026-05:-5")
    for name in ("post:x", "search:1", "list:posts.page:x", "list:search.posts:ab", "scope:posts.published", *nowhere):
        with pytest.raises(Unanswerable):
            await models.inspector.truth.of(name)


async def _names(models: Models) -> list[str]:
    prefix = models.cache.link.full("").decode()
    return [key.decode().removeprefix(prefix) async for key in models.redis.scan_iter(f"{prefix}*")]
