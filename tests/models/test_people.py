"""What operators do to accounts, and what they cannot: nobody acts on who has more rights."""

import asyncio

import pytest

from jobs.expiry import end_expired
from models import Models, audit
from models import people as people_model
from models.errors import Forbidden, Invalid, NotFound
from models.people import Filter
from models.sheets import Place
from tests.harness.people import People


async def session(models: Models, user_id: int) -> str:
    return await models.sessions.start(user_id, days=1, ip=None, user_agent="")


async def test_who_is_deactivated_is_signed_out_and_has_no_rights(models: Models, people: People) -> None:
    token = await session(models, people.bob.id)
    await models.sessions.by_token(token)

    done = await models.people.act("deactivate", (people.bob.id,), by=people.olga)

    assert not (await models.users.one(people.bob.id)).active
    assert await models.sessions.by_token(token) is None
    assert await models.users.bits(await models.users.one(people.bob.id)) == 0
    assert done.batch


async def test_undo_makes_active_again_but_not_signed_in(models: Models, people: People) -> None:
    token = await session(models, people.bob.id)
    done = await models.people.act("deactivate", (people.bob.id, people.alice.id), by=people.olga)

    back = await models.people.undo(done.batch, by=people.olga)

    assert {user.id for user in back.users if user.active} == {people.bob.id, people.alice.id}
    assert (await models.users.one(people.bob.id)).active
    assert await models.sessions.by_token(token) is None


async def test_undo_leaves_who_has_changed_since_and_works_once(models: Models, people: People) -> None:
    done = await models.people.act("deactivate", (people.bob.id, people.alice.id), by=people.olga)
    await models.users.rename(people.bob.id, "Robert")

    back = await models.people.undo(done.batch, by=people.olga)

    assert ([user.id for user in back.users], back.left) == ([people.alice.id], (people.bob.id,))
    with pytest.raises(NotFound):
        await models.people.undo(done.batch, by=people.olga)


async def test_undo_of_an_activation_ends_the_sessions_that_began_since(models: Models, people: People) -> None:
    waiting = await models.users.register("Wanda", "wanda@example.org", None, active=False)
    done = await models.people.act("activate", (waiting.id,), by=people.olga)
    token = await session(models, waiting.id)

    await models.people.undo(done.batch, by=people.olga)

    assert not (await models.users.one(waiting.id)).active
    assert await models.sessions.by_token(token) is None


async def test_signing_out_ends_the_sessions_of_those_alone(models: Models, people: People) -> None:
    bobs, alices = await session(models, people.bob.id), await session(models, people.alice.id)

    done = await models.people.act("signout", (people.bob.id,), by=people.olga)

    assert await models.sessions.by_token(bobs) is None
    assert await models.sessions.by_token(alices)
    assert (await models.users.one(people.bob.id)).active
    assert done.batch == 0


@pytest.mark.parametrize("action", ["deactivate", "signout", "activate"])
async def test_an_operator_cannot_act_on_an_administrator(models: Models, people: People, action: str) -> None:
    token = await session(models, people.ada.id)

    with pytest.raises(Forbidden):
        await models.people.act(action, (people.ada.id,), by=people.olga)  # type: ignore[arg-type]
    done = await models.people.act(action, (people.ada.id, people.bob.id), by=people.olga)  # type: ignore[arg-type]

    assert people.ada.id in done.left
    assert await models.sessions.by_token(token)


async def test_an_operator_cannot_bring_an_administrator_back(models: Models, people: People) -> None:
    second = await models.users.register("Eve", "eve@example.org", None, role="admin")
    done = await models.people.act("deactivate", (second.id,), by=people.ada)
    assert done.batch

    with pytest.raises(Forbidden):
        await models.people.act("activate", (second.id,), by=people.olga)


@pytest.mark.parametrize("name", ["alice", "bob"])
async def test_members_and_editors_cannot_act_on_anybody(models: Models, people: People, name: str) -> None:
    with pytest.raises(Forbidden):
        await models.people.act("deactivate", (people.bob.id,), by=getattr(people, name))
    with pytest.raises(Forbidden):
        await models.people.undo(1, by=getattr(people, name))


async def test_nobody_deactivates_themselves(models: Models, people: People) -> None:
    with pytest.raises(Forbidden):
        await models.people.act("deactivate", (people.ada.id,), by=people.ada)
    done = await models.people.act("deactivate", (people.olga.id, people.bob.id), by=people.olga)

    assert done.left == (people.olga.id,)


