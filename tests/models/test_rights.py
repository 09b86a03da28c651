"""Only administrators give rights, and the last of them stays."""

import asyncio
from typing import Any

import pytest

from models import Models, audit
from models.errors import Forbidden, Invalid, NotFound, Taken
from models.rights import Wanted
from models.roles import ADMINISTER, EDITOR, LOGIN, OPERATOR
from tests.harness.people import People

HELPER = Wanted("helper", LOGIN | OPERATOR, "looks after members")


async def role_id(models: Models, name: str) -> int:
    return next(role.id for role in await models.rights.all() if role.name == name)


async def test_a_new_role_carries_its_bits_to_who_has_it(models: Models, people: People) -> None:
    role = await models.rights.create(HELPER, by=people.ada)

    bob = await models.rights.set_roles(people.bob.id, (*people.bob.roles, role.id), by=people.ada)

    assert await models.users.bits(bob) == LOGIN | OPERATOR
    assert await models.users.bits(await models.users.one(bob.id)) == LOGIN | OPERATOR
    assert (await models.rights.held()) >= {role.id}


async def test_changed_bits_reach_everybody_at_once(models: Models, other_models: Models, people: People) -> None:
    assert await other_models.users.bits(people.alice) == LOGIN | EDITOR  # remembered from here on

    await models.rights.edit(await role_id(models, "editor"), Wanted("editor", LOGIN, ""), by=people.ada)

    assert await other_models.users.bits(people.alice) == LOGIN


@pytest.mark.parametrize("name", ["alice", "bob", "olga"])
async def test_only_administrators_touch_rights(models: Models, people: People, name: str) -> None:
    user = getattr(people, name)
    role = await models.rights.create(HELPER, by=people.ada)

    tries: list[Any] = [
        models.rights.create(Wanted("mine", LOGIN, ""), by=user),
        models.rights.edit(role.id, Wanted("mine", OPERATOR, ""), by=user),
        models.rights.delete(role.id, by=user),
        models.rights.set_roles(user.id, (*user.roles, await role_id(models, "admin")), by=user),
    ]
    for attempt in tries:
        with pytest.raises(Forbidden):
            await attempt


async def test_the_last_administrator_keeps_the_role(models: Models, people: People) -> None:
    with pytest.raises(Invalid):
        await models.rights.set_roles(people.ada.id, (), by=people.ada)

    assert await models.users.bits(await models.users.one(people.ada.id)) == ADMINISTER


async def test_an_administrator_who_cannot_sign_in_does_not_count(models: Models, people: People) -> None:
    eve = await models.users.register("Eve", "eve@example.org", None, role="admin")
    await models.people.act("deactivate", (eve.id,), by=people.ada)

    with pytest.raises(Invalid):
        await models.rights.set_roles(people.ada.id, (), by=people.ada)


async def test_two_administrators_cannot_take_the_role_from_each_other(
    models: Models, other_models: Models, people: People
) -> None:
    eve = await models.users.register("Eve", "eve@example.org", None, role="admin")

    results = await asyncio.gather(
        models.rights.set_roles(eve.id, (), by=people.ada),
        other_models.rights.set_roles(people.ada.id, (), by=eve),
        return_exceptions=True,
    )

    assert [isinstance(result, Forbidden) for result in results].count(True) == 1
    assert await models.users.any_admin()


async def test_an_own_role_of_all_bits_cannot_lose_them_under_its_last_holder(models: Models, people: People) -> None:
    role = await models.rights.create(Wanted("owner", ADMINISTER, ""), by=people.ada)
    await models.rights.set_roles(people.ada.id, (role.id,), by=people.ada)

    with pytest.raises(Invalid):
        await models.rights.edit(role.id, Wanted("owner", LOGIN, ""), by=people.ada)


async def test_roles_that_the_code_knows_keep_their_names_and_sense(models: Models, people: People) -> None:
    admin, member = await role_id(models, "admin"), await role_id(models, "member")

    for id, wanted in [
        (admin, Wanted("admin", LOGIN, "")),
        (member, Wanted("members", LOGIN, "")),
        (member, Wanted("member", ADMINISTER, "")),
        (member, Wanted("member", LOGIN | OPERATOR, "")),
    ]:
        with pytest.raises(Invalid):
            await models.rights.edit(id, wanted, by=people.ada)
    with pytest.raises(Invalid):
        await models.rights.delete(member, by=people.ada)


async def test_a_role_is_deleted_when_nobody_has_it(models: Models, people: People) -> None:
    role = await models.rights.create(HELPER, by=people.ada)
    await models.rights.set_roles(people.bob.id, (role.id,), by=people.ada)
    with pytest.raises(Invalid):
        await models.rights.delete(role.id, by=people.ada)
    await models.rights.set_roles(people.bob.id, people.bob.roles, by=people.ada)

    await models.rights.delete(role.id, by=people.ada)

    assert role.id not in [role.id for role in await models.rights.all()]


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("", LOGIN, ""), Wanted("x" * 41, LOGIN, ""), Wanted("x", LOGIN, "x" * 201), Wanted("x", 0x08, ""),
        Wanted("x", 0x7F, ""), Wanted("x", -1, ""), Wanted("x", 0x100, ""),
    ],
)  # fmt: skip
async def test_a_wrong_role_is_refused(models: Models, people: People, wanted: Wanted) -> None:
    with pytest.raises(Invalid):
        await models.rights.create(wanted, by=people.ada)


async def test_a_name_is_there_once(models: Models, people: People) -> None:
    role = await models.rights.create(HELPER, by=people.ada)
    with pytest.raises(Taken):
        await models.rights.create(HELPER, by=people.ada)
    with pytest.raises(Taken):
        await models.rights.edit(role.id, Wanted("editor", EDITOR, ""), by=people.ada)


async def test_strange_users_and_roles_are_not_found(models: Models, people: People) -> None:
    with pytest.raises(NotFound):
        await models.rights.set_roles(2**60, (), by=people.ada)
    with pytest.raises(NotFound):
        await models.rights.set_roles(people.bob.id, (2**60,), by=people.ada)
    author = await models.users.import_author("Somebody Else")
    with pytest.raises(Invalid):
        await models.rights.set_roles(author.id, people.bob.roles, by=people.ada)


async def test_every_change_is_in_the_audit_log(models: Models, people: People) -> None:
    role = await models.rights.create(HELPER, by=people.ada)
    await models.rights.set_roles(people.bob.id, (role.id,), by=people.ada)

    (given,) = await audit.entries(models.db, action="user.roles")
    (made,) = await audit.entries(models.db, action="role.create")

    assert (given.actor_id, given.target) == (people.ada.id, f"user {people.bob.id}")
    assert (given.was, given.became) == ({"roles": list(people.bob.roles)}, {"roles": [role.id]})
    assert made.became["permissions"] == LOGIN | OPERATOR
