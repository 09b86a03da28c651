"""Accounts, roles, sessions and one-time links."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from jobs.expiry import end_expired
from models import Models, audit, links, passwords
from models.errors import Forbidden, NotFound, Taken
from models.sessions import RENEW_AFTER, digest
from tests.harness.counting import Counted
from tests.harness.people import PASSWORD, People


async def test_an_address_is_one_persons_in_any_spelling(models: Models) -> None:
    await models.users.register("Eve", " Eve@Example.org ", None)
    with pytest.raises(Taken):
        await models.users.register("Evil", "eve@example.ORG", None)

    found = await models.users.by_email("EVE@example.org")
    assert found is not None
    assert (found.name, found.email) == ("Eve", "eve@example.org")


async def test_of_two_registrations_with_one_address_at_one_moment_one_is_taken(models: Models) -> None:
    both = (models.users.register(name, "eve@example.org", None) for name in ("One", "Two"))
    results = await asyncio.gather(*both, return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["Taken", "User"]


async def test_an_address_that_was_not_there_is_found_as_soon_as_it_is(models: Models, other_models: Models) -> None:
    assert await other_models.users.by_email("eve@example.org") is None
    await models.users.register("Eve", "eve@example.org", None)

    assert await other_models.users.by_email("eve@example.org") is not None


async def test_a_granted_role_and_a_deactivation_count_at_once_in_every_process(
    models: Models, other_models: Models, people: People
) -> None:
    assert await other_models.users.bits(await other_models.users.by_id(people.bob.id)) == 0x01
    await models.users.grant(people.bob.id, "editor")
    assert await other_models.users.bits(await other_models.users.by_id(people.bob.id)) == 0x03
    await models.users.set_active(people.bob.id, False)

    assert await other_models.users.bits(await other_models.users.by_id(people.bob.id)) == 0


async def test_a_new_name_is_seen_at_once(models: Models, other_models: Models, people: People) -> None:
    assert (await other_models.users.by_id(people.bob.id)).name == "Bob"
    await models.users.rename(people.bob.id, "Robert")

    assert (await other_models.users.by_id(people.bob.id)).name == "Robert"


async def test_the_list_of_users_is_for_operators(models: Models, people: People) -> None:
    for user in (people.bob, people.alice):
        with pytest.raises(Forbidden):
            await models.users.page(1, by=user)

    page = await models.users.page(1, by=people.olga)
    assert [user.name for user in page.items] == ["Ada", "Olga", "Bob", "Alice"]
    assert page.item_count == 4


async def test_the_roles_are_found_or_made_and_the_sites_own_bits_stay(models: Models) -> None:
    async with models.db.connection() as connection:
        await connection.execute("UPDATE roles SET permissions = 5 WHERE name = 'editor'")
        await connection.execute("DELETE FROM roles WHERE name = 'operator'")
    await models.roles.seed()
    await models.roles.seed()
    found = await models.db.fetch("SELECT name, permissions FROM roles ORDER BY name")

    assert dict(found) == {"admin": 255, "editor": 5, "member": 1, "operator": 7}


async def test_passwords_are_argon2id_and_only_the_right_one_is_right() -> None:
    hashed = await passwords.hash_password(PASSWORD)

    assert hashed.startswith("$argon2id$")
    assert await passwords.verify(PASSWORD, hashed)
    assert not await passwords.verify(PASSWORD + "x", hashed)
    assert not await passwords.verify(PASSWORD, None)
    assert not await passwords.verify(PASSWORD, "no hash")


@pytest.mark.parametrize(
    ("password", "accepted"),
    [
        ("correct horse battery", True), ("päßwörter sind gut", True), ("这是一个很长的密码吧", True), ("x" * 9, False),
        ("password12", False), ("1234567890", False), ("qwertyuiop", False), ("aaaaaaaaaaaa", False), ("y" * 201, False),
    ],
)  # fmt: skip
def test_long_is_enough_and_common_is_not(password: str, accepted: bool) -> None:
    assert (passwords.problem(password) is None) is accepted


async def test_only_the_digest_of_a_sessions_token_is_stored(models: Models, people: People) -> None:
    token = await models.sessions.start(people.bob.id, days=30, ip=None, user_agent="x" * 1000)
    rows = await models.db.fetch("SELECT token_sha256 FROM sessions")

    assert rows == ((digest(token),),)
    assert len(token) >= 43  # 256 bits in base64
    assert await models.sessions.by_token(token) is not None
    assert await models.sessions.by_token(token + "x") is None


async def test_a_revoked_session_is_over_at_once_in_every_process(
    models: Models, other_models: Models, people: People
) -> None:
    token = await models.sessions.start(people.bob.id, days=30, ip=None, user_agent="")
    session = await other_models.sessions.by_token(token)
    assert session is not None
    with pytest.raises(NotFound):
        await models.sessions.revoke(session.id, user_id=people.alice.id)
    assert await other_models.sessions.by_token(token) == session
    await models.sessions.revoke(session.id, user_id=people.bob.id)

    assert await other_models.sessions.by_token(token) is None


async def test_revoking_all_but_one_leaves_that_one_and_other_peoples(models: Models, people: People) -> None:
    mine = [await models.sessions.start(people.bob.id, days=30, ip=None, user_agent="") for _ in range(3)]
    hers = await models.sessions.start(people.alice.id, days=30, ip=None, user_agent="")
    kept, *_ = [await models.sessions.by_token(token) for token in (mine[1], mine[0], mine[2], hers)]
    assert kept is not None
    ended = await models.sessions.revoke_all(people.bob.id, but=kept.id)

    assert ended == 2
    assert [bool(await models.sessions.by_token(token)) for token in (*mine, hers)] == [False, True, False, True]


async def test_a_session_ends_with_its_time_even_when_it_is_remembered(models: Models, people: People) -> None:
    token = await models.sessions.start(people.bob.id, days=30, ip=None, user_agent="")
    async with models.sessions.write() as w:
        await w.execute("UPDATE sessions SET expires_at = %s", datetime.now(UTC) + timedelta(seconds=0.1))
        w.touch(models.sessions.key(digest(token)))
    assert await models.sessions.find(digest(token)) is not None
    await asyncio.sleep(0.12)

    assert await models.sessions.by_token(token) is None
    assert await models.sessions.of_user(people.bob.id) == []
    await end_expired(models)
    assert await models.db.fetch("SELECT COUNT(*) FROM sessions") == ((0,),)


async def test_a_visit_renews_a_session_at_most_once_a_day(models: Models, people: People, counted: Counted) -> None:
    token = await models.sessions.start(people.bob.id, days=30, ip=None, user_agent="")
    session = await models.sessions.by_token(token)
    assert session is not None
    counted.clear()
    assert not await models.sessions.seen(session, days=30, ip=b"\x7f\0\0\1")
    assert counted.statements == []
    async with models.sessions.write() as w:
        end = session.expires_at - RENEW_AFTER - timedelta(minutes=1)
        await w.execute("UPDATE sessions SET expires_at = %s", end)
        w.touch(models.sessions.key(digest(token)))
    older = await models.sessions.by_token(token)
    assert older is not None

    assert await models.sessions.seen(older, days=30, ip=b"\x7f\0\0\1")
    renewed = await models.sessions.by_token(token)
    assert renewed is not None
    assert renewed.expires_at > session.expires_at - timedelta(minutes=1)
    facts = await models.sessions.of_user(people.bob.id)
    assert str(facts[0].ip) == "127.0.0.1"


async def test_sign_ins_are_counted_with_when_and_from_where(models: Models, people: People) -> None:
    for ip in (b"\x7f\0\0\1", bytes(15) + b"\1"):
        await models.users.note_login(people.bob.id, ip)
    rows = await models.db.fetch("SELECT count, last_ip FROM logins WHERE user_id = %s", people.bob.id)

    assert rows == ((2, bytes(15) + b"\1"),)


async def test_an_invitation_makes_one_administrator_even_for_two_at_one_moment(models: Models) -> None:
    token = await models.links.invite_admin()
    both = (
        models.users.register(name, f"{name}@example.org", None, role=links.ADMIN, invite=token)
        for name in ("first", "second")
    )
    results = await asyncio.gather(*both, return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["NotFound", "User"]
    (line,) = await audit.entries(models.db, action="user.roles")
    assert line.target == f"user {line.actor_id}"
    assert not await models.links.good(token, links.ADMIN)
    with pytest.raises(NotFound):
        await models.users.register("third", "third@example.org", None, role=links.ADMIN, invite=token)


async def test_an_invitation_ends_with_its_time_with_the_next_one_and_does_nothing_else(models: Models) -> None:
    first = await models.links.invite_admin()
    second = await models.links.invite_admin()
    assert not await models.links.good(first, links.ADMIN)
    assert await models.links.good(second, links.ADMIN)
    assert not await models.links.good(second, "other")
    async with models.db.connection() as connection:
        await connection.execute("UPDATE links SET expires_at = %s", datetime.now(UTC))

    assert not await models.links.good(second, links.ADMIN)
    with pytest.raises(NotFound):
        await models.users.register("late", "late@example.org", None, role=links.ADMIN, invite=second)


async def test_a_registration_that_fails_does_not_spend_the_invitation(models: Models, people: People) -> None:
    token = await models.links.invite_admin()
    with pytest.raises(Taken):
        await models.users.register("Bob", people.bob.email, None, role=links.ADMIN, invite=token)

    assert await models.links.good(token, links.ADMIN)


async def test_whether_there_is_an_administrator(models: Models, people: People) -> None:
    assert await models.users.any_admin()
    await models.users.set_active(people.ada.id, False)

    assert not await models.users.any_admin()