async def test_two_administrators_cannot_remove_each_other(
    models: Models, other_models: Models, people: People
) -> None:
    eve = await models.users.register("Eve", "eve@example.org", None, role="admin")

    results = await asyncio.gather(
        models.people.act("deactivate", (eve.id,), by=people.ada),
        other_models.people.act("deactivate", (people.ada.id,), by=eve),
        return_exceptions=True,
    )

    assert [type(result) for result in results].count(Forbidden) == 1
    assert await models.users.any_admin()


async def test_limits_and_strangers_are_told(models: Models, people: People) -> None:
    with pytest.raises(Invalid):
        await models.people.act("signout", range(1, 102), by=people.olga)
    with pytest.raises(NotFound):
        await models.people.act("signout", (2**60,), by=people.olga)


async def test_every_change_is_in_the_audit_log(models: Models, people: People) -> None:
    await models.people.act("deactivate", (people.bob.id,), by=people.olga)
    await models.people.act("signout", (people.bob.id,), by=people.olga)

    out, off = await audit.entries(models.db, target=f"user {people.bob.id}")

    assert (out.action, off.action) == ("user.signout", "user.deactivate")
    assert (off.actor_id, off.was, off.became) == (people.olga.id, {"active": True}, {"active": False})


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Filter(), ["Ana%", "Ada", "Olga", "Bob", "Alice"]),
        (Filter(name="a"), ["Ada", "Alice", "Ana%"]),
        (Filter(name="ana%"), ["Ana%"]),
        (Filter(name="_"), []),
        (Filter(email="A"), ["Ada", "Alice", "Ana%"]),
        (Filter(name="a", active=True), ["Ada", "Alice"]),
        (Filter(active=False), ["Ana%"]),
        (Filter(role_id=-1), ["Ana%", "Bob"]),
        (Filter(role_id=-1, active=True), ["Bob"]),
        (Filter(name="b", role_id=-1), ["Bob"]),
        (Filter(name="a", email="ad", active=True), ["Ada"]),
        (Filter(role_id=-1, active=False, email="z"), []),
    ],
)
async def test_the_list_holds_what_its_filters_say(
    models: Models, people: People, wanted: Filter, names: list[str]
) -> None:
    ana = await models.users.register("Ana%", "ana@example.org", None, active=False)
    if wanted.role_id:
        wanted = Filter(wanted.name, wanted.email, ana.roles[0], wanted.active)

    sheet = await models.people.sheet(wanted)

    assert [user.name for user in sheet.items] == names
    assert sheet.count in (len(names), None)


@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.parametrize(
    "wanted",
    [
        Filter(), Filter(name="a"), Filter(email="a"), Filter(role_id=1), Filter(name="a", active=True),
        Filter(role_id=1, active=True), Filter(name="a", email="anna", role_id=1),
    ],
)  # fmt: skip
async def test_every_order_goes_on_and_comes_back(
    models: Models, people: People, wanted: Filter, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_model, "FEW", few)  # whether the filters are narrow or wide, the list is the same
    for number in range(5):
        await models.users.register("Anna", f"anna{number}@example.org", None)
    whole = [user.id for user in (await models.people.sheet(wanted)).items]

    first = await models.people.sheet(wanted, most=2)
    second = await models.people.sheet(wanted, Place(first.next), most=2)
    again = await models.people.sheet(wanted, Place(second.previous, before=True), most=2)

    assert [user.id for user in (*first.items, *second.items)] == whole[:4]
    assert again.items == first.items


async def test_sign_ins_are_shown_of_who_did(models: Models, people: People) -> None:
    await models.users.note_login(people.bob.id, b"\x7f\0\0\1")

    logins = await models.people.logins([people.bob.id, people.alice.id])

    assert list(logins) == [people.bob.id]
    assert str(logins[people.bob.id].last_ip) == "127.0.0.1"


async def test_what_can_long_not_be_undone_is_forgotten(models: Models, people: People) -> None:
    old = await models.people.act("deactivate", (people.bob.id,), by=people.olga)
    new = await models.people.act("activate", (people.bob.id,), by=people.olga)
    async with models.db.connection() as connection:
        await connection.execute("UPDATE batches SET at = at - INTERVAL 2 DAY WHERE id = %s", old.batch)

    await end_expired(models)

    assert await models.db.fetch("SELECT id FROM batches") == ((new.batch,),)
